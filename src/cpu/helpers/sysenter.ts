/** SYSENTER and SYSEXIT: flat segments without descriptors. Intel SDM vol. 2, those instructions. */
import type { CpuContext } from './context.ts';
import { currentCpl } from './descriptor.ts';
import { inProtectedMode } from './segment.ts';
import { CR0, CR0_PE, CS, ECX, EDX, EFLAGS, EIP, ESP, EXC_GP, IF, RF, SS, SYSENTER, VM } from '../state.ts';

/** 32-bit code (execute, read, accessed) and data (read, write, accessed), present, 4 GB, for DPL 0. */
const CODE = 0x00c09b00, DATA = 0x00c09300, DPL3 = 3 << 13;

function setFlat(cpu: CpuContext, selector: number, cpl: number): void {
  const dpl = cpl === 3 ? DPL3 : 0;
  cpu.setSegment(CS, selector & 0xfffc | cpl, 0, -1, CODE | dpl);
  cpu.setSegment(SS, (selector + 8 & 0xfffc) | cpl, 0, -1, DATA | dpl);
  cpu.setCpl(cpl);
  cpu.updateHflags();
}

export function sysenter(cpu: CpuContext): void {
  const R = cpu.R, selector = R[SYSENTER]!;
  if ((R[CR0]! & CR0_PE) === 0 || (selector & 0xfffc) === 0) cpu.raise(EXC_GP, 0);
  R[EFLAGS] = R[EFLAGS]! & ~(VM | IF | RF);
  setFlat(cpu, selector, 0);
  R[ESP] = R[SYSENTER + 1]!;
  R[EIP] = R[SYSENTER + 2]!;
}

export function sysexit(cpu: CpuContext): void {
  const R = cpu.R, selector = R[SYSENTER]!;
  if (!inProtectedMode(cpu) || currentCpl(cpu) !== 0 || (selector & 0xfffc) === 0) cpu.raise(EXC_GP, 0);
  setFlat(cpu, selector + 16, 3);
  R[ESP] = R[ECX]!;
  R[EIP] = R[EDX]!;
}
