/**
 * I/O instructions: IN, OUT (SDM vol. 1, 5.1.9). Devices may raise interrupts, so the block ends after them. A device may also write registers: what IN
 * reads goes into EAX as that is then.
 */
import { EAX, EDX } from '../state.ts';
import { endEvent } from './block-end.ts';
import { ZERO } from './context.ts';
import type { Context } from './context.ts';
import type { Family } from './emitter.ts';
import { sizeOf } from './operands.ts';

/** The port number: DX or the immediate. */
const portOf = (ctx: Context, n: number): number => (ctx.insn.row.operands[n] === 'DX' ? ctx.register(2, EDX, ZERO) : ctx.const(ctx.insn.imm));

function input(ctx: Context): void {
  const size = sizeOf(ctx, 0);
  const value = ctx.callFor('in', portOf(ctx, 1), ctx.const(size));
  ctx.setRegister(size, EAX, value);
  endEvent(ctx);
}

function output(ctx: Context): void {
  const size = sizeOf(ctx, 1);
  ctx.call('out', portOf(ctx, 0), ctx.register(size, EAX, ZERO), ctx.const(size));
  endEvent(ctx);
}

export const io: Family = { IN: input, OUT: output };
