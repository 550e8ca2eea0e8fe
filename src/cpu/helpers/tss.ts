/**
 * The task state segment: its layouts, the stacks of inner levels, and the I/O permission bitmap.
 * Intel SDM vol. 3, 7.2.1 (32-bit TSS), 7.6 (16-bit TSS), 5.8.5 (stack switching); vol. 1, 19.5.2 (bitmap).
 */
import type { CpuContext } from './context.ts';
import { currentCpl, descriptorType, selectorError } from './descriptor.ts';
import { CR0, CR0_PE, EFLAGS, EXC_GP, EXC_TS, HF_IOPL_SHIFT, HFLAGS, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL, VM } from '../state.ts';

/** Offsets in a 32-bit TSS. Registers and segments are doublewords in the order of their numbers. */
export const TSS32 = { link: 0, cr3: 28, eip: 32, eflags: 36, registers: 40, segments: 72, ldt: 96, trap: 100, ioMap: 102, size: 104 } as const;
/** Offsets in a 16-bit TSS. Words, in the same order; no FS and GS. */
export const TSS16 = { link: 0, ip: 14, flags: 16, registers: 18, segments: 34, ldt: 42, size: 44 } as const;

/** Whether descriptor attributes belong to a 32-bit TSS. */
export const isTss32 = (attr: number): boolean => (descriptorType(attr) & 8) !== 0;

/** The stack of level `cpl` (0-2) from the current TSS: [SS, ESP]. #TS(TR) if the TSS is too short to hold it. */
export function innerStackPointer(cpu: CpuContext, cpl: number, ext: number): [selector: number, pointer: number] {
  const R = cpu.R;
  const wide = isTss32(R[TR_ATTR]!);
  const offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
  if (offset + (wide ? 5 : 3) > R[TR_LIMIT]! >>> 0) cpu.raise(EXC_TS, selectorError(R[TR_SEL]!) | ext);
  const at = R[TR_BASE]! + offset | 0;
  return wide ? [cpu.sload16(at + 4 | 0), cpu.sload32(at)] : [cpu.sload16(at + 2 | 0), cpu.sload16(at)];
}

/** Raises #GP(0) unless the program may use `size` (1, 2, 4) ports from `port` on. */
export function checkIoPermission(cpu: CpuContext, port: number, size: number): void {
  const R = cpu.R;
  if ((R[CR0]! & CR0_PE) === 0) return;
  const iopl = R[HFLAGS]! >> HF_IOPL_SHIFT & 3;
  if ((R[EFLAGS]! & VM) === 0 && currentCpl(cpu) <= iopl) return;
  const limit = R[TR_LIMIT]! >>> 0;
  if (!isTss32(R[TR_ATTR]!) || limit < TSS32.size - 1) cpu.raise(EXC_GP, 0);
  const byte = cpu.sload16(R[TR_BASE]! + TSS32.ioMap | 0) + (port >> 3);
  // The processor always reads two bytes: the map ends with a byte of ones for that.
  if (byte + 1 > limit) cpu.raise(EXC_GP, 0);
  const bits = cpu.sload16(R[TR_BASE]! + byte | 0) >> (port & 7);
  if ((bits & (1 << size) - 1) !== 0) cpu.raise(EXC_GP, 0);
}
