/** A disk in memory: images that are built rather than opened (the demo disk), and tests. */

import type { BlockBackend } from '../../devices/host.ts';

const SECTOR = 512;

export class MemoryDisk implements BlockBackend {
  readonly sectors: number;
  readonly readOnly: boolean;
  /** The whole contents, live. */
  readonly data: Uint8Array;

  /** @param contents copied, and padded with zeros to a whole number of sectors, or to `minSectors`. */
  constructor(contents: Uint8Array, options: { readOnly?: boolean; minSectors?: number } = {}) {
    this.sectors = Math.max(Math.ceil(contents.length / SECTOR), options.minSectors ?? 0);
    this.readOnly = options.readOnly ?? false;
    this.data = new Uint8Array(this.sectors * SECTOR);
    this.data.set(contents);
  }

  read(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    data.set(this.data.subarray(sector * SECTOR, sector * SECTOR + data.length));
    done();
  }

  write(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    if (this.readOnly) {
      done(new Error('the disk is read-only'));
      return;
    }
    this.data.set(data, sector * SECTOR);
    done();
  }

  flush(done: (error?: Error) => void): void {
    done();
  }
}
