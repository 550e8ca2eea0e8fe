/**
 * What the op code runs against: the guest state and memory as tcg sees them. The cpu room fills it in;
 * tcg knows slots by their role only.
 */
import type { MemOp } from './ops.ts';

/** Which state slots the run of blocks itself needs. */
export interface EnvLayout {
  /** Names of the globals; global i is state slot i. */
  readonly globals: readonly string[];
  /** A block's key: (csBase + eip, csBase, csLimit, flags). */
  readonly eip: number;
  readonly csBase: number;
  readonly csLimit: number;
  readonly flags: number;
  readonly budget: number;
  readonly currentOp: number;
  readonly pendingExit: number;
  /** What kick() took from the budget. */
  readonly parked: number;
  /** In a region: its number, and the site of the call that is being made (0 outside of regions). */
  readonly region: number;
  readonly site: number;
  /** Count the instructions that retired in regions, how often regions were entered, and left for an event or the budget; modulo 2^32. */
  readonly regionRetired: number;
  readonly regionEntries: number;
  readonly regionEvents: number;
  readonly regionBudgets: number;
  /** First slot for temporaries. */
  readonly temps: number;
  /**
   * JavaScript expression over R: the smallest normal double as long as results of inline forms need no look at rounding modes and
   * flags of the state, else infinity. It changes only by helpers.
   */
  readonly leastDouble: string;
}

/** A function that ops can call; effects as declared are what passes rely on. */
export interface Helper {
  readonly name: string;
  readonly args: number;
  readonly returns: boolean;
  /** pure: result from arguments only. reads/writes: the globals. May always touch other state. */
  readonly globals: 'none' | 'read' | 'write';
  readonly pure: boolean;
  /** May throw GuestFault or ask for an exit: then it is a possible exit and reads all globals. */
  readonly mayFault: boolean;
  /** Touches nothing but state words that are no globals: asks for neither the time nor an exit, and sees no budget. */
  readonly contained?: boolean;
  /** Of a pure helper: a JavaScript expression that spares common operands the call, which is given first. */
  readonly shortcut?: (call: string, ...inputs: string[]) => string;
  /** Of a contained helper whose inputs are constants. */
  readonly inline?: (inputs: readonly number[]) => InlineForm;
  readonly fn: (...args: number[]) => number | void;
}

/**
 * What a helper does for common operands, written out in a region. Doubles are pairs of state words, named by their even slots; if
 * one that is read is no normal number nor zero, it is NaN here. The helper itself is called where the form does not hold.
 */
export interface InlineForm {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Single state words that the text names as R[slot]. */
  readonly readsWords?: readonly number[];
  readonly writesWords?: readonly number[];
  /** JavaScript text, given the locals of what is read and written; it may use the variables r, r0, r1, m, m0, m1 and w; `least` is layout.leastDouble. */
  readonly text: (reads: readonly string[], writes: readonly string[]) => InlineText;
}

export interface InlineText {
  /** Statements, with no effect but on variables. */
  readonly before: string;
  readonly holds: string;
  /** Statements that complete it. */
  readonly then: string;
  /** What the helper would return, if that is not 0. It is not negative. */
  readonly value?: string;
}

export interface ExecEnv {
  readonly layout: EnvLayout;
  /** All state: globals, other slots, temporaries. */
  readonly regs: Int32Array;
  /** Guest RAM, ROM and video memory: the MA space. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Fast tables of the current view, 2^20 entries: VA ^ MA of the page; `table[va >>> 12] ^ va` negative = slow path. */
  readTable: Int32Array;
  writeTable: Int32Array;
  /** Slow paths. After either, regs[pendingExit] != 0 asks to leave with that reason before anything else happens. */
  loadSlow(address: number, memop: MemOp): number;
  storeSlow(address: number, value: number, memop: MemOp): void;
  /** The same for 8 or 16 bytes that go to or come from the state words from `slot` on. */
  loadVecSlow(address: number, slot: number, bytes: number): void;
  storeVecSlow(address: number, slot: number, bytes: number): void;
  /** Lockstep: asked before a store of a region counts as a miss; its place in `bytes`, or negative. */
  readonly claim?: (address: number) => number;
  readonly helpers: readonly Helper[];
  /** Compiled regions by number; number 0 is none. See backend/emitter.ts for what they return. */
  readonly regions: RegionFunction[];
}

export type RegionFunction = (entry: number, reads: Int32Array, writes: Int32Array) => number;

/** Why the op code returned. */
export const EXIT_CHAIN_0 = 1, EXIT_CHAIN_1 = 2, EXIT_EVENT = 3, EXIT_LOOKUP = 4, EXIT_BUDGET = 5,
  /** An exception is recorded in the state (from a slow path), or a trapcond fired (see trapCode). */
  EXIT_FAULT = 6, EXIT_TRAP = 7,
  /** The instruction at currentOp must be run alone (it writes to the block it is in). */
  EXIT_PRECISE = 8,
  /** A region left in the middle of an instruction: its site is in the state. */
  EXIT_REGION = 9,
  /** The block at currentOp has become hot; it has not started. */
  EXIT_HOT = 10;
export const EXIT_NAMES = ['', 'chain_0', 'chain_1', 'event', 'lookup', 'budget', 'fault', 'trap', 'precise', 'region', 'hot'] as const;
