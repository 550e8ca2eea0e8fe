/** Images as the command line and the library ask for them: what becomes the medium of a drive. */

import type { BlockBackend } from '../../devices/host.ts';
import { openChain } from './chain.ts';
import { DriveBackend } from './drive.ts';
import type { CacheMode, DetectZeroes } from './drive.ts';
import { ImageError } from './error.ts';
import { SnapshotOverlay } from './overlay.ts';

export interface OpenImageOptions {
  /** The guest cannot write, and the file is opened for reading only. */
  readOnly?: boolean;
  /** Writes stay in memory and the file never changes; it is then opened for reading only. */
  snapshot?: boolean;
  /** Sectors to present for an image of `sectors` sectors; never fewer than those. Default: the same number. */
  present?: (sectors: number) => number;
  /** raw, qcow2, ...; not given: guessed from the file. */
  format?: string | undefined;
  /** Default: writeback. */
  cache?: CacheMode | undefined;
  detectZeroes?: DetectZeroes | undefined;
  /** The guest may give room back. */
  discard?: boolean | undefined;
}

/** An open image: what a device gets, and how to give the file back. */
export interface OpenImage {
  readonly path: string;
  readonly backend: BlockBackend;
  readonly format: string;
  /** The same for two paths that lead to one file. */
  readonly identity: string;
  /** Guest writes change the file. */
  readonly writes: boolean;
  /** Something that the user should know, in one or more lines; null: nothing. */
  readonly warning: string | null;
  /** Brings all that the guest wrote into the file. @throws ImageError */
  close(): void;
}

/** In QEMU's words. */
export const probedRawWarning = (path: string): string => [
  `WARNING: Image format was not specified for '${path}' and probing guessed raw.`,
  '         Automatically detecting the format is dangerous for raw images, write operations on block 0 will be restricted.',
  "         Specify the 'raw' format explicitly to remove the restrictions.",
].join('\n');

/** Opens an image. @throws ImageError */
export function openImage(path: string, options: OpenImageOptions = {}): OpenImage {
  const snapshot = options.snapshot === true && options.readOnly !== true;
  const readOnly = snapshot || options.readOnly === true;
  const { image, probed, close } = openChain(path, { format: options.format, readOnly, unsafe: options.cache === 'unsafe' });
  if (image.size === 0) {
    close();
    throw new ImageError(path, image.format === 'raw' ? 'the file is empty' : 'the disk is empty');
  }
  const probedRaw = probed && image.format === 'raw';
  const drive = new DriveBackend(image, {
    cache: options.cache ?? 'writeback', detectZeroes: options.detectZeroes ?? 'off', discard: options.discard ?? false, probedRaw, present: options.present,
  });
  return {
    path, backend: snapshot ? new SnapshotOverlay(drive) : drive, format: image.format, identity: image.file.identity, writes: !readOnly,
    warning: probedRaw && !readOnly ? probedRawWarning(path) : null, close,
  };
}
