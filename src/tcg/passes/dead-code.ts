/** Drops what cannot be reached, labels without branches, jumps to the next op, and computations that nothing reads. */
import { TEMP, type Block, type Op } from '../ir.ts';
import * as O from '../ops.ts';
import { createRemoval } from './liveness.ts';

export function createDeadCode(): (block: Block) => void {
  const removeUnread = createRemoval(TEMP);
  return (block) => {
    if (block.labels > 0) removeUnreachable(block);
    removeUnread(block);
  };
}

function removeUnreachable(block: Block): void {
  const { ops } = block;
  const targets = reachableTargets(block);
  let kept = 0;
  let reachable = true;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!, { def } = op;
    if (def === O.SET_LABEL) {
      const label = op.args[0]!;
      // A jump to the next op.
      while (kept > 0 && isBranchTo(ops[kept - 1]!, label)) {
        kept--;
        targets[label]!--;
        reachable = true;
      }
      if (targets[label] === 0) continue;
      reachable = true;
    }
    if (!reachable) continue;
    ops[kept++] = op;
    if (def.ends) reachable = false;
  }
  ops.length = kept;
}

const isBranchTo = (op: Op, label: number): boolean =>
  (op.def === O.BR || op.def === O.BRCOND) && op.args.at(-1) === label;

/** How many reachable branches go to each label. */
function reachableTargets(block: Block): number[] {
  const targets: number[] = new Array<number>(block.labels).fill(0);
  let reachable = true;
  for (const op of block.ops) {
    const { def } = op;
    if (def === O.SET_LABEL) {
      const label = op.args[0]!;
      // A label that only branches further down go to is taken for reachable.
      reachable ||= targets[label]! > 0 || hasBranchAfter(block, label);
    }
    if (!reachable) continue;
    if (def === O.BR || def === O.BRCOND) targets[op.args.at(-1)!]!++;
    if (def.ends) reachable = false;
  }
  return targets;
}

function hasBranchAfter(block: Block, label: number): boolean {
  let seen = false;
  for (const op of block.ops) {
    if (op.def === O.SET_LABEL && op.args[0] === label) seen = true;
    else if (seen && (op.def === O.BR || op.def === O.BRCOND) && op.args.at(-1) === label) return true;
  }
  return false;
}
