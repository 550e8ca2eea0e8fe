/**
 * System instructions: descriptor tables, control and debug registers, TLB, HLT, and the selector checks (SDM vol. 1, 5.20;
 * privileges: vol. 3, 5.9). What the block's key tells (mode, CPL) is decided here, the rest by helpers.
 */
import { EQ, LTU } from '../../tcg/conditions.ts';
import { CR0, EXC_UD, LDT_SEL, TR_SEL, ZF } from '../state.ts';
import { endEvent, endTransfer, raise, raiseProtection } from './block-end.ts';
import { ANY, ZERO } from './context.ts';
import type { Context } from './context.ts';
import { withFlags } from './emitter.ts';
import type { Emit, Family } from './emitter.ts';
import { linearAddress, load, plus } from './memory.ts';
import { operandAddress, operandOffset, read, registerOf, write } from './operands.ts';

/** #GP(0) except at CPL 0; virtual-8086 mode is CPL 3. */
function privileged(emit: Emit): Emit {
  return (ctx) => {
    if (ctx.cpl !== 0) raiseProtection(ctx);
    else emit(ctx);
  };
}

/** #UD in real and virtual-8086 mode. */
function protectedOnly(emit: Emit): Emit {
  return (ctx) => {
    if (!ctx.protectedMode) raise(ctx, EXC_UD);
    else emit(ctx);
  };
}

/** What programs may ask unless CR4.UMIP forbids it. Real mode is CPL 0. */
function unprivileged(emit: Emit): Emit {
  return (ctx) => {
    if (ctx.cpl !== 0) ctx.call('check_umip');
    emit(ctx);
  };
}

/** A helper without arguments that changes what the run loop must see. */
function systemCall(name: string): Emit {
  return (ctx) => {
    ctx.call(name);
    endEvent(ctx);
  };
}

/** A helper that takes the word operand: LLDT, LTR, LMSW. */
function withWord(name: string): Emit {
  return (ctx) => {
    ctx.call(name, read(ctx, 0, ZERO));
    endEvent(ctx);
  };
}

/** SLDT, STR, SMSW: a word of the state; a 32-bit register gets all of it. */
function storeWord(slot: number): Emit {
  return (ctx) => {
    const value = ctx.b.temp();
    ctx.b.ldEnv(value, slot);
    write(ctx, 0, value);
  };
}

/** LGDT, LIDT: a word limit, then the base; with 16-bit operands the base has 24 bits (the helper's part). */
function loadTable(name: string): Emit {
  return (ctx) => {
    const linear = operandAddress(ctx, 6, false, 1);
    const limit = load(ctx, linear, 2), base = load(ctx, plus(ctx, linear, 2), 4);
    ctx.call(name, limit, base, ctx.const(ctx.insn.opSize));
    endEvent(ctx);
  };
}

/** SGDT, SIDT: two stores, so a helper. */
function storeTable(name: string): Emit {
  return (ctx) => ctx.call(name, operandAddress(ctx, 6, true, 1));
}

function movFromControl(ctx: Context): void {
  write(ctx, 0, ctx.callFor('mov_from_cr', ctx.const(ctx.insn.reg)));
}

function movToControl(ctx: Context): void {
  ctx.call('mov_to_cr', ctx.const(ctx.insn.reg), read(ctx, 1, ANY));
  endEvent(ctx);
}

function movFromDebug(ctx: Context): void {
  write(ctx, 0, ctx.callFor('mov_from_dr', ctx.const(ctx.insn.reg)));
}

function movToDebug(ctx: Context): void {
  ctx.call('mov_to_dr', ctx.const(ctx.insn.reg), read(ctx, 1, ANY));
  endEvent(ctx);
}

function invlpg(ctx: Context): void {
  ctx.call('invlpg', linearAddress(ctx, ctx.insn.seg, operandOffset(ctx)));
  endEvent(ctx);
}

/** The helper writes EIP: an interrupt returns behind the HLT. */
function hlt(ctx: Context): void {
  ctx.call('hlt', ctx.const(ctx.nextEip));
  endTransfer(ctx);
}

/** LAR, LSL: ZF tells whether the destination was written. */
function loadRights(name: string): Emit {
  return (ctx) => {
    const result = ctx.callFor(name, read(ctx, 1, ZERO), ctx.const(ctx.insn.opSize), read(ctx, 0, ZERO));
    ctx.cc.setDynamic();
    write(ctx, 0, result);
  };
}

function verify(name: string): Emit {
  return (ctx) => {
    ctx.call(name, read(ctx, 0, ZERO));
    ctx.cc.setDynamic();
  };
}

/** ARPL: raises the destination's RPL to the source's and sets ZF, or clears ZF. Memory is written, and need be writable, only if it changes. */
function arpl(ctx: Context): void {
  const { b, cc } = ctx;
  const selector = read(ctx, 0, ZERO);
  const own = b.temp(), other = b.temp(), raised = b.temp(), result = b.temp(), less = b.temp();
  b.andi(own, selector, 3);
  b.andi(other, read(ctx, 1, ANY), 3);
  b.deposit(raised, selector, other, 0, 2);
  b.movcond(LTU, result, own, other, raised, selector);
  b.setcond(LTU, less, own, other);
  const unchanged = registerOf(ctx, 0) >= 0 ? -1 : b.label();
  if (unchanged >= 0) b.brcondi(EQ, less, 0, unchanged);
  ctx.skippable(() => write(ctx, 0, result));
  if (unchanged >= 0) b.setLabel(unchanged);
  const flags = cc.allBut(ZF);
  b.deposit(flags, flags, less, 6, 1);
  cc.setAll(flags);
}

/** A helper with registers for operands. */
const helper = (name: string): Emit => (ctx) => ctx.call(name);

/** SYSENTER, SYSEXIT: the helper writes EIP. */
function fastTransfer(name: string): Emit {
  return (ctx) => {
    ctx.call(name);
    endTransfer(ctx);
  };
}

/** CLAC, STAC: what the supervisor may access changes. #UD at other levels. */
function setAc(value: number): Emit {
  return (ctx) => {
    if (ctx.cpl !== 0) raise(ctx, EXC_UD);
    else {
      ctx.call('set_ac', ctx.const(value));
      endEvent(ctx);
    }
  };
}

export const system: Family = {
  ARPL: protectedOnly(arpl),
  CLAC: setAc(0),
  CLTS: privileged(systemCall('clts')),
  HLT: privileged(hlt),
  INVD: privileged(systemCall('wbinvd')),
  INVLPG: privileged(invlpg),
  LAR: withFlags(protectedOnly(loadRights('lar'))),
  LGDT: privileged(loadTable('lgdt')),
  LIDT: privileged(loadTable('lidt')),
  LLDT: protectedOnly(privileged(withWord('lldt'))),
  LMSW: privileged(withWord('lmsw')),
  LSL: withFlags(protectedOnly(loadRights('lsl'))),
  LTR: protectedOnly(privileged(withWord('ltr'))),
  'MOV Cd,Rd': privileged(movToControl),
  'MOV Dd,Rd': privileged(movToDebug),
  'MOV Rd,Cd': privileged(movFromControl),
  'MOV Rd,Dd': privileged(movFromDebug),
  RDMSR: privileged(helper('rdmsr')),
  RDPMC: helper('rdpmc'),
  RDTSC: helper('rdtsc'),
  RDTSCP: helper('rdtscp'),
  SGDT: unprivileged(storeTable('sgdt')),
  SIDT: unprivileged(storeTable('sidt')),
  SLDT: protectedOnly(unprivileged(storeWord(LDT_SEL))),
  SMSW: unprivileged(storeWord(CR0)),
  STAC: setAc(1),
  STR: protectedOnly(unprivileged(storeWord(TR_SEL))),
  SYSENTER: fastTransfer('sysenter'),
  SYSEXIT: privileged(fastTransfer('sysexit')),
  VERR: withFlags(protectedOnly(verify('verr'))),
  VERW: withFlags(protectedOnly(verify('verw'))),
  WBINVD: privileged(systemCall('wbinvd')),
  WRMSR: privileged(systemCall('wrmsr')),
};
