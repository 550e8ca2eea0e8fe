/**
 * Sums, products and comparisons of 80-bit numbers on the words of the registers, for ordinary operands: normal numbers and zeros, with a
 * result in range. What is not ordinary, or empty, changes nothing here and is left to float80.ts, which knows the whole truth.
 *
 * A mispredicted branch costs as much as an addition, so nothing on the common path branches on the bits of the numbers: carries are bit 31
 * of the majority of two summands and the inverted sum; (x | -x) >>> 31 is 1 unless x is 0; a shift by ~n after one by 1 is one by 32 - n,
 * for n = 0 too. Masks tell V8 the ranges of indices, so that it checks none of them.
 * Products of 16 by 16 bits leave room for a carry of 16 bits.
 */
import { FORM_MINUS, FORM_REVERSED, FORM_Y, Y_IS_OPERAND } from './forms.ts';
import type { Put } from './rounding.ts';
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW, FPU_TW, OPERAND } from './state.ts';

const BIAS = 16383, SPECIAL = 0x7fff;
const SW_C0 = 0x100, SW_C3 = 0x4000;
const CW_RC = 0xc00, RC_DOWN = 0x400;

/** Neither 0 nor SPECIAL. `word`: sign and exponent. */
const hasOrdinaryExponent = (word: number): boolean => (word + 1 & SPECIAL - 1) !== 0;

/** Registers by physical number (0-7), or OPERAND, which is never empty. */
export interface WordClasses {
  isEmpty(register: number): boolean;
  isOrdinary(register: number): boolean;
  isZero(register: number): boolean;
}

export const createWordClasses = (R: Int32Array): WordClasses => ({
  isEmpty: (register) => (R[FPU_TW]! >> 2 * register & 3) === 3,
  isOrdinary: (register) => R[FPU_HIGH + 2 * register]! < 0 && hasOrdinaryExponent(R[FPU_EXP + register]!),
  isZero: (register) => (R[FPU_EXP + register]! & SPECIAL | R[FPU_HIGH + 2 * register]! | R[FPU_LOW + 2 * register]!) === 0,
});

/** Instructions by their form (forms.ts). */
export interface WordArithmetic {
  /** ST(d) = ST(0) + y, ST(0) - y, or y - ST(0), which is -ST(0) + y. */
  add(form: number): void;
  multiply(form: number): void;
  /** Condition codes of one register, which has a value, against another, by physical numbers; -1 if they are not ordinary. */
  compare(a: number, b: number): number;
}

export function createWordArithmetic(R: Int32Array, { isOrdinary, isZero }: WordClasses, { put, putZero }: Put, otherwise: (form: number) => void): WordArithmetic {
  /** One operand at least is not a normal number. */
  function addUnusual(form: number, status: number, a: number, b: number): void {
    const sign = R[FPU_EXP + a]! >>> 15 ^ form >> FORM_REVERSED & 1, other = R[FPU_EXP + b]! >>> 15 ^ form >> FORM_MINUS & 1;
    if (isZero(a) && isZero(b)) putZero(form, status, sign === other ? sign : zeroOfDifference());
    else if (isZero(a) && isOrdinary(b)) put(form, status, other, R[FPU_EXP + b]! & SPECIAL, R[FPU_HIGH + 2 * b]!, R[FPU_LOW + 2 * b]!, 0);
    else if (isZero(b) && isOrdinary(a)) put(form, status, sign, R[FPU_EXP + a]! & SPECIAL, R[FPU_HIGH + 2 * a]!, R[FPU_LOW + 2 * a]!, 0);
    else otherwise(form);
  }

  /** The sign of x - x. */
  const zeroOfDifference = (): number => ((R[FPU_CW]! & CW_RC) === RC_DOWN ? 1 : 0);

  function add(form: number): void {
    const status = R[FPU_SW]!, tags = R[FPU_TW]!, a = status >> 11 & 7, b = (form & Y_IS_OPERAND) !== 0 ? OPERAND : (status >> 11) + (form >> FORM_Y) & 7;
    // A register is empty if both bits of its tag are set.
    const empty = tags & tags >> 1;
    if (((empty >> 2 * a | empty >> 2 * b) & 1) !== 0) {
      otherwise(form);
      return;
    }
    let xHigh = R[FPU_HIGH + 2 * a]!, xLow = R[FPU_LOW + 2 * a]!, xExponent = R[FPU_EXP + a]!;
    let high = R[FPU_HIGH + 2 * b]!, low = R[FPU_LOW + 2 * b]!;
    const yExponent = R[FPU_EXP + b]!, xSign = xExponent >>> 15 ^ form >> FORM_REVERSED & 1, ySign = yExponent >>> 15 ^ form >> FORM_MINUS & 1;
    if ((xHigh & high) >= 0 || !hasOrdinaryExponent(xExponent) || !hasOrdinaryExponent(yExponent)) {
      addUnusual(form, status, a, b);
      return;
    }
    // The one with the larger exponent first.
    xExponent &= SPECIAL;
    let distance = xExponent - (yExponent & SPECIAL) | 0;
    const other = distance >> 31, swapHigh = (xHigh ^ high) & other, swapLow = (xLow ^ low) & other;
    xHigh ^= swapHigh;
    high ^= swapHigh;
    xLow ^= swapLow;
    low ^= swapLow;
    let sign = xSign ^ (xSign ^ ySign) & other;
    xExponent = xExponent - (distance & other) | 0;
    distance = (distance ^ other) - other | 0;
    // The other in units of the first. A shift by ~n after one by 1 is one by 32 - n.
    let rest = 0;
    if (distance < 32) {
      rest = low << 1 << ~distance;
      low = low >>> distance | high << 1 << ~distance;
      high = high >>> distance | 0;
    } else if (distance < 64) {
      const lost = low << 1 << ~distance;
      rest = low >>> distance | high << 1 << ~distance | (lost | -lost) >>> 31;
      low = high >>> distance | 0;
      high = 0;
    } else {
      const lost = high << 1 << ~distance | low;
      rest = distance >= 96 ? 1 : high >>> distance | (lost | -lost) >>> 31;
      low = high = 0;
    }
    // Where signs differ, the negative of it.
    const minus = -(xSign ^ ySign) | 0;
    high ^= minus;
    low ^= minus;
    rest = (rest ^ minus) - minus | 0;
    const borrow = minus & ~(rest | -rest) >>> 31;
    let least = xLow + low + borrow | 0;
    const carry = (xLow & low | (xLow | low) & ~least) >>> 31;
    let most = xHigh + high + carry | 0;
    const over = (xHigh & high | (xHigh | high) & ~most) >>> 31;
    let shift = -over | 0;
    if (minus === 0) {
      rest = rest >>> over | rest & 1 | least << 1 << ~over;
      least = least >>> over | most << 1 << ~over;
      most = most >>> over | over << 31;
    } else {
      // Without a carry the difference is negative: then nothing was shifted.
      const negative = over - 1 | 0;
      sign ^= negative & 1;
      least = (least ^ negative) - negative | 0;
      most = (most ^ negative) + (negative & ~(least | -least) >>> 31) | 0;
      if (most === 0) {
        if ((least | rest) === 0) {
          putZero(form, status, zeroOfDifference());
          return;
        }
        do {
          most = least;
          least = rest;
          rest = 0;
          xExponent = xExponent - 32 | 0;
        } while (most === 0);
      }
      shift = Math.clz32(most);
      most = most << shift | least >>> 1 >>> ~shift;
      least = least << shift | rest >>> 1 >>> ~shift;
      rest = rest << shift;
    }
    put(form, status, sign, xExponent - shift | 0, most, least, rest);
  }

  function multiply(form: number): void {
    const status = R[FPU_SW]!, tags = R[FPU_TW]!, a = status >> 11 & 7, b = (form & Y_IS_OPERAND) !== 0 ? OPERAND : (status >> 11) + (form >> FORM_Y) & 7;
    const empty = tags & tags >> 1;
    if (((empty >> 2 * a | empty >> 2 * b) & 1) !== 0) {
      otherwise(form);
      return;
    }
    const xHigh = R[FPU_HIGH + 2 * a]!, yHigh = R[FPU_HIGH + 2 * b]!, xWord = R[FPU_EXP + a]!, yWord = R[FPU_EXP + b]!, sign = (xWord ^ yWord) >>> 15;
    if ((xHigh & yHigh) >= 0 || !hasOrdinaryExponent(xWord) || !hasOrdinaryExponent(yWord)) {
      if ((isZero(a) && (isZero(b) || isOrdinary(b))) || (isZero(b) && isOrdinary(a))) putZero(form, status, sign);
      else otherwise(form);
      return;
    }
    const xLow = R[FPU_LOW + 2 * a]!, yLow = R[FPU_LOW + 2 * b]!;
    const x0 = xLow & 0xffff, x1 = xLow >>> 16, x2 = xHigh & 0xffff, x3 = xHigh >>> 16, y0 = yLow & 0xffff, y1 = yLow >>> 16, y2 = yHigh & 0xffff, y3 = yHigh >>> 16;
    const least = Math.imul(xLow, yLow), middle = Math.imul(xLow, yHigh), middle2 = Math.imul(xHigh, yLow), most = Math.imul(xHigh, yHigh);
    const a1 = Math.imul(x1, y0) + (Math.imul(x0, y0) >>> 16) | 0, a2 = Math.imul(x0, y1) + (a1 & 0xffff) | 0;
    const leastHigh = Math.imul(x1, y1) + (a1 >>> 16) + (a2 >>> 16) | 0;
    const b1 = Math.imul(x1, y2) + (Math.imul(x0, y2) >>> 16) | 0, b2 = Math.imul(x0, y3) + (b1 & 0xffff) | 0;
    const middleHigh = Math.imul(x1, y3) + (b1 >>> 16) + (b2 >>> 16) | 0;
    const c1 = Math.imul(x3, y0) + (Math.imul(x2, y0) >>> 16) | 0, c2 = Math.imul(x2, y1) + (c1 & 0xffff) | 0;
    const middle2High = Math.imul(x3, y1) + (c1 >>> 16) + (c2 >>> 16) | 0;
    const d1 = Math.imul(x3, y2) + (Math.imul(x2, y2) >>> 16) | 0, d2 = Math.imul(x2, y3) + (d1 & 0xffff) | 0;
    const mostHigh = Math.imul(x3, y3) + (d1 >>> 16) + (d2 >>> 16) | 0;
    const sum = leastHigh + middle | 0, carry = (leastHigh & middle | (leastHigh | middle) & ~sum) >>> 31;
    const rest = sum + middle2 | 0, carry2 = (sum & middle2 | (sum | middle2) & ~rest) >>> 31;
    const upper = most + middleHigh + carry | 0, carry3 = (most & middleHigh | (most | middleHigh) & ~upper) >>> 31;
    const low = upper + middle2High + carry2 | 0, carry4 = (upper & middle2High | (upper | middle2High) & ~low) >>> 31;
    const high = mostHigh + carry3 + carry4 | 0, sticky = (least | -least) >>> 31;
    // The product's first bit or the one behind it is set.
    const shift = ~high >>> 31, exponent = (xWord & SPECIAL) + (yWord & SPECIAL) - BIAS + 1 - shift | 0;
    put(form, status, sign, exponent, high << shift | low >>> 31 & shift, low << shift | rest >>> 31 & shift, rest << shift | sticky);
  }

  /** One operand at least is not a normal number. */
  function compareUnusual(a: number, b: number): number {
    const zeroA = isZero(a), zeroB = isZero(b);
    if (!(zeroA || isOrdinary(a)) || !(zeroB || isOrdinary(b))) return -1;
    if (zeroA && zeroB) return SW_C3;
    if (zeroA) return R[FPU_EXP + b]! >>> 15 !== 0 ? 0 : SW_C0;
    return R[FPU_EXP + a]! >>> 15 !== 0 ? SW_C0 : 0;
  }

  function compare(a: number, b: number): number {
    const xWord = R[FPU_EXP + a]!, yWord = R[FPU_EXP + b]!, xHigh = R[FPU_HIGH + 2 * a]!, yHigh = R[FPU_HIGH + 2 * b]!;
    if ((xHigh & yHigh) >= 0 || !hasOrdinaryExponent(xWord) || !hasOrdinaryExponent(yWord)) return compareUnusual(a, b);
    const negative = xWord >>> 15 !== 0;
    if (negative !== (yWord >>> 15 !== 0)) return negative ? SW_C0 : 0;
    let less = xWord < yWord;
    if (xWord === yWord) {
      const xLow = R[FPU_LOW + 2 * a]!, yLow = R[FPU_LOW + 2 * b]!;
      if (xHigh === yHigh && xLow === yLow) return SW_C3;
      less = xHigh !== yHigh ? xHigh < yHigh : xLow >>> 0 < yLow >>> 0;
    }
    return less !== negative ? SW_C0 : 0;
  }

  return { add, multiply, compare };
}
