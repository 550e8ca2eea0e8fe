import { beforeEach, describe, expect, it } from 'vitest';
import { readIo, writeIo } from '../../src/memory/address-space.ts';
import type { AddressSpace } from '../../src/memory/address-space.ts';
import type { IoRegion } from '../../src/memory/io-region.ts';
import { E1000 } from '../../src/devices/e1000.ts';
import { frameCheck } from '../../src/devices/ethernet.ts';
import { MAC, NicBench, frame } from './nic-bench.ts';
import type { SteppedClock } from './stepped-clock.ts';

const MS = 1e6, RING = 0x1000, RX_RING = 0x2000, DATA = 0x10000, COUNT = 8;
let bench: NicBench<E1000>, clock: SteppedClock, space: AddressSpace, memory: IoRegion, ports: IoRegion, sent: Uint8Array[];

beforeEach(() => {
  bench = new NicBench(E1000);
  ({ clock, space, memory, ports, sent } = bench);
});

const get = (offset: number): number => readIo(memory, offset, 4) >>> 0;
const put = (offset: number, value: number): void => writeIo(memory, offset, value | 0, 4);

function descriptor(at: number, address: number, third: number, fourth: number): void {
  [address, 0, third, fourth].forEach((word, i) => space.write(at + 4 * i, word | 0, 4));
}

/** Puts the rings up; all receive descriptors but one are the card's. */
function setUp(control = 0x04008002): void {
  for (const [offset, value] of [[0xd0, 0x97], [0x3800, RING], [0x3808, 16 * COUNT], [0x400, 2], [0x2800, RX_RING], [0x2808, 16 * COUNT], [0x100, control]]) put(offset!, value!);
  for (let i = 0; i < COUNT; i++) descriptor(RX_RING + 16 * i, DATA + 0x1000 * i, 0, 0);
  put(0x2818, COUNT - 1);
}

function received(index: number): { status: number; data: number[] } {
  const at = RX_RING + 16 * index, bytes = new Uint8Array(space.read(at + 8, 2));
  space.readBytes(DATA + 0x1000 * index, bytes);
  return { status: space.read(at + 12, 1), data: [...bytes] };
}

describe('82540EM', () => {
  it('has an EEPROM with its address and a right sum, by EERD and bit by bit', () => {
    const byRegister = Array.from({ length: 64 }, (_, word) => {
      put(0x14, (word << 8) | 1);
      expect(get(0x14) & 0x10).toBe(0x10);
      return get(0x14) >>> 16;
    });
    expect(byRegister.slice(0, 3)).toEqual([0x5452, 0x1200, 0x5634]);
    expect(byRegister.reduce((sum, word) => (sum + word) & 0xffff)).toBe(0xbaba);
    put(0x10, 0x40);
    expect(get(0x10) & 0x180).toBe(0x180);
    const clocked = (bit: number): number => {
      put(0x10, 0x42 | (bit << 2));
      put(0x10, 0x43 | (bit << 2));
      return (get(0x10) >> 3) & 1;
    };
    for (const word of [0, 2, 0x3f]) {
      put(0x10, 0x40);
      put(0x10, 0x42);
      for (const bit of [1, 1, 0]) clocked(bit);
      for (let bit = 5; bit >= 0; bit--) clocked((word >> bit) & 1);
      let value = 0;
      for (let bit = 0; bit < 16; bit++) value = (value << 1) | clocked(0);
      expect(value).toBe(byRegister[word]);
    }
  });

  it('has a PHY with a link, and registers behind its ports', () => {
    put(0x20, (2 << 26) | (1 << 21) | (1 << 16));
    expect(get(0x20) & 0x10000024).toBe(0x10000024);
    put(0x20, (2 << 26) | (2 << 21));
    expect(get(0x20) & 0x40000000).toBe(0x40000000);
    put(0x20, (1 << 26) | (1 << 21) | 0x9140);
    put(0x20, (2 << 26) | (1 << 21));
    expect(get(0x20) & 0xffff).toBe(0x1140);
    writeIo(ports, 0, 0x5400, 4);
    expect(readIo(ports, 4, 4)).toBe(0x12005452);
    expect(get(0x8) & 2).toBe(2);
  });

  it('interrupts for causes that are not masked, until they are read', () => {
    put(0xc8, 4);
    expect(bench.irq).toBe(false);
    put(0xd0, 4);
    expect(bench.irq).toBe(true);
    expect(get(0xc0)).toBe(4);
    expect([bench.irq, get(0xc0)]).toEqual([false, 0]);
    put(0xd8, 4);
    put(0xc8, 4);
    expect(bench.irq).toBe(false);
  });

  it('sends frames in pieces, and says when', () => {
    setUp();
    const data = frame(100);
    space.writeBytes(DATA, data);
    descriptor(RING, DATA, 60 | 0x02000000, 0);
    descriptor(RING + 16, DATA + 60, 40 | 0x0b000000, 0);
    put(0x3818, 2);
    expect(sent).toEqual([data]);
    expect([get(0x3810), space.read(RING + 12, 1), space.read(RING + 28, 1), bench.irq, get(0xc0) & 3]).toEqual([2, 0, 1, true, 3]);
    expect([get(0x4080), get(0x4080)]).toEqual([1, 0]);
  });

  it('sends what would be thousands of frames a bit at a time', () => {
    setUp();
    get(0xc0);
    // 8 KB of data in segments of one byte, six times.
    descriptor(RING, 14 | (24 << 8) | (33 << 16), 0x27 << 24, (54 << 8) | (1 << 16));
    for (let i = 1; i < COUNT - 1; i++) descriptor(RING + 16 * i, DATA, 54 + 8192 | (1 << 20) | (0x2d << 24), 0);
    put(0x3818, COUNT - 1);
    expect([sent.length, get(0x3810), get(0xc0) & 2]).toEqual([8192, 2, 0]);
    clock.step(MS);
    expect([sent.length, get(0x3810), get(0xc0) & 2]).toEqual([6 * 8192, COUNT - 1, 2]);
  });

  it('puts checksums in, and cuts TCP data', () => {
    setUp();
    const header = 54, packet = frame(header + 2500);
    packet.set([0x08, 0, 0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2, 4, 1, 0, 80, 0, 0, 0x10, 0, 0, 0, 0, 1, 0x50, 0x19, 0x20, 0, 0, 0, 0, 0], 12);
    // The pseudo header's sum, without the length.
    const pseudo = 0x0a00 + 0x020f + 0x0a00 + 0x0202 + 6;
    packet.set([pseudo >> 8, pseudo & 255], 50);
    space.writeBytes(DATA, packet);
    descriptor(RING, 14 | (24 << 8) | (33 << 16), 0, 0);
    space.write(RING + 4, 34 | (50 << 8), 4);
    space.write(RING + 8, 2500 | (0x27 << 24), 4);
    space.write(RING + 12, (header << 8) | (1000 << 16), 4);
    descriptor(RING + 16, DATA, packet.length | (1 << 20) | (0x2d << 24), 0x0300);
    put(0x3818, 2);
    expect(sent.map(({ length }) => length)).toEqual([1054, 1054, 554]);
    const sum = (bytes: Uint8Array, from: number, to: number, start = 0): number => {
      let total = start;
      for (let at = from; at < to; at += 2) total += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
      while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
      return total;
    };
    sent.forEach((one, i) => {
      const length = one.length - 34;
      expect([sum(one, 14, 34), sum(one, 34, one.length, pseudo + length)]).toEqual([0xffff, 0xffff]);
      expect([(one[16]! << 8) | one[17]!, one[19], (one[40]! << 8) | one[41]!, one[47]]).toEqual([one.length - 14, 7 + i, 0x1000 + 1000 * i, i === 2 ? 0x19 : 0x10]);
    });
    expect(sent.flatMap((one) => [...one.subarray(header)])).toEqual([...packet.subarray(header)]);
  });

  it('receives, with its check sequence unless that is stripped, into as many buffers as it takes', () => {
    setUp();
    bench.arrive(frame(100));
    expect(received(0)).toEqual({ status: 7, data: [...frame(100)] });
    expect([bench.irq, get(0xc0) & 0x80, get(0x2810)]).toEqual([true, 0x80, 1]);
    put(0x100, 0x00038002);
    bench.arrive(frame(300));
    const parts = [received(1), received(2)], fcs = frameCheck(frame(300));
    expect(parts.map(({ status }) => status)).toEqual([5, 7]);
    expect(parts.flatMap(({ data }) => data)).toEqual([...frame(300), ...[0, 8, 16, 24].map((shift) => (fcs >>> shift) & 255)]);
  });

  it('lets frames wait for buffers', () => {
    setUp();
    bench.arrive(...Array.from({ length: 10 }, () => frame(64)));
    expect(get(0x2810)).toBe(COUNT - 1);
    put(0x2818, 1);
    clock.step(MS);
    expect(get(0x2810)).toBe(1);
  });

  it('takes what it is told to take', () => {
    const group = [1, 0, 0x5e, 0, 0, 1], other = [0x52, 0x54, 0, 1, 1, 1], everybody = [255, 255, 255, 255, 255, 255];
    const taken = (control: number, to: readonly number[]): boolean => {
      put(0x2810, 0);
      setUp(control);
      bench.arrive(frame(64, to));
      return get(0x2810) === 1;
    };
    expect(taken(0x2, everybody)).toBe(false);
    expect(taken(0x8002, everybody)).toBe(true);
    expect(taken(0x2, [...MAC])).toBe(true);
    expect(taken(0x2, other)).toBe(false);
    expect(taken(0xa, other)).toBe(true);
    expect(taken(0x2, group)).toBe(false);
    expect(taken(0x12, group)).toBe(true);
    // Bits 47-36 of the address: 010h.
    put(0x5200, 1 << 16);
    expect(taken(0x2, group)).toBe(true);
  });

  it('resets all but its EEPROM', () => {
    setUp();
    put(0, 1 << 26);
    expect([get(0x100), get(0xd0), get(0x5404) >>> 0]).toEqual([0, 0, 0x80005634]);
  });

  it('bears any writes', () => {
    let seed = 5;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 4;
    for (let i = 0; i < 20_000; i++) {
      const offset = [random() & 0x1fffc, 0x3800 + (random() & 0x1c), 0x2800 + (random() & 0x1c), random() & 0xffc][random() % 4]!;
      if (i % 3 === 0) get(offset);
      else put(offset, i % 5 === 0 ? random() * 16 : random() & 0xffff);
      if (i % 50 === 0) bench.arrive(frame(60 + random() % 1450));
    }
  });
});
