/** Before any test: dist/ is built if it is older than the sources, since tests of the command line run it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export default function setup(): void {
  const built = spawnSync(process.execPath, [join(import.meta.dirname, '../build.mjs'), '--if-stale'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`);
}
