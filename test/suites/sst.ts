/**
 * `npm run suite:sst -- FOLDER [--form=F7.4,...] [--show=N]`: runs a folder of recorded instruction tests (SingleStepTests, MOO format,
 * with its metadata.json) and prints the forms that fail, N differences for each (3 by default), and the totals.
 * Exit code 1 if a test failed.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadMoo } from './moo.ts';
import type { MooFile, MooTest } from './moo.ts';
import { compare, flagsMaskOf } from './sst-check.ts';
import type { SuiteMetadata } from './sst-check.ts';
import { DIFFERENCES_286, differenceOf } from './sst-differences.ts';
import type { Difference } from './sst-differences.ts';
import { TestMachine } from './sst-machine.ts';

const FILE_NAME = /^(.+)\.MOO(\.gz)?$/i;

interface Failure {
  readonly test: MooTest;
  readonly differences: readonly string[];
}

interface FormResult {
  passed: number;
  readonly failures: Failure[];
}

function readMetadata(folder: string): SuiteMetadata | undefined {
  const path = join(folder, 'metadata.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SuiteMetadata) : undefined;
}

function runTest(machine: TestMachine, test: MooTest, flagsMask: number, file: MooFile): readonly string[] {
  const halted = machine.run(test);
  const differences = halted ? compare(machine, test, flagsMask, file.masks) : ['did not reach the HLT'];
  machine.clear(test);
  return differences;
}

function printFailures(form: string, { passed, failures }: FormResult, show: number): void {
  console.log(`${form.padEnd(8)} ${failures.length} of ${failures.length + passed} failed`);
  for (const { test, differences } of failures.slice(0, show)) {
    const bytes = Buffer.from(test.bytes).toString('hex');
    const exception = test.exception === undefined ? '' : ` (exception ${test.exception.vector})`;
    console.log(`    #${test.index} ${test.name} [${bytes}]${exception}: ${differences.slice(0, 6).join('; ')}`);
  }
}

function main(): number {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { form: { type: 'string' }, show: { type: 'string', default: '3' } } });
  const [folder] = positionals;
  if (folder === undefined) {
    console.error('usage: npm run suite:sst -- FOLDER [--form=F7.4,...] [--show=N]');
    return 2;
  }
  const wanted = values.form?.split(',');
  const metadata = readMetadata(folder);
  const differences = metadata?.cpu === '286' ? DIFFERENCES_286 : [];
  const machine = new TestMachine();
  const byDesign = new Map<Difference, number>();
  let passed = 0, failed = 0;
  for (const name of readdirSync(folder).sort()) {
    const form = FILE_NAME.exec(name)?.[1];
    if (form === undefined || wanted !== undefined && !wanted.includes(form)) continue;
    const file = loadMoo(join(folder, name));
    const flagsMask = flagsMaskOf(metadata, form, file);
    const result: FormResult = { passed: 0, failures: [] };
    for (const test of file.tests) {
      const difference = differenceOf(differences, form, test);
      if (difference !== undefined) {
        byDesign.set(difference, (byDesign.get(difference) ?? 0) + 1);
        continue;
      }
      const found = runTest(machine, test, flagsMask, file);
      if (found.length === 0) result.passed++;
      else result.failures.push({ test, differences: found });
    }
    if (result.failures.length > 0) printFailures(form, result, Number(values.show));
    passed += result.passed;
    failed += result.failures.length;
  }
  let different = 0;
  for (const [{ reason }, count] of byDesign) {
    console.log(`${String(count).padStart(6)} differ by design: ${reason}`);
    different += count;
  }
  console.log(`${passed} passed, ${failed} failed, ${different} differ by design`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
