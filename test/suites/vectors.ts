/**
 * `npm run suite:vectors [-- --row=TEXT] [--show=N] [--jit=on|off] [--jit-threshold=N] [FILE...]`: runs the recorded instructions (test/vectors:
 * integer.bin.gz, x87.bin.gz, simd.bin.gz; or FILEs), prints the rows that fail with N differences for each (3 by default), and the totals.
 * `--row`: only rows that contain the text (`SHLD`, `F7 /6`). With `--jit-threshold=0` everything runs in compiled code, and it is a failure if it did not. Exit code 1 if a vector
 * failed, 2 if the corpus could not be run.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeCorpus } from '../vectors/format.ts';
import { check } from './vectors-check.ts';
import { TIER_ARGUMENTS, printTier, tierOptions } from './tiers.ts';
import { VectorMachine } from './vectors-machine.ts';

const FILES = ['integer', 'x87', 'simd'].map((name) => join(import.meta.dirname, `../vectors/${name}.bin.gz`));

interface Result {
  count: number;
  readonly failures: string[];
}

function main(): number {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { row: { type: 'string' }, show: { type: 'string', default: '3' }, ...TIER_ARGUMENTS } });
  const machine = new VectorMachine(tierOptions(values)), results = new Map<string, Result>(), share = { equal: 0, all: 0 };
  const processors = new Set<string>();
  for (const file of positionals.length > 0 ? positionals : FILES) {
    const { header, vectors } = decodeCorpus(readFileSync(file));
    processors.add(header.processor);
    vectors.forEach((vector, number) => {
      const form = header.forms[vector.form]!;
      if (values.row !== undefined && !form.toLowerCase().includes(values.row.toLowerCase())) return;
      const result = results.get(form) ?? { count: 0, failures: [] };
      results.set(form, result);
      result.count++;
      const differences = check(machine, vector, form, share);
      if (differences.length > 0) result.failures.push(`    #${number} [${Buffer.from(vector.input.code).toString('hex')}]: ${differences.slice(0, 6).join('; ')}`);
    });
  }
  console.log(`recorded on ${[...processors].join(', ')}`);
  let failed = 0, total = 0;
  for (const [form, { count, failures }] of results) {
    total += count;
    failed += failures.length;
    if (failures.length === 0) continue;
    console.log(`${form.padEnd(24)} ${failures.length} of ${count} failed`);
    for (const line of failures.slice(0, Number(values.show))) console.log(line);
  }
  if (share.all > 0) console.log(`transcendental x87 results: ${share.equal} of ${share.all} are the recorded ones to the last bit (${(100 * share.equal / share.all).toFixed(1)} %), the others within one unit in the last place`);
  console.log(`${total - failed} passed, ${failed} failed`);
  return printTier(machine.counts) && failed === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`suite:vectors: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
