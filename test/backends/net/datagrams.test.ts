import { createSocket } from 'node:dgram';
import { expect, it } from 'vitest';
import { DatagramNetwork } from '../../../src/backends/net/datagrams.ts';
import { SteppedClock } from '../../devices/stepped-clock.ts';

const LOOPBACK = '127.0.0.1', clock = new SteppedClock();
const until = async (done: () => boolean): Promise<void> => {
  for (let i = 0; !done(); i++) {
    if (i > 1000) throw new Error('nothing came');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
/** UDP ports that nobody has. */
async function freePorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createSocket('udp4'));
  for (const socket of sockets) await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const ports = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return ports;
}
function plugged(network: DatagramNetwork): number[][] {
  const got: number[][] = [];
  network.plug({ clock, deliver: (frame) => got.push([...frame]) > 0 });
  return got;
}

it('links two machines by datagrams', async () => {
  const [a, b] = await freePorts(2) as [number, number], place = (port: number) => ({ address: LOOPBACK, port });
  const one = await DatagramNetwork.open({ mode: 'udp', target: place(b), local: place(a) }), two = await DatagramNetwork.open({ mode: 'udp', target: place(a), local: place(b) });
  const first = plugged(one), second = plugged(two), frame = Uint8Array.of(1, 2);
  one.send(frame);
  frame.fill(9);
  two.send(new Uint8Array(1518));
  await until(() => first.length === 1 && second.length === 1);
  expect([first[0]!.length, second]).toEqual([1518, [[1, 2]]]);
  one.close();
  two.send(frame);
  two.close();
  two.send(frame);
  await expect(DatagramNetwork.open({ mode: 'udp', target: place(b), local: { address: '203.0.113.1', port: a } })).rejects.toThrow('EADDRNOTAVAIL');
});

it('joins all machines of a multicast group, and gives nobody its own frames back', async () => {
  const [port] = await freePorts(1) as [number], options = { mode: 'mcast', target: { address: '230.0.0.7', port }, local: { address: LOOPBACK, port: 0 } } as const;
  const all = [await DatagramNetwork.open(options), await DatagramNetwork.open(options), await DatagramNetwork.open(options)], got = all.map(plugged);
  for (const [i, network] of all.entries()) network.send(Uint8Array.of(i));
  await until(() => got.every((frames) => frames.length === 2));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(got.map((frames) => frames.flat().sort())).toEqual([[1, 2], [0, 2], [0, 1]]);
  for (const network of all) network.close();
});
