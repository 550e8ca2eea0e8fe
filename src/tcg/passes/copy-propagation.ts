/**
 * Copy propagation: reads the source of a copy instead of the copy, and drops moves of a word to where it is already.
 * A temporary that was moved to a global is read from the global: the packer's moves then have only one reader.
 */
import type { Block } from '../ir.ts';
import * as O from '../ops.ts';
import { Values } from './values.ts';

export function createCopyPropagation(): (block: Block) => void {
  const values = new Values();
  return (block) => propagateCopies(values, block);
}

function propagateCopies(values: Values, block: Block): void {
  const { ops } = block;
  values.begin(block);
  let kept = 0;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!, { def, args } = op;
    if (def === O.SET_LABEL) values.forget();
    const isCall = def === O.CALL;
    const firstOut = isCall ? 1 : 0, firstIn = firstOut + block.outs(op);
    const end = isCall ? args.length : firstIn + def.ins;
    for (let k = firstIn; k < end; k++) args[k] = values.resolve(args[k]!);
    if (isCall && block.helpers[args[0]!]!.globals === 'write') values.defineGlobals();
    if (def === O.MOV) {
      const d = args[0]!, from = args[1]!;
      if (d === from || values.resolve(d) === from) continue;
      values.define(d);
      values.copy(d, from);
    } else {
      for (let k = firstOut; k < firstIn; k++) values.define(args[k]!);
    }
    ops[kept++] = op;
  }
  ops.length = kept;
}
