import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/backends/block/memory.ts';
import type { Device } from '../../src/devices/device.ts';
import { IdeChannel } from '../../src/devices/ide.ts';
import { BusMaster, busMasterPorts } from '../../src/devices/ide-dma.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { readIo, writeIo } from '../../src/memory/address-space.ts';
import { SteppedClock } from './stepped-clock.ts';

const RAM = 1 << 20, TABLE = 0x1000;
const READ_DMA = 0xc8, WRITE_DMA = 0xca, READ_DMA_EXT = 0x25, WRITE_DMA_EXT = 0x35;
const START = 1, TO_MEMORY = 8, ACTIVE = 1, ERROR = 2, INTERRUPT = 4;
const MS = 1_000_000;

let clock: SteppedClock;
let space: AddressSpace;
let masters: [BusMaster, BusMaster];
let ide: IdeChannel;
let disk: MemoryDisk;
let irq: boolean;
let isMaster: boolean;

beforeEach(() => {
  clock = new SteppedClock();
  const memory = new HostMemory(RAM);
  space = new AddressSpace(memory);
  space.add({ kind: 'ram', ma: memory.allocate(RAM), size: RAM }, 0);
  disk = new MemoryDisk(Uint8Array.from({ length: 600 * 512 }, (_, i) => (i >> 9) + 7 * i));
  isMaster = true;
  masters = [new BusMaster('ide0-dma', space, () => isMaster), new BusMaster('ide1-dma', space, () => isMaster)];
  irq = false;
  ide = new IdeChannel({ name: 'ide0', clock, irq: { set: (level) => (irq = level) }, drives: [disk], dma: masters[0] });
});

const ports = () => busMasterPorts(masters);
const get = (offset: number, size: 1 | 2 | 4 = 1): number => readIo(ports(), offset, size);
const put = (offset: number, value: number, size: 1 | 2 | 4 = 1): void => writeIo(ports(), offset, value, size);

/** Writes a descriptor table: [address, bytes]..., the last one marked. */
function table(...entries: readonly (readonly [number, number])[]): void {
  entries.forEach(([address, bytes], i) => {
    space.write(TABLE + 8 * i, address, 4);
    space.write(TABLE + 8 * i + 4, (bytes & 0xffff) | (i === entries.length - 1 ? 0x8000_0000 : 0), 4);
  });
  put(4, TABLE, 4);
}

function command(code: number, lba: number, count: number): void {
  const extended = code === READ_DMA_EXT || code === WRITE_DMA_EXT;
  const registers = [[2, count], [3, lba], [4, lba >> 8], [5, lba >> 16]] as const;
  if (extended) for (const [offset, value] of registers) ide.commandBlock.write(offset, offset === 2 ? value >> 8 : 0, 1);
  for (const [offset, value] of registers) ide.commandBlock.write(offset, value & 0xff, 1);
  ide.commandBlock.write(6, 0xe0, 1);
  ide.commandBlock.write(7, code, 1);
}

const start = (direction: number): void => {
  put(0, direction);
  put(0, direction | START);
};
const memory = (address: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  space.readBytes(address, bytes);
  return bytes;
};
const sectors = (first: number, count: number): Uint8Array => disk.data.subarray(first * 512, (first + count) * 512);

describe('bus master DMA', () => {
  it.each([[READ_DMA_EXT, TO_MEMORY], [WRITE_DMA_EXT, 0]])('the longest command (%i): 65536 sectors through a table of 64 KB', (code, direction) => {
    disk = new MemoryDisk(new Uint8Array(65536 * 512));
    disk.data.fill(0xab, 65535 * 512);
    ide = new IdeChannel({ name: 'ide0', clock, irq: { set: (level) => (irq = level) }, drives: [disk], dma: masters[0] });
    space.write(0x80ffc, 0x12345678, 4);
    table(...Array.from({ length: 8192 }, () => [0x80000, 4096] as const));
    command(code, 0, 0);
    start(direction);
    clock.step(100 * MS);
    expect([get(2), irq, ide.commandBlock.read(7, 1)]).toEqual([INTERRUPT, true, 0x50]);
    if (direction === TO_MEMORY) expect(memory(0x80e00, 512).every((byte) => byte === 0xab)).toBe(true);
    else expect([disk.data[4095], disk.data.at(-1)]).toEqual([0x12, 0x12]);
  });

  it('reads through a scattered table: one interrupt, active falls', () => {
    table([0x8000, 0x200], [0x20002, 0x600]);
    command(READ_DMA, 3, 4);
    start(TO_MEMORY);
    expect(get(2)).toBe(ACTIVE);
    expect(irq).toBe(false);
    clock.step(MS);
    expect(irq).toBe(true);
    expect(get(2)).toBe(INTERRUPT);
    expect(memory(0x8000, 0x200)).toEqual(sectors(3, 1));
    expect(memory(0x20002, 0x600)).toEqual(sectors(4, 3));
    expect(ide.commandBlock.read(7, 1)).toBe(0x50);
    expect(irq).toBe(false);
    put(2, INTERRUPT);
    expect(get(2)).toBe(0);
  });

  it('writes, and a drive that is ready first waits for the start', () => {
    for (let i = 0; i < 1024; i++) space.write(0x9000 + i, i * 3, 1);
    table([0x9000, 0x400]);
    command(WRITE_DMA, 10, 2);
    clock.step(MS);
    expect(ide.controlBlock.read(0, 1)).toBe(0x58);
    start(0);
    clock.step(MS);
    expect(sectors(10, 2)).toEqual(memory(0x9000, 0x400));
    expect(get(2)).toBe(INTERRUPT);
  });

  it('moves 256 sectors and more: count 0, 48-bit commands, entries of 64 KB', () => {
    table([0x10000, 0], [0x20000, 0]);
    command(READ_DMA, 1, 0);
    start(TO_MEMORY);
    clock.step(10 * MS);
    expect(memory(0x10000, 0x20000)).toEqual(sectors(1, 256));
    table([0x10000, 0], [0x20000, 0], [0x30000, 0], [0x40000, 44 * 512]);
    command(READ_DMA_EXT, 100, 428);
    start(TO_MEMORY);
    clock.step(10 * MS);
    expect(memory(0x10000, 428 * 512)).toEqual(sectors(100, 428));
    expect(get(2) & (ACTIVE | INTERRUPT)).toBe(INTERRUPT);
    space.writeBytes(0x10000, new Uint8Array(512 * 300).fill(0x5a));
    table([0x10000, 0], [0x20000, 0], [0x30000, 44 * 512]);
    command(WRITE_DMA_EXT, 200, 300);
    start(0);
    clock.step(10 * MS);
    expect(sectors(200, 300).every((byte) => byte === 0x5a)).toBe(true);
    expect(disk.data[199 * 512 + 5]).toBe((199 + 7 * (199 * 512 + 5)) & 0xff);
  });

  it('a table that is too long leaves active set; one that is too short leaves the drive waiting', () => {
    table([0x8000, 0x1000]);
    command(READ_DMA, 0, 1);
    start(TO_MEMORY);
    clock.step(MS);
    expect(get(2)).toBe(ACTIVE | INTERRUPT);
    put(0, 0);
    put(2, INTERRUPT);
    expect(get(2)).toBe(0);
    table([0x8000, 0x200]);
    command(READ_DMA, 0, 2);
    start(TO_MEMORY);
    clock.step(MS);
    expect(get(2)).toBe(0);
    expect(irq).toBe(false);
    expect(ide.controlBlock.read(0, 1)).toBe(0x58);
  });

  it('memory that is not there is an error; so is a sector that is not', () => {
    table([0x8000_0000, 0x200]);
    command(READ_DMA, 0, 1);
    start(TO_MEMORY);
    clock.step(MS);
    expect(get(2)).toBe(ERROR);
    put(2, ERROR);
    ide.controlBlock.write(0, 4, 1);
    ide.controlBlock.write(0, 0, 1);
    clock.step(MS);
    table([0x8000, 0x200]);
    command(READ_DMA, 600, 1);
    start(TO_MEMORY);
    clock.step(MS);
    expect(ide.commandBlock.read(7, 1)).toBe(0x51);
    expect(ide.commandBlock.read(1, 1)).toBe(0x10);
    expect(get(2)).toBe(ACTIVE | INTERRUPT);
  });

  it('nothing moves against the direction, or while the function may not be a master', () => {
    table([0x8000, 0x200]);
    command(READ_DMA, 3, 1);
    start(0);
    clock.step(MS);
    expect(memory(0x8000, 0x200).every((byte) => byte === 0)).toBe(true);
    put(0, 0);
    isMaster = false;
    start(TO_MEMORY);
    clock.step(MS);
    expect(irq).toBe(false);
    put(0, 0);
    isMaster = true;
    start(TO_MEMORY);
    clock.step(MS);
    expect(memory(0x8000, 0x200)).toEqual(sectors(3, 1));
  });

  it('is saved and restored in the middle of a transfer', () => {
    table([0x10000, 0], [0x20000, 0]);
    command(READ_DMA, 1, 0);
    start(TO_MEMORY);
    clock.step(110_000);
    const all: Device[] = [...masters, ...ide.devices];
    const saved = all.map((device) => device.state.save());
    clock.step(MS);
    space.writeBytes(0x10000, new Uint8Array(0x20000));
    all.forEach((device) => device.reset());
    all.forEach((device, i) => device.state.restore(saved[i]!));
    all.forEach((device) => device.restored?.());
    clock.step(10 * MS);
    expect(memory(0x20000, 0x10000)).toEqual(sectors(129, 128));
    expect(irq).toBe(true);
  });
});

describe('48-bit addresses', () => {
  it('registers are two deep, HOB shows the first byte, READ NATIVE MAX EXT fills both', () => {
    ide.commandBlock.write(3, 0x12, 1);
    ide.commandBlock.write(3, 0x34, 1);
    expect(ide.commandBlock.read(3, 1)).toBe(0x34);
    ide.controlBlock.write(0, 0x80, 1);
    expect(ide.commandBlock.read(3, 1)).toBe(0x12);
    ide.commandBlock.write(6, 0xe0, 1);
    expect(ide.commandBlock.read(3, 1)).toBe(0x34);
    ide.commandBlock.write(7, 0x27, 1);
    clock.step(MS);
    expect([3, 4, 5].map((offset) => ide.commandBlock.read(offset, 1))).toEqual([599 & 255, 599 >> 8, 0]);
    ide.controlBlock.write(0, 0x80, 1);
    expect(ide.commandBlock.read(3, 1)).toBe(0);
  });

  it('reach past 128 GiB by PIO and are refused past the end', () => {
    const seen: number[] = [];
    const huge = { ...plain(), sectors: 2 ** 32 + 10, read: (sector: number, data: Uint8Array, done: () => void) => (seen.push(sector), data.fill(1), done()) };
    ide = new IdeChannel({ name: 'ide0', clock, irq: { set() {} }, drives: [huge], geometries: [{ cylinders: 16383, heads: 16, sectors: 63 }] });
    const readAt = (high: readonly number[], low: readonly number[]): number => {
      high.forEach((value, i) => ide.commandBlock.write(2 + i, value, 1));
      low.forEach((value, i) => ide.commandBlock.write(2 + i, value, 1));
      ide.commandBlock.write(6, 0xe0, 1);
      ide.commandBlock.write(7, 0x24, 1);
      clock.step(MS);
      return ide.commandBlock.read(7, 1);
    };
    expect(readAt([0, 0, 1, 0], [1, 9, 0, 0])).toBe(0x58);
    expect(seen).toEqual([2 ** 32 + 9]);
    for (let i = 0; i < 256; i++) ide.commandBlock.read(0, 2);
    expect(readAt([0, 0, 1, 0], [1, 10, 0, 0])).toBe(0x51);
    expect(ide.commandBlock.read(1, 1)).toBe(0x10);
  });
});

describe('settings', () => {
  const identify = (): number[] => {
    ide.commandBlock.write(6, 0xe0, 1);
    ide.commandBlock.write(7, 0xec, 1);
    clock.step(MS);
    ide.commandBlock.read(7, 1);
    return Array.from({ length: 256 }, () => ide.commandBlock.read(0, 2));
  };
  const feature = (features: number, count = 0): number => {
    ide.commandBlock.write(1, features, 1);
    ide.commandBlock.write(2, count, 1);
    ide.commandBlock.write(7, 0xef, 1);
    clock.step(MS);
    return ide.commandBlock.read(7, 1);
  };

  it('IDENTIFY offers DMA and 48-bit addresses, and shows the mode that was set', () => {
    let words = identify();
    expect(words[49]! & 0x0100).toBe(0x0100);
    expect([words[63], words[88]]).toEqual([0x0407, 0x003f]);
    expect(words[83]! & 0x3400).toBe(0x3400);
    expect([words[100], words[101], words[102]]).toEqual([600, 0, 0]);
    expect(feature(3, 0x44)).toBe(0x50);
    words = identify();
    expect([words[63], words[88]]).toEqual([0x0007, 0x103f]);
    expect(feature(3, 0x46)).toBe(0x51);
  });

  it('without a write cache every block is flushed', () => {
    let flushes = 0;
    const flush = disk.flush.bind(disk);
    disk.flush = (done) => (flushes++, flush(done));
    table([0x8000, 0x400]);
    expect(feature(0x82)).toBe(0x50);
    expect(identify()[85]! & 0x20).toBe(0);
    command(WRITE_DMA, 0, 2);
    start(0);
    clock.step(MS);
    expect(flushes).toBe(1);
    expect(feature(0x02)).toBe(0x50);
    command(WRITE_DMA, 0, 2);
    put(0, 0);
    start(0);
    clock.step(MS);
    expect(flushes).toBe(1);
    expect(identify()[85]! & 0x20).toBe(0x20);
  });
});

function plain() {
  return { readOnly: false, write: (_s: number, _d: Uint8Array, done: () => void) => done(), flush: (done: () => void) => done() };
}
