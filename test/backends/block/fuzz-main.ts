/**
 * npm run fuzz:images [-- --count=N --seed=N --qemu=N]: damaged images of every format. `--qemu`: each N-th that can be read is compared with what
 * qemu-img makes of it (0: none). A round that takes longer than half a minute is a hang.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { ImageFuzzer, keep } from './fuzz.ts';
import { hasQemuImg, randomNumbers, scratchFolder } from './support.ts';

const { values } = parseArgs({ options: {
  count: { type: 'string', default: '10000' }, seed: { type: 'string', default: String(Date.now() % 2 ** 31) }, qemu: { type: 'string', default: '10' },
} });
const count = Number(values.count), seed = Number(values.seed), each = Number(values.qemu);
console.log(`seed ${seed}${hasQemuImg || each === 0 ? '' : ' (qemu-img is not installed: nothing is compared with it)'}`);

const heartbeat = new Int32Array(new SharedArrayBuffer(4));
const watchdog = new Worker(`
  const { workerData } = require('node:worker_threads');
  let last = -1;
  setInterval(() => {
    const now = Atomics.load(workerData, 0);
    if (now === last) {
      require('node:fs').writeSync(2, 'round ' + now + ' hangs\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    last = now;
  }, 30000);
`, { eval: true, workerData: heartbeat });

const scratch = scratchFolder(), kept = scratchFolder();
const fuzzer = new ImageFuzzer(scratch, randomNumbers(seed));
let failures = 0;
for (let round = 0; round < count; round++) {
  Atomics.store(heartbeat, 0, round);
  const wrong = fuzzer.round(each > 0 && round % each === 0);
  if (wrong !== null) {
    failures++;
    const place = join(kept, String(round));
    keep(scratch, place);
    console.log(`round ${round} (${place}): ${wrong}`);
    if (failures === 10) break;
  }
  if (round % 1000 === 999) writeSync(1, `${round + 1} images\n`);
}
console.log(`${count} images: ${Object.entries(fuzzer.outcomes).map(([name, times]) => `${times} ${name}`).join(', ')}; ${failures} failed`);
await watchdog.terminate();
process.exitCode = failures > 0 ? 1 : 0;
