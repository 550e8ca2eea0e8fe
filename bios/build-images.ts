/**
 * Builds the firmware and disk images: every bios/*.asm is a program of its own, the .inc files are parts of them.
 *
 *   NAME.asm starting with 55 AA             option ROM: NAME.bin, last byte set so that all bytes add up to 0
 *   NAME.asm with 55 AA at 510               boot disk: NAME.img, padded to a 1.44 MB floppy or to whole hard-disk cylinders
 *   others                                   NAME.bin as it is
 *   vgabios.asm and bios.asm together        firmware.bin, 128 KB: the VGA BIOS padded to 64 KB, then the system BIOS
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleFile } from './assembler/files.ts';

const FLOPPY = 1440 * 1024;
/** 16 heads of 63 sectors. */
const CYLINDER = 16 * 63 * 512;
const BIOS_WINDOW = 64 * 1024;

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}

const hasSignature = (bytes: Uint8Array, at: number): boolean => bytes[at] === 0x55 && bytes[at + 1] === 0xaa;

/**
 * An option ROM with its last byte set so that all of its bytes add up to 0 mod 256 (PnP BIOS Specification 1.0A, 2.1).
 * Throws RangeError if the length is not what its third byte says or the last byte is in use.
 */
export function withChecksum(rom: Uint8Array): Uint8Array {
  if (rom.length !== rom[2]! * 512) throw new RangeError(`option ROM has ${rom.length} bytes, its header says ${rom[2]! * 512}`);
  if (rom[rom.length - 1] !== 0) throw new RangeError('option ROM: last byte, kept for the checksum, is in use');
  const result = Uint8Array.from(rom);
  result[result.length - 1] = -result.reduce((sum, byte) => sum + byte, 0) & 255;
  return result;
}

/** The disk that a boot program and what follows it stand on. */
export function diskImage(bytes: Uint8Array): Uint8Array {
  return padded(bytes, bytes.length <= FLOPPY ? FLOPPY : Math.ceil(bytes.length / CYLINDER) * CYLINDER);
}

/** The 128 KB image that `-bios` takes: VGA BIOS at E0000h, system BIOS at F0000h. Throws RangeError for other sizes. */
export function firmwareImage(vgaBios: Uint8Array, bios: Uint8Array): Uint8Array {
  if (vgaBios.length > BIOS_WINDOW || bios.length !== BIOS_WINDOW) throw new RangeError('the BIOS must have 64 KB, the VGA BIOS at most as many');
  const image = padded(vgaBios, 2 * BIOS_WINDOW);
  image.set(bios, BIOS_WINDOW);
  return image;
}

/** Assembles everything in `sources` into images, by file name. Throws AssemblyError, or RangeError for an image of a wrong size. */
export function assembleImages(sources: string = import.meta.dirname): Map<string, Uint8Array> {
  const images = new Map<string, Uint8Array>();
  const programs = readdirSync(sources).filter((name) => name.endsWith('.asm')).sort();
  for (const file of programs) {
    const name = file.slice(0, -'.asm'.length);
    const { bytes } = assembleFile(join(sources, file));
    if (hasSignature(bytes, 0)) images.set(`${name}.bin`, withChecksum(bytes));
    else if (hasSignature(bytes, 510)) images.set(`${name}.img`, diskImage(bytes));
    else images.set(`${name}.bin`, bytes);
  }
  const vgaBios = images.get('vgabios.bin');
  const bios = images.get('bios.bin');
  if (vgaBios !== undefined && bios !== undefined) images.set('firmware.bin', firmwareImage(vgaBios, bios));
  return images;
}

/** Writes all images to a folder, which is made if it is not there. */
export function buildImages(outDir: string): void {
  mkdirSync(outDir, { recursive: true });
  for (const [name, bytes] of assembleImages()) writeFileSync(join(outDir, name), bytes);
}
