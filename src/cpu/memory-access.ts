/**
 * Guest memory as the processor sees it: VA -> PA -> MA with the fast tables in front, page faults, self-modifying
 * code, and the accesses that helpers use. The op code's slow paths end here.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import { CodeLines } from '../memory/code-lines.ts';
import { PageWalker } from '../memory/mmu.ts';
import type { PagingMode } from '../memory/mmu.ts';
import { Tlb } from '../memory/tlb.ts';
import type { AccessSize } from '../memory/io-region.ts';
import { EXIT_FAULT, EXIT_PRECISE } from '../tcg/env.ts';
import { MO_RMW, MO_SIGN } from '../tcg/ops.ts';
import type { TranslationBlock } from '../tcg/tb-cache.ts';
import { GUEST_FAULT } from './fault.ts';
import {
  A20_MASK, CR0, CR0_PG, CR0_WP, CR2, CR3, CR4, EXC_ERROR, EXC_HAS_ERROR, EXC_PF, EXC_VECTOR, HF_CPL_MASK, HFLAGS, PENDING_EXIT, STATE_SIZE,
} from './state.ts';

/** CR4.PSE (SDM vol. 3, 2.5). */
const CR4_PSE = 0x10;

export abstract class MemoryAccess {
  /** The state: src/cpu/state.ts. */
  readonly R = new Int32Array(STATE_SIZE);
  readonly space: AddressSpace;
  readonly bytes: Uint8Array;
  readonly tlb: Tlb;
  readonly #data: DataView;
  readonly #walker: PageWalker;
  readonly #paging: PagingMode = { directory: 0, writeProtect: false, largePages: false };
  /** Where translated blocks lie in memory. */
  readonly codeLines: CodeLines<TranslationBlock>;

  /** Where accesses to devices go: the address space, or in lockstep what records them. */
  protected devices: Pick<AddressSpace, 'read' | 'write'>;
  /** Lockstep: called before RAM at an MA is written. */
  protected beforeWrite: ((ma: number) => void) | null = null;

  /** @param lockstep stores come by before they happen (beforeWrite) */
  constructor(space: AddressSpace, lockstep = false) {
    this.space = this.devices = space;
    this.tlb = new Tlb(lockstep);
    this.bytes = space.memory.bytes;
    this.#data = space.memory.view;
    this.#walker = new PageWalker(space);
    this.codeLines = new CodeLines(space.memory.size, (page) => this.tlb.revokeWrites(page));
  }

  /** The block being run has more than one instruction and overlaps [ma, ma + length), within one page. */
  protected abstract mustReplay(ma: number, length: number): boolean;
  /** Drops every block that overlaps [ma, ma + length), within one page. */
  protected abstract invalidateCode(ma: number, length: number): void;

  /** CR0, CR3, CR4 or A20 have changed: reads them and drops what the fast tables hold. */
  reload(): void {
    this.readPagingMode();
    this.tlb.flush();
  }

  /** Takes over CR0, CR3 and CR4. */
  protected readPagingMode(): void {
    const R = this.R;
    this.#paging.directory = R[CR3]!;
    this.#paging.writeProtect = (R[CR0]! & CR0_WP) !== 0;
    this.#paging.largePages = (R[CR4]! & CR4_PSE) !== 0;
  }

  /**
   * The PA of va for this access, or -1 with the page fault recorded in the state (nothing is thrown).
   * The A20 gate acts on the result.
   */
  translate(va: number, write: boolean, user: boolean): number {
    const R = this.R;
    let pa = va >>> 0;
    if ((R[CR0]! & CR0_PG) !== 0) {
      pa = this.#walker.walk(this.#paging, va, write, user);
      if (pa < 0) {
        R[CR2] = va;
        R[EXC_VECTOR] = EXC_PF;
        R[EXC_ERROR] = this.#walker.errorCode;
        R[EXC_HAS_ERROR] = 1;
        return -1;
      }
    }
    return (pa & R[A20_MASK]!) >>> 0;
  }

  /** CR4.PSE: a page may be 4 MB long. */
  get hasLargePages(): boolean {
    return this.#paging.largePages;
  }

  /** PA of va by the page tables as they are, without faults or accessed bits; -1 if unmapped. For debuggers. */
  peek(va: number): number {
    if ((this.R[CR0]! & CR0_PG) === 0) return (va & this.R[A20_MASK]!) >>> 0;
    const pa = this.#walker.peek(this.#paging, va);
    return pa < 0 ? -1 : (pa & this.R[A20_MASK]!) >>> 0;
  }

  // Slow paths of the op code: a fault or a replay is asked for in PENDING_EXIT.

  loadSlow(va: number, memop: number): number {
    const size = (1 << (memop & 3)) as AccessSize, user = this.#isUser();
    if ((memop & MO_RMW) !== 0 && !this.#mayWrite(va, size, user)) return this.#pageFault();
    const value = this.#read(va, size, user);
    if ((memop & MO_SIGN) === 0) return value;
    return size === 1 ? value << 24 >> 24 : size === 2 ? value << 16 >> 16 : value;
  }

  storeSlow(va: number, value: number, memop: number): void {
    this.#write(va, value, (1 << (memop & 3)) as AccessSize, this.#isUser());
  }

  /** 8 or 16 bytes into state words; devices see words of 32 bits. */
  loadVecSlow(va: number, slot: number, bytes: number): void {
    const user = this.#isUser();
    if (!this.#mayAccess(va, bytes, false, user)) return;
    for (let i = 0; i < bytes; i += 4) this.R[slot + (i >> 2)] = this.#read(va + i | 0, 4, user);
  }

  storeVecSlow(va: number, slot: number, bytes: number): void {
    const user = this.#isUser();
    if (!this.#mayAccess(va, bytes, true, user)) return;
    for (let i = 0; i < bytes; i += 4) this.#write(va + i | 0, this.R[slot + (i >> 2)]!, 4, user);
  }

  // Accesses of helpers: a fault or a replay is thrown.

  load8(va: number): number {
    const p = this.#readTable()[va >>> 12]! ^ va;
    return p >= 0 ? this.bytes[p]! : this.#loadThrowing(va, 1, this.#isUser());
  }
  load16(va: number): number {
    const p = this.#readTable()[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4094 ? this.#data.getUint16(p, true) : this.#loadThrowing(va, 2, this.#isUser());
  }
  load32(va: number): number {
    const p = this.#readTable()[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4092 ? this.#data.getInt32(p, true) : this.#loadThrowing(va, 4, this.#isUser());
  }
  store8(va: number, value: number): void {
    const p = this.#writeTable()[va >>> 12]! ^ va;
    if (p >= 0) this.bytes[p] = value;
    else this.#storeThrowing(va, value, 1, this.#isUser());
  }
  store16(va: number, value: number): void {
    const p = this.#writeTable()[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4094) this.#data.setUint16(p, value, true);
    else this.#storeThrowing(va, value, 2, this.#isUser());
  }
  store32(va: number, value: number): void {
    const p = this.#writeTable()[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4092) this.#data.setInt32(p, value, true);
    else this.#storeThrowing(va, value, 4, this.#isUser());
  }
  // As supervisor, whatever the CPL: descriptor tables, TSS, interrupt stacks.
  sload8(va: number): number {
    const p = this.tlb.supervisor.read[va >>> 12]! ^ va;
    return p >= 0 ? this.bytes[p]! : this.#loadThrowing(va, 1, false);
  }
  sload16(va: number): number {
    const p = this.tlb.supervisor.read[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4094 ? this.#data.getUint16(p, true) : this.#loadThrowing(va, 2, false);
  }
  sload32(va: number): number {
    const p = this.tlb.supervisor.read[va >>> 12]! ^ va;
    return p >= 0 && (va & 4095) <= 4092 ? this.#data.getInt32(p, true) : this.#loadThrowing(va, 4, false);
  }
  sstore8(va: number, value: number): void {
    const p = this.tlb.supervisor.write[va >>> 12]! ^ va;
    if (p >= 0) this.bytes[p] = value;
    else this.#storeThrowing(va, value, 1, false);
  }
  sstore16(va: number, value: number): void {
    const p = this.tlb.supervisor.write[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4094) this.#data.setUint16(p, value, true);
    else this.#storeThrowing(va, value, 2, false);
  }
  sstore32(va: number, value: number): void {
    const p = this.tlb.supervisor.write[va >>> 12]! ^ va;
    if (p >= 0 && (va & 4095) <= 4092) this.#data.setInt32(p, value, true);
    else this.#storeThrowing(va, value, 4, false);
  }

  /**
   * Throws if any byte of [va, va + length) may not be accessed at this privilege, or (write) if writing it needs a
   * replay of the instruction; so after it the accesses themselves go through.
   */
  probe(va: number, length: number, write: boolean): void {
    this.#probe(va, length, write, this.#isUser());
  }
  /** probe() as supervisor. */
  sprobe(va: number, length: number, write: boolean): void {
    this.#probe(va, length, write, false);
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

  /** The MA of the code byte at va, -1 if it is not in plain memory (then `codeByteSlow` reads it); throws on a page fault. */
  codeAddress(va: number): number {
    const user = this.#isUser();
    const p = this.tlb.view(user).read[va >>> 12]! ^ va;
    if (p >= 0) return p;
    const pa = this.translate(va, false, user);
    if (pa < 0) this.#throwPageFault();
    const range = this.space.lookup(pa);
    if (range.readMa < 0) return -1;
    const ma = range.readMa + (pa - range.start);
    this.tlb.fill(user, va, ma, false);
    return ma;
  }

  /** Lockstep: the MA of va if a store may go there by the fast table; it then does. Else negative. */
  claim(va: number): number {
    return this.#claim(va, this.#isUser());
  }

  /** A code byte from a device region. */
  codeByteSlow(va: number): number {
    const pa = this.translate(va, false, this.#isUser());
    if (pa < 0) this.#throwPageFault();
    return this.space.read(pa, 1);
  }

  #claim(va: number, user: boolean): number {
    const view = this.tlb.view(user), ma = view.granted[va >>> 12]! ^ va;
    if (ma >= 0 && this.beforeWrite !== null) {
      this.beforeWrite(ma);
      view.expose(va);
    }
    return ma;
  }

  #isUser(): boolean {
    return (this.R[HFLAGS]! & HF_CPL_MASK) === 3;
  }
  #readTable(): Int32Array {
    return this.tlb.view(this.#isUser()).read;
  }
  #writeTable(): Int32Array {
    return this.tlb.view(this.#isUser()).write;
  }

  #mayWrite(va: number, size: AccessSize, user: boolean): boolean {
    const within = 4096 - (va & 4095);
    if (size <= within && this.#claim(va, user) >= 0) return true;
    return this.translate(va, true, user) >= 0 && (size <= within || this.translate(va + within | 0, true, user) >= 0);
  }

  #read(va: number, size: AccessSize, user: boolean): number {
    const within = 4096 - (va & 4095);
    if (size > within) {
      const next = va + within | 0;
      // Both pages first: a fault on the second must come before a device sees the first.
      if (this.translate(va, false, user) < 0 || this.translate(next, false, user) < 0) return this.#pageFault();
      let value = 0;
      for (let i = 0; i < size; i++) value |= this.#read(va + i | 0, 1, user) << (i * 8);
      return value;
    }
    const pa = this.translate(va, false, user);
    if (pa < 0) return this.#pageFault();
    const range = this.space.lookup(pa);
    if (range.readMa < 0) return this.devices.read(pa, size);
    const ma = range.readMa + (pa - range.start);
    this.tlb.fill(user, va, ma, false);
    return size === 1 ? this.bytes[ma]! : size === 2 ? this.#data.getUint16(ma, true) : this.#data.getInt32(ma, true);
  }

  #write(va: number, value: number, size: AccessSize, user: boolean): void {
    const within = 4096 - (va & 4095);
    if (size > within) {
      const next = va + within | 0;
      const first = this.translate(va, true, user);
      const second = first < 0 ? -1 : this.translate(next, true, user);
      if (second < 0) {
        this.#pageFault();
        return;
      }
      if (this.#needsReplay(first, within) || this.#needsReplay(second, size - within)) return;
      for (let i = 0; i < size; i++) this.#write(va + i | 0, value >>> (i * 8) & 255, 1, user);
      return;
    }
    const claimed = this.#claim(va, user);
    if (claimed >= 0) {
      this.#put(claimed, value, size);
      return;
    }
    const pa = this.translate(va, true, user);
    if (pa < 0) {
      this.#pageFault();
      return;
    }
    const range = this.space.lookup(pa);
    if (range.writeMa < 0) {
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
    if (this.codeLines.lines[ma >>> 12] === 0 && range.readMa >= 0 && range.readMa + (pa - range.start) === ma) this.tlb.fill(user, va, ma, true);
    this.beforeWrite?.(ma);
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

  #loadThrowing(va: number, size: AccessSize, user: boolean): number {
    const value = this.#read(va, size, user);
    if (this.R[PENDING_EXIT] !== 0) throw GUEST_FAULT;
    return value;
  }

  #storeThrowing(va: number, value: number, size: AccessSize, user: boolean): void {
    this.#write(va, value, size, user);
    if (this.R[PENDING_EXIT] !== 0) throw GUEST_FAULT;
  }

  #probe(va: number, length: number, write: boolean, user: boolean): void {
    if (!this.#mayAccess(va, length, write, user)) throw GUEST_FAULT;
  }

  /** Whether [va, va + length) may be accessed; else a fault, or for a write a replay, is asked for. */
  #mayAccess(va: number, length: number, write: boolean, user: boolean): boolean {
    // What the fast tables let through needs neither a walk nor a replay.
    const view = this.tlb.view(user);
    if ((va & 4095) + length <= 4096 && ((write ? view.granted : view.read)[va >>> 12]! ^ va) >= 0) return true;
    for (let done = 0; done < length; ) {
      const at = va + done | 0;
      const count = Math.min(length - done, 4096 - (at & 4095));
      const pa = this.translate(at, write, user);
      if (pa < 0) this.#pageFault();
      else if (write) this.#needsReplay(pa, count);
      if (this.R[PENDING_EXIT] !== 0) return false;
      done += count;
    }
    return true;
  }
}
