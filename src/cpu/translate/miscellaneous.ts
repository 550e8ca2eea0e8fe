/** Miscellaneous instructions: LEA, NOP, UD2, XLAT, CPUID, and the x87 rows while there is no x87 (SDM vol. 1, 5.1.13). */
import { EAX, EBX, EXC_NM, EXC_UD, HF_EM, HF_MP, HF_TS } from '../state.ts';
import { raise } from './block-end.ts';
import { ZERO } from './context.ts';
import type { Context } from './context.ts';
import { forAll } from './emitter.ts';
import type { Family } from './emitter.ts';
import { access, effectiveAddress, load, wrapAddress } from './memory.ts';
import { write } from './operands.ts';

function lea(ctx: Context): void {
  write(ctx, 0, effectiveAddress(ctx));
}

function nop(): void {}

function ud2(ctx: Context): void {
  raise(ctx, EXC_UD);
}

/** AL = byte at DS:eBX + AL. */
function xlat(ctx: Context): void {
  const { b, insn } = ctx;
  const sum = b.temp();
  b.add(sum, ctx.register(1, EAX, ZERO), EBX);
  const linear = access(ctx, insn.seg, wrapAddress(ctx, sum, insn.addrSize), 1, false);
  ctx.setRegister(1, EAX, load(ctx, linear, 1));
}

function cpuid(ctx: Context): void {
  ctx.call('cpuid');
}

/** WAIT without a coprocessor does nothing but trap a task switch. */
function wait(ctx: Context): void {
  if ((ctx.key.flags & (HF_MP | HF_TS)) === (HF_MP | HF_TS)) raise(ctx, EXC_NM);
}

/** No coprocessor: #NM if the system emulates or switches one, else no such instruction. */
function escape(ctx: Context): void {
  raise(ctx, (ctx.key.flags & (HF_EM | HF_TS)) !== 0 ? EXC_NM : EXC_UD);
}

export const miscellaneous: Family = { CPUID: cpuid, LEA: lea, NOP: nop, UD2: ud2, XLAT: xlat };

/** What stands in for x87.ts. */
export const noCoprocessor: Family = {
  WAIT: wait,
  ...forAll([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `ESC${n}`), escape),
};
