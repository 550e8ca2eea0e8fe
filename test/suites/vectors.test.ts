import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { decodeCorpus, packCorpus } from '../vectors/format.ts';
import { formOf } from '../vectors/forms.ts';
import { isExcluded } from '../vectors/scenarios.ts';
import { x87Forms } from '../vectors/x87-forms.ts';
import { check } from './vectors-check.ts';
import { VectorMachine } from './vectors-machine.ts';

/** Of the vectors of each file one in so many. */
const FILES = [['integer', 30], ['x87', 100], ['simd', 100]] as const;
const files = FILES.map(([name, step]) => {
  const bytes = readFileSync(join(import.meta.dirname, `../vectors/${name}.bin.gz`));
  return { name, step, bytes, ...decodeCorpus(bytes) };
});
const LEAST = 200_000, MOST_BYTES = 6_000_000;

describe('recorded instructions', () => {
  test.each(files)('$name: the file says what it is, and reads back as it was written', ({ header, vectors, bytes }) => {
    expect(header.processor).not.toBe('');
    expect(vectors).toHaveLength(header.count);
    expect(gunzipSync(bytes).equals(packCorpus(header, vectors))).toBe(true);
  });

  test('there are enough, in files that a clone can bear', () => {
    expect(files.reduce((sum, { vectors }) => sum + vectors.length, 0)).toBeGreaterThanOrEqual(LEAST);
    expect(files.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(MOST_BYTES);
  });

  test('every row is there, and every x87 instruction, but for those with a reason', () => {
    const recorded = new Set(files.flatMap(({ header, vectors }) => vectors.map(({ form }) => header.forms[form])));
    const wanted = ROWS.filter((row) => !isExcluded(row)).flatMap((row) => (row.mnemonic.startsWith('ESC') ? x87Forms(row).map(({ form }) => form) : [formOf(row)]));
    expect(wanted.filter((form) => !recorded.has(form))).toEqual([]);
  });

  test.each([{ jit: false }, { jit: true, jitThreshold: 0 }])('a sample gives the same on our processor: %o', (options) => {
    const machine = new VectorMachine(options);
    const failures = files.flatMap(({ header, vectors, step }) => vectors.flatMap((vector, i) => {
      const form = header.forms[vector.form]!;
      const differences = i % step === 0 ? check(machine, vector, form) : [];
      return differences.length === 0 ? [] : [`${form} #${i}: ${differences.join('; ')}`];
    }));
    expect(failures).toEqual([]);
    expect(machine.counts.complaints).toEqual([]);
  });
});
