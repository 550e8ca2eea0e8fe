/** The SMBIOS tables that the firmware leaves in memory, read as an operating system does; and -smbios, -uuid. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';
import type { PcOptions } from '../../src/index.ts';
import { startGuest } from './guest.ts';

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 255;

interface Structure { readonly type: number; readonly body: Buffer; readonly texts: readonly string[] }

async function structures(options: PcOptions): Promise<Structure[]> {
  const { machine, close } = startGuest('mov dx, 0x501\nout dx, al\nhlt', { ...options, debugExit: { iobase: 0x501, iosize: 1 } });
  await machine.run();
  const memory = Buffer.alloc(1 << 20);
  machine.board.space.readBytes(0, memory);
  close();
  const at = Array.from({ length: 0x1000 }, (_, i) => 0xf0000 + 16 * i).find((place) => memory.toString('latin1', place, place + 4) === '_SM_')!;
  const entry = memory.subarray(at, at + 31);
  expect([entry[5], sum(entry), sum(entry.subarray(16)), entry.toString('latin1', 16, 21), entry[6], entry[7]]).toEqual([31, 0, 0, '_DMI_', 2, 8]);
  const start = entry.readUInt32LE(24), end = start + entry.readUInt16LE(22), found: Structure[] = [];
  for (let place = start; place < end;) {
    const length = memory[place + 1]!, stop = memory.indexOf('\0\0', place + length, 'latin1');
    found.push({ type: memory[place]!, body: memory.subarray(place, place + length), texts: memory.toString('latin1', place + length, stop).split('\0') });
    place = stop + 2;
  }
  expect(found).toHaveLength(entry.readUInt16LE(28));
  return found;
}

describe('SMBIOS', () => {
  it('has what a PC of QEMU has, and what was asked for', async () => {
    const { smbios } = parseArguments(['-smbios', 'type=1,product=Box,,2,serial=S1', '-smbios', 'type=0,vendor=Me,release=3.7', '-smbios', 'type=3,asset=A9', '-uuid', '00112233-4455-6677-8899-aabbccddeeff']);
    const found = await structures({ smbios, memory: 8 });
    // The lengths that the standard gives for 2.8.
    expect(found.map(({ type, body }) => [type, body.length])).toEqual([[0, 24], [1, 27], [3, 22], [4, 42], [16, 23], [17, 40], [19, 31], [32, 11], [127, 4]]);
    const [bios, system, chassis, , array, , area] = found;
    expect(bios!.texts[0]).toBe('Me');
    expect([...bios!.body.subarray(20, 22)]).toEqual([3, 7]);
    expect(system!.texts).toEqual(['tcg86', 'Box,2', 'pc', 'S1']);
    expect(system!.body.toString('hex', 8, 24)).toBe('33221100554477668899aabbccddeeff');
    expect(chassis!.texts).toContain('A9');
    expect(array!.body.readUInt32LE(7)).toBe(8192);
    expect(area!.body.readUInt32LE(8)).toBe(8191);
  });

  it('is there without PCI', async () => {
    expect((await structures({ machine: 'isapc' }))[1]!.texts[1]).toBe('ISA-only PC');
  });

  it.each([
    ['Must specify type=', 'product=x'], ["Don't know how to build fields for SMBIOS type 9", 'type=9'], ["invalid parameter 'colour'", 'type=1,colour=red'],
    ["'z' is no UUID", 'type=1,uuid=z'], ["'1' is no release", 'type=0,release=1'], ['is not ASCII text', 'type=1,product=\u00e9'],
  ])('says: %s', (message, value) => {
    expect(() => parseArguments(['-smbios', value])).toThrow(message);
  });
});
