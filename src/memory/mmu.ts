/**
 * VA -> PA by the guest's page tables (Intel SDM vol. 3, chapter 4): two levels of 32-bit entries with 4 KB and, with CR4.PSE, 4 MB pages (36 bits of
 * address by PSE-36), or with CR4.PAE 64-bit entries in three levels, 4 KB and 2 MB pages. Sets accessed and dirty bits as the
 * processor does. TLBs are elsewhere (tlb.ts).
 */
import type { AddressSpace } from './address-space.ts';

const PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, LARGE = 0x80, GLOBAL = 0x100;
/** Bit 63 of a PAE entry, in its high word. */
const NO_EXECUTE = 0x80000000 | 0;

/** Page-fault error code bits (SDM vol. 3, 4.7). */
export const PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RESERVED = 8, PF_FETCH = 16;

/** Physical addresses have 36 bits. */
const HIGH_ADDRESS = 15;
/** Reserved bits of large pages: 4 MB ones (21-17 with PSE-36, else 21-12), 2 MB ones (20-13). */
const RESERVED_4MB_36 = 0x003e0000, RESERVED_4MB = 0x003ff000, RESERVED_2MB = 0x001fe000;

/** Control register state that decides how a walk goes. */
export interface PagingMode {
  /** CR3: physical address of the page directory (low 12 bits ignored). */
  directory: number;
  /** CR0.WP: supervisor writes obey read-only pages too. */
  writeProtect: boolean;
  /** CR4.PSE. */
  largePages: boolean;
  /** Pages of 4 MB above 4 GB. */
  pse36: boolean;
  /** CR4.PAE, and the four page-directory-pointer entries: low word, high word. */
  pae: boolean;
  pointers: Int32Array;
  /** CR4.PGE. */
  globalPages: boolean;
  /** EFER.NXE. */
  noExecute: boolean;
  /** CR4.SMEP: the supervisor does not execute user pages. */
  smep: boolean;
}

/** 32-bit paging as a 486 has it. */
export const basicPaging = (directory = 0): PagingMode => ({
  directory, writeProtect: false, largePages: false, pse36: false, pae: false, pointers: new Int32Array(8), globalPages: false, noExecute: false, smep: false,
});

/** What an access is, beside a read. */
export const ACCESS_WRITE = PF_WRITE, ACCESS_USER = PF_USER, ACCESS_FETCH = PF_FETCH;
/** A supervisor access that user pages refuse (CR4.SMAP). Not part of an error code. */
export const ACCESS_SMAP = 1 << 8;

/** Where the tables are. */
type TableMemory = Pick<AddressSpace, 'read' | 'write'>;

export class PageWalker {
  readonly #space: TableMemory;
  /** After walk() returned -1: the page-fault error code. */
  errorCode = 0;
  /** After a walk that succeeded: the page is global, or one of several megabytes. */
  global = false;
  large = false;

  constructor(space: TableMemory) {
    this.#space = space;
  }

  /**
   * The PA of `va` (an int32), below 2^36, or -1 with errorCode set. Accessed and dirty bits are set on success only.
   * @param access ACCESS_* bits
   */
  walk(mode: PagingMode, va: number, access: number): number {
    return mode.pae ? this.#walkPae(mode, va, access) : this.#walk32(mode, va, access);
  }

  #walk32(mode: PagingMode, va: number, access: number): number {
    const space = this.#space;
    const directoryEntryAt = ((mode.directory & ~4095) >>> 0) + ((va >>> 22) << 2);
    const directoryEntry = space.read(directoryEntryAt, 4);
    if ((directoryEntry & PRESENT) === 0) return this.#fault(mode, access, 0);
    const dirty = (access & ACCESS_WRITE) !== 0 ? ACCESSED | DIRTY : ACCESSED;

    if (mode.largePages && (directoryEntry & LARGE) !== 0) {
      if ((directoryEntry & (mode.pse36 ? RESERVED_4MB_36 : RESERVED_4MB)) !== 0) return this.#fault(mode, access, PF_PRESENT | PF_RESERVED);
      if (!allowed(directoryEntry, 0, mode, access)) return this.#fault(mode, access, PF_PRESENT);
      this.#mark(directoryEntryAt, directoryEntry, dirty);
      this.#found(mode, directoryEntry, true);
      return ((directoryEntry & 0xffc00000 | va & 0x003fffff) >>> 0) + (mode.pse36 ? (directoryEntry >>> 13 & HIGH_ADDRESS) * 2 ** 32 : 0);
    }

    const entryAt = ((directoryEntry & ~4095) >>> 0) + ((va >>> 12 & 1023) << 2);
    const entry = space.read(entryAt, 4);
    if ((entry & PRESENT) === 0) return this.#fault(mode, access, 0);
    if (!allowed(directoryEntry & entry, 0, mode, access)) return this.#fault(mode, access, PF_PRESENT);
    this.#mark(directoryEntryAt, directoryEntry, ACCESSED);
    this.#mark(entryAt, entry, dirty);
    this.#found(mode, entry, false);
    return (entry & ~4095 | va & 4095) >>> 0;
  }

  #walkPae(mode: PagingMode, va: number, access: number): number {
    const space = this.#space;
    const pointer = va >>> 30 << 1;
    if ((mode.pointers[pointer]! & PRESENT) === 0) return this.#fault(mode, access, 0);
    const directoryEntryAt = tableAt(mode.pointers[pointer]!, mode.pointers[pointer + 1]!) + ((va >>> 21 & 511) << 3);
    const low = space.read(directoryEntryAt, 4), high = space.read(directoryEntryAt + 4, 4);
    if ((low & PRESENT) === 0) return this.#fault(mode, access, 0);
    const reserved = mode.noExecute ? ~(HIGH_ADDRESS | NO_EXECUTE) : ~HIGH_ADDRESS;
    if ((high & reserved) !== 0) return this.#fault(mode, access, PF_PRESENT | PF_RESERVED);
    const dirty = (access & ACCESS_WRITE) !== 0 ? ACCESSED | DIRTY : ACCESSED;

    if ((low & LARGE) !== 0) {
      if ((low & RESERVED_2MB) !== 0) return this.#fault(mode, access, PF_PRESENT | PF_RESERVED);
      if (!allowed(low, high, mode, access)) return this.#fault(mode, access, PF_PRESENT);
      this.#mark(directoryEntryAt, low, dirty);
      this.#found(mode, low, true);
      return ((low & 0xffe00000 | va & 0x001fffff) >>> 0) + (high & HIGH_ADDRESS) * 2 ** 32;
    }

    const entryAt = tableAt(low, high) + ((va >>> 12 & 511) << 3);
    const entryLow = space.read(entryAt, 4), entryHigh = space.read(entryAt + 4, 4);
    if ((entryLow & PRESENT) === 0) return this.#fault(mode, access, 0);
    if ((entryHigh & reserved) !== 0) return this.#fault(mode, access, PF_PRESENT | PF_RESERVED);
    if (!allowed(low & entryLow, high | entryHigh, mode, access)) return this.#fault(mode, access, PF_PRESENT);
    this.#mark(directoryEntryAt, low, ACCESSED);
    this.#mark(entryAt, entryLow, dirty);
    this.#found(mode, entryLow, false);
    return ((entryLow & ~4095 | va & 4095) >>> 0) + (entryHigh & HIGH_ADDRESS) * 2 ** 32;
  }

  /** As walk() without checks and side effects, for debuggers and logs; -1 if not mapped. */
  peek(mode: PagingMode, va: number): number {
    const space = this.#space;
    if (!mode.pae) {
      const directoryEntry = space.read(((mode.directory & ~4095) >>> 0) + ((va >>> 22) << 2), 4);
      if ((directoryEntry & PRESENT) === 0) return -1;
      if (mode.largePages && (directoryEntry & LARGE) !== 0) return (directoryEntry & 0xffc00000 | va & 0x003fffff) >>> 0;
      const entry = space.read(((directoryEntry & ~4095) >>> 0) + ((va >>> 12 & 1023) << 2), 4);
      return (entry & PRESENT) === 0 ? -1 : (entry & ~4095 | va & 4095) >>> 0;
    }
    const pointer = va >>> 30 << 1;
    if ((mode.pointers[pointer]! & PRESENT) === 0) return -1;
    const directoryEntryAt = tableAt(mode.pointers[pointer]!, mode.pointers[pointer + 1]!) + ((va >>> 21 & 511) << 3);
    const low = space.read(directoryEntryAt, 4), high = space.read(directoryEntryAt + 4, 4);
    if ((low & PRESENT) === 0) return -1;
    if ((low & LARGE) !== 0) return ((low & 0xffe00000 | va & 0x001fffff) >>> 0) + (high & HIGH_ADDRESS) * 2 ** 32;
    const entryAt = tableAt(low, high) + ((va >>> 12 & 511) << 3);
    const entryLow = space.read(entryAt, 4);
    return (entryLow & PRESENT) === 0 ? -1 : ((entryLow & ~4095 | va & 4095) >>> 0) + (space.read(entryAt + 4, 4) & HIGH_ADDRESS) * 2 ** 32;
  }

  /** Fetches are told from reads only where that makes a difference. */
  #fault(mode: PagingMode, access: number, errorCode: number): number {
    const fetches = (mode.pae && mode.noExecute) || mode.smep ? PF_FETCH : 0;
    this.errorCode = errorCode | access & (PF_WRITE | PF_USER | fetches);
    return -1;
  }

  #found(mode: PagingMode, entry: number, large: boolean): void {
    this.global = mode.globalPages && (entry & GLOBAL) !== 0;
    this.large = large;
  }

  #mark(at: number, entry: number, bits: number): void {
    if ((entry & bits) !== bits) this.#space.write(at, entry | bits, 4);
  }
}

/** The table that a PAE entry names. */
const tableAt = (low: number, high: number): number => ((low & ~4095) >>> 0) + (high & HIGH_ADDRESS) * 2 ** 32;

/** @param rights what the entries of all levels allow  @param high the high words, joined: bit 31 forbids execution */
function allowed(rights: number, high: number, mode: PagingMode, access: number): boolean {
  if ((access & ACCESS_FETCH) !== 0 && mode.noExecute && high < 0) return false;
  if ((access & ACCESS_USER) !== 0) return (rights & USER) !== 0 && ((access & ACCESS_WRITE) === 0 || (rights & WRITABLE) !== 0);
  if ((rights & USER) !== 0) {
    if ((access & ACCESS_FETCH) !== 0 ? mode.smep : (access & ACCESS_SMAP) !== 0) return false;
  }
  return (access & ACCESS_WRITE) === 0 || !mode.writeProtect || (rights & WRITABLE) !== 0;
}
