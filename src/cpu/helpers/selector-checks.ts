/**
 * Asking about selectors: LAR, LSL, VERR, VERW. They answer in ZF and fault on nothing but their mode and pages.
 * Intel SDM vol. 2, those instructions; vol. 3, 5.10.
 */
import type { CpuContext } from './context.ts';
import {
  currentCpl, DESC_S, descriptorAddress, descriptorDpl, descriptorLimit, descriptorType, isCode, isConforming, isNull, isReadable, isWritableData,
  TYPE_CALL_GATE16, TYPE_CALL_GATE32, TYPE_LDT, TYPE_TASK_GATE, TYPE_TSS16, TYPE_TSS16_BUSY, TYPE_TSS32, TYPE_TSS32_BUSY,
} from './descriptor.ts';
import { inProtectedMode } from './segment.ts';
import { writeEflags } from '../flags.ts';
import { EXC_UD, ZF } from '../state.ts';

const typeSet = (...types: number[]): number => types.reduce((set, type) => set | 1 << type, 0);
const WITH_LIMIT = typeSet(TYPE_TSS16, TYPE_LDT, TYPE_TSS16_BUSY, TYPE_TSS32, TYPE_TSS32_BUSY);
const WITH_RIGHTS = WITH_LIMIT | typeSet(TYPE_CALL_GATE16, TYPE_TASK_GATE, TYPE_CALL_GATE32);

/** #UD in real and virtual-8086 mode. */
export function requireProtectedMode(cpu: CpuContext): void {
  if (!inProtectedMode(cpu)) cpu.raise(EXC_UD);
}

/** The descriptor as [low, high], or null if there is none or the privilege level does not allow to see it. */
function visibleDescriptor(cpu: CpuContext, selector: number): [low: number, high: number] | null {
  requireProtectedMode(cpu);
  if (isNull(selector)) return null;
  const at = descriptorAddress(cpu, selector & 0xffff);
  if (at < 0) return null;
  const low = cpu.sload32(at | 0), high = cpu.sload32(at + 4 | 0);
  if (isCode(high) && isConforming(high)) return [low, high];
  const dpl = descriptorDpl(high);
  return currentCpl(cpu) > dpl || (selector & 3) > dpl ? null : [low, high];
}

const isOneOf = (high: number, systemTypes: number): boolean => (high & DESC_S) !== 0 || (systemTypes >> descriptorType(high) & 1) !== 0;
const setZf = (cpu: CpuContext, zero: boolean): void => writeEflags(cpu.R, zero ? ZF : 0, ZF);

/** Access rights (bits 8-15; with 32-bit operands 20-23 too, and limit bits that the manual calls undefined), or `old` with ZF clear. */
export function lar(cpu: CpuContext, selector: number, opSize: number, old: number): number {
  const descriptor = visibleDescriptor(cpu, selector);
  const valid = descriptor !== null && isOneOf(descriptor[1], WITH_RIGHTS);
  setZf(cpu, valid);
  return valid ? descriptor[1] & (opSize === 2 ? 0xff00 : 0x00ffff00) : old;
}

/** Limit in bytes, or `old` with ZF clear. */
export function lsl(cpu: CpuContext, selector: number, opSize: number, old: number): number {
  const descriptor = visibleDescriptor(cpu, selector);
  const valid = descriptor !== null && isOneOf(descriptor[1], WITH_LIMIT);
  setZf(cpu, valid);
  return valid ? descriptorLimit(descriptor[0], descriptor[1]) & (opSize === 2 ? 0xffff : -1) : old;
}

export function verr(cpu: CpuContext, selector: number): void {
  const descriptor = visibleDescriptor(cpu, selector);
  setZf(cpu, descriptor !== null && isReadable(descriptor[1]));
}

export function verw(cpu: CpuContext, selector: number): void {
  const descriptor = visibleDescriptor(cpu, selector);
  setZf(cpu, descriptor !== null && isWritableData(descriptor[1]));
}
