/**
 * A disk whose clusters (blocks, grains) lie anywhere in a file: what VDI, VPC, QED and VMDK have in common. The format says
 * by a ClusterMap where a cluster is, and stores new ones.
 */

import type { HostFile } from './host-file.ts';
import { inPieces, readBacking, ZEROS } from './image.ts';
import type { Extent, Image } from './image.ts';

/** What `locate` answers for a cluster that has no place in the file. */
export const HOLE = -1, ZERO = -2;

export interface ClusterMap {
  /** Offset of a cluster in the file, HOLE or ZERO. @throws ImageError for an entry that makes no sense */
  locate(cluster: number): number;
  /** Stores a cluster that had no place. `bytes` is the whole cluster. */
  place(cluster: number, bytes: Uint8Array): void;
  /** Makes a HOLE ZERO; absent if the format cannot. */
  zero?(cluster: number): void;
  /** The contents of a compressed cluster at `offset`; absent if clusters lie in the file as they are. */
  unpack?(offset: number, cluster: number): Uint8Array;
}

/** Clusters of an extent. */
const MOST_CLUSTERS = 65536;

export class ClusterStore {
  readonly #file: HostFile;
  readonly #map: ClusterMap;
  readonly #clusterSize: number;
  readonly #size: number;
  readonly #backing: Image | null;
  /** Where the backing image's bytes for this store begin. */
  readonly #base: number;

  /** @param size of the disk, or of the part that is stored here */
  constructor(file: HostFile, map: ClusterMap, clusterSize: number, size: number, backing: Image | null = null, base = 0) {
    this.#file = file;
    this.#map = map;
    this.#clusterSize = clusterSize;
    this.#size = size;
    this.#backing = backing;
    this.#base = base;
  }

  read(offset: number, data: Uint8Array): void {
    this.#each(offset, data, (cluster, within, part) => {
      const at = this.#map.locate(cluster);
      if (at === HOLE) readBacking(this.#backing, this.#base + cluster * this.#clusterSize + within, part);
      else if (at === ZERO) part.fill(0);
      else if (this.#map.unpack === undefined) this.#file.readFully(at + within, part, 'a cluster of the disk');
      else part.set(this.#map.unpack(at, cluster).subarray(within, within + part.length));
    });
  }

  write(offset: number, data: Uint8Array): void {
    this.#each(offset, data, (cluster, within, part) => {
      const at = this.#map.locate(cluster);
      if (at >= 0 && this.#map.unpack === undefined) {
        this.#file.overwrite(at + within, part, 'a cluster of the disk');
        return;
      }
      const start = cluster * this.#clusterSize;
      const bytes = new Uint8Array(this.#clusterSize);
      // Nothing lies behind the end of the disk.
      if (part.length < this.#clusterSize) this.read(start, bytes.subarray(0, Math.min(this.#clusterSize, this.#size - start)));
      bytes.set(part, within);
      this.#map.place(cluster, bytes);
    });
  }

  writeZeroes(offset: number, length: number): void {
    for (let at = offset; at < offset + length;) {
      const cluster = Math.floor(at / this.#clusterSize);
      const end = Math.min(offset + length, (cluster + 1) * this.#clusterSize);
      const whole = at === cluster * this.#clusterSize && (end === this.#size || end === (cluster + 1) * this.#clusterSize);
      const place = this.#map.locate(cluster);
      if (place === HOLE && this.#backing === null) at = end;
      else if (place === ZERO) at = end;
      else if (whole && place === HOLE && this.#map.zero !== undefined) {
        this.#map.zero(cluster);
        at = end;
      } else {
        inPieces(at, end - at, ZEROS.length, (from, count) => this.write(from, ZEROS.subarray(0, count)));
        at = end;
      }
    }
  }

  extent(offset: number): Extent {
    const first = Math.floor(offset / this.#clusterSize), within = offset % this.#clusterSize;
    const place = this.#map.locate(first);
    const last = Math.ceil(this.#size / this.#clusterSize);
    let next = first + 1;
    // A long run comes in several extents.
    while (next < last && next - first < MOST_CLUSTERS && this.#map.unpack === undefined && this.#map.locate(next) === (place < 0 ? place : place + (next - first) * this.#clusterSize)) next++;
    const length = Math.min(this.#size, next * this.#clusterSize) - offset;
    if (place === HOLE) return { kind: 'hole', length };
    if (place === ZERO) return { kind: 'zero', length };
    return this.#map.unpack === undefined ? { kind: 'data', length, offset: place + within } : { kind: 'data', length, compressed: true };
  }

  #each(offset: number, data: Uint8Array, part: (cluster: number, within: number, bytes: Uint8Array) => void): void {
    for (let at = 0; at < data.length;) {
      const cluster = Math.floor((offset + at) / this.#clusterSize), within = (offset + at) % this.#clusterSize;
      const end = Math.min(data.length, at + this.#clusterSize - within);
      part(cluster, within, data.subarray(at, end));
      at = end;
    }
  }
}
