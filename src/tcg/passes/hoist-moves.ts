/**
 * A constant that both ways of a branch write first (cc_op, as a rule) is written once before the branch. The packer can then
 * make one op of the write, the branch and the goto_tb on either way.
 */
import { CONST, GLOBAL, type Block } from '../ir.ts';
import * as O from '../ops.ts';

export function hoistMoves(block: Block): void {
  if (block.labels === 0) return;
  const { ops, kinds } = block;
  for (let i = 0; i + 1 < ops.length; i++) {
    const branch = ops[i]!;
    if (branch.def !== O.BRCOND) continue;
    const at = onlyWayTo(block, branch.args[3]!);
    if (at < 0) continue;
    let hoisted = 0;
    for (;; hoisted++) {
      const one = ops[i + hoisted + 1]!, other = ops[at + hoisted + 1];
      if (one.def !== O.MOV || other?.def !== O.MOV || one.args[0] !== other.args[0] || one.args[1] !== other.args[1]) break;
      const [d, value] = one.args as [number, number];
      if (kinds[d] !== GLOBAL || kinds[value] !== CONST || branch.args[0] === d || branch.args[1] === d) break;
      ops[i + hoisted] = one;
      ops[i + hoisted + 1] = branch;
    }
    if (hoisted > 0) ops.splice(at + 1, hoisted);
    i += hoisted;
  }
}

/** Index of the set_label of a label that one branch alone goes to, further up, and that nothing falls into; else -1. */
function onlyWayTo(block: Block, label: number): number {
  const { ops } = block;
  let branches = 0;
  for (let i = 0; i < ops.length; i++) {
    const { def, args } = ops[i]!;
    if ((def === O.BR || def === O.BRCOND) && args[args.length - 1] === label) branches++;
    else if (def === O.SET_LABEL && args[0] === label) return branches === 1 && ops[i - 1]!.def.ends && !hasBranchTo(block, label, i) ? i : -1;
  }
  return -1;
}

function hasBranchTo(block: Block, label: number, from: number): boolean {
  const { ops } = block;
  for (let i = from; i < ops.length; i++) {
    const { def, args } = ops[i]!;
    if ((def === O.BR || def === O.BRCOND) && args[args.length - 1] === label) return true;
  }
  return false;
}
