/** A small part of `npm run fuzz`, the same each time. */
import { describe, expect, it } from 'vitest';
import { Campaign } from './campaign.ts';
import { NativeCampaign, NativeRunner } from './native-campaign.ts';
import { nativeReport } from './native-report.ts';
import { report } from './report.ts';

const SEED = 20_261_125, CASES = 15;

/** Undefined where gcc -m32 is not installed. */
function nativeRunner(): NativeRunner | undefined {
  try {
    return new NativeRunner();
  } catch {
    return undefined;
  }
}

describe('random code', () => {
  it('does the same in both tiers', () => {
    const campaign = new Campaign(SEED);
    for (let i = 0; i < CASES; i++) {
      const finding = campaign.next();
      if (finding !== undefined) expect.unreachable(report(`seed ${finding.seed}`, finding.fuzzCase, finding.difference));
    }
    expect(campaign.retired).toBeGreaterThan(5_000);
    expect(campaign.shares[0]!.share).toBeGreaterThan(0.6);
    expect(campaign.coverage.pairs).toBeGreaterThan(100);
  });

  it('does the same on the processor of this machine (skipped without gcc -m32)', ({ skip }) => {
    const runner = nativeRunner();
    if (runner === undefined) return skip();
    try {
      const campaign = new NativeCampaign(runner, SEED);
      for (const difference of campaign.next()) expect.unreachable(nativeReport(`seed ${SEED}`, difference));
      expect(campaign.retired).toBeGreaterThan(2_000);
      expect(campaign.stops).toBeGreaterThan(100);
      expect(runner.compiledShare).toBeGreaterThan(0.6);
    } finally {
      runner.close();
    }
  });
});
