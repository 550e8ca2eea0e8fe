/** Evaluates pure ops on constants, by compiling their `js` text once per op and immediates. */
import { mulSignedHigh, mulUnsignedHigh } from './arith.ts';
import type { OpDef } from './ops.ts';

/** Takes the op's inputs in order; those that it does not have are ignored. */
export type Evaluator = (a: number, b: number, c: number, d: number) => number;

const evaluators = new Map<number, Evaluator>();

/** Function of a pure i32 op with these immediates (0 where it has fewer). The same ones always give the same function. */
export function evaluator(def: OpDef, immediate0: number, immediate1: number): Evaluator {
  const key = (def.number * 256 + immediate0) * 256 + immediate1;
  let evaluate = evaluators.get(key);
  if (evaluate === undefined) {
    if (def.js === undefined) throw new Error(`${def.name} cannot be evaluated`);
    const inputs = ['a', 'b', 'c', 'd'].slice(0, def.ins);
    const text = def.js(...inputs, String(immediate0), String(immediate1));
    evaluate = new Function('mulUnsignedHigh', 'mulSignedHigh', `return (a, b, c, d) => ${text};`)(mulUnsignedHigh, mulSignedHigh) as Evaluator;
    evaluators.set(key, evaluate);
  }
  return evaluate;
}
