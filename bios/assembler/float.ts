/**
 * Floating-point literals to IEEE 754 and x87 formats, rounded to nearest even from the exact rational value
 * (NASM manual, 3.4.7; formats: Intel SDM vol. 1, 4.2.2).
 */
import { LineError } from './errors.ts';

interface Format {
  readonly bytes: number;
  readonly exponentBits: number;
  /** Fraction bits stored, the explicit integer bit of the 80-bit format not counted. */
  readonly fractionBits: number;
  readonly explicitOne: boolean;
}

const FORMATS: Readonly<Record<number, Format>> = {
  1: { bytes: 1, exponentBits: 4, fractionBits: 3, explicitOne: false },
  2: { bytes: 2, exponentBits: 5, fractionBits: 10, explicitOne: false },
  4: { bytes: 4, exponentBits: 8, fractionBits: 23, explicitOne: false },
  8: { bytes: 8, exponentBits: 11, fractionBits: 52, explicitOne: false },
  10: { bytes: 10, exponentBits: 15, fractionBits: 63, explicitOne: true },
  16: { bytes: 16, exponentBits: 15, fractionBits: 112, explicitOne: false },
};

function pack(format: Format, negative: boolean, exponent: bigint, fraction: bigint): bigint {
  const one = format.explicitOne && exponent !== 0n ? 1n << 63n : 0n;
  const fractionField = BigInt(format.fractionBits) + (format.explicitOne ? 1n : 0n);
  return ((((negative ? 1n : 0n) << BigInt(format.exponentBits)) | exponent) << fractionField) | one | fraction;
}

/** The value numerator / denominator as a fraction of two BigInts. */
function parseRational(text: string): [bigint, bigint] {
  const bare = text.replaceAll('_', '').toLowerCase();
  const hex = /^0[xh]([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/.exec(bare);
  if (hex !== null) {
    const exponent = Number(hex[3] ?? 0) - 4 * hex[2]!.length;
    const digits = BigInt(`0x${hex[1]}${hex[2]}`);
    return exponent >= 0 ? [digits << BigInt(exponent), 1n] : [digits, 1n << BigInt(-exponent)];
  }
  const decimal = /^(\d*)\.?(\d*)(?:e([+-]?\d+))?$/.exec(bare);
  if (decimal === null) throw new LineError(`bad floating-point number: ${text}`);
  const exponent = Number(decimal[3] ?? 0) - decimal[2]!.length;
  if (Math.abs(exponent) > 20000) throw new LineError(`floating-point exponent too large: ${text}`);
  const digits = BigInt(`${decimal[1]}${decimal[2]}`);
  return exponent >= 0 ? [digits * 10n ** BigInt(exponent), 1n] : [digits, 10n ** BigInt(-exponent)];
}

const bitLength = (value: bigint): number => value.toString(2).length;

/** Quotient rounded to nearest, ties to even. */
function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  return twice > denominator || (twice === denominator && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

function finite(format: Format, negative: boolean, text: string): bigint {
  const [numerator, denominator] = parseRational(text);
  if (numerator === 0n) return pack(format, negative, 0n, 0n);
  const bias = 2 ** (format.exponentBits - 1) - 1;
  const scale = (power: number): bigint =>
    power >= 0 ? divideRounded(numerator << BigInt(power), denominator) : divideRounded(numerator, denominator << BigInt(-power));
  // Unbiased exponent of the value: 2^exponent <= value < 2^(exponent+1).
  let exponent = bitLength(numerator) - bitLength(denominator);
  const below = exponent >= 0 ? numerator < denominator << BigInt(exponent) : numerator << BigInt(-exponent) < denominator;
  if (below) exponent--;
  const smallest = 1 - bias;
  const used = Math.max(exponent, smallest);
  let significand = scale(format.fractionBits - used);
  let biased = used + bias;
  if (bitLength(significand) > format.fractionBits + 1) {
    significand >>= 1n;
    biased++;
  }
  const one = 1n << BigInt(format.fractionBits);
  if (significand < one) biased = 0;
  if (biased >= 2 ** format.exponentBits - 1) throw new LineError(`floating-point number too large: ${text}`);
  return pack(format, negative, BigInt(biased), significand & (one - 1n));
}

const SPECIAL = /^__\??(infinity|nan|qnan|snan)\??__$/i;

/** `__Infinity__`, `__QNaN__` and the rest, in either spelling. */
export const isSpecialFloat = (text: string): boolean => SPECIAL.test(text);

/** Bits of a literal (or of `__Infinity__`, `__NaN__`, `__QNaN__`, `__SNaN__`) in the format of `bytes` bytes: 1, 2, 4, 8, 10 or 16. */
export function floatBits(text: string, negative: boolean, bytes: number): bigint {
  const format = FORMATS[bytes];
  if (format === undefined) throw new LineError(`no floating-point format of ${bytes} bytes`);
  const special = SPECIAL.exec(text);
  if (special === null) return finite(format, negative, text);
  const quiet = 1n << BigInt(format.fractionBits - 1);
  const name = special[1]!.toLowerCase();
  const fraction = name === 'infinity' ? 0n : name === 'snan' ? 1n : quiet;
  return pack(format, negative, (1n << BigInt(format.exponentBits)) - 1n, fraction);
}
