/** The SMBIOS tables that the firmware leaves in memory, read as an operating system does; and -smbios, -uuid. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';
import type { PcOptions } from '../../src/index.ts';
import { hasQemu, startQemu } from '../boot/qemu.ts';
import { startGuest } from './guest.ts';

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 255;

interface Structure { readonly type: number; readonly body: Buffer; readonly texts: readonly string[] }

async function structures(options: PcOptions): Promise<Structure[]> {
  return parse(await memoryWith(options));
}

/** The lowest megabyte after the firmware is done. */
async function memoryWith(options: PcOptions): Promise<Buffer> {
  const { machine, close } = startGuest('mov dx, 0x501\nout dx, al\nhlt', { ...options, debugExit: { iobase: 0x501, iosize: 1 } });
  await machine.run();
  const memory = Buffer.alloc(1 << 20);
  machine.board.space.readBytes(0, memory);
  close();
  return memory;
}

function parse(memory: Buffer): Structure[] {
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

/** Every field that QEMU 7.2 has, but for a device's place. */
const EVERYTHING = [
  'type=0,vendor=V0,version=1.0,date=01/02/2003,release=3.4,uefi=on', 'type=1,manufacturer=M1,product=P1,version=V1,serial=S1,sku=K1,family=F1,uuid=00112233-4455-6677-8899-aabbccddeeff',
  'type=2,manufacturer=M2,product=P2,version=V2,serial=S2,asset=A2,location=L2', 'type=3,manufacturer=M3,version=V3,serial=S3,asset=A3,sku=K3',
  'type=4,sock_pfx=SP,manufacturer=M4,version=V4,serial=S4,asset=A4,part=P4,max-speed=3001,current-speed=2002,processor-id=0x1122334455667788',
  'type=8,external_reference=X8,internal_reference=I8,connector_type=5,port_type=6', 'type=8,external_reference=X9', 'type=11,value=one,value=two', 'type=11,value=three',
  'type=17,loc_pfx=LP,bank=B17,manufacturer=M17,serial=S17,asset=A17,part=P17,speed=1333', 'type=41,designation=D41,kind=ethernet,instance=2', 'type=41,designation=E41,kind=other',
].flatMap((value) => ['-smbios', value]);

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

  it('takes all that QEMU takes, and files', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'tcg86-test-')), file = join(scratch, 'structure'), note = join(scratch, 'note');
    writeFileSync(file, Buffer.from('\x16\x06\x34\x12\x01\x02Battery\0Maker\0\0', 'latin1'));
    writeFileSync(note, 'from a file');
    const { smbios } = parseArguments([...EVERYTHING, '-smbios', `file=${file}`, '-smbios', `type=11,path=${note}`]);
    rmSync(scratch, { recursive: true });
    const found = await structures({ smbios, memory: 128 });
    expect(found.map(({ type, body }) => [type, body.length])).toEqual([
      [22, 6], [0, 24], [1, 27], [2, 15], [3, 22], [4, 42], [8, 9], [8, 9], [11, 5], [16, 23], [17, 40], [19, 31], [32, 11], [41, 11], [41, 11], [127, 4]]);
    expect(found[0]).toMatchObject({ body: Buffer.from([22, 6, 0x34, 0x12, 1, 2]), texts: ['Battery', 'Maker'] });
    expect(found.find(({ type }) => type === 11)!.texts).toEqual(['one', 'two', 'three', 'from a file']);
  });

  it.skipIf(!hasQemu)('differs from those of QEMU in what is stated', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'tcg86-test-')), dump = join(scratch, 'dump'), qemu = startQemu(['-m', '128', ...EVERYTHING], scratch);
    await qemu.expect(/Booting/, 60);
    await qemu.command(`pmemsave 0 0x8000000 "${dump}"`);
    await qemu.close();
    const theirs = parse(readFileSync(dump));
    rmSync(scratch, { recursive: true });
    const ours = await structures({ smbios: parseArguments(EVERYTHING).smbios, memory: 128 });
    expect(ours.map(({ type, texts }) => [type, texts])).toEqual(theirs.map(({ type, texts }) => [type, texts]));
    const differences = ours.flatMap(({ type, body }, i) => [...body].flatMap((byte, at) => (byte === theirs[i]!.body[at] ? [] : [`${type}+${at}: ${byte}, QEMU ${theirs[i]!.body[at]}`])));
    expect(differences).toEqual([
      '0+18: 1, QEMU 0', // ACPI is there
      '8+3: 8, QEMU 0', '8+3: 8, QEMU 0', // handles: QEMU's are those of type 0
      '16+6: 3, QEMU 6', // no error correction
    ]);
    // And what nobody chose: the processor is that of CPUID.
    const [, , , cpu] = await structures({});
    expect(cpu!.body.toString('hex', 8, 16)).toBe('63060000fdab8107');
  });

  it('is there without PCI', async () => {
    expect((await structures({ machine: 'isapc' }))[1]!.texts[1]).toBe('ISA-only PC');
  });

  it.each([
    ['Must specify type= or file=', 'product=x'], ["Don't know how to build fields for SMBIOS type 9", 'type=9'], ["invalid parameter 'colour'", 'type=1,colour=red'],
    ["'z' is no UUID", 'type=1,uuid=z'], ["'1' is no release", 'type=0,release=1'], ['is not ASCII text', 'type=1,product=\u00e9'],
    ["'70000' is not a number of 16 bits", 'type=4,max-speed=70000'], ["'x' is no kind of device", 'type=41,kind=x'], ['type=41 pcidev: the place of a device is not known here', 'type=41,pcidev=n0'],
    ['file /nowhere', 'file=/nowhere'], ['it is shorter than its header says', 'file=/dev/null'],
  ])('says: %s', (message, value) => {
    expect(() => parseArguments(['-smbios', value])).toThrow(message);
  });
});
