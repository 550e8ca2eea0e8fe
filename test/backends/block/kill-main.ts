/** npm run kill:images [-- --runs=N --seed=N]: kills the emulator at random moments while a guest writes to qcow2 images of several kinds. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KILL_IMAGES, KillCampaign } from './kill.ts';
import { randomNumbers, scratchFolder } from './support.ts';

/** Guests that write to the same image, and the longest time that one runs (ms). */
const GUESTS = 4, LONGEST = 1500;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '100' }, seed: { type: 'string', default: String(Date.now() % 2 ** 31) } } });
const runs = Number(values.runs), seed = Number(values.seed);
const random = randomNumbers(seed), folder = scratchFolder();
console.log(`seed ${seed}`);
let failures = 0, sectors = 0;
for (let run = 0, number = 0; run < runs; number++) {
  const options = KILL_IMAGES[number % KILL_IMAGES.length]!;
  const place = join(folder, String(number));
  mkdirSync(place);
  const campaign = new KillCampaign(place, options);
  for (let guest = 0; guest < GUESTS && run < runs; guest++, run++) {
    const delay = random(LONGEST);
    const wrong = await campaign.run(1 + random(2 ** 31), delay);
    if (wrong === null) continue;
    failures++;
    console.log(`run ${run} (${JSON.stringify(options)}, killed after ${delay} ms): ${wrong}`);
    break;
  }
  sectors += campaign.reported;
  if (failures === 0) rmSync(place, { recursive: true });
  if (run % 20 === 0) console.log(`${run} runs`);
}
console.log(`${runs} runs, ${sectors} sectors flushed and reported: ${failures} failed${failures > 0 ? `; images are in ${folder}` : ''}`);
if (failures === 0) rmSync(folder, { recursive: true });
process.exitCode = failures > 0 ? 1 : 0;
