/**
 * Raw disk images: sector n of the disk is bytes 512 n … 512 n + 511 of the file.
 *
 * Size rule: a file that is no multiple of 512 bytes counts as if zeros followed up to the next multiple; a caller may
 * ask for a larger disk yet (`present`: a 121,344-byte boot floppy is a 1.44 MB medium). What lies past the end of the
 * file reads as zeros, and a write there makes the file longer, as writing the rest of a medium would.
 *
 * Requests are served synchronously: `done` is called before read, write and flush return, which keeps runs repeatable.
 */

import { closeSync, fsyncSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type { BlockBackend } from '../../devices/host.ts';
import { SnapshotOverlay } from './overlay.ts';

const SECTOR = 512;

/** An image that cannot be used; `message` is one line for the user and names the file. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'no space left on the host (quota)',
  EFBIG: 'larger than the host lets a file be',
  EIO: 'I/O error of the host',
  EISDIR: 'is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENOENT: 'no such file',
  ENOSPC: 'no space left on the host',
  ENOTDIR: 'no such file (a part of the path is not a directory)',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
};

/** The error of a host call on an image, in words. */
export function imageError(path: string, error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  const code = (error as { code?: string }).code ?? '';
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new ImageError(`cannot use disk image ${path}: ${reason}`);
}

export interface RawImageOptions {
  /** The guest cannot write, and the file is opened for reading only. */
  readOnly?: boolean;
  /** Sectors to present for a file of `sectors` sectors; never fewer than those. Default: the same number. */
  present?: (sectors: number) => number;
}

export class RawImage implements BlockBackend {
  readonly path: string;
  readonly sectors: number;
  readonly readOnly: boolean;
  /** The same for two paths that lead to one file. */
  readonly identity: string;
  #file: number;

  /** @throws ImageError if the file is missing, empty, a directory, or not permitted. */
  constructor(path: string, options: RawImageOptions = {}) {
    this.path = path;
    this.readOnly = options.readOnly ?? false;
    try {
      // Looked at before it is opened: opening a pipe would wait for its other end.
      const kind = statSync(path);
      if (kind.isDirectory()) throw new ImageError(`cannot use disk image ${path}: is a directory`);
      if (!kind.isFile()) throw new ImageError(`cannot use disk image ${path}: not a regular file`);
      this.#file = openSync(path, this.readOnly ? 'r' : 'r+');
    } catch (error) {
      throw imageError(path, error);
    }
    try {
      const status = fstatSync(this.#file);
      if (status.size === 0) throw new ImageError(`cannot use disk image ${path}: the file is empty`);
      this.identity = `${status.dev}:${status.ino}`;
      const sectors = Math.ceil(status.size / SECTOR);
      this.sectors = Math.max(sectors, options.present?.(sectors) ?? sectors);
    } catch (error) {
      this.close();
      throw imageError(path, error);
    }
  }

  read(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    try {
      let filled = 0;
      while (filled < data.length) {
        const count = readSync(this.#file, data, filled, data.length - filled, sector * SECTOR + filled);
        if (count === 0) break;
        filled += count;
      }
      data.fill(0, filled);
    } catch (error) {
      done(imageError(this.path, error));
      return;
    }
    done();
  }

  write(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    if (this.readOnly) {
      done(new ImageError(`disk image ${this.path} is read-only`));
      return;
    }
    try {
      let written = 0;
      while (written < data.length) written += writeSync(this.#file, data, written, data.length - written, sector * SECTOR + written);
    } catch (error) {
      done(imageError(this.path, error));
      return;
    }
    done();
  }

  flush(done: (error?: Error) => void): void {
    try {
      if (!this.readOnly) fsyncSync(this.#file);
    } catch (error) {
      done(imageError(this.path, error));
      return;
    }
    done();
  }

  /** Gives the file back to the host; the image is of no use afterwards. Closing twice is allowed. */
  close(): void {
    if (this.#file < 0) return;
    closeSync(this.#file);
    this.#file = -1;
  }
}

export interface OpenImageOptions extends RawImageOptions {
  /** Writes stay in memory and the file never changes; it is then opened for reading only. */
  snapshot?: boolean;
}

/** An open image: what a device gets, and how to give the file back. */
export interface OpenImage {
  readonly path: string;
  readonly backend: BlockBackend;
  /** The same for two paths that lead to one file. */
  readonly identity: string;
  /** Guest writes change the file. */
  readonly writes: boolean;
  close(): void;
}

/** Opens a raw image as the command line asks for it. @throws ImageError */
export function openImage(path: string, options: OpenImageOptions = {}): OpenImage {
  const snapshot = options.snapshot === true && options.readOnly !== true;
  const image = new RawImage(path, { ...options, readOnly: snapshot || options.readOnly === true });
  return {
    path, backend: snapshot ? new SnapshotOverlay(image) : image, identity: image.identity, writes: !image.readOnly, close: () => image.close(),
  };
}
