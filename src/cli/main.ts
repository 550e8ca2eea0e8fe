/** The command `tcg86`: reads the arguments, runs the machine, turns what went wrong into one line. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { LockstepError } from '../index.ts';
import { Information, UsageError } from './errors.ts';
import { describeImages, sourcesOf } from './named-images.ts';
import { parseArguments } from './options.ts';
import { Output } from './output.ts';
import { run } from './run.ts';

/** As QEMU, for what cannot start. */
const EXIT_ERROR = 1;

function version(): string {
  const manifest = readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8');
  return `tcg86 version ${(JSON.parse(manifest) as { version: string }).version}`;
}

async function main(output: Output): Promise<number> {
  try {
    return await run(parseArguments(process.argv.slice(2)), output);
  } catch (error) {
    if (error instanceof Information) {
      output.print(`${error.text === 'version' ? version() : error.text === 'images' ? describeImages(sourcesOf(process.env)) : error.text}\n`);
      return 0;
    }
    if (error instanceof LockstepError) {
      output.say(error.message);
      return EXIT_ERROR;
    }
    // Anything that is not the user's to mend is a bug in the emulator, and is shown as one.
    output.say(error instanceof UsageError ? error.message : `internal error: ${(error as Error).stack ?? String(error)}`);
    return EXIT_ERROR;
  }
}

// V8 lets garbage grow to several times what lives. A guest that writes new code for ever makes garbage for ever.
setFlagsFromString('--heap-growing-percent=40');
const output = new Output();
// Errors of standard output come after the fact, so the code is made up at the very end.
const code = await main(output);
process.on('exit', () => { process.exitCode = code || output.exitCode; });
