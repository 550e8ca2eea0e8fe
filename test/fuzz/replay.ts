/** Runs one case on one machine and tells what came of it: for tests that the fuzzer printed. */
import { readEflags } from '../../src/cpu/flags.ts';
import { EIP, SEG_SEL } from '../../src/cpu/state.ts';
import { FuzzMachine, buildImage } from './machine.ts';
import type { FuzzCase, MachineOptions } from './machine.ts';

/** All numbers in hexadecimal. */
export interface Outcome {
  readonly retired: number;
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly registers: string;
  readonly eip: string;
  readonly eflags: string;
  /** ES CS SS DS FS GS. */
  readonly segments: string;
  /** Memory that has changed: address and bytes. */
  readonly memory: readonly string[];
  /** Accesses to devices. */
  readonly accesses: string;
}

const hex = (value: number): string => (value >>> 0).toString(16);
const MAX_IDLE = 8;

function changes(before: Uint8Array, after: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < before.length; at++) {
    if (before[at] === after[at]) continue;
    let end = at;
    while (end < before.length && before[end] !== after[end]) end++;
    found.push(`${hex(at)}: ${Buffer.from(after.subarray(at, end)).toString('hex')}`);
    at = end;
  }
  return found;
}

/** Runs a machine through a case. */
export function play(machine: FuzzMachine, fuzzCase: FuzzCase): void {
  const { schedule, limit } = fuzzCase;
  machine.load(fuzzCase);
  for (let slice = 0, idle = 0; machine.retired < limit && !machine.stopped && idle <= MAX_IDLE; slice++) {
    const [budget, event] = schedule[slice % schedule.length]!;
    const before = machine.retired;
    machine.run(Math.min(budget, limit - before), event);
    idle = machine.retired === before ? idle + 1 : 0;
  }
}

export function outcomeOf(machine: FuzzMachine, fuzzCase: FuzzCase): Outcome {
  const { R, bytes, accesses, retired } = machine;
  return {
    retired, registers: [...R.subarray(0, 8)].map(hex).join(' '), eip: hex(R[EIP]!), eflags: hex(readEflags(R)), segments: [...R.subarray(SEG_SEL, SEG_SEL + 6)].map(hex).join(' '),
    memory: changes(buildImage(fuzzCase), bytes), accesses: accesses.map(hex).join(' '),
  };
}

/** Runs a case on a new machine. */
export function replay(fuzzCase: FuzzCase, options: MachineOptions): Outcome {
  const machine = new FuzzMachine(options);
  play(machine, fuzzCase);
  return outcomeOf(machine, fuzzCase);
}
