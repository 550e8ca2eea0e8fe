/**
 * Between the words of a register and the bytes of an operand (FPU_BYTES), for ordinary numbers; the rest is left to convert.ts.
 * Formats: Intel SDM vol. 1, 4.2.2, 8.2. Loads go to register OPERAND; a store leaves what it will raise in FPU_RAISED.
 */
import { roundsUp } from './rounding.ts';
import { FPU_BYTES, FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_RAISED, OPERAND } from './state.ts';

const BIAS = 16383, SPECIAL = 0x7fff, TOP_BIT = 0x80000000 | 0;
/** Status bits: inexact, and rounded away from zero. */
const SW_PE = 0x20, SW_C1 = 0x200;

const OPERAND_LOW = FPU_LOW + 2 * OPERAND, OPERAND_HIGH = FPU_HIGH + 2 * OPERAND, OPERAND_EXP = FPU_EXP + OPERAND;

/** Each returns false, with nothing changed, if the number is not ordinary. */
export interface WordConversion {
  loadSingle(): boolean;
  loadDouble(): boolean;
  loadExtended(): boolean;
  loadInteger16(): boolean;
  loadInteger32(): boolean;
  loadInteger64(): boolean;
  storeSingle(register: number): boolean;
  storeDouble(register: number): boolean;
  storeExtended(register: number): boolean;
  /** bits: 16 or 32. */
  storeInteger(register: number, bits: number): boolean;
  storeInteger64(register: number): boolean;
}

export function createWordConversion(R: Int32Array): WordConversion {
  function putOperand(word: number, high: number, low: number): true {
    R[OPERAND_LOW] = low;
    R[OPERAND_HIGH] = high;
    R[OPERAND_EXP] = word;
    return true;
  }

  function loadSingle(): boolean {
    const bits = R[FPU_BYTES]!, exponent = bits >>> 23 & 0xff, sign = bits >>> 16 & 0x8000;
    if (exponent === 0) return bits << 1 === 0 && putOperand(sign, 0, 0);
    return exponent !== 0xff && putOperand(sign | exponent + BIAS - 127, TOP_BIT | bits << 8, 0);
  }

  function loadDouble(): boolean {
    const low = R[FPU_BYTES]!, high = R[FPU_BYTES + 1]!, exponent = high >>> 20 & 0x7ff, sign = high >>> 16 & 0x8000;
    if (exponent === 0) return (high << 1 | low) === 0 && putOperand(sign, 0, 0);
    return exponent !== 0x7ff && putOperand(sign | exponent + BIAS - 1023, TOP_BIT | high << 11 | low >>> 21, low << 11);
  }

  /** Any pattern of bits is loaded as it is. */
  const loadExtended = (): boolean => putOperand(R[FPU_BYTES + 2]! & 0xffff, R[FPU_BYTES + 1]!, R[FPU_BYTES]!);

  function putInteger(value: number): true {
    if (value === 0) return putOperand(0, 0, 0);
    const magnitude = value < 0 ? -value | 0 : value, shift = Math.clz32(magnitude);
    return putOperand((value < 0 ? 0x8000 : 0) | BIAS + 31 - shift, magnitude << shift, 0);
  }

  const loadInteger16 = (): boolean => putInteger(R[FPU_BYTES]! << 16 >> 16);
  const loadInteger32 = (): boolean => putInteger(R[FPU_BYTES]!);

  function loadInteger64(): boolean {
    let low = R[FPU_BYTES]!, high = R[FPU_BYTES + 1]!;
    const sign = high < 0 ? 0x8000 : 0;
    if (sign !== 0) {
      low = -low | 0;
      high = ~high + (low === 0 ? 1 : 0) | 0;
    }
    let exponent = BIAS + 63;
    if (high === 0) {
      if (low === 0) return putOperand(0, 0, 0);
      high = low;
      low = 0;
      exponent = BIAS + 31;
    }
    const shift = Math.clz32(high);
    if (shift === 0) return putOperand(sign | exponent, high, low);
    return putOperand(sign | exponent - shift, high << shift | low >>> 32 - shift, low << shift);
  }

  /** The bytes to write, and PE and C1 if they are not exact. */
  function putBytes(low: number, high: number, inexact: number, up: boolean): true {
    R[FPU_BYTES] = low;
    R[FPU_BYTES + 1] = high;
    R[FPU_RAISED] = inexact === 0 ? 0 : up ? SW_PE | SW_C1 : SW_PE;
    return true;
  }

  const isZero = (register: number): boolean => (R[FPU_EXP + register]! & SPECIAL | R[FPU_HIGH + 2 * register]! | R[FPU_LOW + 2 * register]!) === 0;

  function storeSingle(register: number): boolean {
    const word = R[FPU_EXP + register]!, high = R[FPU_HIGH + 2 * register]!, low = R[FPU_LOW + 2 * register]!;
    const sign = word >>> 15;
    if (isZero(register)) return putBytes(sign << 31, 0, 0, false);
    let exponent = (word & SPECIAL) - BIAS + 127 | 0;
    if (high >= 0 || exponent < 1 || exponent > 254) return false;
    const tail = high & 0xff, inexact = tail | low, up = inexact !== 0 && roundsUp(R[FPU_CW]!, sign, high & 0x100, tail & 0x80, tail & 0x7f | low);
    let fraction = high >>> 8 & 0x7fffff;
    if (up && ++fraction === 0x800000) {
      fraction = 0;
      if (++exponent === 0xff) return false;
    }
    return putBytes(sign << 31 | exponent << 23 | fraction, 0, inexact, up);
  }

  function storeDouble(register: number): boolean {
    const word = R[FPU_EXP + register]!, high = R[FPU_HIGH + 2 * register]!, low = R[FPU_LOW + 2 * register]!;
    const sign = word >>> 15;
    if (isZero(register)) return putBytes(0, sign << 31, 0, false);
    let exponent = (word & SPECIAL) - BIAS + 1023 | 0;
    if (high >= 0 || exponent < 1 || exponent > 2046) return false;
    const tail = low & 0x7ff, up = tail !== 0 && roundsUp(R[FPU_CW]!, sign, low & 0x800, tail & 0x400, tail & 0x3ff);
    let lower = high << 21 | low >>> 11, upper = high >>> 11 & 0xfffff;
    if (up) {
      lower = lower + 1 | 0;
      if (lower === 0 && ++upper === 0x100000) {
        upper = 0;
        if (++exponent === 0x7ff) return false;
      }
    }
    return putBytes(lower, sign << 31 | exponent << 20 | upper, tail, up);
  }

  function storeExtended(register: number): boolean {
    R[FPU_BYTES] = R[FPU_LOW + 2 * register]!;
    R[FPU_BYTES + 1] = R[FPU_HIGH + 2 * register]!;
    R[FPU_BYTES + 2] = R[FPU_EXP + register]!;
    R[FPU_RAISED] = 0;
    return true;
  }

  function storeInteger(register: number, bits: number): boolean {
    if (isZero(register)) return putBytes(0, 0, 0, false);
    const word = R[FPU_EXP + register]!, high = R[FPU_HIGH + 2 * register]!, low = R[FPU_LOW + 2 * register]!;
    const sign = word >>> 15, exponent = (word & SPECIAL) - BIAS | 0;
    // The largest negative integer has an exponent of its own: it is rare.
    if (high >= 0 || exponent > bits - 2) return false;
    let value = 0, half = 0, more = 1;
    if (exponent >= 0) {
      value = high >>> 31 - exponent;
      const fraction = high << exponent + 1;
      half = fraction & TOP_BIT;
      more = fraction << 1 | low;
    } else if (exponent === -1) {
      half = 1;
      more = high << 1 | low;
    }
    const inexact = half | more, up = inexact !== 0 && roundsUp(R[FPU_CW]!, sign, value & 1, half, more);
    if (up) value = value + 1 | 0;
    if (value > 0x7fffffff >>> 32 - bits || value < 0) return false;
    return putBytes(sign !== 0 ? -value | 0 : value, 0, inexact, up);
  }

  function storeInteger64(register: number): boolean {
    if (isZero(register)) return putBytes(0, 0, 0, false);
    const word = R[FPU_EXP + register]!, exponent = (word & SPECIAL) - BIAS | 0;
    let high = R[FPU_HIGH + 2 * register]!, low = R[FPU_LOW + 2 * register]!;
    const sign = word >>> 15;
    if (high >= 0 || exponent > 61 || exponent < -1) return false;
    const shift = 63 - exponent;
    // What is shifted out: its first bit, and whether there is more.
    let rest = 0, more = 0;
    if (shift < 32) {
      rest = low << 32 - shift;
      low = low >>> shift | high << 32 - shift;
      high = high >>> shift;
    } else if (shift === 32) {
      rest = low;
      low = high;
      high = 0;
    } else if (shift < 64) {
      rest = low >>> shift - 32 | high << 64 - shift;
      more = low << 64 - shift;
      low = high >>> shift - 32;
      high = 0;
    } else {
      rest = high;
      more = low;
      low = high = 0;
    }
    const inexact = rest | more, up = inexact !== 0 && roundsUp(R[FPU_CW]!, sign, low & 1, rest & TOP_BIT, rest << 1 | more);
    if (up) {
      low = low + 1 | 0;
      if (low === 0) high = high + 1 | 0;
    }
    if (sign !== 0) {
      low = -low | 0;
      high = ~high + (low === 0 ? 1 : 0) | 0;
    }
    return putBytes(low, high, inexact, up);
  }

  return {
    loadSingle, loadDouble, loadExtended, loadInteger16, loadInteger32, loadInteger64, storeSingle, storeDouble, storeExtended, storeInteger, storeInteger64,
  };
}
