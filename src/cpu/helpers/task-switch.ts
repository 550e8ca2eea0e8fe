/**
 * Hardware task switches: far JMP and CALL to a TSS or task gate, interrupts through task gates, IRET with NT.
 * Intel SDM vol. 3, 7.2-7.4. Everything that can be checked is checked before the switch; faults found while the new
 * task's segments load belong to the new task (its EIP is pushed), as the manual's table 7-1 says.
 */
import { commitState } from './context.ts';
import type { CpuContext } from './context.ts';
import { loadPdptes } from './control-registers.ts';
import {
  DESC_ATTR_MASK, DESC_P, DESC_TSS_BUSY, descriptorBase, descriptorDpl, descriptorLimit, fetchDescriptor, isAvailableTss, isCode,
  isConforming, isNull, selectorError, setTssBusy, TYPE_LDT,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { fetchDataSegment, fetchStackSegment, setNullSegment, setSegmentFrom, setV86Segment } from './segment.ts';
import type { LoadFaults } from './segment.ts';
import { isTss32, TSS16, TSS32 } from './tss.ts';
import { loadableFlags } from './vme.ts';
import { readEflags, writeEflags } from '../flags.ts';
import {
  CR0, CR0_PG, CR0_TS, CR3, CR4, CR4_PAE, CS, DR, DS, EAX, EIP, ES, EXC_DB, EXC_NP, EXC_SS, EXC_TS, FS, GS, LDT_ATTR, LDT_BASE, LDT_LIMIT, LDT_SEL,
  NT, SEG_SEL, SS, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL, VM,
} from '../state.ts';

/** What causes the switch: it decides on busy bits, the back link and NT (SDM vol. 3, table 7-2). */
export type TaskSwitchSource = 'jump' | 'call' | 'iret';

/** DR7: L0-L3 and LE are local to a task. */
const DR7_LOCAL = 0x155;
/** DR6.BT: a task whose T bit is set has begun. */
const DR6_BT = 0x8000;
const DATA_FAULTS: LoadFaults = { load: EXC_TS, absent: EXC_NP };
const STACK_FAULTS: LoadFaults = { load: EXC_TS, absent: EXC_SS };

/** The new task's registers, as its TSS has them. Registers and segments by number. */
interface TaskImage {
  readonly eip: number;
  readonly eflags: number;
  readonly registers: number[];
  readonly segments: number[];
  readonly ldt: number;
  /** -1: the TSS has none (16-bit). */
  readonly cr3: number;
  readonly hasCr3: boolean;
  readonly trap: boolean;
}

/**
 * Fetches the descriptor that a task gate names: must be an available TSS in the GDT, else #GP; #NP if absent.
 */
export function fetchTaskGateTss(cpu: CpuContext, selector: number, vectorLoad: number, ext: number): Descriptor {
  const error = selectorError(selector) | ext;
  if ((selector & 4) !== 0 || isNull(selector)) cpu.raise(vectorLoad, error);
  const tss = fetchDescriptor(cpu, selector, vectorLoad, ext);
  if (!isAvailableTss(tss.high)) cpu.raise(vectorLoad, error);
  if ((tss.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  return tss;
}

/**
 * Switches to the task of `tss`, whose type and presence the caller has checked.
 * @param nextEip where the old task goes on
 * @param eflags what is saved as the old task's EFLAGS (a fault's has RF set)
 */
export function switchTask(cpu: CpuContext, tss: Descriptor, source: TaskSwitchSource, nextEip: number, eflags: number, ext: number): void {
  const R = cpu.R;
  const wide = isTss32(tss.high);
  const base = descriptorBase(tss.low, tss.high), limit = descriptorLimit(tss.low, tss.high);
  const size = wide ? TSS32.size : TSS16.size;
  if (limit >>> 0 < size - 1) cpu.raise(EXC_TS, selectorError(tss.selector) | ext);

  // All that the switch touches in memory must be there before anything changes.
  const oldBase = R[TR_BASE]!, oldWide = isTss32(R[TR_ATTR]!), oldSelector = R[TR_SEL]!;
  const oldDescriptor = fetchDescriptor(cpu, oldSelector, EXC_TS, ext);
  cpu.sprobe(oldDescriptor.address, 8, true);
  cpu.sprobe(tss.address, 8, true);
  cpu.sprobe(oldBase, oldWide ? TSS32.size : TSS16.size, true);
  cpu.sprobe(base, size, source === 'call');
  const image = wide ? readTss32(cpu, base) : readTss16(cpu, base);

  if (source !== 'call') setTssBusy(cpu, oldDescriptor.address, false);
  const saved = source === 'iret' ? eflags & ~NT : eflags;
  if (oldWide) saveTss32(cpu, oldBase, nextEip, saved);
  else saveTss16(cpu, oldBase, nextEip, saved);
  if (source === 'call') cpu.sstore16(base, oldSelector);
  if (source !== 'iret') setTssBusy(cpu, tss.address, true);

  // The point of no return.
  commitState(cpu);
  R[TR_SEL] = tss.selector & 0xfffc;
  R[TR_BASE] = base;
  R[TR_LIMIT] = limit;
  R[TR_ATTR] = tss.high & DESC_ATTR_MASK | DESC_TSS_BUSY;
  R[CR0] = R[CR0]! | CR0_TS;
  if (image.hasCr3 && (R[CR0]! & CR0_PG) !== 0 && R[CR3] !== image.cr3) {
    if ((R[CR4]! & CR4_PAE) !== 0) loadPdptes(cpu, image.cr3);
    R[CR3] = image.cr3;
    cpu.flushTlb(true);
  }
  if ((R[DR + 7]! & DR7_LOCAL) !== 0) {
    R[DR + 7] = R[DR + 7]! & ~DR7_LOCAL;
    cpu.watchpointsChanged();
  }
  loadImage(cpu, image, source === 'call');
  if (image.trap) {
    R[DR + 6] = R[DR + 6]! | DR6_BT;
    cpu.raise(EXC_DB);
  }
}

/** Registers, then LDT and segments with their checks, all in the context of the new task. */
function loadImage(cpu: CpuContext, image: TaskImage, nested: boolean): void {
  const R = cpu.R;
  const eflags = nested ? image.eflags | NT : image.eflags;
  R[EIP] = image.eip;
  image.registers.forEach((value, i) => { R[EAX + i] = value; });
  writeEflags(R, eflags, loadableFlags(cpu));

  // Until they are loaded, the selectors are visible but good for nothing.
  const v86 = (eflags & VM) !== 0;
  const cpl = v86 ? 3 : image.segments[CS]! & 3;
  for (let seg = ES; seg <= GS; seg++) {
    if (v86) setV86Segment(cpu, seg, image.segments[seg]!);
    else setNullSegment(cpu, seg, image.segments[seg]!);
  }
  cpu.setCpl(cpl);
  cpu.updateHflags();

  loadTaskLdt(cpu, image.ldt);
  if (!v86) {
    loadTaskCode(cpu, image.segments[CS]!);
    const stack = image.segments[SS]!;
    setSegmentFrom(cpu, SS, stack, fetchStackSegment(cpu, stack, cpl, STACK_FAULTS, 0));
    for (const seg of [DS, ES, FS, GS]) {
      const selector = image.segments[seg]!;
      if (!isNull(selector)) setSegmentFrom(cpu, seg, selector, fetchDataSegment(cpu, selector, cpl, DATA_FAULTS));
    }
  }
  cpu.updateHflags();
}

function loadTaskLdt(cpu: CpuContext, selector: number): void {
  const R = cpu.R;
  R[LDT_SEL] = selector;
  R[LDT_BASE] = R[LDT_LIMIT] = R[LDT_ATTR] = 0;
  if ((selector & 4) !== 0) cpu.raise(EXC_TS, selectorError(selector));
  if (isNull(selector)) return;
  const { low, high } = fetchDescriptor(cpu, selector, EXC_TS, 0);
  if ((high & 0x1f00) >> 8 !== TYPE_LDT || (high & DESC_P) === 0) cpu.raise(EXC_TS, selectorError(selector));
  R[LDT_BASE] = descriptorBase(low, high);
  R[LDT_LIMIT] = descriptorLimit(low, high);
  R[LDT_ATTR] = high & DESC_ATTR_MASK;
}

function loadTaskCode(cpu: CpuContext, selector: number): void {
  const error = selectorError(selector);
  if (isNull(selector)) cpu.raise(EXC_TS, error);
  const descriptor = fetchDescriptor(cpu, selector, EXC_TS, 0);
  const dpl = descriptorDpl(descriptor.high), rpl = selector & 3;
  if (!isCode(descriptor.high) || (isConforming(descriptor.high) ? dpl > rpl : dpl !== rpl)) cpu.raise(EXC_TS, error);
  if ((descriptor.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  setSegmentFrom(cpu, CS, selector, descriptor);
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7];

function readTss32(cpu: CpuContext, base: number): TaskImage {
  const at = (offset: number): number => base + offset | 0;
  return {
    eip: cpu.sload32(at(TSS32.eip)),
    eflags: cpu.sload32(at(TSS32.eflags)),
    registers: eight.map((i) => cpu.sload32(at(TSS32.registers + 4 * i))),
    segments: [ES, CS, SS, DS, FS, GS].map((i) => cpu.sload16(at(TSS32.segments + 4 * i))),
    ldt: cpu.sload16(at(TSS32.ldt)),
    cr3: cpu.sload32(at(TSS32.cr3)),
    hasCr3: true,
    trap: (cpu.sload8(at(TSS32.trap)) & 1) !== 0,
  };
}

/** The upper halves of the registers are undefined after a switch to a 16-bit TSS: all ones here. FS and GS become null. */
function readTss16(cpu: CpuContext, base: number): TaskImage {
  const at = (offset: number): number => base + offset | 0;
  return {
    eip: cpu.sload16(at(TSS16.ip)),
    eflags: cpu.sload16(at(TSS16.flags)),
    registers: eight.map((i) => cpu.sload16(at(TSS16.registers + 2 * i)) | 0xffff0000),
    segments: [...[ES, CS, SS, DS].map((i) => cpu.sload16(at(TSS16.segments + 2 * i))), 0, 0],
    ldt: cpu.sload16(at(TSS16.ldt)),
    cr3: 0,
    hasCr3: false,
    trap: false,
  };
}

function saveTss32(cpu: CpuContext, base: number, eip: number, eflags: number): void {
  const R = cpu.R;
  cpu.sstore32(base + TSS32.eip | 0, eip);
  cpu.sstore32(base + TSS32.eflags | 0, eflags);
  for (const i of eight) cpu.sstore32(base + TSS32.registers + 4 * i | 0, R[EAX + i]!);
  for (let seg = ES; seg <= GS; seg++) cpu.sstore16(base + TSS32.segments + 4 * seg | 0, R[SEG_SEL + seg]!);
}

function saveTss16(cpu: CpuContext, base: number, eip: number, eflags: number): void {
  const R = cpu.R;
  cpu.sstore16(base + TSS16.ip | 0, eip & 0xffff);
  cpu.sstore16(base + TSS16.flags | 0, eflags & 0xffff);
  for (const i of eight) cpu.sstore16(base + TSS16.registers + 2 * i | 0, R[EAX + i]! & 0xffff);
  for (let seg = ES; seg <= DS; seg++) cpu.sstore16(base + TSS16.segments + 2 * seg | 0, R[SEG_SEL + seg]!);
}

/** A far JMP or CALL to a TSS descriptor or through a task gate. */
export function transferToTask(cpu: CpuContext, tss: Descriptor, source: TaskSwitchSource, nextEip: number): void {
  switchTask(cpu, tss, source, nextEip, readEflags(cpu.R), 0);
}
