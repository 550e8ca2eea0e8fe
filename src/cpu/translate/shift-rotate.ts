/**
 * Shift and rotate instructions: SHL, SHR, SAR, SHLD, SHRD, ROL, ROR, RCL, RCR (SDM vol. 1, 5.1.5).
 *
 * Counts are taken modulo 32; 0 leaves everything as it is. Beyond what the manual defines, as processors do (checked on
 * one): rotates set OF by the formula of a rotate by 1 for every count; double shifts of 16 bits by more than 16 shift the
 * 48-bit value destination : source : destination.
 */
import { EQ, GEU } from '../../tcg/conditions.ts';
import { CC_OP, CF, ECX, OF } from '../state.ts';
import { CC_OP_EFLAGS } from '../flags.ts';
import { ANY, SIGN, ZERO } from './context.ts';
import type { Context, Size } from './context.ts';
import type { Family } from './emitter.ts';
import { SAR, SHL, ccOpOf } from './lazy-flags.ts';
import { modify, read, sizeOf, write } from './operands.ts';

/** The shift count, modulo 32: operand `n`. */
function countOf(ctx: Context, n: number): number {
  const { b } = ctx;
  const value = read(ctx, n, ANY);
  if (b.isConst(value)) return b.const(b.constValue(value) & 31);
  const count = b.temp();
  b.andi(count, ECX, 31);
  return count;
}

/** count - 1, for the value that the last bit was shifted out of; 0 for a count of 0 (then it is not used). */
function countBefore(ctx: Context, count: number): number {
  const { b } = ctx;
  if (b.isConst(count)) return b.const(b.constValue(count) - 1);
  const before = b.temp();
  b.subi(before, count, 1);
  return before;
}

/** Emits what sets the flags, to be skipped if the count is 0; they are then of `ccOp`. */
function unlessZero(ctx: Context, count: number, ccOp: number, setFlags: () => void): void {
  const { b, cc } = ctx;
  if (b.isConst(count)) {
    if (b.constValue(count) !== 0) setFlags();
    return;
  }
  const skip = b.label();
  cc.sync();
  b.brcondi(EQ, count, 0, skip);
  setFlags();
  b.movi(CC_OP, ccOp);
  b.setLabel(skip);
  cc.setDynamic();
}

type ShiftOp = 'shl' | 'shr' | 'sar';

function shift(ctx: Context, op: ShiftOp): void {
  const { b, cc } = ctx;
  const size = sizeOf(ctx, 0);
  const count = countOf(ctx, 1);
  const value = modify(ctx, 0, op === 'shl' ? ANY : op === 'shr' ? ZERO : SIGN);
  const result = b.temp();
  b[op](result, value, count);
  write(ctx, 0, result);
  const family = op === 'shl' ? SHL : SAR;
  unlessZero(ctx, count, ccOpOf(family, size), () => {
    const before = b.temp();
    b[op](before, value, countBefore(ctx, count));
    cc.set(family, size, result, before);
  });
}

/** SHLD, SHRD. */
function doubleShift(ctx: Context, left: boolean): void {
  const { b, cc } = ctx;
  const size = sizeOf(ctx, 0);
  const count = countOf(ctx, 2);
  const value = modify(ctx, 0, size === 2 ? ZERO : ANY), source = read(ctx, 1, ANY);
  const result = b.temp();
  // shifted(n) for n = count and count - 1.
  let shifted: (out: number, n: number) => void;
  if (size === 2) {
    const pair = b.temp();
    if (left) {
      b.deposit(pair, source, value, 16, 16);
      shifted = (out, n) => {
        b.rotl(out, pair, n);
        b.shri(out, out, 16);
      };
    } else {
      b.deposit(pair, value, source, 16, 16);
      shifted = (out, n) => b.rotr(out, pair, n);
    }
  } else {
    shifted = (out, n) => doubleShift32(ctx, left, out, value, source, n);
  }
  shifted(result, count);
  write(ctx, 0, result);
  const family = left ? SHL : SAR;
  unlessZero(ctx, count, ccOpOf(family, size), () => {
    const before = b.temp();
    // Only the bit that goes out and the sign matter, and they come from the destination alone, except past 16 bits.
    if (size === 2) shifted(before, countBefore(ctx, count));
    else if (left) b.shl(before, value, countBefore(ctx, count));
    else b.shr(before, value, countBefore(ctx, count));
    cc.set(family, size, result, before);
  });
}

/** value:source shifted left, or source:value shifted right, by 0-31. The shift by 32 - count goes in two steps: count may be 0. */
function doubleShift32(ctx: Context, left: boolean, out: number, value: number, source: number, count: number): void {
  const { b } = ctx;
  const rest = b.temp(), incoming = b.temp();
  b.xori(rest, count, 31);
  if (left) {
    b.shri(incoming, source, 1);
    b.shr(incoming, incoming, rest);
    b.shl(out, value, count);
  } else {
    b.shli(incoming, source, 1);
    b.shl(incoming, incoming, rest);
    b.shr(out, value, count);
  }
  b.or(out, out, incoming);
}

/** ROL, ROR: CF is the bit that came round, OF tells whether the sign (ROR: the two top bits) changed. */
function rotate(ctx: Context, left: boolean): void {
  const { b } = ctx;
  const size = sizeOf(ctx, 0), bits = size * 8;
  const count = countOf(ctx, 1);
  const value = modify(ctx, 0, ZERO), result = b.temp();
  if (size === 4) {
    if (left) b.rotl(result, value, count);
    else b.rotr(result, value, count);
  } else {
    const forth = b.temp(), back = b.temp(), rest = b.temp();
    b.andi(forth, count, bits - 1);
    b.neg(rest, forth);
    b.addi(rest, rest, bits);
    if (left) {
      b.shl(result, value, forth);
      b.shr(back, value, rest);
    } else {
      b.shr(result, value, forth);
      b.shl(back, value, rest);
    }
    b.or(result, result, back);
  }
  write(ctx, 0, result);
  unlessZero(ctx, count, CC_OP_EFLAGS, () => {
    const carry = b.temp();
    b.extract(carry, result, left ? 0 : bits - 1, 1);
    setCarryAndOverflow(ctx, carry, result, left, size);
  });
}

/** CF = carry; OF = sign of the result ^ carry (to the left), or ^ the bit below the sign (to the right). */
function setCarryAndOverflow(ctx: Context, carry: number, result: number, left: boolean, size: Size): void {
  const { b, cc } = ctx;
  const bits = size * 8;
  const overflow = b.temp();
  b.shri(overflow, result, bits - 1);
  if (left) b.xor(overflow, overflow, carry);
  else {
    const below = b.temp();
    b.shri(below, result, bits - 2);
    b.xor(overflow, overflow, below);
  }
  const flags = cc.allBut(CF | OF);
  b.or(flags, flags, carry);
  b.deposit(flags, flags, overflow, 11, 1);
  cc.setAll(flags);
}

/** RCL, RCR: a rotation of size * 8 + 1 bits, CF on top. */
function rotateThroughCarry(ctx: Context, left: boolean): void {
  const { b, cc } = ctx;
  const size = sizeOf(ctx, 0), bits = size * 8;
  const count = countOf(ctx, 1);
  const value = modify(ctx, 0, ZERO), carryIn = cc.carry();
  const result = b.temp(), carry = b.temp(), places = placesOf(ctx, count, size);
  b.mov(result, value);
  b.mov(carry, carryIn);
  const known = b.isConst(places), still = known ? -1 : b.label();
  if (!known) b.brcondi(EQ, places, 0, still);
  if (!known || b.constValue(places) !== 0) {
    // places is 1 to bits: what is shifted by bits + 1 - places goes in two steps, since that may be 32.
    const before = countBefore(ctx, places), rest = b.temp(), out = b.temp(), incoming = b.temp();
    b.neg(rest, places);
    b.addi(rest, rest, bits);
    if (left) {
      b.shr(out, value, rest);
      b.shl(incoming, carryIn, before);
      b.shl(result, value, before);
      b.shli(result, result, 1);
      b.or(result, result, incoming);
      b.shri(incoming, out, 1);
    } else {
      b.shr(out, value, before);
      b.shl(incoming, carryIn, rest);
      b.shri(result, out, 1);
      b.or(result, result, incoming);
      b.shl(incoming, value, rest);
      b.shli(incoming, incoming, 1);
    }
    b.or(result, result, incoming);
    b.andi(carry, out, 1);
  }
  if (!known) b.setLabel(still);
  write(ctx, 0, result);
  unlessZero(ctx, count, CC_OP_EFLAGS, () => setCarryAndOverflow(ctx, carry, result, left, size));
}

/** The count modulo size * 8 + 1. */
function placesOf(ctx: Context, count: number, size: Size): number {
  const { b } = ctx;
  if (b.isConst(count)) return b.const(size === 4 ? b.constValue(count) : b.constValue(count) % (size * 8 + 1));
  if (size === 4) return count;
  const places = b.temp(), less = b.temp();
  if (size === 2) {
    b.subi(less, count, 17);
    b.movcond(GEU, places, count, b.const(17), less, count);
    return places;
  }
  // count / 9 = count * 57 / 512 for counts below 32.
  b.muli(less, count, 57);
  b.shri(less, less, 9);
  b.muli(less, less, 9);
  b.sub(places, count, less);
  return places;
}

export const shiftRotate: Family = {
  RCL: (ctx) => rotateThroughCarry(ctx, true),
  RCR: (ctx) => rotateThroughCarry(ctx, false),
  ROL: (ctx) => rotate(ctx, true),
  ROR: (ctx) => rotate(ctx, false),
  SAR: (ctx) => shift(ctx, 'sar'),
  SHL: (ctx) => shift(ctx, 'shl'),
  SHLD: (ctx) => doubleShift(ctx, true),
  SHR: (ctx) => shift(ctx, 'shr'),
  SHRD: (ctx) => doubleShift(ctx, false),
};
