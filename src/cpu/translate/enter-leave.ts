/** ENTER and LEAVE: stack frames of procedures (SDM vol. 1, 5.1.10 and 6.6). */
import { EBP, SS } from '../state.ts';
import type { Context } from './context.ts';
import type { Family } from './emitter.ts';
import { access, load } from './memory.ts';
import { setStackPointer, stackOffset } from './stack.ts';

function enter(ctx: Context): void {
  const { imm, imm2, opSize } = ctx.insn;
  ctx.call('enter', ctx.const(imm), ctx.const(imm2), ctx.const(opSize));
}

/** The stack's size selects BP or EBP as the frame, the operand size what is popped into it. */
function leave(ctx: Context): void {
  const { opSize } = ctx.insn;
  const frame = load(ctx, access(ctx, SS, stackOffset(ctx, 0, EBP), opSize, false), opSize);
  setStackPointer(ctx, stackOffset(ctx, opSize, EBP));
  ctx.setRegister(opSize, EBP, frame);
}

export const enterLeave: Family = { ENTER: enter, LEAVE: leave };
