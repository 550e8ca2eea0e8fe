/**
 * Hardware breakpoints. Intel SDM vol. 3, 17.2 and 17.3.
 *
 * While DR7 enables any, blocks hold one instruction (HF_DEBUG). Breakpoints on instructions are asked for before it. Those on data are noted by the
 * slow paths of memory (pages with one are in no fast table) and on ports by IN and OUT, in DEBUG_HITS; the trap comes behind the instruction.
 */
import { commitState } from './context.ts';
import type { CpuContext } from './context.ts';
import { CR4, CR4_DE, DEBUG_HITS, DR, EXC_DB, SS_SHADOW } from '../state.ts';

/** DR6.BS: single step. */
export const DR6_BS = 1 << 14;
/** The R/W fields of DR7. */
const ON_INSTRUCTION = 0, ON_WRITE = 1, ON_PORT = 2, ON_ACCESS = 3;
/** Lengths by the LEN fields of DR7. */
const LENGTHS = [1, 2, 8, 4] as const;

export interface Breakpoint {
  /** Bit in DR6. */
  readonly bit: number;
  readonly kind: number;
  readonly address: number;
  readonly length: number;
}

/** Those that DR7 enables. */
export function breakpoints(R: Int32Array): Breakpoint[] {
  const dr7 = R[DR + 7]!;
  return [0, 1, 2, 3].filter((i) => (dr7 >> 2 * i & 3) !== 0).map((i) => {
    const length = LENGTHS[dr7 >> 18 + 4 * i & 3]!;
    return { bit: 1 << i, kind: dr7 >> 16 + 4 * i & 3, address: R[DR + i]! & -length, length };
  });
}

export const isOnData = ({ kind }: Breakpoint): boolean => kind === ON_WRITE || kind === ON_ACCESS;

/** Notes those that an access to [address, address + size) meets. */
export function noteAccess(R: Int32Array, enabled: readonly Breakpoint[], address: number, size: number, write: boolean): void {
  for (const { bit, kind, address: first, length } of enabled) {
    if (kind !== ON_ACCESS && !write) continue;
    if ((address - first | 0) < length && (first - address | 0) < size) R[DEBUG_HITS] = R[DEBUG_HITS]! | bit;
  }
}

/** The same for a port: with CR4.DE only. */
export function notePort(cpu: CpuContext, port: number, size: number): void {
  if ((cpu.R[CR4]! & CR4_DE) === 0) return;
  for (const { bit, kind, address, length } of breakpoints(cpu.R)) {
    if (kind === ON_PORT && port < address + length && address < port + size) cpu.R[DEBUG_HITS] = cpu.R[DEBUG_HITS]! | bit;
  }
}

/**
 * Before an instruction: #DB if there is a breakpoint on it, except behind MOV SS and POP SS, where Intel's processors have none. `shadowed`: it
 * stands behind those or STI, and what MOV SS held back is still to come.
 */
export function code_breakpoint(cpu: CpuContext, linear: number, shadowed: number): void {
  const R = cpu.R;
  // A fault of the instruction before has made its hits void.
  if (shadowed === 0) R[DEBUG_HITS] = 0;
  else if (R[SS_SHADOW] !== 0) return;
  const hits = breakpoints(R).reduce((bits, { bit, kind, address, length }) => (kind === ON_INSTRUCTION && length === 1 && address === linear ? bits | bit : bits), 0);
  if (hits === 0) return;
  R[DR + 6] = R[DR + 6]! | hits;
  cpu.raise(EXC_DB);
}

/**
 * #DB behind an instruction: of a breakpoint that it met, or because it ran with TF set (`step` 1). The instruction is complete and R[EIP] is the
 * next one's, so nothing is put back: this helper throws, but not a fault of its instruction.
 */
export function debug_trap(cpu: CpuContext, step: number): void {
  const R = cpu.R, hits = R[DEBUG_HITS]!;
  if ((hits | step) === 0) return;
  R[DEBUG_HITS] = 0;
  R[DR + 6] = R[DR + 6]! | hits | (step !== 0 ? DR6_BS : 0);
  commitState(cpu);
  cpu.raise(EXC_DB);
}
