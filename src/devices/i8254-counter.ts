/**
 * What an 8254 counter shows `elapsed` clocks after its counting element was loaded with `n` and counts undisturbed, as pure
 * functions per mode. `modulus` is 10000 for BCD counting, else 65536; n lies in 1 … modulus.
 * Source: Intel 8254 datasheet (231164), "Mode Definitions".
 */

/** 0 terminal count, 1 one-shot, 2 rate generator, 3 square wave, 4 software strobe, 5 hardware strobe. */
export type CounterMode = 0 | 1 | 2 | 3 | 4 | 5;

/** Clocks for which a square wave of n is high. */
export const highHalf = (n: number): number => (n + 1) >> 1;

/** The counting element, 0 … modulus - 1. */
export function countAt(mode: CounterMode, n: number, modulus: number, elapsed: number): number {
  let count: number;
  if (mode === 2) {
    count = n - (elapsed % n);
  } else if (mode === 3) {
    // Counts down by two from n (n - 1 if odd) in each half.
    const phase = elapsed % n;
    const half = highHalf(n);
    count = (n & ~1) - 2 * (phase < half ? phase : phase - half);
  } else {
    count = n - elapsed;
  }
  count %= modulus;
  return count < 0 ? count + modulus : count;
}

/** Level of OUT. */
export function outAt(mode: CounterMode, n: number, elapsed: number): boolean {
  switch (mode) {
    case 0:
    case 1:
      return elapsed >= n;
    case 2:
      return n === 1 || elapsed % n !== n - 1;
    case 3:
      return elapsed % n < highHalf(n);
    default:
      return elapsed !== n;
  }
}

/** The next `elapsed` after the one given at which OUT changes; Infinity if it stays. */
export function nextChange(mode: CounterMode, n: number, elapsed: number): number {
  const cycle = elapsed - (elapsed % n);
  switch (mode) {
    case 0:
    case 1:
      return elapsed < n ? n : Infinity;
    case 2:
      if (n === 1) return Infinity;
      return elapsed < cycle + n - 1 ? cycle + n - 1 : cycle + n;
    case 3:
      if (n === 1) return Infinity;
      return elapsed < cycle + highHalf(n) ? cycle + highHalf(n) : cycle + n;
    default:
      return elapsed < n ? n : elapsed === n ? n + 1 : Infinity;
  }
}
