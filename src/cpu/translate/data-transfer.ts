/** Data transfer instructions: MOV, CMOVcc, XCHG, BSWAP, XADD, CMPXCHG, CMPXCHG8B, PUSH, POP, PUSHA, POPA, CBW, CWD, MOVSX, MOVZX (SDM vol. 1, 5.1.1). */
import { EQ } from '../../tcg/conditions.ts';
import { EAX, EBP, EBX, ECX, EDI, EDX, ESI, ESP } from '../state.ts';
import { ANY, SIGN, ZERO } from './context.ts';
import type { Context } from './context.ts';
import { withFlags } from './emitter.ts';
import type { Family } from './emitter.ts';
import { ADD, SUB } from './lazy-flags.ts';
import { modify, operandAddress, read, registerOf, sizeOf, write } from './operands.ts';
import { dropStack, peekStack, push, stackOffset } from './stack.ts';

function mov(ctx: Context): void {
  write(ctx, 0, read(ctx, 1, ANY));
}

function movsx(ctx: Context): void {
  write(ctx, 0, read(ctx, 1, SIGN));
}

function movzx(ctx: Context): void {
  write(ctx, 0, read(ctx, 1, ZERO));
}

function xchg(ctx: Context): void {
  const a = modify(ctx, 0, ANY), b = read(ctx, 1, ANY);
  write(ctx, 0, b);
  write(ctx, 1, a);
}

/** BSWAP of a 16-bit register is undefined; processors clear it. */
function bswap(ctx: Context): void {
  if (sizeOf(ctx, 0) === 2) {
    write(ctx, 0, ctx.const(0));
    return;
  }
  const swapped = ctx.b.temp();
  ctx.b.bswap(swapped, read(ctx, 0, ANY));
  write(ctx, 0, swapped);
}

function xadd(ctx: Context): void {
  const old = modify(ctx, 0, ANY), b = read(ctx, 1, ANY), sum = ctx.b.temp();
  ctx.b.add(sum, old, b);
  if (registerOf(ctx, 0) < 0) write(ctx, 0, sum);
  ctx.cc.set(ADD, sizeOf(ctx, 0), sum, b);
  write(ctx, 1, old);
  // A register destination comes last: XADD of a register with itself leaves the sum.
  if (registerOf(ctx, 0) >= 0) write(ctx, 0, sum);
}

/** The destination is written in any case (SDM: the bus sees a write cycle always). */
function cmpxchg(ctx: Context): void {
  const { b } = ctx;
  const size = sizeOf(ctx, 0);
  const old = modify(ctx, 0, ZERO), source = read(ctx, 1, ANY), accumulator = ctx.register(size, EAX, ZERO);
  const difference = b.temp(), result = b.temp(), left = b.temp();
  b.sub(difference, accumulator, old);
  b.movcond(EQ, result, accumulator, old, source, old);
  b.movcond(EQ, left, accumulator, old, accumulator, old);
  // The accumulator first: where it is the destination too, the comparison is equal and the destination wins.
  if (registerOf(ctx, 0) >= 0) ctx.setRegisterLater(size, EAX, left);
  write(ctx, 0, result);
  if (registerOf(ctx, 0) < 0) ctx.setRegisterLater(size, EAX, left);
  ctx.cc.set(SUB, size, difference, old, -1, -1);
}

function cmovcc(ctx: Context): void {
  const old = read(ctx, 0, ANY), source = read(ctx, 1, ANY), result = ctx.b.temp();
  const { condition, a, b } = ctx.cc.condition(ctx.insn.row.opcode & 15);
  ctx.b.movcond(condition, result, a, b, source, old);
  write(ctx, 0, result);
}

function cmpxchg8b(ctx: Context): void {
  ctx.call('cmpxchg8b', operandAddress(ctx, 8, true));
  ctx.cc.setDynamic();
}

function pushOperand(ctx: Context): void {
  push(ctx, read(ctx, 0, ANY), ctx.insn.opSize);
}

function popOperand(ctx: Context): void {
  const { b, insn } = ctx;
  const value = peekStack(ctx, insn.opSize);
  if (registerOf(ctx, 0) < 0 && insn.base === ESP) {
    // An address with ESP is computed after the increment.
    const offset = stackOffset(ctx, insn.opSize);
    if (ctx.stack32) ctx.stackPointer = offset;
    else b.deposit(ctx.stackPointer = b.temp(), ESP, offset, 0, 16);
  }
  // A register is written when the emitter is done, so POP ESP keeps the value.
  write(ctx, 0, value);
  dropStack(ctx, insn.opSize);
}

function pusha(ctx: Context): void {
  ctx.call('pusha', ctx.const(ctx.insn.opSize));
}

/** In the order of the stack; the slot of ESP is skipped. */
const POPA_ORDER = [EDI, ESI, EBP, -1, EBX, EDX, ECX, EAX];

function popa(ctx: Context): void {
  const size = ctx.insn.opSize;
  const values = POPA_ORDER.map((register, i) => (register < 0 ? -1 : peekStack(ctx, size, i * size)));
  dropStack(ctx, 8 * size);
  POPA_ORDER.forEach((register, i) => {
    if (register >= 0) ctx.setRegister(size, register, values[i]!);
  });
}

/** CBW, CWDE. */
function cbw(ctx: Context): void {
  const { b, insn } = ctx;
  const value = b.temp();
  if (insn.opSize === 2) b.ext8s(value, EAX);
  else b.ext16s(value, EAX);
  ctx.setRegister(insn.opSize, EAX, value);
}

/** CWD, CDQ. */
function cwd(ctx: Context): void {
  const { b, insn } = ctx;
  const sign = b.temp();
  b.sari(sign, ctx.register(insn.opSize, EAX, SIGN), 31);
  ctx.setRegister(insn.opSize, EDX, sign);
}

export const dataTransfer: Family = {
  BSWAP: bswap, CBW: cbw, CMOVcc: cmovcc, CMPXCHG: cmpxchg, CMPXCHG8B: withFlags(cmpxchg8b), CWD: cwd, MOV: mov, MOVSX: movsx, MOVZX: movzx, POP: popOperand, POPA: popa, PUSH: pushOperand,
  PUSHA: pusha, XADD: xadd, XCHG: xchg,
};
