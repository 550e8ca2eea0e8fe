import { describe, expect, it } from 'vitest';
import {
  CC_OP_ADCB, CC_OP_ADDB, CC_OP_COUNT, CC_OP_DECB, CC_OP_EFLAGS, CC_OP_INCB, CC_OP_LOGICB, CC_OP_MULB, CC_OP_NAMES, CC_OP_SARB, CC_OP_SBBB,
  CC_OP_SHLB, CC_OP_SUBB, CC_OP_SUBL, computeAll, computeC, readEflags, writeEflags,
} from '../../src/cpu/flags.ts';
import {
  AF, CC_DST, CC_OP, CC_SRC, CF, DF, DFLAG, EFLAGS, IF, IOPL, OF, PF, SF, STATE_SIZE, STATUS_FLAGS, TF, ZF,
} from '../../src/cpu/state.ts';

/** An adder built of full adders: result, and the carries into and out of each bit. Operands are arrays of bits, low first. */
function adder(a: number[], b: number[], carry: number): { sum: number[]; carries: number[] } {
  const sum: number[] = [], carries = [carry];
  a.forEach((bit, i) => {
    const ones = bit + b[i]! + carries[i]!;
    sum.push(ones % 2);
    carries.push(ones >= 2 ? 1 : 0);
  });
  return { sum, carries };
}

const bits = (value: number, width: number): number[] => Array.from({ length: width }, (_, i) => Math.floor((value >>> 0) / 2 ** i) % 2);
const word = (list: number[]): number => list.reduce((value, bit, i) => value + bit * 2 ** i, 0) | 0;
const resultFlags = (sum: number[]): number =>
  (sum.at(-1) ? SF : 0) | (sum.includes(1) ? 0 : ZF) | (sum.slice(0, 8).filter((bit) => bit === 1).length % 2 === 0 ? PF : 0);

/** Flags of a + b + carry (borrow: of a - b - carry, as a + ~b + !carry), from the carries alone. */
function arithmetic(a: number, b: number, carry: number, width: number, borrow: boolean): { result: number; flags: number } {
  const second = bits(b, width).map((bit) => (borrow ? 1 - bit : bit));
  const { sum, carries } = adder(bits(a, width), second, borrow ? 1 - carry : carry);
  const flip = borrow ? 1 : 0;
  const flags = resultFlags(sum) | (carries[width]! ^ flip ? CF : 0) | (carries[4]! ^ flip ? AF : 0) | (carries[width]! ^ carries[width - 1]! ? OF : 0);
  return { result: word(sum), flags };
}

/** Values as the translator may leave them: with anything above the width. */
const dirty = (value: number, width: number, noise: number): number => (width === 32 ? value : value & (1 << width) - 1 | noise << width) | 0;

/** Checks every family at one width for two operands and a carry. */
function check(a: number, b: number, carry: number, size: number, noise: number): void {
  const width = 8 << size;
  const same = (name: string, base: number, expected: number, dst: number, src: number, src2 = 0): void => {
    const flags = computeAll(dirty(dst, width, noise), dirty(src, width, ~noise), src2, base + size);
    const c = computeC(dirty(dst, width, noise), dirty(src, width, ~noise), src2, base + size);
    if (flags !== expected || c !== (expected & CF)) {
      expect.fail(`${name} width ${width} a=${a} b=${b} carry=${carry}: ${flags.toString(16)} / ${c} instead of ${expected.toString(16)}`);
    }
  };
  const sum = arithmetic(a, b, carry, width, false), difference = arithmetic(a, b, carry, width, true);
  if (carry === 0) {
    same('ADD', CC_OP_ADDB, sum.flags, sum.result, b);
    same('SUB', CC_OP_SUBB, difference.flags, difference.result, b);
  }
  same('ADC', CC_OP_ADCB, sum.flags, sum.result, b, carry);
  same('SBB', CC_OP_SBBB, difference.flags, difference.result, b, carry);
  same('LOGIC', CC_OP_LOGICB, resultFlags(bits(a & b, width)), a & b, b);
}

/** Families of one operand and the old carry. */
function checkUnary(a: number, carry: number, size: number): void {
  const width = 8 << size;
  const keepCarry = (flags: number): number => flags & ~CF | carry;
  const inc = arithmetic(a, 1, 0, width, false), dec = arithmetic(a, 1, 0, width, true);
  expect(computeAll(inc.result, carry, 0, CC_OP_INCB + size)).toBe(keepCarry(inc.flags));
  expect(computeAll(dec.result, carry, 0, CC_OP_DECB + size)).toBe(keepCarry(dec.flags));
  expect(computeC(inc.result, carry, 0, CC_OP_INCB + size)).toBe(carry);
  expect(computeC(dec.result, carry, 0, CC_OP_DECB + size)).toBe(carry);
  // Shifts by one: the value shifted by count - 1 is the operand itself.
  const list = bits(a, width), msb = list[width - 1]!;
  const left = [0, ...list.slice(0, -1)], right = [...list.slice(1), 0], arithmeticRight = [...list.slice(1), msb];
  const overflow = (x: number, y: number): number => (x !== y ? OF : 0);
  expect(computeAll(word(left), a, 0, CC_OP_SHLB + size)).toBe(resultFlags(left) | msb | overflow(left[width - 1]!, msb));
  expect(computeAll(word(right), a, 0, CC_OP_SARB + size)).toBe(resultFlags(right) | list[0]! | overflow(0, msb));
  expect(computeAll(word(arithmeticRight), a, 0, CC_OP_SARB + size)).toBe(resultFlags(arithmeticRight) | list[0]!);
  expect(computeC(word(left), a, 0, CC_OP_SHLB + size)).toBe(msb);
  expect(computeC(word(right), a, 0, CC_OP_SARB + size)).toBe(list[0]);
  for (const high of [0, 1]) {
    expect(computeAll(a, high, 0, CC_OP_MULB + size)).toBe(resultFlags(list) | (high ? CF | OF : 0));
    expect(computeC(a, high, 0, CC_OP_MULB + size)).toBe(high);
  }
}

describe('lazy flags', () => {
  it('has a name for every cc_op', () => {
    expect(CC_OP_NAMES.length).toBe(CC_OP_COUNT);
    expect(CC_OP_NAMES[CC_OP_SUBL]).toBe('SUBL');
    expect(CC_OP_NAMES[CC_OP_SARB]).toBe('SARB');
  });

  it('is exact for all pairs of bytes and both carries', () => {
    for (let a = 0; a < 256; a++) for (let b = 0; b < 256; b++) for (const carry of [0, 1]) check(a, b, carry, 0, a ^ b << 3);
    for (let a = 0; a < 256; a++) for (const carry of [0, 1]) checkUnary(a, carry, 0);
  });

  it.each([[16, 1], [32, 2]])('is exact for random and edge operands of %i bits', (width, size) => {
    const edges = [0, 1, 2, 15, 16, 127, 128, 255, 2 ** (width - 1) - 1, 2 ** (width - 1), 2 ** width - 1, 2 ** width - 2].map((value) => value | 0);
    let seed = 12345;
    const random = (): number => {
      seed = Math.imul(seed, 1664525) + 1013904223 | 0;
      return (seed ^ seed >>> 15) & (width === 32 ? -1 : 0xffff);
    };
    for (const a of edges) for (const b of edges) for (const carry of [0, 1]) check(a, b, carry, size, 0x55aa);
    for (const a of edges) for (const carry of [0, 1]) checkUnary(a, carry, size);
    for (let i = 0; i < 2000; i++) check(random(), random(), i & 1, size, random());
    for (let i = 0; i < 300; i++) checkUnary(random(), i & 1, size);
  });
});

describe('EFLAGS', () => {
  const state = (): Int32Array => {
    const R = new Int32Array(STATE_SIZE);
    R[DF] = 1;
    R[CC_OP] = CC_OP_EFLAGS;
    return R;
  };

  it('puts lazy flags, DF and the rest together', () => {
    const R = state();
    R[EFLAGS] = IF | IOPL | 2;
    R[DF] = -1;
    R[CC_OP] = CC_OP_SUBL;
    R[CC_DST] = -1;
    R[CC_SRC] = 1;
    expect(readEflags(R)).toBe(IF | IOPL | 2 | DFLAG | CF | SF | PF | AF);
  });

  it('writes only what the mask says', () => {
    const R = state();
    writeEflags(R, -1, STATUS_FLAGS | DFLAG);
    expect(readEflags(R)).toBe(STATUS_FLAGS | DFLAG | 2);
    expect(R[DF]).toBe(-1);
    writeEflags(R, 0, CF | DFLAG);
    expect(readEflags(R)).toBe(STATUS_FLAGS & ~CF | 2);
    expect(R[DF]).toBe(1);
    writeEflags(R, -1, TF | IF);
    expect(readEflags(R)).toBe(STATUS_FLAGS & ~CF | TF | IF | 2);
    expect(R[EFLAGS]).toBe(TF | IF | 2);
  });

  it('leaves the lazy state alone when no status flag is written', () => {
    const R = state();
    R[CC_OP] = CC_OP_SUBL;
    writeEflags(R, IF, IF);
    expect(R[CC_OP]).toBe(CC_OP_SUBL);
  });
});
