/**
 * Reading a disk through an L1 table: the active one, or a snapshot's. Source: QEMU docs/interop/qcow2.rst, "Cluster mapping".
 *
 * A cluster past the end of the file is an error, not zeros: the file has lost something. A last cluster may end early.
 */

import { ImageError } from '../error.ts';
import type { HostFile } from '../host-file.ts';
import { readBacking } from '../image.ts';
import type { Extent, Image } from '../image.ts';
import { decompress } from './compression.ts';
import { decodeCluster, entryOffset } from './entries.ts';
import type { Cluster } from './entries.ts';
import type { Qcow2Header } from './header.ts';
import type { TableCache } from '../table-cache.ts';

/** Bytes of unpacked clusters that are kept. */
const UNPACKED_BYTES = 4 * 2 ** 20;

export interface ReaderParts {
  readonly file: HostFile;
  readonly header: Qcow2Header;
  readonly l2: TableCache;
  readonly backing: Image | null;
  /** Called for what only a damaged image has; it throws. */
  readonly corrupt: (reason: string) => never;
}

/** A run of clusters that are stored in the same way, one behind the other. */
export interface Run extends Cluster {
  /** Bytes from the offset asked for. */
  readonly length: number;
}

export class Qcow2Reader {
  readonly #parts: ReaderParts;
  readonly clusterSize: number;
  readonly #clusterBits: number;
  /** Entries of an L2 table. */
  readonly #perTable: number;
  readonly #size: () => number;
  l1: DataView;
  /** Compressed clusters that were read, by their place in the file, the least recently used first. */
  readonly #unpacked = new Map<number, Uint8Array>();

  /** @param size of the disk, in bytes */
  constructor(parts: ReaderParts, l1: DataView, size: () => number) {
    this.#parts = parts;
    this.#clusterBits = parts.header.clusterBits;
    this.clusterSize = 2 ** this.#clusterBits;
    this.#perTable = this.clusterSize / 8;
    this.#size = size;
    this.l1 = l1;
  }

  l1Index(offset: number): number {
    return Math.floor(offset / this.clusterSize / this.#perTable);
  }

  l2Index(offset: number): number {
    return Math.floor(offset / this.clusterSize) % this.#perTable;
  }

  /** Where the L2 table of an L1 entry is; 0: there is none. */
  l2Offset(index: number): number {
    const offset = entryOffset(this.l1, index);
    if (offset % this.clusterSize !== 0 || !Number.isSafeInteger(offset)) this.#parts.corrupt(`L2 table offset 0x${offset.toString(16)} unaligned (L1 index: ${index})`);
    return offset;
  }

  /** The entry of one cluster, checked. */
  cluster(view: DataView, index: number): Cluster {
    const { header, corrupt } = this.#parts;
    const cluster = decodeCluster(view, index, this.#clusterBits);
    if (cluster.kind !== 'compressed' && (cluster.offset % this.clusterSize !== 0 || !Number.isSafeInteger(cluster.offset))) {
      corrupt(`cluster offset 0x${cluster.offset.toString(16)} unaligned (L2 index: ${index})`);
    }
    if (cluster.kind === 'zero' && header.version === 2) corrupt('zero cluster entry found in an image of version 2');
    return cluster;
  }

  /** The run at `offset`, at most `most` bytes of it, within one L2 table. */
  run(offset: number, most: number): Run {
    const first = this.l2Index(offset), within = offset % this.clusterSize;
    const available = Math.min(most, (this.#perTable - first) * this.clusterSize - within);
    const tableAt = this.l2Offset(this.l1Index(offset));
    if (tableAt === 0) return { kind: 'hole', offset: 0, copied: false, compressedLength: 0, length: available };
    const { view } = this.#parts.l2.get(tableAt);
    const cluster = this.cluster(view, first);
    let count = 1;
    const needed = Math.ceil((within + available) / this.clusterSize);
    while (count < needed && cluster.kind !== 'compressed') {
      const next = this.cluster(view, first + count);
      if (next.kind !== cluster.kind || next.copied !== cluster.copied) break;
      if (next.offset !== (cluster.offset === 0 ? 0 : cluster.offset + count * this.clusterSize)) break;
      count++;
    }
    return { ...cluster, length: Math.min(available, count * this.clusterSize - within) };
  }

  extent(offset: number): Extent {
    const { kind, offset: host, length } = this.run(offset, this.#size() - offset);
    if (kind === 'compressed') return { kind: 'data', length, compressed: true };
    return kind === 'data' ? { kind, length, offset: host + offset % this.clusterSize } : { kind, length };
  }

  read(offset: number, data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const run = this.run(offset + at, data.length - at);
      const part = data.subarray(at, at + run.length);
      this.#readRun(run, offset + at, part);
      at += run.length;
    }
  }

  #readRun(run: Run, offset: number, part: Uint8Array): void {
    const { file, backing } = this.#parts;
    const within = offset % this.clusterSize;
    if (run.kind === 'data') file.readFully(run.offset + within, part, 'a cluster of the disk');
    else if (run.kind === 'zero') part.fill(0);
    else if (run.kind === 'hole') readBacking(backing, offset, part);
    else part.set(this.#unpack(run).subarray(within, within + part.length));
  }

  #unpack({ offset, compressedLength }: Run): Uint8Array {
    const known = this.#unpacked.get(offset);
    this.#unpacked.delete(offset);
    if (known !== undefined) {
      this.#unpacked.set(offset, known);
      return known;
    }
    const { file, header } = this.#parts;
    const packed = new Uint8Array(compressedLength);
    const present = file.read(offset, packed);
    try {
      const bytes = decompress(header.compression, packed.subarray(0, present), this.clusterSize);
      const [oldest] = this.#unpacked.keys();
      if (oldest !== undefined && (this.#unpacked.size + 1) * this.clusterSize > UNPACKED_BYTES) this.#unpacked.delete(oldest);
      this.#unpacked.set(offset, bytes);
      return bytes;
    } catch {
      throw new ImageError(file.path, `the compressed cluster at ${offset} is damaged`);
    }
  }

  /** Compressed data has been written. */
  forget(): void {
    this.#unpacked.clear();
  }
}
