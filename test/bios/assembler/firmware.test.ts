/** Every program under bios/: it assembles, the images are well formed, and nasm makes the same bytes of it. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assembleFile } from '../../../bios/assembler/files.ts';
import { assembleImages, diskImage, firmwareImage, withChecksum } from '../../../bios/build-images.ts';
import { hasNasm, nasmFile } from './support.ts';

const bios = join(import.meta.dirname, '../../../bios');
const programs = readdirSync(bios, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.asm'));

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 255;

describe('firmware sources', () => {
  it.skipIf(!hasNasm || programs.length === 0).each(programs)('%s: nasm agrees', (name) => {
    const path = join(bios, name);
    const ours = Buffer.from(assembleFile(path).bytes);
    expect(ours.equals(nasmFile(basename(path), dirname(path)))).toBe(true);
  });
});

describe('images', () => {
  it('option ROMs add up to 0, the firmware ends at the reset vector', () => {
    const images = assembleImages();
    const vgaBios = images.get('vgabios.bin');
    if (vgaBios !== undefined) expect(sum(vgaBios)).toBe(0);
    const firmware = images.get('firmware.bin');
    // A far jump at FFFF0h.
    if (firmware !== undefined) expect([firmware.length, firmware[firmware.length - 16]]).toEqual([128 * 1024, 0xea]);
  });

  it('checksum', () => {
    const rom = Uint8Array.from({ length: 512 }, (_, i) => [0x55, 0xaa, 1, 7][i] ?? 0);
    expect(withChecksum(rom)[511]).toBe(-(0x55 + 0xaa + 1 + 7) & 255);
    expect(() => withChecksum(rom.subarray(0, 511))).toThrow(RangeError);
    expect(() => withChecksum(Uint8Array.from(rom, (byte, i) => (i === 511 ? 1 : byte)))).toThrow(/last byte/);
  });

  it('disks are floppies or whole cylinders', () => {
    expect(diskImage(Uint8Array.of(1, 2)).length).toBe(1474560);
    expect(diskImage(new Uint8Array(1474561)).length % (16 * 63 * 512)).toBe(0);
  });

  it('firmware sizes', () => {
    const image = firmwareImage(Uint8Array.of(9), new Uint8Array(65536).fill(7));
    expect([image[0], image[1], image[65536], image.length]).toEqual([9, 0, 7, 131072]);
    expect(() => firmwareImage(new Uint8Array(5), new Uint8Array(5))).toThrow(RangeError);
  });
});
