/**
 * Tier 2: which hot blocks become one JavaScript function, compiling them, and taking the function away again.
 *
 * A region is the hot block and the blocks that run about as often and follow it by jumps, fall-through and calls, in whatever
 * pages; it is entered at the hot block and behind its calls. It lives as long as all its blocks do.
 */
import { RegionEmitter } from '../tcg/backend/emitter.ts';
import type { RegionBlock, Site } from '../tcg/backend/emitter.ts';
import { mulSignedHigh, mulUnsignedHigh } from '../tcg/arith.ts';
import type { ExecEnv, RegionFunction } from '../tcg/env.ts';
import type { Block } from '../tcg/ir.ts';
import type { TbCache, TranslationBlock } from '../tcg/tb-cache.ts';
import { BUDGET, CC_OP, CUR_OP, EIP, HF_CS32, HF_FLAT, HF_DEBUG, HF_INHIBIT_IRQ, HF_ONE_INSN, HF_PE, HF_RF, HF_SS32, HF_TF, REGION_RETIRED } from './state.ts';
import type { Translator } from './translate/translate.ts';

/** Most guest instructions in a region: V8 does not optimize functions above 60 KB of bytecode. */
const MAX_INSNS = 300;
/** A block belongs to a region if it runs at least this fraction as often as the hot block. */
const COLDER = 64;
/** Misses at one site after which the region is compiled anew with a call there. */
const MANY_MISSES = 200;
/** Most entries, as the head's word holds them. */
const MAX_ENTRIES = 32;
/** Compilations of one hot block on account of its sites, after which it stays as it is. */
const MAX_VERSIONS = 8;

/** Code of many kinds for rehearse(): a loop with loads, stores, a call and its return. */
const REHEARSAL = Uint8Array.of(
  0x8b, 0x06, // 0: mov eax, [esi]
  0x01, 0x07, // add [edi], eax
  0x50, // push eax
  0xe8, 2, 0, 0, 0, // call 12
  0x75, 0xf4, // 10: jne 0
  0x49, 0xc3, // 12: dec ecx; ret
);
const REHEARSAL_BLOCKS = [{ eip: 0, icount: 4 }, { eip: 10, icount: 1 }, { eip: 12, icount: 2 }].map((block) => ({ ...block, pages: [{ page: 0, entry: 0 }] }));
const REHEARSALS = 4;
/** Calls after which V8 looks on: each runs 50 bytes of bytecode or more. */
const UNSEEN_CALLS = 20;

export interface Region {
  readonly number: number;
  readonly sites: readonly Site[];
  readonly blocks: ReadonlySet<TranslationBlock>;
  readonly entries: readonly TranslationBlock[];
  readonly source: string;
  /** Misses by site key. */
  readonly misses: Map<string, number>;
  readonly origin: Required<RegionOrigin>;
  valid: boolean;
}

/** What a region is compiled from, besides its head. */
export interface RegionOrigin {
  /** Sites at which there are calls, since it was left there too often. */
  readonly callSites?: ReadonlySet<string>;
  /** How often it has been compiled anew. */
  readonly version?: number;
  /** How often a block has run lately; default: since its counter was started. */
  readonly heat?: (block: TranslationBlock) => number;
}

/** What became of compiling: for --stats. */
export class RegionCounters {
  compiled = 0;
  dropped = 0;
  guestInsns = 0;
  sourceBytes = 0;
  recompiledForMisses = 0;
}

/** The state before the instruction of a site; it and its followers in the block are not charged. */
export function putBack(R: Int32Array, site: Site): void {
  R[EIP] = site.eip;
  if (site.ccOp !== 0) R[CC_OP] = site.ccOp;
  R[BUDGET] = R[BUDGET]! + site.refund;
  R[REGION_RETIRED] = R[REGION_RETIRED]! - site.refund;
  R[CUR_OP] = -1;
}

/** The pages of a block, and the words of the read table that map them as they are. */
function pagesOf({ pc, ma, page1 }: TranslationBlock): { page: number; entry: number }[] {
  const va = pc & ~4095, second = va + 4096 | 0;
  const first = { page: va >>> 12, entry: va ^ (ma & ~4095) };
  return page1 < 0 ? [first] : [first, { page: second >>> 12, entry: second ^ page1 << 12 }];
}

const gone: RegionFunction = () => {
  throw new Error('a region was entered that is gone');
};

export class Regions {
  readonly counters = new RegionCounters();
  /** Guest instructions compiled in this run(). */
  work = 0;
  readonly #env: ExecEnv;
  /** The state as doubles and singles, for inline forms. */
  readonly #doubles: Float64Array;
  readonly #singles: Float32Array;
  readonly #cache: TbCache;
  readonly #translator: Translator;
  readonly #optimize: (block: Block) => void;
  readonly #executions = (block: TranslationBlock): number => this.#cache.executionsOf(block);
  readonly #regions: (Region | undefined)[] = [undefined];
  /** Numbers of dropped regions: those that may still be running, and those that can be given out again. */
  readonly #retired: number[] = [];
  readonly #free: number[] = [];
  /** The regions that a block is part of. */
  readonly #of = new Map<TranslationBlock, Set<Region>>();
  /** Told of each region's source: `-d out_asm`. */
  onCompiled: ((region: Region, head: TranslationBlock) => void) | null = null;
  /** Changes the JavaScript of a region before it is compiled. */
  rewrite: (source: string) => string = (source) => source;
  /** What a region's function becomes before it is entered: lockstep, --profile. */
  wrap: (region: Region, run: RegionFunction) => RegionFunction = (_region, run) => run;

  constructor(env: ExecEnv, cache: TbCache, translator: Translator, optimize: (block: Block) => void) {
    this.#env = env;
    const { buffer, byteOffset } = env.regs;
    this.#doubles = new Float64Array(buffer, byteOffset);
    this.#singles = new Float32Array(buffer, byteOffset);
    this.#cache = cache;
    this.#translator = translator;
    this.#optimize = optimize;
    env.regions.push(gone);
  }

  get(number: number): Region | undefined {
    return this.#regions[number];
  }

  /** Whether a block is part of a region. */
  has(block: TranslationBlock): boolean {
    return this.#of.has(block);
  }

  /** Live regions. */
  get size(): number {
    return this.#regions.filter((region) => region?.valid === true).length;
  }

  /** Compiles the region of a hot block; false if it cannot be one. */
  compile(head: TranslationBlock, { callSites = new Set(), version = 0, heat = this.#executions }: RegionOrigin = {}): boolean {
    if (!head.valid || (head.flags & (HF_TF | HF_RF | HF_INHIBIT_IRQ | HF_DEBUG | HF_ONE_INSN)) !== 0 || (this.#free.length === 0 && this.#regions.length > 0xffff)) return false;
    const blocks = this.#select(head, heat);
    const keys = blocks.map((block) => ({ eip: block.pc - block.csBase | 0, icount: block.icount, pages: pagesOf(block) }));
    const returns = blocks.flatMap(({ returnEip }) => (returnEip === -1 ? [] : keys.findIndex(({ eip }) => eip === returnEip))).filter((index) => index >= 0);
    const targets = [...new Set(returns)].slice(0, MAX_ENTRIES - 1);
    const emitter = this.#emitter(keys, head.flags, callSites);
    blocks.forEach((block, index) => emitter.add(index, this.opsOf(block), targets));
    const entries = [...new Set([0, ...targets])];
    const name = `tb_${(head.pc >>> 0).toString(16).padStart(8, '0')}`;
    const source = this.rewrite(emitter.finish(name, entries));
    const number = this.#free.pop() ?? this.#regions.length;
    const region: Region = {
      number, sites: emitter.sites, blocks: new Set(blocks), entries: entries.map((index) => blocks[index]!), source, misses: new Map(), origin: { callSites, version, heat }, valid: true,
    };
    const run = this.#build(source, emitter.calledHelpers);
    this.#regions[number] = region;
    this.#env.regions[number] = this.wrap(region, run);
    this.#warm(run, entries.length);
    region.entries.forEach((block, entry) => this.#cache.setRegion(block, number, entry));
    for (const block of blocks) {
      const set = this.#of.get(block);
      if (set === undefined) this.#of.set(block, new Set([region]));
      else set.add(region);
    }
    const insns = keys.reduce((sum, { icount }) => sum + icount, 0);
    this.work += insns;
    this.counters.compiled++;
    this.counters.guestInsns += insns;
    this.counters.sourceBytes += source.length;
    this.onCompiled?.(region, head);
    return true;
  }

  /** Compiles made-up code, so that the first hot block does not wait until V8 has compiled the compiler. */
  rehearse(): void {
    const flags = HF_PE | HF_CS32 | HF_SS32 | HF_FLAT * 63;
    for (let i = 0; i < REHEARSALS; i++) {
      const emitter = this.#emitter(REHEARSAL_BLOCKS, flags, new Set());
      REHEARSAL_BLOCKS.forEach(({ eip, icount }, index) => {
        this.#translator.translate({ pc: eip, eip, csBase: 0, csLimit: -1, flags }, (linear) => REHEARSAL[linear]!, icount);
        this.#optimize(this.#translator.builder);
        emitter.add(index, this.#translator.builder, [1]);
      });
      this.#warm(this.#build(emitter.finish('rehearsal', [0, 1]), emitter.calledHelpers), 2);
    }
  }

  #emitter(blocks: readonly RegionBlock[], flags: number, callSites: ReadonlySet<string>): RegionEmitter {
    const { layout, helpers, claim } = this.#env;
    return new RegionEmitter(blocks, { layout, helpers, flags, callSites, claims: claim !== undefined });
  }

  /** A region was left at a site. True if that happens all the time, so that it is to be compiled with a call there. */
  isMissedTooOften(region: Region, key: string): boolean {
    const misses = (region.misses.get(key) ?? 0) + 1;
    region.misses.set(key, misses);
    return misses >= MANY_MISSES && region.valid && region.origin.version < MAX_VERSIONS && !region.origin.callSites.has(key);
  }

  /** Compiles a region anew, with calls at the sites that it is left at. */
  compileAgain(region: Region): void {
    const often = [...region.misses].filter(([, count]) => count * 4 >= MANY_MISSES).map(([site]) => site);
    const head = region.entries[0]!, { callSites, version, heat } = region.origin;
    this.#drop(region);
    this.counters.recompiledForMisses++;
    this.compile(head, { callSites: new Set([...callSites, ...often]), version: version + 1, heat });
  }

  /** A block is gone: so are the regions it is part of. */
  dropped(block: TranslationBlock): void {
    for (const region of this.#of.get(block) ?? []) this.#drop(region);
  }

  /** No region is running: forgets those that were dropped. */
  startRun(): void {
    this.work = 0;
    for (const number of this.#retired) {
      this.#regions[number] = undefined;
      this.#free.push(number);
    }
    this.#retired.length = 0;
  }

  #drop(region: Region): void {
    if (!region.valid) return;
    region.valid = false;
    this.counters.dropped++;
    this.#env.regions[region.number] = gone;
    this.#retired.push(region.number);
    for (const block of region.blocks) {
      const set = this.#of.get(block);
      set?.delete(region);
      if (set?.size === 0) this.#of.delete(block);
    }
    // Another region may have taken an entry over.
    for (const block of region.entries) if (block.valid && this.#cache.regionOf(block) === region.number) this.#cache.setRegion(block, 0, 0);
  }

  /** The blocks of the region, the hot one first, the others hottest first. */
  #select(head: TranslationBlock, heatOf: (block: TranslationBlock) => number): TranslationBlock[] {
    const executions = heatOf(head), least = Math.floor(executions / COLDER);
    const chosen = new Set([head]);
    let insns = head.icount;
    const candidates = new Map<TranslationBlock, number>();
    // What is not in the table of mapped pages has not run lately.
    const { readTable } = this.#env;
    const place = (pc: number): number => readTable[pc >>> 12]! ^ pc;
    const look = (block: TranslationBlock): void => {
      for (const eip of block.returnEip === -1 ? block.successors : [...block.successors, block.returnEip]) {
        const pc = head.csBase + eip | 0, ma = ((pc ^ block.pc) & ~4095) === 0 ? block.ma : place(pc);
        if (ma < 0) continue;
        const next = this.#cache.peek(head, pc, ma >>> 12, () => place((pc & ~4095) + 4096 | 0));
        if (next === undefined || chosen.has(next)) continue;
        // Compiled on first sight, a block says nothing of what is hot: what is compiled already stays by itself.
        if (executions === 0 && this.#cache.regionOf(next) !== 0) continue;
        const heat = heatOf(next);
        if (heat >= least) candidates.set(next, heat);
      }
    };
    look(head);
    while (candidates.size > 0) {
      const [next] = [...candidates].reduce((best, one) => (one[1] > best[1] ? one : best));
      candidates.delete(next);
      if (insns + next.icount > MAX_INSNS) continue;
      insns += next.icount;
      chosen.add(next);
      look(next);
    }
    return [...chosen];
  }

  /** A block's optimized ops: translated again, from the same bytes. */
  opsOf(block: TranslationBlock): Block {
    const { pc, csBase, csLimit, flags, ma, length, ma1 } = block;
    const { bytes } = this.#env;
    const fetch = (linear: number): number => {
      const at = linear - pc | 0;
      return bytes[at < length ? ma + at : ma1 + at - length]!;
    };
    this.#translator.translate({ pc, eip: pc - csBase | 0, csBase, csLimit, flags }, fetch, block.icount);
    this.#optimize(this.#translator.builder);
    return this.#translator.builder;
  }

  #build(source: string, helpers: readonly number[]): RegionFunction {
    const { regs, bytes, view } = this.#env;
    const names = helpers.map((number) => `f${number}`);
    const make = new Function('R', 'D', 'F', 'U', 'V', 'loadSlow', 'storeSlow', 'loadVecSlow', 'storeVecSlow', 'claim', 'mulUnsignedHigh', 'mulSignedHigh', ...names, source) as (...args: unknown[]) => RegionFunction;
    return make(regs, this.#doubles, this.#singles, bytes, view, this.#env.loadSlow, this.#env.storeSlow, this.#env.loadVecSlow, this.#env.storeVecSlow, this.#env.claim, mulUnsignedHigh, mulSignedHigh, ...helpers.map((number) => this.#env.helpers[number]!.fn));
  }

  /**
   * Runs each entry without budget, so that V8 has seen the way out before it optimizes. It looks on only after a function has run for a
   * while (940 bytes of bytecode: lazy feedback allocation).
   */
  #warm(run: RegionFunction, entries: number): void {
    const { regs, readTable, writeTable } = this.#env;
    const eip = regs[EIP]!, budget = regs[BUDGET]!;
    for (let call = 0; call < UNSEEN_CALLS + 2 * entries; call++) {
      regs[BUDGET] = 0;
      run(call % entries, readTable, writeTable);
    }
    regs[EIP] = eip;
    regs[BUDGET] = budget;
  }
}
