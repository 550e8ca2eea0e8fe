/** A UDP socket of the host for what an emulated line or wire carries. */
import type { Socket } from 'node:dgram';

/** Gives it its address. What cannot be sent later is lost, as on a wire, and it keeps no process alive. @throws Error of the host: an address that is taken, or not its own */
export async function bindDatagrams(socket: Socket, address: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject).on('error', () => {}).unref();
      resolve();
    });
  });
}
