/**
 * Control transfer instructions: JMP, Jcc, JCXZ, LOOP, CALL, RET, INT, INTO, BOUND, IRET and the far forms (SDM vol. 1, 5.1.7).
 * A near target beyond the limit of CS is #GP(0) at the jump, before anything is written.
 */
import { EQ, NE, invert } from '../../tcg/conditions.ts';
import { ECX, ESP } from '../state.ts';
import {
  checkTarget, endTransfer, isOutside, jumpIndirect, jumpTarget, jumpTo, raiseProtection,
} from './block-end.ts';
import { SIGN, ZERO } from './context.ts';
import type { Context } from './context.ts';
import { withFlags } from './emitter.ts';
import type { Emit, Family } from './emitter.ts';
import { COND_O, COND_Z } from './lazy-flags.ts';
import { load, plus } from './memory.ts';
import { operandAddress, read } from './operands.ts';
import { dropStack, peekStack, push } from './stack.ts';

/** Ends the block: the target if a cond b, else the next instruction. `before` emits writes that both ways need. */
function branch(ctx: Context, condition: number, a: number, b: number, before?: () => void): void {
  const target = jumpTarget(ctx, ctx.insn.imm);
  const taken = ctx.b.label();
  if (isOutside(ctx, target)) {
    ctx.b.brcond(invert(condition), a, b, taken);
    raiseProtection(ctx);
    ctx.b.setLabel(taken);
    before?.();
    jumpTo(ctx, 0, ctx.nextEip);
    return;
  }
  before?.();
  ctx.b.brcond(condition, a, b, taken);
  jumpTo(ctx, 0, ctx.nextEip);
  ctx.b.setLabel(taken);
  jumpTo(ctx, 1, target);
}

function jcc(ctx: Context): void {
  const { condition, a, b } = ctx.cc.condition(ctx.insn.row.opcode & 15);
  branch(ctx, condition, a, b);
}

/** JCXZ, JECXZ: the address size selects the counter. */
function jcxz(ctx: Context): void {
  branch(ctx, EQ, ctx.register(ctx.insn.addrSize, ECX, ZERO), ctx.const(0));
}

/** LOOP, and with a condition code LOOPE (0) and LOOPNE (1): the counter is decremented without flags. */
function loop(condition: number | undefined): Emit {
  return (ctx) => {
    const { b, cc, insn: { addrSize } } = ctx;
    const count = b.temp();
    b.addi(count, ECX, -1);
    const left = ctx.extend(count, addrSize, ZERO);
    const writeCount = (): void => ctx.setRegister(addrSize, ECX, count);
    if (condition === undefined) {
      branch(ctx, NE, left, b.const(0), writeCount);
      return;
    }
    const test = cc.condition(condition), holds = b.temp(), more = b.temp();
    b.setcond(test.condition, holds, test.a, test.b);
    b.movcond(NE, more, left, b.const(0), holds, b.const(0));
    branch(ctx, NE, more, b.const(0), writeCount);
  };
}

function jmp(ctx: Context): void {
  if (ctx.insn.row.operands[0]![0] !== 'J') {
    const target = read(ctx, 0, ZERO);
    checkTarget(ctx, target, ctx.insn.opSize === 2);
    jumpIndirect(ctx, target);
    return;
  }
  const target = jumpTarget(ctx, ctx.insn.imm);
  if (isOutside(ctx, target)) raiseProtection(ctx);
  else jumpTo(ctx, 0, target);
}

function call(ctx: Context): void {
  const { insn } = ctx;
  const back = ctx.const(ctx.nextEip);
  if (insn.row.operands[0]![0] !== 'J') {
    let target = read(ctx, 0, ZERO);
    checkTarget(ctx, target, insn.opSize === 2);
    // CALL ESP: as it was before the push.
    if (target === ESP) ctx.b.mov(target = ctx.b.temp(), ESP);
    push(ctx, back, insn.opSize);
    jumpIndirect(ctx, target);
    return;
  }
  const target = jumpTarget(ctx, insn.imm);
  if (isOutside(ctx, target)) {
    raiseProtection(ctx);
    return;
  }
  push(ctx, back, insn.opSize);
  jumpTo(ctx, 0, target);
}

/** RET, RET imm16. */
function ret(ctx: Context): void {
  const { opSize, imm } = ctx.insn;
  const target = peekStack(ctx, opSize);
  checkTarget(ctx, target, opSize === 2);
  dropStack(ctx, opSize + imm);
  jumpIndirect(ctx, target);
}

/** Offset and selector of a far pointer: in the instruction, or in memory. */
function farPointer(ctx: Context): [selector: number, offset: number] {
  const { insn } = ctx;
  if (insn.row.operands[0] === 'Ap') return [ctx.const(insn.imm2), ctx.const(insn.imm)];
  const linear = operandAddress(ctx, insn.opSize + 2, false, insn.opSize);
  const readOffset = (): number => load(ctx, linear, insn.opSize);
  const readSelector = (): number => load(ctx, plus(ctx, linear, insn.opSize), 2);
  // The order shows in CR2 if both words lie in missing pages (as on an AMD processor).
  if (insn.row.mnemonic === 'CALLF') return [readSelector(), readOffset()];
  const offset = readOffset();
  return [readSelector(), offset];
}

/** JMP and CALL far: code segments, gates and tasks. */
function farTransfer(helper: string): Emit {
  return (ctx) => {
    const [selector, offset] = farPointer(ctx);
    ctx.call(helper, selector, offset, ctx.const(ctx.insn.opSize), ctx.const(ctx.nextEip));
    ctx.cc.setDynamic();
    endTransfer(ctx);
  };
}

function farReturn(ctx: Context): void {
  ctx.call('far_ret', ctx.const(ctx.insn.opSize), ctx.const(ctx.insn.imm));
  endTransfer(ctx);
}

function iret(ctx: Context): void {
  ctx.call('iret', ctx.const(ctx.insn.opSize), ctx.const(ctx.nextEip));
  ctx.cc.setDynamic();
  endTransfer(ctx, { keepRf: true });
}

/** INT3, INT1, INT n: TF is cleared on the way, so there is no single-step trap after them. */
function interrupt(name: string): Emit {
  return (ctx) => {
    const next = ctx.const(ctx.nextEip);
    if (name === 'soft_int') ctx.call(name, ctx.const(ctx.insn.imm), next);
    else ctx.call(name, next);
    ctx.cc.setDynamic();
    endTransfer(ctx, { step: false });
  };
}

/** Ends the block on both ways: what follows would have been charged for when the trap is taken. */
function into(ctx: Context): void {
  const quiet = ctx.b.label();
  const { condition, a, b } = ctx.cc.condition(COND_O);
  ctx.b.brcond(invert(condition), a, b, quiet);
  ctx.call('int_of', ctx.const(ctx.nextEip));
  ctx.cc.setDynamic();
  endTransfer(ctx, { step: false });
  ctx.b.setLabel(quiet);
  ctx.ended = false;
  jumpTo(ctx, 0, ctx.nextEip);
}

function bound(ctx: Context): void {
  const { insn: { opSize } } = ctx;
  const index = read(ctx, 0, SIGN), linear = operandAddress(ctx, 2 * opSize, false, opSize);
  ctx.call('bound', index, linear, ctx.const(opSize));
}

export const controlTransfer: Family = {
  BOUND: bound,
  CALL: call,
  CALLF: withFlags(farTransfer('far_call')),
  INT: withFlags(interrupt('soft_int')),
  INT1: withFlags(interrupt('int1')),
  INT3: withFlags(interrupt('int3')),
  INTO: withFlags(into),
  IRET: withFlags(iret),
  JCXZ: jcxz,
  JMP: jmp,
  JMPF: withFlags(farTransfer('far_jmp')),
  Jcc: jcc,
  LOOP: loop(undefined),
  LOOPE: loop(COND_Z),
  LOOPNE: loop(COND_Z | 1),
  RET: ret,
  RETF: farReturn,
};
