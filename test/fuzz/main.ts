/**
 * `npm run fuzz -- [--only=tiers|native] [SEED] [COUNT]`: random code on tier 1 and tier 2, compared after each slice, until COUNT
 * (5,000,000) instructions have retired in tier 1; then random user-mode code, a twentieth as many instructions, compared with the
 * processor of this machine where gcc -m32 is installed. A difference is made small and printed as a test. Exit code 1 if there was one,
 * or if a row of the decode tables was not met.
 */
import { parseArgs } from 'node:util';
import { Campaign } from './campaign.ts';
import type { Finding } from './campaign.ts';
import { Coverage, rowName } from './coverage.ts';
import { NativeCampaign, NativeRunner } from './native-campaign.ts';
import { nativeReport, reduce } from './native-report.ts';
import { report } from './report.ts';

const USAGE = 'usage: npm run fuzz -- [--only=tiers|native] [SEED] [COUNT]';
const COUNT = 5_000_000;
/** Of the instructions, what is run on the real processor too. */
const NATIVE_SHARE = 0.05;
/** Differences after which a run ends. */
const MAX_FINDINGS = 5;
/** Below this many instructions it is no fault that a row was not met. */
const ENOUGH_FOR_ALL_ROWS = 2_000_000, ENOUGH_FOR_NATIVE_ROWS = 200_000;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const rule = '='.repeat(100);

/** Prints how far it is, now and then. */
class Progress {
  private readonly started = Date.now();
  private readonly count: number;
  private next = 1;

  constructor(count: number) {
    this.count = count;
  }

  get seconds(): string {
    return ((Date.now() - this.started) / 1000).toFixed(0);
  }

  at(retired: number, cases: number): void {
    if (retired < this.next * this.count / 10 || retired >= this.count) return;
    console.log(`${retired} instructions, ${cases} cases, ${this.seconds} s`);
    this.next = Math.floor(retired / this.count * 10) + 1;
  }
}

function showFinding({ seed, fuzzCase, difference, reproduced }: Finding): void {
  console.log(`\n${rule}\n${report(`seed ${seed}`, fuzzCase, difference)}`);
  if (!reproduced) console.log('not reproduced by this case alone on new machines');
}

/** True if all is well. */
function runTiers(seed: number, count: number): boolean {
  const campaign = new Campaign(seed), progress = new Progress(count);
  let findings = 0;
  while (campaign.retired < count && findings < MAX_FINDINGS) {
    const finding = campaign.next();
    if (finding !== undefined) {
      findings++;
      showFinding(finding);
    }
    progress.at(campaign.retired, campaign.cases);
  }
  const { coverage } = campaign;
  const { notMet } = coverage;
  console.log(`tier 1 and tier 2: ${campaign.retired} instructions in ${campaign.cases} cases, ${progress.seconds} s: ${findings} differences`);
  console.log(`retired in compiled code: ${campaign.shares.map(({ threshold, share }) => `${percent(share)} with jit-threshold=${threshold}`).join(', ')}`);
  console.log(`rows and modes met: ${coverage.pairs} of ${Coverage.pairCount}; instructions that faulted: ${coverage.faults}`);
  console.log(`rows not met: ${notMet.length === 0 ? 'none' : notMet.map(rowName).join('; ')}`);
  return findings === 0 && (notMet.length === 0 || campaign.retired < ENOUGH_FOR_ALL_ROWS);
}

function runNative(seed: number, count: number): boolean {
  let runner: NativeRunner;
  try {
    runner = new NativeRunner();
  } catch (error) {
    console.log(`real processor: skipped, ${(error as Error).message.split('\n')[0]}`);
    return true;
  }
  try {
    const campaign = new NativeCampaign(runner, seed), progress = new Progress(count);
    let findings = 0;
    while (campaign.retired < count && findings < MAX_FINDINGS) {
      for (const difference of campaign.next().slice(0, MAX_FINDINGS - findings)) {
        findings++;
        console.log(`\n${rule}\n${nativeReport(`seed ${seed}, real processor`, reduce(runner, difference))}`);
      }
      progress.at(campaign.retired, campaign.cases);
    }
    const { notMet } = campaign;
    console.log(`real processor: ${campaign.retired} instructions in ${campaign.cases} cases, ${campaign.stops} exceptions, ${progress.seconds} s: ${findings} differences`);
    console.log(`retired in compiled code: ${percent(runner.compiledShare)} with jit-threshold=0`);
    console.log(`rows not met: ${notMet.length === 0 ? 'none' : notMet.map(rowName).join('; ')}`);
    return findings === 0 && (notMet.length === 0 || campaign.retired < ENOUGH_FOR_NATIVE_ROWS);
  } finally {
    runner.close();
  }
}

interface Arguments {
  readonly only: string | undefined;
  readonly seed: number;
  readonly count: number;
}

function argumentsOf(): Arguments | undefined {
  try {
    const { values: { only }, positionals: [seedText, countText, ...rest] } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
    const seed = seedText === undefined ? Date.now() % 1_000_000_000 : Number(seedText), count = Number(countText ?? COUNT);
    const good = Number.isSafeInteger(seed) && count > 0 && rest.length === 0 && (only === undefined || only === 'tiers' || only === 'native');
    return good ? { only, seed, count } : undefined;
  } catch {
    return undefined;
  }
}

function main({ only, seed, count }: Arguments): number {
  console.log(`seed ${seed}, ${count} instructions`);
  const tiers = only === 'native' || runTiers(seed, count);
  const native = only === 'tiers' || runNative(seed, only === 'native' ? count : Math.ceil(count * NATIVE_SHARE));
  return tiers && native ? 0 : 1;
}

const options = argumentsOf();
if (options === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else process.exitCode = main(options);
