import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { CodeLines } from '../../src/memory/code-lines.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { ACCESS_FETCH, ACCESS_SMAP, ACCESS_USER, ACCESS_WRITE, PageWalker, basicPaging } from '../../src/memory/mmu.ts';
import type { PagingMode } from '../../src/memory/mmu.ts';
import { Tlb, VIEW_SUPERVISOR, VIEW_USER } from '../../src/memory/tlb.ts';

const DIRECTORY = 0x1000, TABLE = 0x2000;

function paging(): { space: AddressSpace; walker: PageWalker; mode: PagingMode } {
  const memory = new HostMemory(0x10000);
  const space = new AddressSpace(memory);
  space.add({ kind: 'ram', ma: memory.allocate(0x10000), size: 0x10000 }, 0);
  return { space, walker: new PageWalker(space), mode: basicPaging(DIRECTORY) };
}

describe('PageWalker', () => {
  it('translates, and sets accessed and dirty bits', () => {
    const { space, walker, mode } = paging();
    space.write(DIRECTORY + 0x300 * 4, TABLE | 7, 4);
    space.write(TABLE + 5 * 4, 0x8000 | 7, 4);
    const va = (0x300 << 22 | 5 << 12 | 0x123) | 0;
    expect(walker.walk(mode, va, ACCESS_USER)).toBe(0x8123);
    expect(space.read(TABLE + 20, 4)).toBe(0x8027);
    expect(walker.walk(mode, va, ACCESS_WRITE | ACCESS_USER)).toBe(0x8123);
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
    const pa = walker.walk({ ...mode, writeProtect }, 0x10, (write ? ACCESS_WRITE : 0) | (user ? ACCESS_USER : 0));
    expect(pa < 0 ? walker.errorCode : -1).toBe(error);
    if (pa < 0 && tableBits !== 0) expect(space.read(TABLE, 4) & 0x60).toBe(0);
  });

  it('knows 4 MB pages when they are on', () => {
    const { space, walker, mode } = paging();
    space.write(DIRECTORY + 4, 0x00c00087, 4);
    expect(walker.walk({ ...mode, largePages: true }, 0x412345, ACCESS_WRITE | ACCESS_USER)).toBe(0xc12345);
    expect(space.read(DIRECTORY + 4, 4)).toBe(0x00c000e7);
  });
});

describe('PAE', () => {
  /** A directory entry for VA 0-2 MB, a table entry for VA 1000h-1FFFh: [low, high] each. */
  function pae(directory: readonly [number, number], table: readonly [number, number], more: Partial<PagingMode> = {}): { walk: (access: number, va?: number) => number; walker: PageWalker; space: AddressSpace } {
    const { space, walker } = paging();
    [...directory].forEach((word, i) => space.write(DIRECTORY + 4 * i, word, 4));
    [...table].forEach((word, i) => space.write(TABLE + 8 + 4 * i, word, 4));
    const mode = { ...basicPaging(), pae: true, ...more };
    mode.pointers.set([DIRECTORY | 1, 0]);
    return { walk: (access, va = 0x1234) => walker.walk(mode, va, access), walker, space };
  }
  const user = [TABLE | 7, 0] as const, NX = 0x80000000 | 0;

  it('goes through three levels, to addresses above 4 GB too', () => {
    const { walk, walker, space } = pae(user, [0x5107, 0xf], { globalPages: true });
    expect(walk(ACCESS_WRITE | ACCESS_USER)).toBe(0xf00005234);
    expect([space.read(DIRECTORY, 4) & 0x60, space.read(TABLE + 8, 4) & 0x60, walker.global, walker.large]).toEqual([0x20, 0x60, true, false]);
    expect([walk(0, 0x40000000), walker.errorCode]).toEqual([-1, 0]);
  });
  it('has pages of 2 MB', () => {
    const { walk, walker } = pae([0x600087, 0], [0, 0]);
    expect([walk(0, 0x1fffff), walker.large]).toEqual([0x7fffff, true]);
    expect([pae([0x602087, 0], [0, 0]).walk(0), pae([0x601087, 0], [0, 0]).walk(0)]).toEqual([-1, 0x601234]);
  });
  it('faults on reserved bits, whatever else is wrong', () => {
    for (const high of [0x10, NX, 0x7ff00000]) {
      const { walk, walker } = pae(user, [0x5001, high]);
      expect([walk(ACCESS_USER | ACCESS_WRITE), walker.errorCode]).toEqual([-1, 0xf]);
    }
  });
  it('forbids execution with EFER.NXE', () => {
    for (const [directory, table] of [[user, [0x5007, NX]], [[TABLE | 7, NX], [0x5007, 0]]] as const) {
      const { walk, walker } = pae(directory, table, { noExecute: true });
      expect(walk(ACCESS_USER)).toBe(0x5234);
      expect([walk(ACCESS_USER | ACCESS_FETCH), walker.errorCode]).toEqual([-1, 0x15]);
      expect([walk(ACCESS_FETCH), walker.errorCode]).toEqual([-1, 0x11]);
    }
  });
  it('SMEP and SMAP keep the supervisor out of user pages', () => {
    const { walk, walker } = pae(user, [0x5007, 0], { smep: true });
    expect([walk(ACCESS_FETCH), walker.errorCode, walk(ACCESS_FETCH | ACCESS_USER), walk(0)]).toEqual([-1, 0x11, 0x5234, 0x5234]);
    expect([walk(ACCESS_SMAP | ACCESS_WRITE), walker.errorCode]).toEqual([-1, 3]);
    expect(pae(user, [0x5003, 0]).walk(ACCESS_SMAP)).toBe(0x5234);
  });
});

describe('4 MB pages with PSE-36', () => {
  it('lie above 4 GB, and have reserved bits', () => {
    const { space, walker, mode } = paging();
    space.write(DIRECTORY, 0x00c04087, 4);
    expect(walker.walk({ ...mode, largePages: true, pse36: true }, 0x1234, 0)).toBe(0x200c01234);
    expect([walker.walk({ ...mode, largePages: true }, 0x1234, 0), walker.errorCode]).toEqual([-1, 9]);
    space.write(DIRECTORY, 0x00c20087, 4);
    expect([walker.walk({ ...mode, largePages: true, pse36: true }, 0x1234, ACCESS_USER), walker.errorCode]).toEqual([-1, 13]);
  });
});

describe('Tlb', () => {
  const hit = (table: Int32Array, va: number): number => table[va >>> 12]! ^ va;
  it('keeps global pages when CR3 changes, and drops all of a large page', () => {
    const tlb = new Tlb();
    tlb.fill(VIEW_SUPERVISOR, 0x1000, 0x7000, true, true);
    tlb.fill(VIEW_SUPERVISOR, 0x2000, 0x8000, true);
    const held = (): boolean[] => [0x1000, 0x2000].map((va) => tlb.supervisor.holdsGlobal(va));
    expect(held()).toEqual([true, false]);
    tlb.flush(true);
    expect([hit(tlb.supervisor.write, 0x1000), hit(tlb.supervisor.read, 0x2000) < 0, ...held()]).toEqual([0x7000, true, true, false]);
    tlb.revokeWrites(7);
    expect([hit(tlb.supervisor.write, 0x1000) < 0, hit(tlb.supervisor.read, 0x1000)]).toEqual([true, 0x7000]);
    tlb.fill(VIEW_SUPERVISOR, 0x400000, 0x9000, true, true, true);
    tlb.fill(VIEW_USER, 0x7ff000, 0xa000, true, true, true);
    tlb.flushPage(0x555000);
    expect([hit(tlb.supervisor.read, 0x400000) < 0, hit(tlb.user.read, 0x7ff000) < 0, hit(tlb.supervisor.read, 0x1000)]).toEqual([true, true, 0x7000]);
    tlb.flush();
    expect(held()).toEqual([false, false]);
    expect(hit(tlb.supervisor.read, 0x1000)).toBeLessThan(0);
  });
  it('is negative where nothing is filled, in both halves of the address space', () => {
    const { supervisor } = new Tlb();
    for (const va of [0, 0x7fffffff, -0x80000000, -1]) expect(hit(supervisor.read, va)).toBeLessThan(0);
  });
  it('gives the MA, separately for reads and writes and for each view, until flushed', () => {
    const tlb = new Tlb();
    tlb.fill(VIEW_USER, 0xc0123456 | 0, 0x5456, false);
    tlb.fill(VIEW_USER, 0x1000, 0x7000, true);
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
    tlb.fill(VIEW_SUPERVISOR, 0x1000, 0x7000, true);
    tlb.fill(VIEW_USER, 0x3000, 0x7000, true);
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

  it('knows lines of many items until the last is gone, and items that come twice', () => {
    const lines = new CodeLines<number>(0x10000, () => {});
    for (let item = 0; item < 100; item++) lines.add(item, 0x3070 + item, 0x20);
    for (let item = 0; item < 99; item++) lines.remove(item, 0x3070 + item);
    expect([lines.touches(0x3000, 0x80), lines.touches(0x3080, 0x80)]).toEqual([false, true]);
    lines.add(99, 0x3f80, 0x80);
    expect(lines.overlapping(0x3fff, 1)).toEqual([99]);
    lines.remove(99, 0x3070);
    lines.remove(99, 0x3f80);
    lines.remove(7, 0x5000);
    expect([lines.lines[3], lines.overlapping(0x3000, 0x1000)]).toEqual([0, []]);
  });

  it('keeps a finer record of a page once a write has met a line, but no item', () => {
    const lines = new CodeLines<number>(0x10000, () => {});
    const touched = (): number[] => [0x3009, 0x3010, 0x302f, 0x3030, 0x3040, 0x3047].filter((ma) => lines.touches(ma, 1));
    lines.add(0, 0x3010, 0x20);
    expect([lines.touches(0x3009, 1), lines.overlapping(0x3009, 1), lines.touches(0x3009, 1)]).toEqual([true, [], false]);
    expect([touched(), lines.touches(0x300e, 2), lines.touches(0x300e, 4)]).toEqual([[0x3010, 0x302f], false, true]);
    lines.add(1, 0x3040, 8);
    expect([touched(), lines.overlapping(0x3040, 1)]).toEqual([[0x3010, 0x302f, 0x3040, 0x3047], [1]]);
    lines.remove(0, 0x3010);
    expect(touched()).toEqual([0x3040, 0x3047]);
    // More than a byte counts.
    for (let item = 2; item < 400; item++) lines.add(item, 0x3010, 0x20);
    for (let item = 2; item < 399; item++) lines.remove(item, 0x3010);
    expect([touched(), lines.overlapping(0x3010, 1)]).toEqual([[0x3010, 0x302f, 0x3040, 0x3047], [399]]);
    lines.remove(399, 0x3010);
    expect([lines.overlapping(0x3010, 0x20), lines.overlapping(0x3047, 1)]).toEqual([[], [1]]);
  });
});
