/**
 * Segment register instructions: MOV and POP to and from Sreg, PUSH Sreg, LDS, LES, LFS, LGS, LSS (SDM vol. 1, 5.1.12).
 *
 * Loading a segment may change what the block's key says of it. If the key says something, a load ends the block; otherwise
 * the code is right for any segment and the block goes on, but no longer links to its successor.
 */
import { CS, DS, ES, FS, GS, HF_INHIBIT_IRQ, SEG_SEL, SS } from '../state.ts';
import { endWithShadow, jumpTo } from './block-end.ts';
import { ZERO } from './context.ts';
import type { Context } from './context.ts';
import { forAll } from './emitter.ts';
import type { Emit, Family } from './emitter.ts';
import { load, plus } from './memory.ts';
import { operandAddress, read, write } from './operands.ts';
import { dropStack, peekStack, push } from './stack.ts';

const SEGMENTS: Readonly<Record<string, number>> = { ES, CS, SS, DS, FS, GS };
const segmentNamed = (ctx: Context): number => SEGMENTS[ctx.insn.row.operands[0]!]!;

/** Loads a segment register by the helper; it checks the selector and may fault. */
function loadSegment(ctx: Context, seg: number, selector: number): void {
  ctx.call('load_seg', ctx.const(seg), selector);
  ctx.limits.clear();
  ctx.hflagsChanged = true;
}

/** After the load and all other writes: goes on, or ends the block. */
function afterLoad(ctx: Context, seg: number, shadow: boolean): void {
  const assumed = ctx.isFlat(seg) || (ctx.protectedMode && ctx.isFromZero(seg));
  if (shadow) endWithShadow(ctx, ctx.const(HF_INHIBIT_IRQ), false);
  else if (seg === SS || assumed) jumpTo(ctx, 0, ctx.nextEip);
}

function movToSegment(ctx: Context): void {
  const seg = ctx.insn.reg;
  loadSegment(ctx, seg, read(ctx, 1, ZERO));
  afterLoad(ctx, seg, seg === SS);
}

function selectorOf(ctx: Context, seg: number): number {
  const selector = ctx.b.temp();
  ctx.b.ldEnv(selector, SEG_SEL + seg);
  return selector;
}

/** A 32-bit register gets the selector zero-extended. */
function movFromSegment(ctx: Context): void {
  write(ctx, 0, selectorOf(ctx, ctx.insn.reg));
}

/** With 32-bit operands ESP moves by 4, but only 2 bytes are written, as processors do (SDM, PUSH). */
function pushSegment(ctx: Context): void {
  push(ctx, selectorOf(ctx, segmentNamed(ctx)), ctx.insn.opSize, 2);
}

function popSegment(ctx: Context): void {
  const seg = segmentNamed(ctx);
  const value = peekStack(ctx, ctx.insn.opSize);
  loadSegment(ctx, seg, ctx.extend(value, 2, ZERO));
  // By the stack size in force when the instruction started, also for POP SS.
  dropStack(ctx, ctx.insn.opSize);
  afterLoad(ctx, seg, seg === SS);
}

/** LDS and relatives: segment first, since that may fault. */
function loadFarPointer(seg: number): Emit {
  return (ctx) => {
    const { opSize } = ctx.insn;
    const linear = operandAddress(ctx, opSize + 2, false, opSize);
    const offset = load(ctx, linear, opSize), selector = load(ctx, plus(ctx, linear, opSize), 2);
    loadSegment(ctx, seg, selector);
    write(ctx, 0, offset);
    afterLoad(ctx, seg, false);
  };
}

const named = (mnemonic: string): string[] => Object.keys(SEGMENTS).map((name) => `${mnemonic} ${name}`);

export const segmentRegister: Family = {
  'MOV Rv/Mw,Sw': movFromSegment,
  'MOV Sw,Ew': movToSegment,
  ...forAll(named('POP'), popSegment),
  ...forAll(named('PUSH'), pushSegment),
  LDS: loadFarPointer(DS),
  LES: loadFarPointer(ES),
  LFS: loadFarPointer(FS),
  LGS: loadFarPointer(GS),
  LSS: loadFarPointer(SS),
};
