/**
 * Loading segment registers in real, virtual-8086 and protected mode: MOV/POP Sreg, LDS and its kin, and what far
 * transfers do with CS, SS and the data segments. Intel SDM vol. 3, 3.4.4 and 5.5-5.7; vol. 2, MOV and LDS.
 */
import type { CpuContext } from './context.ts';
import {
  currentCpl, DESC_ATTR_MASK, DESC_P, descriptorBase, descriptorDpl, descriptorLimit, fetchDescriptor, isCode, isConforming, isNull, isReadable,
  isWritableData, selectorError, setAccessed,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import {
  CR0, CR0_PE, CS, DS, EFLAGS, ES, EXC_GP, EXC_NP, EXC_SS, FS, GS, SEG_ATTR, SEG_LIMIT, SS, VM,
} from '../state.ts';

/** Present, DPL 3, writable data, accessed: every segment of a virtual-8086 task (SDM vol. 3, 20.2.1). */
const ATTR_V86 = 0xf300;
/** What real mode starts with: CS is code in name, but may be written. */
const ATTR_REAL_CODE = 0x9b00, ATTR_REAL_DATA = 0x9300;

export const inProtectedMode = (cpu: CpuContext): boolean => (cpu.R[CR0]! & CR0_PE) !== 0 && (cpu.R[EFLAGS]! & VM) === 0;
export const inV86 = (cpu: CpuContext): boolean => (cpu.R[EFLAGS]! & VM) !== 0;

/** A segment register of a virtual-8086 task. */
export function setV86Segment(cpu: CpuContext, seg: number, selector: number): void {
  cpu.setSegment(seg, selector & 0xffff, (selector & 0xffff) << 4, 0xffff, ATTR_V86);
}

/**
 * Real and V86 mode. In real mode a data segment keeps its limit and attributes ("unreal mode"), unless protected mode
 * left it null; CS gets the fixed values, as on a 386 and 486.
 */
export function setSegmentReal(cpu: CpuContext, seg: number, selector: number): void {
  if (inV86(cpu)) {
    setV86Segment(cpu, seg, selector);
    return;
  }
  const R = cpu.R;
  const base = (selector & 0xffff) << 4;
  if (seg === CS) cpu.setSegment(seg, selector & 0xffff, base, 0xffff, ATTR_REAL_CODE);
  else if ((R[SEG_ATTR + seg]! & DESC_P) === 0) cpu.setSegment(seg, selector & 0xffff, base, 0xffff, ATTR_REAL_DATA);
  else cpu.setSegment(seg, selector & 0xffff, base, R[SEG_LIMIT + seg]!, R[SEG_ATTR + seg]!);
}

/** Makes a segment register null: usable for no access. */
export function setNullSegment(cpu: CpuContext, seg: number, selector: number): void {
  cpu.setSegment(seg, selector & 0xffff, 0, 0, 0);
}

/** Loads a segment register from a descriptor that was checked; marks it accessed (may throw, before any change). */
export function setSegmentFrom(cpu: CpuContext, seg: number, selector: number, descriptor: Descriptor): void {
  const high = setAccessed(cpu, descriptor);
  cpu.setSegment(seg, selector & 0xffff, descriptorBase(descriptor.low, high), descriptorLimit(descriptor.low, high), high & DESC_ATTR_MASK);
}

/**
 * Which exceptions a refused descriptor raises: `load` for a wrong type or privilege, `absent` if it is not present.
 * They differ between instructions, stack switches and task switches.
 */
export interface LoadFaults {
  readonly load: number;
  readonly absent: number;
}
const MOV_FAULTS: LoadFaults = { load: EXC_GP, absent: EXC_NP };
const MOV_SS_FAULTS: LoadFaults = { load: EXC_GP, absent: EXC_SS };

/**
 * Checks a selector for SS at privilege level `cpl` and fetches its descriptor.
 * A null selector is refused with error code `ext` alone or'ed to its index bits (0).
 */
export function fetchStackSegment(cpu: CpuContext, selector: number, cpl: number, faults: LoadFaults, ext: number): Descriptor {
  const error = selectorError(selector) | ext;
  if (isNull(selector)) cpu.raise(faults.load, error);
  const descriptor = fetchDescriptor(cpu, selector, faults.load, ext);
  const high = descriptor.high;
  if ((selector & 3) !== cpl || descriptorDpl(high) !== cpl || !isWritableData(high)) cpu.raise(faults.load, error);
  if ((high & DESC_P) === 0) cpu.raise(faults.absent, error);
  return descriptor;
}

/** Checks a selector for DS, ES, FS or GS at privilege level `cpl` and fetches its descriptor; the selector is not null. */
export function fetchDataSegment(cpu: CpuContext, selector: number, cpl: number, faults: LoadFaults): Descriptor {
  const descriptor = fetchDescriptor(cpu, selector, faults.load, 0);
  const high = descriptor.high;
  if (!isReadable(high)) cpu.raise(faults.load, selectorError(selector));
  if (!(isCode(high) && isConforming(high))) {
    const dpl = descriptorDpl(high);
    if ((selector & 3) > dpl || cpl > dpl) cpu.raise(faults.load, selectorError(selector));
  }
  if ((high & DESC_P) === 0) cpu.raise(faults.absent, selectorError(selector));
  return descriptor;
}

/** MOV and POP to a segment register but CS, LDS LES LFS LGS LSS. The interrupt shadow of SS is the translator's. */
export function load_seg(cpu: CpuContext, seg: number, selector: number): void {
  selector &= 0xffff;
  if (!inProtectedMode(cpu)) setSegmentReal(cpu, seg, selector);
  else if (seg === SS) {
    setSegmentFrom(cpu, SS, selector, fetchStackSegment(cpu, selector, currentCpl(cpu), MOV_SS_FAULTS, 0));
  } else if (isNull(selector)) setNullSegment(cpu, seg, selector);
  else setSegmentFrom(cpu, seg, selector, fetchDataSegment(cpu, selector, currentCpl(cpu), MOV_FAULTS));
  cpu.updateHflags();
}

/** After a return to an outer level: data segments that the new level may not use become null (SDM vol. 3, 5.8.6). */
export function nullInaccessibleSegments(cpu: CpuContext, cpl: number): void {
  const R = cpu.R;
  for (const seg of [ES, DS, FS, GS]) {
    const attr = R[SEG_ATTR + seg]!;
    if ((attr & DESC_P) === 0) continue;
    if (isCode(attr) && isConforming(attr)) continue;
    if (descriptorDpl(attr) < cpl) setNullSegment(cpu, seg, 0);
  }
}
