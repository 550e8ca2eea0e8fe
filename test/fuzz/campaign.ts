/** Many cases in a row: tier 1 in blocks, tier 1 instruction by instruction, tier 2 at once, tier 2 when hot. */
import { Coverage } from './coverage.ts';
import { makeCase } from './generate.ts';
import { REFERENCE, Runner, STEPPED, compiled, runCase } from './lockstep.ts';
import type { Contestant, Difference } from './lockstep.ts';
import type { FuzzCase } from './machine.ts';
import { minimize } from './minimize.ts';

/** Cases take turns with these. */
const THRESHOLDS: readonly number[] = [50, 7, 400];

export interface Finding {
  readonly seed: number;
  /** As small as it could be made; the one that failed, if a new machine does not fail on it. */
  readonly fuzzCase: FuzzCase;
  readonly difference: Difference;
  /** New machines show it too, from this case alone. */
  readonly reproduced: boolean;
}

export class Campaign {
  readonly coverage = new Coverage();
  cases = 0;
  private readonly reference = new Runner(REFERENCE);
  private readonly stepped = new Runner(STEPPED, this.coverage);
  private readonly atOnce = new Runner(compiled(0));
  private readonly hot = THRESHOLDS.map((threshold) => new Runner(compiled(threshold)));
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Instructions of tier 1. */
  get retired(): number {
    return this.reference.retired;
  }

  /** Share of the instructions that retired in compiled code, by threshold. */
  get shares(): readonly { readonly threshold: number; readonly share: number }[] {
    return [this.atOnce, ...this.hot].map(({ contestant, compiledShare }) => ({ threshold: contestant.options.jitThreshold!, share: compiledShare }));
  }

  /** Runs the next case. */
  next(): Finding | undefined {
    const seed = this.seed + this.cases, hot = this.hot[this.cases % this.hot.length]!;
    this.cases++;
    const fuzzCase = makeCase(seed);
    const difference = runCase(fuzzCase, [this.reference, this.stepped, this.atOnce, hot]);
    return difference === undefined ? undefined : examine(seed, fuzzCase, difference);
  }
}

/** Makes a failing case small, on machines of its own. */
export function examine(seed: number, fuzzCase: FuzzCase, difference: Difference): Finding {
  const { contestant } = difference;
  if (tryNew(fuzzCase, contestant) === undefined) return { seed, fuzzCase, difference, reproduced: false };
  const runners = [new Runner(REFERENCE), new Runner(contestant)];
  const small = minimize(fuzzCase, (each) => runCase(each, runners, true)?.retired);
  const again = tryNew(small, contestant);
  return again === undefined ? { seed, fuzzCase, difference, reproduced: true } : { seed, fuzzCase: small, difference: again, reproduced: true };
}

const tryNew = (fuzzCase: FuzzCase, contestant: Contestant): Difference | undefined =>
  runCase(fuzzCase, contestant === REFERENCE ? [new Runner(REFERENCE)] : [new Runner(REFERENCE), new Runner(contestant)], true);
