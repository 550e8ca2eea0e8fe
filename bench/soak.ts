/**
 * Memory of a long run: `npm run soak -- [SECONDS] [--guests a,b]`.
 *
 * Guests that write new code for ever (SOAK_GUESTS) run on tcg86 in a process of their own each, all at once, for SECONDS (300). The resident set at
 * the end may be 1.2 times that of after a fifth of the time (a minute of five): the exit code is 1 if it is more. Linux only: it reads /proc.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SOAK_GUESTS, assembleGuest, withScratch, writeImage } from './guests.ts';
import { MarkReader } from './marks.ts';
import { failInOneLine, table } from './report.ts';

failInOneLine('npm run soak');

const SAMPLES = 25;
const LIMIT = 1.2;
const ROUNDS = 0xffffffff;

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { guests: { type: 'string', default: SOAK_GUESTS.join(',') } } });
const seconds = Number(positionals[0] ?? 300);
if (!(seconds >= 5) || positionals.length > 1) throw new Error('usage: npm run soak -- [SECONDS, 5 or more] [--guests a,b]');
const wanted = values.guests.split(',').map((text) => {
  const name = SOAK_GUESTS.find((guest) => guest === text);
  if (name === undefined) throw new Error(`--guests: no '${text}' (${SOAK_GUESTS.join(', ')})`);
  return name;
});

const build = spawnSync(process.execPath, [join(root, 'build.mjs'), '--if-stale'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);

/** Resident set of a process in MiB. @throws Error if it has ended */
function residentSet(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kib) / 1024;
}

const results = await withScratch(async (folder) => {
  const children = wanted.map((name) => {
    const image = writeImage(folder, assembleGuest(name, join(root, 'bench/guests')), 1, ROUNDS);
    const child = spawn(process.execPath, [join(root, 'dist/tcg86.js'), '-m', '16', '-display', 'none', '-serial', 'stdio', '-snapshot', '-fda', image], { stdio: ['ignore', 'pipe', 'inherit'] });
    const marks = new MarkReader();
    child.stdout.on('data', (chunk: Buffer) => {
      for (const byte of chunk) marks.byte(byte);
    });
    return { name, child, marks, sizes: [] as number[] };
  });
  try {
    const started = performance.now();
    for (let sample = 1; sample <= SAMPLES; sample++) {
      await setTimeout(started + seconds * 1000 * sample / SAMPLES - performance.now());
      for (const { child, sizes } of children) sizes.push(residentSet(child.pid!));
    }
  } finally {
    for (const { child } of children) child.kill('SIGKILL');
  }
  return children;
});

console.log(`Resident set in MiB, of ${seconds} seconds\n`);
console.log(table(['guest', 'rounds', 'at 1/5', 'at 3/5', 'at the end', 'largest', 'end : 1/5'], results.map(({ name, marks, sizes }) => {
  const at = (part: number): number => sizes[SAMPLES * part / 5 - 1]!;
  if (at(5) > LIMIT * at(1)) process.exitCode = 1;
  return [name, String(marks.rounds.length), ...[at(1), at(3), at(5), Math.max(...sizes)].map((size) => size.toFixed(0)), (at(5) / at(1)).toFixed(2)];
})));
for (const { name, marks } of results) {
  if (marks.rounds.length > 0 && marks.rounds.every(({ correct }) => correct)) continue;
  console.log(`failed: ${name}: ${marks.rounds.length === 0 ? 'no round was done' : 'a wrong checksum'}`);
  process.exitCode = 1;
}
