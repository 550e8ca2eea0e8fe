/**
 * String instructions: MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS (SDM vol. 1, 5.1.8). Single memory forms are inline; repeated
 * ones, INS and OUTS are the helper `string`, which does many iterations and may stop between two of them.
 */
import { NE } from '../../tcg/conditions.ts';
import { DF, EAX, EDI, ES, ESI } from '../state.ts';
import { endEvent, jumpTo } from './block-end.ts';
import { ANY, ZERO } from './context.ts';
import type { Context, Size } from './context.ts';
import { withFlags } from './emitter.ts';
import type { Emit, Family } from './emitter.ts';
import { SUB } from './lazy-flags.ts';
import { access, load, store } from './memory.ts';

/** What the helper knows the instructions as. */
export const STRING_MOVS = 0, STRING_CMPS = 1, STRING_STOS = 2, STRING_LODS = 3, STRING_SCAS = 4, STRING_INS = 5, STRING_OUTS = 6;

/** The element's size: from the operand that is a string. */
function elementSize(ctx: Context): Size {
  const string = ctx.insn.row.operands.find((operand) => operand[0] === 'X' || operand[0] === 'Y')!;
  return string[1] === 'b' ? 1 : ctx.insn.opSize;
}

/** The linear address of the element at DS:eSI or its override. */
function source(ctx: Context, size: Size): number {
  return access(ctx, ctx.insn.seg, ctx.register(ctx.insn.addrSize, ESI, ZERO), size, false);
}

/** The linear address of the element at ES:eDI. */
function destination(ctx: Context, size: Size, write: boolean): number {
  return access(ctx, ES, ctx.register(ctx.insn.addrSize, EDI, ZERO), size, write);
}

/** Moves index registers to the next element. */
function advance(ctx: Context, size: Size, ...registers: number[]): void {
  const { b, insn: { addrSize } } = ctx;
  let step = DF;
  if (size > 1) b.shli(step = b.temp(), DF, size >> 1);
  for (const register of registers) {
    const next = b.temp();
    b.add(next, register, step);
    ctx.setRegister(addrSize, register, next);
  }
}

function movs(ctx: Context, size: Size): void {
  const value = load(ctx, source(ctx, size), size);
  store(ctx, destination(ctx, size, true), size, value);
  advance(ctx, size, ESI, EDI);
}

function cmps(ctx: Context, size: Size): void {
  const a = load(ctx, source(ctx, size), size), b = load(ctx, destination(ctx, size, false), size);
  compare(ctx, size, a, b);
  advance(ctx, size, ESI, EDI);
}

function stos(ctx: Context, size: Size): void {
  store(ctx, destination(ctx, size, true), size, EAX);
  advance(ctx, size, EDI);
}

function lods(ctx: Context, size: Size): void {
  const value = load(ctx, source(ctx, size), size);
  ctx.setRegister(size, EAX, value);
  advance(ctx, size, ESI);
}

function scas(ctx: Context, size: Size): void {
  compare(ctx, size, ctx.register(size, EAX, ANY), load(ctx, destination(ctx, size, false), size));
  advance(ctx, size, EDI);
}

function compare(ctx: Context, size: Size, a: number, b: number): void {
  const difference = ctx.b.temp();
  ctx.b.sub(difference, a, b);
  ctx.cc.set(SUB, size, difference, b, -1, a);
}

/** The helper: it has finished, or is to be entered again for the remaining iterations. */
function repeat(ctx: Context, kind: number, io: boolean): void {
  const { b, insn } = ctx;
  const finished = ctx.callFor('string', ...[kind, elementSize(ctx), insn.addrSize, insn.seg, insn.rep].map((n) => b.const(n)));
  if (kind === STRING_CMPS || kind === STRING_SCAS) ctx.cc.setDynamic();
  const done = b.label();
  b.brcondi(NE, finished, 0, done);
  endEvent(ctx, insn.eip);
  b.setLabel(done);
  if (io) endEvent(ctx);
  else jumpTo(ctx, 0, ctx.nextEip);
}

/** `single` without a prefix, else the helper. */
function string(kind: number, single: (ctx: Context, size: Size) => void): Emit {
  return (ctx) => {
    if (ctx.insn.rep === 0) single(ctx, elementSize(ctx));
    else repeat(ctx, kind, false);
  };
}

/** INS and OUTS: permissions, the port and the repetition are the helper's. */
const portString = (kind: number): Emit => (ctx) => repeat(ctx, kind, true);

export const stringFamily: Family = {
  CMPS: withFlags(string(STRING_CMPS, cmps)),
  INS: portString(STRING_INS),
  LODS: string(STRING_LODS, lods),
  MOVS: string(STRING_MOVS, movs),
  OUTS: portString(STRING_OUTS),
  SCAS: withFlags(string(STRING_SCAS, scas)),
  STOS: string(STRING_STOS, stos),
};
