/**
 * HLT, CPUID, RDTSC. Intel SDM vol. 2, those instructions.
 */
import type { CpuContext } from './context.ts';
import { CR4_TSD } from './control-registers.ts';
import { currentCpl } from './descriptor.ts';
import { requireRing0 } from './table-registers.ts';
import { CR4, EAX, EBX, ECX, EDX, EIP, EXC_GP, HALTED } from '../state.ts';

/** Family 4, model 8, stepping 0: also in EDX after reset. */
export const CPUID_SIGNATURE = 0x480;
/** Feature flags (EDX of leaf 1): x87 unit, 4 MB pages, time-stamp counter. */
const FEATURE_FPU = 1 << 0, FEATURE_PSE = 1 << 3, FEATURE_TSC = 1 << 4;
const CPUID_FEATURES = FEATURE_FPU | FEATURE_PSE | FEATURE_TSC;
const HIGHEST_LEAF = 1;

/** Four characters as a register holds them. */
const chars = (text: string): number => text.charCodeAt(0) | text.charCodeAt(1) << 8 | text.charCodeAt(2) << 16 | text.charCodeAt(3) << 24;

/** The processor stops until an interrupt, which returns to `nextEip`. */
export function hlt(cpu: CpuContext, nextEip: number): void {
  requireRing0(cpu);
  cpu.R[EIP] = nextEip;
  cpu.R[HALTED] = 1;
}

/** A leaf above the highest gives the data of the highest, as Intel's processors do. */
export function cpuid(cpu: CpuContext): void {
  const R = cpu.R;
  if (R[EAX] === 0) {
    R[EAX] = HIGHEST_LEAF;
    R[EBX] = chars('Genu');
    R[EDX] = chars('ineI');
    R[ECX] = chars('ntel');
  } else {
    R[EAX] = CPUID_SIGNATURE;
    R[EBX] = R[ECX] = 0;
    R[EDX] = CPUID_FEATURES;
  }
}

export function rdtsc(cpu: CpuContext): void {
  const R = cpu.R;
  if ((R[CR4]! & CR4_TSD) !== 0 && currentCpl(cpu) !== 0) cpu.raise(EXC_GP, 0);
  cpu.sampleTsc();
  R[EAX] = cpu.tscLow;
  R[EDX] = cpu.tscHigh;
}
