/**
 * The run loop: pending interrupts, finding or translating the next block, running the op code, and what to do when it
 * leaves. Keeps which memory holds code, so that writes there drop the blocks concerned.
 */
import type { Counters } from '../tcg/counters.ts';
import {
  EXIT_BUDGET, EXIT_CHAIN_0, EXIT_CHAIN_1, EXIT_EVENT, EXIT_FAULT, EXIT_HOT, EXIT_LOOKUP, EXIT_PRECISE, EXIT_REGION, EXIT_TRAP,
} from '../tcg/env.ts';
import type { EnvLayout, ExecEnv, Helper } from '../tcg/env.ts';
import { createInterpreter } from '../tcg/interp.ts';
import type { Interpreter } from '../tcg/interp.ts';
import { createPipeline } from '../tcg/passes/pipeline.ts';
import type { TbCache, TranslationBlock } from '../tcg/tb-cache.ts';
import { printBlock } from '../tcg/text.ts';
import { Blocks } from './blocks.ts';
import { CompileTime } from './compile-time.ts';
import type { CompileClocks } from './compile-time.ts';
import type { Cpu } from './cpu.ts';
import { GUEST_FAULT } from './fault.ts';
import { combineExceptions, deliverInterrupt } from './helpers/interrupt.ts';
import { Log, formatInterrupt, formatState } from './log.ts';
import {
  BUDGET, BUDGET_PARKED, CC_OP, CR4, CR4_OSXMMEXCPT, CS, CUR_OP, EFLAGS, EIP, EXC_ERROR, EXC_HAS_ERROR, EXC_UD, EXC_VECTOR, EXC_XM, GLOBAL_NAMES, HALTED, HF_INHIBIT_IRQ,
  HF_ONE_INSN, HFLAGS, IF, INTR, NMI_BLOCKED, NMI_PENDING, PENDING_EXIT, REGION_BUDGETS, REGION_ENTRIES, REGION_EVENTS, REGION_NUMBER, REGION_RETIRED, REGION_SITE,
  RESET_ALL, RESET_REQUEST, SEG_BASE, SEG_LIMIT, TEMPS, VIEW,
} from './state.ts';
import { LEAST_DOUBLE } from './simd/inline.ts';
import { Lockstep } from './lockstep.ts';
import { Profile } from './profile.ts';
import { Reference } from './reference.ts';
import { Regions, putBack } from './regions.ts';
import { Recurring } from './recurring.ts';
import type { Region } from './regions.ts';
import type { Site } from '../tcg/backend/emitter.ts';
import { MAX_BLOCK_INSNS, Translator, createBuilder } from './translate/translate.ts';

export interface ExecutorOptions {
  /** Bytes of packed op code that are kept (QEMU's tb-size); default 32 MiB. */
  tbBytes?: number;
  /** Names of optimizer passes to leave out. */
  disabledPasses?: readonly string[];
  log?: Log | null;
  /** Tier 2 (default on). */
  jit?: boolean;
  /** Guest instructions spent in a block after which its region is compiled; 0: at once. */
  jitThreshold?: number;
  /** Every run of a region is checked against the op interpreter: see lockstep.ts. */
  lockstep?: boolean;
  /** Changes the JavaScript of a region before it is compiled: what tests break regions with. */
  rewrite?: (source: string) => string;
  /** Notes where instructions retire: see profile.ts. */
  profile?: boolean;
  /** Blocks of one instruction each. */
  oneInsnPerTb?: boolean;
  /** For the times in the counters. */
  clocks?: CompileClocks;
}

const DEFAULT_TB_BYTES = 32 << 20;
const DEFAULT_JIT_THRESHOLD = 200_000;
/** Exceptions without an instruction in between (a handler that faults at its first one) after which run() ends: the guest may go on so for ever. */
const MAX_EXCEPTIONS = 1000;

const LAYOUT: EnvLayout = {
  globals: GLOBAL_NAMES, eip: EIP, csBase: SEG_BASE + CS, csLimit: SEG_LIMIT + CS, flags: HFLAGS, budget: BUDGET, currentOp: CUR_OP, pendingExit: PENDING_EXIT,
  parked: BUDGET_PARKED, region: REGION_NUMBER, site: REGION_SITE, regionRetired: REGION_RETIRED, regionEntries: REGION_ENTRIES,
  regionEvents: REGION_EVENTS, regionBudgets: REGION_BUDGETS, temps: TEMPS, leastDouble: LEAST_DOUBLE,
};

/** What left the op code: for --stats. */
export class ExecCounters {
  /** How often the op code was left, by reason (EXIT_*). */
  readonly exits = new Float64Array(16);
  interrupts = 0;
  exceptions = 0;
  /** Blocks of one instruction that were run to replay or to fit the budget. */
  singles = 0;
  readonly regions = new RegionExits();
}

/** How regions were left. The rest of the entries ended where the next block must be looked up. */
export class RegionExits {
  entries = 0;
  events = 0;
  budget = 0;
  /** Exceptions and replays out of a helper. */
  faults = 0;
  /** An instruction that tier 1 must do, by what it would have done. */
  readonly sites: Record<Site['kind'], number> = { load: 0, store: 0, 'read-modify-write': 0, trap: 0, call: 0 };
}

export class Executor {
  readonly cache: TbCache;
  readonly counters = new ExecCounters();
  readonly compileTime: CompileTime;
  readonly #cpu: Cpu;
  readonly #env: ExecEnv;
  readonly #interpreter: Interpreter;
  readonly #blocks: Blocks;
  readonly #log: Log | null;
  readonly regions: Regions;
  /** null without lockstep. */
  readonly lockstep: Lockstep | null;
  /** null without --profile. */
  readonly profile: Profile | null;
  readonly #reference: Reference | null;
  /** null where nothing becomes hot. */
  readonly #recurring: Recurring | null;
  readonly #jit: boolean;
  readonly #threshold: number;
  /** Instructions retired before this run(), and the budget of this one. */
  #retired = 0;
  #granted = 0;
  #regionRetired = 0;
  #logged = 0;
  #ending = false;
  /** step(): interrupts wait, and exceptions end it. */
  #stepping = false;
  /** Instructions that had been retired at the last exception (slices do not matter), and exceptions since then. */
  #retiredAtException = -1;
  #exceptionsInARow = 0;

  constructor(cpu: Cpu, helpers: { byName: Readonly<Record<string, Helper>>; list: readonly Helper[] }, options: ExecutorOptions) {
    this.#cpu = cpu;
    this.#log = options.log ?? null;
    const translator = new Translator(createBuilder(helpers.list), helpers.byName, cpu.model.features);
    const optimize = createPipeline({ disabled: options.disabledPasses ?? [] });
    this.compileTime = new CompileTime(options.clocks ?? { now: () => 0 });
    const common = {
      layout: LAYOUT, bytes: options.tbBytes ?? DEFAULT_TB_BYTES, maxInsns: options.oneInsnPerTb === true ? 1 : MAX_BLOCK_INSNS, time: this.compileTime,
    };
    this.#blocks = new Blocks(cpu, translator, optimize, {
      ...common, log: this.#log, onAdd: (block) => this.#schedule(block), onDrop: (block) => {
        this.profile?.count(block);
        this.regions.dropped(block);
      }, mayMove: (block) => !this.regions.has(block),
    });
    this.cache = this.#blocks.cache;
    this.#env = {
      layout: LAYOUT, regs: cpu.R, bytes: cpu.bytes, view: cpu.space.memory.view, readTable: cpu.tlb.supervisor.read, writeTable: cpu.tlb.supervisor.write,
      loadSlow: (address, memop) => cpu.loadSlow(address, memop), storeSlow: (address, value, memop) => cpu.storeSlow(address, value, memop),
      loadVecSlow: (address, slot, bytes) => cpu.loadVecSlow(address, slot, bytes), storeVecSlow: (address, slot, bytes) => cpu.storeVecSlow(address, slot, bytes), helpers: helpers.list,
      regions: [], ...(cpu.shadow === null ? {} : { claim: (address: number) => cpu.claim(address) }),
    };
    this.regions = new Regions(this.#env, this.cache, translator, optimize);
    this.#jit = (options.jit ?? true) && this.#mayChain;
    this.#threshold = options.jitThreshold ?? DEFAULT_JIT_THRESHOLD;
    if (this.#log?.has('out_asm') === true) this.regions.onCompiled = (region) => this.#logRegion(region);
    this.#interpreter = createInterpreter(this.#env, this.cache.jumpCache, this.cache.code);
    if (this.#jit) this.regions.rehearse();
    this.#recurring = this.#jit && this.#threshold > 0 ? new Recurring(this.cache, this.regions, {
      threshold: this.#threshold, compile: (head, origin) => this.compileTime.time('compiling', () => this.regions.compile(head, origin)),
    }) : null;
    if (options.rewrite !== undefined) this.regions.rewrite = options.rewrite;
    const profile = options.profile === true ? new Profile(cpu.R) : null;
    this.profile = profile;
    if (profile !== null) this.regions.wrap = (region, run) => profile.wrap(region, run);
    if (cpu.shadow === null) {
      this.lockstep = this.#reference = null;
      return;
    }
    const reference = new Reference(cpu, this.#env, new Blocks(cpu, translator, optimize, { ...common, log: null, onAdd: () => {}, onDrop: () => {}, mayMove: () => true }));
    const lockstep = new Lockstep(cpu, { reference, ...cpu.shadow, describe: (region) => this.#describe(region) });
    this.#reference = reference;
    this.lockstep = lockstep;
    this.regions.wrap = (region, run) => {
      const checked = lockstep.wrap(region, run);
      return profile === null ? checked : profile.wrap(region, checked);
    };
  }

  /** TB counters, brought up to date. */
  get tbCounters(): Counters {
    this.cache.collect();
    return this.cache.counters;
  }

  /** See Cpu.run. */
  run(budget: number, work: number): number {
    const R = this.#cpu.R, { counters, cache } = this;
    R[BUDGET] = this.#granted = budget;
    R[BUDGET_PARKED] = 0;
    this.#ending = false;
    this.regions.startRun();
    this.compileTime.startRun();
    this.#blocks.work = 0;
    R[REGION_RETIRED] = R[REGION_ENTRIES] = R[REGION_EVENTS] = R[REGION_BUDGETS] = 0;
    // The goto_tb slot by which the last block left, to be linked to what comes next.
    let from: TranslationBlock | undefined;
    let slot: 0 | 1 = 0;
    let single = false;
    for (;;) {
      R[BUDGET] = R[BUDGET]! + R[BUDGET_PARKED]!;
      R[BUDGET_PARKED] = 0;
      R[CUR_OP] = -1;
      R[REGION_SITE] = 0;
      if (R[RESET_REQUEST] !== 0 || this.#ending || this.#blocks.work + this.regions.work >= work) break;
      if (this.#serviceInterrupts()) {
        // Its delivery may have ended in a triple fault.
        if (R[RESET_REQUEST] !== 0) break;
        from = undefined;
        single = false;
      }
      if (R[HALTED] !== 0 || R[BUDGET]! <= 0) break;

      let exit: number;
      try {
        let block = this.#blocks.find(single ? HF_ONE_INSN : 0);
        if (block.icount > R[BUDGET]!) block = this.#blocks.find(HF_ONE_INSN);
        if (from !== undefined && this.#mayChain) cache.link(from, slot, block);
        from = undefined;
        if (this.#log !== null) this.#logEntry(block);
        exit = this.#enter(block);
      } catch (thrown) {
        if (thrown !== GUEST_FAULT) throw thrown;
        exit = R[PENDING_EXIT]!;
        R[PENDING_EXIT] = 0;
        if (R[REGION_SITE] !== 0) {
          counters.regions.faults++;
          R[REGION_RETIRED] = R[REGION_RETIRED]! - R[BUDGET]! - R[BUDGET_PARKED]! | 0;
        }
      }
      counters.exits[exit]!++;
      single = false;
      switch (exit) {
        case EXIT_CHAIN_0:
        case EXIT_CHAIN_1:
          from = cache.blockAt(R[CUR_OP]!);
          slot = exit === EXIT_CHAIN_0 ? 0 : 1;
          break;
        case EXIT_EVENT:
        case EXIT_LOOKUP:
        case EXIT_BUDGET:
          break;
        case EXIT_FAULT:
          this.#restore();
          this.#raise();
          break;
        case EXIT_TRAP:
          this.#recordTrap(this.#interpreter.trapCode());
          this.#restore();
          this.#raise();
          break;
        case EXIT_HOT:
          this.#compile(cache.blockAt(R[CUR_OP]!)!);
          break;
        case EXIT_REGION: {
          const asked = R[PENDING_EXIT]!;
          R[PENDING_EXIT] = 0;
          this.#countMiss();
          this.#restore();
          if (asked === EXIT_FAULT) this.#raise();
          else {
            single = true;
            counters.singles++;
          }
          break;
        }
        case EXIT_PRECISE:
          this.#restore();
          single = true;
          counters.singles++;
          break;
        default:
          throw new Error(`op code left with unknown reason ${exit}`);
      }
    }
    this.#collectRegions();
    this.compileTime.endRun();
    const retired = budget - R[BUDGET]!;
    this.#retired += retired;
    this.#granted = R[BUDGET] = 0;
    return retired;
  }

  /** See Cpu.rest. */
  rest(now: number, waiting: boolean): void {
    if (waiting) this.#recurring?.rest(now);
    else this.#recurring?.stop();
  }

  /** See Cpu.step. */
  step(): void {
    this.#stepping = true;
    try {
      this.run(1, Infinity);
    } finally {
      this.#stepping = false;
    }
  }

  /** See Cpu.interrupt. */
  interrupt(vector: number): void {
    this.counters.interrupts++;
    if (!this.#deliver(vector, { errorCode: 0, hasError: false, external: true })) this.#raise();
  }

  /** See Cpu.retired. */
  get retired(): number {
    const R = this.#cpu.R;
    return this.#retired + this.#granted - R[BUDGET]! - R[BUDGET_PARKED]! - this.#notYetRun();
  }

  /** Instructions of the running block that were charged when it started and have not run, the present one included. */
  #notYetRun(): number {
    const R = this.#cpu.R, position = R[CUR_OP]!;
    if (this.#granted === 0 || position < 0) return 0;
    const block = this.cache.blockAt(position)!;
    if (this.#isInRegion(block)) return this.regions.get(R[REGION_NUMBER]!)!.sites[R[REGION_SITE]! - 1]!.refund;
    return block.icount - this.cache.insnAt(block, position).index;
  }

  #collectRegions(): void {
    const R = this.#cpu.R, { counters } = this;
    this.#regionRetired += R[REGION_RETIRED]!;
    counters.regions.entries += R[REGION_ENTRIES]!;
    counters.regions.events += R[REGION_EVENTS]!;
    counters.regions.budget += R[REGION_BUDGETS]!;
  }

  /** Guest instructions retired in compiled regions. */
  get regionRetired(): number {
    return this.#regionRetired;
  }

  /** Compiles the region of a hot block. */
  #compile(block: TranslationBlock): void {
    if (!this.#jit || !this.compileTime.time('compiling', () => this.regions.compile(block))) this.cache.startCounter(block, 2 ** 31);
  }

  #countMiss(): void {
    const R = this.#cpu.R, region = this.regions.get(R[REGION_NUMBER]!);
    if (region === undefined) return;
    const { kind, key } = region.sites[R[REGION_SITE]! - 1]!;
    this.counters.regions.sites[kind]++;
    if (this.regions.isMissedTooOften(region, key)) this.compileTime.time('compiling', () => this.regions.compileAgain(region));
  }

  /** Lets run() return at the next block boundary. */
  end(): void {
    this.#ending = true;
    this.#cpu.kick();
  }

  /** @param keepGlobal what is in global pages stays */
  clearJumpCache(keepGlobal = false): void {
    this.cache.clearJumpCache(keepGlobal);
  }

  /** See MemoryAccess: a store to [ma, ma + length) must be done by the instruction alone. */
  mustReplay(overlapping: readonly TranslationBlock[]): boolean {
    if (this.lockstep?.referring === true) return this.#reference!.mustReplay(overlapping);
    const R = this.#cpu.R, position = R[CUR_OP]!;
    if (position < 0) return false;
    const running = this.cache.blockAt(position);
    if (running !== undefined && this.#isInRegion(running)) {
      const region = this.regions.get(R[REGION_NUMBER]!)!;
      return overlapping.some((block) => region.blocks.has(block));
    }
    return overlapping.some((block) => this.cache.owns(block) && block.icount > 1 && position >= block.position && position < block.end);
  }

  /** The op code stands at a block's head, with a site: a region made the call. */
  #isInRegion(block: TranslationBlock): boolean {
    return this.#cpu.R[CUR_OP] === block.position && this.#cpu.R[REGION_SITE] !== 0;
  }

  invalidate(blocks: readonly TranslationBlock[]): void {
    for (const block of blocks) {
      if (this.cache.owns(block)) this.cache.invalidate(block);
      else this.#reference?.invalidate(block);
    }
  }

  /** `-d out_asm`: a region is logged if any of its blocks is wanted. */
  #logRegion({ blocks, source }: Region): void {
    const all = [...blocks];
    if (!all.some(({ pc }) => this.#log!.wants(pc))) return;
    const insns = all.reduce((sum, { icount }) => sum + icount, 0);
    const addresses = all.map(({ pc }) => `0x${(pc >>> 0).toString(16).padStart(8, '0')}`);
    this.#log!.write(`OUT: [size=${source.length}] ${insns} instructions of the blocks ${addresses.join(' ')}\n${source}\n\n`);
  }

  /** A region's guest code, ops and JavaScript: the same as the log shows of its blocks. */
  #describe(region: Region): string {
    const blocks = [...region.blocks].map((block) => `IN: \n${this.#blocks.disassembly(block)}\nOP after optimization and liveness analysis:\n${printBlock(this.regions.opsOf(block))}\n`);
    return `${blocks.join('\n')}\nOUT:\n${region.source}\n`;
  }

  get #mayChain(): boolean {
    return this.#log === null || !this.#log.has('nochain');
  }

  #enter(block: TranslationBlock): number {
    const view = this.#cpu.tlb.view(this.#cpu.R[VIEW]!);
    this.#env.readTable = view.read;
    this.#env.writeTable = view.write;
    // A region's head does not start the block.
    if (this.cache.regionOf(block) === 0) this.cache.counters.entries++;
    if (this.#mayChain) return this.#interpreter.run(block.position);
    this.cache.clearJumpCache();
    return this.#interpreter.run(block.position);
  }

  /** What the translator's checks raise has an error code of 0, or (#XM) none; #XM is #UD where the system does not expect it. */
  #recordTrap(vector: number): void {
    const R = this.#cpu.R;
    R[EXC_VECTOR] = vector === EXC_XM && (R[CR4]! & CR4_OSXMMEXCPT) === 0 ? EXC_UD : vector;
    R[EXC_ERROR] = 0;
    R[EXC_HAS_ERROR] = vector === EXC_XM ? 0 : 1;
  }

  /** Puts EIP and cc_op back to the start of the instruction that left, and gives back what it and its followers were charged. */
  #restore(): void {
    const R = this.#cpu.R, position = R[CUR_OP]!;
    if (position < 0) return;
    const block = this.cache.blockAt(position)!;
    if (this.#isInRegion(block)) {
      putBack(R, this.regions.get(R[REGION_NUMBER]!)!.sites[R[REGION_SITE]! - 1]!);
      return;
    }
    const { eip, ccOp, index } = this.cache.insnAt(block, position);
    R[EIP] = eip;
    if (ccOp !== 0) R[CC_OP] = ccOp;
    R[BUDGET] = R[BUDGET]! + block.icount - index;
    R[CUR_OP] = -1;
  }

  /** Delivers the exception recorded in the state; double and triple faults included (SDM vol. 3, 6.15). */
  #raise(): void {
    const R = this.#cpu.R, retired = this.#retired + this.#granted - R[BUDGET]! - R[BUDGET_PARKED]!;
    this.#exceptionsInARow = retired === this.#retiredAtException ? this.#exceptionsInARow + 1 : 0;
    this.#retiredAtException = retired;
    if (this.#stepping) this.#ending = true;
    if (this.#exceptionsInARow >= MAX_EXCEPTIONS) {
      this.#ending = true;
      this.#exceptionsInARow = 0;
    }
    let vector = R[EXC_VECTOR]!, errorCode = R[EXC_ERROR]!, hasError = R[EXC_HAS_ERROR] !== 0;
    for (;;) {
      this.counters.exceptions++;
      if (this.#deliver(vector, { errorCode, hasError, external: false })) return;
      const next = combineExceptions(vector, R[EXC_VECTOR]!);
      if (next < 0) {
        this.#log?.has('int') === true && this.#log.write('Triple fault\n');
        R[RESET_REQUEST] = R[RESET_REQUEST]! | RESET_ALL;
        return;
      }
      errorCode = next === R[EXC_VECTOR] ? R[EXC_ERROR]! : 0;
      hasError = next === R[EXC_VECTOR] ? R[EXC_HAS_ERROR] !== 0 : true;
      vector = next;
    }
  }

  /** True if an interrupt was delivered (or its delivery ended in an exception). */
  #serviceInterrupts(): boolean {
    const R = this.#cpu.R;
    if ((R[INTR]! | R[NMI_PENDING]!) === 0 || this.#stepping || (R[HFLAGS]! & HF_INHIBIT_IRQ) !== 0) return false;
    let vector: number;
    if (R[NMI_PENDING] !== 0 && R[NMI_BLOCKED] === 0) {
      R[NMI_PENDING] = 0;
      R[NMI_BLOCKED] = 1;
      vector = 2;
    } else if (R[INTR] !== 0 && (R[EFLAGS]! & IF) !== 0) vector = this.#cpu.acknowledge();
    else return false;
    this.counters.interrupts++;
    if (!this.#deliver(vector, { errorCode: 0, hasError: false, external: true })) {
      // What delivery met counts as a first exception: an interrupt is benign (SDM vol. 3, table 6-5).
      this.#raise();
    }
    return true;
  }

  /** False if delivery met an exception, which is then recorded in the state. */
  #deliver(vector: number, { errorCode, hasError, external }: { errorCode: number; hasError: boolean; external: boolean }): boolean {
    const R = this.#cpu.R;
    try {
      deliverInterrupt(this.#cpu, vector, { software: false, errorCode, hasError, nextEip: R[EIP]!, external });
      // The handler starts without the interrupt shadow of what it interrupted. Interrupts end HLT, and so does the single-step trap behind it.
      R[HFLAGS] = R[HFLAGS]! & ~HF_INHIBIT_IRQ;
      R[HALTED] = 0;
      return true;
    } catch (thrown) {
      if (thrown !== GUEST_FAULT) throw thrown;
      R[PENDING_EXIT] = 0;
      R[CUR_OP] = -1;
      return false;
    }
  }

  /** `-d int`. In the middle of a block EIP is looked up. */
  logInterrupt(vector: number, errorCode: number, software: boolean): void {
    const log = this.#log, R = this.#cpu.R;
    if (log === null || !log.has('int')) return;
    const eip = R[EIP]!, position = R[CUR_OP]!;
    if (position >= 0) R[EIP] = this.cache.insnAt(this.cache.blockAt(position)!, position).eip;
    if (log.wants(R[SEG_BASE + CS]! + R[EIP]! | 0)) log.write(formatInterrupt(R, this.#logged++, vector, errorCode, software) + formatState(R));
    R[EIP] = eip;
  }

  /** Lets a new block be compiled when it is hot. */
  #schedule(block: TranslationBlock): void {
    if (!this.#jit) return;
    if (this.#threshold === 0) this.compileTime.time('compiling', () => this.regions.compile(block));
    else this.cache.startCounter(block, Math.ceil(this.#threshold / block.icount));
  }

  /** `-d exec` and `-d cpu`, before a block that the run loop enters. */
  #logEntry(block: TranslationBlock): void {
    const log = this.#log!;
    if (!log.wants(block.pc)) return;
    if (log.has('exec')) {
      const words = [block.csBase, block.pc, block.flags, block.icount].map((word) => (word >>> 0).toString(16).padStart(8, '0'));
      log.write(`Trace 0: ${block.position.toString(16)} [${words.join('/')}] \n`);
    }
    if (log.has('cpu')) log.write(formatState(this.#cpu.R));
  }
}
