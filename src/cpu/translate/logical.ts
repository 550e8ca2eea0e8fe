/** Logical instructions: AND, OR, XOR, NOT, and TEST (SDM vol. 1, 5.1.4 and 5.1.6). */
import { ANY } from './context.ts';
import type { Context } from './context.ts';
import type { Family } from './emitter.ts';
import { LOGIC } from './lazy-flags.ts';
import { modify, read, sameRegister, sizeOf, write } from './operands.ts';

function and(ctx: Context): void {
  const result = ctx.b.temp();
  ctx.b.and(result, modify(ctx, 0, ANY), read(ctx, 1, ANY));
  write(ctx, 0, result);
  ctx.cc.set(LOGIC, sizeOf(ctx, 0), result);
}

function or(ctx: Context): void {
  const result = ctx.b.temp();
  ctx.b.or(result, modify(ctx, 0, ANY), read(ctx, 1, ANY));
  write(ctx, 0, result);
  ctx.cc.set(LOGIC, sizeOf(ctx, 0), result);
}

function xor(ctx: Context): void {
  let result: number;
  // The idiom that clears a register.
  if (sameRegister(ctx)) result = ctx.const(0);
  else ctx.b.xor(result = ctx.b.temp(), modify(ctx, 0, ANY), read(ctx, 1, ANY));
  write(ctx, 0, result);
  ctx.cc.set(LOGIC, sizeOf(ctx, 0), result);
}

function test(ctx: Context): void {
  const result = ctx.b.temp();
  ctx.b.and(result, read(ctx, 0, ANY), read(ctx, 1, ANY));
  ctx.cc.set(LOGIC, sizeOf(ctx, 0), result);
}

function not(ctx: Context): void {
  const result = ctx.b.temp();
  ctx.b.not(result, modify(ctx, 0, ANY));
  write(ctx, 0, result);
}

export const logical: Family = { AND: and, NOT: not, OR: or, TEST: test, XOR: xor };
