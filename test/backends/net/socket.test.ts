import { expect, it } from 'vitest';
import { FrameReader, SocketNetwork } from '../../../src/backends/net/socket.ts';
import { SteppedClock } from '../../devices/stepped-clock.ts';

const clock = new SteppedClock();

it('frames come out of a stream however it is cut', () => {
  const bytes = Uint8Array.of(0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9);
  const reader = new FrameReader(), frames = [...bytes].flatMap((byte) => reader.add(Uint8Array.of(byte))!.map((frame) => [...frame]));
  expect(frames).toEqual([[7, 8], [], [9]]);
  expect(new FrameReader().add(Uint8Array.of(1, 0, 0, 0))).toBe(null);
});

it('links two machines, and waits for another one', async () => {
  const one = await SocketNetwork.open({ mode: 'listen', address: '127.0.0.1', port: 0 }), port = one.listening!;
  const got: number[][] = [], back: number[][] = [];
  const until = async (list: unknown[], count: number): Promise<void> => {
    while (list.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  one.plug({ clock, deliver: (frame) => got.push([...frame]) > 0 });
  one.send(Uint8Array.of(1));
  for (let round = 1; round <= 2; round++) {
    const two = await SocketNetwork.open({ mode: 'connect', address: '127.0.0.1', port });
    two.plug({ clock, deliver: (frame) => back.push([...frame]) > 0 });
    two.send(Uint8Array.of(1, 2, 3));
    two.send(Uint8Array.of(4));
    await until(got, 2 * round);
    one.send(Uint8Array.of(5));
    await until(back, round);
    two.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect([got, back]).toEqual([[[1, 2, 3], [4], [1, 2, 3], [4]], [[5], [5]]]);
  await expect(SocketNetwork.open({ mode: 'listen', address: '127.0.0.1', port })).rejects.toThrow(/EADDRINUSE/);
  one.close();
});
