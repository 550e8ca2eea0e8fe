/**
 * What of x87, MMX and SSE is not compared with a recording, and why. Sources: Intel SDM vol. 2 (the pages of the instructions: which condition
 * codes are undefined), vol. 1, 8.1.8 and 8.3.10, 10.5; AMD APM vol. 2, 11.4.4.
 */
import { DE, IE } from '../../src/cpu/fpu/float80.ts';
import { SW_C1 } from '../../src/cpu/fpu/unit.ts';
import { STATUS_FLAGS } from '../../src/cpu/state.ts';
import { CONTROL, STATUS } from './float-state.ts';
import type { Piece } from './format.ts';

/**
 * Polynomials or tables differ between processors, so that a result may be one unit in the last place away, and with it how it was
 * rounded (C1). Exact results are exact in all.
 */
export const TRANSCENDENTAL: readonly string[] = ['f2xm1', 'fyl2x', 'fyl2xp1', 'fptan', 'fpatan', 'fsin', 'fcos', 'fsincos'];

/** Tables of 12 bits that each processor has its own of: an error of 1.5 * 2^-12 is allowed. */
export const ESTIMATES: readonly string[] = ['RCPPS', 'RCPSS', 'RSQRTPS', 'RSQRTSS'];

/** Bits of the status word. */
const UNDEFINED_STATUS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(TRANSCENDENTAL.map((name) => [name, SW_C1])),
};

export const undefinedStatus = (name: string): number => UNDEFINED_STATUS[name] ?? 0;

/** Of an operand in memory: offsets and lengths. */
export function undefinedMemory(name: string, wide: boolean): readonly (readonly [offset: number, length: number])[] {
  switch (name) {
    // Pointers to the last instruction, and its opcode: see float-state.ts.
    case 'fnstenv': case 'fnsave': return wide ? [[12, 16]] : [[6, 8]];
    // Opcode and pointers; MXCSR_MASK, which has a bit more on AMD's (misaligned SSE); what lies behind XMM7.
    case 'FXSAVE': return [[6, 18], [28, 4], [288, 224]];
    default: return [];
  }
}

/**
 * Flags of EFLAGS that an outcome leaves open. FCOMI and its like leave them alone when an invalid operation is not masked (SDM vol. 2), and
 * ours do so for a denormal operand too; AMD's set them.
 */
export const undefinedFlagsAfter = (name: string, before: Int32Array, after: Int32Array): number =>
  (/^fu?compi$|^fu?comi$/.test(name) && (after[STATUS]! & ~before[STATUS]! & ~after[CONTROL]! & (IE | DE)) !== 0 ? STATUS_FLAGS : 0);

export const piecesOf = (name: string, wide: boolean, address: number): Piece[] => undefinedMemory(name, wide).map(([offset, length]) => ({ address: address + offset, length }));
