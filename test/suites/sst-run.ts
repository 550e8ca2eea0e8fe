/** Runs recorded instruction tests: a test, a file, a folder. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadMoo } from './moo.ts';
import type { MooFile, MooState, MooTest, RegisterName } from './moo.ts';
import { compare, flagsMaskOf } from './sst-check.ts';
import type { SuiteMetadata } from './sst-check.ts';
import { DIFFERENCES_286, UNDEFINED_OPCODE, differenceOf, withoutLock } from './sst-differences.ts';
import type { Difference, Instead } from './sst-differences.ts';
import { TestMachine } from './sst-machine.ts';

const FILE_NAME = /^(.+)\.MOO(\.gz)?$/i;

export interface Failure {
  readonly test: MooTest;
  /** One line per register or byte. */
  readonly differences: readonly string[];
}

export interface FormResult {
  /** `F7.4`. */
  readonly form: string;
  readonly passed: number;
  /** Tests that were judged without their LOCK prefix, which a 386 refuses. */
  readonly unlocked: number;
  readonly failures: readonly Failure[];
  /** How many tests fell under each rule. */
  readonly byDesign: ReadonlyMap<Difference, number>;
}

export interface RunOptions {
  /** Only these forms. */
  readonly forms?: readonly string[];
  /** Only every n-th test of a file. */
  readonly step?: number;
  readonly machine?: TestMachine;
}

/** Throws an Error with a line that says what is wrong with the folder. */
export function* runFolder(folder: string, { forms, step = 1, machine = new TestMachine() }: RunOptions = {}): Generator<FormResult> {
  const names = listFiles(folder);
  const unknown = forms?.find((form) => !names.has(form));
  if (unknown !== undefined) throw new Error(`${folder}: no form ${unknown}`);
  const metadata = readMetadata(folder);
  for (const [form, name] of names) {
    if (forms !== undefined && !forms.includes(form)) continue;
    yield runFile(machine, form, loadMoo(join(folder, name)), metadata, step);
  }
}

/** File names by form, sorted. */
function listFiles(folder: string): Map<string, string> {
  if (!existsSync(folder)) throw new Error(`${folder}: no such folder`);
  const found = new Map<string, string>();
  for (const name of readdirSync(folder).sort()) {
    const form = FILE_NAME.exec(name)?.[1];
    if (form !== undefined) found.set(form, name);
  }
  if (found.size === 0) throw new Error(`${folder}: holds no .MOO or .MOO.gz files`);
  return found;
}

function readMetadata(folder: string): SuiteMetadata | undefined {
  const path = join(folder, 'metadata.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SuiteMetadata) : undefined;
}

function runFile(machine: TestMachine, form: string, file: MooFile, metadata: SuiteMetadata | undefined, step: number): FormResult {
  const rules = metadata?.cpu === '286' ? DIFFERENCES_286 : [];
  const flagsMask = flagsMaskOf(metadata, form, file);
  const failures: Failure[] = [];
  const byDesign = new Map<Difference, number>();
  let passed = 0, unlocked = 0;
  const judge = (test: MooTest): void => {
    const differences = runTest(machine, test, { form, flagsMask, file });
    const rule = differences.length === 0 ? undefined : differenceOf(rules, test);
    const wrong = rule === undefined ? differences : runInstead(machine, test, rule.instead, { form, flagsMask, file });
    if (wrong.length > 0) failures.push({ test, differences: wrong });
    else if (rule === undefined) passed++;
    else if ('refusesLock' in rule.instead) {
      unlocked++;
      judge(withoutLock(test));
    } else byDesign.set(rule, (byDesign.get(rule) ?? 0) + 1);
  };
  file.tests.forEach((test, i) => {
    if (i % step === 0) judge(test);
  });
  return { form, passed, unlocked, failures, byDesign };
}

/** The file that a test is from. */
interface Where {
  readonly form: string;
  readonly flagsMask: number;
  readonly file: MooFile;
}

/** What differs from the record. */
function runTest(machine: TestMachine, test: MooTest, { form, flagsMask, file }: Where): readonly string[] {
  const halted = machine.run(test, form);
  const differences = halted ? compare(machine, test, flagsMask, file.masks) : ['did not reach the HLT'];
  machine.clear(test);
  return differences;
}

/** What differs from a rule. */
function runInstead(machine: TestMachine, test: MooTest, instead: Instead, where: Where): readonly string[] {
  if ('restartsElement' in instead) return runTest(machine, withElementUndone(machine, test, where.form), where);
  const vector = machine.runToException(test);
  const wanted = 'completes' in instead ? -1 : 'fault' in instead ? instead.fault : UNDEFINED_OPCODE;
  let differences: string[];
  if (vector !== wanted) differences = [`${outcome(vector)}, not ${outcome(wanted)}`];
  else differences = wanted >= 0 ? compare(machine, { ...test, final: UNCHANGED, exception: undefined }, 0xFFFF, {}) : [];
  machine.clear(test);
  return differences;
}

const UNCHANGED: MooState = { registers: {}, ram: [], masks: {} };

const outcome = (vector: number | undefined): string => (vector === undefined ? 'no end' : vector < 0 ? 'no exception' : `exception ${vector}`);

/** The test as if the recorded processor had left SI, DI and CX before the element that faulted: each is as recorded, or one element back. */
function withElementUndone(machine: TestMachine, test: MooTest, form: string): MooTest {
  machine.run(test, form);
  const recorded = { ...test.initial.registers, ...test.final.registers };
  const step = ((recorded.flags ?? 0) & 0x400) === 0 ? 2 : -2;
  const registers = { ...test.final.registers } as { [Name in RegisterName]?: number };
  for (const [name, back] of [['si', -step], ['di', -step], ['cx', 1]] as const) {
    const before = (recorded[name] ?? 0) + back & 0xFFFF;
    if (machine.register(name) === before) registers[name] = before;
  }
  machine.clear(test);
  return { ...test, final: { ...test.final, registers } };
}
