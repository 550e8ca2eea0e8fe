/** A few of the runs of `npm run kill:images`. */
import { rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { KillCampaign } from './kill.ts';
import { scratchFolder } from './support.ts';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));

it('an image of an emulator that was killed is clean, and has what the guest flushed', async () => {
  const campaign = new KillCampaign(folder, { cluster_size: '4096' });
  for (const [seed, delay] of [[1, 50], [2, 333]] as const) expect(await campaign.run(seed, delay)).toBeNull();
  expect(campaign.reported).toBeGreaterThan(16);
});
