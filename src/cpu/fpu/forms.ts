/**
 * The x87 instructions that have helpers of their own (fast.ts): what the translator calls for an opcode (low three bits) and a ModRM
 * byte. Source: Intel SDM vol. 2, tables A-7 ff.
 */
import { OPERAND } from './state.ts';

/**
 * A helper by name, its arguments, and what the last one says of the operands. That last argument is the "form" of an instruction, one number:
 *
 *     bits 0-14    packed opcode (helpers.ts)
 *     bits 15-17   the result goes to ST(d)
 *     bits 18-21   the operand y beside ST(0): ST(0-7), or OPERAND (8)
 *     bit 22       ST(0) - y
 *     bit 23       y - ST(0), y / ST(0)
 *     bits 24-25   how often it pops
 */
export interface FastForm {
  readonly name: string;
  readonly args: readonly number[];
  readonly operands: number;
}

export const FORM_D = 15, FORM_Y = 18, FORM_MINUS = 22, FORM_REVERSED = 23, FORM_POPS = 24;
/** The bit of FORM_Y that only OPERAND has. */
export const Y_IS_OPERAND = OPERAND << FORM_Y;
const MINUS = 1 << FORM_MINUS, REVERSED = 1 << FORM_REVERSED;

const form = (name: string, operands = 0, ...args: number[]): FastForm => ({ name, args, operands });
/** The part of a form that names the operands. */
export const operands = (d: number, y: number, pops = 0): number => d << FORM_D | y << FORM_Y | pops << FORM_POPS;
const TOP_BIT = 0x80000000 | 0;

/** ST(d) = ST(0) op ST(y), by ModRM.reg: ADD MUL COM COMP SUB SUBR DIV DIVR. */
function arithmetic(reg: number, d: number, y: number, pops: number): FastForm {
  const all = operands(d, y, pops);
  switch (reg) {
    case 0: return form('x87_add', all);
    case 1: return form('x87_mul', all);
    case 2: return form('x87_com', all);
    case 3: return form('x87_com', operands(d, y, 1));
    case 4: return form('x87_add', all | MINUS);
    case 5: return form('x87_add', all | REVERSED);
    case 6: return form('x87_div', all);
    default: return form('x87_div', all | REVERSED);
  }
}

const isComparison = (reg: number): boolean => reg === 2 || reg === 3;

/** A register instruction that exists; those without a form of their own are `x87_other`. */
export function registerForm(opcode: number, modrm: number): FastForm {
  const reg = modrm >> 3 & 7, i = modrm & 7;
  if (opcode === 0) return arithmetic(reg, 0, i, 0);
  // With ST(i) as destination SUB and SUBR, DIV and DIVR have changed places: the operands keep theirs.
  if ((opcode === 4 || opcode === 6) && !isComparison(reg)) return arithmetic(reg, i, i, opcode === 6 ? 1 : 0);
  if (opcode === 1) {
    if (reg === 0) return form('x87_push', operands(0, i));
    if (reg === 1) return form('x87_xch', operands(0, i));
    switch (modrm) {
      case 0xe0: return form('x87_sign', 0, 0xffff, 0x8000);
      case 0xe1: return form('x87_sign', 0, 0x7fff, 0);
      case 0xe8: return form('x87_push_constant', 0, 0x3fff, TOP_BIT);
      case 0xee: return form('x87_push_constant', 0, 0, 0);
      case 0xfa: return form('x87_sqrt');
    }
  }
  if (opcode === 5) {
    switch (reg) {
      case 2: return form('x87_copy', operands(i, 0));
      case 3: return form('x87_copy', operands(i, 0, 1));
      case 4: return form('x87_com', operands(0, i));
      case 5: return form('x87_com', operands(0, i, 1));
    }
  }
  const comparesAndPopsBoth = (opcode === 6 && modrm === 0xd9) || (opcode === 2 && modrm === 0xe9);
  return comparesAndPopsBoth ? form('x87_com', operands(0, 1, 2)) : form('x87_other');
}

/** An operand that is loaded: its size, the helper that makes register OPERAND of FPU_BYTES, and the form that uses it. */
export interface LoadForm {
  readonly size: 2 | 4 | 8;
  readonly convert: string;
  readonly then: FastForm;
}

const FORMATS: readonly (readonly [size: 2 | 4 | 8, convert: string])[] = [[4, 'x87_from_single'], [4, 'x87_from_int32'], [8, 'x87_from_double'], [2, 'x87_from_int16']];

/** By ModRM.reg; undefined if the instruction loads nothing, or is rare. */
export function loadForm(opcode: number, reg: number): LoadForm | undefined {
  const [size, convert] = FORMATS[opcode >> 1]!;
  if ((opcode & 1) === 0) return { size, convert, then: arithmetic(reg, 0, OPERAND, 0) };
  if (reg === 0) return { size, convert, then: form('x87_push', operands(0, OPERAND)) };
  return opcode === 7 && reg === 5 ? { size: 8, convert: 'x87_from_int64', then: form('x87_push', operands(0, OPERAND)) } : undefined;
}

/** Bytes of a store of ST(0) by FST, FIST and their popping siblings; undefined for other instructions. */
export function storeSize(opcode: number, reg: number): 2 | 4 | 8 | undefined {
  if ((opcode & 1) === 0) return undefined;
  if (isComparison(reg)) return FORMATS[opcode >> 1]![0];
  return opcode === 7 && reg === 7 ? 8 : undefined;
}
