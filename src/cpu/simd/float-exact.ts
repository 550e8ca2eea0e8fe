/**
 * SSE arithmetic on one lane, exact for every operand and control: over BigInt, for what float.ts cannot do fast.
 * Rules: Intel SDM vol. 1, 4.8.3.5 (NaN operands, table 4-7), 11.5 (exceptions, masked responses), 10.2.3 (DAZ, FTZ).
 */
import { bitLength, isqrt, roundTo } from '../fpu/float80.ts';
import { MXCSR_DAZ, MXCSR_FTZ, MXCSR_MASKS_SHIFT, MXCSR_RC_SHIFT } from './state.ts';

/** Exception flags, as in MXCSR. */
export const IE = 1, DE = 2, ZE = 4, OE = 8, UE = 16, PE = 32;
/** Found before anything is computed. */
const BEFORE = IE | DE | ZE;

export interface Format {
  readonly bits: 32 | 64;
  /** Significand bits, the implied one included. */
  readonly precision: number;
  readonly bias: number;
}
export const SINGLE: Format = { bits: 32, precision: 24, bias: 127 }, DOUBLE: Format = { bits: 64, precision: 53, bias: 1023 };

interface Parts {
  readonly sign: 0 | 1;
  readonly kind: 'zero' | 'finite' | 'infinity' | 'quiet' | 'signaling';
  readonly denormal: boolean;
  /** Finite: significand × 2^scale. */
  readonly value: bigint;
  readonly scale: number;
}

const fractionBits = ({ precision }: Format): number => precision - 1;
const topExponent = ({ bias }: Format): number => 2 * bias + 1;
const quietBit = (format: Format): bigint => 1n << BigInt(fractionBits(format) - 1);
const assemble = (format: Format, sign: number, exponent: number, fraction: bigint): bigint =>
  BigInt(sign) << BigInt(format.bits - 1) | BigInt(exponent) << BigInt(fractionBits(format)) | fraction;
const infinity = (format: Format, sign: number): bigint => assemble(format, sign, topExponent(format), 0n);
const zero = (format: Format, sign: number): bigint => assemble(format, sign, 0, 0n);
/** The QNaN floating-point indefinite. */
export const indefinite = (format: Format): bigint => assemble(format, 1, topExponent(format), quietBit(format));

/** One lane's operation under MXCSR: what it raised so far. */
export class ExactLane {
  flags = 0;
  readonly #control: number;

  constructor(mxcsr: number) {
    this.#control = mxcsr;
  }

  get rounding(): number {
    return this.#control >> MXCSR_RC_SHIFT & 3;
  }

  /** Whether an exception that is not masked stands before the result. */
  get stops(): boolean {
    return (this.flags & BEFORE & ~(this.#control >> MXCSR_MASKS_SHIFT)) !== 0;
  }

  parts(format: Format, bits: bigint): Parts {
    const fraction = bits & (1n << BigInt(fractionBits(format))) - 1n, exponent = Number(bits >> BigInt(fractionBits(format))) & topExponent(format);
    const sign = Number(bits >> BigInt(format.bits - 1)) as 0 | 1, scale = Math.max(exponent, 1) - format.bias - fractionBits(format);
    if (exponent === topExponent(format)) {
      const kind = fraction === 0n ? 'infinity' : (fraction & quietBit(format)) !== 0n ? 'quiet' : 'signaling';
      return { sign, kind, denormal: false, value: 0n, scale };
    }
    if (exponent !== 0) return { sign, kind: 'finite', denormal: false, value: fraction | 1n << BigInt(fractionBits(format)), scale };
    if (fraction === 0n || (this.#control & MXCSR_DAZ) !== 0) return { sign, kind: 'zero', denormal: false, value: 0n, scale };
    return { sign, kind: 'finite', denormal: true, value: fraction, scale };
  }

  invalid(format: Format): bigint {
    this.flags |= IE;
    return indefinite(format);
  }

  /** The result if an operand is a NaN: the first that is one, quiet. */
  #nan(format: Format, a: bigint, b: bigint, x: Parts, y: Parts): bigint | null {
    const isNaN = ({ kind }: Parts): boolean => kind === 'quiet' || kind === 'signaling';
    if (!isNaN(x) && !isNaN(y)) return null;
    if (x.kind === 'signaling' || y.kind === 'signaling') this.flags |= IE;
    return (isNaN(x) ? a : b) | quietBit(format);
  }

  #noteDenormals(x: Parts, y: Parts): void {
    if (x.denormal || y.denormal) this.flags |= DE;
  }

  /** ±value × 2^scale, rounded; a last bit of 1 may stand for more behind it. */
  #round(format: Format, sign: 0 | 1, value: bigint, scale: number): bigint {
    if (value === 0n) return zero(format, sign);
    const { precision, bias } = format, rounding = this.rounding;
    const masksUnderflow = (this.#control >> MXCSR_MASKS_SHIFT & UE) !== 0;
    // Underflow that is not masked leaves no result, and PE as if exponents had no end.
    const result = roundTo(value, scale, sign, rounding, precision, 1 - bias, bias, !masksUnderflow);
    if (result.tiny && masksUnderflow && (this.#control & MXCSR_FTZ) !== 0) {
      this.flags |= UE | PE;
      return zero(format, sign);
    }
    if (result.overflow) {
      this.flags |= OE | PE;
      const toInfinity = rounding === 0 || rounding === (sign === 1 ? 1 : 2);
      return toInfinity ? infinity(format, sign) : assemble(format, sign, topExponent(format) - 1, (1n << BigInt(fractionBits(format))) - 1n);
    }
    if (result.inexact) this.flags |= PE;
    if (result.tiny && (result.inexact || !masksUnderflow)) this.flags |= UE;
    if (result.significand === 0n) return zero(format, sign);
    const leading = bitLength(result.significand) - 1, exponent = leading + result.scale;
    if (exponent < 1 - bias) return assemble(format, sign, 0, result.significand);
    const shift = fractionBits(format) - leading;
    const aligned = shift >= 0 ? result.significand << BigInt(shift) : result.significand >> BigInt(-shift);
    return assemble(format, sign, exponent + bias, aligned & (1n << BigInt(fractionBits(format))) - 1n);
  }

  add(format: Format, a: bigint, b: bigint, subtract = false): bigint {
    const x = this.parts(format, a), second = this.parts(format, b);
    const y: Parts = subtract ? { ...second, sign: second.sign === 0 ? 1 : 0 } : second;
    const nan = this.#nan(format, a, b, x, second);
    if (nan !== null) return nan;
    if (x.kind === 'infinity' && y.kind === 'infinity' && x.sign !== y.sign) return this.invalid(format);
    this.#noteDenormals(x, y);
    if (x.kind === 'infinity') return infinity(format, x.sign);
    if (y.kind === 'infinity') return infinity(format, y.sign);
    if (this.stops) return 0n;
    const scale = Math.min(x.scale, y.scale);
    const signed = ({ sign, value, scale: own }: Parts): bigint => (sign === 1 ? -value : value) << BigInt(own - scale);
    const sum = signed(x) + signed(y);
    if (sum === 0n) return zero(format, x.sign === y.sign ? x.sign : this.rounding === 1 ? 1 : 0);
    return sum < 0n ? this.#round(format, 1, -sum, scale) : this.#round(format, 0, sum, scale);
  }

  multiply(format: Format, a: bigint, b: bigint): bigint {
    const x = this.parts(format, a), y = this.parts(format, b), sign = (x.sign ^ y.sign) as 0 | 1;
    const nan = this.#nan(format, a, b, x, y);
    if (nan !== null) return nan;
    if ((x.kind === 'infinity' && y.kind === 'zero') || (x.kind === 'zero' && y.kind === 'infinity')) return this.invalid(format);
    this.#noteDenormals(x, y);
    if (x.kind === 'infinity' || y.kind === 'infinity') return infinity(format, sign);
    return this.stops ? 0n : this.#round(format, sign, x.value * y.value, x.scale + y.scale);
  }

  divide(format: Format, a: bigint, b: bigint): bigint {
    const x = this.parts(format, a), y = this.parts(format, b), sign = (x.sign ^ y.sign) as 0 | 1;
    const nan = this.#nan(format, a, b, x, y);
    if (nan !== null) return nan;
    if (x.kind === y.kind && x.kind !== 'finite') return this.invalid(format);
    if (y.kind === 'zero' && x.kind !== 'infinity') {
      this.flags |= ZE;
      return infinity(format, sign);
    }
    this.#noteDenormals(x, y);
    if (x.kind === 'infinity') return infinity(format, sign);
    if (y.kind === 'infinity' || x.kind === 'zero') return zero(format, sign);
    if (this.stops) return 0n;
    // Far more bits than are kept, denormal divisors included, and one that stands for the rest.
    const quotient = (x.value << 120n) / y.value, sticky = quotient * y.value === x.value << 120n ? 0n : 1n;
    return this.#round(format, sign, quotient << 1n | sticky, x.scale - y.scale - 121);
  }

  squareRoot(format: Format, a: bigint): bigint {
    const x = this.parts(format, a);
    const nan = this.#nan(format, a, a, x, x);
    if (nan !== null) return nan;
    if (x.kind === 'zero') return zero(format, x.sign);
    if (x.sign === 1) return this.invalid(format);
    this.#noteDenormals(x, x);
    if (x.kind === 'infinity') return infinity(format, 0);
    if (this.stops) return 0n;
    const odd = x.scale & 1, radicand = x.value << BigInt(120 + odd), root = isqrt(radicand);
    return this.#round(format, 0, root << 1n | (root * root === radicand ? 0n : 1n), (x.scale - 120 - odd) / 2 - 1);
  }

  /** MIN (-1) and MAX (1): the second operand if they are equal zeros or one is a NaN, which is always invalid. */
  extreme(format: Format, a: bigint, b: bigint, side: -1 | 1): bigint {
    const order = this.compare(format, a, b, true);
    return order === side ? this.#flushed(format, a) : this.#flushed(format, b);
  }

  /** DAZ: a denormal operand that comes out unchanged is a zero. */
  #flushed(format: Format, bits: bigint): bigint {
    const { kind, sign } = this.parts(format, bits);
    return kind === 'zero' ? zero(format, sign) : bits;
  }

  /** -1, 0, 1, or null if unordered; a quiet NaN is invalid if `signals`. */
  compare(format: Format, a: bigint, b: bigint, signals: boolean): -1 | 0 | 1 | null {
    const x = this.parts(format, a), y = this.parts(format, b);
    if (this.#nan(format, a, b, x, y) !== null) {
      if (signals) this.flags |= IE;
      return null;
    }
    this.#noteDenormals(x, y);
    const key = ({ sign, kind, value, scale }: Parts): bigint => {
      const magnitude = kind === 'infinity' ? 1n << 3000n : kind === 'zero' ? 0n : value << BigInt(scale + 1100);
      return sign === 1 ? -magnitude : magnitude;
    };
    const difference = key(x) - key(y);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  /** To another format. */
  convert(from: Format, to: Format, bits: bigint): bigint {
    const x = this.parts(from, bits);
    if (x.kind === 'quiet' || x.kind === 'signaling') {
      if (x.kind === 'signaling') this.flags |= IE;
      const fraction = bits & (1n << BigInt(fractionBits(from))) - 1n, shift = fractionBits(to) - fractionBits(from);
      return assemble(to, x.sign, topExponent(to), (shift >= 0 ? fraction << BigInt(shift) : fraction >> BigInt(-shift)) | quietBit(to));
    }
    this.#noteDenormals(x, x);
    if (x.kind === 'infinity') return infinity(to, x.sign);
    return this.stops ? 0n : this.#round(to, x.sign, x.value, x.scale);
  }

  fromInteger(format: Format, value: number): bigint {
    return value < 0 ? this.#round(format, 1, BigInt(-value), 0) : this.#round(format, 0, BigInt(value), 0);
  }

  /** To a signed 32-bit integer; the integer indefinite where it does not fit. `chop`: whatever the rounding control. */
  toInteger(format: Format, bits: bigint, chop: boolean): number {
    const x = this.parts(format, bits);
    if (x.kind === 'zero') return 0;
    if (x.kind === 'finite' && x.scale + bitLength(x.value) <= 33) {
      const rounding = chop ? 3 : this.rounding;
      const cut = BigInt(Math.max(0, -x.scale)), whole = x.scale > 0 ? x.value << BigInt(x.scale) : x.value >> cut;
      const rest = x.value - (whole << cut), half = cut > 0n ? 1n << cut - 1n : 0n;
      const inexact = x.scale < 0 && rest !== 0n;
      const up = inexact && (rounding === 0 ? rest > half || (rest === half && (whole & 1n) === 1n) : rounding === (x.sign === 1 ? 1 : 2));
      const magnitude = Number(up ? whole + 1n : whole), result = x.sign === 1 ? -magnitude : magnitude;
      if (result >= -0x8000_0000 && result <= 0x7fff_ffff) {
        if (inexact) this.flags |= PE;
        return result;
      }
    }
    this.flags |= IE;
    return -0x8000_0000;
  }
}
