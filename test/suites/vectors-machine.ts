/** Runs recorded instructions (test/vectors) on our processor. The INT3 behind an instruction is an exception too. */

import { floatsOf, loadFloats } from '../vectors/float-state.ts';
import { stateOfSeed } from '../vectors/float-values.ts';
import type { VectorInput } from '../vectors/format.ts';
import { AREAS, ENTRY, READ_ONLY, initialMemory } from '../vectors/layout.ts';
import type { Stop } from '../vectors/recorder.ts';
import { TierCounts, touch } from './tiers.ts';
import type { SuiteOptions } from './tiers.ts';
import { UserMachine } from './user-machine.ts';

/** More than the longest REP, INT3 and HLT. */
const BUDGET = 1000;
const PAGE = 0x1000;
const INITIAL: readonly Uint8Array[] = AREAS.map(initialMemory);

export class VectorMachine {
  readonly counts: TierCounts;
  private readonly machine: UserMachine;

  constructor(options: SuiteOptions = {}) {
    this.machine = new UserMachine(AREAS, options);
    this.counts = new TierCounts(options);
  }

  /** Undefined if no exception ended the instruction, of a form. */
  run({ registers, memory, code, floats }: VectorInput, form: string): Stop | undefined {
    const { machine, counts } = this;
    AREAS.forEach(({ base }, i) => machine.space.writeBytes(base, INITIAL[i]!));
    for (const { address, bytes } of memory) machine.space.writeBytes(address, bytes);
    machine.space.writeBytes(ENTRY, code);
    machine.start(Int32Array.of(...registers, ENTRY));
    if (floats !== 0) loadFloats(machine.cpu.R, stateOfSeed(floats));
    if (counts.required) this.touch();
    return counts.run(machine.cpu, () => machine.run(BUDGET), { form, code, code32: true });
  }

  /** The state of x87, MMX and SSE now. */
  get floats(): Int32Array {
    return floatsOf(this.machine.cpu.R);
  }

  /** What an area of layout.ts holds now. */
  area(index: number): Uint8Array {
    return this.machine.area(AREAS[index]!);
  }

  private touch(): void {
    for (const { base, size, writable } of AREAS) if (writable) touch(this.machine.cpu, Array.from({ length: size / PAGE }, (_, i) => base + PAGE * i));
    this.machine.cpu.load8(READ_ONLY.base);
  }
}
