import { describe, expect, test } from 'vitest';
import { PortBus } from '../../src/memory/port-bus.ts';
import type { AccessSize, IoRegion } from '../../src/memory/io-region.ts';

/** A region that logs its accesses; a read returns offset + 1 in each byte, ascending. */
function region(size: number, minAccess: AccessSize, maxAccess: AccessSize, log: string[] = []): IoRegion & { log: string[] } {
  return {
    name: 'r',
    size,
    minAccess,
    maxAccess,
    log,
    read(offset, bytes) {
      log.push(`r${offset}.${bytes}`);
      let value = 0;
      for (let i = 0; i < bytes; i++) value |= ((offset + i + 1) & 0xff) << (8 * i);
      return value;
    },
    write(offset, value, bytes) {
      log.push(`w${offset}.${bytes}=${(value >>> 0).toString(16)}`);
    },
  };
}

describe('PortBus', () => {
  test('unmapped ports read all ones', () => {
    const bus = new PortBus();
    expect(bus.read(0x80, 1)).toBe(0xff);
    expect(bus.read(0x80, 2)).toBe(0xffff);
    expect(bus.read(0x80, 4)).toBe(-1);
    bus.write(0x80, 1, 4);
  });

  test('passes an access of a taken size through as one', () => {
    const bus = new PortBus();
    const r = region(8, 1, 4);
    bus.map(0x100, r);
    expect(bus.read(0x104, 4)).toBe(0x08070605);
    expect(bus.read(0x102, 2)).toBe(0x0403);
    bus.write(0x101, 0x1234, 1);
    expect(r.log).toEqual(['r4.4', 'r2.2', 'w1.1=34']);
  });

  test('splits wide accesses to a narrow device in ascending order', () => {
    const bus = new PortBus();
    const r = region(8, 1, 1);
    bus.map(0x100, r);
    expect(bus.read(0x100, 4)).toBe(0x04030201);
    bus.write(0x106, 0xaabb, 2);
    expect(r.log).toEqual(['r0.1', 'r1.1', 'r2.1', 'r3.1', 'w6.1=bb', 'w7.1=aa']);
  });

  test('splits at the natural alignment and at the end of a mapping', () => {
    const bus = new PortBus();
    const r = region(4, 1, 4);
    bus.map(0x100, r);
    expect(bus.read(0x101, 4)).toBe(0xff040302 | 0);
    expect(r.log).toEqual(['r1.1', 'r2.2']);
  });

  test('pieces of one access may belong to two devices', () => {
    const bus = new PortBus();
    const log: string[] = [];
    bus.map(0x100, region(1, 1, 1, log));
    bus.map(0x101, region(2, 1, 2, log), 1, 1);
    bus.write(0x100, 0x2211, 2);
    expect(log).toEqual(['w0.1=11', 'w1.1=22']);
  });

  test('widens accesses below minAccess', () => {
    const bus = new PortBus();
    const r = region(4, 4, 4);
    bus.map(0x100, r);
    expect(bus.read(0x100, 1)).toBe(1);
    expect(bus.read(0x102, 1)).toBe(3);
    bus.write(0x101, 0x99, 1);
    expect(r.log).toEqual(['r0.4', 'r0.4', 'w0.4=9900']);
  });

  test('maps a part of a region at an offset', () => {
    const bus = new PortBus();
    const r = region(16, 1, 1);
    const mapping = bus.map(0x3f6, r, 8, 1);
    expect(bus.read(0x3f6, 1)).toBe(9);
    expect(bus.read(0x3f7, 1)).toBe(0xff);
    bus.unmap(mapping);
    expect(bus.read(0x3f6, 1)).toBe(0xff);
    expect(() => bus.unmap(mapping)).toThrow(/not mapped/);
  });

  test('refuses overlaps and ranges outside', () => {
    const bus = new PortBus();
    bus.map(0x60, region(5, 1, 1));
    expect(() => bus.map(0x64, region(1, 1, 1))).toThrow(/belongs to/);
    expect(() => bus.map(0xfffc, region(8, 1, 1))).toThrow(/outside the port space/);
    expect(() => bus.map(0x100, region(8, 1, 1), 4, 5)).toThrow(/outside the region/);
    expect(bus.mappings().map((m) => m.base)).toEqual([0x60]);
  });

  test('wraps at the end of the port space', () => {
    const bus = new PortBus();
    const log: string[] = [];
    bus.map(0xffff, region(1, 1, 1, log));
    bus.map(0, region(1, 1, 1, log));
    bus.write(0xffff, 0x2211, 2);
    expect(log).toEqual(['w0.1=11', 'w0.1=22']);
  });

  test('the trace sees the guest access, not the pieces', () => {
    const bus = new PortBus();
    const seen: unknown[] = [];
    bus.trace = (...access) => seen.push(access);
    bus.map(0x100, region(8, 1, 1));
    bus.read(0x100, 2);
    bus.write(0x300, 0x1ff, 1);
    expect(seen).toEqual([
      [false, 0x100, 2, 0x0201, 'r'],
      [true, 0x300, 1, 0xff, ''],
    ]);
  });
});
