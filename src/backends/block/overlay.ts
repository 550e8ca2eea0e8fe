/**
 * Snapshot overlay: a disk whose writes live in memory and whose base never changes (`-snapshot`, `snapshot=on`).
 *
 * Layout: a map from cluster number to a 64 KB copy of that cluster. A cluster is copied from the base at the first
 * write that touches it, so that later reads and writes of it never ask the base again.
 */

import type { BlockBackend } from '../../devices/host.ts';

const SECTOR = 512;

/** Sectors in a cluster: 64 KB. */
export const CLUSTER_SECTORS = 128;

export class SnapshotOverlay implements BlockBackend {
  readonly sectors: number;
  readonly readOnly = false;
  readonly #base: BlockBackend;
  readonly #clusters = new Map<number, Uint8Array>();

  constructor(base: BlockBackend) {
    this.#base = base;
    this.sectors = base.sectors;
  }

  /** Memory held by written clusters, in bytes. */
  get dirtyBytes(): number {
    return this.#clusters.size * CLUSTER_SECTORS * SECTOR;
  }

  read(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    this.#each(sector, data, done, (cluster, within, part, next) => {
      const copy = this.#clusters.get(cluster);
      if (copy === undefined) {
        this.#base.read(cluster * CLUSTER_SECTORS + within, part, next);
        return;
      }
      part.set(copy.subarray(within * SECTOR, within * SECTOR + part.length));
      next();
    });
  }

  write(sector: number, data: Uint8Array, done: (error?: Error) => void): void {
    this.#each(sector, data, done, (cluster, within, part, next) => {
      const copy = this.#clusters.get(cluster);
      if (copy !== undefined) {
        copy.set(part, within * SECTOR);
        next();
        return;
      }
      const fresh = new Uint8Array(CLUSTER_SECTORS * SECTOR);
      const first = cluster * CLUSTER_SECTORS;
      const present = Math.min(CLUSTER_SECTORS, this.sectors - first);
      this.#base.read(first, fresh.subarray(0, present * SECTOR), (error) => {
        if (error === undefined) {
          // Another write may have made the cluster while the base was reading: its data must not be lost.
          const winner = this.#clusters.get(cluster) ?? fresh;
          this.#clusters.set(cluster, winner);
          winner.set(part, within * SECTOR);
        }
        next(error);
      });
    });
  }

  flush(done: (error?: Error) => void): void {
    done();
  }

  /** Cuts a request at cluster borders and runs the parts one after the other. */
  #each(
    sector: number,
    data: Uint8Array,
    done: (error?: Error) => void,
    part: (cluster: number, within: number, bytes: Uint8Array, next: (error?: Error) => void) => void,
  ): void {
    const step = (position: number): void => {
      if (position >= data.length) {
        done();
        return;
      }
      const at = sector + position / SECTOR;
      const cluster = Math.floor(at / CLUSTER_SECTORS);
      const within = at - cluster * CLUSTER_SECTORS;
      const end = Math.min(data.length, position + (CLUSTER_SECTORS - within) * SECTOR);
      part(cluster, within, data.subarray(position, end), (error) => (error === undefined ? step(end) : done(error)));
    };
    step(0);
  }
}
