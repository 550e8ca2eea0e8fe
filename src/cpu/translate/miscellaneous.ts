/** Miscellaneous instructions: LEA, NOP, UD0-UD2, XLAT, CPUID (SDM vol. 1, 5.1.13). */
import { EAX, EBX, EXC_UD } from '../state.ts';
import { raise } from './block-end.ts';
import { ZERO } from './context.ts';
import type { Context } from './context.ts';
import type { Family } from './emitter.ts';
import { access, effectiveAddress, load, wrapAddress } from './memory.ts';
import { write } from './operands.ts';

function lea(ctx: Context): void {
  write(ctx, 0, effectiveAddress(ctx));
}

function nop(): void {}

/** UD0, UD1, UD2. */
function undefinedInsn(ctx: Context): void {
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

export const miscellaneous: Family = { CPUID: cpuid, LEA: lea, NOP: nop, UD0: undefinedInsn, UD1: undefinedInsn, UD2: undefinedInsn, XLAT: xlat };
