/** Flag control instructions: STC, CLC, CMC, STD, CLD, LAHF, SAHF, PUSHF, POPF, STI, CLI, and SALC (SDM vol. 1, 5.1.11). */
import { AF, CF, DF, EAX, EFLAGS, HF_INHIBIT_IRQ, IF, OF, PF, RF, SF, VM, ZF } from '../state.ts';
import { endEvent, endWithShadow } from './block-end.ts';
import { ANY } from './context.ts';
import type { Context } from './context.ts';
import { withFlags } from './emitter.ts';
import type { Family } from './emitter.ts';
import { peekStack, dropStack, push } from './stack.ts';

function clc(ctx: Context): void {
  ctx.cc.setAll(ctx.cc.allBut(CF));
}

function stc(ctx: Context): void {
  const flags = ctx.b.temp();
  ctx.b.ori(flags, ctx.cc.all(), CF);
  ctx.cc.setAll(flags);
}

function cmc(ctx: Context): void {
  const flags = ctx.b.temp();
  ctx.b.xori(flags, ctx.cc.all(), CF);
  ctx.cc.setAll(flags);
}

function cld(ctx: Context): void {
  ctx.b.movi(DF, 1);
}

function std(ctx: Context): void {
  ctx.b.movi(DF, -1);
}

/** The flags that AH holds; bit 1 reads as 1. */
const AH_FLAGS = SF | ZF | AF | PF | CF;
const AH = 4;

function lahf(ctx: Context): void {
  const { b, cc } = ctx;
  const flags = b.temp();
  b.andi(flags, cc.all(), AH_FLAGS);
  b.ori(flags, flags, 2);
  ctx.setRegister(1, AH, flags);
}

function sahf(ctx: Context): void {
  const { b, cc } = ctx;
  const flags = b.temp(), overflow = b.temp();
  b.andi(overflow, cc.all(), OF);
  b.andi(flags, ctx.register(1, AH, ANY), AH_FLAGS);
  b.or(flags, flags, overflow);
  cc.setAll(flags);
}

/** The image has VM and RF clear (SDM, PUSHF). Virtual-8086 mode needs IOPL 3, or CR4.VME. */
function pushf(ctx: Context): void {
  const { b, insn: { opSize } } = ctx;
  const flags = ctx.v86 && ctx.iopl !== 3 ? ctx.callFor('pushf_v86', ctx.const(opSize)) : ctx.callFor('read_eflags');
  b.andi(flags, flags, ~(VM | RF));
  push(ctx, flags, opSize);
}

function popf(ctx: Context): void {
  const { opSize } = ctx.insn;
  ctx.call('popf', peekStack(ctx, opSize), ctx.const(opSize));
  ctx.cc.setDynamic();
  dropStack(ctx, opSize);
  endEvent(ctx);
}

/** Only interrupts become possible by a change of IF: CLI need not end the block. */
function cli(ctx: Context): void {
  ctx.call('cli');
}

function sti(ctx: Context): void {
  const { b } = ctx;
  // IF is bit 9, HF_INHIBIT_IRQ bit 15: no shadow if IF was set before.
  const shadow = b.temp();
  b.ldEnv(shadow, EFLAGS);
  b.not(shadow, shadow);
  b.andi(shadow, shadow, IF);
  b.muli(shadow, shadow, HF_INHIBIT_IRQ / IF);
  ctx.call('sti');
  endWithShadow(ctx, shadow, true);
}

/** SALC (undocumented): AL = CF ? FFh : 0. */
function salc(ctx: Context): void {
  const value = ctx.b.temp();
  ctx.b.neg(value, ctx.cc.carry());
  ctx.setRegister(1, EAX, value);
}

export const flagControl: Family = {
  CLC: clc, CLD: cld, CLI: cli, CMC: cmc, LAHF: lahf, POPF: withFlags(popf), PUSHF: withFlags(pushf), SAHF: sahf, SALC: salc, STC: stc, STD: std,
  STI: sti,
};
