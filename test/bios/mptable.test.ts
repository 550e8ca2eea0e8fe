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

it('tells where the interrupt of each PCI function comes', async () => {
  const { machine, close } = startGuest('mov al, \'.\'\ncall say\nhlt', { rngs: 5 });
  await machine.expect(/\.$/);
  const { space, pci } = machine.board;
  const bytes = new Uint8Array(0x10000);
  space.readBytes(0xf0000, bytes);
  const at = Buffer.from(bytes).indexOf('PCMP'), inputs = new Map<number, number>();
  for (let next = at + 44; next < at + Buffer.from(bytes).readUInt16LE(at + 4); next += bytes[next] === 0 ? 20 : 8) {
    if (bytes[next] === 3 && bytes[next + 4] === 0) inputs.set(bytes[next + 5]!, bytes[next + 7]!);
  }
  const withPin = pci.functions().filter(({ function: { config } }) => config.read(0x3d, 1) !== 0);
  expect(withPin.length).toBeGreaterThan(5);
  for (const { device, function: { config, name } } of withPin) expect([name, inputs.get(device << 2 | config.read(0x3d, 1) - 1)]).toEqual([name, config.read(0x3c, 1)]);
  close();
});

it('the I/O APIC has the ID of the table', async () => {
  const { machine, close } = startGuest('mov al, \'.\'\ncall say\nhlt');
  await machine.expect(/\.$/);
  const { space } = machine.board;
  space.write(0xfec00000, 0, 4);
  expect(space.read(0xfec00010, 4) >>> 24).toBe(1);
  close();
});
