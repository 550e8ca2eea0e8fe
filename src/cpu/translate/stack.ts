/**
 * The stack: SS:ESP, or SS:SP with a 16-bit stack segment, which wraps at 64 KB and leaves the high half of ESP alone
 * (SDM vol. 1, 6.2.3).
 */
import { ESP, SS } from '../state.ts';
import { ZERO } from './context.ts';
import type { Context, Size } from './context.ts';
import { access, load, store } from './memory.ts';

/** A stack offset: the register's value plus `delta`, wrapped to the stack's size. */
export function stackOffset(ctx: Context, delta: number, base = ESP): number {
  let offset = base;
  if (delta !== 0) ctx.b.addi(offset = ctx.b.temp(), base, delta);
  return ctx.stack32 ? offset : ctx.extend(offset, 2, ZERO);
}

/** ESP (or SP) := offset. */
export function setStackPointer(ctx: Context, offset: number): void {
  ctx.setRegister(ctx.stack32 ? 4 : 2, ESP, offset);
}

/** Pushes a value; ESP is written at once. `stored` bytes of the slot are written (a selector leaves the rest alone). */
export function push(ctx: Context, value: number, size: 2 | 4, stored: Size = size): void {
  const offset = stackOffset(ctx, -size);
  store(ctx, access(ctx, SS, offset, stored, true), stored, value);
  setStackPointer(ctx, offset);
}

/** Loads what lies `delta` bytes above the top of the stack, zero-extended; ESP stays. */
export function peekStack(ctx: Context, size: 2 | 4, delta = 0): number {
  return load(ctx, access(ctx, SS, stackOffset(ctx, delta), size, false), size);
}

/** ESP += bytes. */
export function dropStack(ctx: Context, bytes: number): void {
  setStackPointer(ctx, stackOffset(ctx, bytes));
}
