/** A few of the rounds of `npm run fuzz:images`. */
import { rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { ImageFuzzer } from './fuzz.ts';
import { randomNumbers, scratchFolder } from './support.ts';

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true }));

it('damaged images are read rightly, or refused', () => {
  const fuzzer = new ImageFuzzer(folder, randomNumbers(1));
  const wrong = Array.from({ length: 300 }, () => fuzzer.round(false)).filter((one) => one !== null);
  expect(wrong).toEqual([]);
  expect(fuzzer.outcomes['read']).toBeGreaterThan(20);
  expect(fuzzer.outcomes['refused']).toBeGreaterThan(20);
});
