/**
 * Random operands for x87, MMX and SSE: ordinary numbers, and those that instructions trip over (zeros, denormals, infinities, NaNs, the
 * limits of integers and of other formats), and control words.
 */
import { CONTROL, FLOAT_WORDS, MXCSR_WORD, STATUS, TAGS, VECTORS, X87 } from './float-state.ts';
import { Random } from './random.ts';

const SINGLES = [0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001, 0xff812345, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x3f800000, 0xbf800000, 0x4f000000, 0xcf000000];
const DOUBLE_TOPS = [0, 0x80000000, 0x7ff00000, 0xfff00000, 0x7ff80000, 0xfff80001, 0x7ff00001, 0x00100000, 0x7fefffff, 0x3ff00000, 0xbff00000, 0x41e00000, 0xc1e00000, 1];

export function single(random: Random): number {
  switch (random.below(8)) {
    case 0: return random.pick(SINGLES);
    case 1: return random.next();
    case 2: return random.next() & 0x807fffff;
    case 3: return 0x3f800000 + (random.below(64) << 18);
    default: return random.next() & 0x807fffff | 120 + random.below(16) << 23;
  }
}

export function double(random: Random): [low: number, high: number] {
  const low = random.pick([0, 0xffffffff, random.next(), random.next() & 0xff000000]);
  switch (random.below(8)) {
    case 0: return [low, random.pick(DOUBLE_TOPS)];
    case 1: return [random.next(), random.next()];
    case 2: return [random.next(), random.next() & 0x800fffff];
    case 3: return [0, 0x3ff00000 + (random.below(64) << 14)];
    case 4: return [low, random.next() & 0x800fffff | random.pick([1, 2, 0x7fe, 0x7fd, 0x381, 0x380, 0x47e, 0x47f, 0x200]) << 20];
    default: return [random.next(), random.next() & 0x800fffff | 1010 + random.below(40) << 20];
  }
}

/** An 80-bit number: significand (low, high), sign and exponent. */
export type Extended = readonly [low: number, high: number, top: number];

const TOP_BIT = 0x80000000, BIAS = 0x3fff;
/** Zero, one, infinity, NaNs (quiet, signaling), denormal, pseudo-denormal, unnormal, pseudo-infinity, pseudo-NaN, largest, smallest, pi, 2.5. */
const EXTENDEDS: readonly Extended[] = [
  [0, 0, 0], [0, TOP_BIT, BIAS], [0, TOP_BIT, 0x7fff], [0, 0xc0000000, 0x7fff], [99, 0xc0000000, 0x7fff], [5, TOP_BIT, 0x7fff], [1, 0, 0], [0, 0x40000000, 0], [0, TOP_BIT, 0],
  [7, 0x40000000, BIAS], [0, 0, BIAS + 3], [0, 0, 0x7fff], [3, 0x40000000, 0x7fff], [0xffffffff, 0xffffffff, 0x7ffe], [0, TOP_BIT, 1], [0x2168c235, 0xc90fdaa2, BIAS + 1], [0, 0xa0000000, BIAS + 1],
];

/** Powers of two at which other formats end: single, double and integers of 16, 32, 64 bits. */
const EDGES = [-16445, -16382, -1074, -1022, -149, -126, -1, 0, 14, 15, 16, 30, 31, 32, 62, 63, 64, 127, 128, 1023, 1024, 16383];

export function extended(random: Random): Extended {
  const sign = random.below(2) << 15;
  const significand = (): [number, number] => {
    const cut = random.below(3) === 0 ? random.below(64) : 0;
    const low = cut >= 32 ? 0 : random.next() >>> cut << cut, high = cut <= 32 ? random.next() : random.next() >>> cut - 32 << cut - 32;
    return [low, high | TOP_BIT];
  };
  const near = (power: number): number => Math.max(1, Math.min(0x7ffe, BIAS + power));
  const number = (exponent: number): Extended => [...significand(), sign | exponent];
  switch (random.below(10)) {
    case 0: case 1: {
      const [low, high, top] = random.pick(EXTENDEDS);
      return [low, high, top | sign];
    }
    case 2: return [random.next(), random.next(), random.next() & 0xffff];
    case 3: return number(near(random.pick(EDGES) + random.below(3) - 1));
    case 4: { // At a limit, but for the last bits.
      const power = random.pick(EDGES), all = random.below(2) === 0;
      return [all ? -1 - (random.below(2) === 0 ? 0 : random.next() >>> 21) : random.below(2) === 0 ? 0 : random.next() >>> 21, all ? -1 : TOP_BIT, sign | near(power)];
    }
    case 5: return number(near(random.below(40) - 30));
    case 6: { // An integer or a half.
      const value = random.below(1 << 1 + random.below(20)) * 2 + 1, shift = Math.clz32(value);
      return [0, value << shift, sign | BIAS + 30 - shift];
    }
    default: return number(near(random.below(80) - 40));
  }
}

/** Control word: all rounding and precision controls (the reserved precision is rare), exceptions masked, or one time in eight some not. */
export function controlWord(random: Random): number {
  const masks = random.below(8) === 0 ? random.below(64) : 63;
  return masks | 0x40 | random.pick([0, 2, 3, 3, 3, random.below(4)]) << 8 | (random.below(2) === 0 ? 0 : random.below(4)) << 10;
}

/** MXCSR: all controls, old flags; one time in eight some exceptions are not masked. */
export function mxcsr(random: Random): number {
  const masks = random.below(8) === 0 ? random.below(64) : 63;
  const flags = random.below(3) === 0 ? random.below(64) : 0;
  return masks << 7 | flags | (random.below(2) === 0 ? 0 : random.below(4) << 13) | (random.below(4) === 0 ? 0x8000 : 0) | (random.below(4) === 0 ? 0x40 : 0);
}

/** Four words for an XMM register: singles, doubles, or integers. */
export function vector(random: Random): number[] {
  switch (random.below(3)) {
    case 0: return [0, 1, 2, 3].map(() => single(random));
    case 1: return [...double(random), ...double(random)];
    default: return [0, 1, 2, 3].map(() => (random.below(2) === 0 ? random.next() : random.pick([0x80007fff, 0x7f80ff00, 0xffffffff, 0, 1, 0x0011ff80])));
  }
}

/** The state of x87, MMX and SSE (float-state.ts). Old x87 exceptions are pending one time in sixteen. */
export function randomState(random: Random): Int32Array {
  const state = new Int32Array(FLOAT_WORDS);
  const control = random.below(8) === 0 ? 0x37f : controlWord(random);
  const pending = random.below(16) === 0;
  const flags = random.below(3) === 0 ? random.below(64) & (pending ? 63 : control) : 0;
  state[CONTROL] = control;
  state[STATUS] = random.next() & 0x7f00 | flags | ((flags & ~control) !== 0 ? 0x8080 : 0);
  const empty = random.pick([0, 0, 1, 3, 4]);
  for (let i = 0; i < 8; i++) {
    state.set(extended(random), X87 + 3 * i);
    // At times the one before, or close to it: equal operands, cancellation.
    if (i > 0 && random.below(6) === 0) {
      state.copyWithin(X87 + 3 * i, X87 + 3 * i - 3, X87 + 3 * i);
      state[X87 + 3 * i]! ^= random.below(2);
      state[X87 + 3 * i + 2]! ^= random.below(2) << 15;
    }
    if (random.below(8) >= empty) state[TAGS]! |= 1 << i;
    state.set(vector(random), VECTORS + 4 * i);
  }
  state[MXCSR_WORD] = mxcsr(random);
  return state;
}

/** The state of a seed: all vectors of the corpus begin with one of these, so what this file makes is part of the corpus. */
export function stateOfSeed(seed: number): Int32Array {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x2545f491);
  for (let i = 0; i < 4; i++) random.next();
  return randomState(random);
}
