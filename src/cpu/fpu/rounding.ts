/**
 * The end of arithmetic on words: rounding under any rounding and precision control, PE and C1, the result's place, the pop
 * (Intel SDM vol. 1, 8.1.5, 8.5.6).
 */
import { FORM_D, FORM_POPS } from './forms.ts';
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW, FPU_TW } from './state.ts';

const SPECIAL = 0x7fff;
const TOP_BIT = 0x80000000 | 0;
const SW_PE = 0x20, SW_ES_BUSY = 0x8080, SW_C1 = 0x200, SW_TOP = 0x3800;
const CW_PM = 0x20, CW_PC = 0x300, PC_24 = 0, PC_53 = 0x200, CW_RC = 0xc00, RC_NEAREST = 0, RC_DOWN = 0x400, RC_UP = 0x800;
/** To nearest, 64 bits, inexact results masked: FNINIT. */
const CW_DEFAULT = 0x320;
/** The same at 53 bits: what several systems and compilers set. */
const CW_DOUBLE = 0x220;
const POPS = 3 << FORM_POPS, TAG_EMPTY = 3;

export interface Put {
  /**
   * Rounds a normalized significand of 64 bits with 32 more behind it, the last of which stands for all that follow; writes it to ST(d), and
   * pops. `status` is the status word before the instruction.
   */
  put(form: number, status: number, sign: number, exponent: number, high: number, low: number, rest: number): void;
  putZero(form: number, status: number, sign: number): void;
}

/** Whether what lies behind a significand rounds it away from zero: its first bit, and whether there is more. `control`: the control word. */
export function roundsUp(control: number, sign: number, odd: number, half: number, more: number): boolean {
  const mode = control & CW_RC;
  if (mode === RC_NEAREST) return half !== 0 && (more | odd) !== 0;
  return mode === (sign !== 0 ? RC_DOWN : RC_UP);
}

/** 1 by a carry: more than half a unit, or half of one and an odd number. The last bit of `rest` stands for all that follow. */
const upToNearest = (rest: number, odd: number): number => (rest >>> 1 | rest & 1) + 0x3fffffff + odd >>> 31;

const isInRange = (exponent: number): boolean => exponent - 1 >>> 0 < SPECIAL - 1;

/** `otherwise` is called with the form if a result is not in range; nothing has changed then. */
export function createPut(R: Int32Array, otherwise: (form: number) => void): Put {
  /** Stores a result that is rounded; `word`: its sign and exponent, `raised`: what is added to the status word. */
  function store(form: number, status: number, word: number, high: number, low: number, raised: number): void {
    const to = (status >> 11) + (form >> FORM_D) & 7;
    R[FPU_LOW + 2 * to] = low;
    R[FPU_HIGH + 2 * to] = high;
    R[FPU_EXP + to] = word;
    if ((form & POPS) === 0) R[FPU_SW] = status & ~SW_C1 | raised;
    else {
      R[FPU_SW] = status & ~(SW_TOP | SW_C1) | status + 0x800 & SW_TOP | raised;
      R[FPU_TW] = R[FPU_TW]! | TAG_EMPTY << (status >> 10 & 14);
    }
  }

  /**
   * Under any rounding and precision control. What is behind the last bit that stays moves to the top of the rest, and becomes ones, so that
   * one more carries.
   */
  function putControlled(form: number, status: number, sign: number, exponent: number, high: number, low: number, rest: number): void {
    const control = R[FPU_CW]!, precision = control & CW_PC, mode = control & CW_RC;
    let odd = low & 1, keptHigh = -1, keptLow = -1;
    if (precision === PC_53) {
      rest = low << 21 | (rest | -rest) >>> 31;
      odd = low >>> 11 & 1;
      low |= 0x7ff;
      keptLow = ~0x7ff;
    } else if (precision === PC_24) {
      const tail = low | rest;
      rest = high << 24 | (tail | -tail) >>> 31;
      odd = high >>> 8 & 1;
      high |= 0xff;
      keptHigh = ~0xff;
      low = -1;
      keptLow = 0;
    }
    const up = mode === RC_NEAREST ? upToNearest(rest, odd) : rest !== 0 && mode === (sign !== 0 ? RC_DOWN : RC_UP) ? 1 : 0;
    low = low + up | 0;
    if (low === 0 && up !== 0) {
      high = high + 1 | 0;
      if (high === 0) {
        high = TOP_BIT;
        exponent = exponent + 1 | 0;
      }
    }
    const raised = rest === 0 ? 0 : SW_PE | up << 9 | ((control & CW_PM) === 0 ? SW_ES_BUSY : 0);
    if (isInRange(exponent)) store(form, status, sign << 15 | exponent, high & keptHigh, low & keptLow, raised);
    else otherwise(form);
  }

  /** As putControlled(), fast under the usual control. */
  function put(form: number, status: number, sign: number, exponent: number, high: number, low: number, rest: number): void {
    const control = R[FPU_CW]! & (CW_RC | CW_PC | CW_PM);
    let odd = low & 1, kept = -1;
    if (control !== CW_DEFAULT) {
      if (control !== CW_DOUBLE) {
        putControlled(form, status, sign, exponent, high, low, rest);
        return;
      }
      rest = low << 21 | (rest | -rest) >>> 31;
      odd = low >>> 11 & 1;
      low |= 0x7ff;
      kept = ~0x7ff;
    }
    const up = upToNearest(rest, odd);
    low = low + up | 0;
    if (low === 0 && up !== 0) {
      high = high + 1 | 0;
      if (high === 0) {
        high = TOP_BIT;
        exponent = exponent + 1 | 0;
      }
    }
    if (isInRange(exponent)) store(form, status, sign << 15 | exponent, high, low & kept, (rest | -rest) >> 31 & SW_PE | up << 9);
    else otherwise(form);
  }

  return { put, putZero: (form, status, sign) => store(form, status, sign << 15, 0, 0, 0) };
}
