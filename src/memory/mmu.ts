/**
 * VA -> PA by the guest's page tables: 386/486 two-level paging with 4 KB pages, and 4 MB pages where CR4.PSE is set
 * (Intel SDM vol. 3, 4.3). Sets the accessed and dirty bits as the processor does. TLBs are elsewhere (tlb.ts).
 */
import type { AddressSpace } from './address-space.ts';

const PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, LARGE = 0x80;

/** Page-fault error code bits (SDM vol. 3, 4.7). */
export const PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4;

/** Control register state that decides how a walk goes. */
export interface PagingMode {
  /** CR3: physical address of the page directory (low 12 bits ignored). */
  directory: number;
  /** CR0.WP: supervisor writes obey read-only pages too. */
  writeProtect: boolean;
  /** CR4.PSE. */
  largePages: boolean;
}

export class PageWalker {
  readonly #space: AddressSpace;
  /** After walk() returned -1: the page-fault error code. */
  errorCode = 0;

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  /** The PA of `va` (an int32), or -1 with errorCode set. Accessed and dirty bits are set on success only. */
  walk(mode: PagingMode, va: number, write: boolean, user: boolean): number {
    const space = this.#space;
    const access = (write ? PF_WRITE : 0) | (user ? PF_USER : 0);
    const directoryEntryAt = ((mode.directory & ~4095) >>> 0) + ((va >>> 22) << 2);
    const directoryEntry = space.read(directoryEntryAt, 4);
    if ((directoryEntry & PRESENT) === 0) return this.#fault(access);

    if (mode.largePages && (directoryEntry & LARGE) !== 0) {
      if (!allowed(directoryEntry, mode, write, user)) return this.#fault(access | PF_PRESENT);
      this.#mark(directoryEntryAt, directoryEntry, write ? ACCESSED | DIRTY : ACCESSED);
      return (directoryEntry & 0xffc00000 | va & 0x003fffff) >>> 0;
    }

    const entryAt = ((directoryEntry & ~4095) >>> 0) + ((va >>> 12 & 1023) << 2);
    const entry = space.read(entryAt, 4);
    if ((entry & PRESENT) === 0) return this.#fault(access);
    if (!allowed(directoryEntry & entry, mode, write, user)) return this.#fault(access | PF_PRESENT);
    this.#mark(directoryEntryAt, directoryEntry, ACCESSED);
    this.#mark(entryAt, entry, write ? ACCESSED | DIRTY : ACCESSED);
    return (entry & ~4095 | va & 4095) >>> 0;
  }

  /** As walk() without side effects, for debuggers and logs; -1 if not mapped. */
  peek(mode: PagingMode, va: number): number {
    const directoryEntry = this.#space.read(((mode.directory & ~4095) >>> 0) + ((va >>> 22) << 2), 4);
    if ((directoryEntry & PRESENT) === 0) return -1;
    if (mode.largePages && (directoryEntry & LARGE) !== 0) return (directoryEntry & 0xffc00000 | va & 0x003fffff) >>> 0;
    const entry = this.#space.read(((directoryEntry & ~4095) >>> 0) + ((va >>> 12 & 1023) << 2), 4);
    return (entry & PRESENT) === 0 ? -1 : (entry & ~4095 | va & 4095) >>> 0;
  }

  #fault(errorCode: number): number {
    this.errorCode = errorCode;
    return -1;
  }

  #mark(at: number, entry: number, bits: number): void {
    if ((entry & bits) !== bits) this.#space.write(at, entry | bits, 4);
  }
}

function allowed(rights: number, mode: PagingMode, write: boolean, user: boolean): boolean {
  if (user) return (rights & USER) !== 0 && (!write || (rights & WRITABLE) !== 0);
  return !write || !mode.writeProtect || (rights & WRITABLE) !== 0;
}
