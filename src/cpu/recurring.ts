/**
 * Tier 2 for a guest that waits: what it does at each tick of its clock, hundreds of times a second, would take minutes to become hot
 * by the counters. It is compiled while the guest sleeps, when the host has nothing else to do, one region at a time.
 */
import type { TbCache, TranslationBlock } from '../tcg/tb-cache.ts';
import type { RegionOrigin, Regions } from './regions.ts';

/** A block recurs if each second so large a part is spent in it of what makes a block hot. */
const PART_PER_SECOND = 1 / 200;
/** Entering a block costs as much as so many instructions. */
const ENTRY = 8;
/** How long to watch first (ns); each time four times as long as before, up to the most. */
const FIRST_WATCH = 1_000_000_000, LONGEST_WATCH = 64_000_000_000;

export class Recurring {
  readonly #cache: TbCache;
  readonly #regions: Regions;
  readonly #threshold: number;
  readonly #compile: (head: TranslationBlock, origin: RegionOrigin) => boolean;
  #watch = FIRST_WATCH;
  /** Host time at which watching began, and how often each block had run then. */
  #began = 0;
  #counts: Int32Array | null = null;
  /** Blocks that have run while it watched, with their executions; and those that recur, by their address. */
  #heat: ReadonlyMap<TranslationBlock, number> = new Map();
  #recurring: ReadonlyMap<number, TranslationBlock> = new Map();
  /** What is to become a region, the next one first, unless it is part of one that was compiled meanwhile. */
  #heads: TranslationBlock[] = [];
  readonly #done = new Set<TranslationBlock>();

  /**
   * @param threshold guest instructions spent in a block after which it is hot
   * @param compile a region; false if it cannot be one
   */
  constructor(cache: TbCache, regions: Regions, { threshold, compile }: { threshold: number; compile: (head: TranslationBlock, origin: RegionOrigin) => boolean }) {
    this.#cache = cache;
    this.#regions = regions;
    this.#threshold = threshold;
    this.#compile = compile;
  }

  /** The guest has something to do. */
  stop(): void {
    this.#counts = null;
    this.#heads.length = 0;
    this.#watch = FIRST_WATCH;
  }

  /** The guest sleeps, as it does most of the time: time for one region. @param now the host's (ns) */
  rest(now: number): void {
    if (this.#counts === null) this.#begin(now);
    else if (!this.#compileNext() && now - this.#began >= this.#watch) {
      this.#find(this.#counts, (now - this.#began) / 1e9);
      this.#watch = Math.min(this.#watch * 4, LONGEST_WATCH);
      this.#begin(now);
    }
  }

  #begin(now: number): void {
    this.#began = now;
    this.#counts = this.#cache.executionCounts();
  }

  #find(counts: Int32Array, seconds: number): void {
    const least = this.#threshold * PART_PER_SECOND * seconds;
    const heat = this.#cache.executionsSince(counts);
    const recurring = [...heat].filter(([{ icount }, executions]) => executions * Math.max(icount, ENTRY) >= least).sort(([, a], [, b]) => b - a).map(([block]) => block);
    const followers = new Set(recurring.flatMap(followersOf));
    this.#heat = heat;
    this.#recurring = new Map(recurring.map((block) => [block.pc, block]));
    this.#heads = [...recurring.filter(({ pc }) => !followers.has(pc)), ...recurring];
    this.#done.clear();
  }

  /** True if there was something to compile. */
  #compileNext(): boolean {
    const heats = this.#heat, heat = (block: TranslationBlock): number => heats.get(block) ?? 0;
    for (let head = this.#heads.shift(); head !== undefined; head = this.#heads.shift()) {
      if (this.#done.has(head) || !this.#compile(head, { heat })) continue;
      const { blocks } = this.#regions.get(this.#cache.regionOf(head))!;
      for (const block of blocks) this.#done.add(block);
      const left = [...blocks].flatMap(followersOf).flatMap((pc) => this.#recurring.get(pc) ?? []);
      this.#heads.unshift(...left.filter((block) => !this.#done.has(block)));
      return true;
    }
    return false;
  }
}

function followersOf({ csBase, successors, returnEip }: TranslationBlock): number[] {
  return [...successors, ...(returnEip === -1 ? [] : [returnEip])].map((eip) => csBase + eip | 0);
}
