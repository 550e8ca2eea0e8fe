/** An image as a device's disk: sectors, cache modes, and what QEMU's -drive says about writes. */

import type { BlockBackend } from '../../devices/host.ts';
import { ImageError } from './error.ts';
import { isZero } from './image.ts';
import type { Image } from './image.ts';
import { PROBE_BYTES, probeFormat } from './probe.ts';

const SECTOR = 512;

/**
 * When what a guest writes is on stable storage: at its next flush (writeback; none is the same here, since Node reads and writes
 * through the host's page cache), at once (writethrough, directsync), or when the host likes (unsafe).
 */
export const CACHE_MODES = ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'] as const;
export type CacheMode = typeof CACHE_MODES[number];
export const DETECT_ZEROES = ['off', 'on', 'unmap'] as const;
export type DetectZeroes = typeof DETECT_ZEROES[number];

export interface DriveBackendOptions {
  readonly cache: CacheMode;
  readonly detectZeroes: DetectZeroes;
  /** The guest may give room back (`discard=unmap`). */
  readonly discard: boolean;
  /** The format was guessed to be raw: the guest must not make the image look like another one. */
  readonly probedRaw: boolean;
  /** Sectors to present for an image of `sectors`; never fewer than those. */
  readonly present?: ((sectors: number) => number) | undefined;
}

export class DriveBackend implements BlockBackend {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #image: Image;
  readonly #options: DriveBackendOptions;

  constructor(image: Image, options: DriveBackendOptions) {
    this.#image = image;
    this.#options = options;
    const sectors = Math.ceil(image.size / SECTOR);
    this.sectors = Math.max(sectors, options.present?.(sectors) ?? sectors);
    this.readOnly = image.readOnly;
  }

  read(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    this.#answer(done, () => {
      const present = this.#within(sector, data.length);
      if (present > 0) this.#image.read(sector * SECTOR, data.subarray(0, present));
      data.fill(0, present);
    });
  }

  write(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    this.#answer(done, () => {
      this.#checkWrite(sector, data);
      const { detectZeroes } = this.#options;
      const part = data.subarray(0, this.#within(sector, data.length));
      if (detectZeroes !== 'off' && isZero(part)) this.#clear(sector * SECTOR, part.length, detectZeroes === 'unmap' && this.#options.discard);
      else this.#image.write(sector * SECTOR, part);
      this.#through();
    });
  }

  flush(done: (error?: Error) => void): void {
    this.#answer(done, () => {
      if (!this.readOnly && this.#options.cache !== 'unsafe') this.#image.flush();
    });
  }

  /** Makes sectors zero. */
  writeZeroes(sector: number, count: number, done: (error?: Error) => void): void {
    this.#answer(done, () => {
      this.#checkWrite(sector, new Uint8Array(SECTOR));
      this.#image.writeZeroes(sector * SECTOR, this.#within(sector, count * SECTOR));
      this.#through();
    });
  }

  /** The guest needs these sectors no more. */
  discard(sector: number, count: number, done: (error?: Error) => void): void {
    this.#answer(done, () => {
      if (this.readOnly || !this.#options.discard) return;
      this.#image.discard(sector * SECTOR, this.#within(sector, count * SECTOR));
      this.#through();
    });
  }

  /** Bytes of a request that lie within the image. A raw image has no end: its file grows. */
  #within(sector: number, length: number): number {
    if (this.#image.format === 'raw') return length;
    return Math.max(0, Math.min(length, this.#image.size - sector * SECTOR));
  }

  #checkWrite(sector: number, data: Uint8Array): void {
    const { file } = this.#image;
    if (this.readOnly) throw new ImageError(file.path, 'is read-only');
    if (this.#options.probedRaw && sector === 0 && probeFormat(data.subarray(0, PROBE_BYTES)) !== 'raw') {
      throw new ImageError(file.path, 'its format was guessed to be raw, and the guest wrote the header of another format to it (specify the format)');
    }
    if (this.#image.format !== 'raw' && sector * SECTOR >= this.#image.size) throw new ImageError(file.path, 'the image ends before the medium does');
  }

  #clear(offset: number, length: number, unmap: boolean): void {
    this.#image.writeZeroes(offset, length);
    if (unmap) this.#image.discard(offset, length);
  }

  #through(): void {
    if (this.#options.cache === 'writethrough' || this.#options.cache === 'directsync') this.#image.flush();
  }

  #answer(done: (error?: Error) => void, work: () => void): void {
    try {
      work();
    } catch (error) {
      // Anything else is a bug here, and is shown as one.
      if (!(error instanceof ImageError)) throw error;
      done(error);
      return;
    }
    done();
  }
}
