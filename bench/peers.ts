/**
 * The benchmark guests on tcg86 and its peers, the same images everywhere: `npm run bench:peers`.
 *
 * Every emulator runs in a process of its own; this process reads the serial line and takes the time between the marks. Emulators take
 * turns (A B C A B C ...), so that a change of the host's speed meets all of them. The first rounds after a boot are warm-up; the figure
 * is the median of the others of all boots. A ratio above 1: tcg86 is that much faster.
 *
 *     --guests a,b   --peers qemu,v86   --repeats N (3)   --rounds N (5)   --warmup N (2)   --scale X (1: times the guests' iterations)
 *     --clock wall|cpu (wall; cpu: processor time, Linux only)   --v86 FOLDER   --seabios FOLDER   --json FILE
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseClock } from './clocks.ts';
import { GUESTS, assembleGuest, withScratch, writeImage } from './guests.ts';
import type { Guest, GuestName } from './guests.ts';
import { DEFAULT_SEABIOS, DEFAULT_V86_FOLDER, findQemu, findTcg86, findV86 } from './peers/find.ts';
import { runPeer } from './peers/peer.ts';
import type { Peer, Skipped } from './peers/peer.ts';
import { environment, failInOneLine, figure, geometricMean, median, rounded, table } from './report.ts';

const RUN_TIMEOUT = 180_000;

failInOneLine('npm run bench:peers');

const args = process.argv.slice(2);
const { values: options } = parseArgs({
  args,
  options: {
    guests: { type: 'string', default: GUESTS.join(',') },
    peers: { type: 'string', default: 'v86,qemu' },
    repeats: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    scale: { type: 'string', default: '1' },
    clock: { type: 'string', default: 'wall' },
    v86: { type: 'string', default: DEFAULT_V86_FOLDER },
    seabios: { type: 'string', default: DEFAULT_SEABIOS },
    json: { type: 'string' },
  },
});

function count(name: 'repeats' | 'rounds' | 'warmup', least: number): number {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} ${options[name]}: not a whole number from ${least} on`);
  return value;
}

function chosen<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  const wrong = text.split(',').find((name) => !(known as readonly string[]).includes(name));
  if (wrong !== undefined) throw new Error(`--${option}: no '${wrong}' (${known.join(', ')})`);
  return known.filter((name) => text.split(',').includes(name));
}

const repeats = count('repeats', 1), warmup = count('warmup', 0), rounds = count('rounds', warmup + 1), scale = Number(options.scale);
if (!(scale > 0)) throw new Error(`--scale ${options.scale}: not a number above 0`);
const clock = parseClock(options.clock);
const guests = chosen('guests', options.guests, GUESTS);
const wanted = chosen('peers', options.peers, ['v86', 'qemu']);

const root = join(import.meta.dirname, '..');
const build = spawnSync(process.execPath, [join(root, 'build.mjs'), '--if-stale'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const host = environment(version, root, 'npm run bench:peers', args);
const folders = { root, v86: options.v86, seabios: options.seabios };
const found = [...findTcg86(host.tcg86, folders), ...(wanted.includes('v86') ? [findV86(folders)] : []), ...(wanted.includes('qemu') ? [findQemu()] : [])];
const peers = found.filter((one): one is Peer => 'version' in one);
const skipped = found.filter((one): one is Skipped => 'reason' in one);

interface Result {
  readonly guest: GuestName;
  readonly iterations: number;
  /** By peer: ms of each warm round, of all boots in order; or why there are none. */
  readonly milliseconds: Record<string, number[]>;
  readonly failures: Record<string, string>;
}

async function measure(guest: Guest, folder: string): Promise<Result> {
  const iterations = Math.max(1, Math.round(guest.iterations * scale));
  const image = writeImage(folder, guest, iterations, rounds);
  const result: Result = { guest: guest.name, iterations, milliseconds: {}, failures: {} };
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const peer of peers) {
      if (result.failures[peer.name] !== undefined) continue;
      try {
        const all = await runPeer(peer, image, clock, RUN_TIMEOUT);
        (result.milliseconds[peer.name] ??= []).push(...all.slice(warmup).map(({ milliseconds }) => rounded(milliseconds)));
      } catch (error) {
        result.failures[peer.name] = (error as Error).message;
      }
    }
  }
  return result;
}

const others = peers.slice(1);
const timeOf = (result: Result, peer: Peer): number | undefined =>
  (result.failures[peer.name] === undefined ? median(result.milliseconds[peer.name] ?? []) : undefined);

/** How much faster tcg86 is than a peer, or undefined. */
function ratio(result: Result, peer: Peer): number | undefined {
  const ours = timeOf(result, peers[0]!), theirs = timeOf(result, peer);
  return ours === undefined || theirs === undefined ? undefined : theirs / ours;
}

const results: Result[] = [];
console.log(`${host.date.slice(0, 10)}, ${host.cpu}, ${host.cores} cores, load ${host.load}\n${peers.map((peer) => `${peer.name}: ${peer.version}`).join('\n')}`);
await withScratch(async (folder) => {
  for (const name of guests) {
    const result = await measure(assembleGuest(name, join(root, 'bench/guests')), folder);
    results.push(result);
    process.stderr.write(`  ${name}: ${peers.map((peer) => `${peer.name} ${figure(timeOf(result, peer))} ms`).join(', ')}\n`);
  }
});

const means = others.map((peer) => {
  const ratios = results.map((result) => ratio(result, peer)).filter((value) => value !== undefined);
  return ratios.length === 0 ? undefined : geometricMean(ratios);
});
const rows = results.map((result) => [
  result.guest, String(result.iterations), ...peers.map((peer) => figure(timeOf(result, peer))), ...others.map((peer) => figure(ratio(result, peer))),
]);
rows.push(['geometric mean', '', ...peers.map(() => ''), ...means.map(figure)]);
console.log(`\nMilliseconds ${clock === 'cpu' ? 'of processor time ' : ''}a round (median of ${rounds - warmup} warm rounds in each of ${repeats} boots), and how much faster tcg86 is (below 1: slower)\n`);
console.log(table(['guest', 'iterations', ...peers.map((peer) => peer.name), ...others.map((peer) => `vs ${peer.name}`)], rows));
for (const { name, reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
const failures = results.flatMap((result) => Object.values(result.failures).map((message) => `${result.guest}: ${message}`));
for (const failure of failures) console.log(`failed: ${failure}`);
if (failures.length > 0) process.exitCode = 1;

if (options.json !== undefined) {
  const json = {
    ...host, peers: Object.fromEntries(peers.map((peer) => [peer.name, peer.version])), skipped,
    repeats, rounds, warmup, clock,
    geometricMeans: Object.fromEntries(others.map((peer, index) => [peer.name, means[index] === undefined ? null : rounded(means[index])])),
    guests: results.map((result) => ({
      guest: result.guest, iterations: result.iterations,
      medians: Object.fromEntries(peers.map((peer) => [peer.name, timeOf(result, peer) ?? null])),
      ratios: Object.fromEntries(others.map((peer) => [peer.name, ratio(result, peer) === undefined ? null : rounded(ratio(result, peer)!)])),
      milliseconds: result.milliseconds, failures: result.failures,
    })),
  };
  writeFileSync(options.json, `${JSON.stringify(json, null, 1)}\n`);
}
