/** The suite's folder comes from TCG86_SUITES, or lies beside the project as ../shared/suites. `npm run suite:sst` runs all of it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Log } from '../../src/cpu/log.ts';
import { TestMachine } from './sst-machine.ts';
import { runFolder } from './sst-run.ts';
import { tierOptions } from './tiers.ts';

const SUITES = process.env['TCG86_SUITES'] ?? resolve(import.meta.dirname, '../../../shared/suites');
const FOLDER = join(SUITES, 'sst-80286');
const SAMPLE_STEP = 6;

describe('SingleStepTests', () => {
  it.skipIf(!existsSync(FOLDER))(`every ${SAMPLE_STEP}th test of the 80286 (skipped unless TCG86_SUITES or ../shared/suites holds sst-80286)`, () => {
    let tests = 0, byDesign = 0;
    const failures: string[] = [];
    for (const result of runFolder(FOLDER, { step: SAMPLE_STEP })) {
      failures.push(...result.failures.map(({ test, differences }) => `${result.form} #${test.index} ${test.name}: ${differences.join('; ')}`));
      const different = [...result.byDesign.values()].reduce((sum, count) => sum + count, 0);
      tests += result.passed + result.failures.length + different;
      byDesign += different;
    }
    expect(failures).toEqual([]);
    expect(tests).toBeGreaterThan(6000);
    expect(byDesign).toBeLessThan(tests / 40);
  });
});

describe('tiers', () => {
  it('are chosen by arguments', () => {
    expect(tierOptions({})).toEqual({ jit: false });
    expect(tierOptions({ 'jit-threshold': '0' })).toEqual({ jit: true, jitThreshold: 0 });
    expect(() => tierOptions({ jit: 'maybe' })).toThrow('--jit is on or off, not "maybe"');
    expect(() => tierOptions({ jit: 'off', 'jit-threshold': '0' })).toThrow('--jit-threshold has no meaning with --jit=off');
  });

  it.skipIf(!existsSync(FOLDER))('compiled code retires what is tested, or it is a failure (skipped like the one above)', () => {
    const run = (machine: TestMachine): void => void [...runFolder(FOLDER, { step: 12, forms: ['00', '17', '8E', 'A4', 'F7.4', 'FB'], machine })];
    const compiled = new TestMachine({ jit: true, jitThreshold: 0 });
    run(compiled);
    expect(compiled.counts.complaints).toEqual([]);
    // `-d nochain` turns tier 2 off.
    const interpreted = new TestMachine({ jit: true, jitThreshold: 0, log: new Log(['nochain'], () => {}) });
    run(interpreted);
    expect(interpreted.counts.complaints.at(-1)).toBe('less than 95 % of all instructions retired in compiled code');
  });
});

describe('a folder that cannot be run', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tcg86-sst-'));
  afterAll(() => rmSync(scratch, { recursive: true }));

  it('says what is wrong with it in one line', () => {
    const run = (folder: string, forms?: string[]): void => void [...runFolder(folder, { forms })];
    expect(() => run(join(scratch, 'none'))).toThrow(/none: no such folder$/);
    expect(() => run(scratch)).toThrow(/: holds no \.MOO or \.MOO\.gz files$/);
    writeFileSync(join(scratch, '40.MOO'), 'MOO \u0010\0\0\0\u0001');
    expect(() => run(scratch)).toThrow(/40\.MOO: MOO: a chunk ends too early, at byte 8$/);
    expect(() => run(scratch, ['41'])).toThrow(/: no form 41$/);
    writeFileSync(join(scratch, '3F.MOO.gz'), Uint8Array.of(0x1f, 0x8b, 8, 0, 0));
    expect(() => run(scratch)).toThrow(/3F\.MOO\.gz: unexpected end of file$/);
  });
});
