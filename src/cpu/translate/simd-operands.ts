/**
 * Operands of MMX and SSE instructions: registers are slots of the state, memory is loaded into SIMD_BYTES. And what such an instruction
 * asks first: #UD, #NM, pending x87 exceptions (SDM vol. 1, 9.5, 11.6.6; vol. 3, 2.5, 12.1, 13.1).
 */
import { TSTNE } from '../../tcg/conditions.ts';
import { FPU_EXP, FPU_LOW, FPU_SW, FPU_TW } from '../fpu/state.ts';
import { SIMD_BYTES, XMM, XMM_WORDS } from '../simd/state.ts';
import { EXC_GP, EXC_NM, EXC_UD, HF_EM, HF_OSFXSR, HF_TS } from '../state.ts';
import { raise } from './block-end.ts';
import type { Context } from './context.ts';
import type { Emit } from './emitter.ts';
import { load } from './memory.ts';
import { operandAddress } from './operands.ts';
import { reportPending } from './x87.ts';

const TOP = 0x3800;
/** What MMX leaves in the exponent of a register that it writes. */
const MMX_EXPONENT = 0xffff;

const letterOf = (ctx: Context, n: number): string => ctx.insn.row.operands[n]?.[0] ?? '';
export const isMmx = (ctx: Context, n: number): boolean => 'PQN'.includes(letterOf(ctx, n));

const usesMmxRegister = ({ insn: { row, mod } }: Context): boolean => row.operands.some((operand) => 'PN'.includes(operand[0]!) || (operand[0] === 'Q' && mod === 3));

/** The emitter, behind the checks that come before it: `mmx` instructions need no CR4.OSFXSR, but end pending x87 exceptions. */
export function simd(emit: Emit, usesMmx = usesMmxRegister): Emit {
  return (ctx) => {
    const { flags } = ctx.key, mmx = usesMmx(ctx), sse = !mmx || ctx.insn.row.operands.some((operand) => 'VWU'.includes(operand[0]!));
    if ((flags & HF_EM) !== 0 || (sse && (flags & HF_OSFXSR) === 0)) raise(ctx, EXC_UD);
    else if ((flags & HF_TS) !== 0) raise(ctx, EXC_NM);
    else {
      if (mmx) reportPending(ctx);
      emit(ctx);
    }
  };
}

/** Whether operand n stands in memory. */
export const inMemory = (ctx: Context, n: number): boolean => ctx.insn.mod !== 3 && 'QWM'.includes(letterOf(ctx, n));

/** Bytes of operand n in memory. */
export function sizeInMemory(ctx: Context, n: number): 4 | 8 | 16 {
  switch (ctx.insn.row.operands[n]!.slice(1)) {
    case 'd': case 'ss': return 4;
    case 'q': case 'sd': return 8;
    default: return 16;
  }
}

/** The first slot of the register that operand n is. */
export function registerSlot(ctx: Context, n: number): number {
  const { insn } = ctx;
  const number = 'PV'.includes(letterOf(ctx, n)) ? insn.reg : insn.rm;
  return isMmx(ctx, n) ? FPU_LOW + 2 * number : XMM + XMM_WORDS * number;
}

/** Operands of 16 bytes must be aligned, except those of MOVU*, LDDQU, and those under alignment check. */
export function vectorAddress(ctx: Context, size: 4 | 8 | 16, write: boolean): number {
  const always = size === 16 && !/^(MOVUP|MOVDQU|LDDQU)/.test(ctx.insn.row.mnemonic);
  const linear = operandAddress(ctx, size, write, always ? 1 : size);
  if (always) ctx.b.trapi(TSTNE, linear, 15, EXC_GP);
  return linear;
}

/** The slot of a source operand, which has been loaded if it is memory. */
export function sourceSlot(ctx: Context, n: number): number {
  if (!inMemory(ctx, n)) return registerSlot(ctx, n);
  const size = sizeInMemory(ctx, n), linear = vectorAddress(ctx, size, false);
  if (size === 4) ctx.b.stEnv(load(ctx, linear, 4), SIMD_BYTES);
  else ctx.b.loadVec(SIMD_BYTES, linear, size);
  return SIMD_BYTES;
}

/** An MMX instruction is carried out: TOP is 0, all tags are valid, and a register that it writes (operand n, or none) has all ones as exponent. */
export function enterMmx(ctx: Context, n = -1): void {
  const { b } = ctx, status = b.temp();
  b.ldEnv(status, FPU_SW);
  b.andi(status, status, ~TOP);
  b.stEnv(status, FPU_SW);
  b.sti(FPU_TW, 0);
  if (n >= 0) b.sti(FPU_EXP + (registerSlot(ctx, n) - FPU_LOW >> 1), MMX_EXPONENT);
}

/** Copies `count` words, 1, 2 or 4. */
export function copyWords({ b }: Context, to: number, from: number, count: number): void {
  if (count > 1) {
    b.movVec(to, from, count === 2 ? 8 : 16);
    return;
  }
  const word = b.temp();
  b.ldEnv(word, from);
  b.stEnv(word, to);
}
