import { beforeEach, describe, expect, it } from 'vitest';
import type { AddressSpace } from '../../src/memory/address-space.ts';
import type { AccessSize, IoRegion } from '../../src/memory/io-region.ts';
import { frameCheck } from '../../src/devices/ethernet.ts';
import { Rtl8139 } from '../../src/devices/rtl8139.ts';
import { MAC, NicBench, frame } from './nic-bench.ts';
import type { SteppedClock } from './stepped-clock.ts';

const MS = 1e6, RING = 0x10000, BUFFER = 0x4000;
let bench: NicBench<Rtl8139>, clock: SteppedClock, space: AddressSpace, ports: IoRegion, sent: Uint8Array[];

beforeEach(() => {
  bench = new NicBench(Rtl8139);
  ({ clock, space, ports, sent } = bench);
});

const get = (offset: number, size: AccessSize = 1): number => ports.read(offset, size) >>> 0;
const put = (offset: number, value: number, size: AccessSize = 1): void => ports.write(offset, value, size);

/** Receiver and transmitter on, an 8 KB ring. @param control RCR; the default takes what is for the card, and broadcasts */
function setUp(control = 0x0a): void {
  put(0x37, 0x10);
  put(0x37, 0x0c);
  put(0x30, RING, 4);
  put(0x44, control, 4);
  put(0x3c, 0x5, 2);
}

function ring(at: number, length: number): number[] {
  const bytes = new Uint8Array(length);
  space.readBytes(RING + at, bytes);
  return [...bytes];
}

describe('RTL8139', () => {
  it('resets, and shows its address and identity', () => {
    put(0x37, 0x10);
    expect(get(0x37)).toBe(0x01);
    expect(Array.from({ length: 6 }, (_, i) => get(i))).toEqual([...MAC]);
    expect(get(0x40, 4) & 0x7c800000).toBe(0x74000000);
    expect([get(0x58) & 4, get(0x64, 2) & 0x24]).toEqual([0, 0x24]);
  });

  it('has an EEPROM that is read bit by bit', () => {
    const clocked = (bit: number): number => {
      put(0x50, 0x88 | (bit << 1));
      put(0x50, 0x8c | (bit << 1));
      return get(0x50) & 1;
    };
    const word = (address: number): number => {
      put(0x50, 0x80);
      put(0x50, 0x88);
      for (const bit of [1, 1, 0]) clocked(bit);
      for (let bit = 5; bit >= 0; bit--) clocked((address >> bit) & 1);
      let value = 0;
      for (let bit = 0; bit < 16; bit++) value = (value << 1) | clocked(0);
      return value;
    };
    expect([0, 7, 8, 9].map(word)).toEqual([0x8129, 0x5452, 0x1200, 0x5634]);
  });

  it('sends from four buffers', () => {
    setUp();
    space.writeBytes(BUFFER, frame(80));
    for (let i = 0; i < 4; i++) {
      put(0x20 + 4 * i, BUFFER, 4);
      put(0x10 + 4 * i, 80 | (0x20 << 16), 4);
    }
    expect(sent).toEqual(Array.from({ length: 4 }, () => frame(80)));
    expect([get(0x10, 4) & 0xa000, bench.irq, get(0x3e, 2), get(0x60, 2)]).toEqual([0xa000, true, 4, 0xf00f]);
    put(0x3e, 4, 2);
    expect([bench.irq, get(0x3e, 2)]).toEqual([false, 0]);
  });

  it('receives into its ring, with status, length and check sequence', () => {
    setUp();
    bench.arrive(frame(61));
    const fcs = frameCheck(frame(61));
    expect(ring(0, 69)).toEqual([0x01, 0x40, 65, 0, ...frame(61), ...[0, 8, 16, 24].map((shift) => (fcs >>> shift) & 255)]);
    expect([get(0x37) & 1, get(0x3a, 2), bench.irq]).toEqual([0, 72, true]);
    put(0x38, 72 - 16, 2);
    expect(get(0x37) & 1).toBe(1);
  });

  it('goes round the end of its ring, or over it', () => {
    for (const wrap of [0, 0x80]) {
      setUp(0x0a | wrap);
      for (let i = 0; i < 5; i++) {
        bench.arrive(frame(1512));
        put(0x38, get(0x3a, 2) - 16, 2);
      }
      bench.arrive(frame(1512));
      const start = 5 * 1520, room = 8192 - start, whole = wrap ? ring(start, 1516) : [...ring(start, room), ...ring(0, 1516 - room)];
      expect(whole.slice(4)).toEqual([...frame(1512)]);
      expect(get(0x3a, 2)).toBe(6 * 1520 - 8192);
    }
  });

  it('lets frames wait while the ring is full', () => {
    setUp();
    for (let i = 0; i < 10; i++) {
      bench.arrive(frame(1512));
      put(0x3e, 1, 2);
    }
    clock.step(MS);
    expect(get(0x3a, 2)).toBe(5 * 1520);
    put(0x38, 1520 * 2 - 16, 2);
    clock.step(MS);
    put(0x3e, 1, 2);
    clock.step(MS);
    expect(get(0x3a, 2)).toBe(7 * 1520 - 8192);
  });

  it('tells a driver of what came while it acknowledged, and loses nothing', () => {
    setUp(0x8a);
    put(0x3c, 0x11, 2);
    for (let i = 0; i < 200; i++) bench.port.deliver(frame(1512));
    let readAt = 0, received = 0;
    const overflows = new Set<boolean>();
    // As Linux does: so many frames at a time, each acknowledged once it has been read; timers fire before any access.
    for (let polls = 0; polls < 1000 && received < 200; polls++) {
      clock.step(MS);
      if (!bench.irq) break;
      for (let budget = 8; budget > 0 && (get(0x37) & 1) === 0; budget--) {
        const [, , low, high] = ring(readAt, 4);
        readAt = (readAt + (low! | (high! << 8)) + 4 + 3 & ~3) % 8192;
        received++;
        put(0x38, readAt - 16, 2);
        clock.step(0);
        overflows.add((get(0x3e, 2) & 0x10) !== 0);
        put(0x3e, 0x51, 2);
        clock.step(0);
      }
    }
    expect(received).toBe(200);
    expect([...overflows]).toEqual([false]);
  });

  it('says that its ring is full to a driver that does not read what it was told of', () => {
    setUp();
    put(0x3c, 0x10, 2);
    for (let i = 0; i < 10; i++) {
      bench.arrive(frame(1512));
      put(0x3e, 1, 2);
      clock.step(MS);
    }
    expect([get(0x3e, 2), bench.irq, get(0x3a, 2)]).toEqual([0x10, true, 5 * 1520]);
    put(0x38, 5 * 1520 - 16, 2);
    put(0x3e, 0x10, 2);
    clock.step(MS);
    expect(get(0x3e, 2)).toBe(1);
  });

  it('takes what it is told to take', () => {
    const group = [1, 0, 0x5e, 0, 0, 1], other = [0x52, 0x54, 0, 1, 1, 1], everybody = [255, 255, 255, 255, 255, 255];
    const taken = (control: number, to: readonly number[]): boolean => {
      setUp(control);
      bench.arrive(frame(64, to));
      return get(0x3a, 2) > 0;
    };
    expect([taken(2, [...MAC]), taken(8, [...MAC]), taken(8, everybody), taken(2, everybody), taken(2, other), taken(1, other), taken(4, group)]).toEqual([true, false, true, false, false, true, false]);
    put(8 + 3, 0x80);
    expect(taken(4, group)).toBe(true);
  });

  it('hears itself in loopback', () => {
    setUp();
    put(0x40, 0x60000, 4);
    space.writeBytes(BUFFER, frame(80));
    put(0x20, BUFFER, 4);
    put(0x10, 80, 4);
    expect(sent).toEqual([]);
    expect(ring(4, 80)).toEqual([...frame(80)]);
  });

  it('bears any writes', () => {
    let seed = 5;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 4;
    for (let i = 0; i < 20_000; i++) {
      const size = ([1, 2, 4] as const)[random() % 3]!, offset = random() & 0xff;
      if (i % 3 === 0) get(offset, size);
      else put(offset, random() & (size === 4 ? -1 : size === 2 ? 0xffff : 0xff), size);
      if (i % 50 === 0) bench.arrive(frame(60 + random() % 1450));
    }
  });
});
