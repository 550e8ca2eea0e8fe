/**
 * How instructions end a block: jumps, exceptions, and exits to the run loop. Each writes EIP and cc_op first.
 *
 * A direct jump within the page of the block's start links to its successor (goto_tb); others look it up. Whatever changes
 * what the run loop must see (privilege, mode, paging, IF, pending events) ends with exit_tb 2. Blocks of one instruction
 * (single step, interrupt shadow, RF) undo what made them so on their way out.
 */
import { GTU } from '../../tcg/conditions.ts';
import {
  EFLAGS, EIP, EXC_GP, HF_DEBUG, HF_INHIBIT_IRQ, HF_ONE_INSN, HF_RF, HF_TF, HFLAGS, RF, SS_SHADOW,
} from '../state.ts';
import type { Context } from './context.ts';

/** Leaves with an exception that has no error code. Nothing of the instruction may have been written yet. */
export function raise(ctx: Context, vector: number): void {
  ctx.call('raise', ctx.const(vector));
  finish(ctx);
}

/** Leaves with #GP(0). */
export function raiseProtection(ctx: Context): void {
  ctx.call('raise_err', ctx.const(EXC_GP), ctx.const(0));
  finish(ctx);
}

function finish(ctx: Context): void {
  ctx.b.exitTb(2);
  ctx.ended = true;
}

/** The instruction is complete: writes what waits, and ends the interrupt shadow and RF that this block was made for. */
function completeInsn(ctx: Context, keepRf = false): void {
  const { key: { flags } } = ctx;
  ctx.flushRegisters();
  ctx.cc.writeOp();
  const done = flags & (keepRf ? HF_INHIBIT_IRQ : HF_INHIBIT_IRQ | HF_RF);
  if (done !== 0) clearBits(ctx, HFLAGS, done);
  if ((done & HF_RF) !== 0) clearBits(ctx, EFLAGS, RF);
}

function clearBits(ctx: Context, slot: number, bits: number): void {
  const { b } = ctx;
  const word = b.temp();
  b.ldEnv(word, slot);
  b.andi(word, word, ~bits);
  b.stEnv(word, slot);
}

/** After EIP is written: #DB if the block is single-stepped; else false. */
function endStep(ctx: Context): boolean {
  const { key: { flags } } = ctx;
  if ((flags & (HF_TF | HF_DEBUG)) !== 0) ctx.call('debug_trap', ctx.const((flags & HF_TF) !== 0 ? 1 : 0));
  else if (!ctx.stepping && (flags & HF_ONE_INSN) === 0) return false;
  finish(ctx);
  return true;
}

/** The EIP that a near transfer with this displacement reaches. */
export function jumpTarget(ctx: Context, displacement: number): number {
  const target = ctx.nextEip + displacement | 0;
  return ctx.insn.opSize === 4 ? target : target & 0xffff;
}

/** Whether an EIP lies beyond the limit of CS. */
export const isOutside = (ctx: Context, eip: number): boolean => eip >>> 0 > ctx.key.csLimit >>> 0;

/** Goes on at an EIP known now, through link 0 or 1. */
export function jumpTo(ctx: Context, link: 0 | 1, eip: number): void {
  const { b, key } = ctx;
  completeInsn(ctx);
  const samePage = ((key.csBase + eip ^ key.pc) & ~0xfff) === 0;
  const linked = samePage && !ctx.stepping && !ctx.hflagsChanged && (key.flags & HF_ONE_INSN) === 0;
  if (linked) b.gotoTb(link);
  b.movi(EIP, eip);
  if (endStep(ctx)) return;
  if (linked) b.exitTb(link);
  else b.lookupAndGotoPtr();
  ctx.ended = true;
}

/** Traps with #GP(0) if a computed EIP lies beyond the limit of CS. `bits16`: it is known to be at most FFFFh. */
export function checkTarget(ctx: Context, eip: number, bits16: boolean): void {
  const limit = ctx.key.csLimit;
  if (limit === -1 || (bits16 && limit >>> 0 >= 0xffff)) return;
  ctx.b.trap(GTU, eip, ctx.const(limit), EXC_GP);
}

/** Goes on at a computed EIP, which has been checked. */
export function jumpIndirect(ctx: Context, eip: number): void {
  completeInsn(ctx);
  ctx.b.mov(EIP, eip);
  if (endStep(ctx)) return;
  ctx.b.lookupAndGotoPtr();
  ctx.ended = true;
}

/** Ends the block after this instruction; the run loop looks at pending events. */
export function endEvent(ctx: Context, eip = ctx.nextEip): void {
  completeInsn(ctx);
  ctx.b.movi(EIP, eip);
  if (!endStep(ctx)) finish(ctx);
}

/** As endEvent() after a helper that has written EIP. */
export function endTransfer(ctx: Context, options: { keepRf?: boolean; step?: boolean } = {}): void {
  completeInsn(ctx, options.keepRf);
  if (options.step === false || !endStep(ctx)) finish(ctx);
}

/**
 * Ends the block and inhibits interrupts until after the next instruction (SDM vol. 3, 6.8.3). Of several such instructions
 * in a row only the first does so. `enabled` is HF_INHIBIT_IRQ or 0, a value: STI has no shadow if IF was set before.
 */
export function endWithShadow(ctx: Context, enabled: number, stepAfter: boolean): void {
  const { b, key: { flags } } = ctx;
  completeInsn(ctx);
  if ((flags & HF_INHIBIT_IRQ) === 0) {
    const word = b.temp();
    b.ldEnv(word, HFLAGS);
    b.or(word, word, enabled);
    b.stEnv(word, HFLAGS);
    // Only STI is followed by its trap at once.
    if ((flags & HF_DEBUG) !== 0) b.stEnv(b.const(stepAfter ? 0 : 1), SS_SHADOW);
  }
  b.movi(EIP, ctx.nextEip);
  if (!stepAfter || !endStep(ctx)) finish(ctx);
}
