/**
 * Delivery of interrupts and exceptions: real-mode vectors, interrupt, trap and task gates, stack switches, and the
 * INT instructions. Intel SDM vol. 3, chapter 6 (6.12 gates, 6.13 error codes, 6.15 fault classes), 20.1.4 (real mode),
 * 20.3 (V86); vol. 2, INT n.
 */
import { openInnerStack } from './call-gate.ts';
import { checkCodeLimit, setCode } from './code-segment.ts';

import type { CpuContext } from './context.ts';
import {
  currentCpl, DESC_P, descriptorDpl, descriptorType, fetchDescriptor, gateOffset, gateSelector, isCode, isConforming, isNull, selectorError,
  TYPE_INTERRUPT_GATE16, TYPE_INTERRUPT_GATE32, TYPE_TASK_GATE, TYPE_TRAP_GATE16, TYPE_TRAP_GATE32,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { inV86, setNullSegment, setSegmentFrom, setSegmentReal } from './segment.ts';
import { mergeSp, PushStack } from './stack.ts';
import { fetchTaskGateTss, switchTask } from './task-switch.ts';
import { isTss32 } from './tss.ts';
import { redirectInterrupt } from './vme.ts';
import { readEflags } from '../flags.ts';
import {
  AC, CR0, CR0_PE, CS, DS, EFLAGS, EIP, ES, ESP, EXC_AC, EXC_BP, EXC_BR, EXC_DB, EXC_DE, EXC_DF, EXC_GP, EXC_MF, EXC_NM, EXC_NP, EXC_OF, EXC_PF, EXC_SS,
  EXC_TS, EXC_UD, EXC_XM, FS, GS, IDT_BASE, IDT_LIMIT, IF, NT, RF, SEG_SEL, SS, TF, TR_ATTR, VM,
} from '../state.ts';

/** What is delivered, and how. */
export interface InterruptOptions {
  /** INT n, INT3, INTO: the gate's DPL counts, and the EXT bit of error codes is clear. */
  readonly software: boolean;
  /** Pushed where hasError is set (never in real mode). */
  readonly errorCode?: number;
  readonly hasError?: boolean;
  /** The EIP to return to: of the faulting instruction, or of the next one. */
  readonly nextEip: number;
  /** A hardware interrupt or NMI: vectors 0-31 are then no faults. */
  readonly external?: boolean;
}

/** IDT bit of an error code: the index is a vector. */
const ERROR_IDT = 2;
const bit = (vector: number): number => 1 << vector;
/** Exceptions that are faults: EFLAGS is pushed with RF set. (#DB is one for instruction breakpoints only, with RF clear.) */
const FAULTS = [EXC_DE, EXC_BR, EXC_UD, EXC_NM, EXC_DF, EXC_TS, EXC_NP, EXC_SS, EXC_GP, EXC_PF, EXC_MF, EXC_AC, EXC_XM]
  .reduce((mask, vector) => mask | bit(vector), 0);
const CONTRIBUTORY = [EXC_DE, EXC_TS, EXC_NP, EXC_SS, EXC_GP].reduce((mask, vector) => mask | bit(vector), 0);

/** Class of an exception for double faults (SDM vol. 3, table 6-4). */
export type ExceptionClass = 'benign' | 'contributory' | 'page-fault' | 'double-fault';

export function exceptionClass(vector: number): ExceptionClass {
  if (vector === EXC_DF) return 'double-fault';
  if (vector === EXC_PF) return 'page-fault';
  return vector < 32 && (CONTRIBUTORY & bit(vector)) !== 0 ? 'contributory' : 'benign';
}

/**
 * What becomes of exception `second` raised while `first` was being delivered (SDM vol. 3, table 6-5):
 * the vector to deliver, or -1 for shutdown (a triple fault). `first` is -1 for interrupts: they are benign.
 */
export function combineExceptions(first: number, second: number): number {
  const before = first < 0 ? 'benign' : exceptionClass(first), now = exceptionClass(second);
  if (before === 'double-fault') return now === 'benign' ? second : -1;
  const double = (before === 'contributory' && now === 'contributory') || (before === 'page-fault' && (now === 'contributory' || now === 'page-fault'));
  return double ? EXC_DF : second;
}

/** Delivers; on return the processor stands at the handler's first instruction. Throws a fault that delivery meets, with nothing changed. */
export function deliverInterrupt(cpu: CpuContext, vector: number, options: InterruptOptions): void {
  const fault = !options.software && options.external !== true && vector < 32 && (FAULTS & bit(vector)) !== 0;
  const eflags = readEflags(cpu.R) | (fault ? RF : 0);
  const hasError = options.hasError === true;
  deliver(cpu, vector, options.software, options.nextEip, eflags, hasError ? options.errorCode ?? 0 : undefined);
}

function deliver(cpu: CpuContext, vector: number, software: boolean, nextEip: number, eflags: number, errorCode: number | undefined): void {
  cpu.logInterrupt(vector, errorCode ?? 0, software);
  if ((cpu.R[CR0]! & CR0_PE) === 0) deliverReal(cpu, vector, nextEip, eflags, software ? 0 : 1);
  else deliverProtected(cpu, vector, software, nextEip, eflags, errorCode);
  cpu.updateHflags();
}

/** The interrupt vector table: offset and segment, four bytes a vector. No error code is pushed. */
function deliverReal(cpu: CpuContext, vector: number, nextEip: number, eflags: number, ext: number): void {
  const R = cpu.R;
  if (vector * 4 + 3 > R[IDT_LIMIT]! >>> 0) cpu.raise(EXC_GP, vector * 8 | ERROR_IDT | ext);
  const entry = R[IDT_BASE]! + vector * 4 | 0;
  const ip = cpu.sload16(entry), selector = cpu.sload16(entry + 2 | 0);
  const stack = PushStack.current(cpu, ext);
  stack.reserve(3, 2);
  stack.push(eflags, 2);
  stack.push(R[SEG_SEL + CS]!, 2);
  stack.push(nextEip, 2);
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
  R[EFLAGS] = R[EFLAGS]! & ~(IF | TF | AC | RF);
  setSegmentReal(cpu, CS, selector);
  R[EIP] = ip;
}

function deliverProtected(cpu: CpuContext, vector: number, software: boolean, nextEip: number, eflags: number, errorCode: number | undefined): void {
  const R = cpu.R;
  const ext = software ? 0 : 1, gateError = vector * 8 | ERROR_IDT | ext;
  if (vector * 8 + 7 > R[IDT_LIMIT]! >>> 0) cpu.raise(EXC_GP, gateError);
  const entry = R[IDT_BASE]! + vector * 8 | 0;
  const low = cpu.sload32(entry), high = cpu.sload32(entry + 4 | 0);
  const type = high >> 8 & 31; // with the S bit
  const known = type === TYPE_TASK_GATE || type === TYPE_INTERRUPT_GATE16 || type === TYPE_TRAP_GATE16 || type === TYPE_INTERRUPT_GATE32 || type === TYPE_TRAP_GATE32;
  if (!known || (software && descriptorDpl(high) < currentCpl(cpu))) cpu.raise(EXC_GP, gateError);
  if ((high & DESC_P) === 0) cpu.raise(EXC_NP, gateError);

  if (type === TYPE_TASK_GATE) {
    const tss = fetchTaskGateTss(cpu, gateSelector(low), EXC_GP, ext);
    switchTask(cpu, tss, 'call', nextEip, eflags, ext);
    if (errorCode !== undefined) pushTaskError(cpu, errorCode, ext);
    return;
  }
  enterGate(cpu, low, high, nextEip, eflags, errorCode, ext);
}

/** The error code goes to the new task's stack, in the size of its TSS. */
function pushTaskError(cpu: CpuContext, errorCode: number, ext: number): void {
  const R = cpu.R;
  const stack = PushStack.current(cpu, ext);
  stack.push(errorCode, isTss32(R[TR_ATTR]!) ? 4 : 2);
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
}

/** An interrupt or trap gate. */
function enterGate(cpu: CpuContext, low: number, high: number, nextEip: number, eflags: number, errorCode: number | undefined, ext: number): void {
  const R = cpu.R;
  const size = (descriptorType(high) & 8) !== 0 ? 4 : 2;
  const eip = size === 4 ? gateOffset(low, high) : low & 0xffff;
  const selector = gateSelector(low);
  if (isNull(selector)) cpu.raise(EXC_GP, ext);
  const target = fetchDescriptor(cpu, selector, EXC_GP, ext);
  const error = selectorError(selector) | ext, cpl = currentCpl(cpu), dpl = descriptorDpl(target.high);
  const v86 = inV86(cpu);
  if (!isCode(target.high) || dpl > cpl) cpu.raise(EXC_GP, error);
  if ((target.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  const inner = !isConforming(target.high) && dpl < cpl;
  // A virtual-8086 task is interrupted into ring 0 only.
  if (v86 && (!inner || dpl !== 0)) cpu.raise(EXC_GP, error);

  if (inner) enterInner(cpu, target, eip, dpl, size, nextEip, eflags, errorCode, ext);
  else {
    const stack = PushStack.current(cpu, ext);
    stack.reserve(errorCode === undefined ? 3 : 4, size);
    checkCodeLimit(cpu, target, eip, ext);
    pushReturn(cpu, stack, size, nextEip, eflags, errorCode);
    setCode(cpu, target, eip, cpl);
    R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
  }
  // Interrupt gates are the even types.
  const cleared = TF | NT | RF | VM | ((high & 1 << 8) === 0 ? IF : 0);
  R[EFLAGS] = R[EFLAGS]! & ~cleared;
}

function pushReturn(cpu: CpuContext, stack: PushStack, size: number, nextEip: number, eflags: number, errorCode: number | undefined): void {
  stack.push(eflags, size);
  stack.push(cpu.R[SEG_SEL + CS]!, size);
  stack.push(nextEip, size);
  if (errorCode !== undefined) stack.push(errorCode, size);
}

/** With a change to the stack of an inner level; out of V86 mode the data segments are saved and cleared. */
function enterInner(
  cpu: CpuContext, target: Descriptor, eip: number, cpl: number, size: number, nextEip: number, eflags: number, errorCode: number | undefined, ext: number,
): void {
  const R = cpu.R;
  const v86 = inV86(cpu);
  const { selector, descriptor, stack } = openInnerStack(cpu, cpl, ext);
  stack.reserve((errorCode === undefined ? 5 : 6) + (v86 ? 4 : 0), size);
  checkCodeLimit(cpu, target, eip, ext);
  if (v86) for (const seg of [GS, FS, DS, ES]) stack.push(R[SEG_SEL + seg]!, size);
  stack.push(R[SEG_SEL + SS]!, size);
  stack.push(R[ESP]!, size);
  pushReturn(cpu, stack, size, nextEip, eflags, errorCode);

  R[EFLAGS] = R[EFLAGS]! & ~VM;
  if (v86) for (const seg of [GS, FS, DS, ES]) setNullSegment(cpu, seg, 0);
  setSegmentFrom(cpu, SS, selector & ~3 | cpl, descriptor);
  setCode(cpu, target, eip, cpl);
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
}

/** INT n. In V86 mode it needs IOPL 3, or is redirected (CR4.VME). */
export function soft_int(cpu: CpuContext, vector: number, nextEip: number): void {
  if (!redirectInterrupt(cpu, vector, nextEip)) deliver(cpu, vector, true, nextEip, readEflags(cpu.R), undefined);
}

/** INT3 (CC): no IOPL check in V86 mode. */
export function int3(cpu: CpuContext, nextEip: number): void {
  deliver(cpu, EXC_BP, true, nextEip, readEflags(cpu.R), undefined);
}

/** INTO with OF set. */
export function int_of(cpu: CpuContext, nextEip: number): void {
  deliver(cpu, EXC_OF, true, nextEip, readEflags(cpu.R), undefined);
}

/** INT1 (F1): as if hardware had raised #DB, so the gate's DPL does not count. */
export function int1(cpu: CpuContext, nextEip: number): void {
  deliver(cpu, EXC_DB, false, nextEip, readEflags(cpu.R), undefined);
}

export function raise(cpu: CpuContext, vector: number): void {
  cpu.raise(vector);
}

export function raise_err(cpu: CpuContext, vector: number, errorCode: number): void {
  cpu.raise(vector, errorCode);
}
