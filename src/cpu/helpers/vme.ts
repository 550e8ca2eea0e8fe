/**
 * Virtual-8086 mode extensions and protected-mode virtual interrupts (CR4.VME, CR4.PVI): with an IOPL below 3, VIF stands in for IF, and INT n may
 * go to the program's own handlers. Intel SDM vol. 3, 20.3.3 and 20.4.
 */
import type { CpuContext } from './context.ts';
import { currentCpl } from './descriptor.ts';
import { inV86, setV86Segment } from './segment.ts';
import { mergeSp, PushStack, readStack, stackMask } from './stack.ts';
import { isTss32, TSS32 } from './tss.ts';
import { EFLAGS_DEFINED, readEflags, writeEflags } from '../flags.ts';
import { CR0, CR0_PE, CR4, CS, EFLAGS, EIP, ESP, EXC_GP, IF, IOPL, RF, SEG_SEL, TF, TR_ATTR, TR_BASE, TR_LIMIT, VIF, VIP } from '../state.ts';

const CR4_VME = 1, CR4_PVI = 2;

const iopl = (cpu: CpuContext): number => cpu.R[EFLAGS]! >> 12 & 3;

/** CLI and STI act on VIF, where they would be #GP. */
export function hasVirtualIf(cpu: CpuContext): boolean {
  const R = cpu.R;
  return (R[CR0]! & CR0_PE) !== 0 && iopl(cpu) < 3 && currentCpl(cpu) === 3 && (R[CR4]! & (inV86(cpu) ? CR4_VME : CR4_PVI)) !== 0;
}

/** #GP(0) in virtual-8086 mode with an IOPL below 3, unless the 16-bit form is virtualized: then true. */
export function isVirtualized(cpu: CpuContext, opSize: number): boolean {
  if (!inV86(cpu) || iopl(cpu) === 3) return false;
  if ((cpu.R[CR4]! & CR4_VME) === 0 || opSize !== 2) cpu.raise(EXC_GP, 0);
  return true;
}

/** The FLAGS that a program sees: IF is VIF, IOPL 3. */
const virtualFlags = (R: Int32Array): number => readEflags(R) & ~IF | ((R[EFLAGS]! & VIF) !== 0 ? IF : 0) | IOPL;

/** PUSHF in virtual-8086 mode with an IOPL below 3. */
export function pushf_v86(cpu: CpuContext, opSize: number): number {
  isVirtualized(cpu, opSize);
  return virtualFlags(cpu.R);
}

/** The 16 bits that POPF or IRET load: IF goes to VIF. #GP(0) if an interrupt waits for that, or for TF. */
export function writeVirtualFlags(cpu: CpuContext, value: number): void {
  const R = cpu.R;
  if ((value & TF) !== 0 || ((value & IF) !== 0 && (R[EFLAGS]! & VIP) !== 0)) cpu.raise(EXC_GP, 0);
  writeEflags(R, value, EFLAGS_DEFINED & 0xffff & ~(IF | IOPL));
  R[EFLAGS] = R[EFLAGS]! & ~(VIF | RF) | ((value & IF) !== 0 ? VIF : 0);
}

/** IRET in virtual-8086 mode with an IOPL below 3. */
export function iretVirtual(cpu: CpuContext): void {
  const R = cpu.R, esp = R[ESP]!, mask = stackMask(cpu);
  const ip = readStack(cpu, esp, mask, 2), selector = readStack(cpu, esp + 2, mask, 2), flags = readStack(cpu, esp + 4, mask, 2);
  writeVirtualFlags(cpu, flags);
  setV86Segment(cpu, CS, selector);
  R[EIP] = ip;
  R[ESP] = mergeSp(esp, esp + 6, mask);
}

/** CLI, STI on VIF. */
export function setVirtualIf(cpu: CpuContext, value: boolean): void {
  const R = cpu.R;
  if (value && (R[EFLAGS]! & VIP) !== 0) cpu.raise(EXC_GP, 0);
  R[EFLAGS] = value ? R[EFLAGS]! | VIF : R[EFLAGS]! & ~VIF;
}

/**
 * INT n in virtual-8086 mode: with CR4.VME and a 0 in the TSS's redirection bitmap it goes to the program's interrupt vector table, and this
 * is true; else it is #GP(0) with an IOPL below 3.
 */
export function redirectInterrupt(cpu: CpuContext, vector: number, nextEip: number): boolean {
  const R = cpu.R;
  if (!inV86(cpu)) return false;
  if ((R[CR4]! & CR4_VME) === 0 || !isRedirected(cpu, vector)) {
    if (iopl(cpu) < 3) cpu.raise(EXC_GP, 0);
    return false;
  }
  const ip = cpu.load16(vector * 4), selector = cpu.load16(vector * 4 + 2);
  const stack = PushStack.current(cpu, 0), privileged = iopl(cpu) === 3;
  stack.reserve(3, 2);
  stack.push(privileged ? readEflags(R) : virtualFlags(R), 2);
  stack.push(R[SEG_SEL + CS]!, 2);
  stack.push(nextEip, 2);
  R[EFLAGS] = R[EFLAGS]! & ~(TF | (privileged ? IF : VIF));
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
  setV86Segment(cpu, CS, selector);
  R[EIP] = ip;
  cpu.updateHflags();
  return true;
}

/** The 32 bytes before the I/O map. */
function isRedirected(cpu: CpuContext, vector: number): boolean {
  const R = cpu.R;
  if (!isTss32(R[TR_ATTR]!)) return false;
  const at = cpu.sload16(R[TR_BASE]! + TSS32.ioMap | 0) - 32 + (vector >> 3);
  if (at < 0 || at > R[TR_LIMIT]! >>> 0) return false;
  return (cpu.sload8(R[TR_BASE]! + at | 0) >> (vector & 7) & 1) === 0;
}

/** The EFLAGS bits that IRET at CPL 0 and a task switch load. */
export const loadableFlags = (cpu: CpuContext): number => (cpu.model.features.virtualInterrupts ? EFLAGS_DEFINED | VIF | VIP : EFLAGS_DEFINED);
