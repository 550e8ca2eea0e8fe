/**
 * x87 instructions as translated code runs them: on the words of the registers where operands are ordinary, else as registers.ts and
 * memory.ts say. Nothing here faults: pending exceptions have been reported, and memory operands stand in FPU_BYTES.
 */
import { CS, SEG_SEL } from '../state.ts';
import { memoryInstruction } from './memory.ts';
import type { DataAccess } from './memory.ts';
import { registerInstruction } from './registers.ts';
import {
  FPU_BYTES, FPU_CW, FPU_EXP, FPU_FCS, FPU_FDP, FPU_FDS, FPU_FIP, FPU_FOP, FPU_HIGH, FPU_LOW, FPU_RAISED, FPU_SW, FPU_TW, OPERAND,
} from './state.ts';
import { SW_C1 } from './unit.ts';
import type { FpuUnit } from './unit.ts';
import { createWordConversion } from './word-convert.ts';
import { createWordArithmetic } from './words.ts';

const SW_TOP = 0x3800, TAG_EMPTY = 3;

/**
 * Arguments: the packed opcode (helpers.ts), EIP, and the offset of a memory operand in its segment.
 * `prepare` makes the bytes of a store and tells whether it did; once they are written, `commit` completes the instruction.
 */
export interface FastX87 {
  register(packed: number, eip: number): void;
  load(packed: number, eip: number, offset: number): void;
  prepare(packed: number): number;
  commit(packed: number, eip: number, offset: number): void;
}

/** ModRM.reg and the low three bits of the opcode, in one number. */
const keyOf = (packed: number): number => packed >> 5 & 0x38 | packed >> 3 & 7;
const KEY = (opcode: number, reg: number): number => opcode << 3 | reg;

/** Operand sizes by opcode and ModRM.reg, of the instructions that come here; others are helpers of their own. */
const LOADS = new Map<number, 2 | 4 | 8>([
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((reg): [number, 2 | 4 | 8][] => [[KEY(0, reg), 4], [KEY(2, reg), 4], [KEY(4, reg), 8], [KEY(6, reg), 2]]),
  [KEY(1, 0), 4], [KEY(3, 0), 4], [KEY(5, 0), 8], [KEY(7, 0), 2], [KEY(7, 5), 8],
]);
const STORES = new Map<number, 2 | 4 | 8>([
  [KEY(1, 2), 4], [KEY(1, 3), 4], [KEY(3, 2), 4], [KEY(3, 3), 4], [KEY(5, 2), 8], [KEY(5, 3), 8], [KEY(7, 2), 2], [KEY(7, 3), 2], [KEY(7, 7), 8],
]);

/** Bytes that the instruction loads from its operand before load(), or stores between prepare() and commit(); undefined if it does not come here. */
export const loadSize = (opcode: number, reg: number): 2 | 4 | 8 | undefined => LOADS.get(KEY(opcode, reg));
export const storeSize = (opcode: number, reg: number): 2 | 4 | 8 | undefined => STORES.get(KEY(opcode, reg));

export function createFastX87(R: Int32Array, unit: FpuUnit): FastX87 {
  const { add, multiply, divide, squareRoot, compare } = createWordArithmetic(R);
  const convert = createWordConversion(R);
  const isEmpty = (register: number): boolean => (R[FPU_TW]! >> 2 * register & 3) === TAG_EMPTY;

  /** FPU_BYTES as memory at address 0, for what the words cannot do. */
  const bytes = new DataView(R.buffer, R.byteOffset + 4 * FPU_BYTES, 16);
  const operand: DataAccess = {
    R,
    load8: (at) => bytes.getUint8(at), load16: (at) => bytes.getUint16(at, true), load32: (at) => bytes.getInt32(at, true),
    store8: (at, value) => bytes.setUint8(at, value), store16: (at, value) => bytes.setUint16(at, value, true), store32: (at, value) => bytes.setInt32(at, value, true),
    probe: () => {},
  };
  const format = { wide: true, protectedMode: true };

  function remember(packed: number, eip: number): void {
    R[FPU_FIP] = eip;
    R[FPU_FCS] = R[SEG_SEL + CS]!;
    R[FPU_FOP] = packed & 0x7ff;
  }

  function rememberOperand(packed: number, offset: number): void {
    R[FPU_FDP] = offset;
    R[FPU_FDS] = R[SEG_SEL + (packed >> 12 & 7)]!;
  }

  function pop(): true {
    const status = R[FPU_SW]!, top = status >> 11 & 7;
    R[FPU_TW] = R[FPU_TW]! | TAG_EMPTY << 2 * top;
    R[FPU_SW] = status & ~SW_TOP | (top + 1 & 7) << 11;
    return true;
  }

  /** The register has a value now; which tag it has is found from its contents when it is asked for. */
  function fill(register: number): true {
    R[FPU_TW] = R[FPU_TW]! & ~(TAG_EMPTY << 2 * register);
    return true;
  }

  const clearC1 = (): void => { R[FPU_SW] = R[FPU_SW]! & ~SW_C1; };

  function copy(to: number, from: number): true {
    R[FPU_LOW + 2 * to] = R[FPU_LOW + 2 * from]!;
    R[FPU_HIGH + 2 * to] = R[FPU_HIGH + 2 * from]!;
    R[FPU_EXP + to] = R[FPU_EXP + from]!;
    clearC1();
    return fill(to);
  }

  /** The register that a push will fill, or -1 if it is not empty. */
  function below(top: number): number {
    const register = top + 7 & 7;
    return isEmpty(register) ? register : -1;
  }

  function push(register: number): true {
    R[FPU_SW] = R[FPU_SW]! & ~SW_TOP | register << 11;
    return true;
  }

  function pushCopy(top: number, from: number): boolean {
    const register = below(top);
    return register >= 0 && copy(register, from) && push(register);
  }

  function pushNumber(top: number, word: number, high: number): boolean {
    R[FPU_LOW + 2 * OPERAND] = 0;
    R[FPU_HIGH + 2 * OPERAND] = high;
    R[FPU_EXP + OPERAND] = word;
    return pushCopy(top, OPERAND);
  }

  /** ST(0) with a register or the operand: ADD MUL COM COMP SUB SUBR DIV DIVR. */
  function arithmetic(operation: number, top: number, other: number): boolean {
    if (isEmpty(top)) return false;
    switch (operation) {
      case 0: return add(top, top, other, 0) && fill(top);
      case 1: return multiply(top, top, other) && fill(top);
      case 2: return compare(top, other);
      case 3: return compare(top, other) && pop();
      case 4: return add(top, top, other, 1) && fill(top);
      case 5: return add(top, other, top, 1) && fill(top);
      case 6: return divide(top, top, other) && fill(top);
      default: return divide(top, other, top) && fill(top);
    }
  }

  /** The same with ST(i) as destination: there SUB and SUBR, DIV and DIVR have changed places. */
  function arithmeticTo(operation: number, top: number, other: number): boolean {
    if (isEmpty(top)) return false;
    switch (operation) {
      case 0: return add(other, other, top, 0) && fill(other);
      case 1: return multiply(other, other, top) && fill(other);
      case 4: return add(other, top, other, 1) && fill(other);
      case 5: return add(other, other, top, 1) && fill(other);
      case 6: return divide(other, top, other) && fill(other);
      case 7: return divide(other, other, top) && fill(other);
      default: return false;
    }
  }

  function swap(x: number, y: number): void {
    const word = R[x]!;
    R[x] = R[y]!;
    R[y] = word;
  }

  function exchange(x: number, y: number): true {
    swap(FPU_LOW + 2 * x, FPU_LOW + 2 * y);
    swap(FPU_HIGH + 2 * x, FPU_HIGH + 2 * y);
    swap(FPU_EXP + x, FPU_EXP + y);
    clearC1();
    return true;
  }

  /** D9 E0-FF, by ModRM byte. */
  function unary(modrm: number, top: number): boolean {
    switch (modrm) {
      case 0xe8: return pushNumber(top, 0x3fff, 0x80000000 | 0);
      case 0xee: return pushNumber(top, 0, 0);
    }
    if (isEmpty(top)) return false;
    switch (modrm) {
      case 0xe0:
        R[FPU_EXP + top] = R[FPU_EXP + top]! ^ 0x8000;
        clearC1();
        return true;
      case 0xe1:
        R[FPU_EXP + top] = R[FPU_EXP + top]! & 0x7fff;
        clearC1();
        return true;
      case 0xfa: return squareRoot(top, top) && fill(top);
      default: return false;
    }
  }

  function tryRegister(packed: number): boolean {
    const top = R[FPU_SW]! >> 11 & 7, other = top + packed & 7, key = keyOf(packed);
    if (key === KEY(1, 4) || key === KEY(1, 5) || key === KEY(1, 7)) return unary(packed & 0xff, top);
    if (isEmpty(other)) return key === KEY(5, 3) && !isEmpty(top) && copy(other, top) && pop();
    switch (key) {
      case KEY(0, 0): case KEY(0, 1): case KEY(0, 2): case KEY(0, 3): case KEY(0, 4): case KEY(0, 5): case KEY(0, 6): case KEY(0, 7):
        return arithmetic(key & 7, top, other);
      case KEY(4, 0): case KEY(4, 1): case KEY(4, 4): case KEY(4, 5): case KEY(4, 6): case KEY(4, 7):
        return arithmeticTo(key & 7, top, other);
      case KEY(6, 0): case KEY(6, 1): case KEY(6, 4): case KEY(6, 5): case KEY(6, 6): case KEY(6, 7):
        return arithmeticTo(key & 7, top, other) && pop();
      case KEY(1, 0): return pushCopy(top, other);
      case KEY(1, 1): return !isEmpty(top) && exchange(top, other);
      case KEY(5, 2): return !isEmpty(top) && copy(other, top);
      case KEY(5, 3): return !isEmpty(top) && copy(other, top) && pop();
      case KEY(5, 4): return !isEmpty(top) && compare(top, other);
      case KEY(5, 5): return !isEmpty(top) && compare(top, other) && pop();
      // FCOMPP (DE D9) and FUCOMPP (DA E9) are the only ones of their rows.
      case KEY(6, 3): case KEY(2, 5): return (packed & 7) === 1 && !isEmpty(top) && compare(top, other) && pop() && pop();
      default: return false;
    }
  }

  function tryLoad(packed: number): boolean {
    const top = R[FPU_SW]! >> 11 & 7, key = keyOf(packed);
    switch (key >> 3) {
      case 0: return convert.loadSingle() && arithmetic(key & 7, top, OPERAND);
      case 2: return convert.loadInteger32() && arithmetic(key & 7, top, OPERAND);
      case 4: return convert.loadDouble() && arithmetic(key & 7, top, OPERAND);
      case 6: return convert.loadInteger16() && arithmetic(key & 7, top, OPERAND);
    }
    if (below(top) < 0) return false;
    switch (key) {
      case KEY(1, 0): return convert.loadSingle() && pushCopy(top, OPERAND);
      case KEY(3, 0): return convert.loadInteger32() && pushCopy(top, OPERAND);
      case KEY(5, 0): return convert.loadDouble() && pushCopy(top, OPERAND);
      case KEY(7, 0): return convert.loadInteger16() && pushCopy(top, OPERAND);
      default: return convert.loadInteger64() && pushCopy(top, OPERAND);
    }
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

  return {
    register(packed, eip) {
      remember(packed, eip);
      if (!tryRegister(packed)) registerInstruction(packed >> 8 & 7, packed & 0xff)!(unit, packed & 7);
    },
    load(packed, eip, offset) {
      remember(packed, eip);
      rememberOperand(packed, offset);
      if (!tryLoad(packed)) memoryInstruction(packed >> 8 & 7, packed >> 3 & 7)!.run(unit, operand, 0, format);
    },
    prepare: (packed) => (tryStore(packed) && (R[FPU_RAISED]! & ~R[FPU_CW]! & 0x3f) === 0 ? 1 : 0),
    commit(packed, eip, offset) {
      remember(packed, eip);
      rememberOperand(packed, offset);
      R[FPU_SW] = R[FPU_SW]! & ~SW_C1 | R[FPU_RAISED]!;
      if ((packed >> 3 & 3) === 3) pop();
    },
  };
}
