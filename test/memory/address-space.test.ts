import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import type { IoRegion } from '../../src/memory/io-region.ts';

function build(): { memory: HostMemory; space: AddressSpace; ram: number; rom: number } {
  const memory = new HostMemory(0x30000);
  const ram = memory.allocate(0x20000), rom = memory.allocate(0x10000);
  memory.bytes.fill(0x11, ram, ram + 0x20000);
  memory.bytes.fill(0x22, rom, rom + 0x10000);
  return { memory, space: new AddressSpace(memory), ram, rom };
}

describe('AddressSpace', () => {
  it('reads ones and ignores writes where nothing is mapped', () => {
    const { space } = build();
    expect(space.read(0x1234, 4)).toBe(-1);
    expect(space.read(0xffffffff, 1)).toBe(0xff);
    space.write(0x1234, 5, 4);
    expect(space.read(0x1234, 2)).toBe(0xffff);
  });

  it('lets the higher priority win, and the lower again after removal', () => {
    const { space, ram, rom } = build();
    space.add({ kind: 'ram', ma: ram, size: 0x20000 }, 0);
    const overlay = space.add({ kind: 'rom', ma: rom, size: 0x1000 }, 0x3000, 1);
    expect([space.read(0x2fff, 1), space.read(0x3000, 1), space.read(0x4000, 1)]).toEqual([0x11, 0x22, 0x11]);
    overlay.remove();
    expect(space.read(0x3000, 1)).toBe(0x11);
  });

  it('replaces a region where it answers, and tells of it', () => {
    const { space, ram, rom } = build();
    const base = { kind: 'ram', ma: ram, size: 0x20000 } as const;
    space.write(0, 0, 1);
    space.add(base, 0);
    space.write(0x11004, 0x77, 1);
    const window = space.add({ kind: 'rom', ma: rom, size: 0x2000 }, 0x3000, 1);
    space.add({ kind: 'rom', ma: rom, size: 0x1000 }, 0x4000, 2);
    let changes = 0;
    space.onChange = () => { changes++; };
    window.replace({ kind: 'alias', of: base, offset: 0x11000, size: 0x2000 });
    expect([space.read(0x3004, 1), space.read(0x4004, 1), changes]).toEqual([0x77, 0x22, 1]);
    space.write(0x3005, 0x78, 1);
    expect(space.read(0x11005, 1)).toBe(0x78);
    expect(() => window.replace({ kind: 'rom', ma: rom, size: 0x1000 })).toThrow(/of its size/);
    window.remove();
    expect(space.read(0x3004, 1)).toBe(0x11);
  });

  it('shadows: reads from ROM, writes to the RAM below (PAM)', () => {
    const { space, memory, ram, rom } = build();
    space.add({ kind: 'ram', ma: ram, size: 0x20000 }, 0);
    const shadow = space.add({ kind: 'rom', ma: rom, size: 0x1000 }, 0x3000, 1, { writes: false });
    space.write(0x3004, 0x55, 1);
    expect(space.read(0x3004, 1)).toBe(0x22);
    expect(memory.bytes[ram + 0x3004]).toBe(0x55);
    shadow.set({ reads: false });
    expect(space.read(0x3004, 1)).toBe(0x55);
  });

  it('follows aliases', () => {
    const { space, ram, memory } = build();
    const region = { kind: 'ram', ma: ram, size: 0x20000 } as const;
    space.add({ kind: 'alias', of: { kind: 'alias', of: region, offset: 0x1000, size: 0x8000 }, offset: 0x2000, size: 0x1000 }, 0xfffff000);
    space.write(0xfffff010, 0x12345678, 4);
    expect(memory.view.getInt32(ram + 0x3010, true)).toBe(0x12345678);
  });

  it('gives devices offsets, and splits and widens accesses', () => {
    const { space } = build();
    const seen: string[] = [];
    const io: IoRegion = { name: 'test', size: 0x1000, minAccess: 2, maxAccess: 2,
      read: (offset, size) => { seen.push(`r${offset}.${size}`); return 0xab00 + offset; },
      write: (offset, value, size) => { seen.push(`w${offset}=${value.toString(16)}.${size}`); } };
    space.add({ kind: 'mmio', io }, 0x8000);
    expect(space.read(0x8010, 4)).toBe(0xab12ab10 | 0);
    expect(space.read(0x8011, 1)).toBe(0xab);
    space.write(0x8020, 0x12345678, 4);
    expect(seen).toEqual(['r16.2', 'r18.2', 'r16.2', 'w32=5678.2', 'w34=1234.2']);
  });

  it('crosses regions byte by byte, and copies blocks', () => {
    const { space, ram, rom } = build();
    space.add({ kind: 'ram', ma: ram, size: 0x1000 }, 0);
    space.add({ kind: 'rom', ma: rom, size: 0x1000 }, 0x1000);
    expect(space.read(0xffe, 4)).toBe(0x22221111);
    const bytes = new Uint8Array(6);
    space.writeBytes(0xffd, Uint8Array.of(1, 2, 3, 4, 5, 6));
    space.readBytes(0xffd, bytes);
    expect([...bytes]).toEqual([1, 2, 3, 0x22, 0x22, 0x22]);
  });

  it('tells of RAM writes and of changes of the map', () => {
    const { space, ram } = build();
    const writes: number[][] = [];
    let changes = 0;
    space.onRamWrite = (ma, length) => { writes.push([ma - ram, length]); };
    space.onChange = () => { changes++; };
    space.add({ kind: 'ram', ma: ram, size: 0x2000 }, 0);
    space.write(0x10, 1, 2);
    space.writeBytes(0xff0, new Uint8Array(0x20));
    expect(writes).toEqual([[0x10, 2], [0xff0, 0x10], [0x1000, 0x10]]);
    expect(changes).toBe(1);
  });

  it('refuses regions that are not whole pages', () => {
    const { space, ram } = build();
    expect(() => space.add({ kind: 'ram', ma: ram, size: 0x1000 }, 0x10)).toThrow(RangeError);
  });
});
