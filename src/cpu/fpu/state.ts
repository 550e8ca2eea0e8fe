/**
 * x87 state in the processor's state array (slots FPU..FPU+63): registers as integer words, since JavaScript may
 * change the bits of a NaN that passes through a double. Layout and reset values: Intel SDM vol. 1, 8.1; vol. 3, 9.1.1.
 */
import { FPU } from '../state.ts';

/**
 * Physical register i (R0-R7, not ST(i)): its significand's low and high word at FPU_LOW + 2 * i and FPU_HIGH + 2 * i, side by side as
 * MMX wants them; sign and exponent (16 bits) at FPU_EXP + i. Register 8 holds an operand from memory as a number.
 */
export const FPU_LOW = FPU, FPU_HIGH = FPU + 1, FPU_EXP = FPU + 18;
export const OPERAND = 8;
export const FPU_CW = FPU + 27;
/** Status word, TOP included (bits 11-13). */
export const FPU_SW = FPU + 28;
/** Tag word as FSTENV stores it: two bits a physical register, 3 = empty. */
export const FPU_TW = FPU + 29;
/** Pointers of the last non-control instruction: IP offset and selector, operand offset and selector, opcode (11 bits). */
export const FPU_FIP = FPU + 30, FPU_FCS = FPU + 31, FPU_FDP = FPU + 32, FPU_FDS = FPU + 33, FPU_FOP = FPU + 34;
/** The bytes of a memory operand, just read or about to be written: up to 16. */
export const FPU_BYTES = FPU + 36, FPU_BYTES_WORDS = 4;
/** What a store will raise once its bytes are written: status bits. */
export const FPU_RAISED = FPU + 40;

/** State after RESET#. */
export function resetFpu(R: Int32Array): void {
  R.fill(0, FPU, FPU_FOP + 1);
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
