/**
 * The helpers of the common x87 instructions: on the words of the registers where operands are ordinary numbers, else as registers.ts and
 * memory.ts say. They touch x87 state only and never fault: pending exceptions have been reported, memory operands stand in FPU_BYTES,
 * and the pointers to the instruction are written already. The last argument is the packed opcode (helpers.ts); the others: forms.ts.
 */
import type { Helper } from '../../tcg/env.ts';
import { INDEFINITE, compare as exactCompare } from './float80.ts';
import { POP, POP_TWICE } from './forms.ts';
import { memoryInstruction } from './memory.ts';
import type { DataAccess } from './memory.ts';
import { registerInstruction } from './registers.ts';
import { FPU_BYTES, FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_RAISED, FPU_SW, FPU_TW, OPERAND } from './state.ts';
import { SW_C1 } from './unit.ts';
import type { FpuUnit } from './unit.ts';
import { createWordConversion } from './word-convert.ts';
import { createWordArithmetic } from './words.ts';

const SW_TOP = 0x3800, TAG_EMPTY = 3, POPS = POP | POP_TWICE, EXCEPTIONS = 0x3f;
/** C3, C2 and C0 of the status word; they lie eight bits above ZF, PF and CF. */
const CONDITIONS = 0x4500, UNORDERED = 0x45;
/** Sign and exponent of an operand that is no ordinary number, and is still to be widened. */
const NOT_ORDINARY = -1;

export function createFastHelpers(R: Int32Array, unit: FpuUnit): Helper[] {
  const { add, multiply, divide, squareRoot, compare } = createWordArithmetic(R);
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

  /** The physical register of ST(i), or OPERAND, which is never empty. */
  const physical = (top: number, i: number): number => (i === OPERAND ? OPERAND : top + i & 7);
  const isEmpty = (register: number): boolean => (R[FPU_TW]! >> 2 * register & 3) === TAG_EMPTY;

  /** The register has a value now (which tag it has is found from its contents when it is asked for); then pops. */
  function fillAndPop(register: number, top: number, pops: number): void {
    let tags = R[FPU_TW]! & ~(TAG_EMPTY << 2 * register);
    if (pops !== 0) {
      tags |= TAG_EMPTY << 2 * top;
      if (pops === POP_TWICE) tags |= TAG_EMPTY << 2 * (top + 1 & 7);
      R[FPU_SW] = R[FPU_SW]! & ~SW_TOP | (top + pops & 7) << 11;
    }
    R[FPU_TW] = tags;
  }

  function copy(to: number, from: number): void {
    R[FPU_LOW + 2 * to] = R[FPU_LOW + 2 * from]!;
    R[FPU_HIGH + 2 * to] = R[FPU_HIGH + 2 * from]!;
    R[FPU_EXP + to] = R[FPU_EXP + from]!;
  }

  function pushed(register: number): void {
    R[FPU_TW] = R[FPU_TW]! & ~(TAG_EMPTY << 2 * register);
    R[FPU_SW] = R[FPU_SW]! & ~(SW_TOP | SW_C1) | register << 11;
  }

  function swap(x: number, y: number): void {
    const word = R[x]!;
    R[x] = R[y]!;
    R[y] = word;
  }

  const clearC1 = (): void => { R[FPU_SW] = R[FPU_SW]! & ~SW_C1; };
  const widened = (ordinary: boolean): void => { if (!ordinary) R[FPU_EXP + OPERAND] = NOT_ORDINARY; };

  function x87Add(d: number, x: number, y: number, mode: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, a = physical(top, x), b = physical(top, y), to = top + d & 7;
    if (isEmpty(a) || isEmpty(b) || !add(to, a, b, mode >> 2)) exactly(packed);
    else fillAndPop(to, top, mode & POPS);
  }

  function x87Mul(d: number, x: number, y: number, pops: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, a = physical(top, x), b = physical(top, y), to = top + d & 7;
    if (isEmpty(a) || isEmpty(b) || !multiply(to, a, b)) exactly(packed);
    else fillAndPop(to, top, pops);
  }

  function x87Div(d: number, x: number, y: number, pops: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, a = physical(top, x), b = physical(top, y), to = top + d & 7;
    if (isEmpty(a) || isEmpty(b) || !divide(to, a, b)) exactly(packed);
    else fillAndPop(to, top, pops);
  }

  function x87Com(y: number, pops: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, b = physical(top, y);
    if (isEmpty(top) || isEmpty(b) || !compare(top, b)) exactly(packed);
    else fillAndPop(top, top, pops);
  }

  function x87Sqrt(packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7;
    if (isEmpty(top) || !squareRoot(top, top)) exactly(packed);
  }

  function x87Push(i: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, from = physical(top, i), to = top + 7 & 7;
    if (isEmpty(from) || !isEmpty(to) || R[FPU_EXP + from]! === NOT_ORDINARY) exactly(packed);
    else {
      copy(to, from);
      pushed(to);
    }
  }

  function x87PushConstant(word: number, high: number, packed: number): void {
    const to = (R[FPU_SW]! >> 11) + 7 & 7;
    if (!isEmpty(to)) exactly(packed);
    else {
      R[FPU_LOW + 2 * to] = 0;
      R[FPU_HIGH + 2 * to] = high;
      R[FPU_EXP + to] = word;
      pushed(to);
    }
  }

  function x87Exchange(i: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, other = top + i & 7;
    if (isEmpty(top) || isEmpty(other)) exactly(packed);
    else {
      swap(FPU_LOW + 2 * top, FPU_LOW + 2 * other);
      swap(FPU_HIGH + 2 * top, FPU_HIGH + 2 * other);
      swap(FPU_EXP + top, FPU_EXP + other);
      clearC1();
    }
  }

  function x87Copy(i: number, pops: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7, to = top + i & 7;
    if (isEmpty(top)) exactly(packed);
    else {
      copy(to, top);
      clearC1();
      fillAndPop(to, top, pops);
    }
  }

  /** FABS keeps all but the sign; FCHS flips it. */
  function x87Sign(keep: number, flip: number, packed: number): void {
    const top = R[FPU_SW]! >> 11 & 7;
    if (isEmpty(top)) exactly(packed);
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
    const top = R[FPU_SW]! >> 11 & 7, other = top + i & 7, conditions = R[FPU_SW]! & (CONDITIONS | SW_C1);
    let flags = UNORDERED;
    if (isEmpty(top) || isEmpty(other)) {
      if (!unit.stackFault(false)) return -1;
    } else if (compare(top, other)) {
      const found = R[FPU_SW]!;
      flags = found >> 8 & 0x45;
      R[FPU_SW] = found & ~(CONDITIONS | SW_C1) | conditions;
    } else {
      const order = exactCompare(unit.begin(), unit.get(0), unit.get(i), quiet !== 0), valid = unit.finish();
      R[FPU_SW] = R[FPU_SW]! | conditions & SW_C1;
      if (!valid) return -1;
      flags = order === null ? UNORDERED : order === 0 ? 0x40 : order < 0 ? 1 : 0;
    }
    // An empty register stays empty.
    if (pops !== 0) fillAndPop(top, top, pops);
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
    R[FPU_SW] = status;
    if ((packed >> 3 & 3) === 3) fillAndPop(top, top, POP);
  }

  const helper = (name: string, args: number, fn: Helper['fn'], returns = false): Helper =>
    ({ name, args, returns, globals: 'none', pure: false, mayFault: false, contained: true, fn });
  return [
    helper('x87_add', 5, x87Add), helper('x87_mul', 5, x87Mul), helper('x87_div', 5, x87Div), helper('x87_com', 3, x87Com), helper('x87_sqrt', 1, x87Sqrt),
    helper('x87_push', 2, x87Push), helper('x87_push_constant', 3, x87PushConstant), helper('x87_xch', 2, x87Exchange), helper('x87_copy', 3, x87Copy),
    helper('x87_sign', 3, x87Sign), helper('x87_cmov', 2, x87Cmov), helper('x87_comi', 3, x87Comi, true), helper('x87_other', 1, exactly), helper('x87_prepare', 1, x87Prepare, true), helper('x87_commit', 1, x87Commit),
    helper('x87_from_single', 0, () => widened(convert.loadSingle())), helper('x87_from_double', 0, () => widened(convert.loadDouble())),
    helper('x87_from_int16', 0, () => widened(convert.loadInteger16())), helper('x87_from_int32', 0, () => widened(convert.loadInteger32())),
    helper('x87_from_int64', 0, () => widened(convert.loadInteger64())),
  ];
}
