/**
 * x87 instructions (SDM vol. 1, 5.2). Operand address, #NM, undefined forms, pending exceptions and memory are settled here, so that the
 * helpers of the common forms touch x87 state only.
 */
import { EQ, LT, TSTEQ } from '../../tcg/conditions.ts';
import { loadForm, registerForm, storeSize } from '../fpu/forms.ts';
import type { FastForm, LoadForm } from '../fpu/forms.ts';
import { memoryInstruction, operandSize } from '../fpu/memory.ts';
import { packOpcode } from '../fpu/helpers.ts';
import { controlInstruction, registerInstruction } from '../fpu/registers.ts';
import { FPU_BYTES, FPU_FCS, FPU_FDP, FPU_FDS, FPU_FIP, FPU_FOP, FPU_SW } from '../fpu/state.ts';
import { CS, EAX, EXC_NM, EXC_UD, HF_EM, HF_MP, HF_TS, SEG_SEL } from '../state.ts';
import { raise } from './block-end.ts';
import type { Context } from './context.ts';
import { forAll } from './emitter.ts';
import type { Family } from './emitter.ts';
import { load, store } from './memory.ts';
import { operandAddress, operandOffset } from './operands.ts';

const SW_ES = 0x80;

/** An exception of an earlier x87 instruction is reported before this one. */
export function reportPending(ctx: Context): void {
  const { b } = ctx;
  const status = b.temp(), none = b.label();
  b.ldEnv(status, FPU_SW);
  b.brcondi(TSTEQ, status, SW_ES, none);
  ctx.call('fwait');
  b.setLabel(none);
}

/** The pointers to the last instruction, and to its operand (SDM vol. 1, 8.1.8). */
function remember(ctx: Context, packed: number, offset = -1): void {
  const { b, insn } = ctx;
  const selector = b.temp();
  b.sti(FPU_FIP, insn.eip);
  b.ldEnv(selector, SEG_SEL + CS);
  b.stEnv(selector, FPU_FCS);
  b.sti(FPU_FOP, packed & 0x7ff);
  if (offset < 0) return;
  const segment = b.temp();
  b.stEnv(offset, FPU_FDP);
  b.ldEnv(segment, SEG_SEL + insn.seg);
  b.stEnv(segment, FPU_FDS);
}

function callForm(ctx: Context, { name, args, operands }: FastForm, packed: number): void {
  ctx.call(name, ...args.map((arg) => ctx.const(arg)), ctx.const(packed | operands));
}

/** FCMOVcc (DA and DB C0-DF): the condition codes of Jcc for below, equal, below or equal, parity; DB has the opposites. */
const CONDITIONS = [2, 4, 6, 10];

function conditionalMove(ctx: Context, opcode: number, packed: number): void {
  const { b, insn } = ctx, value = b.temp();
  reportPending(ctx);
  const { condition, a, b: other } = ctx.cc.condition(CONDITIONS[insn.reg]! + (opcode & 1));
  b.setcond(condition, value, a, other);
  remember(ctx, packed);
  ctx.call('x87_cmov', ctx.const(insn.rm), value);
}

/** FCOMI, FUCOMI, FCOMIP, FUCOMIP: flags stay as they are if an exception is not masked. */
function compareIntoFlags(ctx: Context, quiet: boolean, pops: number, packed: number): void {
  const { b, insn } = ctx, result = b.temp();
  reportPending(ctx);
  const before = ctx.cc.all();
  remember(ctx, packed);
  const flags = ctx.callFor('x87_comi', ctx.const(insn.rm), ctx.const(quiet ? 1 : 0), ctx.const(pops));
  b.movcond(LT, result, flags, ctx.const(0), before, flags);
  ctx.cc.setAll(result);
}

/** What the P6 has added to the register forms. */
function p6Form(ctx: Context, opcode: number, reg: number): 'move' | 'compare' | undefined {
  if (!ctx.features.has('cmov')) return undefined;
  if ((opcode === 2 || opcode === 3) && reg < 4) return 'move';
  return (opcode === 3 || opcode === 7) && (reg === 5 || reg === 6) ? 'compare' : undefined;
}

/** FNSTSW AX, FNINIT and the like do not look at pending exceptions. */
function registerInstructions(ctx: Context, opcode: number, packed: number): void {
  const { b, insn } = ctx;
  if (opcode === 7 && insn.modrm === 0xe0) {
    const status = b.temp();
    b.ldEnv(status, FPU_SW);
    ctx.setRegister(2, EAX, status);
  } else if (controlInstruction(opcode, insn.modrm) !== null) {
    ctx.call('x87_control', ctx.const(packed));
  } else if (p6Form(ctx, opcode, insn.reg) === 'move') {
    conditionalMove(ctx, opcode, packed);
  } else if (p6Form(ctx, opcode, insn.reg) === 'compare') {
    compareIntoFlags(ctx, insn.reg === 5, opcode === 7 ? 1 : 0, packed);
  } else if (registerInstruction(opcode, insn.modrm) === null) {
    raise(ctx, EXC_UD);
  } else {
    reportPending(ctx);
    remember(ctx, packed);
    callForm(ctx, registerForm(opcode, insn.modrm), packed);
  }
}

function loads(ctx: Context, packed: number, { size, convert, then }: LoadForm): void {
  const { b } = ctx;
  const linear = operandAddress(ctx, size, false), offset = operandOffset(ctx);
  reportPending(ctx);
  if (size === 8) b.loadVec(FPU_BYTES, linear, 8);
  else b.stEnv(load(ctx, linear, size), FPU_BYTES);
  remember(ctx, packed, offset);
  ctx.call(convert);
  callForm(ctx, then, packed);
}

/** Ordinary numbers are made ready, written, and then the instruction completes; everything else is one helper. */
function stores(ctx: Context, packed: number, size: 2 | 4 | 8): void {
  const { b, insn } = ctx;
  const linear = operandAddress(ctx, size, true), offset = operandOffset(ctx);
  reportPending(ctx);
  const other = b.label(), done = b.label();
  b.brcondi(EQ, ctx.callFor('x87_prepare', ctx.const(packed)), 0, other);
  if (size === 8) b.storeVec(FPU_BYTES, linear, 8);
  else {
    const value = b.temp();
    b.ldEnv(value, FPU_BYTES);
    store(ctx, linear, size, value);
  }
  remember(ctx, packed, offset);
  ctx.call('x87_commit', ctx.const(packed));
  b.br(done);
  b.setLabel(other);
  ctx.call('x87_memory', ctx.const(packed), linear, offset, ctx.const(insn.eip));
  b.setLabel(done);
}

/** Under alignment check 80 bits lie as 64 do, environment and state as their words. */
function memoryAddress(ctx: Context, size: number, write: boolean): number {
  const alignment = size > 10 ? ctx.insn.opSize : size === 10 ? 8 : size;
  return operandAddress(ctx, size, write, alignment);
}

function escape(ctx: Context): void {
  const { insn } = ctx;
  if ((ctx.key.flags & (HF_EM | HF_TS)) !== 0) {
    raise(ctx, EXC_NM);
    return;
  }
  const opcode = insn.row.opcode & 7, wide = insn.opSize === 4;
  const packed = packOpcode(opcode, insn.modrm, wide, insn.seg);
  if (insn.mod === 3) {
    registerInstructions(ctx, opcode, packed);
    return;
  }
  // FISTTP.
  const defined = insn.reg !== 1 || (opcode & 1) === 0 || ctx.features.has('sse3');
  const instruction = defined ? memoryInstruction(opcode, insn.reg) : null, loaded = loadForm(opcode, insn.reg), stored = storeSize(opcode, insn.reg);
  if (instruction === null) raise(ctx, EXC_UD);
  else if (loaded !== undefined) loads(ctx, packed, loaded);
  else if (stored !== undefined) stores(ctx, packed, stored);
  else ctx.call('x87_memory', ctx.const(packed), memoryAddress(ctx, operandSize(instruction, wide), instruction.write), operandOffset(ctx), ctx.const(insn.eip));
}

/** WAIT: reports a pending exception; #NM only if the task switch flag is to be monitored. */
function wait(ctx: Context): void {
  if ((ctx.key.flags & (HF_MP | HF_TS)) === (HF_MP | HF_TS)) raise(ctx, EXC_NM);
  else ctx.call('fwait');
}

export const x87: Family = { WAIT: wait, ...forAll([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `ESC${n}`), escape) };
