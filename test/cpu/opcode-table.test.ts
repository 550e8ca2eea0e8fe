/** docs/opcodes.md is what the tables say: `TCG86_UPDATE=1` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { opcodeTable } from './opcode-table.ts';

const FILE = join(import.meta.dirname, '../../docs/opcodes.md');

it('docs/opcodes.md is up to date', () => {
  const wanted = opcodeTable();
  if (process.env['TCG86_UPDATE'] === '1') writeFileSync(FILE, wanted);
  expect(readFileSync(FILE, 'utf8'), 'TCG86_UPDATE=1 npx vitest run test/cpu/opcode-table.test.ts').toBe(wanted);
});
