import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFolder } from '../../src/backends/shared-folder.ts';
import { WireWriter } from '../../src/devices/9p/wire.ts';
import { Virtio9p } from '../../src/devices/virtio-9p.ts';
import { DEVICE_CONFIG, VirtioBench } from './virtio-driver.ts';

const VERSION = 100, ATTACH = 104, WALK = 110, OPEN = 12, READ = 116;
let scratch: string, folder: LocalFolder, bench: VirtioBench<Virtio9p>;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tcg86-9p-'));
  writeFileSync(join(scratch, 'large'), Uint8Array.from({ length: 200_000 }, (_, i) => i * 7 + (i >> 8)));
  folder = new LocalFolder(scratch);
  bench = new VirtioBench(() => new Virtio9p('9p', 'host0', folder));
  bench.start();
});
afterEach(() => {
  bench.pci.reset();
  folder.close();
  rmSync(scratch, { recursive: true });
});

/** A message in pieces of `piece` bytes; the answer's bytes out of rooms of those sizes. */
function call(message: Uint8Array, rooms: readonly number[], piece = message.length): Uint8Array {
  const parts = Array.from({ length: Math.ceil(message.length / piece) }, (_, i) => message.subarray(i * piece, (i + 1) * piece));
  const places = bench.offer(0, parts, rooms, true);
  bench.kick(0);
  const [length] = bench.used(0);
  return Buffer.concat(places.map((place, i) => bench.bytes(place, rooms[i]!))).subarray(0, length);
}
const start = (): void => {
  call(new WireWriter().u32(1 << 18).string('9P2000.L').finish(VERSION, 0xffff), [64]);
  call(new WireWriter().u32(0).u32(0xffffffff).string('').string('').u32(0).finish(ATTACH, 1), [64]);
  call(new WireWriter().u32(0).u32(1).u16(1).string('large').finish(WALK, 1), [64]);
  call(new WireWriter().u32(1).u32(0).finish(OPEN, 1), [64]);
};

describe('virtio-9p', () => {
  it('says its tag', () => {
    expect(bench.pci.config.read(2, 2)).toBe(0x1009);
    expect(Buffer.from(Uint8Array.from({ length: 7 }, (_, i) => bench.get(DEVICE_CONFIG + i, 1))).toString('latin1')).toBe('\x05\0host0');
  });

  it('a large read fills many descriptors, and a message may come in pieces', () => {
    start();
    const rooms = [11, ...Array<number>(49).fill(4096)], answer = call(new WireWriter().u32(1).u64(100n).u32(199_000).finish(READ, 7), rooms, 3);
    expect([answer.length, answer[4]]).toEqual([11 + 199_000, 117]);
    expect(Buffer.compare(answer.subarray(11), Uint8Array.from({ length: 199_000 }, (_, i) => (i + 100) * 7 + ((i + 100) >> 8)))).toBe(0);
  });

  it('answers what is no message, if there is room for that', () => {
    expect([...call(Uint8Array.of(1, 2, 3), [11])]).toEqual([11, 0, 0, 0, 7, 0xff, 0xff, 22, 0, 0, 0]);
    expect(call(Uint8Array.of(1, 2, 3), [4]).length).toBe(0);
    bench.offer(0, [], [64]);
    bench.kick(0);
    expect(bench.used(0)).toEqual([11]);
  });

  it('a reset forgets what was mounted', () => {
    start();
    bench.pci.reset();
    bench.start();
    expect(call(new WireWriter().u32(1).u64(0n).u32(10).finish(READ, 7), [64])[4]).toBe(7);
  });
});
