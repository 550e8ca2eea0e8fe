/** Conversions between integers, singles and doubles (SDM vol. 1, 11.5.2; vol. 2, CVT*). They return what float.ts returns. */
import { DOUBLE, ExactLane, SINGLE } from './float-exact.ts';
import type { Format } from './float-exact.ts';
import { STICKY, raiseFlags, readLane, writeLane } from './float.ts';
import { MXCSR, MXCSR_RC } from './state.ts';

/** Destination and source slot. */
export type Conversion = (d: number, s: number) => number;

/** Converts `count` lanes; the words of the destination behind them become 0 up to `clear` words. */
function converting(R: Int32Array, count: number, to: Format | null, clear: number, lane: (exact: ExactLane, s: number, i: number) => bigint): Conversion {
  return (d, s) => {
    let flags = 0;
    const results = Array.from({ length: count }, (_, i) => {
      const exact = new ExactLane(R[MXCSR]!), result = lane(exact, s, i);
      flags |= exact.flags;
      return result;
    });
    if (raiseFlags(R, flags)) return 1;
    results.forEach((bits, i) => writeLane(R, to ?? SINGLE, d, i, bits));
    for (let word = count * (to === DOUBLE ? 2 : 1); word < clear; word++) R[d + word] = 0;
    return 0;
  };
}

const toIntegers = (R: Int32Array, from: Format, count: number, chop: boolean, clear = 0): Conversion =>
  converting(R, count, null, clear, (exact, s, i) => BigInt(exact.toInteger(from, readLane(R, from, s, i), chop)));
const fromIntegers = (R: Int32Array, to: Format, count: number): Conversion =>
  converting(R, count, to, 0, (exact, s, i) => exact.fromInteger(to, R[s + i]!));
const between = (R: Int32Array, from: Format, to: Format, count: number, clear = 0): Conversion =>
  converting(R, count, to, clear, (exact, s, i) => exact.convert(from, to, readLane(R, from, s, i)));

/** One lane, fast where the number is ordinary, and exact or PE is masked and set already. */
function scalars(R: Int32Array, slow: Readonly<Record<string, Conversion>>): Record<string, Conversion> {
  const singles = new Float32Array(R.buffer, R.byteOffset), doubles = new Float64Array(R.buffer, R.byteOffset);
  const isSticky = (): boolean => (R[MXCSR]! & STICKY) === STICKY;
  const toNearest = (): boolean => (R[MXCSR]! & MXCSR_RC) === 0;
  const isNormal32 = (slot: number): boolean => {
    const exponent = R[slot]! & 0x7f800000;
    return exponent !== 0x7f800000 && exponent !== 0;
  };
  const isNormal64 = (slot: number): boolean => {
    const exponent = R[slot + 1]! & 0x7ff00000;
    return exponent !== 0x7ff00000 && exponent !== 0;
  };
  /** Ties go to the even number. */
  function nearest(value: number): number {
    const down = Math.floor(value), rest = value - down;
    return rest > 0.5 || (rest === 0.5 && (down & 1) !== 0) ? down + 1 : down;
  }
  function integer(d: number, value: number, result: number): boolean {
    if (!(result >= -0x8000_0000 && result <= 0x7fff_ffff) || (result !== value && !isSticky())) return false;
    R[d] = result;
    return true;
  }
  return {
    CVTSI2SD: (d, s) => {
      doubles[d >> 1] = R[s]!;
      return 0;
    },
    CVTSI2SS: (d, s) => {
      const value = R[s]!;
      if (!toNearest() || (Math.fround(value) !== value && !isSticky())) return slow['CVTSI2SS']!(d, s);
      singles[d] = value;
      return 0;
    },
    CVTSS2SD: (d, s) => {
      if (!isNormal32(s)) return slow['CVTSS2SD']!(d, s);
      doubles[d >> 1] = singles[s]!;
      return 0;
    },
    CVTSD2SS: (d, s) => {
      const value = doubles[s >> 1]!, result = Math.fround(value), size = Math.abs(result);
      if (!isNormal64(s) || !toNearest() || !(size > 2 ** -126 && size < Infinity) || (result !== value && !isSticky())) return slow['CVTSD2SS']!(d, s);
      singles[d] = result;
      return 0;
    },
    CVTSS2SI: (d, s) => (isNormal32(s) && toNearest() && integer(d, singles[s]!, nearest(singles[s]!)) ? 0 : slow['CVTSS2SI']!(d, s)),
    CVTSD2SI: (d, s) => (isNormal64(s) && toNearest() && integer(d, doubles[s >> 1]!, nearest(doubles[s >> 1]!)) ? 0 : slow['CVTSD2SI']!(d, s)),
    CVTTSS2SI: (d, s) => (isNormal32(s) && integer(d, singles[s]!, Math.trunc(singles[s]!)) ? 0 : slow['CVTTSS2SI']!(d, s)),
    CVTTSD2SI: (d, s) => (isNormal64(s) && integer(d, doubles[s >> 1]!, Math.trunc(doubles[s >> 1]!)) ? 0 : slow['CVTTSD2SI']!(d, s)),
  };
}

/** By mnemonic. Integer results of scalars go to the one word of the destination slot. */
export function createConversions(R: Int32Array): Readonly<Record<string, Conversion>> {
  const exact: Record<string, Conversion> = {
    CVTPI2PS: fromIntegers(R, SINGLE, 2), CVTPI2PD: fromIntegers(R, DOUBLE, 2), CVTDQ2PS: fromIntegers(R, SINGLE, 4), CVTDQ2PD: fromIntegers(R, DOUBLE, 2),
    CVTSI2SS: fromIntegers(R, SINGLE, 1), CVTSI2SD: fromIntegers(R, DOUBLE, 1),
    CVTPS2PI: toIntegers(R, SINGLE, 2, false), CVTTPS2PI: toIntegers(R, SINGLE, 2, true), CVTPD2PI: toIntegers(R, DOUBLE, 2, false), CVTTPD2PI: toIntegers(R, DOUBLE, 2, true),
    CVTPS2DQ: toIntegers(R, SINGLE, 4, false), CVTTPS2DQ: toIntegers(R, SINGLE, 4, true),
    CVTPD2DQ: toIntegers(R, DOUBLE, 2, false, 4), CVTTPD2DQ: toIntegers(R, DOUBLE, 2, true, 4),
    CVTSS2SI: toIntegers(R, SINGLE, 1, false), CVTTSS2SI: toIntegers(R, SINGLE, 1, true), CVTSD2SI: toIntegers(R, DOUBLE, 1, false), CVTTSD2SI: toIntegers(R, DOUBLE, 1, true),
    CVTPS2PD: between(R, SINGLE, DOUBLE, 2), CVTPD2PS: between(R, DOUBLE, SINGLE, 2, 4), CVTSS2SD: between(R, SINGLE, DOUBLE, 1), CVTSD2SS: between(R, DOUBLE, SINGLE, 1),
  };
  return { ...exact, ...scalars(R, exact) };
}
