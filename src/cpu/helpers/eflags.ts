/**
 * Reading and writing EFLAGS, with the privilege rules of POPF, PUSHF, CLI and STI.
 * Intel SDM vol. 2, those instructions; vol. 1, 3.4.3. Virtual-8086 mode extensions: vme.ts.
 */
import type { CpuContext } from './context.ts';
import { currentCpl } from './descriptor.ts';
import { hasVirtualIf, isVirtualized, setVirtualIf, writeVirtualFlags } from './vme.ts';
import { computeAll, computeC, EFLAGS_DEFINED, readEflags, writeEflags } from '../flags.ts';
import { AC, CR0, CR0_PE, EFLAGS, EXC_GP, IF, IOPL, RF, VM } from '../state.ts';

/** The status flags of a lazy state. Pure. */
export const cc_compute_all = (dst: number, src: number, src2: number, op: number): number => computeAll(dst, src, src2, op);
/** CF of a lazy state. Pure. */
export const cc_compute_c = (dst: number, src: number, src2: number, op: number): number => computeC(dst, src, src2, op);

/** All of EFLAGS. (PUSHF pushes it with VM and RF clear.) */
export const read_eflags = (cpu: CpuContext): number => readEflags(cpu.R);

const iopl = (cpu: CpuContext): number => cpu.R[EFLAGS]! >> 12 & 3;
const isReal = (cpu: CpuContext): boolean => (cpu.R[CR0]! & CR0_PE) === 0;

/** POPF: what the program may not change stays as it is; IF can be set or cleared at once. RF is cleared, VM kept. */
export function popf(cpu: CpuContext, value: number, opSize: number): void {
  if (isVirtualized(cpu, opSize)) {
    writeVirtualFlags(cpu, value);
    cpu.updateHflags();
    return;
  }
  let mask = EFLAGS_DEFINED & ~(VM | RF);
  if (!isReal(cpu)) {
    const cpl = currentCpl(cpu);
    if (cpl > 0) mask &= ~IOPL;
    if (cpl > iopl(cpu)) mask &= ~IF;
  }
  if (opSize === 2) mask &= 0xffff;
  writeEflags(cpu.R, value, mask);
  cpu.R[EFLAGS] = cpu.R[EFLAGS]! & ~RF;
  cpu.updateHflags();
}

/** CLI and STI need CPL <= IOPL (virtual-8086 mode is CPL 3), or act on VIF: then true. */
function isVirtualIf(cpu: CpuContext): boolean {
  if (isReal(cpu) || currentCpl(cpu) <= iopl(cpu)) return false;
  if (!hasVirtualIf(cpu)) cpu.raise(EXC_GP, 0);
  return true;
}

export function cli(cpu: CpuContext): void {
  if (isVirtualIf(cpu)) setVirtualIf(cpu, false);
  else cpu.R[EFLAGS] = cpu.R[EFLAGS]! & ~IF;
}

/** CLAC, STAC: EFLAGS.AC, at CPL 0. */
export function set_ac(cpu: CpuContext, value: number): void {
  cpu.R[EFLAGS] = value !== 0 ? cpu.R[EFLAGS]! | AC : cpu.R[EFLAGS]! & ~AC;
  cpu.updateHflags();
}

/** The interrupt shadow of STI is the translator's. */
export function sti(cpu: CpuContext): void {
  if (isVirtualIf(cpu)) setVirtualIf(cpu, true);
  else cpu.R[EFLAGS] = cpu.R[EFLAGS]! | IF;
}
