/** Every template in both modes: vectors.txt holds `bits hex instruction`, recorded from nasm 2.16. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALL_TEMPLATES } from '../../../bios/assembler/instructions/index.ts';
import { sampleInstructions } from './samples.ts';
import { assembleToHex, hasNasm, nasm, toHex } from './support.ts';

interface Vector {
  readonly bits: number;
  readonly bytes: string;
  readonly text: string;
}

const vectors: Vector[] = readFileSync(join(import.meta.dirname, 'vectors.txt'), 'utf8').trim().split('\n').map((line) => {
  const [, bits, bytes, text] = /^(\d+) ([0-9a-f]+) (.*)$/.exec(line)!;
  return { bits: Number(bits), bytes: bytes!, text: text! };
});

const inMode = (bits: number): Vector[] => vectors.filter((vector) => vector.bits === bits);

/** Sizes that nasm 2.16 does not let one write, though they are right. */
const REFUSED_BY_NASM = /^(pshuf\w+ \w+,[qo]word|(psubq|pmuludq) mm5,qword|cmpsd xmm6,qword .*,)/;

/** One program of them all; each starts 16 bytes behind the one before, so that a difference stays where it is. */
const program = (bits: number): string => `bits ${bits}\n${inMode(bits).map(({ text }) => `${text}\nalign 16, db 0xcc`).join('\n')}\n`;

describe('instructions', () => {
  it.each([16, 32])('%i bits: as recorded', (bits) => {
    const wrong = inMode(bits).filter(({ text, bytes }) => assembleToHex(`bits ${bits}\n${text}`) !== bytes);
    expect(wrong).toEqual([]);
    expect(inMode(bits).length).toBeGreaterThan(1500);
  });

  it('the vectors use every mnemonic', () => {
    const used = new Set(vectors.map(({ text }) => text.split(' ')[0]));
    expect([...new Set(ALL_TEMPLATES.map((template) => template.mnemonic))].filter((name) => !used.has(name))).toEqual([]);
  });

  it('the vectors are the samples of the templates', () => {
    const recorded = new Set(vectors.map(({ text }) => text));
    expect(sampleInstructions().filter((text) => !recorded.has(text) && !REFUSED_BY_NASM.test(text))).toEqual([]);
  });

  it.skipIf(!hasNasm).each([16, 32])('%i bits: nasm agrees', (bits) => {
    expect(assembleToHex(program(bits))).toBe(toHex(nasm(program(bits))));
  });
});
