/** Conversions on words against the exact ones, under every rounding control. */
import { describe, expect, it } from 'vitest';
import { DOUBLE, SINGLE, narrow, widen } from '../../../src/cpu/fpu/convert.ts';
import * as F from '../../../src/cpu/fpu/float80.ts';
import type { Float80 } from '../../../src/cpu/fpu/float80.ts';
import { FPU_BYTES, FPU_RAISED, OPERAND } from '../../../src/cpu/fpu/state.ts';
import { FpuUnit } from '../../../src/cpu/fpu/unit.ts';
import { createWordConversion } from '../../../src/cpu/fpu/word-convert.ts';
import { STATE_SIZE } from '../../../src/cpu/state.ts';
import { Random } from '../../vectors/random.ts';

const CASES = 10_000;
const R = new Int32Array(STATE_SIZE);
const unit = new FpuUnit(R), convert = createWordConversion(R);
const random = new Random(81);

const word64 = (): bigint => BigInt(random.next() >>> 0) << 32n | BigInt(random.next() >>> 0);
const written = (bits: number): bigint => BigInt.asUintN(bits, BigInt(R[FPU_BYTES + 1]! >>> 0) << 32n | BigInt(R[FPU_BYTES]! >>> 0));

describe('loads on words', () => {
  it.each<[string, number, () => boolean, (a: F.Arithmetic, bits: bigint) => Float80]>([
    ['single', 32, convert.loadSingle, (a, bits) => widen(a, bits, SINGLE)],
    ['double', 64, convert.loadDouble, (a, bits) => widen(a, bits, DOUBLE)],
    ['16-bit integer', 16, convert.loadInteger16, (_a, bits) => F.fromInteger(BigInt.asIntN(16, bits))],
    ['32-bit integer', 32, convert.loadInteger32, (_a, bits) => F.fromInteger(BigInt.asIntN(32, bits))],
    ['64-bit integer', 64, convert.loadInteger64, (_a, bits) => F.fromInteger(BigInt.asIntN(64, bits))],
  ])('%s', (_, size, load, exact) => {
    let done = 0;
    for (let i = 0; i < CASES; i++) {
      const shapes = [word64(), word64() & word64() & word64(), 0n, 1n << BigInt(size - 1), -1n, 1n, word64() >> BigInt(random.below(64)), BigInt(random.next())];
      const bits = BigInt.asUintN(size, random.pick(shapes));
      R[FPU_BYTES] = Number(BigInt.asIntN(32, bits));
      R[FPU_BYTES + 1] = Number(BigInt.asIntN(32, bits >> 32n));
      if (!load()) continue;
      done++;
      expect([bits, unit.physical(OPERAND)]).toEqual([bits, exact(unit.begin(), bits)]);
      expect(unit.arithmetic.flags).toBe(0);
    }
    expect(done).toBeGreaterThan(CASES * 0.4);
  });
});

describe('stores on words', () => {
  const integer = (size: number) => (a: F.Arithmetic, x: Float80): bigint | null => F.toInteger(a, x, size);
  it.each<[string, number, (register: number) => boolean, (a: F.Arithmetic, x: Float80) => bigint | null]>([
    ['single', 32, convert.storeSingle, (a, x) => narrow(a, x, SINGLE)],
    ['double', 64, convert.storeDouble, (a, x) => narrow(a, x, DOUBLE)],
    ['16-bit integer', 16, (register) => convert.storeInteger(register, 16), integer(16)],
    ['32-bit integer', 32, (register) => convert.storeInteger(register, 32), integer(32)],
    ['64-bit integer', 64, convert.storeInteger64, integer(64)],
  ])('%s', (_, size, store, exact) => {
    let done = 0;
    for (let i = 0; i < CASES; i++) {
      const significand = F.INTEGER_BIT | random.pick([word64(), 0n, 0xffff_ffff_ffff_ffffn, word64() & word64() & word64() & word64(), word64() << BigInt(random.below(64)) & 0xffff_ffff_ffff_ffffn]);
      const exponent = F.BIAS + random.pick([random.below(size), random.below(64) - 4, random.below(3000) - 1500, -1, -2]);
      const x: Float80 = random.below(30) === 0 ? F.zero(1) : { sign: random.below(2) as 0 | 1, exponent, significand };
      unit.control = 0x33f | random.below(4) << 10;
      unit.setPhysical(1, x);
      if (!store(1)) continue;
      done++;
      const got = [written(size), R[FPU_RAISED]];
      const a = unit.begin(), bits = exact(a, x);
      expect([x, unit.control, ...got]).toEqual([x, unit.control, BigInt.asUintN(size, bits ?? -1n), a.flags | (a.roundedUp ? 0x200 : 0)]);
    }
    expect(done).toBeGreaterThan(CASES * 0.5);
  });
});
