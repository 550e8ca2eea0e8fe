import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/backends/block/memory.ts';
import type { BlockBackend } from '../../src/devices/host.ts';
import { VirtioBlk } from '../../src/devices/virtio-blk.ts';
import { DEVICE_CONFIG, ISR, VirtioBench, WRITE } from './virtio-driver.ts';

const MS = 1_000_000;
const IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13;
const SECTORS = 5000;

let disk: MemoryDisk;
let calls: string[];
let bench: VirtioBench<VirtioBlk>;

const header = (type: number, sector = 0): Uint8Array => {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return new Uint8Array(view.buffer);
};
const range = (sector: number, count: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(sector), true);
  view.setUint32(8, count, true);
  return new Uint8Array(view.buffer);
};
/** One request to its end: its status, and what the device wrote before that. */
function request(out: readonly Uint8Array[], room = 0): { status: number; data: Uint8Array } {
  const rooms = bench.offer(0, out, room > 0 ? [room, 1] : [1], true);
  bench.space.write(rooms.at(-1)!, 0xff, 1);
  bench.kick(0);
  bench.clock.step(MS);
  expect(bench.used(0)).toEqual([room + 1]);
  return { status: bench.bytes(rooms.at(-1)!, 1)[0]!, data: room > 0 ? bench.bytes(rooms[0]!, room) : new Uint8Array(0) };
}

const backend = (readOnly = false): BlockBackend => ({
  sectors: disk.sectors, readOnly,
  read: (sector, data, done) => disk.read(sector, data, done),
  write: (sector, data, done) => disk.write(sector, data, done),
  flush: (done) => (calls.push('flush'), done()),
  writeZeroes: (sector, count, done) => (calls.push(`zero ${sector} ${count}`), done()),
  discard: (sector, count, done) => (calls.push(`discard ${sector} ${count}`), done()),
});

beforeEach(() => {
  calls = [];
  disk = new MemoryDisk(Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) * 3 + i));
  bench = new VirtioBench(({ clock }) => new VirtioBlk('blk', clock, backend(), 'disk-7'));
  bench.start();
});

describe('virtio-blk', () => {
  it('says how large it is', () => {
    expect([bench.get(DEVICE_CONFIG, 4), bench.get(DEVICE_CONFIG + 4, 4), bench.get(DEVICE_CONFIG + 20, 4)]).toEqual([SECTORS, 0, 512]);
    expect(bench.pci.config.read(2, 2)).toBe(0x1001);
  });

  it('reads and writes sectors', () => {
    const { status, data } = request([header(IN, 7)], 1024);
    expect(status).toBe(0);
    expect(data).toEqual(disk.data.subarray(7 * 512, 9 * 512));
    const bytes = Uint8Array.from({ length: 1536 }, (_, i) => i * 7);
    expect(request([header(OUT, 4997), bytes.subarray(0, 700), bytes.subarray(700)]).status).toBe(0);
    expect(disk.data.subarray(4997 * 512)).toEqual(bytes);
  });

  it('a long request goes to the host in pieces', () => {
    const { status, data } = request([header(IN, 0)], 2_000_896);
    expect(status).toBe(0);
    expect(Buffer.compare(data, disk.data.subarray(0, 2_000_896))).toBe(0);
  });

  it('a request of gigabytes, in a thousand buffers that are the same memory', () => {
    const count = 1021, size = 4 << 20, length = count * size;
    let written = 0;
    const host: BlockBackend = {
      ...backend(), sectors: length / 512,
      write(sector, data, done) {
        if (sector === written / 512) written += data.length;
        done();
      },
    };
    bench = new VirtioBench(({ clock }) => new VirtioBlk('blk', clock, host));
    bench.start();
    const head = bench.allocate(header(OUT)), status = bench.allocate(Uint8Array.of(0xff));
    bench.offerAt(0, [[head, 16, 0], ...Array.from({ length: count }, () => [0, size, 0] as const), [status, 1, WRITE]], true);
    bench.kick(0);
    bench.clock.step(100 * MS);
    expect([written, bench.used(0), bench.bytes(status, 1)[0]]).toEqual([length, [1], 0]);
  });

  it('restored between the pieces of a request it goes on with the next', () => {
    const reads: number[] = [], length = 2_000_896;
    const host: BlockBackend = { ...backend(), read: (sector, data, done) => (reads.push(sector), disk.read(sector, data, done)) };
    bench = new VirtioBench(({ clock }) => new VirtioBlk('blk', clock, host));
    bench.start();
    const [room] = bench.offer(0, [header(IN, 8)], [length, 1]);
    bench.kick(0);
    bench.clock.step(30_000);
    const saved = [bench.pci.state.save(), bench.device.state.save()];
    bench.pci.reset();
    bench.clock.step(MS);
    bench.pci.state.restore(saved[0]!);
    bench.device.state.restore(saved[1]!);
    bench.pci.restored();
    bench.device.restored();
    bench.clock.step(10_000);
    expect(bench.used(0)).toEqual([length + 1]);
    expect(reads).toEqual([8, 2056, 2056]);
    expect(Buffer.compare(bench.bytes(room!, length), disk.data.subarray(4096, 4096 + length))).toBe(0);
  });

  it('answers at a deadline, with an interrupt, one after the other', () => {
    bench.offer(0, [header(IN, 0)], [512, 1]);
    bench.offer(0, [header(IN, 1)], [512, 1]);
    bench.kick(0);
    expect(bench.used(0)).toEqual([]);
    bench.clock.step(20_000);
    expect(bench.used(0)).toEqual([513]);
    expect(bench.get(ISR, 1)).toBe(1);
    bench.clock.step(20_000);
    expect(bench.used(0)).toEqual([513]);
  });

  it('flush, name, zeroes, discard', () => {
    expect(request([header(FLUSH)]).status).toBe(0);
    const { status, data } = request([header(GET_ID)], 20);
    expect([status, Buffer.from(data).toString('latin1')]).toEqual([0, 'disk-7'.padEnd(20, '\0')]);
    expect(request([header(ZEROES), range(4, 9)]).status).toBe(0);
    expect(request([header(DISCARD), range(1, 2), range(4000, 1000)]).status).toBe(0);
    expect(calls).toEqual(['flush', 'zero 4 9', 'discard 1 2', 'discard 4000 1000']);
  });

  it('large ranges go to the host in pieces, too', () => {
    const host: BlockBackend = { ...backend(), sectors: 1 << 24 };
    bench = new VirtioBench(({ clock }) => new VirtioBlk('blk', clock, host));
    bench.start();
    expect(request([header(ZEROES), range(5, 300_000), range(7, 0), range(400_000, 131_072), range(9, 1)]).status).toBe(0);
    expect(calls).toEqual(['zero 5 131072', 'zero 131077 131072', 'zero 262149 37856', 'zero 400000 131072', 'zero 9 1']);
  });

  it('refuses what is not there', () => {
    expect(request([header(IN, SECTORS - 1)], 1024).status).toBe(1);
    expect(request([header(IN, 2 ** 52)], 512).status).toBe(1);
    expect(request([header(OUT, 0), new Uint8Array(100)]).status).toBe(1);
    expect(request([header(DISCARD), range(4000, 1001)]).status).toBe(1);
    expect(request([header(99)]).status).toBe(2);
    bench = new VirtioBench(({ clock }) => new VirtioBlk('blk', clock, backend(true)));
    expect(bench.start() & 0x20).toBe(0x20);
    expect(request([header(OUT, 0), new Uint8Array(512)]).status).toBe(1);
    expect(request([header(IN, 0)], 512).status).toBe(0);
  });

  it('a request without a header or a status breaks the device', () => {
    bench.offer(0, [new Uint8Array(8)], [1]);
    bench.kick(0);
    expect(bench.get(20, 1) & 0x40).toBe(0x40);
    // Restored, it is what it was: broken.
    const saved = [bench.pci.state.save(), bench.device.state.save()];
    bench.device.restored();
    bench.offer(0, [header(FLUSH)], [1]);
    bench.kick(0);
    bench.clock.step(MS);
    expect([calls, bench.used(0), bench.pci.state.save(), bench.device.state.save()]).toEqual([[], [], ...saved]);
  });

  it('a reset forgets a request; a restored one is answered', () => {
    bench.offer(0, [header(IN, 3)], [512, 1]);
    bench.kick(0);
    const saved = [bench.pci.state.save(), bench.device.state.save()];
    bench.pci.reset();
    bench.clock.step(MS);
    expect(bench.used(0)).toEqual([]);
    bench.pci.state.restore(saved[0]!);
    bench.device.state.restore(saved[1]!);
    bench.pci.restored();
    bench.device.restored();
    bench.clock.step(MS);
    expect(bench.used(0)).toEqual([513]);
  });
});
