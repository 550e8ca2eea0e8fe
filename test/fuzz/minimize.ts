/** Makes a failing case small: instructions become NOPs and go, operands and registers become 0, the schedule becomes simple. */
import type { FuzzCase } from './machine.ts';

/** Runs of the case that are worth it. */
const MAX_TRIALS = 1500;
const NOP = '90';

/** `fails` tells whether a case still shows the difference, and after how many instructions; undefined: it does not. */
export function minimize(given: FuzzCase, fails: (fuzzCase: FuzzCase) => number | undefined): FuzzCase {
  let best = given, trials = 0;
  const attempt = (change: Partial<FuzzCase>): boolean => {
    if (trials++ > MAX_TRIALS) return false;
    const changed = { ...best, ...change };
    if (fails(changed) === undefined) return false;
    best = changed;
    return true;
  };
  const limit = (): void => {
    const retired = fails(best);
    if (retired === undefined) return;
    for (const more of [1, 2, 5, 20, 100]) if (retired + more < best.limit && attempt({ limit: retired + more })) return;
  };
  const schedule = (): void => {
    for (const length of [best.limit, 1000, 100, 10]) if (best.schedule.length > 1 && attempt({ schedule: [[length, 0]] })) return;
    for (let i = best.schedule.length - 1; i >= 0 && best.schedule.length > 1; i--) attempt({ schedule: best.schedule.filter((_, other) => other !== i) });
    attempt({ schedule: best.schedule.map(([budget]) => [budget, 0] as const) });
  };
  /** Instructions from..to become NOPs of the same length. */
  const blank = (from: number, to: number): boolean => {
    const range = best.code.slice(from, to);
    if (range.every((hex) => hex === NOP)) return false;
    const nops = range.flatMap((hex) => new Array<string>(hex.length / 2).fill(NOP));
    return attempt({ code: [...best.code.slice(0, from), ...nops, ...best.code.slice(to)] });
  };
  const instructions = (): void => {
    for (let size = best.code.length >> 1; size > 0; size >>= 1) {
      for (let from = best.code.length - size; from >= 0; from -= size) blank(from, from + size);
    }
  };
  const tail = (): void => {
    for (let left = best.code.length >> 1; left > 0; left >>= 1) while (best.code.length > left && attempt({ code: best.code.slice(0, -left) }));
  };
  /** NOPs go where nothing jumps over them. */
  const gaps = (): void => {
    for (let i = best.code.length - 1; i >= 0; i--) if (best.code[i] === NOP) attempt({ code: best.code.filter((_, other) => other !== i) });
  };
  const operands = (): void => {
    best.code.forEach((hex, i) => {
      for (let at = hex.length - 2; at >= 2; at -= 2) {
        const current = best.code[i]!;
        if (current.slice(at, at + 2) !== '00') attempt({ code: best.code.with(i, `${current.slice(0, at)}00${current.slice(at + 2)}`) });
      }
    });
  };
  const start = (): void => {
    best.start.registers.forEach((value, i) => {
      if (value !== 0 && i !== 4) attempt({ start: { ...best.start, registers: best.start.registers.with(i, 0) } });
    });
    if (best.start.eflags !== 2) attempt({ start: { ...best.start, eflags: 2 } });
    if (best.start.cr0 !== 0) attempt({ start: { ...best.start, cr0: 0 } });
    if (best.start.cr4 !== 0) attempt({ start: { ...best.start, cr4: 0 } });
    if (best.start.floats !== 0) attempt({ start: { ...best.start, floats: 0 } });
    if (best.doubleFaultTask) attempt({ doubleFaultTask: false });
    if (best.memorySeed !== 1) attempt({ memorySeed: 1 });
  };
  for (let round = 0; round < 3; round++) {
    limit();
    schedule();
    tail();
    instructions();
  }
  gaps();
  start();
  operands();
  limit();
  return best;
}
