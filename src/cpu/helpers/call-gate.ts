/**
 * Far JMP and CALL through call gates, 16- and 32-bit, with the stack switch and the copy of parameters.
 * Intel SDM vol. 3, 5.8.3-5.8.5; vol. 2, CALL and JMP.
 */
import { checkCodeLimit, setCode } from './code-segment.ts';
import type { CpuContext } from './context.ts';
import {
  currentCpl, DESC_P, descriptorDpl, descriptorType, fetchDescriptor, gateOffset, gateSelector, isCode, isConforming, isNull, selectorError,
  TYPE_CALL_GATE32,
} from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { fetchStackSegment, setSegmentFrom } from './segment.ts';
import type { LoadFaults } from './segment.ts';
import { mergeSp, PushStack, readStack, stackMask } from './stack.ts';
import { innerStackPointer } from './tss.ts';
import { CS, ESP, EXC_GP, EXC_NP, EXC_SS, EXC_TS, SEG_SEL, SS } from '../state.ts';

const STACK_FAULTS: LoadFaults = { load: EXC_TS, absent: EXC_SS };

/** The new stack of an inner level: its selector, descriptor and a frame to push on. `ext` is the EXT bit for error codes. */
export function openInnerStack(cpu: CpuContext, cpl: number, ext: number): { selector: number; descriptor: Descriptor; stack: PushStack } {
  const [selector, pointer] = innerStackPointer(cpu, cpl, ext);
  const descriptor = fetchStackSegment(cpu, selector, cpl, STACK_FAULTS, ext);
  return { selector, descriptor, stack: PushStack.inner(cpu, descriptor, pointer, selectorError(selector) | ext) };
}

/** Checks the gate's own rights: DPL at least CPL and RPL, present. */
export function checkGate(cpu: CpuContext, gate: Descriptor): void {
  const dpl = descriptorDpl(gate.high), error = selectorError(gate.selector);
  if (dpl < currentCpl(cpu) || dpl < (gate.selector & 3)) cpu.raise(EXC_GP, error);
  if ((gate.high & DESC_P) === 0) cpu.raise(EXC_NP, error);
}

/** The code segment behind a gate: at the CPL or more privileged. */
function fetchGateTarget(cpu: CpuContext, gate: Descriptor): Descriptor {
  const selector = gateSelector(gate.low);
  if (isNull(selector)) cpu.raise(EXC_GP, 0);
  const target = fetchDescriptor(cpu, selector, EXC_GP, 0);
  if (!isCode(target.high) || descriptorDpl(target.high) > currentCpl(cpu)) cpu.raise(EXC_GP, selectorError(selector));
  return target;
}

const requirePresent = (cpu: CpuContext, target: Descriptor): void => {
  if ((target.high & DESC_P) === 0) cpu.raise(EXC_NP, selectorError(target.selector));
};

const isWide = (gate: Descriptor): boolean => descriptorType(gate.high) === TYPE_CALL_GATE32;
const gateEip = (gate: Descriptor): number => (isWide(gate) ? gateOffset(gate.low, gate.high) : gate.low & 0xffff);

/** A jump never changes the privilege level. */
export function jumpThroughGate(cpu: CpuContext, gate: Descriptor): void {
  checkGate(cpu, gate);
  const target = fetchGateTarget(cpu, gate), cpl = currentCpl(cpu);
  if (!isConforming(target.high) && descriptorDpl(target.high) !== cpl) cpu.raise(EXC_GP, selectorError(target.selector));
  requirePresent(cpu, target);
  const eip = gateEip(gate);
  checkCodeLimit(cpu, target, eip, 0);
  setCode(cpu, target, eip, cpl);
}

export function callThroughGate(cpu: CpuContext, gate: Descriptor, nextEip: number): void {
  checkGate(cpu, gate);
  const target = fetchGateTarget(cpu, gate);
  requirePresent(cpu, target);
  const dpl = descriptorDpl(target.high);
  if (!isConforming(target.high) && dpl < currentCpl(cpu)) callInner(cpu, gate, target, dpl, nextEip);
  else callSame(cpu, gate, target, nextEip);
}

function callSame(cpu: CpuContext, gate: Descriptor, target: Descriptor, nextEip: number): void {
  const R = cpu.R;
  const size = isWide(gate) ? 4 : 2, eip = gateEip(gate);
  const stack = PushStack.current(cpu, 0);
  stack.reserve(2, size);
  checkCodeLimit(cpu, target, eip, 0);
  stack.push(R[SEG_SEL + CS]!, size);
  stack.push(nextEip, size);
  setCode(cpu, target, eip, currentCpl(cpu));
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
}

/** To an inner level: SS:ESP of the caller, the parameters, then the return address go to the new stack. */
function callInner(cpu: CpuContext, gate: Descriptor, target: Descriptor, cpl: number, nextEip: number): void {
  const R = cpu.R;
  const size = isWide(gate) ? 4 : 2, count = gate.high & 31, eip = gateEip(gate);
  const { selector, descriptor, stack } = openInnerStack(cpu, cpl, 0);
  stack.reserve(4 + count, size);
  const mask = stackMask(cpu), parameters: number[] = [];
  for (let i = count - 1; i >= 0; i--) parameters.push(readStack(cpu, R[ESP]! + i * size, mask, size));
  checkCodeLimit(cpu, target, eip, 0);

  stack.push(R[SEG_SEL + SS]!, size);
  stack.push(R[ESP]!, size);
  for (const parameter of parameters) stack.push(parameter, size);
  stack.push(R[SEG_SEL + CS]!, size);
  stack.push(nextEip, size);
  setSegmentFrom(cpu, SS, selector & ~3 | cpl, descriptor);
  setCode(cpu, target, eip, cpl);
  R[ESP] = mergeSp(R[ESP]!, stack.sp, stack.mask);
}
