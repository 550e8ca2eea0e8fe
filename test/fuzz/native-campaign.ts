/** Random user-mode code, compared between this processor (through the recorder) and ours in both tiers. */
import type { CpuOptions } from '../../src/cpu/cpu.ts';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { nameOfWord } from '../suites/float-check.ts';
import { UserMachine } from '../suites/user-machine.ts';
import { EFLAGS_INDEX, EIP_INDEX } from '../vectors/layout.ts';
import { MAX_STOPS, Recorder } from '../vectors/recorder.ts';
import type { Recording, RecorderArea, RecorderInput, Stop } from '../vectors/recorder.ts';
import { floatsOf } from '../vectors/float-state.ts';
import { stateOfSeed } from '../vectors/float-values.ts';
import { isExcluded } from '../vectors/scenarios.ts';
import { makeCase } from './generate.ts';
import * as L from './layout.ts';
import type { FuzzCase } from './machine.ts';
import { NATIVE_MODE } from './modes.ts';
import { Judge, MAX_STEPS, isApproximate, prepare } from './native-judge.ts';
import type { Judgement } from './native-judge.ts';
import { NATIVE_AREAS, codeBytes, nativeAreas, nextTable, startRegisters } from './native-world.ts';

/** More than a case retires, its handlers included. */
const BUDGET = 2 * MAX_STEPS;
const NAMES: readonly string[] = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI', 'EFLAGS', 'EIP'], SEGMENTS: readonly string[] = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
const PAGE_FAULT = 14;
/** Page-fault error code: "instruction fetch" came with no-execute pages. */
const FETCH = 0x10;

export const NATIVE_ROWS = ROWS.filter((row) => !isExcluded(row) && !isApproximate(row));

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

export interface NativeContestant {
  readonly name: string;
  readonly options: Partial<CpuOptions>;
}

const CONTESTANTS: readonly NativeContestant[] = [
  { name: 'tier 1', options: { jit: false } }, { name: 'jit-threshold=0', options: { jit: true, jitThreshold: 0 } }, { name: 'jit-threshold=30', options: { jit: true, jitThreshold: 30 } },
];

export interface NativeDifference {
  readonly contestant: NativeContestant;
  readonly judgement: Judgement;
  readonly recording: Recording;
  readonly lines: readonly string[];
}

/** The processor of this machine, and ours. */
export class NativeRunner {
  readonly judge: Judge;
  private readonly areas: readonly RecorderArea[];
  private readonly recorder: Recorder;
  private readonly contestants: readonly { readonly contestant: NativeContestant; readonly machine: UserMachine }[];

  /** @throws Error with a line that says why there is no recorder here */
  constructor() {
    this.areas = nativeAreas();
    this.recorder = new Recorder(this.areas);
    this.judge = new Judge(this.areas);
    this.contestants = CONTESTANTS.map((contestant) => ({ contestant, machine: new UserMachine(NATIVE_AREAS, contestant.options) }));
  }

  close(): void {
    this.recorder.close();
  }

  /** Differences of judged cases, by case. */
  compare(judgements: readonly Judgement[]): (NativeDifference | undefined)[] {
    const recordings = this.recorder.record(judgements.map(inputOf));
    return judgements.map((judgement, i) => {
      const recording = recordings[i]!;
      for (const { contestant, machine } of this.contestants) {
        const lines = check(machine, this.areas, judgement, recording);
        if (lines.length > 0) return { contestant, judgement, recording, lines };
      }
      return undefined;
    });
  }

  /** Share of the instructions that retired in compiled code, with threshold 0. */
  get compiledShare(): number {
    const { cpu } = this.contestants[1]!.machine;
    return cpu.retired === 0 ? 0 : cpu.exec.regionRetired / cpu.retired;
  }
}

const inputOf = ({ fuzzCase }: Judgement): RecorderInput =>
  ({ registers: startRegisters(fuzzCase), first: L.CODE, next: nextTable(fuzzCase), memory: [{ address: L.CODE + fuzzCase.offset, bytes: codeBytes(fuzzCase) }], floats: stateOfSeed(fuzzCase.start.floats) });

/** What differs between a machine and the recording. */
export function check(machine: UserMachine, areas: readonly RecorderArea[], { fuzzCase, undefinedFlags }: Judgement, { stops, memory }: Recording): string[] {
  prepare(machine, areas, fuzzCase);
  const next = nextTable(fuzzCase);
  for (let number = 0; ; number++) {
    const stop = machine.run(BUDGET), wanted = stops[number];
    if (stop === undefined) return [`goes on for ever after exception ${number}`];
    if (wanted === undefined) return [`has exception ${stop.exception} at ${hex(stop.registers[EIP_INDEX]!)}, and should have none`];
    const lines = [...compareStops(stop, wanted, undefinedFlags[number] ?? 0), ...(wanted.floats === undefined ? [] : compareFloats(floatsOf(machine.cpu.R), wanted.floats))];
    if (lines.length > 0) return lines.map((line) => `at exception ${number} (${wanted.exception} at ${hex(wanted.registers[EIP_INDEX]!)}): ${line}`);
    const to = next[stop.registers[EIP_INDEX]! - L.CODE] ?? 0;
    if (to === 0 || number + 1 === MAX_STOPS) return number + 1 === stops.length ? compareMemory(machine, areas, fuzzCase, memory) : [`ends after ${number + 1} exceptions, not ${stops.length}`];
    machine.resume(stop, to);
  }
}

function compareStops(got: Stop, wanted: Stop, undefinedFlags: number): string[] {
  const lines: string[] = [];
  const expect = (name: string, actual: number, expected: number, mask = -1): void => {
    if (((actual ^ expected) & mask) !== 0) lines.push(`${name} is ${hex(actual)}, not ${hex(expected)}`);
  };
  expect('exception', got.exception, wanted.exception);
  if (lines.length === 0) expect('error code', got.errorCode, wanted.errorCode, wanted.exception === PAGE_FAULT ? ~FETCH : -1);
  expect('CR2', got.cr2, wanted.cr2);
  NAMES.forEach((name, i) => expect(name, got.registers[i]!, wanted.registers[i]!, i === EFLAGS_INDEX ? ~undefinedFlags : -1));
  SEGMENTS.forEach((name, i) => expect(name, got.segments[i]!, wanted.segments[i]!));
  return lines;
}

function compareFloats(got: Int32Array, wanted: Int32Array): string[] {
  return [...got].flatMap((value, word) => (value === wanted[word] ? [] : [`${nameOfWord(word)} is ${hex(value)}, not ${hex(wanted[word]!)}`]));
}

function compareMemory(machine: UserMachine, areas: readonly RecorderArea[], fuzzCase: FuzzCase, changes: Recording['memory']): string[] {
  const code = { address: L.CODE + fuzzCase.offset, bytes: codeBytes(fuzzCase) };
  for (const area of areas) {
    const expected = area.bytes.slice();
    for (const { address, bytes } of [code, ...changes]) if (address >= area.base && address < area.base + area.size) expected.set(bytes, address - area.base);
    const actual = machine.area(area);
    const at = Buffer.compare(expected, actual) === 0 ? -1 : expected.findIndex((byte, i) => byte !== actual[i]);
    if (at >= 0) return [`[${hex(area.base + at, 6)}] is ${hex(actual[at]!, 2)}, not ${hex(expected[at]!, 2)}`];
  }
  return [];
}

/** The case of a seed. */
const nativeCase = (seed: number): FuzzCase => makeCase(seed, { modes: [NATIVE_MODE], rows: NATIVE_ROWS, endless: false });

/** Cases that are recorded at once. */
const BATCH = 50;

export class NativeCampaign {
  cases = 0;
  /** Instructions and exceptions of the cases. */
  retired = 0;
  stops = 0;
  private readonly runner: NativeRunner;
  private readonly seed: number;
  private readonly met = new Uint8Array(ROWS.length);

  constructor(runner: NativeRunner, seed: number) {
    this.runner = runner;
    this.seed = seed;
  }

  /** Runs the next cases. */
  next(): NativeDifference[] {
    const judgements: Judgement[] = [];
    while (judgements.length < BATCH) {
      const judgement = this.runner.judge.repair(nativeCase(this.seed + this.cases++), (row) => {
        this.met[row] = 1;
      });
      if (judgement === undefined) continue;
      judgements.push(judgement);
      this.retired += judgement.retired;
      this.stops += judgement.stops.length;
    }
    return this.runner.compare(judgements).filter((difference) => difference !== undefined);
  }

  /** Rows that were not executed; most system instructions end in an exception here. */
  get notMet(): readonly Row[] {
    return NATIVE_ROWS.filter(({ index }) => this.met[index] === 0);
  }
}
