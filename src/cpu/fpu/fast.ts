/**
 * The helpers of the common x87 instructions: on the words of the registers where operands are ordinary numbers, else as registers.ts and
 * memory.ts say. They touch x87 state only and never fault: pending exceptions have been reported, memory operands stand in FPU_BYTES,
 * and the pointers to the instruction are written already. The last argument is the form (forms.ts), which holds the packed opcode.
 */
import type { Helper } from '../../tcg/env.ts';
import { INDEFINITE, compare as exactCompare } from './float80.ts';
import { FORM_D, FORM_POPS, FORM_Y, Y_IS_OPERAND } from './forms.ts';
import { memoryInstruction } from './memory.ts';
import type { DataAccess } from './memory.ts';
import { registerInstruction } from './registers.ts';
import { createPut } from './rounding.ts';
import { FPU_BYTES, FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_RAISED, FPU_SW, FPU_TW, OPERAND } from './state.ts';
import { SW_C1 } from './unit.ts';
import type { FpuUnit } from './unit.ts';
import { createWordConversion } from './word-convert.ts';
import { createWordDivision } from './word-divide.ts';
import { createWordArithmetic, createWordClasses } from './words.ts';

const SW_TOP = 0x3800, SW_CONDITIONS = 0x4700, TAG_EMPTY = 3, EXCEPTIONS = 0x3f;
/** C3, C2 and C0 lie eight bits above ZF, PF and CF. */
const UNORDERED = 0x45;
/** Sign and exponent of an operand that is no ordinary number, and is still to be widened. */
const NOT_ORDINARY = -1;

export function createFastHelpers(R: Int32Array, unit: FpuUnit): Helper[] {
  const convert = createWordConversion(R);

  /** FPU_BYTES as memory at address 0. */
  const bytes = new DataView(R.buffer, R.byteOffset + 4 * FPU_BYTES, 16);
  const operand: DataAccess = {
    R,
    load8: (at) => bytes.getUint8(at), load16: (at) => bytes.getUint16(at, true), load32: (at) => bytes.getInt32(at, true),
    store8: (at, value) => bytes.setUint8(at, value), store16: (at, value) => bytes.setUint16(at, value, true), store32: (at, value) => bytes.setInt32(at, value, true),
    probe: () => {},
  };
  const format = { wide: true, protectedMode: true };

  /** The whole truth. */
  function exactly(packed: number): void {
    const opcode = packed >> 8 & 7;
    if ((packed & 0xc0) === 0xc0) registerInstruction(opcode, packed & 0xff)!(unit, packed & 7);
    else memoryInstruction(opcode, packed >> 3 & 7)!.run(unit, operand, 0, format);
  }

  const classes = createWordClasses(R), { isEmpty } = classes, end = createPut(R, exactly);
  const { add, multiply, compare } = createWordArithmetic(R, classes, end, exactly);
  const { divide, squareRoot } = createWordDivision(R, classes, end, exactly);

  /** Writes the status word, and pops 0 to 2 registers. */
  function pop(status: number, top: number, pops: number): void {
    R[FPU_SW] = status & ~SW_TOP | (top + pops & 7) << 11;
    R[FPU_TW] = R[FPU_TW]! | (pops === 2 ? TAG_EMPTY << 2 * (top + 1 & 7) : 0) | (pops !== 0 ? TAG_EMPTY << 2 * top : 0);
  }

  function copy(to: number, from: number): void {
    R[FPU_LOW + 2 * to] = R[FPU_LOW + 2 * from]!;
    R[FPU_HIGH + 2 * to] = R[FPU_HIGH + 2 * from]!;
    R[FPU_EXP + to] = R[FPU_EXP + from]!;
  }

  /** The register has a value now; which tag it has is found from its contents when it is asked for. */
  function fill(register: number): void {
    R[FPU_TW] = R[FPU_TW]! & ~(TAG_EMPTY << 2 * register);
  }

  /** The register, which was empty, is the top now and has a value. */
  function push(status: number, register: number): void {
    R[FPU_SW] = status & ~(SW_TOP | SW_C1) | register << 11;
    R[FPU_TW] = R[FPU_TW]! ^ TAG_EMPTY << 2 * register;
  }

  const clearC1 = (): void => { R[FPU_SW] = R[FPU_SW]! & ~SW_C1; };
  const widened = (ordinary: boolean): void => { if (!ordinary) R[FPU_EXP + OPERAND] = NOT_ORDINARY; };

  function x87Com(form: number): void {
    const status = R[FPU_SW]!, top = status >> 11 & 7, y = form >> FORM_Y & 15, b = y === OPERAND ? OPERAND : top + y & 7;
    const conditions = isEmpty(top) || isEmpty(b) ? -1 : compare(top, b);
    if (conditions < 0) exactly(form);
    else pop(status & ~SW_CONDITIONS | conditions, top, form >> FORM_POPS & 3);
  }

  function x87Push(form: number): void {
    const status = R[FPU_SW]!, from = (form & Y_IS_OPERAND) !== 0 ? OPERAND : (status >> 11) + (form >> FORM_Y) & 7, to = (status >> 11) + 7 & 7;
    const tags = R[FPU_TW]!, empty = tags & tags >> 1, word = R[FPU_EXP + from]!;
    if (((empty >> 2 * from | ~(empty >> 2 * to)) & 1) !== 0 || word === NOT_ORDINARY) {
      exactly(form);
      return;
    }
    R[FPU_LOW + 2 * to] = R[FPU_LOW + 2 * from]!;
    R[FPU_HIGH + 2 * to] = R[FPU_HIGH + 2 * from]!;
    R[FPU_EXP + to] = word;
    push(status, to);
  }

  function x87PushConstant(word: number, high: number, form: number): void {
    const status = R[FPU_SW]!, to = (status >> 11) + 7 & 7;
    if (!isEmpty(to)) {
      exactly(form);
      return;
    }
    R[FPU_LOW + 2 * to] = 0;
    R[FPU_HIGH + 2 * to] = high;
    R[FPU_EXP + to] = word;
    push(status, to);
  }

  function x87Exchange(form: number): void {
    const status = R[FPU_SW]!, top = status >> 11 & 7, other = (status >> 11) + (form >> FORM_Y) & 7, tags = R[FPU_TW]!, empty = tags & tags >> 1;
    if (((empty >> 2 * top | empty >> 2 * other) & 1) !== 0) {
      exactly(form);
      return;
    }
    const low = R[FPU_LOW + 2 * top]!, high = R[FPU_HIGH + 2 * top]!, word = R[FPU_EXP + top]!;
    copy(top, other);
    R[FPU_LOW + 2 * other] = low;
    R[FPU_HIGH + 2 * other] = high;
    R[FPU_EXP + other] = word;
    R[FPU_SW] = status & ~SW_C1;
  }

  function x87Copy(form: number): void {
    const status = R[FPU_SW]!, top = status >> 11 & 7, to = top + (form >> FORM_D) & 7;
    if (isEmpty(top)) exactly(form);
    else {
      copy(to, top);
      fill(to);
      pop(status & ~SW_C1, top, form >> FORM_POPS & 1);
    }
  }

  /** FABS keeps all but the sign; FCHS flips it. */
  function x87Sign(keep: number, flip: number, form: number): void {
    const top = R[FPU_SW]! >> 11 & 7;
    if (isEmpty(top)) exactly(form);
    else {
      R[FPU_EXP + top] = R[FPU_EXP + top]! & keep ^ flip;
      clearC1();
    }
  }

  /** FCMOVcc: both registers must have a value, whether one is moved or not. */
  function x87Cmov(i: number, condition: number): void {
    const top = R[FPU_SW]! >> 11 & 7, from = top + i & 7;
    if (isEmpty(top) || isEmpty(from)) {
      if (unit.stackFault(false)) unit.set(0, INDEFINITE);
    } else if (condition !== 0) copy(top, from);
  }

  /** FCOMI and its like: ZF, PF and CF, or -1 where they stay because an exception is not masked. */
  function x87Comi(i: number, quiet: number, pops: number): number {
    const top = R[FPU_SW]! >> 11 & 7, other = top + i & 7, c1 = R[FPU_SW]! & SW_C1;
    let flags = UNORDERED;
    if (isEmpty(top) || isEmpty(other)) {
      if (!unit.stackFault(false)) return -1;
    } else if ((flags = compare(top, other) >> 8) < 0) {
      const order = exactCompare(unit.begin(), unit.get(0), unit.get(i), quiet !== 0), valid = unit.finish();
      R[FPU_SW] = R[FPU_SW]! | c1;
      if (!valid) return -1;
      flags = order === null ? UNORDERED : order === 0 ? 0x40 : order < 0 ? 1 : 0;
    }
    if (pops !== 0) pop(R[FPU_SW]!, top, pops);
    return flags;
  }

  function tryStore(packed: number): boolean {
    const top = R[FPU_SW]! >> 11 & 7;
    if (isEmpty(top)) return false;
    switch (packed >> 8 & 7) {
      case 1: return convert.storeSingle(top);
      case 3: return convert.storeInteger(top, 32);
      case 5: return convert.storeDouble(top);
      default: return (packed >> 3 & 7) === 7 ? convert.storeInteger64(top) : convert.storeInteger(top, 16);
    }
  }

  /** Makes the bytes of a store; 0 if the number is not ordinary, or an exception of the store is not masked. */
  const x87Prepare = (packed: number): number => (tryStore(packed) && (R[FPU_RAISED]! & ~R[FPU_CW]! & EXCEPTIONS) === 0 ? 1 : 0);

  /** The bytes are written: completes the store. */
  function x87Commit(packed: number): void {
    const status = R[FPU_SW]! & ~SW_C1 | R[FPU_RAISED]!, top = status >> 11 & 7;
    pop(status, top, (packed >> 3 & 3) === 3 ? 1 : 0);
  }

  const helper = (name: string, args: number, fn: Helper['fn'], returns = false): Helper =>
    ({ name, args, returns, globals: 'none', pure: false, mayFault: false, contained: true, fn });
  return [
    helper('x87_add', 1, add), helper('x87_mul', 1, multiply), helper('x87_div', 1, divide), helper('x87_com', 1, x87Com), helper('x87_sqrt', 1, squareRoot),
    helper('x87_push', 1, x87Push), helper('x87_push_constant', 3, x87PushConstant), helper('x87_xch', 1, x87Exchange), helper('x87_copy', 1, x87Copy),
    helper('x87_sign', 3, x87Sign), helper('x87_cmov', 2, x87Cmov), helper('x87_comi', 3, x87Comi, true), helper('x87_other', 1, exactly), helper('x87_prepare', 1, x87Prepare, true), helper('x87_commit', 1, x87Commit),
    helper('x87_from_single', 0, () => widened(convert.loadSingle())), helper('x87_from_double', 0, () => widened(convert.loadDouble())),
    helper('x87_from_int16', 0, () => widened(convert.loadInteger16())), helper('x87_from_int32', 0, () => widened(convert.loadInteger32())),
    helper('x87_from_int64', 0, () => widened(convert.loadInteger64())),
  ];
}
