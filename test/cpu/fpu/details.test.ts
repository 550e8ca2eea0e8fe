/** Details of x87 that the recorded corpus (test/vectors/x87.bin.gz) has shown, one by one. */
import { beforeEach, describe, expect, it } from 'vitest';
import { INDEFINITE, ONE, infinity } from '../../../src/cpu/fpu/float80.ts';
import type { Float80 } from '../../../src/cpu/fpu/float80.ts';
import { createFastHelpers } from '../../../src/cpu/fpu/fast.ts';
import { memoryInstruction } from '../../../src/cpu/fpu/memory.ts';
import { registerInstruction } from '../../../src/cpu/fpu/registers.ts';
import { FPU_SW, FPU_TW, initFpu } from '../../../src/cpu/fpu/state.ts';
import { FpuUnit, SW_C0, SW_C1, SW_C2, SW_C3, SW_SF } from '../../../src/cpu/fpu/unit.ts';
import { STATE_SIZE } from '../../../src/cpu/state.ts';

const IE = 1, DE = 2, UE = 16, ES = 0x8080, TOP = 0x3800;
const R = new Int32Array(STATE_SIZE), unit = new FpuUnit(R), memory = new DataView(new ArrayBuffer(16));
const access = {
  R, load8: (at: number) => memory.getUint8(at), load16: (at: number) => memory.getUint16(at, true), load32: (at: number) => memory.getInt32(at, true),
  store8: (at: number, value: number) => memory.setUint8(at, value), store16: (at: number, value: number) => memory.setUint16(at, value, true),
  store32: (at: number, value: number) => memory.setInt32(at, value, true), probe: () => {},
};
const fast = new Map(createFastHelpers(R, unit).map(({ name, fn }) => [name, fn]));
const NAN: Float80 = { sign: 0, exponent: 0x7fff, significand: 3n << 62n };

const register = (opcode: number, modrm: number): void => registerInstruction(opcode & 7, modrm)!(unit, modrm & 7);
const withMemory = (opcode: number, reg: number): void => memoryInstruction(opcode & 7, reg)!.run(unit, access, 0, { wide: true, protectedMode: true });
const status = (): number => unit.status & ~TOP;

beforeEach(() => {
  initFpu(R);
  memory.setInt32(0, 1, true);
});

describe('x87 in detail', () => {
  it('a denormal in memory raises DE, but not beside a NaN or an empty register', () => {
    unit.push(ONE);
    withMemory(0xd8, 0);
    expect(status()).toBe(DE | 0x20);
    unit.clearExceptions();
    unit.set(0, NAN);
    withMemory(0xd8, 0);
    expect(status()).toBe(0);
    unit.free(0);
    withMemory(0xd8, 0);
    expect(status()).toBe(IE | SW_SF);
  });

  it('FCOM with a denormal in memory raises DE', () => {
    unit.push(ONE);
    withMemory(0xd8, 2);
    expect(status()).toBe(DE);
  });

  it('an unmasked underflow of a store raises no PE and leaves C1 clear', () => {
    unit.push({ sign: 0, exponent: 0x3fff - 140, significand: (1n << 64n) - 1n });
    unit.control = 0x37f & ~UE;
    withMemory(0xd9, 3);
    expect(status()).toBe(UE | ES);
    expect(memory.getInt32(0, true)).toBe(1);
  });

  it('FLD of an empty register is an underflow, even if there is no room', () => {
    for (let i = 0; i < 8; i++) unit.push(ONE);
    unit.free(3);
    register(0xd9, 0xc3);
    expect(status()).toBe(IE | SW_SF);
    expect(unit.get(0)).toEqual(INDEFINITE);
  });

  it('D9 /3 of an empty register pops and does nothing else', () => {
    unit.push(infinity(0));
    unit.push(ONE);
    unit.free(0);
    register(0xd9, 0xd9);
    expect(status()).toBe(0);
    expect(unit.get(0)).toEqual(infinity(0));
  });

  it('FFREEP frees two registers', () => {
    for (let i = 0; i < 3; i++) unit.push(ONE);
    register(0xdf, 0xc1);
    expect([unit.top, unit.isEmpty(0), unit.isEmpty(1), unit.isEmpty(7)]).toEqual([6, true, false, true]);
  });

  it('FPREM without a quotient clears C2 and leaves C0 and C3', () => {
    unit.push(ONE);
    unit.push(infinity(0));
    R[FPU_SW] = R[FPU_SW]! | SW_C0 | SW_C1 | SW_C2 | SW_C3;
    register(0xd9, 0xf8);
    expect(status()).toBe(IE | SW_C0 | SW_C3);
  });

  it('FFREE clears C1; FCMOV and FCOMI leave it', () => {
    unit.push(ONE);
    unit.push(ONE);
    R[FPU_SW] = R[FPU_SW]! | SW_C1;
    fast.get('x87_cmov')!(1, 1);
    fast.get('x87_comi')!(1, 0, 0);
    unit.set(0, NAN);
    fast.get('x87_comi')!(1, 0, 0);
    expect(status()).toBe(SW_C1 | IE);
    register(0xdd, 0xc0);
    expect(status()).toBe(IE);
  });

  it('FCOMI of an empty register leaves it empty', () => {
    fast.get('x87_comi')!(1, 0, 0);
    expect(R[FPU_TW]).toBe(0xffff);
    expect(status()).toBe(IE | SW_SF);
  });

  it('all but the stores of control words wait for pending exceptions', () => {
    const waits = (opcode: number, reg: number): boolean => memoryInstruction(opcode & 7, reg)!.waits;
    expect([waits(0xd9, 4), waits(0xd9, 5), waits(0xdd, 4), waits(0xd8, 0)]).toEqual([true, true, true, true]);
    expect([waits(0xd9, 6), waits(0xd9, 7), waits(0xdd, 6), waits(0xdd, 7)]).toEqual([false, false, false, false]);
  });
});
