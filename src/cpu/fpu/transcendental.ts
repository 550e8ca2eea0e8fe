/**
 * FPREM, FSCALE, FXTRACT and the transcendental instructions (Intel SDM vol. 1, 8.3.5-8.3.10), in fixed point with far
 * more bits than the result has, so that results are correctly rounded but for a vanishing few cases.
 * Trigonometric functions reduce their argument by the 66-bit pi that the hardware uses (vol. 1, 8.3.8).
 */
import {
  BIAS, INTEGER_BIT, ONE, PE, UE, ZE, bitLength, fromInteger, infinity, invalid, isDenormal, isInfinity, isZero, nanResult, negate, noteDenormals, normalized, pack, parts, zero,
} from './float80.ts';
import type { Arithmetic, Float80 } from './float80.ts';

/** Fraction bits of the fixed-point numbers here. */
const BITS = 160;
const FIXED = BigInt(BITS);
const UNIT = 1n << FIXED;

/** atan(1/n) in fixed point. */
function inverseTangentOf(n: bigint): bigint {
  let term = UNIT / n, sum = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term = -term / (n * n);
    sum += term / k;
  }
  return sum;
}
/** Machin's formula. */
const PI = 4n * (4n * inverseTangentOf(5n) - inverseTangentOf(239n));
/** The hardware's pi, 66 significant bits, in fixed point. */
const PI66 = PI >> (FIXED - 64n) << (FIXED - 64n);
/** ln 2 = 2 atanh(1/3). */
const LN2 = 2n * inverseHyperbolicTangent(UNIT / 3n);

function inverseHyperbolicTangent(x: bigint): bigint {
  const square = x * x >> FIXED;
  let power = x, sum = x;
  for (let k = 3n; ; k += 2n) {
    power = power * square >> FIXED;
    if (power === 0n || power === -1n) return sum;
    sum += power / k;
  }
}

/** e^x - 1 for |x| < 1. */
function exponentialMinusOne(x: bigint): bigint {
  let term = x, sum = x;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = (term * x >> FIXED) / k;
    sum += term;
  }
  return sum;
}

function sineCosine(x: bigint): { sine: bigint; cosine: bigint } {
  const square = x * x >> FIXED;
  let term = x, sine = x, k = 2n;
  for (; term !== 0n && term !== -1n; k += 2n) {
    term = -(term * square >> FIXED) / (k * (k + 1n));
    sine += term;
  }
  let cosine = UNIT;
  term = UNIT;
  for (k = 1n; term !== 0n && term !== -1n; k += 2n) {
    term = -(term * square >> FIXED) / (k * (k + 1n));
    cosine += term;
  }
  return { sine, cosine };
}

/** atan of x (0 <= x <= 1): halves the angle until the series is short. */
function inverseTangent(x: bigint): bigint {
  let doublings = 0n;
  while (x > UNIT >> 6n) {
    const root = squareRootFixed(UNIT + (x * x >> FIXED));
    x = (x << FIXED) / (UNIT + root);
    doublings++;
  }
  const square = x * x >> FIXED;
  let power = x, sum = x;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = -(power * square >> FIXED);
    sum += power / k;
  }
  return sum << doublings;
}

function squareRootFixed(x: bigint): bigint {
  const target = x << FIXED;
  let guess = UNIT * 2n;
  for (;;) {
    const next = (guess + target / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

const toFixed = (x: Float80): bigint => {
  const { value, scale } = parts(x);
  const shift = scale + BITS;
  const magnitude = shift >= 0 ? value << BigInt(shift) : value >> BigInt(-shift);
  return x.sign === 1 ? -magnitude : magnitude;
};

/** Packs an inexact fixed-point result with 64 bits of precision: transcendentals ignore precision control. */
function packFixed(a: Arithmetic, x: bigint, scale = -BITS): Float80 {
  const sign = x < 0n ? 1 : 0;
  // A set bit far below keeps the result inexact.
  return pack(a, sign, (sign === 1 ? -x : x) << 1n | 1n, scale - 1, 64);
}

/** Small arguments of odd functions: f(x) = x but for the inexact flag. */
const isTiny = (x: Float80): boolean => x.exponent < BIAS - 60;

/** x, a little more (1) or less (-1) in magnitude. */
function tinyResult(a: Arithmetic, x: Float80, error: 1n | -1n): Float80 {
  const { value, scale } = parts(x);
  return pack(a, x.sign, (value << 100n) + error, scale - 100, 64);
}

/**
 * F2XM1: 2^x - 1; outside of -1..1 the result is undefined (x is given back, as the hardware does). Like all of these
 * instructions it reports an exact result as inexact.
 */
export function exp2MinusOne(a: Arithmetic, x: Float80): Float80 {
  const nan = nanResult(a, x);
  if (nan !== null) return nan;
  if (isInfinity(x)) return x.sign === 1 ? negate(ONE) : x;
  if (isZero(x)) return x;
  noteDenormals(a, x);
  a.flags |= PE;
  if (x.exponent > BIAS || (x.exponent === BIAS && x.significand !== INTEGER_BIT)) return x;
  if (x.exponent === BIAS) return x.sign === 0 ? ONE : { sign: 1, exponent: BIAS - 1, significand: INTEGER_BIT };
  if (isTiny(x)) {
    const { value, scale } = parts(x);
    return packFixed(a, (x.sign === 1 ? -value : value) * LN2, scale - BITS);
  }
  return packFixed(a, exponentialMinusOne(toFixed(x) * LN2 >> FIXED));
}

/** log2 of value × 2^scale (value > 0), in fixed point. */
function log2(value: bigint, scale: number): bigint {
  const length = bitLength(value);
  const m = length > BITS ? value >> BigInt(length - 1 - BITS) : value << BigInt(BITS + 1 - length);
  return (2n * inverseHyperbolicTangent(((m - UNIT) << FIXED) / (m + UNIT)) << FIXED) / LN2 + (BigInt(length - 1 + scale) << FIXED);
}

/** Product of y and a fixed-point logarithm. */
function timesFixed(a: Arithmetic, y: Float80, log: bigint, exact: boolean): Float80 {
  const { value, scale } = parts(y);
  const product = (y.sign === 1 ? -value : value) * log;
  if (!exact) return packFixed(a, product, scale - BITS);
  return pack(a, product < 0n ? 1 : 0, product < 0n ? -product : product, scale - BITS, 64);
}

/** FYL2X: y log2 x. */
export function yLog2x(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  const isOne = x.sign === 0 && x.exponent === BIAS && x.significand === INTEGER_BIT;
  if (x.sign === 1 && !isZero(x)) return invalid(a);
  if (isZero(x)) {
    if (isZero(y)) return invalid(a);
    if (!isInfinity(y)) a.flags |= ZE;
    return infinity((y.sign ^ 1) as 0 | 1);
  }
  if (isInfinity(x) && isZero(y)) return invalid(a);
  noteDenormals(a, x, y);
  if (isInfinity(x)) return infinity(y.sign);
  if (isInfinity(y)) return isOne ? invalid(a) : infinity((y.sign ^ (x.exponent < BIAS ? 1 : 0)) as 0 | 1);
  if (isOne) return zero(y.sign);
  const { value, scale } = parts(x);
  if (isZero(y)) return zero((y.sign ^ (x.exponent < BIAS ? 1 : 0)) as 0 | 1);
  const result = timesFixed(a, y, log2(value, scale), (value & (value - 1n)) === 0n);
  a.flags |= isDenormal(result) ? PE | UE : PE;
  return result;
}

/** FYL2XP1: y log2(x + 1), |x| < 1 - sqrt(1/2). For x <= -1 the hardware gives x back. */
export function yLog2xPlusOne(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  if (x.sign === 1 && isInfinity(x)) return invalid(a);
  if ((isInfinity(x) && isZero(y)) || (isZero(x) && isInfinity(y))) return invalid(a);
  const sign = (x.sign ^ y.sign) as 0 | 1;
  noteDenormals(a, x, y);
  if (isInfinity(x) || isInfinity(y)) return infinity(sign);
  if (isZero(x) || isZero(y)) return zero(sign);
  if (x.sign === 1 && x.exponent >= BIAS) {
    a.flags |= PE;
    return x;
  }
  if (isTiny(x)) {
    const { value, scale } = parts(x);
    const { value: factor, scale: factorScale } = parts(y);
    return packFixed(a, (sign === 1 ? -1n : 1n) * (value * factor << FIXED) / LN2, scale + factorScale);
  }
  if (x.exponent >= BIAS + BITS) return timesFixed(a, y, log2(x.significand, parts(x).scale), false);
  const fixed = toFixed(x);
  const log = x.exponent >= BIAS - 1 ? log2(UNIT + fixed, -BITS) : (2n * inverseHyperbolicTangent((fixed << FIXED) / (2n * UNIT + fixed)) << FIXED) / LN2;
  return timesFixed(a, y, log, false);
}

/** FPATAN: the angle of (x, y), that is arctan(y / x) in the right quadrant. */
export function arcTangent(a: Arithmetic, y: Float80, x: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  noteDenormals(a, x, y);
  const signed = (value: bigint): Float80 => packFixed(a, y.sign === 1 ? -value : value);
  if (isZero(y) || (isInfinity(x) && !isInfinity(y))) return x.sign === 0 ? zero(y.sign) : signed(PI);
  if (isInfinity(y)) return signed(!isInfinity(x) ? PI / 2n : x.sign === 0 ? PI / 4n : PI * 3n / 4n);
  if (isZero(x)) return signed(PI / 2n);
  const top = parts(y), bottom = parts(x);
  const distance = bitLength(top.value) + top.scale - bitLength(bottom.value) - bottom.scale;
  if (distance > 100) return signed(PI / 2n);
  if (distance < -100 && x.sign === 1) return signed(PI);
  if (distance < -60 && x.sign === 0) {
    // The quotient itself, a little less.
    const quotient = (top.value << 140n) / bottom.value;
    return pack(a, y.sign, (quotient << 1n) - 1n, top.scale - bottom.scale - 141, 64);
  }
  const shift = BigInt(Math.abs(top.scale - bottom.scale));
  const [numerator, denominator] = top.scale >= bottom.scale ? [top.value << shift, bottom.value] : [top.value, bottom.value << shift];
  const steep = numerator > denominator;
  const angle = inverseTangent(steep ? (denominator << FIXED) / numerator : (numerator << FIXED) / denominator);
  const acute = steep ? PI / 2n - angle : angle;
  return signed(x.sign === 1 ? PI - acute : acute);
}

/** The argument as quadrant and remainder (fixed point, |r| <= pi/4), or null if it is 2^63 or more (C2 is set). */
function reduce(x: Float80): { quadrant: number; rest: bigint } | null {
  if (x.exponent >= BIAS + 63) return null;
  const { value, scale } = parts(x);
  const magnitude = scale + BITS >= 0 ? value << BigInt(scale + BITS) : value >> BigInt(-scale - BITS);
  const half = PI66 / 2n;
  const turns = (magnitude + half / 2n) / half;
  const rest = magnitude - turns * half;
  const quadrant = Number(turns & 3n);
  return x.sign === 1 ? { quadrant: (4 - quadrant) & 3, rest: -rest } : { quadrant, rest };
}

/** FSIN, FCOS, FPTAN, NaN handling by the caller; null: argument out of range. Each value raises its exceptions when it is asked for. */
export function sineAndCosine(a: Arithmetic, x: Float80): { readonly sine: Float80; readonly cosine: Float80; readonly tangent: Float80 } | null {
  if (isTiny(x)) {
    return {
      get sine() { return tinyResult(a, x, -1n); },
      get cosine() { return pack(a, 0, (1n << 200n) - 1n, -200, 64); },
      get tangent() { return tinyResult(a, x, 1n); },
    };
  }
  const reduced = reduce(x);
  if (reduced === null) return null;
  const { sine, cosine } = sineCosine(reduced.rest);
  const [s, c] = [[sine, cosine], [cosine, -sine], [-sine, -cosine], [-cosine, sine]][reduced.quadrant]!;
  return {
    get sine() { return packFixed(a, s!); },
    get cosine() { return packFixed(a, c!); },
    get tangent() { return packFixed(a, (s! << FIXED) / c!); },
  };
}

/** FSCALE: x × 2^trunc(y). */
export function scaleBy(a: Arithmetic, x: Float80, y: Float80): Float80 {
  const nan = nanResult(a, x, y);
  if (nan !== null) return nan;
  if (isInfinity(y)) {
    if (y.sign === 0) return isZero(x) ? invalid(a) : infinity(x.sign);
    return isInfinity(x) ? invalid(a) : zero(x.sign);
  }
  noteDenormals(a, x, y);
  if (isInfinity(x) || isZero(x)) return x;
  const { value, scale } = parts(y);
  const count = scale >= 0 ? (scale > 20 ? 1n << 40n : value << BigInt(scale)) : value >> BigInt(Math.min(-scale, 70));
  const limited = Number(count > 0x20000n ? 0x20000n : count) * (y.sign === 1 ? -1 : 1);
  const source = parts(x);
  return pack(a, x.sign, source.value, source.scale + limited, 64);
}

/** FXTRACT: exponent and significand of x. */
export function extract(a: Arithmetic, x: Float80): { exponent: Float80; significand: Float80 } {
  const nan = nanResult(a, x);
  if (nan !== null) return { exponent: nan, significand: nan };
  if (isInfinity(x)) return { exponent: infinity(0), significand: x };
  if (isZero(x)) {
    a.flags |= ZE;
    return { exponent: infinity(1), significand: x };
  }
  noteDenormals(a, x);
  const { value, scale } = parts(x);
  const length = bitLength(value);
  return { exponent: fromInteger(BigInt(length - 1 + scale)), significand: { sign: x.sign, exponent: BIAS, significand: value << BigInt(64 - length) } };
}

/**
 * FPREM (quotient chopped) and FPREM1 (quotient to nearest even): at most 63 bits of exponent difference a step.
 * `quotient` null: the reduction is not complete (C2); undefined: there is none.
 */
export function partialRemainder(a: Arithmetic, x: Float80, y: Float80, nearest: boolean): { remainder: Float80; quotient: bigint | null | undefined } {
  const nan = nanResult(a, x, y);
  if (nan !== null) return { remainder: nan, quotient: undefined };
  if (isInfinity(x) || isZero(y)) return { remainder: invalid(a), quotient: undefined };
  noteDenormals(a, x, y);
  if (isZero(x)) return { remainder: x, quotient: 0n };
  // A pseudo-denormal comes out as the normal number that it is.
  const unchanged = normalized(x.sign, parts(x).value, parts(x).scale);
  if (isInfinity(y)) return { remainder: unchanged, quotient: 0n };
  const top = parts(x), bottom = parts(y);
  const difference = bitLength(top.value) + top.scale - bitLength(bottom.value) - bottom.scale;
  if (difference < -1) return { remainder: unchanged, quotient: 0n };
  if (difference >= 64) {
    // As the hardware: take away a multiple that shortens the difference by 32 to 63 bits.
    const step = 32 + difference % 32;
    const unit = bottom.scale + difference - step;
    const dividend = top.scale >= unit ? top.value << BigInt(top.scale - unit) : top.value >> BigInt(unit - top.scale);
    const rest = dividend - dividend / bottom.value * bottom.value;
    const lost = top.scale >= unit ? 0n : top.value - (dividend << BigInt(unit - top.scale));
    const remainder = lost === 0n ? normalized(x.sign, rest, unit) : normalized(x.sign, (rest << BigInt(unit - top.scale)) + lost, top.scale);
    return { remainder, quotient: null };
  }
  const scale = Math.min(top.scale, bottom.scale);
  const dividend = top.value << BigInt(top.scale - scale), divisor = bottom.value << BigInt(bottom.scale - scale);
  let quotient = dividend / divisor, rest = dividend - quotient * divisor;
  let sign = x.sign;
  if (nearest && (rest * 2n > divisor || (rest * 2n === divisor && (quotient & 1n) === 1n))) {
    quotient++;
    rest = divisor - rest;
    sign = (sign ^ 1) as 0 | 1;
  }
  return { remainder: rest === 0n ? zero(x.sign) : normalized(sign, rest, scale), quotient };
}

/** The constants of FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2: log2 10, log2 e, pi, log10 2, ln 2, rounded as RC says. */
export function constant(a: Arithmetic, index: number): Float80 {
  const ln10 = 3n * LN2 + 2n * inverseHyperbolicTangent(UNIT / 9n);
  const value = [(ln10 << FIXED) / LN2, (UNIT << FIXED) / LN2, PI, (LN2 << FIXED) / ln10, LN2][index]!;
  return pack(a, 0, value << 1n | 1n, -BITS - 1, 64);
}
