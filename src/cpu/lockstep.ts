/**
 * Lockstep: every run of a region is done again by the op interpreter, from the same state and for the same number of
 * instructions, and both must agree: registers, flags as they read, system state, memory, device accesses, faults.
 *
 *   1. The region runs. Pages are kept before they are written (page-log.ts), what devices do is recorded (device-log.ts),
 *      changes of the TLB are noted (Tlb.startJournal).
 *   2. All of that is taken back; devices are not touched again.
 *   3. The interpreter runs, with blocks of its own (reference.ts).
 *   4. What differs ends the machine with a LockstepError. Else the run loop goes on as if nothing had been.
 *
 * The region is the code that runs without lockstep, but for one thing: a store that misses the fast table first asks
 * Cpu.claim() whether it missed only because its page had not been kept yet.
 */
import { EXIT_FAULT } from '../tcg/env.ts';
import type { RegionFunction } from '../tcg/env.ts';
import type { Cpu } from './cpu.ts';
import { DeviceMismatch } from './device-log.ts';
import type { DeviceLog } from './device-log.ts';
import { GUEST_FAULT } from './fault.ts';
import { readEflags } from './flags.ts';
import { LockstepError, nameOfSlot, report } from './lockstep-report.ts';
import type { PageLog } from './page-log.ts';
import type { Reference } from './reference.ts';
import { putBack } from './regions.ts';
import type { Region } from './regions.ts';
import {
  BUDGET, BUDGET_PARKED, CC_DST, CC_OP, CC_SRC, CC_SRC2, CR2, CS, CUR_OP, EIP, EXC_ERROR, EXC_HAS_ERROR, EXC_VECTOR, PENDING_EXIT, REGION_BUDGETS,
  REGION_ENTRIES, REGION_EVENTS, REGION_NUMBER, REGION_RETIRED, REGION_SITE, SEG_BASE, TEMPS,
} from './state.ts';

/** Slots that are no state of the guest; lazy flags are compared as EFLAGS. */
const NOT_COMPARED: readonly number[] = [
  CC_OP, CC_DST, CC_SRC, CC_SRC2, BUDGET, BUDGET_PARKED, CUR_OP, PENDING_EXIT, EXC_VECTOR, EXC_ERROR, EXC_HAS_ERROR,
  REGION_NUMBER, REGION_SITE, REGION_RETIRED, REGION_ENTRIES, REGION_EVENTS, REGION_BUDGETS,
];
/** For each slot: all bits, if it is compared. */
const COMPARED = Int32Array.from({ length: TEMPS }, (_, slot) => (NOT_COMPARED.includes(slot) ? 0 : -1));
const LAZY_FLAGS = [CC_OP, CC_DST, CC_SRC, CC_SRC2] as const;
const FAULT_SLOTS = [EXC_VECTOR, EXC_ERROR, EXC_HAS_ERROR, CR2] as const;

export class LockstepCounters {
  /** Runs of regions that were checked, and the instructions in them. */
  checked = 0;
  instructions = 0;
  /** Runs that could not be checked: devices moved memory meanwhile, or the code cannot be fetched any more. */
  unchecked = 0;
}

export interface LockstepParts {
  readonly reference: Reference;
  readonly devices: DeviceLog;
  readonly pages: PageLog;
  /** Guest code, ops and JavaScript of a region, for the report. */
  readonly describe: (region: Region) => string;
}

export class Lockstep {
  readonly counters = new LockstepCounters();
  readonly #cpu: Cpu;
  readonly #parts: LockstepParts;
  /** R up to TEMPS. */
  readonly #state: Int32Array;
  /** When the region was entered; as it left; as the run loop sees that. */
  readonly #before = new Int32Array(TEMPS);
  readonly #left = new Int32Array(TEMPS);
  readonly #after = new Int32Array(TEMPS);

  constructor(cpu: Cpu, parts: LockstepParts) {
    this.#cpu = cpu;
    this.#parts = parts;
    this.#state = cpu.R.subarray(0, TEMPS);
  }

  /** The interpreter runs now: positions of ops are those of its blocks. */
  get referring(): boolean {
    return this.#parts.devices.replaying;
  }

  /** The region with the check around it. */
  wrap(region: Region, run: RegionFunction): RegionFunction {
    return (entry, reads, writes) => this.#check(region, entry, () => run(entry, reads, writes));
  }

  #check(region: Region, entry: number, run: () => number): number {
    const R = this.#cpu.R, { devices, reference } = this.#parts;
    const head = region.entries[entry]!;
    // A chained block was entered without EIP being written.
    R[EIP] = head.pc - R[SEG_BASE + CS]! | 0;
    if (!this.#fetches(head.pc)) {
      this.counters.unchecked++;
      return run();
    }
    this.#before.set(this.#state);
    const budget = R[BUDGET]! + R[BUDGET_PARKED]!;
    const { value, thrown } = this.#runRegion(region, budget, run);
    this.#left.set(this.#state);
    if (devices.remapped) {
      this.counters.unchecked++;
      this.#end();
      if (thrown) throw GUEST_FAULT;
      return value;
    }

    if (value > 0) R[REGION_SITE] = value;
    const stopped = thrown || value > 0, asked = stopped ? R[PENDING_EXIT]! : 0;
    const undone = stopped && R[CUR_OP]! >= 0;
    if (undone) putBack(R, region.sites[R[REGION_SITE]! - 1]!);
    const retired = budget - R[BUDGET]! - R[BUDGET_PARKED]!;
    this.#after.set(this.#state);
    this.#rollBack();

    let different: readonly string[];
    try {
      let outcome: string = reference.run(retired);
      if (undone && outcome === 'done' && (asked === EXIT_FAULT || !devices.complete)) {
        // The instruction that the region could not do is none of those retired; it must fail alike.
        outcome = reference.runOne();
        if (outcome === 'done') outcome = 'retired';
      }
      const faulted = stopped && asked === EXIT_FAULT;
      different = this.#isSame(retired, outcome, faulted) ? [] : this.#differences(retired, outcome, faulted);
    } catch (error) {
      if (!(error instanceof DeviceMismatch)) throw error;
      different = [`device access: ${error.message}`];
    }
    if (different.length > 0) {
      throw new LockstepError(report({ region, head, retired, different, before: this.#before, after: this.#after, interpreter: R, code: this.#parts.describe(region) }));
    }
    this.counters.checked++;
    this.counters.instructions += retired;
    this.#end();
    this.#state.set(this.#left);
    if (thrown) throw GUEST_FAULT;
    return value;
  }

  /** The accessed bit of the code's page is set before both; false if it cannot be executed any more. */
  #fetches(pc: number): boolean {
    const R = this.#cpu.R, cr2 = R[CR2]!;
    try {
      return this.#cpu.codeAddress(pc) >= 0;
    } catch (thrown) {
      if (thrown !== GUEST_FAULT) throw thrown;
      R[PENDING_EXIT] = 0;
      R[CR2] = cr2;
      return false;
    }
  }

  #runRegion(region: Region, budget: number, run: () => number): { value: number; thrown: boolean } {
    const { tlb, R } = this.#cpu, { devices, pages } = this.#parts;
    tlb.conceal();
    tlb.startJournal();
    pages.begin();
    devices.retired = () => budget - R[BUDGET]! - R[BUDGET_PARKED]! - region.sites[R[REGION_SITE]! - 1]!.refund;
    devices.record();
    try {
      return { value: run(), thrown: false };
    } catch (error) {
      if (error !== GUEST_FAULT) throw error;
      return { value: 0, thrown: true };
    }
  }

  /** The state as it was when the region was entered; what devices did is kept for the interpreter. */
  #rollBack(): void {
    const { devices, pages, reference } = this.#parts;
    this.#state.set(this.#before);
    this.#cpu.tlb.conceal();
    this.#cpu.tlb.undo();
    this.#cpu.rollBack();
    pages.rollBack();
    devices.retired = () => reference.retired;
    devices.replay();
  }

  #end(): void {
    const { devices, pages } = this.#parts;
    devices.end();
    pages.end();
    this.#cpu.tlb.conceal();
    this.#cpu.tlb.endJournal();
  }

  /** Whether the region (`#after`) and the interpreter (the state as it is) did the same: quick, and exact unless only lazy flags differ. */
  #isSame(retired: number, outcome: string, faulted: boolean): boolean {
    const state = this.#state, after = this.#after, { devices, pages, reference } = this.#parts;
    let different = 0;
    for (let slot = 0; slot < TEMPS; slot++) different |= (after[slot]! ^ state[slot]!) & COMPARED[slot]!;
    for (const slot of LAZY_FLAGS) different |= after[slot]! ^ state[slot]!;
    return different === 0 && !faulted && (outcome === 'done' || outcome === 'replay') && retired === reference.total && devices.complete && pages.same;
  }

  /** One line for each thing that differs. */
  #differences(retired: number, outcome: string, faulted: boolean): string[] {
    const R = this.#cpu.R, after = this.#after, { devices, pages, reference } = this.#parts;
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    const different: string[] = [];
    const compare = (name: string, region: number, interpreter: number): void => {
      if (region !== interpreter) different.push(`${name}: region ${hex(region)}, interpreter ${hex(interpreter)}`);
    };
    for (let slot = 0; slot < TEMPS; slot++) if (COMPARED[slot] !== 0) compare(nameOfSlot(slot), after[slot]!, R[slot]!);
    compare('EFLAGS', readEflags(after), readEflags(R));
    if (faulted) for (const slot of FAULT_SLOTS) compare(nameOfSlot(slot), after[slot]!, R[slot]!);
    const expected = faulted ? outcome === 'fault' : outcome === 'done' || outcome === 'replay';
    if (!expected) different.push(`the region ${faulted ? 'faults' : 'does not fault'}; the interpreter: ${outcome}`);
    compare('instructions', retired, reference.total);
    for (const { ma, region, interpreter } of pages.differences().slice(0, 16)) compare(`memory ${hex(ma)}`, region, interpreter);
    for (const access of devices.missing) different.push(`device access of the region alone: ${access}`);
    return different;
  }
}
