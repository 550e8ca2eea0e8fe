/**
 * The op interpreter (tier 1): one function with one switch over the packed forms, made once per machine from forms.ts, so
 * that it is bound to its state, code and memory as constants.
 *
 * run(position) starts at a block's head and goes from block to block until something asks to leave:
 *  - EXIT_CHAIN_0/1: goto_tb slot 0/1 of the block that currentOp lies in is not linked; eip is written
 *  - EXIT_EVENT: exit_tb 2
 *  - EXIT_LOOKUP: the jump cache has no block for the state
 *  - EXIT_BUDGET: the next block does not fit in the budget; eip is written, nothing is charged
 *  - EXIT_REGION: a region left at the site in regs[site]; EXIT_HOT: the block at currentOp is to be compiled
 *  - EXIT_TRAP: a trapcond fired: trapCode() is the vector; the instruction at currentOp has done nothing
 *  - what a slow path or a helper put into pendingExit (which is cleared), with the op at currentOp not done
 * An exception thrown by a helper or slow path comes through; currentOp is set. If site is not 0 then, a region made the call,
 * and regionRetired is still to be reduced by what is left of the budget.
 */
import { mulSignedHigh, mulUnsignedHigh } from './arith.ts';
import type { ExecEnv, RegionFunction } from './env.ts';
import { LEAVE_BUDGET, LEAVE_EVENT, LEAVE_LOOKUP } from './backend/emitter.ts';
import { EXIT_BUDGET, EXIT_EVENT, EXIT_HOT, EXIT_LOOKUP, EXIT_REGION } from './env.ts';
import { FORMS } from './forms.ts';
import { warmUp } from './interp-warmup.ts';
import { jumpHashJs } from './jump-cache.ts';

export interface Interpreter {
  /** Runs from the block whose head is at this position in the code; returns EXIT_*. */
  run(position: number): number;
  /** After EXIT_TRAP: the exception vector. */
  trapCode(): number;
}

/** Helper functions by number, as the loop calls them. */
export type HelperFunctions = ((...args: number[]) => number | void)[];

/** The loop's parameters, in order; `E` is the ExecEnv, whose tables may be replaced between runs. */
const PARAMETERS = ['R', 'C', 'J', 'U', 'V', 'F', 'G', 'E', 'slowLoad', 'slowStore', 'slowLoadVec', 'slowStoreVec', 'mulUnsignedHigh', 'mulSignedHigh'] as const;

/** The text of the loop. */
export function interpreterSource(layout: ExecEnv['layout']): string {
  const cases = FORMS.map(({ name, number, words, body, jumps }) =>
    `case ${number}: // ${name}\n${body}${jumps ? '' : ` p = p + ${words} | 0; continue;`}\n`);
  // What every block does first: charge its instructions to the budget, count its executions. The counter starts below 0 and
  // tells at 0 that the block is hot. A head that is not 0 says that a region begins here: function << 16 | entry << 10.
  const start = `
    for (;;) {
      v = C[p];
      if (v === 0) break;
      R[$currentOp] = p; R[$region] = v >>> 16;
      R[$regionEntries] = R[$regionEntries] + 1 | 0; R[$regionRetired] = R[$regionRetired] + R[$budget] + R[$parked] | 0;
      v = G[v >>> 16](v >>> 10 & 63, TR, TW);
      R[$regionRetired] = R[$regionRetired] - (R[$budget] + R[$parked]) | 0;
      if (v !== ${LEAVE_LOOKUP}) {
        if (v > 0) { R[$site] = v; return ${EXIT_REGION}; }
        R[$site] = 0;
        if (v === ${LEAVE_EVENT}) { R[$regionEvents] = R[$regionEvents] + 1 | 0; return ${EXIT_EVENT}; }
        R[$regionBudgets] = R[$regionBudgets] + 1 | 0; return ${EXIT_BUDGET};
      }
      R[$site] = 0;
      b = R[$csBase], pc = R[$eip] + b | 0, t = J[${jumpHashJs('pc')}];
      if (t === 0 || C[t + 1] !== pc || C[t + 2] !== b || C[t + 3] !== R[$csLimit] || C[t + 4] !== R[$flags]) return ${EXIT_LOOKUP};
      if (C[t] === 0) C[p + 8] = C[p + 8] + 1 | 0;
      p = t;
    }
    const n = C[p + 5], left = R[$budget] - n | 0;
    if (left < 0) { R[$eip] = C[p + 1] - C[p + 2] | 0; return ${EXIT_BUDGET}; }
    t = C[p + 7] + 1 | 0; C[p + 7] = t;
    if (t === 0) { R[$eip] = C[p + 1] - C[p + 2] | 0; R[$currentOp] = p; return ${EXIT_HOT}; }
    R[$budget] = left; p = p + 9 | 0;`;
  const text = `return (function run(p) {
    const TR = E.readTable, TW = E.writeTable;
    let w = 0, a = 0, b = 0, h = 0, m = 0, pc = 0, q = 0, t = 0, v = 0;
    for (;;) {
      w = C[p];
      switch (w & 1023) {
      ${cases.join('')}
      default: throw new Error('no op at ' + p);
      }
      ${start}
    }
  })`;
  const slots: Record<string, unknown> = { ...layout };
  return text.replace(/\$(\w+)/g, (_, name: string) => {
    if (typeof slots[name] !== 'number') throw new Error(`no slot ${name}`);
    return String(slots[name]);
  });
}

/** Makes the interpreter of a machine. `code` and `jumpCache` belong to its TbCache; helpers must all be registered. */
export function createInterpreter(env: ExecEnv, jumpCache: Int32Array, code: Int32Array): Interpreter {
  const { regs, layout } = env;
  const functions: HelperFunctions = env.helpers.map((helper) => helper.fn);
  let { loadSlow, storeSlow, loadVecSlow, storeVecSlow }: SlowPaths = trialSlowPaths(regs, layout.pendingExit);
  const takeExit = (): number => {
    const exit = regs[layout.pendingExit]!;
    if (exit !== 0) regs[layout.pendingExit] = 0;
    return exit;
  };
  // V8 shares the feedback of functions with equal text, and would then no longer treat this machine's arrays as constants.
  const text = `// ${Math.random()}\n${interpreterSource(layout)}`;
  const run = new Function(...PARAMETERS, text)(
    regs, code, jumpCache, env.bytes, env.view, functions, env.regions, env,
    (address: number, memop: number, slot: number) => {
      const value = loadSlow(address, memop), exit = takeExit();
      if (exit === 0) regs[slot] = value;
      return exit;
    },
    (address: number, value: number, memop: number) => {
      storeSlow(address, value, memop);
      return takeExit();
    },
    (address: number, slot: number, bytes: number) => {
      loadVecSlow(address, slot, bytes);
      return takeExit();
    },
    (address: number, slot: number, bytes: number) => {
      storeVecSlow(address, slot, bytes);
      return takeExit();
    },
    mulUnsignedHigh, mulSignedHigh,
  ) as (position: number) => number;

  const { readTable, writeTable } = env;
  const page = env.bytes.slice(0, 4096);
  const count = functions.length, firstRegion = env.regions.length;
  TRIAL_HELPERS.forEach((helper) => functions.push(helper));
  const trialRegions = trialRegionsOf();
  env.regions.push(...trialRegions);
  env.readTable = env.writeTable = trialTable();
  warmUp({ layout, regs, code, jumpCache, run, helpers: TRIAL_HELPERS.map((_, i) => count + i), regions: trialRegions.map((_, i) => firstRegion + i) });
  env.readTable = readTable;
  env.writeTable = writeTable;
  functions.length = count;
  env.regions.length = firstRegion;
  env.bytes.set(page);
  loadSlow = (address, memop) => env.loadSlow(address, memop);
  storeSlow = (address, value, memop) => env.storeSlow(address, value, memop);
  loadVecSlow = (address, slot, bytes) => env.loadVecSlow(address, slot, bytes);
  storeVecSlow = (address, slot, bytes) => env.storeVecSlow(address, slot, bytes);
  return { run, trapCode: () => code[regs[layout.currentOp]! + 1]! };
}

/** Page 0 at MA 0, all others missing. */
function trialTable(): Int32Array {
  // An entry that misses has the sign opposite to its address.
  return new Int32Array(1 << 20).fill(1 << 31, 1, 1 << 19);
}

/** Several, so that V8 expects any function. */
const TRIAL_HELPERS: HelperFunctions = [() => 1, (a) => a! | 0, (a, b) => a! ^ b!, (a, b, c) => a! + b! + c! | 0, () => undefined, (...args) => args.length];

/** Regions that leave in every way; the first one alternates, so that a run comes to an end. */
function trialRegionsOf(): RegionFunction[] {
  let calls = 0;
  return [() => (++calls & 1) - 1, () => LEAVE_EVENT, () => LEAVE_BUDGET, () => 5, (entry) => entry - 1, (_entry, reads) => (reads[0]! | 1) < 0 ? LEAVE_EVENT : LEAVE_BUDGET];
}

type SlowPaths = Pick<ExecEnv, 'loadSlow' | 'storeSlow' | 'loadVecSlow' | 'storeVecSlow'>;

function trialSlowPaths(regs: Int32Array, pendingExit: number): SlowPaths {
  return {
    loadSlow: (address) => regs[pendingExit] = address & 1,
    storeSlow: (address) => { regs[pendingExit] = address & 1; },
    loadVecSlow: (address) => { regs[pendingExit] = address & 1; },
    storeVecSlow: (address) => { regs[pendingExit] = address & 1; },
  };
}
