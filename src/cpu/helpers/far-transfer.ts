/**
 * Far JMP, CALL and RET in all modes. Intel SDM vol. 2, JMP, CALL, RET; vol. 3, 5.8.
 */
import { callThroughGate, checkGate, jumpThroughGate } from './call-gate.ts';
import { checkCodeLimit, checkDirectTransfer, fetchReturnCode, setCode } from './code-segment.ts';
import type { CpuContext } from './context.ts';
import {
  currentCpl, DESC_P, DESC_S, descriptorDpl, descriptorType, fetchDescriptor, gateSelector, isCode, isNull, selectorError, TYPE_CALL_GATE16,
  TYPE_CALL_GATE32, TYPE_TASK_GATE, TYPE_TSS16, TYPE_TSS32,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { fetchStackSegment, inProtectedMode, nullInaccessibleSegments, setSegmentFrom, setSegmentReal } from './segment.ts';
import type { LoadFaults } from './segment.ts';
import { mergeSp, PushStack, readStack, stackMask } from './stack.ts';
import { fetchTaskGateTss, transferToTask } from './task-switch.ts';
import type { TaskSwitchSource } from './task-switch.ts';
import { CS, EIP, ESP, EXC_GP, EXC_NP, EXC_SS, SEG_SEL, SS } from '../state.ts';

export const RETURN_STACK_FAULTS: LoadFaults = { load: EXC_GP, absent: EXC_SS };

/** Real and V86 mode: CS gets a limit of 64 KB. */
export function checkRealLimit(cpu: CpuContext, eip: number): void {
  if (eip >>> 0 > 0xffff) cpu.raise(EXC_GP, 0);
}

/** What a far pointer in protected mode names. */
function fetchTarget(cpu: CpuContext, selector: number): Descriptor {
  if (isNull(selector)) cpu.raise(EXC_GP, 0);
  return fetchDescriptor(cpu, selector, EXC_GP, 0);
}

/** JMP and CALL to a system descriptor: a TSS or a gate; anything else is #GP(selector). */
function transferToSystem(cpu: CpuContext, target: Descriptor, source: TaskSwitchSource, nextEip: number): void {
  switch (descriptorType(target.high)) {
    case TYPE_CALL_GATE16:
    case TYPE_CALL_GATE32:
      if (source === 'jump') jumpThroughGate(cpu, target);
      else callThroughGate(cpu, target, nextEip);
      break;
    case TYPE_TASK_GATE:
      checkGate(cpu, target);
      transferToTask(cpu, fetchTaskGateTss(cpu, gateSelector(target.low), EXC_GP, 0), source, nextEip);
      break;
    case TYPE_TSS16:
    case TYPE_TSS32:
      checkTss(cpu, target);
      transferToTask(cpu, target, source, nextEip);
      break;
    default:
      cpu.raise(EXC_GP, selectorError(target.selector));
  }
}

function checkTss(cpu: CpuContext, tss: Descriptor): void {
  const dpl = descriptorDpl(tss.high), error = selectorError(tss.selector);
  if ((tss.selector & 4) !== 0 || dpl < currentCpl(cpu) || dpl < (tss.selector & 3)) cpu.raise(EXC_GP, error);
  if ((tss.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
}

/** @param nextEip offset of the next instruction, which a task switch saves */
export function far_jmp(cpu: CpuContext, selector: number, offset: number, opSize: number, nextEip: number): void {
  selector &= 0xffff;
  const eip = opSize === 2 ? offset & 0xffff : offset;
  if (!inProtectedMode(cpu)) {
    checkRealLimit(cpu, eip);
    setSegmentReal(cpu, CS, selector);
    cpu.R[EIP] = eip;
  } else {
    const target = fetchTarget(cpu, selector);
    if ((target.high & DESC_S) === 0) transferToSystem(cpu, target, 'jump', nextEip);
    else {
      const cpl = currentCpl(cpu);
      if (!isCode(target.high)) cpu.raise(EXC_GP, selectorError(selector));
      checkDirectTransfer(cpu, target, cpl);
      checkCodeLimit(cpu, target, eip, 0);
      setCode(cpu, target, eip, cpl);
    }
  }
  cpu.updateHflags();
}

/** @param nextEip the return address */
export function far_call(cpu: CpuContext, selector: number, offset: number, opSize: number, nextEip: number): void {
  const R = cpu.R;
  selector &= 0xffff;
  const eip = opSize === 2 ? offset & 0xffff : offset;
  const real = !inProtectedMode(cpu);
  const target = real ? null : fetchTarget(cpu, selector);
  if (target !== null && (target.high & DESC_S) === 0) transferToSystem(cpu, target, 'call', nextEip);
  else {
    const cpl = currentCpl(cpu);
    if (target !== null) {
      if (!isCode(target.high)) cpu.raise(EXC_GP, selectorError(selector));
      checkDirectTransfer(cpu, target, cpl);
    }
    const stack = PushStack.current(cpu, 0);
    stack.reserve(2, opSize);
    if (target === null) checkRealLimit(cpu, eip);
    else checkCodeLimit(cpu, target, eip, 0);
    stack.push(R[SEG_SEL + CS]!, opSize);
    stack.push(nextEip, opSize);
    if (target === null) {
      setSegmentReal(cpu, CS, selector);
      R[EIP] = eip;
    } else setCode(cpu, target, eip, cpl);
    R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
  }
  cpu.updateHflags();
}

/** RETF. @param imm bytes of parameters to drop, 0-65535 */
export function far_ret(cpu: CpuContext, opSize: number, imm: number): void {
  const R = cpu.R;
  const esp = R[ESP]!, mask = stackMask(cpu);
  const eip = readStack(cpu, esp, mask, opSize), selector = readStack(cpu, esp + opSize, mask, opSize) & 0xffff;
  if (!inProtectedMode(cpu)) {
    checkRealLimit(cpu, eip);
    setSegmentReal(cpu, CS, selector);
    R[EIP] = eip;
    R[ESP] = mergeSp(esp, esp + 2 * opSize + imm, mask);
  } else {
    const cpl = currentCpl(cpu);
    const target = fetchReturnCode(cpu, selector, cpl);
    if ((selector & 3) === cpl) {
      checkCodeLimit(cpu, target, eip, 0);
      setCode(cpu, target, eip, cpl);
      R[ESP] = mergeSp(esp, esp + 2 * opSize + imm, mask);
    } else returnOuter(cpu, target, eip, opSize, esp + 2 * opSize + imm, imm);
  }
  cpu.updateHflags();
}

/**
 * The rest of a return to an outer level: SS:ESP are popped from `at`, data segments that the new level may not use are
 * cleared. Used by RETF and IRET.
 * @param imm added to the new stack pointer
 */
export function returnOuter(cpu: CpuContext, target: Descriptor, eip: number, opSize: number, at: number, imm: number): void {
  const R = cpu.R;
  const mask = stackMask(cpu), rpl = target.selector & 3;
  const sp = readStack(cpu, at, mask, opSize), selector = readStack(cpu, at + opSize, mask, opSize) & 0xffff;
  const stack = fetchStackSegment(cpu, selector, rpl, RETURN_STACK_FAULTS, 0);
  checkCodeLimit(cpu, target, eip, 0);
  setSegmentFrom(cpu, SS, selector, stack);
  setCode(cpu, target, eip, rpl);
  // A 16-bit stack takes only SP: the upper half of ESP stays that of the inner level, as on the processors.
  R[ESP] = mergeSp(R[ESP]!, sp + imm, stackMask(cpu));
  nullInaccessibleSegments(cpu, rpl);
}
