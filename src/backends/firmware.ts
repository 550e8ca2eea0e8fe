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
const LARGEST_OPTION_ROM = 128 * 1024;
/** More than memory can hold. */
const LARGEST_KERNEL = 2 ** 31;

function load(what: string, path: string, largest: number): Uint8Array {
  const reason = (): string | null => {
    const status = statSync(path);
    if (status.isDirectory()) return 'is a directory';
    if (!status.isFile()) return 'not a regular file';
    return status.size > largest ? `larger than ${largest / 1024} KB` : null;
  };
  let wrong: string | null;
  try {
    wrong = reason();
    if (wrong === null) return new Uint8Array(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    wrong = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : message;
  }
  throw new Error(`could not load ${what} '${path}': ${wrong}`);
}

/**
 * Reads a firmware image: a multiple of 64 KB up to 256 KB.
 * @throws Error with a one-line reason.
 */
export function readFirmware(path: string): Uint8Array {
  const bytes = load('firmware', path, LARGEST);
  if (bytes.length === 0 || bytes.length % 0x10000 !== 0) {
    throw new Error(`could not load firmware '${path}': its size (${bytes.length} bytes) is not 64K, 128K, 192K or 256K`);
  }
  return bytes;
}

/** Reads a kernel or a module of any size. @throws Error with a one-line reason. */
export const readKernelFile = (what: string, path: string): Uint8Array => load(what, path, LARGEST_KERNEL);

/** Reads an option ROM, at most 128 KB. @throws Error with a one-line reason. */
export function readOptionRom(path: string): Uint8Array {
  const bytes = load('option ROM', path, LARGEST_OPTION_ROM);
  if (bytes[0] !== 0x55 || bytes[1] !== 0xaa) throw new Error(`could not load option ROM '${path}': it does not start with 55 AA`);
  return bytes;
}
