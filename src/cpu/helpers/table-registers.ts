/**
 * The registers that hold the system tables: GDTR, IDTR, LDTR, TR.
 * Intel SDM vol. 2, LGDT/LIDT, SGDT, SIDT, LLDT, LTR; vol. 3, 2.4.
 */
import type { CpuContext } from './context.ts';
import {
  currentCpl, DESC_ATTR_MASK, DESC_P, DESC_TSS_BUSY, descriptorBase, descriptorLimit, descriptorType, DESC_S, fetchDescriptor, isAvailableTss,
  isNull, selectorError, setTssBusy, TYPE_LDT,
} from './descriptor.ts';
import { inV86 } from './segment.ts';
import { requireProtectedMode } from './selector-checks.ts';
import {
  CR4, CR4_UMIP, EXC_GP, EXC_NP, GDT_BASE, GDT_LIMIT, IDT_BASE, IDT_LIMIT, LDT_ATTR, LDT_BASE, LDT_LIMIT, LDT_SEL, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL,
} from '../state.ts';

/** #GP(0) outside ring 0; virtual-8086 mode is ring 3. */
export function requireRing0(cpu: CpuContext): void {
  if (currentCpl(cpu) !== 0 || inV86(cpu)) cpu.raise(EXC_GP, 0);
}

/** SGDT, SIDT, SLDT, STR and SMSW below ring 0: #GP(0) with CR4.UMIP. */
export function check_umip(cpu: CpuContext): void {
  if ((cpu.R[CR4]! & CR4_UMIP) !== 0) cpu.raise(EXC_GP, 0);
}

function setTable(cpu: CpuContext, baseSlot: number, limitSlot: number, limit: number, base: number, opSize: number): void {
  requireRing0(cpu);
  cpu.R[limitSlot] = limit & 0xffff;
  cpu.R[baseSlot] = opSize === 2 ? base & 0xffffff : base;
}

/** With 16-bit operands the base has 24 bits. */
export const lgdt = (cpu: CpuContext, limit: number, base: number, opSize: number): void => setTable(cpu, GDT_BASE, GDT_LIMIT, limit, base, opSize);
export const lidt = (cpu: CpuContext, limit: number, base: number, opSize: number): void => setTable(cpu, IDT_BASE, IDT_LIMIT, limit, base, opSize);

/** Stores limit and base at a linear address (six bytes, checked by the translator); all 32 bits of the base with both operand sizes. */
function storeTable(cpu: CpuContext, linear: number, base: number, limit: number): void {
  cpu.probe(linear, 6, true);
  cpu.store16(linear, limit & 0xffff);
  cpu.store32(linear + 2 | 0, base);
}

export const sgdt = (cpu: CpuContext, linear: number): void => storeTable(cpu, linear, cpu.R[GDT_BASE]!, cpu.R[GDT_LIMIT]!);
export const sidt = (cpu: CpuContext, linear: number): void => storeTable(cpu, linear, cpu.R[IDT_BASE]!, cpu.R[IDT_LIMIT]!);

/** A null selector leaves the processor without an LDT: every selector into it is then #GP. */
export function lldt(cpu: CpuContext, selector: number): void {
  requireProtectedMode(cpu);
  requireRing0(cpu);
  const R = cpu.R;
  selector &= 0xffff;
  if (isNull(selector)) {
    R[LDT_SEL] = selector;
    R[LDT_BASE] = R[LDT_LIMIT] = R[LDT_ATTR] = 0;
    return;
  }
  const error = selectorError(selector);
  if ((selector & 4) !== 0) cpu.raise(EXC_GP, error);
  const { low, high } = fetchDescriptor(cpu, selector, EXC_GP, 0);
  if ((high & DESC_S) !== 0 || descriptorType(high) !== TYPE_LDT) cpu.raise(EXC_GP, error);
  if ((high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  R[LDT_SEL] = selector;
  R[LDT_BASE] = descriptorBase(low, high);
  R[LDT_LIMIT] = descriptorLimit(low, high);
  R[LDT_ATTR] = high & DESC_ATTR_MASK;
}

/** The TSS must be available, and becomes busy. */
export function ltr(cpu: CpuContext, selector: number): void {
  requireProtectedMode(cpu);
  requireRing0(cpu);
  const R = cpu.R;
  selector &= 0xffff;
  if (isNull(selector)) cpu.raise(EXC_GP, 0);
  const error = selectorError(selector);
  if ((selector & 4) !== 0) cpu.raise(EXC_GP, error);
  const { address, low, high } = fetchDescriptor(cpu, selector, EXC_GP, 0);
  if (!isAvailableTss(high)) cpu.raise(EXC_GP, error);
  if ((high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  setTssBusy(cpu, address, true);
  R[TR_SEL] = selector;
  R[TR_BASE] = descriptorBase(low, high);
  R[TR_LIMIT] = descriptorLimit(low, high);
  R[TR_ATTR] = high & DESC_ATTR_MASK | DESC_TSS_BUSY;
}
