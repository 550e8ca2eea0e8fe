/** HLT, CMPXCHG8B, POPCNT, RDRAND. Intel SDM vol. 2, those instructions. */
import type { CpuContext } from './context.ts';
import { requireRing0 } from './table-registers.ts';
import { writeEflags } from '../flags.ts';
import { EAX, EBX, ECX, EDX, EIP, HALTED, ZF } from '../state.ts';

/** The processor stops until an interrupt, which returns to `nextEip`. */
export function hlt(cpu: CpuContext, nextEip: number): void {
  requireRing0(cpu);
  cpu.R[EIP] = nextEip;
  cpu.R[HALTED] = 1;
}

/** The eight bytes at a linear address that the translator has checked: written in any case, as CMPXCHG does. */
export function cmpxchg8b(cpu: CpuContext, linear: number): void {
  const R = cpu.R;
  cpu.probe(linear, 8, true);
  const low = cpu.load32(linear), high = cpu.load32(linear + 4 | 0);
  const equal = low === R[EAX] && high === R[EDX];
  cpu.store32(linear, equal ? R[EBX]! : low);
  cpu.store32(linear + 4 | 0, equal ? R[ECX]! : high);
  if (!equal) {
    R[EAX] = low;
    R[EDX] = high;
  }
  writeEflags(R, equal ? ZF : 0, ZF);
}

/** How many bits of a word are set. Pure. */
export function popcount(word: number): number {
  let bits = word - (word >>> 1 & 0x55555555) | 0;
  bits = (bits & 0x33333333) + (bits >>> 2 & 0x33333333);
  return Math.imul(bits + (bits >>> 4) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export const random = (cpu: CpuContext): number => cpu.random();
