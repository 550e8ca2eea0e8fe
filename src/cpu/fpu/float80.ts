/**
 * Double extended precision (80-bit) numbers: classes, rounding, NaN rules, arithmetic. Exact, over BigInt significands.
 * Format and rules: Intel SDM vol. 1, 4.2.2 (format), 4.8 (NaNs, infinities), 8.5 (exceptions); tables 4-7 (NaN operands), 8-10 (masked responses).
 */

export interface Float80 {
  readonly sign: 0 | 1;
  /** Biased by 16383; 0 to 32767. */
  readonly exponent: number;
  /** 64 bits, integer bit explicit. */
  readonly significand: bigint;
}

/** Exception flags, as in the status word. */
export const IE = 1, DE = 2, ZE = 4, OE = 8, UE = 16, PE = 32;
/** Rounding control. */
export const NEAREST = 0, DOWN = 1, UP = 2, CHOP = 3;

export const BIAS = 16383;
export const MAX_EXPONENT = 0x7fff;
export const INTEGER_BIT = 1n << 63n;
export const QUIET_BIT = 1n << 62n;
export const FRACTION = INTEGER_BIT - 1n;

/** What arithmetic needs to know, and what it reports. */
export class Arithmetic {
  /** Rounding control. */
  rounding = NEAREST;
  /** Bits of precision: 24, 53 or 64. */
  precision = 64;
  /** Exception masks (IE..PE): a set bit is masked. */
  masks = 63;
  /** Exceptions raised since clear(). */
  flags = 0;
  /** An operand from memory was a denormal of its format; as a Float80 it is a normal number. */
  denormalOperand = false;
  /** C1: the last inexact result was rounded away from zero. */
  roundedUp = false;

  clear(): void {
    this.flags = 0;
    this.denormalOperand = false;
    this.roundedUp = false;
  }
}

export const ZERO: Float80 = { sign: 0, exponent: 0, significand: 0n };
export const ONE: Float80 = { sign: 0, exponent: BIAS, significand: INTEGER_BIT };
/** The real indefinite QNaN. */
export const INDEFINITE: Float80 = { sign: 1, exponent: MAX_EXPONENT, significand: INTEGER_BIT | QUIET_BIT };
export const infinity = (sign: 0 | 1): Float80 => ({ sign, exponent: MAX_EXPONENT, significand: INTEGER_BIT });
export const zero = (sign: 0 | 1): Float80 => ({ sign, exponent: 0, significand: 0n });

export const isZero = (x: Float80): boolean => x.exponent === 0 && x.significand === 0n;
export const isInfinity = (x: Float80): boolean => x.exponent === MAX_EXPONENT && x.significand === INTEGER_BIT;
export const isNaN80 = (x: Float80): boolean => x.exponent === MAX_EXPONENT && x.significand > INTEGER_BIT;
export const isSignaling = (x: Float80): boolean => isNaN80(x) && (x.significand & QUIET_BIT) === 0n;
/** Denormals and pseudo-denormals. */
export const isDenormal = (x: Float80): boolean => x.exponent === 0 && x.significand !== 0n;
/** Unnormals, pseudo-infinities, pseudo-NaNs: invalid since the 387. */
export const isUnsupported = (x: Float80): boolean => x.exponent !== 0 && (x.significand & INTEGER_BIT) === 0n;
const quiet = (x: Float80): Float80 => ({ ...x, significand: x.significand | QUIET_BIT });

export function bitLength(x: bigint): number {
  const text = x.toString(16);
  return (text.length - 1) * 4 + (32 - Math.clz32(parseInt(text[0]!, 16)));
}

const scaleOf = (x: Float80): number => (x.exponent === 0 ? 1 : x.exponent) - BIAS - 63;

function roundsUp(rounding: number, sign: 0 | 1, odd: boolean, half: -1 | 0 | 1): boolean {
  if (rounding === NEAREST) return half > 0 || (half === 0 && odd);
  return rounding === (sign === 1 ? DOWN : UP);
}

/** value >> bits, rounded; and whether that was inexact or went up. */
export function shiftRounded(value: bigint, bits: number, rounding: number, sign: 0 | 1): { value: bigint; inexact: boolean; up: boolean } {
  if (bits <= 0) return { value: value << BigInt(-bits), inexact: false, up: false };
  const shift = BigInt(bits);
  const kept = value >> shift, rest = value - (kept << shift);
  if (rest === 0n) return { value: kept, inexact: false, up: false };
  const halfway = 1n << (shift - 1n);
  const up = roundsUp(rounding, sign, (kept & 1n) === 1n, rest > halfway ? 1 : rest === halfway ? 0 : -1);
  return { value: up ? kept + 1n : kept, inexact: true, up };
}

/** A value of a format with `precision` bits and exponents [emin, emax] (of the leading bit), rounded from value × 2^scale. */
export interface Rounded {
  significand: bigint;
  /** Exponent of the unit of `significand`. */
  scale: number;
  inexact: boolean;
  tiny: boolean;
  overflow: boolean;
  up: boolean;
}

/** Rounds value × 2^scale (value > 0) to a binary format; a tiny result is denormalised unless `unbounded`. */
export function roundTo(value: bigint, scale: number, sign: 0 | 1, rounding: number, precision: number, emin: number, emax: number, unbounded: boolean): Rounded {
  const leading = bitLength(value) - 1 + scale;
  const normal = shiftRounded(value, bitLength(value) - precision, rounding, sign);
  const afterRounding = leading + (bitLength(normal.value) > precision ? 1 : 0);
  const tiny = afterRounding < emin;
  if (tiny && !unbounded) {
    const unit = emin - precision + 1;
    const denormal = shiftRounded(value, unit - scale, rounding, sign);
    return { significand: denormal.value, scale: unit, inexact: denormal.inexact, tiny, overflow: false, up: denormal.up };
  }
  return { significand: normal.value, scale: leading - precision + 1, inexact: normal.inexact, tiny, overflow: afterRounding > emax, up: normal.up };
}

/** Exponent adjustment of results when overflow or underflow is not masked (SDM vol. 1, 8.5.4). */
const WRAP = 24576;

/** The Float80 nearest to ±value × 2^scale under the arithmetic's control; raises OE, UE, PE. */
export function pack(a: Arithmetic, sign: 0 | 1, value: bigint, scale: number, precision = a.precision): Float80 {
  if (value === 0n) return zero(sign);
  let result = roundTo(value, scale, sign, a.rounding, precision, 1 - BIAS, BIAS, (a.masks & UE) === 0);
  if (result.tiny && (a.masks & UE) === 0) {
    a.flags |= UE;
    scale += WRAP;
    result = roundTo(value, scale, sign, a.rounding, precision, 1 - BIAS, BIAS, true);
  } else if (result.overflow && (a.masks & OE) === 0) {
    a.flags |= OE;
    scale -= WRAP;
    result = roundTo(value, scale, sign, a.rounding, precision, 1 - BIAS, BIAS, true);
  } else if (result.overflow) {
    a.flags |= OE | PE;
    const toInfinity = a.rounding === NEAREST || a.rounding === (sign === 1 ? DOWN : UP);
    a.roundedUp = toInfinity;
    return toInfinity ? infinity(sign) : { sign, exponent: MAX_EXPONENT - 1, significand: ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision) };
  }
  if (result.inexact) {
    a.flags |= PE;
    a.roundedUp = result.up;
    if (result.tiny) a.flags |= UE;
  }
  return normalized(sign, result.significand, result.scale);
}

/** An exactly representable value as a Float80. */
export function normalized(sign: 0 | 1, value: bigint, scale: number): Float80 {
  if (value === 0n) return zero(sign);
  const shift = 64 - bitLength(value);
  const exponent = scale - shift + 63 + BIAS;
  const significand = shift >= 0 ? value << BigInt(shift) : value >> BigInt(-shift);
  if (exponent >= 1) return { sign, exponent, significand };
  return { sign, exponent: 0, significand: significand >> BigInt(1 - exponent) };
}

/** NaN result of one or two operands, or null if none is a NaN or unsupported; raises IE. */
export function nanResult(a: Arithmetic, x: Float80, y: Float80 = x): Float80 | null {
  if (isUnsupported(x) || isUnsupported(y)) {
    a.flags |= IE;
    return INDEFINITE;
  }
  if (!isNaN80(x) && !isNaN80(y)) return null;
  if (isSignaling(x) || isSignaling(y)) a.flags |= IE;
  if (!isNaN80(x)) return quiet(y);
  if (!isNaN80(y)) return quiet(x);
  if (isSignaling(x) !== isSignaling(y)) return quiet(isSignaling(x) ? y : x);
  if (x.significand === y.significand) return quiet(x.sign === 0 ? x : y);
  return quiet(x.significand > y.significand ? x : y);
}

export function invalid(a: Arithmetic): Float80 {
  a.flags |= IE;
  return INDEFINITE;
}

/** Denormal operands raise DE, once the operation is known to be valid. */
export function noteDenormals(a: Arithmetic, x: Float80, y: Float80 = x): void {
  if (a.denormalOperand || isDenormal(x) || isDenormal(y)) a.flags |= DE;
}

export function add(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  if (isInfinity(x) && isInfinity(y) && x.sign !== y.sign) return invalid(a);
  noteDenormals(a, x, y);
  if (isInfinity(x)) return x;
  if (isInfinity(y)) return y;
  if (isZero(x) !== isZero(y)) {
    const only = isZero(x) ? y : x;
    return pack(a, only.sign, only.significand, scaleOf(only));
  }
  // Far apart, the smaller one only matters as "a little": the shift stays bounded.
  const distance = scaleOf(x) - scaleOf(y);
  if (Math.abs(distance) > 200) {
    const [big, small] = distance > 0 ? [x, y] : [y, x];
    return pack(a, big.sign, (big.significand << 80n) + (small.sign === big.sign ? 1n : -1n), scaleOf(big) - 80);
  }
  const scale = Math.min(scaleOf(x), scaleOf(y));
  const part = (v: Float80): bigint => (v.sign === 1 ? -v.significand : v.significand) << BigInt(scaleOf(v) - scale);
  const sum = part(x) + part(y);
  if (sum === 0n) return zero(x.sign === y.sign ? x.sign : a.rounding === DOWN ? 1 : 0);
  return sum < 0n ? pack(a, 1, -sum, scale) : pack(a, 0, sum, scale);
}

export const negate = (x: Float80): Float80 => ({ ...x, sign: x.sign === 0 ? 1 : 0 });

export function subtract(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  return nan ?? add(a, x, negate(y));
}

export function multiply(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  if ((isInfinity(x) && isZero(y)) || (isZero(x) && isInfinity(y))) return invalid(a);
  noteDenormals(a, x, y);
  const sign = (x.sign ^ y.sign) as 0 | 1;
  if (isInfinity(x) || isInfinity(y)) return infinity(sign);
  return pack(a, sign, x.significand * y.significand, scaleOf(x) + scaleOf(y));
}

export function divide(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  if ((isInfinity(x) && isInfinity(y)) || (isZero(x) && isZero(y))) return invalid(a);
  const sign = (x.sign ^ y.sign) as 0 | 1;
  if (isZero(y) && !isInfinity(x)) {
    a.flags |= ZE;
    return infinity(sign);
  }
  noteDenormals(a, x, y);
  if (isInfinity(x)) return infinity(sign);
  if (isInfinity(y) || isZero(x)) return zero(sign);
  // 140 more bits than needed, and a sticky one: the quotient of 64-bit numbers never lies on a tie beyond them.
  const dividend = x.significand << 140n;
  const quotient = dividend / y.significand;
  const sticky = quotient * y.significand === dividend ? 0n : 1n;
  return pack(a, sign, quotient << 1n | sticky, scaleOf(x) - scaleOf(y) - 141);
}

/** Integer square root, rounded down. */
export function isqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

export function squareRoot(a: Arithmetic, x: Float80): Float80 {
  const nan = nanResult(a, x);
  if (nan !== null) return nan;
  if (isZero(x)) return x;
  if (x.sign === 1) return invalid(a);
  noteDenormals(a, x);
  if (isInfinity(x)) return x;
  const odd = scaleOf(x) & 1;
  const radicand = x.significand << BigInt(140 + odd);
  const root = isqrt(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return pack(a, 0, root << 1n | sticky, (scaleOf(x) - 140 - odd) / 2 - 1);
}

/** -1, 0, 1, or null for unordered. Raises IE for unsupported and signaling operands, and for quiet ones unless `quietCompare`. */
export function compare(a: Arithmetic, x: Float80, y: Float80, quietCompare: boolean): -1 | 0 | 1 | null {
  if (isUnsupported(x) || isUnsupported(y) || isNaN80(x) || isNaN80(y)) {
    if (!quietCompare || isUnsupported(x) || isUnsupported(y) || isSignaling(x) || isSignaling(y)) a.flags |= IE;
    return null;
  }
  noteDenormals(a, x, y);
  if (isZero(x) && isZero(y)) return 0;
  if (x.sign !== y.sign) return x.sign === 1 ? -1 : 1;
  const order = x.exponent !== y.exponent && Math.max(x.exponent, 1) !== Math.max(y.exponent, 1)
    ? Math.sign(Math.max(x.exponent, 1) - Math.max(y.exponent, 1))
    : x.significand === y.significand ? 0 : x.significand > y.significand ? 1 : -1;
  return (x.sign === 1 && order !== 0 ? -order : order) as -1 | 0 | 1;
}

/** Rounds to an integral value (FRNDINT). */
export function roundToIntegral(a: Arithmetic, x: Float80): Float80 {
  const nan = nanResult(a, x);
  if (nan !== null) return nan;
  if (isInfinity(x) || isZero(x)) return x;
  noteDenormals(a, x);
  const scale = scaleOf(x);
  if (scale >= 0) return x;
  const { value, inexact, up } = shiftRounded(x.significand, Math.min(-scale, 70), a.rounding, x.sign);
  if (inexact) {
    a.flags |= PE;
    a.roundedUp = up;
  }
  return normalized(x.sign, value, 0);
}

/** The signed integer of `bits` bits nearest to x, or null with IE raised (then the integer indefinite is stored). */
export function toInteger(a: Arithmetic, x: Float80, bits: number, rounding = a.rounding): bigint | null {
  if (isUnsupported(x) || isNaN80(x) || isInfinity(x)) {
    a.flags |= IE;
    return null;
  }
  const scale = scaleOf(x);
  if (scale > 0) {
    a.flags |= IE;
    return null;
  }
  const { value, inexact, up } = shiftRounded(x.significand, Math.min(-scale, 70), rounding, x.sign);
  const limit = 1n << BigInt(bits - 1);
  if (value > (x.sign === 1 ? limit : limit - 1n)) {
    a.flags |= IE;
    return null;
  }
  if (inexact) {
    a.flags |= PE;
    a.roundedUp = up;
  }
  return x.sign === 1 ? -value : value;
}

export const fromInteger = (value: bigint): Float80 => (value < 0n ? normalized(1, -value, 0) : normalized(0, value, 0));

/** Value and sign as significand × 2^scale, for finite numbers. */
export const parts = (x: Float80): { value: bigint; scale: number } => ({ value: x.significand, scale: scaleOf(x) });
