/**
 * `npm run fuzz:devices -- [SEED [ACCESSES [NAME...]]]`: random accesses to every device (or those whose name holds a NAME), ACCESSES to each
 * (default a million). A host exception, or a write to a ROM or outside of a disk, fails; an access that does not end shows by its name not coming.
 */
import { Random } from '../../vectors/random.ts';
import { access, targetsOf } from './accesses.ts';
import { fullBoard } from './board.ts';

const CHECKED_EVERY = 10_000;

const [seedText = String(Date.now() % 1_000_000), countText = '1000000', ...wanted] = process.argv.slice(2);
const seed = Number(seedText), count = Number(countText);
if (!Number.isInteger(seed) || !Number.isInteger(count) || count < 1) {
  console.error('usage: npm run fuzz:devices -- [SEED [ACCESSES [NAME...]]]');
  process.exit(2);
}
const names = targetsOf(fullBoard()).map(({ name }) => name).filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (names.length === 0) {
  console.error(`fuzz:devices: no device '${wanted.join(' ')}' (${targetsOf(fullBoard()).map(({ name }) => name).join(', ')})`);
  process.exit(2);
}

/** What went wrong, or null. */
function run(name: string): string | null {
  const board = fullBoard(), targets = targetsOf(board), index = targets.findIndex((one) => one.name === name), target = targets[index]!, random = new Random(seed + index);
  let done = 0;
  try {
    for (; done < count; done++) {
      access(board, random, target, targets);
      if (done % CHECKED_EVERY === 0) board.check();
    }
    board.check();
    return null;
  } catch (error) {
    return `access ${done}: ${(error as Error).stack}`;
  }
}

let failed = 0;
console.log(`seed ${seed}, ${count} accesses to each of ${names.length} places`);
for (const name of names) {
  const start = Date.now(), wrong = run(name);
  if (wrong !== null) failed++;
  console.log(`${wrong === null ? 'ok    ' : 'FAILED'} ${name}, ${((Date.now() - start) / 1000).toFixed(1)} s${wrong === null ? '' : `: ${wrong}`}`);
}
console.log(`${names.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
