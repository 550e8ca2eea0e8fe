/**
 * `npm run guests -- [--only=TEXT] [--timeout=SECONDS]`: boots the guests of guests.ts and prints what became of each. Exit code 1 if one failed,
 * 2 if none was found.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Machine as MachineType } from '../../src/index.ts';
import { PACKAGED_GUESTS, findFiles } from './guests.ts';
import type { PackagedGuest } from './guests.ts';

/** The library as built: it finds its firmware beside itself. */
const { Machine } = await import(join(import.meta.dirname, '../../dist/index.js')) as { Machine: typeof MachineType };

async function run(guest: PackagedGuest, paths: readonly string[], timeout: number): Promise<string | null> {
  const machine = Machine.open({ ...guest.options(...paths), timeout });
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
let ran = 0, failed = 0;
for (const guest of PACKAGED_GUESTS.filter(({ name }) => name.toLowerCase().includes(values.only.toLowerCase()))) {
  const paths = findFiles(guest);
  if (paths === null) {
    console.log(`skipped  ${guest.name}: package ${guest.package} is not there (TCG86_PACKAGES names the folder that it was unpacked to)`);
    continue;
  }
  ran++;
  const start = performance.now(), failure = await run(guest, paths, Number(values.timeout));
  if (failure !== null) failed++;
  console.log(`${failure === null ? 'passed ' : 'FAILED '}  ${guest.name} (${Math.round((performance.now() - start) / 1000)} s)${failure === null ? '' : `: ${failure}`}`);
}
process.exitCode = failed > 0 ? 1 : ran === 0 ? 2 : 0;
