/**
 * Instructions that move several words between registers and the stack, and BOUND: PUSHA, ENTER.
 * Intel SDM vol. 2, those instructions; vol. 1, 6.6.1 (ENTER).
 */
import type { CpuContext } from './context.ts';
import { mergeSp, PushStack, readStack } from './stack.ts';
import { EAX, EBP, ESP, EXC_BR, SS } from '../state.ts';

/** Pushes eAX eCX eDX eBX, eSP as it was before, eBP eSI eDI. */
export function pusha(cpu: CpuContext, opSize: number): void {
  const R = cpu.R;
  const stack = PushStack.current(cpu, 0);
  stack.reserve(8, opSize);
  for (let i = 0; i < 8; i++) stack.push(R[EAX + i]!, opSize);
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
}

/**
 * @param bytes size of the local variables, 0-65535
 * @param level nesting level (modulo 32): how many frame pointers the display gets
 */
export function enter(cpu: CpuContext, bytes: number, level: number, opSize: number): void {
  const R = cpu.R;
  level &= 31;
  const stack = PushStack.current(cpu, 0);
  const { mask } = stack;
  const pointer = (i: number): number => readStack(cpu, R[EBP]! - i * opSize, mask, opSize);
  // Faults first; the pointers themselves are read between the pushes, which may overwrite them.
  for (let i = 1; i < level; i++) pointer(i);
  stack.reserve(1 + level, opSize);
  stack.push(R[EBP]!, opSize);
  // All of ESP, also where only SP counts as the stack pointer.
  const frame = mergeSp(R[ESP]!, stack.sp, mask);
  for (let i = 1; i < level; i++) stack.push(pointer(i), opSize);
  if (level > 0) stack.push(frame, opSize);
  // The processor touches the end of the new frame, so that a fault comes here and not at the next push.
  const sp = stack.sp - bytes & mask;
  cpu.probe(cpu.segCheck(SS, sp, opSize, true), opSize, true);
  R[EBP] = opSize === 2 ? R[EBP]! & 0xffff0000 | frame & 0xffff : mergeSp(R[EBP]!, frame, mask);
  R[ESP] = mergeSp(R[ESP]!, sp, mask);
}

/**
 * #BR unless lower <= index <= upper, all signed; the bounds lie at `linear`, which the translator has checked.
 * @param bytes operand size: 2 or 4
 */
export function bound(cpu: CpuContext, index: number, linear: number, bytes: number): void {
  const wide = bytes === 4;
  const value = wide ? index : index << 16 >> 16;
  const lower = wide ? cpu.load32(linear) : cpu.load16(linear) << 16 >> 16;
  const upper = wide ? cpu.load32(linear + 4 | 0) : cpu.load16(linear + 2 | 0) << 16 >> 16;
  if (value < lower || value > upper) cpu.raise(EXC_BR);
}
