/** The MP table of the firmware adds up. MultiProcessor Specification 1.4, chapter 4. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assembleFile } from '../../bios/assembler/files.ts';

it('MP table: checksum, length and number of entries', () => {
  const bytes = Buffer.from(assembleFile(join(import.meta.dirname, '../../bios/bios.asm')).bytes);
  const at = bytes.indexOf('PCMP'), length = bytes.readUInt16LE(at + 4), table = bytes.subarray(at, at + length);
  expect(table.reduce((sum, byte) => sum + byte, 0) & 255).toBe(0);
  let entries = 0;
  for (let next = 44; next < length; next += table[next] === 0 ? 20 : 8) entries++;
  expect(entries).toBe(table.readUInt16LE(34));
});
