/** Programs in cases/*.asm: their last lines, `;= hex`, say what they assemble to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assembleFile } from '../../../bios/assembler/files.ts';
import { hasNasm, nasmFile, toHex } from './support.ts';

const folder = join(import.meta.dirname, 'cases');
const files = readdirSync(folder).filter((name) => name.endsWith('.asm'));

const expected = (source: string): string => [...source.matchAll(/^;= ([0-9a-f]+)$/gm)].map((found) => found[1]).join('');

describe('programs', () => {
  it.each(files)('%s', (name) => {
    const path = join(folder, name);
    expect(toHex(assembleFile(path).bytes)).toBe(expected(readFileSync(path, 'utf8')));
  });

  it.skipIf(!hasNasm).each(files)('%s: nasm agrees', (name) => {
    expect(toHex(nasmFile(join(folder, name), folder))).toBe(expected(readFileSync(join(folder, name), 'utf8')));
  });
});
