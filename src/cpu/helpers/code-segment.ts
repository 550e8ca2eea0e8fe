/**
 * Loading CS and EIP together: the checks common to far jumps, calls, returns and gates.
 * Intel SDM vol. 3, 5.8.1; vol. 2, JMP and CALL.
 */
import type { CpuContext } from './context.ts';
import { DESC_P, descriptorDpl, descriptorLimit, fetchDescriptor, isCode, isConforming, isNull, selectorError } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { setSegmentFrom } from './segment.ts';
import { CS, EIP, EXC_GP, EXC_NP } from '../state.ts';

/** #GP(ext) if the offset is outside the code segment. */
export function checkCodeLimit(cpu: CpuContext, descriptor: Descriptor, eip: number, ext: number): void {
  if (eip >>> 0 > descriptorLimit(descriptor.low, descriptor.high) >>> 0) cpu.raise(EXC_GP, ext);
}

/** The privilege rules of a far jump or call straight to a code segment: conforming DPL <= CPL, else RPL <= CPL = DPL. */
export function checkDirectTransfer(cpu: CpuContext, target: Descriptor, cpl: number): void {
  const { high, selector } = target;
  const dpl = descriptorDpl(high), error = selectorError(selector);
  if (isConforming(high) ? dpl > cpl : (selector & 3) > cpl || dpl !== cpl) cpu.raise(EXC_GP, error);
  if ((high & DESC_P) === 0) cpu.raise(EXC_NP, error);
}

/**
 * The code segment that a return (RET, IRET) goes to. Its RPL becomes the CPL: it is at least the present one, equals
 * the DPL, or is at least the DPL of a conforming segment.
 */
export function fetchReturnCode(cpu: CpuContext, selector: number, cpl: number): Descriptor {
  const error = selectorError(selector), rpl = selector & 3;
  if (isNull(selector)) cpu.raise(EXC_GP, 0);
  const target = fetchDescriptor(cpu, selector, EXC_GP, 0);
  if (!isCode(target.high) || rpl < cpl) cpu.raise(EXC_GP, error);
  const dpl = descriptorDpl(target.high);
  if (isConforming(target.high) ? dpl > rpl : dpl !== rpl) cpu.raise(EXC_GP, error);
  if ((target.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  return target;
}

/** CS:EIP of a checked code segment at privilege level `cpl`; updateHflags() is left to the caller. */
export function setCode(cpu: CpuContext, target: Descriptor, eip: number, cpl: number): void {
  setSegmentFrom(cpu, CS, target.selector & ~3 | cpl, target);
  cpu.setCpl(cpl);
  cpu.R[EIP] = eip;
}
