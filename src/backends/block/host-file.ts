/**
 * The protocol layer: a regular file of the host that holds an image, or a part of one. Offsets and lengths are bytes.
 *
 * Calls are synchronous. A disk has one request at a time and the host's page cache answers most of them in microseconds,
 * so that waiting costs less than a turn through the event loop; and runs stay repeatable.
 */

import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { imageError, ImageError } from './error.ts';

/** Blocks of `stat.blocks`. */
const STAT_BLOCK = 512;

/** What HostFile.identity of a file would be; null if it cannot be opened. */
export function identityOf(path: string): string | null {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? null : `${status.dev}:${status.ino}`;
}

export interface HostFileOptions {
  readOnly?: boolean;
  /** Makes the file, or empties the one that is there. */
  create?: boolean;
}

export class HostFile {
  readonly path: string;
  readonly readOnly: boolean;
  /** The same for two paths that lead to one file. */
  readonly identity: string;
  /** What is written need not survive a crash of the host: sync() does nothing. */
  unsafe = false;
  #descriptor: number;
  #size: number;
  /** Something was written since the last sync(). */
  #dirty = false;

  /** @throws ImageError if the file is missing, no regular file, or not permitted */
  constructor(path: string, options: HostFileOptions = {}) {
    this.path = path;
    this.readOnly = options.readOnly ?? false;
    try {
      // Looked at before it is opened: opening a pipe would wait for its other end.
      const kind = statSync(path, { throwIfNoEntry: options.create !== true });
      if (kind?.isDirectory()) throw new ImageError(path, 'is a directory');
      if (kind !== undefined && !kind.isFile()) throw new ImageError(path, 'not a regular file');
      this.#descriptor = openSync(path, options.create === true ? 'w+' : this.readOnly ? 'r' : 'r+');
    } catch (error) {
      throw imageError(path, error);
    }
    const status = fstatSync(this.#descriptor);
    this.identity = `${status.dev}:${status.ino}`;
    this.#size = status.size;
  }

  /** Length of the file. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that the file takes on the host. */
  get allocated(): number {
    return this.#host(() => fstatSync(this.#descriptor).blocks * STAT_BLOCK);
  }

  /** Fills `data`, and says how much of it: less than all at the end of the file. */
  read(offset: number, data: Uint8Array): number {
    return this.#host(() => {
      let filled = 0;
      while (filled < data.length) {
        const count = readSync(this.#descriptor, data, filled, data.length - filled, offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return filled;
    });
  }

  /** Fills `data`; what lies past the end of the file is zeros. */
  readPadded(offset: number, data: Uint8Array): void {
    data.fill(0, this.read(offset, data));
  }

  /** @throws ImageError if the file ends before `data` is full; `what` names that for the user */
  readFully(offset: number, data: Uint8Array, what: string): void {
    if (this.read(offset, data) < data.length) throw new ImageError(this.path, `the file is cut short: ${what} at ${offset} lies past its end`);
  }

  /** @throws ImageError if the file does not have these bytes: before room is made for them */
  require(offset: number, length: number, what: string): void {
    if (offset + length > this.#size) throw new ImageError(this.path, `the file is cut short: ${what} at ${offset} lies past its end`);
  }

  /** Writes where something is stored already. @throws ImageError if the file ends before that: nothing is written then */
  overwrite(offset: number, data: Uint8Array, what: string): void {
    if (offset >= this.#size) throw new ImageError(this.path, `the file is cut short: ${what} at ${offset} lies past its end`);
    this.write(offset, data);
  }

  write(offset: number, data: Uint8Array): void {
    if (this.readOnly) throw new ImageError(this.path, 'is read-only');
    this.#host(() => {
      this.#dirty = true;
      let written = 0;
      while (written < data.length) written += writeSync(this.#descriptor, data, written, data.length - written, offset + written);
      this.#size = Math.max(this.#size, offset + data.length);
    });
  }

  /** What was written before survives a crash of the host from now on. */
  sync(): void {
    if (this.readOnly || this.unsafe || !this.#dirty) return;
    this.#host(() => fdatasyncSync(this.#descriptor));
    this.#dirty = false;
  }

  truncate(size: number): void {
    this.#host(() => ftruncateSync(this.#descriptor, size));
    this.#dirty = true;
    this.#size = size;
  }

  /** Gives the file back to the host; it is of no use afterwards. Closing twice is allowed. */
  close(): void {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #host<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw imageError(this.path, error);
    }
  }
}
