/**
 * Reference counts of the file's clusters: a table of blocks, each one cluster of counts of 2^order bits.
 * Source: QEMU docs/interop/qcow2.rst, "Host cluster management".
 *
 * New blocks, and a new table when the old one is full, are laid at the front of the free area that asked for them, so that
 * they count themselves. They are in the file before anything points to them.
 */

import { ImageError } from '../error.ts';
import type { HostFile } from '../host-file.ts';
import { MAX_REFCOUNT_TABLE_BYTES } from './header.ts';
import type { Qcow2Header } from './header.ts';
import { TableCache } from '../table-cache.ts';

/** Bytes of blocks that are kept. */
const CACHE_BYTES = 4 * 2 ** 20;
const MIN_TABLES = 8;
/** Where the header holds the table's offset and, behind it, its size in clusters. */
const HEADER_TABLE = 48;

export function readCount(view: DataView, index: number, order: number): number {
  switch (order) {
    case 4: return view.getUint16(index * 2);
    case 3: return view.getUint8(index);
    case 5: return view.getUint32(index * 4);
    case 6: return view.getUint32(index * 8) * 2 ** 32 + view.getUint32(index * 8 + 4);
    default: {
      const bit = index << order;
      return (view.getUint8(bit >> 3) >> (bit & 7)) & ((1 << (1 << order)) - 1);
    }
  }
}

export function writeCount(view: DataView, index: number, order: number, value: number): void {
  switch (order) {
    case 4: return view.setUint16(index * 2, value);
    case 3: return view.setUint8(index, value);
    case 5: return view.setUint32(index * 4, value);
    case 6:
      view.setUint32(index * 8, Math.floor(value / 2 ** 32));
      return view.setUint32(index * 8 + 4, value % 2 ** 32);
    default: {
      const bit = index << order, mask = ((1 << (1 << order)) - 1) << (bit & 7);
      view.setUint8(bit >> 3, (view.getUint8(bit >> 3) & ~mask) | (value << (bit & 7)));
    }
  }
}

export interface RefcountOptions {
  readonly file: HostFile;
  readonly header: Qcow2Header;
  /** Clusters that must not be handed out or written as data. */
  readonly metadata: Set<number>;
  /** Called for what only a damaged image does; it throws. */
  readonly corrupt: (reason: string) => never;
}

export class Refcounts {
  readonly order: number;
  readonly max: number;
  /** Counts in a block. */
  readonly perBlock: number;
  readonly cache: TableCache;
  readonly #file: HostFile;
  readonly #header: Qcow2Header;
  readonly #clusterSize: number;
  readonly #metadata: Set<number>;
  readonly #corrupt: (reason: string) => never;
  /** Offsets of blocks, 0: none. */
  #table: Float64Array;
  /** Below it nothing is free. */
  #hint = 0;
  /** Where the next compressed data may go; 0: into a new cluster. */
  #bytesAt = 0;

  constructor({ file, header, metadata, corrupt }: RefcountOptions) {
    this.#file = file;
    this.#header = header;
    this.#metadata = metadata;
    this.#corrupt = corrupt;
    this.#clusterSize = 2 ** header.clusterBits;
    this.order = header.refcountOrder;
    this.max = this.order === 6 ? Number.MAX_SAFE_INTEGER : 2 ** (1 << this.order) - 1;
    this.perBlock = (this.#clusterSize * 8) >> this.order;
    this.cache = new TableCache(file, this.#clusterSize, Math.max(MIN_TABLES, Math.floor(CACHE_BYTES / this.#clusterSize)), 'a block of reference counts',
      () => this.cache.write());
    const bytes = new Uint8Array(header.refcountTableClusters * this.#clusterSize);
    file.readFully(header.refcountTableOffset, bytes, 'the reference count table');
    const view = new DataView(bytes.buffer);
    this.#table = Float64Array.from({ length: bytes.length / 8 }, (_, index) => view.getUint32(index * 8) * 2 ** 32 + ((view.getUint32(index * 8 + 4) & ~511) >>> 0));
  }

  /** Offsets of the blocks, 0 where there is none. */
  get blocks(): Float64Array {
    return this.#table;
  }

  get(cluster: number): number {
    const view = this.#view(Math.floor(cluster / this.perBlock));
    return view === null ? 0 : readCount(view, cluster % this.perBlock, this.order);
  }

  /** @throws ImageError if the count does not fit */
  add(cluster: number, delta: number): void {
    const value = this.get(cluster) + delta;
    if (value < 0) this.#corrupt(`the reference count of cluster ${cluster} would become negative`);
    if (value > this.max) throw new ImageError(this.#file.path, `a cluster cannot be shared more often (${1 << this.order} refcount bits)`);
    this.set(cluster, value);
  }

  /** The block must be there. */
  set(cluster: number, value: number): void {
    const offset = this.#table[Math.floor(cluster / this.perBlock)] ?? 0;
    if (offset === 0) this.#corrupt(`cluster ${cluster} has no block of reference counts`);
    const block = this.cache.get(offset);
    writeCount(block.view, cluster % this.perBlock, this.order, value);
    this.cache.changed(block);
    if (value === 0 && cluster < this.#hint) this.#hint = cluster;
    if (value === 0 && Math.floor(this.#bytesAt / this.#clusterSize) === cluster) this.#bytesAt = 0;
  }

  /** Takes `count` free clusters in a row; returns the first. */
  allocate(count: number): number {
    let start = this.#hint;
    for (;;) {
      start = this.#nextFree(start);
      if (count === 1) this.#hint = start;
      const { blocks, tableClusters } = this.#plan(start, count);
      const taken = this.#firstTaken(start, blocks.length + tableClusters + count);
      if (taken < 0) {
        const first = this.#cover(start, blocks, tableClusters);
        for (let cluster = first; cluster < first + count; cluster++) this.#take(cluster);
        if (count === 1) this.#hint = first + 1;
        return first;
      }
      start = taken + 1;
    }
  }

  /** Takes up to `most` free clusters in a row, at least one. */
  allocateSome(most: number): { first: number; count: number } {
    const first = this.allocate(1);
    let count = 1;
    while (count < most && this.#view(Math.floor((first + count) / this.perBlock)) !== null && this.get(first + count) === 0) this.#take(first + count++);
    this.#hint = first + count;
    return { first, count };
  }

  /** Takes room for compressed data, which may share clusters; returns its offset. */
  allocateBytes(length: number): number {
    const within = this.#bytesAt % this.#clusterSize;
    const current = Math.floor(this.#bytesAt / this.#clusterSize);
    const room = within === 0 || this.get(current) >= this.max ? 0 : this.#clusterSize - within;
    let offset = this.#bytesAt;
    if (length <= room) this.add(current, 1);
    else {
      const fresh = this.allocate(1);
      if (room > 0 && fresh === current + 1) this.add(current, 1);
      else offset = fresh * this.#clusterSize;
    }
    this.#bytesAt = offset + length;
    return offset;
  }

  /** Forgets what is cached: the counts in the file were made anew. */
  reload(table: Float64Array): void {
    this.cache.clear();
    this.#table = table;
    this.#hint = 0;
    this.#bytesAt = 0;
  }

  #view(index: number): DataView | null {
    const offset = this.#table[index] ?? 0;
    if (offset === 0) return null;
    if (offset % this.#clusterSize !== 0 || !Number.isSafeInteger(offset)) this.#corrupt(`block ${index} of the reference counts is at ${offset}, no multiple of the cluster size`);
    return this.cache.get(offset).view;
  }

  #take(cluster: number): void {
    if (cluster === 0 || this.#metadata.has(cluster)) this.#corrupt(`cluster ${cluster} is in use, but its reference count is 0`);
    this.set(cluster, 1);
  }

  #nextFree(from: number): number {
    for (let cluster = from;;) {
      const index = Math.floor(cluster / this.perBlock);
      const view = this.#view(index);
      if (view === null) return cluster;
      const end = (index + 1) * this.perBlock;
      for (; cluster < end; cluster++) if (readCount(view, cluster % this.perBlock, this.order) === 0) return cluster;
    }
  }

  #firstTaken(start: number, count: number): number {
    for (let cluster = start; cluster < start + count; cluster++) if (this.get(cluster) !== 0) return cluster;
    return -1;
  }

  /** What an area of `count` clusters needs in front of it: indices of missing blocks, and clusters of a new table. */
  #plan(start: number, count: number): { blocks: number[]; tableClusters: number } {
    let blocks: number[] = [], tableClusters = 0;
    for (;;) {
      const last = Math.floor((start + blocks.length + tableClusters + count - 1) / this.perBlock);
      const missing: number[] = [];
      for (let index = Math.floor(start / this.perBlock); index <= last; index++) if ((this.#table[index] ?? 0) === 0) missing.push(index);
      const entries = last < this.#table.length ? 0 : Math.max(last + 1, Math.ceil(this.#table.length * 1.5));
      const clusters = Math.ceil(entries * 8 / this.#clusterSize);
      if (missing.length === blocks.length && clusters === tableClusters) return { blocks: missing, tableClusters };
      blocks = missing;
      tableClusters = clusters;
    }
  }

  /** Makes what #plan says from `start` on; returns the first cluster behind it. */
  #cover(start: number, blocks: readonly number[], tableClusters: number): number {
    const end = start + blocks.length + tableClusters;
    if (blocks.length === 0) return end;
    if (tableClusters * this.#clusterSize > MAX_REFCOUNT_TABLE_BYTES) throw new ImageError(this.#file.path, 'the image has become too large for its reference count table');
    for (let cluster = start; cluster < end; cluster++) {
      if (cluster === 0 || this.#metadata.has(cluster)) this.#corrupt(`cluster ${cluster} is in use, but its reference count is 0`);
    }
    const fresh = new Map(blocks.map((index, position) => [index, { offset: (start + position) * this.#clusterSize, view: new DataView(new ArrayBuffer(this.#clusterSize)) }]));
    for (let cluster = start; cluster < end; cluster++) {
      const block = fresh.get(Math.floor(cluster / this.perBlock));
      if (block === undefined) this.set(cluster, 1);
      else writeCount(block.view, cluster % this.perBlock, this.order, 1);
      this.#metadata.add(cluster);
    }
    this.cache.write();
    for (const { offset, view } of fresh.values()) this.#file.write(offset, new Uint8Array(view.buffer));
    if (tableClusters > 0) this.#growTable(start + blocks.length, tableClusters, fresh);
    else {
      this.#file.sync();
      for (const [index, { offset }] of fresh) {
        this.#table[index] = offset;
        const entry = new DataView(new ArrayBuffer(8));
        entry.setBigUint64(0, BigInt(offset));
        this.#file.write(this.#header.refcountTableOffset + index * 8, new Uint8Array(entry.buffer));
      }
    }
    return end;
  }

  #growTable(cluster: number, clusters: number, fresh: ReadonlyMap<number, { offset: number }>): void {
    const table = new Float64Array(clusters * this.#clusterSize / 8);
    table.set(this.#table);
    for (const [index, { offset }] of fresh) table[index] = offset;
    const offset = cluster * this.#clusterSize;
    this.#file.write(offset, encodeTable(table));
    this.#file.sync();
    const { refcountTableOffset: oldOffset, refcountTableClusters: oldClusters } = this.#header;
    writeTablePointer(this.#file, this.#header, offset, clusters);
    this.#file.sync();
    this.#table = table;
    for (let old = oldOffset / this.#clusterSize, left = oldClusters; left > 0; old++, left--) {
      this.#metadata.delete(old);
      this.add(old, -1);
    }
  }
}

export function encodeTable(table: Float64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(table.length * 8));
  table.forEach((offset, index) => {
    if (offset !== 0) view.setBigUint64(index * 8, BigInt(offset));
  });
  return new Uint8Array(view.buffer);
}

/** Makes another table the one that counts. */
export function writeTablePointer(file: HostFile, header: Qcow2Header, offset: number, clusters: number): void {
  const fields = new DataView(new ArrayBuffer(12));
  fields.setBigUint64(0, BigInt(offset));
  fields.setUint32(8, clusters);
  file.write(HEADER_TABLE, new Uint8Array(fields.buffer));
  header.refcountTableOffset = offset;
  header.refcountTableClusters = clusters;
}
