import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ROWS } from '../../src/cpu/decode/table.ts';
import { decodeCorpus, encodeCorpus } from '../vectors/format.ts';
import { formOf } from '../vectors/forms.ts';
import { isExcluded } from '../vectors/scenarios.ts';
import { check } from './vectors-check.ts';
import { VectorMachine } from './vectors-machine.ts';

const file = readFileSync(join(import.meta.dirname, '../vectors/integer.bin.gz'));
const corpus = decodeCorpus(file);
const SAMPLE_STEP = 10;

describe('recorded instructions', () => {
  test('the file says what it is, and reads back as it was written', () => {
    const { header, vectors } = corpus;
    expect(header.processor).not.toBe('');
    expect(vectors).toHaveLength(header.count);
    expect(gunzipSync(encodeCorpus(header, vectors)).equals(gunzipSync(file))).toBe(true);
  });

  test('every row is there, but for those with a reason', () => {
    const recorded = new Set(corpus.vectors.map(({ form }) => corpus.header.forms[form]));
    const missing = ROWS.filter((row) => !isExcluded(row) && !recorded.has(formOf(row)));
    expect(missing.map(formOf)).toEqual([]);
  });

  test.each([{ jit: false }, { jit: true, jitThreshold: 0 }])('a sample gives the same on our processor: %o', (options) => {
    const machine = new VectorMachine(options);
    const failures = corpus.vectors.flatMap((vector, i) => {
      const differences = i % SAMPLE_STEP === 0 ? check(machine, vector, corpus.header.forms[vector.form]!) : [];
      return differences.length === 0 ? [] : [`${corpus.header.forms[vector.form]} #${i}: ${differences.join('; ')}`];
    });
    expect(failures).toEqual([]);
    expect(machine.counts.complaints).toEqual([]);
  });
});
