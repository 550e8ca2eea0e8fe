/** Opening an image with all that it stands on: its format, its backing images, its locks. */

import { isAbsolute } from 'node:path';
import { ImageError } from './error.ts';
import { openFormat } from './formats.ts';
import { HostFile } from './host-file.ts';
import type { Image } from './image.ts';
import { lockFile } from './lock.ts';
import type { Lock } from './lock.ts';
import { PROBE_BYTES, probeFormat } from './probe.ts';

/** A chain that is longer is taken for one that bites its own tail. */
const MAX_DEPTH = 200;

export interface ChainOptions {
  /** Not given: guessed from the file. */
  format?: string | undefined;
  readOnly?: boolean;
  /** Do not open backing images: what they would give reads as zeros. */
  noBacking?: boolean;
  /** To check and mend: see FormatContext. */
  repairs?: boolean;
  /** Do not care who else uses the files. */
  noLocks?: boolean;
  /** Nothing needs to survive a crash of the host. */
  unsafe?: boolean;
}

export interface ImageChain {
  readonly image: Image;
  /** The format was guessed. */
  readonly probed: boolean;
  close(): void;
}

/** @throws ImageError, with all files closed again */
export function openChain(path: string, options: ChainOptions = {}): ImageChain {
  const images: Image[] = [], locks: Lock[] = [], identities: string[] = [];
  const close = (): void => {
    let failure: unknown = null;
    for (const image of images) {
      try {
        image.close();
      } catch (error) {
        failure ??= error;
      }
    }
    for (const lock of locks) lock.release();
    if (failure !== null) throw failure;
  };
  const open = (name: string, format: string | undefined, readOnly: boolean): { image: Image; probed: boolean } => {
    const file = new HostFile(name, { readOnly });
    file.unsafe = options.unsafe ?? false;
    try {
      if (identities.includes(file.identity) || identities.length > MAX_DEPTH) throw new ImageError(path, `the chain of backing files comes back to ${name}`);
      identities.push(file.identity);
      if (options.noLocks !== true) locks.push(lockFile(file));
      const kind = format ?? probeFormat(headOf(file));
      const image = openFormat(kind, file, {
        repairs: options.repairs ?? false,
        backing: (backing, backingFormat) => (options.noBacking === true ? null : open(resolveBacking(name, backing), backingFormat ?? undefined, true).image),
      });
      images.unshift(image);
      return { image, probed: format === undefined };
    } catch (error) {
      file.close();
      throw error;
    }
  };
  try {
    return { ...open(path, options.format, options.readOnly ?? false), close };
  } catch (error) {
    close();
    throw error;
  }
}

function headOf(file: HostFile): Uint8Array {
  const head = new Uint8Array(PROBE_BYTES);
  file.readPadded(0, head);
  return head;
}

/** The path of a backing file: relative names start at the folder of the image that names it. @throws ImageError */
export function resolveBacking(path: string, name: string): string {
  const plain = name.startsWith('file:') ? name.slice('file:'.length) : name;
  if (/^json:/.test(plain) || /^[a-z][a-z0-9+.-]*:/i.test(plain)) throw new ImageError(path, `the backing file '${name}' is not a file of this host`);
  return isAbsolute(plain) ? plain : path.slice(0, Math.max(path.lastIndexOf('/'), process.platform === 'win32' ? path.lastIndexOf('\\') : -1) + 1) + plain;
}
