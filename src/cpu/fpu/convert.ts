/** Between 80-bit numbers and what memory holds: single, double, packed BCD (Intel SDM vol. 1, 4.2, 4.7, 8.5). */
import {
  DOWN, FRACTION, IE, INTEGER_BIT, MAX_EXPONENT, NEAREST, OE, PE, QUIET_BIT, UE, UP, bitLength, infinity, isInfinity, isNaN80, isSignaling, isUnsupported,
  isZero, nanResult, normalized, noteDenormals, parts, roundTo, toInteger, zero,
} from './float80.ts';
import type { Arithmetic, Float80 } from './float80.ts';

interface Format {
  readonly exponentBits: number;
  /** Significand bits, the implied one included. */
  readonly precision: number;
}
export const SINGLE: Format = { exponentBits: 8, precision: 24 };
export const DOUBLE: Format = { exponentBits: 11, precision: 53 };

/** Widens a single or double, exactly. A signaling NaN stays one, and a denormal is noted: what they raise depends on the operation. */
export function widen(a: Arithmetic, bits: bigint, format: Format): Float80 {
  const fractionBits = format.precision - 1;
  const maxExponent = (1 << format.exponentBits) - 1, bias = maxExponent >> 1;
  const sign = Number(bits >> BigInt(fractionBits + format.exponentBits)) as 0 | 1;
  const exponent = Number(bits >> BigInt(fractionBits)) & maxExponent;
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  if (exponent === maxExponent) {
    if (fraction === 0n) return infinity(sign);
    return { sign, exponent: MAX_EXPONENT, significand: INTEGER_BIT | fraction << BigInt(63 - fractionBits) };
  }
  if (exponent === 0) {
    if (fraction === 0n) return zero(sign);
    a.denormalOperand = true;
    return normalized(sign, fraction, 1 - bias - fractionBits);
  }
  return normalized(sign, fraction | 1n << BigInt(fractionBits), exponent - bias - fractionBits);
}

/** Widens for FLD: a signaling NaN raises IE, a denormal DE. */
export function load(a: Arithmetic, bits: bigint, format: Format): Float80 {
  const x = widen(a, bits, format);
  const nan = nanResult(a, x);
  if (nan === null) noteDenormals(a, x);
  return nan ?? x;
}

/** Narrows to a single or double: the bits to store. With an unmasked IE, OE or UE raised, nothing is to be stored. */
export function narrow(a: Arithmetic, x: Float80, format: Format): bigint {
  const fractionBits = format.precision - 1;
  const maxExponent = (1 << format.exponentBits) - 1, bias = maxExponent >> 1;
  const assemble = (sign: number, exponent: number, fraction: bigint): bigint =>
    (BigInt(sign) << BigInt(format.exponentBits) | BigInt(exponent)) << BigInt(fractionBits) | fraction;
  if (isUnsupported(x)) {
    a.flags |= IE;
    return assemble(1, maxExponent, 1n << BigInt(fractionBits - 1));
  }
  if (isNaN80(x)) {
    if (isSignaling(x)) a.flags |= IE;
    return assemble(x.sign, maxExponent, ((x.significand | QUIET_BIT) & FRACTION) >> BigInt(63 - fractionBits));
  }
  if (isInfinity(x)) return assemble(x.sign, maxExponent, 0n);
  if (isZero(x)) return assemble(x.sign, 0, 0n);
  const { value, scale } = parts(x);
  const result = roundTo(value, scale, x.sign, a.rounding, format.precision, 1 - bias, bias, false);
  if (result.overflow) {
    a.flags |= OE | ((a.masks & OE) !== 0 ? PE : 0);
    const toInfinity = a.rounding === NEAREST || a.rounding === (x.sign === 1 ? DOWN : UP);
    a.roundedUp = toInfinity;
    return toInfinity ? assemble(x.sign, maxExponent, 0n) : assemble(x.sign, maxExponent - 1, (1n << BigInt(fractionBits)) - 1n);
  }
  if (result.tiny && (result.inexact || (a.masks & UE) === 0)) a.flags |= UE;
  if (result.inexact) {
    a.flags |= PE;
    a.roundedUp = result.up;
  }
  if (result.significand === 0n) return assemble(x.sign, 0, 0n);
  const leading = bitLength(result.significand) - 1;
  const exponent = leading + result.scale;
  if (exponent < 1 - bias) return assemble(x.sign, 0, result.significand);
  const aligned = leading > fractionBits ? result.significand >> BigInt(leading - fractionBits) : result.significand << BigInt(fractionBits - leading);
  return assemble(x.sign, exponent + bias, aligned & ((1n << BigInt(fractionBits)) - 1n));
}

/** FBLD: 18 digits and a sign in 10 bytes (as an 80-bit integer). */
export function fromBcd(bits: bigint): Float80 {
  let value = 0n;
  for (let digit = 17; digit >= 0; digit--) value = value * 10n + (bits >> BigInt(digit * 4) & 15n);
  const sign = Number(bits >> 79n) as 0 | 1;
  return value === 0n ? zero(sign) : normalized(sign, value, 0);
}

/** The packed BCD indefinite. */
const BCD_INDEFINITE = 0xffffc000000000000000n;

/** FBSTP. */
export function toBcd(a: Arithmetic, x: Float80): bigint {
  const flags = a.flags;
  let value = toInteger(a, x, 64);
  if (value === null || (value < 0n ? -value : value) >= 10n ** 18n) {
    a.flags = flags | IE;
    return BCD_INDEFINITE;
  }
  if (value < 0n) value = -value;
  let bits = BigInt(x.sign) << 79n;
  for (let digit = 0n; digit < 18n; digit++) {
    bits |= value % 10n << (digit * 4n);
    value /= 10n;
  }
  return bits;
}

/** The class of x as FXAM reports it in C3, C2, C0 (bits 14, 10, 8 of the status word). */
export function examine(x: Float80, empty: boolean): number {
  const C0 = 0x100, C2 = 0x400, C3 = 0x4000;
  if (empty) return C3 | C0;
  if (isUnsupported(x)) return 0;
  if (isNaN80(x)) return C0;
  if (isInfinity(x)) return C2 | C0;
  if (isZero(x)) return C3;
  return x.exponent === 0 ? C3 | C2 : C2;
}
