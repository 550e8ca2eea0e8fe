/**
 * `npm run fuzz -- [SEED] [COUNT]`: random code on tier 1 and tier 2, compared after each slice, until COUNT (5,000,000) instructions
 * have retired in tier 1. A difference is made small and printed as a test. Exit code 1 if there was one, or if a row of the decode
 * tables was not met.
 */
import { Campaign } from './campaign.ts';
import type { Finding } from './campaign.ts';
import { Coverage, rowName } from './coverage.ts';
import { report } from './report.ts';

const COUNT = 5_000_000;
/** Differences after which a run ends. */
const MAX_FINDINGS = 5;
/** Below this many instructions it is no fault that a row was not met. */
const ENOUGH_FOR_ALL_ROWS = 1_000_000;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function showFinding({ seed, fuzzCase, difference, reproduced }: Finding): void {
  console.log(`\n${'='.repeat(100)}\n${report(`seed ${seed}`, fuzzCase, difference)}`);
  if (!reproduced) console.log('not reproduced by this case alone on new machines');
}

function main(): number {
  const [seedText, countText] = process.argv.slice(2);
  const seed = seedText === undefined ? Date.now() % 1_000_000_000 : Number(seedText), count = Number(countText ?? COUNT);
  if (!Number.isSafeInteger(seed) || !(count > 0)) {
    console.error('usage: npm run fuzz -- [SEED] [COUNT]');
    return 2;
  }
  console.log(`seed ${seed}, ${count} instructions`);
  const campaign = new Campaign(seed), started = Date.now();
  let findings = 0;
  for (let progress = 1; campaign.retired < count && findings < MAX_FINDINGS; ) {
    const finding = campaign.next();
    if (finding !== undefined) {
      findings++;
      showFinding(finding);
    }
    if (campaign.retired >= progress * count / 10 && campaign.retired < count) {
      console.log(`${campaign.retired} instructions, ${campaign.cases} cases, ${((Date.now() - started) / 1000).toFixed(0)} s`);
      progress = Math.floor(campaign.retired / count * 10) + 1;
    }
  }
  const { coverage } = campaign;
  const { notMet } = coverage;
  console.log(`${campaign.retired} instructions in ${campaign.cases} cases, ${((Date.now() - started) / 1000).toFixed(0)} s: ${findings} differences`);
  console.log(`retired in compiled code: ${campaign.shares.map(({ threshold, share }) => `${percent(share)} with jit-threshold=${threshold}`).join(', ')}`);
  console.log(`rows and modes met: ${coverage.pairs} of ${Coverage.pairCount}; instructions that faulted: ${coverage.faults}`);
  console.log(`rows not met: ${notMet.length === 0 ? 'none' : notMet.map(rowName).join('; ')}`);
  return findings > 0 || (notMet.length > 0 && campaign.retired >= ENOUGH_FOR_ALL_ROWS) ? 1 : 0;
}

process.exitCode = main();
