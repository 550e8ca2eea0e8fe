/**
 * How fast tcg86 is on stated programs: `npm run bench`.
 *
 * The programs are the benchmark guests (one warm round) and, where TCG86_IMAGES names the folder of images, the boot of Linux 0.11 (without the
 * time in which the machine only waits).
 * Each run is a process of its own; with tier 2 and without (jit=off) take turns; figures are medians over the runs.
 *
 *   Execution: guest MIPS, mean instructions a block (TB), and blocks started a second by the run loop (lookup), the jump cache, links
 *   (chained), and within compiled regions (their instructions / mean instructions a block: regions do not count their blocks).
 *   Translation: blocks of the program translated once more, warm, by the `benchmark` package: to ops (decode, translate, optimize,
 *   pack); and the regions that tier 2 compiled to JavaScript while the program ran, cold, timed from the outside.
 *
 *     --programs a,b   --repeats N (3)   --rounds N (4)   --warmup N (2)   --scale X (1: times the guests' iterations)
 *     --clock wall|cpu (wall; cpu: processor time)   --json FILE
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseClock } from './clocks.ts';
import { GUESTS } from './guests.ts';
import type { GuestName } from './guests.ts';
import { bootLinux, measureGuest } from './measure.ts';
import type { Sample } from './measure.ts';
import { measureTranslation } from './micro.ts';
import type { MicroResult } from './micro.ts';
import { environment, failInOneLine, figure, median, rounded, table } from './report.ts';

const LINUX = 'linux-0.11';
type Program = GuestName | typeof LINUX;
/** Blocks translated once more: enough for all kinds of code, few enough for the code buffer. */
const MICRO_BLOCKS = 2000;
const RUN_TIMEOUT = 600_000;

failInOneLine('npm run bench');

const root = join(import.meta.dirname, '..');
const images = process.env['TCG86_IMAGES'];
const args = process.argv.slice(2);
const { values: options } = parseArgs({
  args,
  options: {
    programs: { type: 'string', default: [...GUESTS, LINUX].join(',') },
    repeats: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '4' },
    warmup: { type: 'string', default: '2' },
    scale: { type: 'string', default: '1' },
    clock: { type: 'string', default: 'wall' },
    json: { type: 'string' },
    child: { type: 'string' },
  },
});

/** What a child process is asked: one run, or the translation of a program's blocks. */
interface Task { readonly program: Program; readonly jit: boolean; readonly micro: boolean }

async function perform({ program, jit, micro }: Task): Promise<Sample | MicroResult> {
  const clock = parseClock(options.clock), rounds = Number(options.rounds), warmup = Number(options.warmup), scale = Number(options.scale);
  if (program === LINUX) {
    return await bootLinux({ root, jit, clock }, images!, (machine, sample) => (micro ? measureTranslation(root, machine.board.cpu, MICRO_BLOCKS) : sample));
  }
  return await measureGuest({ root, jit, clock, guest: program, rounds, warmup, scale });
}

/** Does a task in a process of its own. @throws Error with what the process complained about. */
function delegate(task: Task): unknown {
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args, '--child', JSON.stringify(task)], { encoding: 'utf8', timeout: RUN_TIMEOUT });
  if (child.status !== 0) throw new Error(`${task.program}: ${child.error?.message ?? child.stderr.trim()}`);
  return JSON.parse(child.stdout);
}

const SAMPLE_KEYS = [
  'seconds', 'retired', 'regionRetired', 'entries', 'jumpCacheHits', 'chained', 'translatedBlocks', 'translatedInsns', 'regions', 'regionBlocks',
  'regionInsns', 'compileSeconds',
] as const satisfies readonly (keyof Sample)[];

const middle = (samples: readonly Sample[]): Sample =>
  Object.fromEntries(SAMPLE_KEYS.map((key) => [key, median(samples.map((sample) => sample[key]))])) as Record<keyof Sample, number>;

interface Result { readonly program: Program; readonly on: Sample; readonly off: Sample }

/** Mean guest instructions of a block as executed. */
const blockLength = ({ off }: Result): number => off.retired / (off.entries + off.jumpCacheHits + off.chained);

function executionRow(result: Result, jit: boolean): string[] {
  const sample = jit ? result.on : result.off;
  const rate = (value: number): string => figure(value / sample.seconds);
  return [
    result.program, jit ? 'on' : 'off', figure(sample.seconds * 1000), figure(sample.retired / sample.seconds / 1e6), figure(blockLength(result)),
    rate(sample.entries), rate(sample.jumpCacheHits), rate(sample.chained), jit ? rate(sample.regionRetired / blockLength(result)) : '-',
    jit ? `${(100 * sample.regionRetired / sample.retired).toFixed(1)} %` : '-', jit ? figure(result.off.seconds / result.on.seconds) : '-',
  ];
}

function compileRow({ program, on }: Result): string[] {
  if (on.regions === 0) return [program, '0', '-', '-', '-', '-'];
  return [
    program, figure(on.regions), figure(on.regionBlocks), figure(on.regionInsns / on.regionBlocks), figure(on.regionBlocks / on.compileSeconds),
    figure(on.compileSeconds * 1e6 / on.regionInsns),
  ];
}

function report(results: readonly Result[], micro: MicroResult | null): void {
  console.log('Execution\n');
  console.log(table(
    ['program', 'jit', 'ms', 'MIPS', 'insns/TB', 'TB/s lookup', 'TB/s jump cache', 'TB/s chained', 'TB/s in regions', 'in regions', 'on : off'],
    results.flatMap((result) => [executionRow(result, false), executionRow(result, true)]),
  ));
  console.log('\nTranslation to JavaScript, as it happened (a block in several regions counts in each)\n');
  console.log(table(['program', 'regions', 'blocks', 'insns/TB', 'TB/s', 'us/insn'], results.map(compileRow)));
  if (micro === null) return;
  console.log(`\nTranslation to ops: ${micro.blocks} blocks of ${LINUX}, ${figure(micro.insns / micro.blocks)} guest instructions each; a stage includes those before it\n`);
  console.log(table(['stage', 'TB/s', 'us/insn', 'error'], Object.entries(micro.stages).map(([stage, { seconds, error }]) => [
    stage, figure(micro.blocks / seconds), figure(seconds * 1e6 / micro.insns), `${error.toFixed(1)} %`,
  ])));
}

function main(): void {
  const wanted = options.programs.split(',');
  const known: readonly Program[] = [...GUESTS, LINUX];
  const wrong = wanted.find((name) => !(known as readonly string[]).includes(name));
  if (wrong !== undefined) throw new Error(`--programs: no '${wrong}' (${known.join(', ')})`);
  const build = spawnSync(process.execPath, [join(root, 'build.mjs'), '--if-stale'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(1);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const host = environment(version, root, 'npm run bench', args);
  const linux = images !== undefined && existsSync(join(images, 'linux-0.11/bootimage-0.11-hd'));
  const programs = known.filter((program) => wanted.includes(program) && (program !== LINUX || linux));
  console.log(`${host.date.slice(0, 10)}, tcg86 ${host.tcg86}, Node ${host.node}, ${host.cpu}, ${host.cores} cores, load ${host.load}; medians of ${options.repeats} runs\n`);

  const results = programs.map((program): Result => {
    const on: Sample[] = [], off: Sample[] = [];
    for (let repeat = 0; repeat < Number(options.repeats); repeat++) {
      for (const [jit, samples] of [[false, off], [true, on]] as const) samples.push(delegate({ program, jit, micro: false }) as Sample);
    }
    process.stderr.write(`  ${program}\n`);
    return { program, on: middle(on), off: middle(off) };
  });
  const micro = programs.includes(LINUX) ? delegate({ program: LINUX, jit: false, micro: true }) as MicroResult : null;
  report(results, micro);
  if (wanted.includes(LINUX) && !linux) console.log(`\nskipped: ${LINUX} and the translation of its blocks: TCG86_IMAGES does not name a folder with it`);
  if (options.json !== undefined) {
    const short = (key: string, value: unknown): unknown => (typeof value === 'number' && key !== 'iterations' ? rounded(value) : value);
    writeFileSync(options.json, `${JSON.stringify({ ...host, repeats: Number(options.repeats), rounds: Number(options.rounds), warmup: Number(options.warmup), clock: options.clock, programs: results, translation: micro }, short, 1)}\n`);
  }
}

if (options.child === undefined) main();
else console.log(JSON.stringify(await perform(JSON.parse(options.child) as Task)));
