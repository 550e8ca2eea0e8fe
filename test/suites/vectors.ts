/**
 * `npm run suite:vectors [-- --row=TEXT] [--show=N] [--jit=on|off] [--jit-threshold=N] [FILE]`: runs a corpus of recorded instructions (test/vectors/integer.bin.gz), prints
 * the rows that fail with N differences for each (3 by default), and the totals. `--row`: only rows that contain the text (`SHLD`,
 * `F7 /6`). With `--jit-threshold=0` everything runs in compiled code, and it is a failure if it did not. Exit code 1 if a vector
 * failed, 2 if the corpus could not be run.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeCorpus } from '../vectors/format.ts';
import { check } from './vectors-check.ts';
import { TIER_ARGUMENTS, printTier, tierOptions } from './tiers.ts';
import { VectorMachine } from './vectors-machine.ts';

const CORPUS = join(import.meta.dirname, '../vectors/integer.bin.gz');

function main(): number {
  const { values, positionals: [file = CORPUS] } = parseArgs({ allowPositionals: true, options: { row: { type: 'string' }, show: { type: 'string', default: '3' }, ...TIER_ARGUMENTS } });
  const { header, vectors } = decodeCorpus(readFileSync(file));
  const machine = new VectorMachine(tierOptions(values));
  const failures = new Map<number, string[]>();
  const counts = new Map<number, number>();
  vectors.forEach((vector, number) => {
    const { form, input: { code } } = vector;
    if (values.row !== undefined && !header.forms[form].includes(values.row)) return;
    counts.set(form, (counts.get(form) ?? 0) + 1);
    const differences = check(machine, vector, header.forms[form]);
    if (differences.length === 0) return;
    const line = `    #${number} [${Buffer.from(code).toString('hex')}]: ${differences.slice(0, 6).join('; ')}`;
    failures.set(form, [...failures.get(form) ?? [], line]);
  });
  console.log(`recorded on ${header.processor}`);
  let failed = 0, total = 0;
  for (const [form, count] of counts) {
    const lines = failures.get(form) ?? [];
    total += count;
    failed += lines.length;
    if (lines.length === 0) continue;
    console.log(`${header.forms[form].padEnd(24)} ${lines.length} of ${count} failed`);
    for (const line of lines.slice(0, Number(values.show))) console.log(line);
  }
  console.log(`${total - failed} passed, ${failed} failed`);
  return printTier(machine.counts) && failed === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`suite:vectors: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
