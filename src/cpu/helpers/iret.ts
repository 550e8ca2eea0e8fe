/**
 * IRET: back from an interrupt, to the same or an outer level, to a virtual-8086 task, or (NT) to the task that called.
 * Intel SDM vol. 2, IRET; vol. 3, 7.4 and 20.2.
 */
import { checkCodeLimit, fetchReturnCode, setCode } from './code-segment.ts';
import type { CpuContext } from './context.ts';
import { currentCpl, DESC_P, fetchDescriptor, isBusyTss, selectorError } from './descriptor.ts';
import { checkRealLimit, returnOuter } from './far-transfer.ts';
import { inV86, setSegmentReal, setV86Segment } from './segment.ts';
import { mergeSp, readStack, stackMask } from './stack.ts';
import { switchTask } from './task-switch.ts';
import { iretVirtual, isVirtualized, loadableFlags } from './vme.ts';
import { EFLAGS_DEFINED, readEflags, writeEflags } from '../flags.ts';
import {
  CR0, CR0_PE, CS, DS, EFLAGS, EIP, ES, ESP, EXC_NP, EXC_TS, FS, GS, IF, IOPL, NMI_BLOCKED, NT, SS, TR_BASE, VIF, VIP, VM,
} from '../state.ts';

/** @param nextEip where a task that ends with IRET goes on when it is called again */
export function iret(cpu: CpuContext, opSize: number, nextEip: number): void {
  const R = cpu.R;
  if ((R[CR0]! & CR0_PE) === 0) iretReal(cpu, opSize, IOPL | IF);
  else if (inV86(cpu)) {
    if (isVirtualized(cpu, opSize)) iretVirtual(cpu);
    else iretReal(cpu, opSize, IF);
  } else if ((R[EFLAGS]! & NT) !== 0) returnFromTask(cpu, nextEip);
  else iretProtected(cpu, opSize);
  R[NMI_BLOCKED] = 0;
  cpu.updateHflags();
}

/** Flags that IRET loads: all but VM; IF and IOPL as `privileged` says; the low half only with 16-bit operands. */
const loadable = (opSize: number, privileged: number): number =>
  (EFLAGS_DEFINED & ~(VM | IF | IOPL) | privileged) & (opSize === 2 ? 0xffff : -1);

/** Real and virtual-8086 mode. */
function iretReal(cpu: CpuContext, opSize: number, privileged: number): void {
  const R = cpu.R;
  const esp = R[ESP]!, mask = stackMask(cpu);
  const eip = readStack(cpu, esp, mask, opSize);
  const selector = readStack(cpu, esp + opSize, mask, opSize);
  const eflags = readStack(cpu, esp + 2 * opSize, mask, opSize);
  checkRealLimit(cpu, eip);
  setSegmentReal(cpu, CS, selector);
  R[EIP] = eip;
  R[ESP] = mergeSp(esp, esp + 3 * opSize, mask);
  writeEflags(R, eflags, loadable(opSize, privileged));
}

function iretProtected(cpu: CpuContext, opSize: number): void {
  const R = cpu.R;
  const esp = R[ESP]!, mask = stackMask(cpu), cpl = currentCpl(cpu);
  const eip = readStack(cpu, esp, mask, opSize);
  const selector = readStack(cpu, esp + opSize, mask, opSize) & 0xffff;
  const eflags = readStack(cpu, esp + 2 * opSize, mask, opSize);
  if (opSize === 4 && (eflags & VM) !== 0 && cpl === 0) {
    returnToV86(cpu, eip, selector, eflags);
    return;
  }
  const iopl = R[EFLAGS]! >> 12 & 3;
  const privileged = (cpl === 0 ? IOPL | loadableFlags(cpu) & (VIF | VIP) : 0) | (cpl <= iopl ? IF : 0);
  const target = fetchReturnCode(cpu, selector, cpl);
  if ((selector & 3) === cpl) {
    checkCodeLimit(cpu, target, eip, 0);
    setCode(cpu, target, eip, cpl);
    R[ESP] = mergeSp(esp, esp + 3 * opSize, mask);
  } else returnOuter(cpu, target, eip, opSize, esp + 3 * opSize, 0);
  writeEflags(R, eflags, loadable(opSize, privileged));
}

/** Pops ESP SS ES DS FS GS too; nothing is checked but that EIP is within 64 KB. */
function returnToV86(cpu: CpuContext, eip: number, selector: number, eflags: number): void {
  const R = cpu.R;
  const esp = R[ESP]!, mask = stackMask(cpu);
  const [sp, ss, es, ds, fs, gs] = [12, 16, 20, 24, 28, 32].map((offset) => readStack(cpu, esp + offset, mask, 4));
  checkRealLimit(cpu, eip);
  writeEflags(R, eflags, loadableFlags(cpu));
  const selectors = [[CS, selector], [SS, ss!], [ES, es!], [DS, ds!], [FS, fs!], [GS, gs!]] as const;
  for (const [seg, value] of selectors) setV86Segment(cpu, seg, value);
  cpu.setCpl(3);
  R[EIP] = eip & 0xffff;
  R[ESP] = sp!;
}

/** The back link names the task to return to: it must be busy. */
function returnFromTask(cpu: CpuContext, nextEip: number): void {
  const R = cpu.R;
  const selector = cpu.sload16(R[TR_BASE]!), error = selectorError(selector);
  if ((selector & 4) !== 0) cpu.raise(EXC_TS, error);
  const tss = fetchDescriptor(cpu, selector, EXC_TS, 0);
  if (!isBusyTss(tss.high)) cpu.raise(EXC_TS, error);
  if ((tss.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
  switchTask(cpu, tss, 'iret', nextEip, readEflags(R), 0);
}
