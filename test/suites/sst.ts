/**
 * `npm run suite:sst -- FOLDER [--form=F7.4,...] [--show=N] [--jit=on|off] [--jit-threshold=N]`: runs a folder of recorded instruction tests (SingleStepTests, MOO format,
 * with its metadata.json) and prints the forms that fail, N tests for each (3 by default), the differences by design with their reasons,
 * and the totals. With `--jit-threshold=0` everything runs in compiled code, and it is a failure if it did not. Exit code 1 if a test
 * failed, 2 if the suite could not be run.
 */

import { parseArgs } from 'node:util';
import type { Difference } from './sst-differences.ts';
import { runFolder } from './sst-run.ts';
import type { FormResult } from './sst-run.ts';
import { TestMachine } from './sst-machine.ts';
import { TIER_ARGUMENTS, TIER_USAGE, printTier, tierOptions } from './tiers.ts';

const USAGE = `usage: npm run suite:sst -- FOLDER [--form=F7.4,...] [--show=N] ${TIER_USAGE}`;

function printFailures({ form, passed, failures }: FormResult, show: number): void {
  console.log(`${form.padEnd(8)} ${failures.length} of ${failures.length + passed} failed`);
  for (const { test, differences } of failures.slice(0, show)) {
    const bytes = Buffer.from(test.bytes).toString('hex');
    const exception = test.exception === undefined ? '' : ` (exception ${test.exception.vector})`;
    console.log(`    #${test.index} ${test.name} [${bytes}]${exception}: ${differences.slice(0, 6).join('; ')}`);
  }
}

function main(): number {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { form: { type: 'string' }, show: { type: 'string', default: '3' }, ...TIER_ARGUMENTS } });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Error(USAGE);
  const machine = new TestMachine(tierOptions(values));
  const byDesign = new Map<Difference, { tests: number; forms: number }>();
  let passed = 0, unlocked = 0, failed = 0, forms = 0, different = 0;
  const differing = new Set<string>();
  for (const result of runFolder(folder, { forms: values.form?.split(','), machine })) {
    if (result.failures.length > 0) printFailures(result, Number(values.show));
    forms++;
    passed += result.passed;
    unlocked += result.unlocked;
    if (result.byDesign.size > 0) differing.add(result.form);
    failed += result.failures.length;
    for (const [rule, tests] of result.byDesign) {
      const sum = byDesign.get(rule) ?? { tests: 0, forms: 0 };
      byDesign.set(rule, { tests: sum.tests + tests, forms: sum.forms + 1 });
      different += tests;
    }
  }
  for (const [{ reason }, { tests, forms: count }] of byDesign) {
    console.log(`${String(tests).padStart(6)} differ by design (${count} forms): ${reason}`);
  }
  if (unlocked > 0) console.log(`${String(unlocked).padStart(6)} were judged without their LOCK prefix: it raises #UD since the 386 where nothing can be locked, as was checked; a 286 ignores it`);
  console.log(`${forms} forms, ${passed + failed + different} tests: ${passed} passed, ${failed} failed, ${different} differ by design (${differing.size} forms)`);
  return printTier(machine.counts) && failed === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`suite:sst: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
