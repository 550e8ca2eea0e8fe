/**
 * Which values are still needed, walking a block backwards; and the removal of ops whose outputs are not.
 *
 * Ops that may leave, and those that end the block, read all globals; a call reads and writes them as its helper declares.
 * At a label, what is live is remembered for the branches to it; a branch to a label further up (a loop) keeps everything.
 */
import { GLOBAL, TEMP, type Block, type Op } from '../ir.ts';
import * as O from '../ops.ts';

/** Ops without effect but their output. */
export function isRemovable(block: Block, op: Op): boolean {
  return op.def.pure || op.def === O.LD_ENV || (op.def === O.CALL && block.helpers[op.args[0]!]!.pure);
}

/**
 * Removes ops that only write a dead value of the given kind (GLOBAL or TEMP). For dead globals, computations of dead
 * temporaries stay, but count as reading nothing: removing dead temporaries afterwards finds everything.
 */
export function createRemoval(kind: typeof GLOBAL | typeof TEMP): (block: Block) => void {
  let live = new Uint8Array(1024);
  const atLabel: (Uint8Array | undefined)[] = [];

  return (block) => {
    const { ops, kinds, values } = block;
    const globals = block.globals.length;
    if (values > live.length) live = new Uint8Array(values * 2);
    live.fill(0, 0, values);
    atLabel.length = 0;
    let first = ops.length;
    for (let i = ops.length - 1; i >= 0; i--) {
      const op = ops[i]!, { def, args } = op;
      const helper = def === O.CALL ? block.helpers[args[0]!]! : undefined;
      const firstOut = helper === undefined ? 0 : 1, firstIn = firstOut + block.outs(op);
      const end = helper === undefined ? firstIn + def.ins : args.length;
      if (firstIn > firstOut) {
        const out = args[firstOut]!;
        if (def === O.DISCARD) {
          live[out] = 0;
        } else if (live[out] === 0 && isRemovable(block, op)) {
          if (kinds[out] === kind) continue;
          if (kind === GLOBAL) {
            ops[--first] = op;
            continue;
          }
        }
        // Only an op that always comes to its end hides what was there before.
        live[out] = 0;
      }
      if (def.ends || def === O.BRCOND) {
        if (def === O.BR || def === O.BRCOND) {
          const target = atLabel[args[args.length - 1]!];
          if (target === undefined) live.fill(1, 0, values);
          else if (def === O.BR) live.set(target);
          else for (let v = 0; v < target.length; v++) live[v]! |= target[v]!;
        } else {
          live.fill(0, globals, values);
          live.fill(1, 0, globals);
        }
      } else if (def === O.SET_LABEL) {
        atLabel[args[0]!] = live.slice(0, values);
      } else if (def.mayExit || def === O.GOTO_TB || helper?.mayFault || (helper !== undefined && helper.globals !== 'none')) {
        live.fill(1, 0, globals);
      }
      for (let k = firstIn; k < end; k++) live[args[k]!] = 1;
      ops[--first] = op;
    }
    if (first > 0) ops.splice(0, first);
  };
}
