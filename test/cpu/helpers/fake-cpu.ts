/**
 * A processor for helper tests: the state, flat memory without paging (single pages can be made absent), ports, and a
 * builder of descriptor tables. It takes no shortcuts in what helpers see: segCheck, raise and HFLAGS are as in class Cpu.
 */
import { expect } from 'vitest';
import { parseCpuModel } from '../../../src/cpu/models.ts';
import { Msrs } from '../../../src/cpu/msrs.ts';
import type { CpuContext, PortAccess } from '../../../src/cpu/helpers/context.ts';
import { readEflags, writeEflags } from '../../../src/cpu/flags.ts';
import {
  BUDGET, CC_OP, CR0, CR0_PE, CS, CUR_OP, DF, DS, EFLAGS, EIP, ES, ESP, EXC_ERROR, EXC_GP, EXC_HAS_ERROR, EXC_PF, EXC_SS, EXC_VECTOR, FS, GDT_BASE,
  GDT_LIMIT, GS, HF_CPL_MASK, HF_CS32, HF_IOPL_SHIFT, HF_PE, HF_SS32, HF_TF, HF_VM, HFLAGS, IDT_BASE, IDT_LIMIT, LDT_ATTR, SEG_ATTR,
  SEG_BASE, SEG_LIMIT, SEG_RHI, SEG_RLO, SEG_SEL, SEG_WHI, SEG_WLO, SS, STATE_SIZE, TF, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL, VM,
} from '../../../src/cpu/state.ts';

/** What the fake throws in place of GUEST_FAULT; the details are in R[EXC_*]. */
export const FAULT = { fault: true };

// Access bytes (descriptor bits 8-15 without DPL), present.
export const CODE = 0x9a, CODE_CONFORMING = 0x9e, CODE_EXECUTE_ONLY = 0x98, DATA = 0x92, DATA_READ_ONLY = 0x90, DATA_DOWN = 0x96;
export const LDT = 0x82, TSS16_FREE = 0x81, TSS16_BUSY = 0x83, TSS32_FREE = 0x89, TSS32_BUSY = 0x8b;
export const CALL_GATE16 = 0x84, TASK_GATE = 0x85, INTERRUPT_GATE16 = 0x86, TRAP_GATE16 = 0x87, CALL_GATE32 = 0x8c, INTERRUPT_GATE32 = 0x8e, TRAP_GATE32 = 0x8f;
/** D/B and G, for the flags nibble. */
export const BIG = 4, PAGES = 8;

export const GDT_AT = 0x1000, IDT_AT = 0x2000, LDT_AT = 0x3000, TSS_AT = 0x4000;

export class FakeCpu implements CpuContext {
  readonly R = new Int32Array(STATE_SIZE);
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly absent = new Set<number>();
  readonly portLog: string[] = [];
  /** Values that ports give, by number. */
  readonly ports = new Map<number, number>();
  readonly flushed: string[] = [];
  tscLow = 0;
  tscHigh = 0;
  /** false: plainRead and plainWrite find nothing, so that only slow paths run. */
  plain = true;
  /** Called before each port access, with the budget as devices see it. */
  onPort: () => void = () => undefined;
  readonly io: PortAccess = {
    read: (port, size) => {
      this.onPort();
      this.portLog.push(`in ${port.toString(16)} ${size}`);
      return this.ports.get(port) ?? -1;
    },
    write: (port, value, size) => {
      this.onPort();
      this.portLog.push(`out ${port.toString(16)} ${size} ${(value >>> 0).toString(16)}`);
    },
  };

  constructor(size = 0x200000) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    const R = this.R;
    R[CC_OP] = 1;
    R[DF] = 1;
    R[EFLAGS] = 2;
    R[BUDGET] = 1_000_000;
    R[IDT_LIMIT] = 0x3ff;
    for (let seg = 0; seg < 6; seg++) this.setSegment(seg, 0, 0, 0xffff, seg === CS ? 0x9b00 : 0x9300);
    this.updateHflags();
  }

  // CpuContext
  #check(va: number, length: number): number {
    const first = va >>> 12, last = va + length - 1 >>> 12;
    if (this.absent.has(first) || this.absent.has(last)) return this.raise(EXC_PF, 0);
    return va >>> 0;
  }
  load8(va: number): number { return this.view.getUint8(this.#check(va, 1)); }
  load16(va: number): number { return this.view.getUint16(this.#check(va, 2), true); }
  load32(va: number): number { return this.view.getInt32(this.#check(va, 4), true); }
  store8(va: number, value: number): void { this.view.setUint8(this.#check(va, 1), value); }
  store16(va: number, value: number): void { this.view.setUint16(this.#check(va, 2), value, true); }
  store32(va: number, value: number): void { this.view.setInt32(this.#check(va, 4), value, true); }
  sload8(va: number): number { return this.load8(va); }
  sload16(va: number): number { return this.load16(va); }
  sload32(va: number): number { return this.load32(va); }
  sstore8(va: number, value: number): void { this.store8(va, value); }
  sstore16(va: number, value: number): void { this.store16(va, value); }
  sstore32(va: number, value: number): void { this.store32(va, value); }
  probe(va: number, length: number): void { this.#check(va, length); }
  sprobe(va: number, length: number): void { this.#check(va, length); }
  plainRead(va: number, length: number): number {
    return this.plain && (va & 4095) + length <= 4096 && !this.absent.has(va >>> 12) ? va : -1;
  }
  plainWrite(va: number, length: number): number { return this.plainRead(va, length); }

  segCheck(seg: number, offset: number, size: number, write: boolean): number {
    const R = this.R;
    const low = R[(write ? SEG_WLO : SEG_RLO) + seg]! >>> 0, high = R[(write ? SEG_WHI : SEG_RHI) + seg]! >>> 0;
    if (offset >>> 0 < low || (offset >>> 0) + size - 1 > high) this.raise(seg === SS ? EXC_SS : EXC_GP, 0);
    return R[SEG_BASE + seg]! + offset | 0;
  }
  checkAlignment(): void {
    // CR0.AM is off.
  }
  raise(vector: number, errorCode?: number): never {
    this.R[EXC_VECTOR] = vector;
    this.R[EXC_ERROR] = errorCode ?? 0;
    this.R[EXC_HAS_ERROR] = errorCode === undefined ? 0 : 1;
    throw FAULT;
  }
  setCpl(cpl: number): void { this.R[HFLAGS] = this.R[HFLAGS]! & ~HF_CPL_MASK | cpl; }
  updateHflags(): void {
    const R = this.R;
    let flags = R[HFLAGS]! & HF_CPL_MASK;
    if ((R[CR0]! & CR0_PE) !== 0) flags |= HF_PE;
    else flags &= ~HF_CPL_MASK;
    if ((R[EFLAGS]! & VM) !== 0) flags |= HF_VM | 3;
    if ((R[EFLAGS]! & TF) !== 0) flags |= HF_TF;
    flags |= (R[EFLAGS]! >> 12 & 3) << HF_IOPL_SHIFT;
    if ((R[SEG_ATTR + CS]! & 0x400000) !== 0) flags |= HF_CS32;
    if ((R[SEG_ATTR + SS]! & 0x400000) !== 0) flags |= HF_SS32;
    R[HFLAGS] = flags;
  }
  setSegment(seg: number, selector: number, base: number, limit: number, attr: number): void {
    const R = this.R;
    R[SEG_SEL + seg] = selector;
    R[SEG_BASE + seg] = base;
    R[SEG_LIMIT + seg] = limit;
    R[SEG_ATTR + seg] = attr;
    const code = (attr & 0x800) !== 0, down = !code && (attr & 0x400) !== 0;
    const low = down ? (limit >>> 0) + 1 : 0, high = down ? ((attr & 0x400000) !== 0 ? 0xffffffff : 0xffff) : limit >>> 0;
    const usable = (attr & 0x8000) !== 0 && low <= high;
    const real = (R[CR0]! & CR0_PE) === 0 || (R[EFLAGS]! & VM) !== 0;
    const readable = usable && (!code || (attr & 0x200) !== 0), writable = usable && (real || (!code && (attr & 0x200) !== 0));
    R[SEG_RLO + seg] = readable ? low : 1;
    R[SEG_RHI + seg] = readable ? high : 0;
    R[SEG_WLO + seg] = writable ? low : 1;
    R[SEG_WHI + seg] = writable ? high : 0;
  }
  flushTlb(): void { this.flushed.push('all'); }
  flushPage(va: number): void { this.flushed.push((va >>> 0).toString(16)); }
  readonly model = parseCpuModel('max');
  readonly msrs = new Msrs(this.model.features, this.R);
  watchpointsChanged(): void {}
  readonly apicBase = null;
  readPhysical(pa: number): number { return this.load32(pa); }
  random(): number { return 0x12345678; }
  setTsc(): void {}
  sampleTsc(): void {
    this.tscLow = 0x89abcdef | 0;
    this.tscHigh = 0x1234567;
  }
  fpuError(): void {}
  kick(): void { this.R[BUDGET] = 0; }
  logInterrupt(): void {}

  // For tests
  get cpl(): number { return this.R[HFLAGS]! & 3; }
  get eflags(): number { return readEflags(this.R); }
  set eflags(value: number) {
    writeEflags(this.R, value, -1);
    this.updateHflags();
  }
  selector(seg: number): number { return this.R[SEG_SEL + seg]!; }

  /** Runs and expects a fault; gives `vector` or `vector:error`, both hexadecimal. The position is marked so that commitState shows. */
  fault(run: () => void): string {
    const R = this.R;
    R[CUR_OP] = 1234;
    try {
      run();
    } catch (thrown) {
      if (thrown !== FAULT) throw thrown;
      return R[EXC_VECTOR]!.toString(16) + (R[EXC_HAS_ERROR] === 1 ? `:${R[EXC_ERROR]!.toString(16)}` : '');
    }
    return 'none';
  }
  /** As fault(), and checks that the state is as before. */
  cleanFault(run: () => void): string {
    const before = this.snapshot();
    const result = this.fault(run);
    expect(this.snapshot()).toEqual(before);
    return result;
  }
  /** Registers, flags, segments, system registers; not the fault itself. */
  snapshot(): number[] {
    return [...this.R.subarray(0, CUR_OP)];
  }

  /** Writes a segment or system descriptor at a table entry. */
  describe(table: number, index: number, base: number, limit: number, access: number, dpl = 0, flags = 0): void {
    this.view.setInt32(table + index * 8, limit & 0xffff | base << 16, true);
    this.view.setInt32(table + index * 8 + 4, base >>> 16 & 0xff | (access | dpl << 5) << 8 | limit & 0xf0000 | flags << 20 | base & 0xff000000, true);
  }
  gate(table: number, index: number, selector: number, offset: number, access: number, dpl = 0, count = 0): void {
    this.view.setInt32(table + index * 8, offset & 0xffff | selector << 16, true);
    this.view.setInt32(table + index * 8 + 4, offset & 0xffff0000 | (access | dpl << 5) << 8 | count, true);
  }
  access(table: number, index: number): number { return this.bytes[table + index * 8 + 5]!; }

  /** The words (size 2 or 4) on the stack, top first. */
  stack(count: number, size: 2 | 4): number[] {
    const at = this.R[SEG_BASE + SS]! + this.R[ESP]! >>> 0;
    return Array.from({ length: count }, (_, i) => (size === 2 ? this.view.getUint16(at + i * 2, true) : this.view.getInt32(at + i * 4, true)));
  }
  push32(...values: number[]): void {
    for (const value of values) {
      this.R[ESP] = this.R[ESP]! - 4;
      this.view.setInt32(this.R[SEG_BASE + SS]! + this.R[ESP]!, value, true);
    }
  }
}

// Selectors of the standard GDT.
export const K_CODE = 0x08, K_DATA = 0x10, U_CODE = 0x18 | 3, U_DATA = 0x20 | 3, TSS = 0x28, LDT_SEL = 0x30, TSS_B = 0x38, FREE = 0x40;
export const KERNEL_STACK = 0x9000, USER_STACK = 0xa000;

/** Protected mode: flat kernel and user segments, an LDT, a 32-bit TSS with SS0:ESP0, at privilege level `cpl`. */
export function protectedCpu(cpl: 0 | 3 = 0): FakeCpu {
  const cpu = new FakeCpu();
  const R = cpu.R;
  const flat = BIG | PAGES;
  cpu.describe(GDT_AT, 1, 0, 0xfffff, CODE, 0, flat);
  cpu.describe(GDT_AT, 2, 0, 0xfffff, DATA, 0, flat);
  cpu.describe(GDT_AT, 3, 0, 0xfffff, CODE, 3, flat);
  cpu.describe(GDT_AT, 4, 0, 0xfffff, DATA, 3, flat);
  cpu.describe(GDT_AT, 5, TSS_AT, 0x67, TSS32_BUSY);
  cpu.describe(GDT_AT, 6, LDT_AT, 0x7f, LDT);
  cpu.view.setInt32(TSS_AT + 4, KERNEL_STACK, true);
  cpu.view.setInt32(TSS_AT + 8, K_DATA, true);
  cpu.view.setInt32(TSS_AT + 100, 0x68 << 16, true); // no I/O bitmap: it would begin at the limit
  R[CR0] = CR0_PE;
  R[GDT_BASE] = GDT_AT;
  R[GDT_LIMIT] = 0x3ff;
  R[IDT_BASE] = IDT_AT;
  R[IDT_LIMIT] = 0x7ff;
  R[TR_SEL] = TSS;
  R[TR_BASE] = TSS_AT;
  R[TR_LIMIT] = 0x67;
  R[TR_ATTR] = 0x8b00;
  R[LDT_ATTR] = 0;
  const [code, data] = cpl === 0 ? [K_CODE, K_DATA] : [U_CODE, U_DATA];
  cpu.setSegment(CS, code, 0, -1, 0xc09b00 | cpl << 13);
  for (const seg of [ES, SS, DS, FS, GS]) cpu.setSegment(seg, data, 0, -1, 0xc09300 | cpl << 13);
  R[ESP] = cpl === 0 ? KERNEL_STACK : USER_STACK;
  R[EIP] = 0x5000;
  cpu.setCpl(cpl);
  cpu.updateHflags();
  return cpu;
}
