/**
 * Arithmetic with a 64-bit mantissa, rounded to nearest, ties to even, as the x87 does at full precision: on BigInt, so that it shares
 * nothing with the emulator. Exponents have no bounds and there are no infinities: enough for the benchmark guest.
 */

const PRECISION = 64;

/** mantissa × 2^exponent; the mantissa has at most 64 bits and a sign. */
export interface Extended { readonly mantissa: bigint; readonly exponent: number }

const abs = (value: bigint): bigint => (value < 0n ? -value : value);
const bits = (value: bigint): number => abs(value).toString(2).length;

/** Rounds an exact value; `sticky`: a nonzero remainder below the mantissa's last bit was dropped. */
function round(mantissa: bigint, exponent: number, sticky = false): Extended {
  const excess = bits(mantissa) - PRECISION;
  if (excess <= 0) return { mantissa, exponent };
  const size = abs(mantissa), half = 1n << BigInt(excess - 1), rest = size & ((half << 1n) - 1n);
  let kept = size >> BigInt(excess);
  if (rest > half || (rest === half && (sticky || (kept & 1n) === 1n))) kept++;
  return { mantissa: mantissa < 0n ? -kept : kept, exponent: exponent + excess };
}

/** Both mantissas at the smaller of the exponents. */
function align(a: Extended, b: Extended): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.mantissa << BigInt(a.exponent - exponent), b.mantissa << BigInt(b.exponent - exponent), exponent];
}

/** A double's exact value. */
export function fromDouble(value: number): Extended {
  let exponent = 0, scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent--;
  }
  return { mantissa: BigInt(scaled), exponent };
}

export function add(a: Extended, b: Extended): Extended {
  const [x, y, exponent] = align(a, b);
  return round(x + y, exponent);
}

export function sub(a: Extended, b: Extended): Extended {
  const [x, y, exponent] = align(a, b);
  return round(x - y, exponent);
}

export function mul(a: Extended, b: Extended): Extended {
  return round(a.mantissa * b.mantissa, a.exponent + b.exponent);
}

export function div(a: Extended, b: Extended): Extended {
  const shift = 2 * PRECISION + 2, scaled = a.mantissa << BigInt(shift);
  return round(scaled / b.mantissa, a.exponent - b.exponent - shift, scaled % b.mantissa !== 0n);
}

function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((bits(value) + 1) >> 1);
  for (;;) {
    const better = (root + value / root) >> 1n;
    if (better >= root) return root;
    root = better;
  }
}

/** Square root of a value not below 0. */
export function sqrt(a: Extended): Extended {
  const shift = 2 * PRECISION + (a.exponent & 1), scaled = a.mantissa << BigInt(shift);
  const root = integerRoot(scaled);
  return round(root, (a.exponent - shift) / 2, root * root !== scaled);
}

export function greater(a: Extended, b: Extended): boolean {
  const [x, y] = align(a, b);
  return x > y;
}

/** The nearest integer of a value not below 0, ties to even. */
export function toInteger(a: Extended): number {
  if (a.exponent >= 0) return Number(a.mantissa << BigInt(a.exponent));
  const shift = BigInt(-a.exponent), kept = a.mantissa >> shift, rest = a.mantissa - (kept << shift), half = 1n << (shift - 1n);
  return Number(rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept);
}
