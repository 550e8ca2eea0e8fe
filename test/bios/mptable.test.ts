/** The MP table of the firmware adds up, and the I/O APIC has the ID that it names. MultiProcessor Specification 1.4, chapter 4. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assembleFile } from '../../bios/assembler/files.ts';
import { startGuest } from './guest.ts';

it('MP table: checksum, length and number of entries', () => {
  const bytes = Buffer.from(assembleFile(join(import.meta.dirname, '../../bios/bios.asm')).bytes);
  const at = bytes.indexOf('PCMP'), length = bytes.readUInt16LE(at + 4), table = bytes.subarray(at, at + length);
  expect(table.reduce((sum, byte) => sum + byte, 0) & 255).toBe(0);
  let entries = 0;
  for (let next = 44; next < length; next += table[next] === 0 ? 20 : 8) entries++;
  expect(entries).toBe(table.readUInt16LE(34));
});

it('the I/O APIC has the ID of the table', async () => {
  const { machine, close } = startGuest('mov al, \'.\'\ncall say\nhlt');
  await machine.expect(/\.$/);
  const { space } = machine.board;
  space.write(0xfec00000, 0, 4);
  expect(space.read(0xfec00010, 4) >>> 24).toBe(1);
  close();
});
