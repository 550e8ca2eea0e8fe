/**
 * x87 state in the processor's state array (slots FPU..FPU+63): registers as integer words, since JavaScript may
 * change the bits of a NaN that passes through a double. Layout and reset values: Intel SDM vol. 1, 8.1; vol. 3, 9.1.1.
 */
import { FPU } from '../state.ts';

/** Physical register i (R0-R7, not ST(i)): mantissa low and high word, then sign and exponent (16 bits). */
export const FPU_LOW = FPU, FPU_HIGH = FPU + 8, FPU_EXP = FPU + 16;
export const FPU_CW = FPU + 24;
/** Status word, TOP included (bits 11-13). */
export const FPU_SW = FPU + 25;
/** Tag word as FSTENV stores it: two bits a physical register, 3 = empty. */
export const FPU_TW = FPU + 26;
/** Pointers of the last non-control instruction: IP offset and selector, operand offset and selector, opcode (11 bits). */
export const FPU_FIP = FPU + 27, FPU_FCS = FPU + 28, FPU_FDP = FPU + 29, FPU_FDS = FPU + 30, FPU_FOP = FPU + 31;

/** State after RESET#. */
export function resetFpu(R: Int32Array): void {
  R.fill(0, FPU, FPU + 32);
  R[FPU_CW] = 0x40;
  R[FPU_TW] = 0x5555;
}

/** FNINIT. */
export function initFpu(R: Int32Array): void {
  R[FPU_CW] = 0x37f;
  R[FPU_SW] = 0;
  R[FPU_TW] = 0xffff;
  R.fill(0, FPU_FIP, FPU_FOP + 1);
}
