/** Firmware images on Node: our own, built into dist/bios, or a file of the user's. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of our own images: beside the bundle, or (running from the sources) in dist. */
function folder(): string {
  const candidates = ['./bios/', '../dist/bios/', '../../dist/bios/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = candidates.find((path) => existsSync(`${path}bios.bin`));
  if (found === undefined) throw new Error('the firmware is not built: run npm run build');
  return found;
}

/** Our own image: `bios.bin`, `vgabios.bin`, `demo.img`. @throws Error if it is not built. */
export const ownImage = (name: string): string => `${folder()}${name}`;

/** Largest firmware that the board maps. */
const LARGEST = 256 * 1024;

/**
 * Reads a firmware image: a multiple of 64 KB up to 256 KB.
 * @throws Error with a one-line reason.
 */
export function readFirmware(path: string): Uint8Array {
  let size: number;
  try {
    size = statSync(path).size;
  } catch {
    throw new Error(`could not load firmware '${path}': no such file`);
  }
  if (size === 0 || size % 0x10000 !== 0 || size > LARGEST) {
    throw new Error(`could not load firmware '${path}': its size (${size} bytes) is not 64K, 128K, 192K or 256K`);
  }
  return new Uint8Array(readFileSync(path));
}

/** Reads an option ROM. @throws Error if it is not one. */
export function readOptionRom(path: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(path));
  if (bytes[0] !== 0x55 || bytes[1] !== 0xaa) throw new Error(`'${path}' is not an option ROM`);
  return bytes;
}
