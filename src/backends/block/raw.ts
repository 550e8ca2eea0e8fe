/**
 * Raw disk images: byte n of the disk is byte n of the file.
 *
 * A file that is no multiple of 512 bytes counts as if zeros followed up to the next multiple. What lies past the end of
 * the file reads as zeros, and a write there makes the file longer.
 */

import { HostFile } from './host-file.ts';
import { ImageError } from './error.ts';
import { inPieces, ZEROS } from './image.ts';
import type { Extent, Image } from './image.ts';

const SECTOR = 512;

export class RawImage implements Image {
  readonly format = 'raw';
  readonly file: HostFile;
  readonly files: readonly HostFile[];
  readonly clusterSize = null;
  readonly backing = null;
  readonly backingName = null;
  readonly backingFormat = null;
  readonly dirty = false;
  #size: number;

  constructor(file: HostFile) {
    this.file = file;
    this.files = [file];
    this.#size = Math.ceil(file.size / SECTOR) * SECTOR;
  }

  get size(): number {
    return this.#size;
  }

  get readOnly(): boolean {
    return this.file.readOnly;
  }

  read(offset: number, data: Uint8Array): void {
    this.file.readPadded(offset, data);
  }

  write(offset: number, data: Uint8Array): void {
    this.file.write(offset, data);
  }

  writeZeroes(offset: number, length: number): void {
    // Past the end of the file there are zeros already.
    const end = Math.min(offset + length, this.file.size);
    inPieces(offset, Math.max(0, end - offset), ZEROS.length, (at, count) => this.file.write(at, ZEROS.subarray(0, count)));
  }

  /** Node has no call that gives a part of a file back. */
  discard(): void {}

  extent(offset: number): Extent {
    // Node cannot ask for holes, but a file without any block is one.
    const stored = this.file.allocated > 0 ? this.file.size : 0;
    if (offset >= stored) return { length: this.#size - offset, kind: 'zero', offset };
    return { length: this.#size - offset, kind: 'data', offset };
  }

  flush(): void {
    this.file.sync();
  }

  resize(size: number): void {
    this.file.truncate(size);
    this.#size = Math.ceil(size / SECTOR) * SECTOR;
  }

  close(): void {
    this.file.close();
  }
}

/** Makes a raw image. @throws ImageError */
export function createRaw(path: string, size: number): void {
  const file = new HostFile(path, { create: true });
  try {
    file.truncate(size);
  } catch (error) {
    throw new ImageError(path, (error as ImageError).reason);
  } finally {
    file.close();
  }
}
