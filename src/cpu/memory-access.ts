/**
 * Guest memory as the processor sees it: VA -> PA -> MA with the fast tables in front, page faults, self-modifying
 * code, and the accesses that helpers use. The op code's slow paths end here.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import { CodeLines } from '../memory/code-lines.ts';
import { ACCESS_FETCH, ACCESS_SMAP, ACCESS_USER, ACCESS_WRITE, PageWalker, basicPaging } from '../memory/mmu.ts';
import { Tlb, VIEW_SMAP, VIEW_SUPERVISOR, VIEW_USER } from '../memory/tlb.ts';
import type { AccessSize } from '../memory/io-region.ts';
import { EXIT_FAULT, EXIT_PRECISE } from '../tcg/env.ts';
import { MO_RMW, MO_SIGN } from '../tcg/ops.ts';
import type { TranslationBlock } from '../tcg/tb-cache.ts';
import { GUEST_FAULT } from './fault.ts';
import { breakpoints, isOnData, noteAccess } from './helpers/debug.ts';
import type { Breakpoint } from './helpers/debug.ts';
import type { FeatureSet } from './features.ts';
import {
  A20_MASK, CR0, CR0_PG, CR0_WP, CR2, CR3, CR4, CR4_PAE, CR4_PGE, CR4_PSE, CR4_SMAP, CR4_SMEP, EFER, EFER_NXE, EXC_ERROR, EXC_HAS_ERROR, EXC_PF, EXC_VECTOR, PDPTE,
  PENDING_EXIT, STATE_SIZE, VIEW,
} from './state.ts';

/** Sees what the processor does to plain memory before it does it: data, descriptor tables, page tables, code. Then no access is a fast one. */
export interface MemoryObserver {
  /** [ma, ma + length), within one page, is about to be read. */
  reads(ma: number, length: number): void;
  /** The same for code; more than the instruction has. */
  fetches(ma: number, length: number): void;
  /** It is about to be written. Accessed and dirty bits of page tables are not told of. */
  writes(ma: number, length: number): void;
  /** A device is about to be asked or told by its memory. */
  touches(): void;
}

/** Most bytes of an instruction that lie in the page of its first. */
const FETCHED = 16;

/** What an access is besides reading or writing, by VIEW_*. */
const VIEW_ACCESS = [0, ACCESS_USER, ACCESS_SMAP] as const;
/** Pages whose right to be executed is remembered. */
const FETCH_PAGES = 256;

export abstract class MemoryAccess {
  /** The state: src/cpu/state.ts. */
  readonly R = new Int32Array(STATE_SIZE);
  readonly space: AddressSpace;
  readonly bytes: Uint8Array;
  readonly tlb: Tlb;
  readonly #data: DataView;
  readonly #walker: PageWalker;
  readonly #paging = basicPaging();
  /** What supervisor accesses to tables use, whatever the CPL and EFLAGS.AC. */
  #systemView = VIEW_SUPERVISOR;
  /** Fetches have rights of their own (NX, SMEP): pages that may be executed, VA | 1 for the user | 2, and their MA. */
  #checksFetch = false;
  #watchpoints: readonly Breakpoint[] = [];
  readonly #fetchTags = new Int32Array(FETCH_PAGES);
  readonly #fetchMas = new Int32Array(FETCH_PAGES);
  /** Where translated blocks lie in memory. */
  readonly codeLines: CodeLines<TranslationBlock>;

  /** Where accesses to devices go: the address space, or in lockstep what records them. */
  protected devices: Pick<AddressSpace, 'read' | 'write'>;
  /** Lockstep: called before RAM at an MA is written. */
  protected beforeWrite: ((ma: number) => void) | null = null;

  readonly #observer: MemoryObserver | null;

  /** @param lockstep stores come by before they happen (beforeWrite) */
  constructor(space: AddressSpace, lockstep = false, observer: MemoryObserver | null = null) {
    this.space = this.devices = space;
    this.#observer = observer;
    this.tlb = new Tlb(lockstep);
    this.bytes = space.memory.bytes;
    this.#data = space.memory.view;
    this.#walker = new PageWalker(observer === null ? space : {
      read: (pa, size) => {
        const { readMa, start } = space.lookup(pa);
        if (readMa >= 0) observer.reads(readMa + (pa - start), size);
        return space.read(pa, size);
      },
      write: (pa, value, size) => space.write(pa, value, size),
    });
    this.codeLines = new CodeLines(space.memory.size, (page) => this.tlb.revokeWrites(page));
  }

  /** The block being run has more than one instruction and overlaps [ma, ma + length), within one page. */
  protected abstract mustReplay(ma: number, length: number): boolean;
  /** Drops every block that overlaps [ma, ma + length), within one page. */
  protected abstract invalidateCode(ma: number, length: number): void;

  /** CR0, CR3, CR4 or A20 have changed: reads them and drops what the fast tables hold, or all but global pages. */
  reload(keepGlobal = false): void {
    this.readPagingMode();
    this.readWatchpoints();
    this.tlb.flush(keepGlobal);
  }

  /** Which features of paging there are. */
  protected abstract readonly features: FeatureSet;

  /** Takes over CR0, CR3, CR4 and EFER. */
  protected readPagingMode(): void {
    const R = this.R, cr4 = R[CR4]!, paging = this.#paging;
    paging.directory = R[CR3]!;
    paging.writeProtect = (R[CR0]! & CR0_WP) !== 0;
    paging.largePages = (cr4 & CR4_PSE) !== 0;
    paging.pse36 = this.features.has('pse36');
    paging.pae = (cr4 & CR4_PAE) !== 0;
    paging.pointers.set(R.subarray(PDPTE, PDPTE + 8));
    paging.globalPages = (cr4 & CR4_PGE) !== 0;
    paging.noExecute = (R[EFER]! & EFER_NXE) !== 0;
    paging.smep = (cr4 & CR4_SMEP) !== 0;
    const pages = (R[CR0]! & CR0_PG) !== 0;
    this.#checksFetch = pages && (paging.smep || (paging.pae && paging.noExecute));
    this.#fetchTags.fill(0);
    this.#systemView = pages && (cr4 & CR4_SMAP) !== 0 ? VIEW_SMAP : VIEW_SUPERVISOR;
  }

  /** Takes over DR0-DR3 and DR7. */
  protected readWatchpoints(): void {
    this.#watchpoints = breakpoints(this.R).filter(isOnData);
  }

  /** Remembers a page in a fast table, unless data breakpoints lie in it. */
  #fill(view: number, va: number, ma: number, writable: boolean): void {
    if (this.#observer !== null) return;
    if (this.#watchpoints.some(({ address, length }) => ((address ^ va) & ~4095) === 0 || ((address + length - 1 ^ va) & ~4095) === 0)) return;
    this.tlb.fill(view, va, ma, writable, this.#walker.global, this.#walker.large);
  }

  /** INVLPG. */
  protected forgetPage(va: number): void {
    this.tlb.flushPage(va);
    this.#fetchTags.fill(0);
  }

  /** 32 bits at a physical address. */
  readPhysical(pa: number): number {
    const at = this.#gated(pa >>> 0), { readMa, start } = this.space.lookup(at);
    if (readMa >= 0) this.#observer?.reads(readMa + (at - start), 4);
    return this.space.read(at, 4);
  }

  /**
   * The PA of va for this access, or -1 with the page fault recorded in the state (nothing is thrown).
   * The A20 gate acts on the result.
   * @param view VIEW_*  @param access ACCESS_WRITE, ACCESS_FETCH or 0
   */
  translate(va: number, access: number, view: number): number {
    const R = this.R;
    let pa = va >>> 0;
    if ((R[CR0]! & CR0_PG) !== 0) {
      pa = this.#walker.walk(this.#paging, va, access | VIEW_ACCESS[view]!);
      if (pa < 0) {
        R[CR2] = va;
        R[EXC_VECTOR] = EXC_PF;
        R[EXC_ERROR] = this.#walker.errorCode;
        R[EXC_HAS_ERROR] = 1;
        return -1;
      }
    } else this.#walker.global = this.#walker.large = false;
    return this.#gated(pa);
  }

  /** Address bit 20 reads as 0 while the gate is closed; physical addresses have up to 36 bits. */
  #gated(pa: number): number {
    const mask = this.R[A20_MASK]!;
    return mask === -1 ? pa : ((pa & mask) >>> 0) + Math.floor(pa / 2 ** 32) * 2 ** 32;
  }

  /** PA of va by the page tables as they are, without faults or accessed bits; -1 if unmapped. For debuggers. */
  peek(va: number): number {
    if ((this.R[CR0]! & CR0_PG) === 0) return this.#gated(va >>> 0);
    const pa = this.#walker.peek(this.#paging, va);
    return pa < 0 ? -1 : this.#gated(pa);
  }

  // Slow paths of the op code: a fault or a replay is asked for in PENDING_EXIT.

  loadSlow(va: number, memop: number): number {
    const size = (1 << (memop & 3)) as AccessSize, view = this.R[VIEW]!;
    if ((memop & MO_RMW) !== 0 && !this.#mayWrite(va, size, view)) return this.#pageFault();
    const value = this.#read(va, size, view);
    if ((memop & MO_SIGN) === 0) return value;
    return size === 1 ? value << 24 >> 24 : size === 2 ? value << 16 >> 16 : value;
  }

  storeSlow(va: number, value: number, memop: number): void {
    this.#write(va, value, (1 << (memop & 3)) as AccessSize, this.R[VIEW]!);
  }

  /** 8 or 16 bytes into state words; devices see words of 32 bits. */
  loadVecSlow(va: number, slot: number, bytes: number): void {
    const view = this.R[VIEW]!;
    if (!this.#mayAccess(va, bytes, false, view)) return;
    for (let i = 0; i < bytes; i += 4) this.R[slot + (i >> 2)] = this.#read(va + i | 0, 4, view);
  }

  storeVecSlow(va: number, slot: number, bytes: number): void {
    const view = this.R[VIEW]!;
    if (!this.#mayAccess(va, bytes, true, view)) return;
    for (let i = 0; i < bytes; i += 4) this.#write(va + i | 0, this.R[slot + (i >> 2)]!, 4, view);
  }

  // Accesses of helpers: a fault or a replay is thrown.

  load8(va: number): number {
    const p = this.#readTable()[va >>> 12]! ^ va;
    return p >= 0 ? this.bytes[p]! : this.#loadThrowing(va, 1, this.R[VIEW]!);
  }
  load16(va: number): number {
    const p = this.#readTable()[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4094 ? this.#data.getUint16(p, true) : this.#loadThrowing(va, 2, this.R[VIEW]!);
  }
  load32(va: number): number {
    const p = this.#readTable()[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4092 ? this.#data.getInt32(p, true) : this.#loadThrowing(va, 4, this.R[VIEW]!);
  }
  store8(va: number, value: number): void {
    const p = this.#writeTable()[va >>> 12]! ^ va;
    if (p >= 0) this.bytes[p] = value;
    else this.#storeThrowing(va, value, 1, this.R[VIEW]!);
  }
  store16(va: number, value: number): void {
    const p = this.#writeTable()[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4094) this.#data.setUint16(p, value, true);
    else this.#storeThrowing(va, value, 2, this.R[VIEW]!);
  }
  store32(va: number, value: number): void {
    const p = this.#writeTable()[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4092) this.#data.setInt32(p, value, true);
    else this.#storeThrowing(va, value, 4, this.R[VIEW]!);
  }
  // As supervisor, whatever the CPL: descriptor tables, TSS, interrupt stacks.
  sload8(va: number): number {
    const p = this.tlb.view(this.#systemView).read[va >>> 12]! ^ va;
    return p >= 0 ? this.bytes[p]! : this.#loadThrowing(va, 1, this.#systemView);
  }
  sload16(va: number): number {
    const p = this.tlb.view(this.#systemView).read[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4094 ? this.#data.getUint16(p, true) : this.#loadThrowing(va, 2, this.#systemView);
  }
  sload32(va: number): number {
    const p = this.tlb.view(this.#systemView).read[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4092 ? this.#data.getInt32(p, true) : this.#loadThrowing(va, 4, this.#systemView);
  }
  sstore8(va: number, value: number): void {
    const p = this.tlb.view(this.#systemView).write[va >>> 12]! ^ va;
    if (p >= 0) this.bytes[p] = value;
    else this.#storeThrowing(va, value, 1, this.#systemView);
  }
  sstore16(va: number, value: number): void {
    const p = this.tlb.view(this.#systemView).write[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4094) this.#data.setUint16(p, value, true);
    else this.#storeThrowing(va, value, 2, this.#systemView);
  }
  sstore32(va: number, value: number): void {
    const p = this.tlb.view(this.#systemView).write[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4092) this.#data.setInt32(p, value, true);
    else this.#storeThrowing(va, value, 4, this.#systemView);
  }

  /**
   * Throws if any byte of [va, va + length) may not be accessed at this privilege, or (write) if writing it needs a
   * replay of the instruction; so after it the accesses themselves go through.
   */
  probe(va: number, length: number, write: boolean): void {
    this.#probe(va, length, write, this.R[VIEW]!);
  }
  /** probe() as supervisor. */
  sprobe(va: number, length: number, write: boolean): void {
    this.#probe(va, length, write, this.#systemView);
  }

  /** The MA of [va, va + length) if it lies in one page of plain readable memory, else -1. Never faults. */
  plainRead(va: number, length: number): number {
    if ((va & 4095) + length > 4096) return -1;
    return this.#readTable()[va >>> 12]! ^ va;
  }
  plainWrite(va: number, length: number): number {
    if ((va & 4095) + length > 4096) return -1;
    return this.#writeTable()[va >>> 12]! ^ va;
  }

  /** The code at va is in a global page: it stays where it is when CR3 changes. Asked after codeAddress(). */
  isGlobalCode(va: number): boolean {
    return this.tlb.view(this.#codeView()).holdsGlobal(va);
  }

  /** The MA of the code byte at va, -1 if it is not in plain memory (then `codeByteSlow` reads it); throws on a page fault. */
  codeAddress(va: number): number {
    const view = this.#codeView();
    if (this.#checksFetch) return this.#checkedCodeAddress(va, view);
    const p = this.tlb.view(view).read[va >>> 12]! ^ va;
    if (p >= 0) return p;
    const ma = this.#fetch(va, view);
    if (ma >= 0) this.#fill(view, va, ma, false);
    return ma;
  }

  /** A page that may be read is not one that may be executed. */
  #checkedCodeAddress(va: number, view: number): number {
    const slot = va >>> 12 & FETCH_PAGES - 1, tag = va & ~4095 | view | 2;
    if (this.#observer !== null || this.#fetchTags[slot] !== tag) {
      const ma = this.#fetch(va, view);
      if (ma < 0) return ma;
      this.#fetchTags[slot] = tag;
      this.#fetchMas[slot] = ma & ~4095;
    }
    return this.#fetchMas[slot]! | va & 4095;
  }

  /** Fetches are not subject to SMAP. */
  #codeView(): number {
    return this.R[VIEW] === VIEW_USER ? VIEW_USER : VIEW_SUPERVISOR;
  }

  #fetch(va: number, view: number): number {
    const pa = this.translate(va, ACCESS_FETCH, view);
    if (pa < 0) this.#throwPageFault();
    const range = this.space.lookup(pa);
    if (range.readMa < 0) return -1;
    const ma = range.readMa + (pa - range.start);
    this.#observer?.fetches(ma, Math.min(FETCHED, 4096 - (ma & 4095)));
    return ma;
  }

  /** Lockstep: the MA of va if a store may go there by the fast table; it then does. Else negative. */
  claim(va: number): number {
    return this.#claim(va, this.R[VIEW]!);
  }

  /** A code byte from a device region. */
  codeByteSlow(va: number): number {
    const pa = this.translate(va, ACCESS_FETCH, this.#codeView());
    if (pa < 0) this.#throwPageFault();
    return this.space.read(pa, 1);
  }

  #claim(va: number, view: number): number {
    const tables = this.tlb.view(view), ma = tables.granted[va >>> 12]! ^ va;
    if (ma >= 0 && this.beforeWrite !== null) {
      this.beforeWrite(ma);
      tables.expose(va);
    }
    return ma;
  }

  #readTable(): Int32Array {
    return this.tlb.view(this.R[VIEW]!).read;
  }
  #writeTable(): Int32Array {
    return this.tlb.view(this.R[VIEW]!).write;
  }

  #mayWrite(va: number, size: AccessSize, view: number): boolean {
    const within = 4096 - (va & 4095);
    if (size <= within && this.#claim(va, view) >= 0) return true;
    return this.translate(va, ACCESS_WRITE, view) >= 0 && (size <= within || this.translate(va + within | 0, ACCESS_WRITE, view) >= 0);
  }

  #read(va: number, size: AccessSize, view: number): number {
    const within = 4096 - (va & 4095);
    if (size > within) {
      const next = va + within | 0;
      // Both pages first: a fault on the second must come before a device sees the first.
      if (this.translate(va, 0, view) < 0 || this.translate(next, 0, view) < 0) return this.#pageFault();
      let value = 0;
      for (let i = 0; i < size; i++) value |= this.#read(va + i | 0, 1, view) << (i * 8);
      return value;
    }
    const pa = this.translate(va, 0, view);
    if (pa < 0) return this.#pageFault();
    if (this.#watchpoints.length > 0) noteAccess(this.R, this.#watchpoints, va, size, false);
    const range = this.space.lookup(pa);
    if (range.readMa < 0) {
      this.#observer?.touches();
      return this.devices.read(pa, size);
    }
    const ma = range.readMa + (pa - range.start);
    this.#observer?.reads(ma, size);
    this.#fill(view, va, ma, false);
    return size === 1 ? this.bytes[ma]! : size === 2 ? this.#data.getUint16(ma, true) : this.#data.getInt32(ma, true);
  }

  #write(va: number, value: number, size: AccessSize, view: number): void {
    const within = 4096 - (va & 4095);
    if (size > within) {
      const next = va + within | 0;
      const first = this.translate(va, ACCESS_WRITE, view);
      const second = first < 0 ? -1 : this.translate(next, ACCESS_WRITE, view);
      if (second < 0) {
        this.#pageFault();
        return;
      }
      if (this.#needsReplay(first, within) || this.#needsReplay(second, size - within)) return;
      for (let i = 0; i < size; i++) this.#write(va + i | 0, value >>> (i * 8) & 255, 1, view);
      return;
    }
    const claimed = this.#claim(va, view);
    if (claimed >= 0) {
      this.#put(claimed, value, size);
      return;
    }
    const pa = this.translate(va, ACCESS_WRITE, view);
    if (pa < 0) {
      this.#pageFault();
      return;
    }
    if (this.#watchpoints.length > 0) noteAccess(this.R, this.#watchpoints, va, size, true);
    const range = this.space.lookup(pa);
    if (range.writeMa < 0) {
      this.#observer?.touches();
      this.devices.write(pa, size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value, size);
      return;
    }
    const ma = range.writeMa + (pa - range.start);
    if (this.codeLines.touches(ma, size)) {
      if (this.mustReplay(ma, size)) {
        this.R[PENDING_EXIT] = EXIT_PRECISE;
        return;
      }
      this.invalidateCode(ma, size);
    }
    if (this.codeLines.lines[ma >>> 12] === 0 && range.readMa >= 0 && range.readMa + (pa - range.start) === ma) this.#fill(view, va, ma, true);
    this.beforeWrite?.(ma);
    this.#observer?.writes(ma, size);
    this.#put(ma, value, size);
  }

  #put(ma: number, value: number, size: AccessSize): void {
    if (size === 1) this.bytes[ma] = value;
    else if (size === 2) this.#data.setUint16(ma, value, true);
    else this.#data.setInt32(ma, value, true);
  }

  #needsReplay(pa: number, length: number): boolean {
    const range = this.space.lookup(pa);
    if (range.writeMa < 0) return false;
    const ma = range.writeMa + (pa - range.start);
    if (!this.codeLines.touches(ma, length) || !this.mustReplay(ma, length)) return false;
    this.R[PENDING_EXIT] = EXIT_PRECISE;
    return true;
  }

  #pageFault(): number {
    this.R[PENDING_EXIT] = EXIT_FAULT;
    return 0;
  }

  #throwPageFault(): never {
    this.#pageFault();
    throw GUEST_FAULT;
  }

  #loadThrowing(va: number, size: AccessSize, view: number): number {
    const value = this.#read(va, size, view);
    if (this.R[PENDING_EXIT] !== 0) throw GUEST_FAULT;
    return value;
  }

  #storeThrowing(va: number, value: number, size: AccessSize, view: number): void {
    this.#write(va, value, size, view);
    if (this.R[PENDING_EXIT] !== 0) throw GUEST_FAULT;
  }

  #probe(va: number, length: number, write: boolean, view: number): void {
    if (!this.#mayAccess(va, length, write, view)) throw GUEST_FAULT;
  }

  /** Whether [va, va + length) may be accessed; else a fault, or for a write a replay, is asked for. */
  #mayAccess(va: number, length: number, write: boolean, view: number): boolean {
    // What the fast tables let through needs neither a walk nor a replay.
    const tables = this.tlb.view(view);
    if ((va & 4095) + length <= 4096 && ((write ? tables.granted : tables.read)[va >>> 12]! ^ va) >= 0) return true;
    for (let done = 0; done < length; ) {
      const at = va + done | 0;
      const count = Math.min(length - done, 4096 - (at & 4095));
      const pa = this.translate(at, write ? ACCESS_WRITE : 0, view);
      if (pa < 0) this.#pageFault();
      else if (write) this.#needsReplay(pa, count);
      if (this.R[PENDING_EXIT] !== 0) return false;
      done += count;
    }
    return true;
  }
}
