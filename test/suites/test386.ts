/**
 * `npm run suite:test386 -- ROM REFERENCE [--out=0xE9] [--post=0x190] [--accel=jit=off|jit-threshold=N] [--save=FILE]`: boots a ROM of
 * github.com/barotto/test386.asm as firmware, prints its POST codes, and compares the text that it sends to a port, COM1, COM2 or an LPT port
 * with its reference. Exit code 1 if the last code is not FF or a line differs, 2 if the suite could not be run.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readFirmware } from '../../src/backends/firmware.ts';
import { runRom } from './test386-run.ts';
import type { RomOptions } from './test386-run.ts';

const USAGE = 'usage: npm run suite:test386 -- ROM REFERENCE [--out=PORT] [--post=PORT] [--jit-threshold=N] [--no-jit] [--cpu=MODEL] [--save=FILE]';
/** Differing lines that are shown. */
const SHOWN = 5;

const lines = (text: string): string[] => text.split(/\r?\n/).map((line) => line.trimEnd()).filter((line) => line !== '');

function compare(output: string[], reference: string[]): number {
  const differing = reference.flatMap((line, index) => (output[index] === line ? [] : [index]));
  for (const index of differing.slice(0, SHOWN)) console.log(`line ${index + 1}: expected ${reference[index]}\n${' '.repeat(`line ${index + 1}: `.length)}got      ${output[index] ?? '(nothing)'}`);
  const extra = Math.max(0, output.length - reference.length);
  console.log(`${output.length} lines of output, ${reference.length} of reference: ${differing.length + extra} differ`);
  return differing.length + extra;
}

function main(): number {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    out: { type: 'string', default: '0xe9' }, post: { type: 'string', default: '0x190' }, save: { type: 'string' },
    'jit-threshold': { type: 'string' }, 'no-jit': { type: 'boolean', default: false },
  } });
  const [rom, referenceFile] = positionals;
  if (rom === undefined || referenceFile === undefined || positionals.length > 2) throw new Error(USAGE);
  const reference = lines(readFileSync(referenceFile, 'latin1'));
  const options: RomOptions = {
    outPort: Number(values.out), postPort: Number(values.post), jit: !values['no-jit'],
    ...(values['jit-threshold'] === undefined ? {} : { jitThreshold: Number(values['jit-threshold']) }),
  };
  const { posts, text, stopped, retired } = runRom(readFirmware(rom), options);
  if (values.save !== undefined) writeFileSync(values.save, text, 'latin1');
  const last = posts.at(-1) ?? -1;
  console.log(`POST ${posts.map((code) => code.toString(16).padStart(2, '0').toUpperCase()).join(' ')}`);
  console.log(`${stopped}; ${retired} instructions`);
  const differing = compare(lines(text), reference);
  return last === 0xff && differing === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`suite:test386: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
