import { beforeEach, describe, expect, it } from 'vitest';
import { readIo, writeIo } from '../../src/memory/address-space.ts';
import { VirtioRng } from '../../src/devices/virtio-rng.ts';
import { ISR, VirtioBench } from './virtio-driver.ts';

const EVENT_IDX = 1 << 29, INDIRECT = 1 << 28;
let bench: VirtioBench<VirtioRng>;

beforeEach(() => {
  let next = 0;
  bench = new VirtioBench(() => new VirtioRng('rng', () => ++next));
});

describe('virtio queues', () => {
  it('requests of several buffers come back with their length, in one interrupt', () => {
    bench.start(0);
    const [a, b] = bench.offer(0, [], [3, 5]);
    const [c] = bench.offer(0, [], [2]);
    bench.kick(0);
    expect(bench.used(0)).toEqual([8, 2]);
    expect([...bench.bytes(a!, 3), ...bench.bytes(b!, 5)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...bench.bytes(c!, 2)]).toEqual([9, 10]);
    expect(bench.line).toBe(true);
    expect(bench.get(ISR, 1)).toBe(1);
    expect(bench.line).toBe(false);
    expect(bench.get(ISR, 1)).toBe(0);
  });

  it('indirect tables', () => {
    expect(bench.start() & INDIRECT).toBe(INDIRECT);
    const rooms = bench.offer(0, [new Uint8Array(4)], [1, 1, 2], true);
    bench.kick(0);
    expect(bench.used(0)).toEqual([4]);
    expect(rooms.flatMap((room, i) => [...bench.bytes(room, [1, 1, 2][i]!)])).toEqual([1, 2, 3, 4]);
  });

  it('the ring wraps around, many times', () => {
    bench.start(0);
    for (let i = 0; i < 70_000; i += 7) {
      for (let k = 0; k < 7; k++) bench.available(0, 0);
      bench.descriptor(0x10000, 0x100000, 4, 2, 0);
      bench.kick(0);
      expect(bench.used(0)).toEqual([4, 4, 4, 4, 4, 4, 4]);
    }
  });

  it('no interrupt that the driver does not want: flags, then event index', () => {
    bench.start(0);
    bench.space.write(0x12000, 1, 2);
    bench.offer(0, [], [1]);
    bench.kick(0);
    expect(bench.used(0)).toEqual([1]);
    expect(bench.line).toBe(false);

    expect(bench.start() & EVENT_IDX).toBe(EVENT_IDX);
    bench.usedEvent(0, 0);
    bench.offer(0, [], [1]);
    bench.kick(0);
    expect(bench.get(ISR, 1)).toBe(1);
    bench.usedEvent(0, 3);
    for (const raised of [0, 0, 1, 0]) {
      bench.offer(0, [], [1]);
      bench.kick(0);
      expect(bench.get(ISR, 1)).toBe(raised);
    }
    expect(bench.space.read(0x13000 + 4 + 8 * 8, 2)).toBe(5);
  });

  it('rings that make no sense break the device until a reset', () => {
    const broken = (spoil: () => void): void => {
      bench.start();
      spoil();
      bench.kick(0);
      expect(bench.get(20, 1) & 0x40).toBe(0x40);
      expect(bench.get(ISR, 1) & 2).toBe(2);
      expect(bench.used(0)).toEqual([]);
      bench.start(0);
      bench.offer(0, [], [1]);
      bench.kick(0);
      expect(bench.used(0)).toEqual([1]);
      bench.get(ISR, 1);
    };
    broken(() => bench.available(0, 8));
    broken(() => bench.space.write(0x12002, 9, 2));
    broken(() => {
      bench.descriptor(0x10000, 0x100000, 4, 1, 0);
      bench.available(0, 0);
    });
    broken(() => {
      bench.descriptor(0x10000, 0x100000, 4, 3, 1);
      bench.descriptor(0x10010, 0x100000, 4, 0, 0);
      bench.available(0, 0);
    });
    broken(() => {
      bench.descriptor(0x10000, 0x100000, 20, 4, 0);
      bench.available(0, 0);
    });
    // A buffer that reaches out of memory.
    broken(() => {
      bench.descriptor(0x10000, 0x100000, 0xffff_ffff, 2, 0);
      bench.available(0, 0);
    });
  });
});

describe('virtio over PCI', () => {
  it('is a transitional device with a chain of capabilities', () => {
    const { config } = bench.pci;
    expect([config.read(0, 2), config.read(2, 2), config.read(0x2e, 2), config.read(0x3d, 1)]).toEqual([0x1af4, 0x1005, 4, 1]);
    const types: number[] = [];
    for (let at = config.read(0x34, 1); at !== 0; at = config.read(at + 1, 1)) types.push(config.read(at + 3, 1));
    expect(types).toEqual([1, 3, 4, 2, 5]);
  });

  it('takes features that it offers only, and shows what it was told', () => {
    expect(() => bench.start(1)).toThrow('refuses');
    bench.start();
    bench.put(22, 0, 2);
    expect([bench.get(24, 2), bench.get(28, 2), bench.get(32, 4), bench.get(36, 4), bench.get(48, 4)]).toEqual([8, 1, 0x10000, 0, 0x13000]);
    bench.put(24, 4, 2);
    expect(bench.get(24, 2)).toBe(8);
    bench.put(22, 1, 2);
    expect([bench.get(24, 2), bench.get(28, 2)]).toEqual([0, 0]);
    bench.put(20, 0, 1);
    expect(bench.get(28, 2)).toBe(0);
  });

  it('the legacy interface: one page number for a ring', () => {
    const io = bench.legacy!;
    writeIo(io, 0x12, 7, 1);
    writeIo(io, 0x04, 0, 4);
    writeIo(io, 0x0e, 0, 2);
    expect(readIo(io, 0x0c, 2)).toBe(8);
    writeIo(io, 0x08, 0x20, 4);
    expect(readIo(io, 0x08, 4)).toBe(0x20);
    bench.descriptor(0x20000, 0x100000, 6, 2, 0);
    bench.space.write(0x20000 + 16 * 8 + 2, 1, 2);
    writeIo(io, 0x10, 0, 2);
    expect(bench.space.read(0x21002, 2)).toBe(1);
    expect([...bench.bytes(0x100000, 7)]).toEqual([1, 2, 3, 4, 5, 6, 0]);
    expect(bench.line).toBe(true);
    expect(readIo(io, 0x13, 1)).toBe(1);
    expect(bench.line).toBe(false);
    writeIo(io, 0x08, 0, 4);
    writeIo(io, 0x10, 0, 2);
    expect(bench.space.read(0x21002, 2)).toBe(1);
  });

  it('the window in configuration space reaches the registers', () => {
    const { config } = bench.pci;
    config.write(0x88, 4, 1);
    config.write(0x8c, 20, 4);
    config.write(0x90, 1, 4);
    config.write(0x94, 3, 1);
    expect(bench.get(20, 1)).toBe(3);
    expect(config.readRegister(0x94, 1)).toBe(3);
  });

  it('INTA# can be turned off, and status bit 3 shows it', () => {
    bench.start(0);
    bench.pci.config.write(4, 0x406, 2);
    bench.offer(0, [], [1]);
    bench.kick(0);
    expect(bench.line).toBe(false);
    expect(bench.pci.config.read(6, 1) & 8).toBe(8);
    bench.pci.config.write(4, 0x006, 2);
    expect(bench.line).toBe(true);
  });

  it('MSI-X: messages for queues and configuration, masks, pending bits', () => {
    bench = new VirtioBench(() => new VirtioRng('rng', () => 1), true);
    const { config } = bench.pci;
    expect(config.read(0x98, 4)).toBe(0x0001_0011);
    config.write(0x9a, 0x8000, 2);
    bench.start(0);
    bench.put(22, 0, 2);
    bench.put(26, 7, 2);
    expect(bench.get(26, 2)).toBe(0xffff);
    bench.put(26, 1, 2);
    expect(bench.get(26, 2)).toBe(1);
    writeIo(bench.table, 16, 0xfee00000 | 0, 4);
    writeIo(bench.table, 24, 0x31, 4);
    bench.offer(0, [], [1]);
    bench.kick(0);
    expect([bench.messages, bench.line]).toEqual([[], false]);
    expect(readIo(bench.table, 0x800, 4)).toBe(2);
    writeIo(bench.table, 28, 0, 4);
    expect(bench.messages).toEqual([{ address: 0xfee00000, data: 0x31 }]);
    config.write(0x9a, 0xc000, 2);
    bench.offer(0, [], [1]);
    bench.kick(0);
    expect(bench.messages.length).toBe(1);
    config.write(0x9a, 0x8000, 2);
    expect(bench.messages.length).toBe(2);
    // The legacy registers have two more, in front of the device configuration.
    expect(readIo(bench.legacy!, 0x16, 2)).toBe(1);
  });

  it('is saved and restored', () => {
    bench.start(0);
    bench.offer(0, [], [1]);
    bench.kick(0);
    const saved = bench.pci.state.save();
    bench.pci.reset();
    expect(bench.line).toBe(false);
    expect(bench.get(20, 1)).toBe(0);
    bench.pci.state.restore(saved);
    bench.pci.restored();
    expect(bench.line).toBe(true);
    bench.offer(0, [], [4]);
    bench.kick(0);
    expect(bench.used(0)).toEqual([1, 4]);
  });
});
