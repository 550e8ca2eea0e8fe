import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Builder } from '../../src/tcg/builder.ts';
import { CONDITIONS } from '../../src/tcg/conditions.ts';
import { evaluator } from '../../src/tcg/evaluate.ts';
import { OPS, type OpDef } from '../../src/tcg/ops.ts';
import { createConstantFolding } from '../../src/tcg/passes/constant-folding.ts';
import { FOLDS } from '../../src/tcg/passes/folds.ts';
import { printBlock } from '../../src/tcg/text.ts';
import { EAX, GLOBALS, TestMachine } from './machine.ts';
import { INTERESTING, MEANING, Random, compare, evaluate, meaningOf } from './oracle.ts';

const PURE = OPS.filter((def) => def.js !== undefined);
const SHIFTS = new Set(['shl_i32', 'shr_i32', 'sar_i32', 'rotl_i32', 'rotr_i32']);

/** All immediates that an op can have, or enough of them. */
function immediatesOf(def: OpDef): number[][] {
  const kinds = def.operands.slice(1 + def.ins);
  if (kinds.length === 0) return [[]];
  if (kinds[0] === 'cond') return CONDITIONS.map((_, c) => [c]);
  const fields: number[][] = [];
  for (let position = 0; position < 32; position++) for (const length of [1, 3, 8, 16, 31, 32]) if (position + length <= 32) fields.push([position, length]);
  return fields;
}

/** Inputs to try: interesting ones in pairs for the first two, random for the rest; shift counts in range. */
function inputsOf(def: OpDef): number[][] {
  const random = new Random(def.number);
  const out: number[][] = [];
  for (const a of INTERESTING) {
    for (const b of def.ins > 1 ? INTERESTING : [0]) out.push([a, SHIFTS.has(def.name) ? b & 31 : b, random.pick(INTERESTING), random.next()].slice(0, def.ins));
  }
  return out;
}

describe('pure ops', () => {
  it('all have a meaning in the oracle, and the other way round', () => {
    expect(PURE.map((def) => def.name).sort()).toEqual(Object.keys(MEANING).sort());
  });

  for (const def of PURE) {
    it(`${def.name} evaluates as the oracle says`, () => {
      for (const immediates of immediatesOf(def)) {
        const evaluate = evaluator(def, immediates[0] ?? 0, immediates[1] ?? 0);
        for (const inputs of inputsOf(def)) {
          const result = evaluate(inputs[0]!, inputs[1] ?? 0, inputs[2] ?? 0, inputs[3] ?? 0);
          const wanted = meaningOf(def)(...inputs, ...immediates);
          if (!Object.is(result, wanted)) expect({ inputs, immediates, result }).toEqual({ inputs, immediates, result: wanted });
        }
      }
    });
  }
});

describe('constant folding', () => {
  const machine = new TestMachine();
  const fold = createConstantFolding();
  const memory = new Uint8Array(256);
  const builder = new Builder(GLOBALS, machine.helpers);
  /** One op on the globals 1-4 or constants in their place, before and after folding. */
  const check = (def: OpDef, inputs: number[], immediates: number[], constant: number, equal: boolean): void => {
    const regs = new Int32Array(32);
    const values = inputs.map((n, i) => {
      if (constant & 1 << i) return builder.const(n);
      const global = equal ? 1 : 1 + i;
      regs[global] = n;
      return global;
    });
    builder.ops.push({ def, args: [EAX, ...values, ...immediates] });
    builder.exitTb(2);
    const before = evaluate(builder, regs.slice(), memory).globals;
    const text = printBlock(builder);
    fold(builder);
    const after = evaluate(builder, regs.slice(), memory).globals;
    if (after[EAX] !== before[EAX]) expect(after, `${text}\n${printBlock(builder)}\n${inputs.join()}`).toEqual(before);
    builder.reset();
  };

  for (const def of PURE) {
    it(`${def.name} keeps its meaning whatever inputs are constants or equal`, () => {
      const everything = inputsOf(def);
      const step = immediatesOf(def).length > 20 ? 7 : 1;
      for (const immediates of immediatesOf(def)) {
        for (let constant = 0; constant < 1 << Math.min(2, def.ins); constant++) {
          for (let i = 0; i < everything.length; i += step) check(def, everything[i]!, immediates, constant, false);
        }
        if (def.ins > 1) for (const n of INTERESTING) check(def, [n, SHIFTS.has(def.name) ? n & 31 : n, n, n].slice(0, def.ins), immediates, 0, true);
      }
    });
  }

  it('leaves one move of a constant where all inputs are known', () => {
    for (const def of PURE) {
      if (def.name === 'mov_i32') continue;
      const inputs = Array.from({ length: def.ins }, (_, i) => builder.const(i + 3));
      const immediates = immediatesOf(def)[0]!;
      builder.ops.push({ def, args: [EAX, ...inputs, ...immediates] });
      fold(builder);
      expect(builder.ops.map((op) => op.def.name)).toEqual(['mov_i32']);
      builder.reset();
    }
  });

  it('decides branches and traps', () => {
    for (let condition = 0; condition < CONDITIONS.length; condition++) {
      for (const a of INTERESTING) {
        for (const b of INTERESTING) {
          const label = builder.label();
          builder.brcond(condition, builder.const(a), builder.const(b), label);
          builder.trap(condition, builder.const(a), builder.const(b), 13);
          fold(builder);
          expect(builder.ops.map((op) => op.def.name)).toEqual(compare(condition, a, b) ? ['br', 'trapcond_i32'] : []);
          builder.reset();
        }
      }
    }
  });

  it('lists its folds in alphabetical order', () => {
    const source = readFileSync(new URL('../../src/tcg/passes/folds.ts', import.meta.url), 'utf8');
    const names = [...source.matchAll(/of\(O\.(\w+),/g)].map((match) => match[1]!);
    expect(names.length).toBe(FOLDS.filter((entry) => entry !== undefined).length);
    expect(names).toEqual([...names].sort());
  });
});
