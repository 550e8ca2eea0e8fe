/**
 * `--profile`: where guest instructions retire. Blocks of the op interpreter are counted by their heads anyway; regions get a
 * function around them that looks at the budget before and after. Without --profile none of this is there.
 */
import { LEAVE_BUDGET, LEAVE_EVENT, LEAVE_LOOKUP } from '../tcg/backend/emitter.ts';
import type { Site } from '../tcg/backend/emitter.ts';
import type { RegionFunction } from '../tcg/env.ts';
import type { TbCache, TranslationBlock } from '../tcg/tb-cache.ts';
import type { Region } from './regions.ts';
import { BUDGET, BUDGET_PARKED, REGION_SITE } from './state.ts';

/** What the blocks at one place did in the op interpreter. */
export interface BlockProfile {
  /** Linear address. */
  readonly pc: number;
  executions: number;
  /** As charged when a block starts: repetitions of string instructions are not among them. */
  instructions: number;
}

/** What the regions with one head did. */
export interface RegionProfile {
  readonly pc: number;
  /** Blocks and instructions of the version compiled last, and how often it was compiled. */
  blocks: number;
  size: number;
  compiled: number;
  entries: number;
  instructions: number;
  /** By reason. */
  readonly exits: Map<string, number>;
}

/** Why a region was left; a site says what the instruction would have done. */
const reasonOf = (value: number, region: Region): 'lookup' | 'event' | 'budget' | Site['kind'] => {
  switch (value) {
    case LEAVE_LOOKUP: return 'lookup';
    case LEAVE_EVENT: return 'event';
    case LEAVE_BUDGET: return 'budget';
    default: return region.sites[value - 1]!.kind;
  }
};

/** The same place of the same bytes: linear address and MA page. */
const keyOf = ({ pc, page0 }: TranslationBlock): string => `${pc}:${page0}`;

export class Profile {
  readonly #R: Int32Array;
  readonly #blocks = new Map<string, BlockProfile>();
  readonly #regions = new Map<string, RegionProfile>();

  constructor(R: Int32Array) {
    this.#R = R;
  }

  /** Takes what a block has been executed since the last call. */
  count(block: TranslationBlock): void {
    const { executions, icount, pc } = block;
    if (executions === 0) return;
    block.executions = 0;
    const key = keyOf(block), found = this.#blocks.get(key) ?? { pc, executions: 0, instructions: 0 };
    found.executions += executions;
    found.instructions += executions * icount;
    this.#blocks.set(key, found);
  }

  /** The region's function with the count around it. */
  wrap(region: Region, run: RegionFunction): RegionFunction {
    const R = this.#R, head = region.entries[0]!, key = keyOf(head);
    const profile: RegionProfile = this.#regions.get(key) ?? { pc: head.pc, blocks: 0, size: 0, compiled: 0, entries: 0, instructions: 0, exits: new Map() };
    this.#regions.set(key, profile);
    profile.blocks = region.blocks.size;
    profile.size = [...region.blocks].reduce((sum, { icount }) => sum + icount, 0);
    profile.compiled++;
    return (entry, reads, writes) => {
      const budget = R[BUDGET]! + R[BUDGET_PARKED]!;
      let reason = 'fault';
      profile.entries++;
      try {
        R[REGION_SITE] = 0;
        const value = run(entry, reads, writes);
        reason = reasonOf(value, region);
        R[REGION_SITE] = Math.max(value, 0);
        return value;
      } finally {
        // The instruction that it was left at has not run, nor have those behind it in its block.
        const site = R[REGION_SITE]!;
        if (site > 0) profile.instructions -= region.sites[site - 1]!.refund;
        profile.instructions += budget - R[BUDGET]! - R[BUDGET_PARKED]!;
        profile.exits.set(reason, (profile.exits.get(reason) ?? 0) + 1);
      }
    };
  }

  /** Hottest first. */
  blocks(cache: TbCache): BlockProfile[] {
    cache.collect();
    cache.forEach((block) => this.count(block));
    return [...this.#blocks.values()].sort((a, b) => b.instructions - a.instructions || a.pc - b.pc);
  }

  /** Hottest first. */
  regions(): RegionProfile[] {
    return [...this.#regions.values()].sort((a, b) => b.instructions - a.instructions || a.pc - b.pc);
  }
}
