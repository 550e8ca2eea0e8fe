/**
 * The processor: its state, its memory access, and what helpers need of it. The run loop is in exec.ts.
 * Segment registers' hidden parts: Intel SDM vol. 3, 3.4.3; state after reset: vol. 3, 9.1.1.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import { VIEW_SMAP, VIEW_SUPERVISOR, VIEW_USER } from '../memory/tlb.ts';
import type { PortBus } from '../memory/port-bus.ts';
import { Executor } from './exec.ts';
import type { ExecutorOptions } from './exec.ts';
import { GUEST_FAULT } from './fault.ts';
import { MemoryAccess } from './memory-access.ts';
import type { MemoryObserver } from './memory-access.ts';
import {
  A20_MASK, AC, BUDGET, BUDGET_PARKED, CC_OP, CC_SRC, CR0, CR0_AM, CR0_CD, CR0_EM, CR0_ET, CR0_MP, CR0_NW, CR0_PE, CR0_PG, CR0_TS, CR4, CR4_OSFXSR, CR4_SMAP, CS, DF, DR, EDX, EFLAGS,
  EIP, EXC_AC, EXC_ERROR, EXC_HAS_ERROR, EXC_GP, EXC_SS, EXC_VECTOR, FPU, GDT_LIMIT, GLOBAL_NAMES, HF_AC, HF_CPL_MASK, HF_CS32, HF_DEBUG, HF_EM, HF_FLAT, HF_FROM_ZERO, HF_INHIBIT_IRQ, HF_IOPL_MASK,
  HF_IOPL_SHIFT, HF_MP, HF_OSFXSR, HF_PE, HF_PG, HF_RF, HF_SS32, HF_TF, HF_TS, HF_VM, HFLAGS, IDT_LIMIT, IF, INTR, LDT_ATTR, LDT_LIMIT,
  NMI_PENDING, PENDING_EXIT, RESET_ALL, RESET_INIT, RESET_REQUEST, RF, SEG_ATTR, SEG_BASE, SEG_HFLAGS, SEG_LIMIT, SEG_RHI, SEG_RLO, SEG_SEL, SEG_WHI, SEG_WLO,
  SS, SYSENTER, TEMPS, TF, TR_ATTR, TR_LIMIT, TSC_OFFSET, VIEW, VM,
} from './state.ts';
import type { FeatureSet } from './features.ts';
import { CC_OP_EFLAGS } from './flags.ts';
import { DeviceLog, DeviceMismatch } from './device-log.ts';
import type { ApicBase, PortAccess } from './helpers/context.ts';
import { createHelpers } from './helpers/index.ts';
import { PageLog } from './page-log.ts';
import { DEFAULT_MODEL, parseCpuModel } from './models.ts';
import type { CpuModel } from './models.ts';
import { Msrs } from './msrs.ts';
import { EXIT_FAULT, EXIT_PRECISE } from '../tcg/env.ts';
import { resetFpu } from './fpu/state.ts';
import { MXCSR, MXCSR_RESET } from './simd/state.ts';

/** What a processor is connected to. */
export interface CpuOptions extends ExecutorOptions {
  space: AddressSpace;
  io: PortBus;
  /** INTA cycle: the interrupt controller gives the vector. */
  acknowledge: () => number;
  /** Time-stamp counter as a whole number of cycles (below 2^53). */
  tsc: () => number;
  /** What the processor is; the default model if left out. */
  model?: CpuModel;
  /** A random int32, of RDRAND's quality; zeros if left out. */
  random?: () => number;
  apicBase?: ApicBase | null;
  /** Sees each access to plain memory, which is slow then. */
  observer?: MemoryObserver;
  /** FERR#: an unmasked x87 exception waits while CR0.NE is clear. The PC makes IRQ 13 of it. */
  fpuError?: () => void;
}

/** HF_FROM_ZERO of all segments: says nothing in real mode. */
const ALL_FROM_ZERO = 63 * HF_FROM_ZERO;

export class Cpu extends MemoryAccess {
  readonly io: PortAccess;
  /** Lockstep: what devices did and what memory held while a region is checked. */
  readonly shadow: { readonly devices: DeviceLog; readonly pages: PageLog } | null;
  readonly model: CpuModel;
  readonly msrs: Msrs;
  readonly apicBase: ApicBase | null;
  readonly exec: Executor;
  /** What sampleTsc() read. */
  tscLow = 0;
  tscHigh = 0;
  readonly #acknowledge: () => number;
  readonly #tsc: () => number;
  readonly #fpuError: () => void;
  readonly #random: () => number;

  constructor(options: CpuOptions) {
    super(options.space, options.lockstep, options.observer);
    const { io, tsc, random = () => 0, fpuError = () => {} } = options;
    this.#acknowledge = options.acknowledge;
    this.model = options.model ?? parseCpuModel(DEFAULT_MODEL);
    this.apicBase = options.apicBase ?? null;
    this.msrs = new Msrs(this.model.features, this.R);
    if (options.lockstep === true) {
      const devices = new DeviceLog(), pages = new PageLog(this.bytes);
      this.shadow = { devices, pages };
      this.io = devices.ports(io);
      this.devices = devices.memory(options.space);
      this.beforeWrite = (ma) => pages.keep(ma);
      this.#tsc = devices.number('tsc', tsc);
      this.#random = devices.number('random', random);
      this.#fpuError = devices.fpuError(fpuError);
    } else {
      this.shadow = null;
      this.io = io;
      this.#tsc = tsc;
      this.#random = random;
      this.#fpuError = fpuError;
    }
    this.exec = new Executor(this, createHelpers(this), options);
    options.space.onRamWrite = (ma, length) => this.#ramWritten(ma, length);
    options.space.onChange = () => this.#mapChanged();
    this.reset();
  }

  /** RESET#: as after power on, except that memory keeps its contents. */
  reset(): void {
    const R = this.R;
    const a20 = R[A20_MASK]!;
    R.fill(0, 0, TEMPS);
    R[A20_MASK] = a20 === 0 ? -1 : a20;
    R[EDX] = this.model.signature;
    this.msrs.reset();
    R[CC_OP] = CC_OP_EFLAGS;
    R[CC_SRC] = 0;
    R[DF] = 1;
    R[EFLAGS] = 2;
    R[CR0] = CR0_ET | 0x60000000;
    R[DR + 6] = 0xffff0ff0 | 0;
    R[DR + 7] = 0x400;
    R[GDT_LIMIT] = R[IDT_LIMIT] = R[LDT_LIMIT] = R[TR_LIMIT] = 0xffff;
    R[LDT_ATTR] = 0x8200;
    R[TR_ATTR] = 0x8b00;
    for (let seg = 0; seg < 6; seg++) this.setSegment(seg, 0, 0, 0xffff, seg === CS ? 0x9b00 : 0x9300);
    this.setSegment(CS, 0xf000, 0xffff0000 | 0, 0xffff, 0x9b00);
    R[EIP] = 0xfff0;
    resetFpu(R);
    R[MXCSR] = MXCSR_RESET;
    this.updateHflags();
    this.reload();
    this.exec.clearJumpCache();
  }

  /**
   * Runs up to `budget` guest instructions (1 to 2^30); returns how many retired. Ends early on HLT, on a reset request, and when `work`
   * guest instructions have been translated or compiled, so that making code does not take long either.
   */
  run(budget: number, work = Infinity): number {
    return this.exec.run(budget, work);
  }

  /**
   * The guest halts, at `now` by a clock of the host's (ns); `waiting`: as most of the time. Then what it does again and again is compiled,
   * within some milliseconds a call.
   */
  rest(now: number, waiting: boolean): void {
    this.exec.rest(now, waiting);
  }

  /**
   * Runs one instruction (one iteration, if it repeats), or delivers the exception that it raises. No interrupt is taken: for debuggers.
   * A processor that halts does nothing.
   */
  step(): void {
    this.exec.step();
  }

  /** Takes an external interrupt now, whatever EFLAGS.IF and the interrupt controller say. */
  interrupt(vector: number): void {
    this.exec.interrupt(vector);
  }

  /** Guest instructions retired since power on. Exact also while one runs, which is not counted then. */
  get retired(): number {
    return this.exec.retired;
  }

  /** Lets run() return at the next block boundary, with the rest of its budget not run. */
  endRun(): void {
    this.shadow?.devices.effect(() => this.endRun());
    this.exec.end();
  }

  /** The INTR pin. */
  setIntr(level: boolean): void {
    this.shadow?.devices.effect(() => this.setIntr(level));
    this.R[INTR] = level ? 1 : 0;
    if (level) this.kick();
  }

  /** An edge on the NMI pin. */
  raiseNmi(): void {
    this.shadow?.devices.effect(() => this.raiseNmi());
    this.R[NMI_PENDING] = 1;
    this.kick();
  }

  /** A general register, for a port that takes its question from registers. */
  register(number: number): number {
    const value = this.R[number]!;
    this.shadow?.devices.effect(() => {
      if (this.R[number] !== value) throw new DeviceMismatch(`a port found ${GLOBAL_NAMES[number]} = ${value >>> 0} when the region ran, and finds ${this.R[number]! >>> 0}`);
    });
    return value;
  }

  /** A port answers in a general register. */
  setRegister(number: number, value: number): void {
    this.shadow?.devices.effect(() => this.setRegister(number, value));
    this.R[number] = value;
  }

  /** The A20 gate: closed, address bit 20 reads as 0 on the bus. */
  setA20(open: boolean): void {
    this.shadow?.devices.effect(() => this.setA20(open));
    const mask = open ? -1 : ~0x100000;
    if (this.R[A20_MASK] === mask) return;
    this.R[A20_MASK] = mask;
    this.flushTlb();
    this.kick();
  }

  /** The reset pin: run() returns at the next block boundary, and the board resets. */
  requestReset(): void {
    this.shadow?.devices.effect(() => this.requestReset());
    this.R[RESET_REQUEST] = this.R[RESET_REQUEST]! | RESET_ALL;
    this.kick();
  }

  /** INIT#: run() returns at the next block boundary; who drives the machine then calls init(). */
  requestInit(): void {
    this.shadow?.devices.effect(() => this.requestInit());
    this.R[RESET_REQUEST] = this.R[RESET_REQUEST]! | RESET_INIT;
    this.kick();
  }

  /** As reset(), except for x87, SSE, caches, time-stamp counter and model-specific registers (SDM vol. 3, table 9-1). */
  init(): void {
    const R = this.R, intr = R[INTR]!, caches = R[CR0]! & (CR0_CD | CR0_NW);
    const kept = [FPU, SYSENTER, TSC_OFFSET].map((from, i) => ({ from, words: R.slice(from, [TEMPS, SYSENTER + 3, TSC_OFFSET + 2][i]!) }));
    this.reset();
    for (const { from, words } of kept) R.set(words, from);
    R[CR0] = R[CR0]! & ~(CR0_CD | CR0_NW) | caches;
    R[INTR] = intr;
  }

  /** An unmasked x87 exception waits: the processor stops before this instruction until an interrupt, if it takes any (SDM vol. 1, 8.7.2). */
  fpuError(): void {
    this.#fpuError();
    const R = this.R;
    if (R[INTR] === 0 || (R[EFLAGS]! & IF) === 0 || (R[HFLAGS]! & HF_INHIBIT_IRQ) !== 0) return;
    R[PENDING_EXIT] = EXIT_PRECISE;
    throw GUEST_FAULT;
  }

  logInterrupt(vector: number, errorCode: number, software: boolean): void {
    // Lockstep: the region has said it.
    if (this.shadow?.devices.replaying === true) return;
    this.exec.logInterrupt(vector, errorCode, software);
  }

  acknowledge(): number {
    return this.#acknowledge();
  }

  sampleTsc(): void {
    const R = this.R, cycles = this.#tsc();
    const low = cycles % 0x1_0000_0000 + (R[TSC_OFFSET]! >>> 0);
    this.tscLow = low | 0;
    this.tscHigh = Math.floor(cycles / 0x1_0000_0000) + R[TSC_OFFSET + 1]! + (low >= 0x1_0000_0000 ? 1 : 0) | 0;
  }

  setTsc(low: number, high: number): void {
    const R = this.R, cycles = this.#tsc();
    const difference = (low >>> 0) - cycles % 0x1_0000_0000;
    R[TSC_OFFSET] = difference | 0;
    R[TSC_OFFSET + 1] = high - Math.floor(cycles / 0x1_0000_0000) - (difference < 0 ? 1 : 0) | 0;
  }

  random(): number {
    return this.#random();
  }

  /** Takes the budget away, so that the run loop looks at events at the next block boundary. */
  kick(): void {
    const R = this.R;
    R[BUDGET_PARKED] = R[BUDGET_PARKED]! + R[BUDGET]!;
    R[BUDGET] = 0;
  }

  /** Raises an exception: leaves the helper and the instruction. */
  raise(vector: number, errorCode?: number): never {
    const R = this.R;
    R[EXC_VECTOR] = vector;
    R[EXC_ERROR] = errorCode ?? 0;
    R[EXC_HAS_ERROR] = errorCode === undefined ? 0 : 1;
    R[PENDING_EXIT] = EXIT_FAULT;
    throw GUEST_FAULT;
  }

  /**
   * The linear address of [offset, offset + size) in a segment.
   * Raises #SS(0) for SS, #GP(0) otherwise, if the segment does not hold it (SDM vol. 3, 5.3).
   */
  segCheck(seg: number, offset: number, size: number, write: boolean): number {
    const R = this.R;
    const low = R[(write ? SEG_WLO : SEG_RLO) + seg]! >>> 0, high = R[(write ? SEG_WHI : SEG_RHI) + seg]! >>> 0;
    const first = offset >>> 0, last = first + size - 1;
    if (first < low || last > high) this.raise(seg === SS ? EXC_SS : EXC_GP, 0);
    const linear = R[SEG_BASE + seg]! + offset | 0;
    this.checkAlignment(linear, size);
    return linear;
  }

  /** #AC at privilege level 3 for words and doublewords that are not aligned (SDM vol. 3, 6.15). */
  checkAlignment(linear: number, size: number): void {
    if ((this.R[HFLAGS]! & HF_AC) !== 0 && (size === 2 || size === 4) && (linear & size - 1) !== 0) this.raise(EXC_AC, 0);
  }

  /** Loads a segment register with its hidden part; the caller has checked it. updateHflags() is the caller's too. */
  setSegment(seg: number, selector: number, base: number, limit: number, attr: number): void {
    const R = this.R;
    R[SEG_SEL + seg] = selector;
    R[SEG_BASE + seg] = base;
    R[SEG_LIMIT + seg] = limit;
    R[SEG_ATTR + seg] = attr;
    const code = (attr & 0x800) !== 0;
    const usable = (attr & 0x8000) !== 0;
    // Expand-down segments hold what is above the limit, up to 64 KB or 4 GB by the B bit.
    const down = !code && (attr & 0x400) !== 0;
    const low = down ? limit + 1 | 0 : 0;
    const high = down ? ((attr & 0x400000) !== 0 ? -1 : 0xffff) : limit;
    const empty = !usable || (low >>> 0) > (high >>> 0) || (down && limit === -1);
    // In real and virtual-8086 mode CS may be written; there its attributes are those of data.
    const realMode = (R[CR0]! & CR0_PE) === 0 || (R[EFLAGS]! & VM) !== 0;
    const readable = !empty && (!code || (attr & 0x200) !== 0);
    const writable = !empty && (realMode || (!code && (attr & 0x200) !== 0));
    R[SEG_RLO + seg] = readable ? low : 1;
    R[SEG_RHI + seg] = readable ? high : 0;
    R[SEG_WLO + seg] = writable ? low : 1;
    R[SEG_WHI + seg] = writable ? high : 0;

    let flags = R[SEG_HFLAGS]! & ~((HF_FLAT | HF_FROM_ZERO) << seg);
    const whole = low === 0 && high === -1 && readable;
    if (whole && base === 0 && (seg === CS || writable)) flags |= HF_FLAT << seg;
    if (low === 0 && high >>> 0 >= 3 && readable && writable) flags |= HF_FROM_ZERO << seg;
    const size = seg === CS ? HF_CS32 : seg === SS ? HF_SS32 : 0;
    R[SEG_HFLAGS] = (attr & 0x400000) !== 0 ? flags | size : flags & ~size;
  }

  get cpl(): number {
    return this.R[HFLAGS]! & HF_CPL_MASK;
  }

  setCpl(cpl: number): void {
    this.R[HFLAGS] = (this.R[HFLAGS]! & ~HF_CPL_MASK) | cpl;
  }

  /** Brings HFLAGS up to date with CR0, EFLAGS, the segments and the CPL (bits 0-1 of HFLAGS itself). */
  updateHflags(): void {
    const R = this.R;
    const cr0 = R[CR0]!, eflags = R[EFLAGS]!;
    let flags = R[HFLAGS]! & (HF_CPL_MASK | HF_INHIBIT_IRQ);
    if ((cr0 & CR0_PE) !== 0) flags |= HF_PE;
    else flags &= ~HF_CPL_MASK;
    if ((cr0 & CR0_PG) !== 0) flags |= HF_PG;
    if ((cr0 & CR0_EM) !== 0) flags |= HF_EM;
    if ((cr0 & CR0_TS) !== 0) flags |= HF_TS;
    if ((cr0 & CR0_MP) !== 0) flags |= HF_MP;
    if ((R[CR4]! & CR4_OSFXSR) !== 0) flags |= HF_OSFXSR;
    if ((eflags & VM) !== 0) flags |= HF_VM | 3;
    if ((R[DR + 7]! & 0xff) !== 0) flags |= HF_DEBUG;
    if ((eflags & TF) !== 0) flags |= HF_TF;
    if ((eflags & RF) !== 0) flags |= HF_RF;
    flags |= (eflags >> 12 & 3) << HF_IOPL_SHIFT & HF_IOPL_MASK;
    if ((cr0 & CR0_AM) !== 0 && (eflags & AC) !== 0 && (flags & HF_CPL_MASK) === 3) flags |= HF_AC;
    flags |= (flags & HF_PE) !== 0 ? R[SEG_HFLAGS]! : R[SEG_HFLAGS]! & ~ALL_FROM_ZERO;
    R[HFLAGS] = flags;
    if ((flags & HF_CPL_MASK) === 3) R[VIEW] = VIEW_USER;
    else R[VIEW] = (R[CR4]! & CR4_SMAP) !== 0 && (eflags & AC) === 0 && (cr0 & CR0_PG) !== 0 ? VIEW_SMAP : VIEW_SUPERVISOR;
  }

  /** CR0, CR3, CR4, EFER or A20 have changed. */
  flushTlb(keepGlobal = false): void {
    this.reload(keepGlobal);
    this.exec.clearJumpCache(keepGlobal);
  }

  watchpointsChanged(): void {
    this.readWatchpoints();
    this.tlb.flush();
  }

  /** INVLPG. */
  flushPage(va: number): void {
    this.forgetPage(va);
    this.exec.clearJumpCache();
  }

  protected override get features(): FeatureSet {
    return this.model.features;
  }

  protected override mustReplay(ma: number, length: number): boolean {
    return this.exec.mustReplay(this.codeLines.overlapping(ma, length));
  }

  protected override invalidateCode(ma: number, length: number): void {
    this.exec.invalidate(this.codeLines.overlapping(ma, length));
  }

  /** A device, DMA or a page walk writes to RAM. */
  #ramWritten(ma: number, length: number): void {
    if (this.shadow !== null) this.#noteWrite(ma, length);
    if (this.codeLines.touches(ma, length)) this.invalidateCode(ma, length);
  }

  /** Lockstep: memory of a device's doing is written again when the interpreter does the access. */
  #noteWrite(ma: number, length: number): void {
    for (let page = ma & ~4095; page < ma + length; page += 4096) this.beforeWrite?.(page);
    let written = new Uint8Array(0);
    this.shadow?.devices.effect(() => {
      this.#ramWritten(ma, length);
      this.bytes.set(written, ma);
    }, () => { written = this.bytes.slice(ma, ma + length); });
  }

  /** Lockstep: the state was put back. */
  rollBack(): void {
    this.readPagingMode();
    this.readWatchpoints();
  }

  #mapChanged(): void {
    if (this.shadow !== null) this.shadow.devices.remapped = true;
    this.flushTlb();
    this.kick();
  }
}
