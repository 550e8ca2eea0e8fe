/**
 * Quotients and square roots of ordinary 80-bit numbers (see words.ts), through doubles that hold 22-bit limbs: every intermediate value is a
 * whole number below 2^53.
 */
import { FORM_REVERSED, FORM_Y } from './forms.ts';
import type { Put } from './rounding.ts';
import { FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW, OPERAND } from './state.ts';
import type { WordClasses } from './words.ts';

const BIAS = 16383, SPECIAL = 0x7fff;
const TOP_BIT = 0x80000000 | 0;
const LIMB = 0x400000, LIMB_MASK = LIMB - 1;

/** Instructions by their form (forms.ts). */
export interface WordDivision {
  /** ST(d) = ST(0) / y, or y / ST(0). */
  divide(form: number): void;
  /** ST(0) = its root. */
  squareRoot(form: number): void;
}

export function createWordDivision(R: Int32Array, { isEmpty, isOrdinary, isZero }: WordClasses, { put, putZero }: Put, otherwise: (form: number) => void): WordDivision {
  function divide(form: number): void {
    const status = R[FPU_SW]!, top = status >> 11 & 7, operand = form >> FORM_Y & 15, other = operand === OPERAND ? OPERAND : top + operand & 7;
    const reversed = (form >> FORM_REVERSED & 1) !== 0, x = reversed ? other : top, y = reversed ? top : other;
    const sign = (R[FPU_EXP + x]! ^ R[FPU_EXP + y]!) >>> 15;
    if (isEmpty(x) || isEmpty(y) || !isOrdinary(y)) otherwise(form);
    else if (isOrdinary(x)) divideOrdinary(form, status, sign, x, y);
    else if (isZero(x)) putZero(form, status, sign);
    else otherwise(form);
  }

  function divideOrdinary(form: number, status: number, sign: number, x: number, y: number): void {
    const xHigh = R[FPU_HIGH + 2 * x]!, yHigh = R[FPU_HIGH + 2 * y]!, xLow = R[FPU_LOW + 2 * x]!, yLow = R[FPU_LOW + 2 * y]!;
    const exponent = (R[FPU_EXP + x]! & SPECIAL) - (R[FPU_EXP + y]! & SPECIAL) + BIAS | 0;
    const y0 = yLow & LIMB_MASK, y1 = yLow >>> 22 | (yHigh & 0xfff) << 10, y2 = yHigh >>> 12;
    const divisor = y2 * LIMB * LIMB + y1 * LIMB + y0;
    // The remainder, in limbs; the quotient's digits have 22 bits.
    let r0 = xLow & LIMB_MASK, r1 = xLow >>> 22 | (xHigh & 0xfff) << 10, r2 = xHigh >>> 12;
    const whole = xHigh >>> 0 > yHigh >>> 0 || (xHigh === yHigh && xLow >>> 0 >= yLow >>> 0);
    if (whole) {
      r0 = r0 - y0 | 0;
      r1 = r1 - y1 | 0;
      r2 = r2 - y2 | 0;
    }
    let first = 0, second = 0, digit = 0;
    for (let step = 0; step < 3; step++) {
      first = second;
      second = digit;
      digit = Math.floor((r2 * LIMB * LIMB + r1 * LIMB + r0) * LIMB / divisor);
      // The estimate may be wrong by one.
      let n0 = -digit * y0, n1 = r0 - digit * y1, n2 = r1 - digit * y2, n3 = r2;
      for (;;) {
        let carry = Math.floor(n0 / LIMB);
        n0 -= carry * LIMB;
        n1 += carry;
        carry = Math.floor(n1 / LIMB);
        n1 -= carry * LIMB;
        n2 += carry + n3 * LIMB;
        n3 = 0;
        if (n2 < 0) {
          digit--;
          n0 += y0;
          n1 += y1;
          n2 += y2;
        } else if (n2 > y2 || (n2 === y2 && (n1 > y1 || (n1 === y1 && n0 >= y0)))) {
          digit++;
          n0 -= y0;
          n1 -= y1;
          n2 -= y2;
        } else break;
      }
      r0 = n0;
      r1 = n1;
      r2 = n2;
    }
    first |= 0;
    second |= 0;
    digit |= 0;
    const sticky = r0 !== 0 || r1 !== 0 || r2 !== 0 ? 1 : 0;
    if (whole) {
      put(form, status, sign, exponent, TOP_BIT | first << 9 | second >>> 13, (second & 0x1fff) << 19 | digit >>> 3, (digit & 7) << 29 | sticky);
      return;
    }
    put(form, status, sign, exponent - 1 | 0, first << 10 | second >>> 12, (second & 0xfff) << 20 | digit >>> 2, (digit & 3) << 30 | sticky);
  }

  /** Of ST(0): three digits of 22 bits, each from what the ones before have left. */
  function squareRoot(form: number): void {
    const status = R[FPU_SW]!, x = status >> 11 & 7, word = R[FPU_EXP + x]!;
    if (isEmpty(x) || !isOrdinary(x) || word >>> 15 !== 0) {
      otherwise(form);
      return;
    }
    const high = R[FPU_HIGH + 2 * x]!, low = R[FPU_LOW + 2 * x]!;
    const odd = word - BIAS & 1;
    // The significand, doubled if the exponent is odd, from bit 131 down.
    const m5 = odd !== 0 ? high >>> 10 : high >>> 11;
    const m4 = odd !== 0 ? (high & 0x3ff) << 12 | low >>> 20 : (high & 0x7ff) << 11 | low >>> 21;
    const m3 = odd !== 0 ? (low & 0xfffff) << 2 : (low & 0x1fffff) << 1;
    const start = m5 * LIMB + m4;
    const a = Math.floor(Math.sqrt(start));
    const after = (start - a * a) * LIMB + m3;
    let b = Math.min(LIMB_MASK, Math.floor(after / (2 * a)));
    let left = (after - 2 * a * b) * LIMB - b * b;
    while (left < 0) {
      b--;
      left += 2 * (a * LIMB + b) + 1;
    }
    const root = a * LIMB + b, upper = Math.floor(2 * root / LIMB), lower = 2 * root - upper * LIMB;
    const leaves = (c: number): number => (left - c * upper) * LIMB - c * lower;
    // The remainder is leaves * 2^22 - c * c: its sign is what counts.
    const fits = (c: number): boolean => {
      const over = leaves(c);
      return over >= LIMB || (over >= 0 && over * LIMB >= c * c);
    };
    let c = Math.min(LIMB_MASK, Math.floor(left * LIMB / (2 * root)));
    while (!fits(c)) c--;
    while (c < LIMB_MASK && fits(c + 1)) c++;
    const over = leaves(c), sticky = over >= LIMB || over * LIMB !== c * c ? 1 : 0;
    put(form, status, 0, (word - BIAS - odd >> 1) + BIAS, a << 10 | b >>> 12, (b & 0xfff) << 20 | c >>> 2, (c & 3) << 30 | sticky);
  }

  return { divide, squareRoot };
}
