/**
 * 80-bit arithmetic on the words of the registers, for ordinary operands: normal numbers and zeros, with a result in range.
 * Each function says whether it has done its work; if not, nothing has changed, and float80.ts knows the whole truth.
 * Rounding and precision control, PE and C1 are complete here (Intel SDM vol. 1, 8.1.5, 8.5.6).
 *
 * Quotients and roots go through doubles that hold 22-bit limbs: every intermediate value is a whole number below 2^53. Of a product of
 * two 32-bit words, Math.imul gives the low word; what the rounded double has more than it is near enough to a multiple of 2^32.
 */
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW } from './state.ts';

const BIAS = 16383, SPECIAL = 0x7fff;
const TOP_BIT = 0x80000000 | 0;
const UNIT = 2 ** -32;
const LIMB = 0x400000, LIMB_MASK = LIMB - 1;
const SW_PE = 0x20, SW_ES_BUSY = 0x8080, SW_C0 = 0x100, SW_C1 = 0x200, SW_C2 = 0x400, SW_C3 = 0x4000;
const CW_PM = 0x20, CW_PC = 0x300, PC_24 = 0, PC_53 = 0x200, CW_RC = 0xc00, RC_NEAREST = 0, RC_DOWN = 0x400, RC_UP = 0x800;
/** To nearest, 64 bits: FNINIT. */
const CW_DEFAULT = 0x300;
const CONDITIONS = SW_C0 | SW_C1 | SW_C2 | SW_C3;

/** Registers are named by their physical number (0-7); OPERAND (state.ts) is one more. */
export interface WordArithmetic {
  /** d = x + y, or x - y with flip = 1. */
  add(d: number, x: number, y: number, flip: number): boolean;
  multiply(d: number, x: number, y: number): boolean;
  divide(d: number, x: number, y: number): boolean;
  squareRoot(d: number, x: number): boolean;
  /** Condition codes of x against y. */
  compare(x: number, y: number): boolean;
}

/** Whether what lies behind a significand rounds it away from zero: its first bit, and whether there is more. `control`: the control word. */
export function roundsUp(control: number, sign: number, odd: number, half: number, more: number): boolean {
  const mode = control & CW_RC;
  if (mode === RC_NEAREST) return half !== 0 && (more | odd) !== 0;
  return mode === (sign !== 0 ? RC_DOWN : RC_UP);
}

export function createWordArithmetic(R: Int32Array): WordArithmetic {
  const isOrdinary = (register: number): boolean => {
    const exponent = R[FPU_EXP + register]! & SPECIAL;
    return R[FPU_HIGH + 2 * register]! < 0 && exponent !== 0 && exponent !== SPECIAL;
  };
  const isZero = (register: number): boolean => (R[FPU_EXP + register]! & SPECIAL | R[FPU_HIGH + 2 * register]! | R[FPU_LOW + 2 * register]!) === 0;

  function putZero(d: number, sign: number): true {
    R[FPU_LOW + 2 * d] = R[FPU_HIGH + 2 * d] = 0;
    R[FPU_EXP + d] = sign << 15;
    R[FPU_SW] = R[FPU_SW]! & ~SW_C1;
    return true;
  }

  /** Stores a result that is rounded; `inexact` is 0 if it is exact, `up` 1 if it was rounded away from zero. */
  function store(d: number, sign: number, exponent: number, high: number, low: number, inexact: number, up: number): boolean {
    if (exponent <= 0 || exponent >= SPECIAL) return false;
    R[FPU_LOW + 2 * d] = low;
    R[FPU_HIGH + 2 * d] = high;
    R[FPU_EXP + d] = sign << 15 | exponent;
    const raised = (R[FPU_CW]! & CW_PM) === 0 ? SW_PE | SW_ES_BUSY : SW_PE;
    R[FPU_SW] = R[FPU_SW]! & ~SW_C1 | (inexact | -inexact) >> 31 & raised | up << 9;
    return true;
  }

  /** Rounds and stores a normalized significand of 64 bits with 32 more behind it, the last of which stands for all that follow. */
  function put(d: number, sign: number, exponent: number, high: number, low: number, rest: number): boolean {
    if ((R[FPU_CW]! & (CW_RC | CW_PC)) !== CW_DEFAULT) return putControlled(d, sign, exponent, high, low, rest);
    // Half a unit and what makes it more than that, or a tie with an odd number.
    const more = rest << 1 | low & 1, up = rest >>> 31 & (more | -more) >>> 31;
    const rounded = low + up | 0, carry = (low & ~rounded) >>> 31;
    const upper = high + carry | 0, over = (high & ~upper) >>> 31;
    return store(d, sign, exponent + over | 0, upper | over << 31, rounded, rest, up);
  }

  /** The same under any rounding and precision control. */
  function putControlled(d: number, sign: number, exponent: number, high: number, low: number, rest: number): boolean {
    const control = R[FPU_CW]!, precision = control & CW_PC;
    let inexact = rest, up = false;
    if (precision === PC_53) {
      const tail = low & 0x7ff;
      inexact |= tail;
      if (inexact !== 0) up = roundsUp(control, sign, low & 0x800, tail & 0x400, tail & 0x3ff | rest);
      low &= ~0x7ff;
      if (up) {
        low = low + 0x800 | 0;
        if (low === 0) high = high + 1 | 0;
      }
    } else if (precision === PC_24) {
      const tail = high & 0xff;
      inexact |= tail | low;
      if (inexact !== 0) up = roundsUp(control, sign, high & 0x100, tail & 0x80, tail & 0x7f | low | rest);
      high &= ~0xff;
      low = 0;
      if (up) high = high + 0x100 | 0;
    } else if (rest !== 0) {
      up = roundsUp(control, sign, low & 1, rest & TOP_BIT, rest << 1);
      if (up) {
        low = low + 1 | 0;
        if (low === 0) high = high + 1 | 0;
      }
    }
    if (up && high === 0) {
      high = TOP_BIT;
      exponent = exponent + 1 | 0;
    }
    return store(d, sign, exponent, high, low, inexact, up ? 1 : 0);
  }

  function add(d: number, x: number, y: number, flip: number): boolean {
    let xHigh = R[FPU_HIGH + 2 * x]!, xLow = R[FPU_LOW + 2 * x]!, xExponent = R[FPU_EXP + x]!;
    let high = R[FPU_HIGH + 2 * y]!, low = R[FPU_LOW + 2 * y]!, yExponent = R[FPU_EXP + y]!;
    const xSign = xExponent >>> 15, ySign = yExponent >>> 15 ^ flip;
    let sign = xSign;
    xExponent &= SPECIAL;
    yExponent &= SPECIAL;
    if (xHigh >= 0 || high >= 0 || xExponent === 0 || yExponent === 0 || xExponent === SPECIAL || yExponent === SPECIAL) {
      if (isZero(x)) {
        if (isZero(y)) return putZero(d, sign === ySign ? sign : (R[FPU_CW]! & CW_RC) === RC_DOWN ? 1 : 0);
        return isOrdinary(y) && put(d, ySign, yExponent, high, low, 0);
      }
      return isZero(y) && isOrdinary(x) && put(d, sign, xExponent, xHigh, xLow, 0);
    }
    // The one with the larger exponent first.
    let distance = xExponent - yExponent | 0;
    const other = distance >> 31, swapHigh = (xHigh ^ high) & other, swapLow = (xLow ^ low) & other;
    xHigh ^= swapHigh;
    high ^= swapHigh;
    xLow ^= swapLow;
    low ^= swapLow;
    sign ^= (sign ^ ySign) & other;
    xExponent = xExponent - (distance & other) | 0;
    distance = (distance ^ other) - other | 0;
    // The other in units of the first. A shift by ~n after one by 1 is one by 32 - n.
    let rest = 0;
    if (distance < 32) {
      rest = low << 1 << ~distance;
      low = low >>> distance | high << 1 << ~distance;
      high >>>= distance;
    } else if (distance < 64) {
      const lost = low << 1 << ~distance;
      rest = low >>> distance | high << 1 << ~distance | (lost | -lost) >>> 31;
      low = high >>> distance;
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
    if (minus === 0) {
      rest = rest >>> over | rest & 1 | least << 1 << ~over;
      least = least >>> over | most << 1 << ~over;
      return put(d, sign, xExponent + over | 0, most >>> over | over << 31, least, rest);
    }
    // Without a carry the difference is negative: then nothing was shifted.
    const negative = over - 1 | 0;
    sign ^= negative & 1;
    least = (least ^ negative) - negative | 0;
    most = (most ^ negative) + (negative & ~(least | -least) >>> 31) | 0;
    if (most === 0) {
      if ((least | rest) === 0) return putZero(d, (R[FPU_CW]! & CW_RC) === RC_DOWN ? 1 : 0);
      do {
        most = least;
        least = rest;
        rest = 0;
        xExponent = xExponent - 32 | 0;
      } while (most === 0);
    }
    const shift = Math.clz32(most);
    return put(d, sign, xExponent - shift | 0, most << shift | least >>> 1 >>> ~shift, least << shift | rest >>> 1 >>> ~shift, rest << shift);
  }

  function multiply(d: number, x: number, y: number): boolean {
    const xHigh = R[FPU_HIGH + 2 * x]!, yHigh = R[FPU_HIGH + 2 * y]!, xWord = R[FPU_EXP + x]!, yWord = R[FPU_EXP + y]!;
    const xExponent = xWord & SPECIAL, yExponent = yWord & SPECIAL, sign = (xWord ^ yWord) >>> 15;
    if ((xHigh & yHigh) >= 0 || xExponent === 0 || yExponent === 0 || xExponent === SPECIAL || yExponent === SPECIAL) {
      if (isZero(x)) return (isZero(y) || isOrdinary(y)) && putZero(d, sign);
      return isZero(y) && isOrdinary(x) && putZero(d, sign);
    }
    const xLow = R[FPU_LOW + 2 * x]!, yLow = R[FPU_LOW + 2 * y]!;
    const a = xLow >>> 0, b = xHigh >>> 0, c = yLow >>> 0, e = yHigh >>> 0;
    const least = Math.imul(xLow, yLow), middle = Math.imul(xLow, yHigh), middle2 = Math.imul(xHigh, yLow), most = Math.imul(xHigh, yHigh);
    const leastHigh = (a * c - (least >>> 0)) * UNIT + 0.5 | 0, middleHigh = (a * e - (middle >>> 0)) * UNIT + 0.5 | 0;
    const middle2High = (b * c - (middle2 >>> 0)) * UNIT + 0.5 | 0, mostHigh = (b * e - (most >>> 0)) * UNIT + 0.5 | 0;
    const sum = leastHigh + middle | 0, carry = (leastHigh & middle | (leastHigh | middle) & ~sum) >>> 31;
    const rest = sum + middle2 | 0, carry2 = (sum & middle2 | (sum | middle2) & ~rest) >>> 31;
    const upper = most + middleHigh + carry | 0, carry3 = (most & middleHigh | (most | middleHigh) & ~upper) >>> 31;
    const low = upper + middle2High + carry2 | 0, carry4 = (upper & middle2High | (upper | middle2High) & ~low) >>> 31;
    const high = mostHigh + carry3 + carry4 | 0, sticky = (least | -least) >>> 31;
    // The product's first bit or the one behind it is set.
    const shift = ~high >>> 31, exponent = xExponent + yExponent - BIAS + 1 - shift | 0;
    return put(d, sign, exponent, high << shift | low >>> 31 & shift, low << shift | rest >>> 31 & shift, rest << shift | sticky);
  }

  function divide(d: number, x: number, y: number): boolean {
    const signs = R[FPU_EXP + x]! ^ R[FPU_EXP + y]!;
    if (!isOrdinary(y)) return false;
    if (!isOrdinary(x)) return isZero(x) && putZero(d, signs >>> 15 & 1);
    const xHigh = R[FPU_HIGH + 2 * x]!, yHigh = R[FPU_HIGH + 2 * y]!, xLow = R[FPU_LOW + 2 * x]!, yLow = R[FPU_LOW + 2 * y]!;
    let exponent = (R[FPU_EXP + x]! & SPECIAL) - (R[FPU_EXP + y]! & SPECIAL) + BIAS | 0;
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
      return put(d, signs >>> 15 & 1, exponent, TOP_BIT | first << 9 | second >>> 13, (second & 0x1fff) << 19 | digit >>> 3, (digit & 7) << 29 | sticky);
    }
    exponent = exponent - 1 | 0;
    return put(d, signs >>> 15 & 1, exponent, first << 10 | second >>> 12, (second & 0xfff) << 20 | digit >>> 2, (digit & 3) << 30 | sticky);
  }

  /** Three digits of 22 bits, each from what the ones before have left. */
  function squareRoot(d: number, x: number): boolean {
    const word = R[FPU_EXP + x]!;
    if (!isOrdinary(x) || word >>> 15 !== 0) return false;
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
    return put(d, 0, (word - BIAS - odd >> 1) + BIAS, a << 10 | b >>> 12, (b & 0xfff) << 20 | c >>> 2, (c & 3) << 30 | sticky);
  }

  function compare(x: number, y: number): boolean {
    const xZero = isZero(x), yZero = isZero(y);
    if (!(xZero || isOrdinary(x)) || !(yZero || isOrdinary(y))) return false;
    let conditions = 0;
    if (xZero || yZero) {
      if (xZero && yZero) conditions = SW_C3;
      else if (xZero) conditions = R[FPU_EXP + y]! >>> 15 !== 0 ? 0 : SW_C0;
      else conditions = R[FPU_EXP + x]! >>> 15 !== 0 ? SW_C0 : 0;
    } else {
      const xWord = R[FPU_EXP + x]!, yWord = R[FPU_EXP + y]!;
      const xHigh = R[FPU_HIGH + 2 * x]! >>> 0, yHigh = R[FPU_HIGH + 2 * y]! >>> 0, xLow = R[FPU_LOW + 2 * x]! >>> 0, yLow = R[FPU_LOW + 2 * y]! >>> 0;
      const negative = xWord >>> 15 !== 0;
      if (negative !== (yWord >>> 15 !== 0)) conditions = negative ? SW_C0 : 0;
      else if (xWord === yWord && xHigh === yHigh && xLow === yLow) conditions = SW_C3;
      else {
        const less = xWord !== yWord ? xWord < yWord : xHigh !== yHigh ? xHigh < yHigh : xLow < yLow;
        conditions = less !== negative ? SW_C0 : 0;
      }
    }
    R[FPU_SW] = R[FPU_SW]! & ~CONDITIONS | conditions;
    return true;
  }

  return { add, multiply, divide, squareRoot, compare };
}
