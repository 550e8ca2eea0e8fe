/** The arithmetic on words against the exact one, for operands at random and of awkward shapes, under every rounding and precision control. */
import { describe, expect, it } from 'vitest';
import * as F from '../../../src/cpu/fpu/float80.ts';
import type { Float80 } from '../../../src/cpu/fpu/float80.ts';
import { FORM_MINUS, FORM_REVERSED, operands } from '../../../src/cpu/fpu/forms.ts';
import { createPut } from '../../../src/cpu/fpu/rounding.ts';
import { FPU_CW, FPU_SW } from '../../../src/cpu/fpu/state.ts';
import { FpuUnit } from '../../../src/cpu/fpu/unit.ts';
import { createWordDivision } from '../../../src/cpu/fpu/word-divide.ts';
import { createWordArithmetic, createWordClasses } from '../../../src/cpu/fpu/words.ts';
import { STATE_SIZE } from '../../../src/cpu/state.ts';
import { Random } from '../../vectors/random.ts';

const CASES = 20_000;
const CONTROLS = [0x33f, 0x23f, 0x03f, 0x73f, 0xb3f, 0xf3f, 0x63f, 0xa3f, 0xe3f, 0x43f, 0x31f];

const R = new Int32Array(STATE_SIZE);
const unit = new FpuUnit(R);
let refused = false;
const refuse = (): void => { refused = true; };
const classes = createWordClasses(R), end = createPut(R, refuse);
const { add, multiply, compare } = createWordArithmetic(R, classes, end, refuse), { divide, squareRoot } = createWordDivision(R, classes, end, refuse);
/** TOP is 1: ST(0) is register 1, ST(1) register 2, ST(2) register 3. */
const FORM = operands(2, 1);
const random = new Random(80);

const SIGNIFICANDS = [F.INTEGER_BIT, F.INTEGER_BIT | 1n, 0xffff_ffff_ffff_ffffn, 0xffff_ffff_0000_0000n, 0x8000_0000_ffff_ffffn, 0xc000_0000_0000_0000n, 0xffff_ffff_ffff_f800n];

function significand(): bigint {
  if (random.below(4) === 0) return random.pick(SIGNIFICANDS);
  const bits = BigInt(random.next() >>> 0) << 32n | BigInt(random.next() >>> 0);
  // Runs of ones and zeros make ties and carries.
  return F.INTEGER_BIT | (random.below(2) === 0 ? bits : bits >> BigInt(random.below(64)) << BigInt(random.below(64)) & 0xffff_ffff_ffff_ffffn);
}

function operand(near: number): Float80 {
  const sign = random.below(2) as 0 | 1;
  switch (random.below(24)) {
    case 0: return F.zero(sign);
    case 1: return { sign, exponent: random.pick([1, 2, 0x7ffe, 0x7ffd, 64, 0x7f80]), significand: significand() };
    case 2: return random.pick([F.infinity(sign), F.INDEFINITE, { sign, exponent: 0, significand: 5n }, { sign, exponent: 9, significand: 5n }]);
    case 3: return { sign, exponent: random.below(0x7fff), significand: significand() };
    default: return { sign, exponent: near + random.below(random.pick([2, 8, 70, 140])), significand: significand() };
  }
}

type Fast = (form: number) => void;
type Exact = (a: F.Arithmetic, x: Float80, y: Float80) => Float80;

/** Runs both; the fast one may refuse. Returns how often it did not. */
function compareAll(fast: Fast, form: number, exact: Exact): number {
  let done = 0;
  for (let i = 0; i < CASES; i++) {
    const near = F.BIAS - 40 + random.below(80), x = operand(near), y = operand(near);
    unit.control = CONTROLS[i % CONTROLS.length]!;
    R[FPU_SW] = 0x4f00;
    unit.setPhysical(1, x);
    unit.setPhysical(2, y);
    refused = false;
    fast(form);
    if (refused) {
      expect([R[FPU_SW], unit.physical(1), unit.physical(2)]).toEqual([0x4f00, x, y]);
      continue;
    }
    done++;
    const got = { value: unit.physical(3), status: R[FPU_SW] };
    const a = unit.begin(), value = exact(a, x, y);
    unit.finish();
    expect({ x, y, control: R[FPU_CW], ...got }).toEqual({ x, y, control: R[FPU_CW], value, status: R[FPU_SW] });
  }
  return done;
}

describe('arithmetic on words', () => {
  it.each<[string, Fast, number, Exact]>([
    ['add', add, FORM, F.add],
    ['subtract', add, FORM | 1 << FORM_MINUS, F.subtract],
    ['subtract, reversed', add, FORM | 1 << FORM_REVERSED, (a, x, y) => F.subtract(a, y, x)],
    ['multiply', multiply, FORM, F.multiply],
    ['divide', divide, FORM, F.divide],
    ['divide, reversed', divide, FORM | 1 << FORM_REVERSED, (a, x, y) => F.divide(a, y, x)],
    ['square root', squareRoot, FORM, (a, x) => F.squareRoot(a, x)],
  ])('%s', (name, fast, form, exact) => {
    expect(compareAll(fast, form, exact)).toBeGreaterThan(CASES * (name === 'square root' ? 0.4 : 0.7));
  });

  it('compare', () => {
    let done = 0;
    for (let i = 0; i < CASES; i++) {
      const x = operand(F.BIAS), y = random.below(4) === 0 ? x : operand(F.BIAS);
      unit.setPhysical(1, x);
      unit.setPhysical(2, y);
      const conditions = compare(1, 2);
      if (conditions < 0) continue;
      done++;
      const order = F.compare(unit.begin(), x, y, true);
      expect([x, y, conditions]).toEqual([x, y, order === 0 ? 0x4000 : order === -1 ? 0x100 : 0]);
    }
    expect(done).toBeGreaterThan(CASES * 0.7);
  });
});
