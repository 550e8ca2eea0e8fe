/**
 * MMX and SSE state. MMX register i is the significand of x87 register i (src/cpu/fpu/state.ts); XMM registers have slots of their own.
 * Intel SDM vol. 1, 9.2, 10.2.
 */
import { FPU_BYTES } from '../fpu/state.ts';
import { FPU } from '../state.ts';

/** XMM register i: four words from XMM + 4 * i on, the lowest first. An even slot, so that doubles are aligned. */
export const XMM = FPU + 64;
export const XMM_WORDS = 4;
export const MXCSR = FPU + 41;
/** Operands from memory: 16 bytes, where x87 has its own. */
export const SIMD_BYTES = FPU_BYTES;

export const MXCSR_RESET = 0x1f80;
/** Bits of MXCSR (SDM vol. 1, 10.2.3): sticky flags IE DE ZE OE UE PE, DAZ, masks, rounding control, flush to zero. */
export const MXCSR_FLAGS = 0x3f, MXCSR_DAZ = 0x40, MXCSR_MASKS_SHIFT = 7, MXCSR_RC_SHIFT = 13, MXCSR_RC = 0x6000, MXCSR_FTZ = 0x8000;
/** What LDMXCSR may set; others are #GP. */
export const MXCSR_VALID = 0xffff;
