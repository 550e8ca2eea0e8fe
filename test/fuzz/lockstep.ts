/**
 * Runs a case on several machines at once and compares them after each slice: blocks in tier 1 (the reference), one instruction at
 * a time, and tier 2 with several thresholds.
 */
import { readEflags } from '../../src/cpu/flags.ts';
import { EIP, PENDING_EXIT } from '../../src/cpu/state.ts';
import { SLOT_NAMES } from './slot-names.ts';
import * as L from './layout.ts';
import { COMPARED, FuzzMachine, buildImage } from './machine.ts';
import type { FuzzCase, MachineOptions, Observer } from './machine.ts';

export interface Contestant {
  readonly name: string;
  readonly options: MachineOptions;
}

export const REFERENCE: Contestant = { name: 'tier 1', options: { jit: false } };
export const STEPPED: Contestant = { name: 'tier 1, one instruction at a time', options: { jit: false, stepped: true } };
export const compiled = (jitThreshold: number): Contestant => ({ name: `jit-threshold=${jitThreshold}`, options: { jit: true, jitThreshold } });

export interface Difference {
  readonly contestant: Contestant;
  /** One line each. */
  readonly lines: readonly string[];
  /** Instructions that the reference had retired. */
  readonly retired: number;
}

/** After slices shorter than this memory is compared at times only. */
const SHORT_SLICE = 100;
/** Slices without an instruction, after which a case is over. */
const MAX_IDLE = 8;
const MAX_LINES = 12;

export class Runner {
  readonly contestant: Contestant;
  readonly machine: FuzzMachine;
  /** Instructions of all cases. */
  retired = 0;
  private readonly observer: Observer | undefined;

  constructor(contestant: Contestant, observer?: Observer) {
    this.contestant = contestant;
    this.machine = new FuzzMachine(contestant.options);
    this.observer = observer;
  }

  /** Share of the instructions that retired in compiled code. */
  get compiledShare(): number {
    return this.retired === 0 ? 0 : this.machine.cpu.exec.regionRetired / this.retired;
  }

  /** The message and stack of an exception of the host, or undefined. */
  run(budget: number, event: number): string | undefined {
    const before = this.machine.retired;
    try {
      this.machine.run(budget, event, this.observer);
      return undefined;
    } catch (thrown) {
      return thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    } finally {
      this.retired += this.machine.retired - before;
    }
  }
}

/** Runs a case; the first runner is the reference. The first difference ends it. `thorough`: memory is compared after every slice. */
export function runCase(fuzzCase: FuzzCase, runners: readonly Runner[], thorough = false): Difference | undefined {
  const image = buildImage(fuzzCase);
  const [reference, ...others] = runners as [Runner, ...Runner[]];
  for (const { machine } of runners) machine.load(fuzzCase, image);
  const { schedule, limit } = fuzzCase;
  let idle = 0;
  for (let slice = 0; ; slice++) {
    const [length, event] = schedule[slice % schedule.length]!;
    const before = reference.machine.retired;
    const budget = Math.min(length, limit - before);
    const thrown = reference.run(budget, event);
    if (thrown !== undefined) return { contestant: reference.contestant, lines: [thrown], retired: before };
    idle = reference.machine.retired === before ? idle + 1 : 0;
    const over = reference.machine.retired >= limit || reference.machine.stopped || idle > MAX_IDLE;
    const memory = thorough || over || length >= SHORT_SLICE || slice % 16 === 0;
    for (const other of others) {
      const exception = other.run(budget, event);
      const lines = exception !== undefined ? [exception] : compare(reference.machine, other.machine, memory);
      if (lines.length > 0) return { contestant: other.contestant, lines, retired: before };
    }
    if (over) return undefined;
  }
}

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

function compare(wanted: FuzzMachine, got: FuzzMachine, memory: boolean): string[] {
  const lines: string[] = [];
  const check = (name: string, a: number, b: number): void => {
    if (a !== b) lines.push(`${name} is ${hex(b)}, not ${hex(a)}`);
  };
  const a = wanted.R, b = got.R;
  if (wanted.retired !== got.retired) lines.push(`retired ${got.retired}, not ${wanted.retired}`);
  for (const slot of COMPARED) if (a[slot] !== b[slot]) check(SLOT_NAMES[slot] ?? `slot ${slot}`, a[slot]!, b[slot]!);
  check('EFLAGS', readEflags(a), readEflags(b));
  check('pending exit', 0, b[PENDING_EXIT]!);
  if (wanted.recoveries !== got.recoveries) lines.push(`recovered ${got.recoveries} times, not ${wanted.recoveries}`);
  if (memory || wanted.accesses.length !== got.accesses.length) compareAccesses(wanted.accesses, got.accesses, lines);
  if (memory && Buffer.compare(wanted.bytes, got.bytes) !== 0) {
    for (let at = 0; at < L.RAM_SIZE && lines.length < MAX_LINES; at++) check(`[${hex(at, 5)}]`, wanted.bytes[at]!, got.bytes[at]!);
  }
  if (lines.length > 0 && a[EIP] === b[EIP]) lines.push(`EIP is ${hex(a[EIP]!)}`);
  return lines;
}

function compareAccesses(wanted: readonly number[], got: readonly number[], lines: string[]): void {
  const count = Math.max(wanted.length, got.length);
  const show = (list: readonly number[], at: number): string => (at < list.length ? `${hex(list[at]!)} ${hex(list[at + 1]!)} after ${list[at + 2]!} instructions` : 'not there');
  for (let i = 0; i < count; i += 3) {
    if (wanted[i] === got[i] && wanted[i + 1] === got[i + 1] && wanted[i + 2] === got[i + 2]) continue;
    lines.push(`device access ${i / 3} is ${show(got, i)}, not ${show(wanted, i)}`);
    return;
  }
}
