/**
 * x87 instructions (SDM vol. 1, 5.2). Operand address, #NM, undefined forms, pending exceptions and memory are settled here, so that the
 * helpers of the common forms touch x87 state only.
 */
import { EQ, TSTEQ } from '../../tcg/conditions.ts';
import { loadSize, storeSize } from '../fpu/fast.ts';
import { memoryInstruction, operandSize } from '../fpu/memory.ts';
import { packOpcode } from '../fpu/helpers.ts';
import { controlInstruction, registerInstruction } from '../fpu/registers.ts';
import { FPU_BYTES, FPU_SW } from '../fpu/state.ts';
import { EAX, EXC_NM, EXC_UD, HF_EM, HF_MP, HF_TS } from '../state.ts';
import { raise } from './block-end.ts';
import type { Context } from './context.ts';
import { forAll } from './emitter.ts';
import type { Family } from './emitter.ts';
import { load, store } from './memory.ts';
import { operandAddress, operandOffset } from './operands.ts';

const SW_ES = 0x80;

/** An exception of an earlier x87 instruction is reported before this one. */
function reportPending(ctx: Context): void {
  const { b } = ctx;
  const status = b.temp(), none = b.label();
  b.ldEnv(status, FPU_SW);
  b.brcondi(TSTEQ, status, SW_ES, none);
  ctx.call('fwait');
  b.setLabel(none);
}

/** FNSTSW AX, FNINIT and the like do not look at pending exceptions. */
function registerForm(ctx: Context, opcode: number, packed: number): void {
  const { b, insn } = ctx;
  if (opcode === 7 && insn.modrm === 0xe0) {
    const status = b.temp();
    b.ldEnv(status, FPU_SW);
    ctx.setRegister(2, EAX, status);
  } else if (controlInstruction(opcode, insn.modrm) !== null) {
    ctx.call('x87_control', packed);
  } else if (registerInstruction(opcode, insn.modrm) === null) {
    raise(ctx, EXC_UD);
  } else {
    reportPending(ctx);
    ctx.call('x87_register', packed, ctx.const(insn.eip));
  }
}

function loadForm(ctx: Context, packed: number, size: 2 | 4 | 8): void {
  const { b, insn } = ctx;
  const linear = operandAddress(ctx, size, false), offset = operandOffset(ctx);
  reportPending(ctx);
  if (size === 8) b.loadVec(FPU_BYTES, linear, 8);
  else b.stEnv(load(ctx, linear, size), FPU_BYTES);
  ctx.call('x87_load', packed, ctx.const(insn.eip), offset);
}

/** Ordinary numbers are made ready, written, and then the instruction completes; everything else is one helper. */
function storeForm(ctx: Context, packed: number, size: 2 | 4 | 8): void {
  const { b, insn } = ctx;
  const linear = operandAddress(ctx, size, true), offset = operandOffset(ctx), eip = ctx.const(insn.eip);
  reportPending(ctx);
  const other = b.label(), done = b.label();
  b.brcondi(EQ, ctx.callFor('x87_prepare', packed), 0, other);
  if (size === 8) b.storeVec(FPU_BYTES, linear, 8);
  else {
    const value = b.temp();
    b.ldEnv(value, FPU_BYTES);
    store(ctx, linear, size, value);
  }
  ctx.call('x87_commit', packed, eip, offset);
  b.br(done);
  b.setLabel(other);
  ctx.call('x87_memory', packed, linear, offset, eip);
  b.setLabel(done);
}

function escape(ctx: Context): void {
  const { insn } = ctx;
  if ((ctx.key.flags & (HF_EM | HF_TS)) !== 0) {
    raise(ctx, EXC_NM);
    return;
  }
  const opcode = insn.row.opcode & 7, wide = insn.opSize === 4;
  const packed = ctx.const(packOpcode(opcode, insn.modrm, wide, insn.seg));
  if (insn.mod === 3) {
    registerForm(ctx, opcode, packed);
    return;
  }
  const instruction = memoryInstruction(opcode, insn.reg), loaded = loadSize(opcode, insn.reg), stored = storeSize(opcode, insn.reg);
  if (instruction === null) raise(ctx, EXC_UD);
  else if (loaded !== undefined) loadForm(ctx, packed, loaded);
  else if (stored !== undefined) storeForm(ctx, packed, stored);
  else ctx.call('x87_memory', packed, operandAddress(ctx, operandSize(instruction, wide), instruction.write), operandOffset(ctx), ctx.const(insn.eip));
}

/** WAIT: reports a pending exception; #NM only if the task switch flag is to be monitored. */
function wait(ctx: Context): void {
  if ((ctx.key.flags & (HF_MP | HF_TS)) === (HF_MP | HF_TS)) raise(ctx, EXC_NM);
  else ctx.call('fwait');
}

export const x87: Family = { WAIT: wait, ...forAll([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `ESC${n}`), escape) };
