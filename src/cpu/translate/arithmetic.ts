/** Binary arithmetic instructions: ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, MUL, IMUL, DIV, IDIV (SDM vol. 1, 5.1.2). */
import { CC_SRC, EAX, EDX } from '../state.ts';
import { ANY, SIGN, ZERO } from './context.ts';
import type { Context } from './context.ts';
import type { Family } from './emitter.ts';
import { ADC, ADD, DEC, INC, MUL, SBB, SUB } from './lazy-flags.ts';
import { modify, read, sizeOf, write } from './operands.ts';

function add(ctx: Context): void {
  const a = modify(ctx, 0, ANY), b = read(ctx, 1, ANY), sum = ctx.b.temp();
  ctx.b.add(sum, a, b);
  write(ctx, 0, sum);
  ctx.cc.set(ADD, sizeOf(ctx, 0), sum, b);
}

function adc(ctx: Context): void {
  const a = modify(ctx, 0, ANY), b = read(ctx, 1, ANY), carry = copyOf(ctx, ctx.cc.carry()), sum = ctx.b.temp();
  ctx.b.add(sum, a, b);
  ctx.b.add(sum, sum, carry);
  write(ctx, 0, sum);
  ctx.cc.set(ADC, sizeOf(ctx, 0), sum, b, carry);
}

function sub(ctx: Context): void {
  const a = modify(ctx, 0, ANY), b = read(ctx, 1, ANY), difference = ctx.b.temp();
  ctx.b.sub(difference, a, b);
  write(ctx, 0, difference);
  ctx.cc.set(SUB, sizeOf(ctx, 0), difference, b, -1, a);
}

function cmp(ctx: Context): void {
  const a = read(ctx, 0, ANY), b = read(ctx, 1, ANY), difference = ctx.b.temp();
  ctx.b.sub(difference, a, b);
  ctx.cc.set(SUB, sizeOf(ctx, 0), difference, b, -1, a);
}

function sbb(ctx: Context): void {
  const a = modify(ctx, 0, ANY), b = read(ctx, 1, ANY), borrow = copyOf(ctx, ctx.cc.carry()), difference = ctx.b.temp();
  ctx.b.sub(difference, a, b);
  ctx.b.sub(difference, difference, borrow);
  write(ctx, 0, difference);
  ctx.cc.set(SBB, sizeOf(ctx, 0), difference, b, borrow);
}

/** A carry that stands in cc_src must survive the writing of cc_src. */
function copyOf(ctx: Context, value: number): number {
  if (value !== CC_SRC) return value;
  const copy = ctx.b.temp();
  ctx.b.mov(copy, value);
  return copy;
}

function inc(ctx: Context): void {
  const carry = ctx.cc.carry(), result = ctx.b.temp();
  ctx.b.addi(result, modify(ctx, 0, ANY), 1);
  write(ctx, 0, result);
  ctx.cc.set(INC, sizeOf(ctx, 0), result, carry);
}

function dec(ctx: Context): void {
  const carry = ctx.cc.carry(), result = ctx.b.temp();
  ctx.b.subi(result, modify(ctx, 0, ANY), 1);
  write(ctx, 0, result);
  ctx.cc.set(DEC, sizeOf(ctx, 0), result, carry);
}

function neg(ctx: Context): void {
  const a = modify(ctx, 0, ANY), result = ctx.b.temp();
  ctx.b.neg(result, a);
  write(ctx, 0, result);
  ctx.cc.set(SUB, sizeOf(ctx, 0), result, a, -1, ctx.const(0));
}

/** MUL and one-operand IMUL: AX, DX:AX or EDX:EAX. CF = OF = the high half is more than an extension of the low one. */
function multiply(ctx: Context, signed: boolean): void {
  const { b } = ctx;
  const size = sizeOf(ctx, 0), extension = signed ? SIGN : ZERO;
  const factor = read(ctx, 0, extension), accumulator = ctx.register(size, EAX, extension);
  const low = b.temp();
  b.mul(low, accumulator, factor);
  if (size === 4) {
    const high = b.temp();
    if (signed) b.mulsh(high, accumulator, factor);
    else b.muluh(high, accumulator, factor);
    ctx.setRegister(4, EAX, low);
    ctx.setRegister(4, EDX, high);
    ctx.cc.set(MUL, 4, low, signed ? signExcess(ctx, low, high) : high);
    return;
  }
  const excess = b.temp();
  if (signed) b.sub(excess, low, ctx.extend(low, size, SIGN));
  else b.shri(excess, low, size * 8);
  ctx.setRegister(2, EAX, low);
  if (size === 2) {
    const high = b.temp();
    b.shri(high, low, 16);
    ctx.setRegister(2, EDX, high);
  }
  ctx.cc.set(MUL, size, low, excess);
}

/** Non-zero if high:low is not low, sign-extended. */
function signExcess(ctx: Context, low: number, high: number): number {
  const sign = ctx.b.temp(), excess = ctx.b.temp();
  ctx.b.sari(sign, low, 31);
  ctx.b.sub(excess, high, sign);
  return excess;
}

/** IMUL with two or three operands: the product is truncated, CF = OF = something was lost. */
function imulTruncated(ctx: Context): void {
  const { b, insn: { row } } = ctx;
  const size = sizeOf(ctx, 0), first = row.operands.length - 2;
  const x = read(ctx, first, SIGN), y = read(ctx, first + 1, SIGN);
  const product = b.temp(), excess = b.temp();
  b.mul(product, x, y);
  write(ctx, 0, product);
  if (size === 4) {
    const high = b.temp();
    b.mulsh(high, x, y);
    ctx.cc.set(MUL, 4, product, signExcess(ctx, product, high));
    return;
  }
  b.sub(excess, product, ctx.extend(product, size, SIGN));
  ctx.cc.set(MUL, size, product, excess);
}

const mul = (ctx: Context): void => multiply(ctx, false);

function imul(ctx: Context): void {
  if (ctx.insn.row.operands.length === 1) multiply(ctx, true);
  else imulTruncated(ctx);
}

const SUFFIX: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l' };

/** Quotient and remainder go to EAX and EDX; flags stay (SDM: undefined). */
function divide(ctx: Context): void {
  const signed = ctx.insn.row.mnemonic === 'IDIV';
  const divisor = read(ctx, 0, signed ? SIGN : ZERO);
  ctx.call((signed ? 'idiv' : 'div') + SUFFIX[sizeOf(ctx, 0)], divisor);
}

export const arithmetic: Family = {
  ADC: adc, ADD: add, CMP: cmp, DEC: dec, DIV: divide, IDIV: divide, IMUL: imul, INC: inc, MUL: mul, NEG: neg, SBB: sbb, SUB: sub,
};
