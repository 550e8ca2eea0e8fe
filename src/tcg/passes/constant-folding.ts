/**
 * Constant folding: replaces inputs that are known constants, evaluates ops whose inputs all are, and applies the
 * algebraic identities of folds.ts. Knowledge flows forward and is dropped where paths join.
 */
import { evaluator } from '../evaluate.ts';
import { CONST, type Block, type Op } from '../ir.ts';
import * as O from '../ops.ts';
import { Folder } from './folder.ts';
import { FOLDS } from './folds.ts';

export function createConstantFolding(): (block: Block) => void {
  const folder = new Folder();
  return (block) => foldConstants(folder, block);
}

function foldConstants(folder: Folder, block: Block): void {
  folder.begin(block);
  const { values } = folder;
  const { ops, kinds } = block;
  let kept = 0;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    if (op.def === O.SET_LABEL) values.forget();
    const isCall = op.def === O.CALL;
    const { args } = op;
    const firstOut = isCall ? 1 : 0, firstIn = firstOut + block.outs(op);
    const end = isCall ? args.length : firstIn + op.def.ins;
    let constants = 0;
    for (let k = firstIn; k < end; k++) {
      const known = values.resolve(args[k]!);
      if (kinds[known] === CONST) {
        args[k] = known;
        constants++;
      }
    }
    if (isCall && block.helpers[args[0]!]!.globals === 'write') values.defineGlobals();
    if (constants > 0 && constants === op.def.ins && op.def.js !== undefined && op.def !== O.MOV) evaluate(folder, op);
    else if (FOLDS[op.def.number]?.(folder, op) === false) continue;
    if (op.def === O.MOV) {
      const d = op.args[0]!, from = values.resolve(op.args[1]!);
      // The output holds this word already.
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

function evaluate(folder: Folder, op: Op): void {
  const { def, args } = op;
  const base = def.outs + def.ins;
  const input = (i: number): number => (i < def.ins ? folder.number(args[i + 1]!) : 0);
  folder.toNumber(op, evaluator(def, args[base] ?? 0, args[base + 1] ?? 0)(input(0), input(1), input(2), input(3)));
}
