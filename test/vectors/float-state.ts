/**
 * The state of x87, MMX and SSE, as the corpus and the recorder know it: what FXSAVE saves, without the pointers to the last x87
 * instruction. Those depend on the processor: AMD's save them only while an unmasked exception is pending (APM vol. 2, 11.4.4), and selectors
 * are 0 where CPUID says "FPU CS and DS deprecated".
 */
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW, FPU_TW } from '../../src/cpu/fpu/state.ts';
import { MXCSR, XMM } from '../../src/cpu/simd/state.ts';

/** Words: control, status (with TOP), tags (bit i: physical register i is not empty), MXCSR, x87 registers R0-R7 (low, high, sign and exponent), XMM0-7. */
export const CONTROL = 0, STATUS = 1, TAGS = 2, MXCSR_WORD = 3, X87 = 4, VECTORS = 28, FLOAT_WORDS = 60;
/** Words of the image that FXRSTOR loads, and those of them that hold something. */
export const IMAGE_WORDS = 128, USED_IMAGE_WORDS = 72;
const IMAGE_X87 = 8, IMAGE_VECTORS = 40, EMPTY = 3;

const topOf = (state: Int32Array): number => state[STATUS]! >> 11 & 7;

export function floatsOf(R: Int32Array): Int32Array {
  const state = new Int32Array(FLOAT_WORDS);
  state[CONTROL] = R[FPU_CW]!;
  state[STATUS] = R[FPU_SW]!;
  state[MXCSR_WORD] = R[MXCSR]!;
  for (let i = 0; i < 8; i++) {
    if ((R[FPU_TW]! >> 2 * i & EMPTY) !== EMPTY) state[TAGS]! |= 1 << i;
    state.set([R[FPU_LOW + 2 * i]!, R[FPU_HIGH + 2 * i]!, R[FPU_EXP + i]!], X87 + 3 * i);
  }
  state.set(R.subarray(XMM, XMM + 32), VECTORS);
  return state;
}

export function loadFloats(R: Int32Array, state: Int32Array): void {
  R[FPU_CW] = state[CONTROL]!;
  R[FPU_SW] = state[STATUS]!;
  R[MXCSR] = state[MXCSR_WORD]!;
  R[FPU_TW] = 0;
  for (let i = 0; i < 8; i++) {
    if ((state[TAGS]! >> i & 1) === 0) R[FPU_TW]! |= EMPTY << 2 * i;
    R[FPU_LOW + 2 * i] = state[X87 + 3 * i]!;
    R[FPU_HIGH + 2 * i] = state[X87 + 3 * i + 1]!;
    R[FPU_EXP + i] = state[X87 + 3 * i + 2]!;
  }
  R.set(state.subarray(VECTORS), XMM);
}

/** For FXRSTOR. */
export function imageOf(state: Int32Array): Int32Array {
  const image = new Int32Array(IMAGE_WORDS);
  image[0] = state[CONTROL]! | state[STATUS]! << 16;
  image[1] = state[TAGS]!;
  image[6] = state[MXCSR_WORD]!;
  for (let i = 0; i < 8; i++) image.set(state.subarray(X87 + 3 * i, X87 + 3 * i + 3), IMAGE_X87 + 4 * (i - topOf(state) & 7));
  image.set(state.subarray(VECTORS), IMAGE_VECTORS);
  return image;
}

export function floatsOfImage(image: Int32Array): Int32Array {
  const state = new Int32Array(FLOAT_WORDS);
  state[CONTROL] = image[0]! & 0xffff;
  state[STATUS] = image[0]! >>> 16;
  state[TAGS] = image[1]! & 0xff;
  state[MXCSR_WORD] = image[6]!;
  for (let i = 0; i < 8; i++) {
    const at = IMAGE_X87 + 4 * (i - topOf(state) & 7);
    state.set([image[at]!, image[at + 1]!, image[at + 2]! & 0xffff], X87 + 3 * i);
  }
  state.set(image.subarray(IMAGE_VECTORS, IMAGE_VECTORS + 32), VECTORS);
  return state;
}

/** As after FNINIT, with MXCSR as after a reset. */
export const DEFAULT_FLOATS = Int32Array.from({ length: FLOAT_WORDS }, (_, word) => (word === CONTROL ? 0x37f : word === MXCSR_WORD ? 0x1f80 : 0));
