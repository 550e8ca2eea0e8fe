/**
 * Lazy status flags: what the last flag-setting instruction left behind in cc_op, cc_dst, cc_src and cc_src2,
 * and how the six status flags follow from it. The scheme is QEMU's (target/i386: "lazy condition codes").
 *
 * cc_op names a family and a width; the other words mean:
 *
 *   family  cc_dst   cc_src                          cc_src2
 *   EFLAGS  -        OF SF ZF AF PF CF in place      -
 *   MUL     low half non-zero: CF = OF = 1           -
 *   ADD     result   second operand                  -
 *   ADC     result   second operand                  carry in (0 or 1)
 *   SUB     result   subtrahend                      -
 *   SBB     result   subtrahend                      borrow in (0 or 1)
 *   LOGIC   result   -                               -
 *   INC DEC result   CF as it was (0 or 1)           -
 *   SHL     result   value shifted by count - 1      -
 *   SAR     result   value shifted by count - 1 (SHR too)
 *
 * cc_dst and cc_src may be extended in any way: only the low bits of the width count.
 * Flags per instruction: SDM vol. 1, appendix A; AF after LOGIC, MUL and shifts is undefined there and 0 here.
 */
import {
  AC, AF, CC_DST, CC_OP, CC_SRC, CC_SRC2, CF, DF, DFLAG, EFLAGS, ID, IF, IOPL, NT, OF, RF, SF, STATUS_FLAGS, TF, VM, ZF,
} from './state.ts';

/** Known only at run time: look at R[CC_OP]. Translation time only; in the state it would mean CC_OP_EFLAGS. */
export const CC_OP_DYNAMIC = 0;
/** cc_src holds the status flags. */
export const CC_OP_EFLAGS = 1;
// Byte, word and doubleword of a family are consecutive: a family's base + 0, 1, 2.
export const CC_OP_MULB = 2, CC_OP_MULW = 3, CC_OP_MULL = 4;
export const CC_OP_ADDB = 5, CC_OP_ADDW = 6, CC_OP_ADDL = 7;
export const CC_OP_ADCB = 8, CC_OP_ADCW = 9, CC_OP_ADCL = 10;
export const CC_OP_SUBB = 11, CC_OP_SUBW = 12, CC_OP_SUBL = 13;
export const CC_OP_SBBB = 14, CC_OP_SBBW = 15, CC_OP_SBBL = 16;
export const CC_OP_LOGICB = 17, CC_OP_LOGICW = 18, CC_OP_LOGICL = 19;
export const CC_OP_INCB = 20, CC_OP_INCW = 21, CC_OP_INCL = 22;
export const CC_OP_DECB = 23, CC_OP_DECW = 24, CC_OP_DECL = 25;
export const CC_OP_SHLB = 26, CC_OP_SHLW = 27, CC_OP_SHLL = 28;
export const CC_OP_SARB = 29, CC_OP_SARW = 30, CC_OP_SARL = 31;
/** How many cc_op numbers there are. */
export const CC_OP_COUNT = 32;

/** By number, for logs (`-d cpu`, `-d op`). */
export const CC_OP_NAMES: readonly string[] = [
  'DYNAMIC', 'EFLAGS', 'MULB', 'MULW', 'MULL', 'ADDB', 'ADDW', 'ADDL', 'ADCB', 'ADCW', 'ADCL', 'SUBB', 'SUBW', 'SUBL', 'SBBB', 'SBBW', 'SBBL',
  'LOGICB', 'LOGICW', 'LOGICL', 'INCB', 'INCW', 'INCL', 'DECB', 'DECW', 'DECL', 'SHLB', 'SHLW', 'SHLL', 'SARB', 'SARW', 'SARL',
];

/** The EFLAGS bits that can be written: all that a processor without virtual-mode extensions has (no VIF, VIP). */
export const EFLAGS_DEFINED = STATUS_FLAGS | TF | IF | DFLAG | IOPL | NT | RF | VM | AC | ID;

/** PF of the low byte: bit n of 0x9669 says whether the nibble n has an even number of ones. */
const parity = (value: number): number => (0x9669 >> ((value ^ value >> 4) & 15) & 1) << 2;

/** SF, ZF and PF of a result that stands at the top of the word (shifted left by 32 - width). */
const signZeroParity = (top: number, result: number): number =>
  (top < 0 ? SF : 0) | (top === 0 ? ZF : 0) | parity(result);

/** Families from ADD on; the first one is MUL. */
const FAMILY_MUL = 0, FAMILY_ADD = 1, FAMILY_ADC = 2, FAMILY_SUB = 3, FAMILY_SBB = 4, FAMILY_LOGIC = 5, FAMILY_INC = 6, FAMILY_DEC = 7, FAMILY_SHL = 8;

/** Left shift that brings the width's sign bit to bit 31, by cc_op. */
const SHIFT = Int32Array.from({ length: CC_OP_COUNT }, (_, op) => (op < CC_OP_MULB ? 0 : [24, 16, 0][(op - CC_OP_MULB) % 3]!));
const FAMILY = Int32Array.from({ length: CC_OP_COUNT }, (_, op) => (op < CC_OP_MULB ? -1 : Math.trunc((op - CC_OP_MULB) / 3)));

/** The status flags (OF SF ZF AF PF CF in their EFLAGS places) of a lazy state. */
export function computeAll(dst: number, src: number, src2: number, op: number): number {
  if (op <= CC_OP_EFLAGS) return src & STATUS_FLAGS;
  const shift = SHIFT[op]!;
  // Operands moved to the top of the word, so that the sign bit of every width is bit 31 and carries compare as unsigned words.
  const result = dst << shift, operand = src << shift;
  let flags = signZeroParity(result, dst);
  switch (FAMILY[op]) {
    case FAMILY_MUL:
      if (src !== 0) flags |= CF | OF;
      break;
    case FAMILY_ADD: {
      const first = result - operand | 0;
      if (result >>> 0 < operand >>> 0) flags |= CF;
      if ((~(first ^ operand) & (first ^ result)) < 0) flags |= OF;
      flags |= (dst - src ^ src ^ dst) & AF;
      break;
    }
    case FAMILY_ADC: {
      const first = result - operand - (src2 << shift) | 0;
      if (src2 !== 0 ? result >>> 0 <= operand >>> 0 : result >>> 0 < operand >>> 0) flags |= CF;
      if ((~(first ^ operand) & (first ^ result)) < 0) flags |= OF;
      flags |= (dst - src - src2 ^ src ^ dst) & AF;
      break;
    }
    case FAMILY_SUB: {
      const first = result + operand | 0;
      if (first >>> 0 < operand >>> 0) flags |= CF;
      if (((first ^ operand) & (first ^ result)) < 0) flags |= OF;
      flags |= (dst + src ^ src ^ dst) & AF;
      break;
    }
    case FAMILY_SBB: {
      const first = result + operand + (src2 << shift) | 0;
      if (src2 !== 0 ? first >>> 0 <= operand >>> 0 : first >>> 0 < operand >>> 0) flags |= CF;
      if (((first ^ operand) & (first ^ result)) < 0) flags |= OF;
      flags |= (dst + src + src2 ^ src ^ dst) & AF;
      break;
    }
    case FAMILY_LOGIC:
      break;
    case FAMILY_INC:
      flags |= src & CF;
      if (result === (0x80000000 | 0)) flags |= OF;
      if ((dst & 15) === 0) flags |= AF;
      break;
    case FAMILY_DEC:
      flags |= src & CF;
      if (result === (0x7fffffff >> shift << shift)) flags |= OF;
      if ((dst & 15) === 15) flags |= AF;
      break;
    case FAMILY_SHL:
      if (operand < 0) flags |= CF;
      if ((operand ^ result) < 0) flags |= OF;
      break;
    default: // SAR, SHR
      flags |= src & CF;
      if ((operand ^ result) < 0) flags |= OF;
  }
  return flags;
}

/** CF alone (0 or 1) of a lazy state. */
export function computeC(dst: number, src: number, src2: number, op: number): number {
  if (op <= CC_OP_EFLAGS) return src & CF;
  const shift = SHIFT[op]!;
  const result = dst << shift, operand = src << shift;
  switch (FAMILY[op]) {
    case FAMILY_MUL: return src !== 0 ? 1 : 0;
    case FAMILY_ADD: return result >>> 0 < operand >>> 0 ? 1 : 0;
    case FAMILY_ADC: return (src2 !== 0 ? result >>> 0 <= operand >>> 0 : result >>> 0 < operand >>> 0) ? 1 : 0;
    case FAMILY_SUB: return (result + operand | 0) >>> 0 < operand >>> 0 ? 1 : 0;
    case FAMILY_SBB: {
      const first = result + operand + (src2 << shift) | 0;
      return (src2 !== 0 ? first >>> 0 <= operand >>> 0 : first >>> 0 < operand >>> 0) ? 1 : 0;
    }
    case FAMILY_LOGIC: return 0;
    case FAMILY_SHL: return operand >>> 31;
    default: return src & CF; // INC, DEC, SAR
  }
}

/** computeC() as JavaScript (Helper.shortcut): in place for what comes before most INC and DEC. Where `op` is a number, only what it means. */
export function carryShortcut(call: string, dst: string, src: string, _src2: string, op: string): string {
  const borrow = `((${dst} + ${src} | 0) >>> 0 < ${src} >>> 0 ? 1 : 0)`, known = Number(op);
  if (known === CC_OP_SUBL) return borrow;
  if (known >= CC_OP_INCB && known <= CC_OP_DECL) return src;
  if (known === CC_OP_LOGICL) return '0';
  if (!Number.isNaN(known)) return call;
  return `(${op} === ${CC_OP_SUBL} ? ${borrow} : ${op} >= ${CC_OP_INCB} && ${op} <= ${CC_OP_DECL} ? ${src} : ${op} === ${CC_OP_LOGICL} ? 0 : ${call})`;
}

/** The status flags of the state. */
export const readStatusFlags = (R: Int32Array): number => computeAll(R[CC_DST]!, R[CC_SRC]!, R[CC_SRC2]!, R[CC_OP]!);

/** Makes `flags` (only OF SF ZF AF PF CF of it) the status flags of the state. */
export function writeStatusFlags(R: Int32Array, flags: number): void {
  R[CC_OP] = CC_OP_EFLAGS;
  R[CC_SRC] = flags & STATUS_FLAGS;
  R[CC_DST] = 0;
}

/** The whole EFLAGS register. */
export const readEflags = (R: Int32Array): number => readStatusFlags(R) | R[EFLAGS]! & ~(STATUS_FLAGS | DFLAG) | (R[DF]! < 0 ? DFLAG : 0) | 2;

/**
 * Replaces the EFLAGS bits in `mask` by those of `value`. The lazy state becomes CC_OP_EFLAGS if a status flag is among
 * them and is left alone otherwise. HFLAGS copies some bits (TF RF VM AC IOPL): the caller calls updateHflags().
 */
export function writeEflags(R: Int32Array, value: number, mask: number): void {
  if ((mask & STATUS_FLAGS) !== 0) writeStatusFlags(R, readStatusFlags(R) & ~mask | value & mask);
  if ((mask & DFLAG) !== 0) R[DF] = (value & DFLAG) !== 0 ? -1 : 1;
  R[EFLAGS] = (R[EFLAGS]! & ~mask | value & mask) & ~(STATUS_FLAGS | DFLAG) | 2;
}
