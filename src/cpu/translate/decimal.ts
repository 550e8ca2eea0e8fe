/** Decimal arithmetic instructions: DAA, DAS, AAA, AAS, AAM, AAD (SDM vol. 1, 5.1.3). All by helpers, which set the flags. */
import type { Context } from './context.ts';
import { withFlags } from './emitter.ts';
import type { Family } from './emitter.ts';

function adjust(name: string) {
  return withFlags((ctx: Context): void => {
    ctx.call(name);
    ctx.cc.setDynamic();
  });
}

/** With a base: AAM and AAD. */
function adjustWithBase(name: string) {
  return withFlags((ctx: Context): void => {
    ctx.call(name, ctx.const(ctx.insn.imm));
    ctx.cc.setDynamic();
  });
}

export const decimal: Family = {
  AAA: adjust('aaa'), AAD: adjustWithBase('aad'), AAM: adjustWithBase('aam'), AAS: adjust('aas'), DAA: adjust('daa'), DAS: adjust('das'),
};
