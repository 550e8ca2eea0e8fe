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

  /** Under any rounding and precision control. */
  function putControlled(form: number, status: number, sign: number, exponent: number, high: number, low: number, rest: number): void {
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
    const raised = inexact === 0 ? 0 : SW_PE | (up ? SW_C1 : 0) | ((control & CW_PM) === 0 ? SW_ES_BUSY : 0);
    if (isInRange(exponent)) store(form, status, sign << 15 | exponent, high, low, raised);
    else otherwise(form);
  }

  function put(form: number, status: number, sign: number, exponent: number, high: number, low: number, rest: number): void {
    if ((R[FPU_CW]! & (CW_RC | CW_PC | CW_PM)) !== CW_DEFAULT) {
      putControlled(form, status, sign, exponent, high, low, rest);
      return;
    }
    // Up by a carry: more than half a unit, or half and an odd number.
    const up = (rest >>> 1 | rest & 1) + 0x3fffffff + (low & 1) >>> 31;
    low = low + up | 0;
    if (low === 0 && up !== 0) {
      high = high + 1 | 0;
      if (high === 0) {
        high = TOP_BIT;
        exponent = exponent + 1 | 0;
      }
    }
    if (isInRange(exponent)) store(form, status, sign << 15 | exponent, high, low, (rest | -rest) >> 31 & SW_PE | up << 9);
    else otherwise(form);
  }

  return { put, putZero: (form, status, sign) => store(form, status, sign << 15, 0, 0, 0) };
}
