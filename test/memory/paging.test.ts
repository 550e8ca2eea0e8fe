import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { CodeLines } from '../../src/memory/code-lines.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { PageWalker } from '../../src/memory/mmu.ts';
import { Tlb } from '../../src/memory/tlb.ts';

const DIRECTORY = 0x1000, TABLE = 0x2000;

function paging(): { space: AddressSpace; walker: PageWalker; mode: { directory: number; writeProtect: boolean; largePages: boolean } } {
  const memory = new HostMemory(0x10000);
  const space = new AddressSpace(memory);
  space.add({ kind: 'ram', ma: memory.allocate(0x10000), size: 0x10000 }, 0);
  return { space, walker: new PageWalker(space), mode: { directory: DIRECTORY, writeProtect: false, largePages: false } };
}

describe('PageWalker', () => {
  it('translates, and sets accessed and dirty bits', () => {
    const { space, walker, mode } = paging();
    space.write(DIRECTORY + 0x300 * 4, TABLE | 7, 4);
    space.write(TABLE + 5 * 4, 0x8000 | 7, 4);
    const va = (0x300 << 22 | 5 << 12 | 0x123) | 0;
    expect(walker.walk(mode, va, false, true)).toBe(0x8123);
    expect(space.read(TABLE + 20, 4)).toBe(0x8027);
    expect(walker.walk(mode, va, true, true)).toBe(0x8123);
    expect([space.read(TABLE + 20, 4), space.read(DIRECTORY + 0xc00, 4)]).toEqual([0x8067, TABLE | 0x27]);
  });

  it.each([
    // directory entry, table entry, write, user, WP, error code (-1: allowed)
    [0, 0, false, false, false, 0], [7, 0, true, true, false, 6], [7, 7, true, true, false, -1], [7, 5, true, true, false, 7],
    [5, 7, true, true, false, 7], [3, 7, false, true, false, 5], [7, 3, false, true, false, 5], [7, 5, true, false, false, -1], [7, 5, true, false, true, 3],
  ])('entries %i/%i write %s user %s WP %s: error %i', (directoryBits, tableBits, write, user, writeProtect, error) => {
    const { space, walker, mode } = paging();
    if (directoryBits !== 0) space.write(DIRECTORY, TABLE | directoryBits, 4);
    if (tableBits !== 0) space.write(TABLE, 0x3000 | tableBits, 4);
    const pa = walker.walk({ ...mode, writeProtect }, 0x10, write, user);
    expect(pa < 0 ? walker.errorCode : -1).toBe(error);
    if (pa < 0 && tableBits !== 0) expect(space.read(TABLE, 4) & 0x60).toBe(0);
  });

  it('knows 4 MB pages when they are on', () => {
    const { space, walker, mode } = paging();
    space.write(DIRECTORY + 4, 0x00c00087, 4);
    expect(walker.walk({ ...mode, largePages: true }, 0x412345, true, true)).toBe(0xc12345);
    expect(space.read(DIRECTORY + 4, 4)).toBe(0x00c000e7);
  });
});

describe('Tlb', () => {
  const hit = (table: Int32Array, va: number): number => table[va >>> 12]! ^ va;
  it('is negative where nothing is filled, in both halves of the address space', () => {
    const { supervisor } = new Tlb();
    for (const va of [0, 0x7fffffff, -0x80000000, -1]) expect(hit(supervisor.read, va)).toBeLessThan(0);
  });
  it('gives the MA, separately for reads and writes and for each view, until flushed', () => {
    const tlb = new Tlb();
    tlb.fill(true, 0xc0123456 | 0, 0x5456, false);
    tlb.fill(true, 0x1000, 0x7000, true);
    expect(hit(tlb.user.read, 0xc0123abc | 0)).toBe(0x5abc);
    expect(hit(tlb.user.write, 0xc0123abc | 0)).toBeLessThan(0);
    expect(hit(tlb.supervisor.read, 0xc0123abc | 0)).toBeLessThan(0);
    expect(hit(tlb.user.write, 0x1004)).toBe(0x7004);
    tlb.flushPage(0x1000);
    expect(hit(tlb.user.write, 0x1004)).toBeLessThan(0);
    tlb.flush();
    expect(hit(tlb.user.read, 0xc0123abc | 0)).toBeLessThan(0);
  });
  it('revokes every write entry to a page', () => {
    const tlb = new Tlb();
    tlb.fill(false, 0x1000, 0x7000, true);
    tlb.fill(true, 0x3000, 0x7000, true);
    tlb.revokeWrites(7);
    expect([hit(tlb.supervisor.write, 0x1000), hit(tlb.user.write, 0x3000)].every((p) => p < 0)).toBe(true);
    expect(hit(tlb.user.read, 0x3000)).toBe(0x7000);
  });
});

describe('CodeLines', () => {
  it('finds what overlaps, line by line and then byte by byte', () => {
    const became: number[] = [];
    const lines = new CodeLines<string>(0x10000, (page) => became.push(page));
    lines.add('a', 0x3010, 0x20);
    lines.add('b', 0x3f80, 0x80);
    expect(became).toEqual([3]);
    expect([lines.touches(0x3000, 4), lines.touches(0x3080, 4), lines.touches(0x3fff, 1)]).toEqual([true, false, true]);
    expect(lines.overlapping(0x3000, 4)).toEqual([]);
    expect(lines.overlapping(0x302f, 1)).toEqual(['a']);
    expect(lines.overlapping(0x3000, 0x1000)).toEqual(['a', 'b']);
    lines.remove('a', 0x3010);
    expect([lines.touches(0x3010, 4), lines.touches(0x3fff, 1)]).toEqual([false, true]);
    lines.clear();
    expect(lines.lines[3]).toBe(0);
  });
});
