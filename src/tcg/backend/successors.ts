/** Where blocks go on at an EIP that is known: what regions are grown along. */
import type { Block } from '../ir.ts';
import * as O from '../ops.ts';

/** The EIP that the goto_tb or lookup_and_goto_ptr at `at` leads to, if that is a constant. It is written right behind the former, before the latter. */
export function constantTarget(block: Block, at: number, eip: number): number | undefined {
  const { ops } = block;
  const step = ops[at]!.def === O.GOTO_TB ? 1 : -1;
  for (let i = at + step; i >= 0 && i < ops.length; i += step) {
    const { def, args } = ops[i]!;
    if (def === O.MOV && args[0] === eip) return block.isConst(args[1]!) ? block.constValue(args[1]!) : undefined;
    // Behind a goto_tb stand moves only; before the end of a block, anything that leaves EIP alone.
    if (step > 0 ? def !== O.MOV : def === O.SET_LABEL || def === O.CALL || (def.outs > 0 && args.slice(0, def.outs).includes(eip))) return undefined;
  }
  return undefined;
}

const NONE: readonly number[] = [];

/** All of them, for an optimized block. */
export function successorsOf(block: Block, eip: number): readonly number[] {
  const found: number[] = [];
  block.ops.forEach(({ def }, at) => {
    if (def !== O.GOTO_TB && def !== O.LOOKUP_AND_GOTO_PTR) return;
    const target = constantTarget(block, at, eip);
    if (target !== undefined) found.push(target);
  });
  // A copy takes no more room than it needs, and there are as many as blocks.
  return found.length === 0 ? NONE : found.slice();
}
