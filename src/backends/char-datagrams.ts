/** A line over UDP, as QEMU has it: pieces of output are datagrams to one other end, and what comes to our port is input. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { bindDatagrams } from './bind-datagrams.ts';
import { BufferedChar } from './char-buffered.ts';

export interface DatagramCharOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Where the other end sends to; port 0: the host chooses. */
  readonly local: { readonly host: string; readonly port: number };
}

/** Bytes in a datagram: they pass any Ethernet in one piece. */
const PIECE = 1024;

export class DatagramChar extends BufferedChar {
  readonly #target: DatagramCharOptions['target'];
  readonly #socket: Socket;
  #closed = false;

  private constructor({ target, local }: DatagramCharOptions) {
    super();
    this.#target = target;
    this.#socket = createSocket(local.host.includes(':') ? 'udp6' : 'udp4');
  }

  /** @throws Error of the host: an address that is taken, or not its own */
  static async open(options: DatagramCharOptions): Promise<DatagramChar> {
    const line = new DatagramChar(options), socket = line.#socket, { host, port } = options.local;
    await bindDatagrams(socket, host, port);
    socket.on('message', (bytes) => {
      // Nobody can be made to wait here.
      if (!line.full) line.arrived(bytes);
    });
    return line;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  protected send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE) this.#socket.send(bytes.subarray(at, at + PIECE), this.#target.port, this.#target.host, () => {});
  }

  override close(): void {
    if (this.#closed) return;
    super.close();
    this.#closed = true;
    // Node looks addresses up before it sends.
    setTimeout(() => this.#socket.close(), 0);
  }
}
