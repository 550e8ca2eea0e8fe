/**
 * `npm run guests -- [--only=TEXT] [--timeout=SECONDS]`: boots the guests of guests.ts and prints what became of each. Exit code 1 if one failed,
 * 2 if none was found.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGED_GUESTS, findFiles } from './guests.ts';
import type { PackagedGuest } from './guests.ts';
import { LINKED_GUESTS } from './linked.ts';

/** The library as built: it finds its firmware beside itself. */
const library = await import(join(import.meta.dirname, '../../dist/index.js')) as typeof import('../../src/index.ts');

async function run(guest: PackagedGuest, paths: readonly string[], timeout: number): Promise<string | null> {
  const machine = library.Machine.open({ ...await guest.options(...paths), timeout });
  try {
    await guest.shows(machine);
    return null;
  } catch (error) {
    const picture = join('/tmp', `tcg86-guest-${process.pid}.png`);
    writeFileSync(picture, machine.screenshot());
    return `${(error as Error).message} (screen: ${picture})`;
  } finally {
    machine.close();
  }
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, timeout: { type: 'string', default: '1800' } } });
const isMeant = ({ name }: { name: string }): boolean => name.toLowerCase().includes(values.only.toLowerCase()), timeout = Number(values.timeout);
let ran = 0, failed = 0;

/** @param start boots it; what it gives is why it failed, or null */
async function report(name: string, start: () => Promise<string | null>): Promise<void> {
  ran++;
  const from = performance.now(), failure = await start();
  if (failure !== null) failed++;
  console.log(`${failure === null ? 'passed ' : 'FAILED '}  ${name} (${Math.round((performance.now() - from) / 1000)} s)${failure === null ? '' : `: ${failure}`}`);
}

for (const guest of PACKAGED_GUESTS.filter(isMeant)) {
  const paths = findFiles(guest);
  if (paths === null) console.log(`skipped  ${guest.name}: package ${guest.package} is not there (TCG86_PACKAGES names the folder that it was unpacked to)`);
  else await report(guest.name, () => run(guest, paths, timeout));
}
for (const guests of LINKED_GUESTS.filter(isMeant)) {
  if (guests.lacking !== null) console.log(`skipped  ${guests.name}: ${guests.lacking}`);
  else await report(guests.name, () => guests.run(library, timeout));
}
process.exitCode = failed > 0 ? 1 : ran === 0 ? 2 : 0;
