/** The commands of `tcg86-img`: qemu-img's, with its options, for the images that this project has. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ImageError } from '../../backends/block/error.ts';
import { FORMAT_NAMES } from '../../backends/block/formats.ts';
import { Information } from '../errors.ts';
import { ImgError, misuse } from './arguments.ts';
import { check } from './check.ts';
import { compare } from './compare.ts';
import { convert } from './convert.ts';
import { create } from './create.ts';
import { info } from './info.ts';
import { map } from './map.ts';
import { resize } from './resize.ts';
import { snapshot } from './snapshot.ts';

/** Each takes the words behind its name, and returns the exit code. */
const COMMANDS: Readonly<Record<string, { readonly usage: string; readonly run: (words: readonly string[]) => number }>> = {
  check: { usage: '[-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] [-U] filename', run: check },
  compare: { usage: '[-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2', run: compare },
  convert: { usage: '[-U] [-c] [-p] [-q] [-n] [--target-is-zero] [-f fmt] [-t cache] [-T src_cache] [-O output_fmt] [-B backing_file -F backing_fmt] [-o options] '
    + '[-l snapshot_param] [-S sparse_size] [-m num_coroutines] [-W] filename [filename2 [...]] output_filename', run: convert },
  create: { usage: '[-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]', run: create },
  info: { usage: '[-f fmt] [--output=ofmt] [--backing-chain] [-U] filename', run: info },
  map: { usage: '[-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename', run: map },
  resize: { usage: '[-f fmt] [-q] [--shrink] filename [+ | -]size', run: resize },
  snapshot: { usage: '[-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename', run: snapshot },
};
/** Commands of qemu-img that are not here. */
const MISSING = ['amend', 'bench', 'bitmap', 'commit', 'dd', 'measure', 'rebase'];

function version(): string {
  const manifest = readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8');
  return `tcg86-img version ${(JSON.parse(manifest) as { version: string }).version}`;
}

function help(): string {
  return [
    version(), 'usage: tcg86-img [standard options] command [command options]', 'disk image utility, with the commands and options of qemu-img', '',
    "    '-h', '--help'       display this help and exit", "    '-V', '--version'    output version information and exit", '', 'Command syntax:',
    ...Object.entries(COMMANDS).map(([name, { usage }]) => `  ${name} ${usage}`), '',
    "Sizes are in bytes, or with k, M, G, T, P or E. '-o help' lists the options of a format. '-q' is quiet, '-p' shows progress,",
    "'-U' does not care who else uses the image. '-m', '-W' and the cache modes are accepted; '-t' other than unsafe flushes at the end.", '',
    `Supported formats: ${FORMAT_NAMES.join(' ')}`,
  ].join('\n');
}

function run(words: readonly string[]): number {
  const [name, ...rest] = words;
  if (name === undefined) misuse('Not enough arguments');
  if (name === '-V' || name === '--version') throw new Information(version());
  if (name === '-h' || name === '--help' || rest.includes('--help') || rest.includes('-h')) throw new Information(help());
  if (MISSING.includes(name)) throw new ImgError(`command '${name}' is not supported (${Object.keys(COMMANDS).join(', ')})`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) misuse(`Command not found: ${name}`);
  return command.run(rest);
}

/** Runs a command line (without node and script) and returns the exit code; what is wrong is printed. */
export function runImg(words: readonly string[]): number {
  try {
    return run(words);
  } catch (error) {
    if (error instanceof Information) {
      process.stdout.write(`${error.text}\n`);
      return 0;
    }
    const known = error instanceof ImgError || error instanceof ImageError;
    process.stderr.write(`tcg86-img: ${known ? error.message : `internal error: ${(error as Error).stack ?? String(error)}`}\n`);
    return error instanceof ImgError ? error.code : 1;
  }
}
