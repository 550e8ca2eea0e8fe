/**
 * qcow2 images, versions 2 and 3. Source: QEMU docs/interop/qcow2.rst.
 *
 * What is in the file always makes sense, whenever the process or the host ends. Changes of metadata are collected in memory
 * and written in this order, each after the one before is on stable storage (`writeMetadata`):
 *   1. reference counts that grew, and the data of new clusters    2. L2 tables    3. the L1 table    4. reference counts that shrank
 * So a cluster may be counted and not used (a leak), never used and not counted. With lazy reference counts the dirty bit
 * says that 1 and 4 are missing: they are made anew when such an image is opened for writing.
 */

import { ImageError } from '../error.ts';
import type { HostFile } from '../host-file.ts';
import { inPieces, isZero, ZEROS } from '../image.ts';
import type { CheckResult, Details, Extent, Image, Repair, SnapshotStore } from '../image.ts';
import { bitmapDetails } from './bitmaps.ts';
import { checkImage } from './check.ts';
import { compress, zstdSupported } from './compression.ts';
import { entryCopied, setCompressed, setEntry } from './entries.ts';
import type { Cluster } from './entries.ts';
import {
  COMPATIBLE_LAZY_REFCOUNTS, COMPRESSION_ZSTD, INCOMPATIBLE_CORRUPT, INCOMPATIBLE_DIRTY, MAX_L1_BYTES, l1EntriesFor, readHeader,
} from './header.ts';
import type { Qcow2Header } from './header.ts';
import { metadataOf } from './metadata.ts';
import { Qcow2Reader } from './reader.ts';
import type { Run } from './reader.ts';
import { Refcounts } from './refcounts.ts';
import { Qcow2Snapshots } from './snapshots.ts';
import { TableCache } from '../table-cache.ts';
import type { Table } from '../table-cache.ts';

/** Bytes of L2 tables that are kept: they map 8192 times as much. */
const CACHE_BYTES = 8 * 2 ** 20;
const MIN_TABLES = 8;
/** New clusters that are written in one piece, in bytes. */
const MOST_NEW = 2 * 2 ** 20;
/** Clusters that wait to be given back. */
const MOST_RELEASED = 65536;
/** A part of the L1 table that is written as one. */
const L1_PART = 512;
const HEADER_SIZE = 24, HEADER_L1 = 36, HEADER_INCOMPATIBLE = 72, HEADER_AUTOCLEAR = 88;

export class Qcow2Image implements Image {
  readonly format = 'qcow2';
  readonly file: HostFile;
  readonly files: readonly HostFile[];
  readonly header: Qcow2Header;
  readonly clusterSize: number;
  readonly backing: Image | null;
  readonly snapshots: SnapshotStore;
  readonly reader: Qcow2Reader;
  readonly refcounts: Refcounts;
  readonly l2: TableCache;
  /** Host clusters that hold metadata: data must not be written there. Empty if the image is read-only. */
  readonly metadata: Set<number>;
  readonly #dirtyL1 = new Set<number>();
  /** Host clusters, each once for each reference that the tables in memory have given up. */
  readonly #released: number[] = [];
  #corrupt: string | null = null;

  /** @throws ImageError */
  /** @param repairs it is opened to be checked: damage that is marked is no reason to refuse it, and nothing is mended unasked */
  constructor(file: HostFile, backing: Image | null, header: Qcow2Header = readHeader(file), repairs = false) {
    this.file = file;
    this.files = [file];
    this.header = header;
    this.backing = backing;
    this.clusterSize = 2 ** header.clusterBits;
    if (header.compression === COMPRESSION_ZSTD && !zstdSupported()) throw new ImageError(file.path, 'compression type zstd needs Node 22.15 or later');
    if (!file.readOnly && !repairs && (header.incompatible & INCOMPATIBLE_CORRUPT) !== 0n) throw new ImageError(file.path, 'the image is marked as corrupt and cannot be opened for writing');
    const corrupt = (reason: string): never => this.corrupted(reason);
    this.metadata = new Set();
    this.refcounts = new Refcounts({ file, header, metadata: this.metadata, corrupt });
    this.l2 = new TableCache(file, this.clusterSize, Math.max(MIN_TABLES, Math.floor(CACHE_BYTES / this.clusterSize)), 'an L2 table', () => this.writeMetadata());
    file.require(header.l1Offset, header.l1Entries * 8, 'the L1 table');
    const l1 = new Uint8Array(header.l1Entries * 8);
    file.readFully(header.l1Offset, l1, 'the L1 table');
    this.reader = new Qcow2Reader({ file, header, l2: this.l2, backing, corrupt }, new DataView(l1.buffer), () => this.size);
    this.snapshots = new Qcow2Snapshots(this);
    if (!file.readOnly) this.#prepareWriting(repairs);
  }

  get size(): number {
    return this.header.size;
  }

  get readOnly(): boolean {
    return this.file.readOnly;
  }

  get backingName(): string | null {
    return this.header.backingName;
  }

  get backingFormat(): string | null {
    return this.header.backingFormat;
  }

  get dirty(): boolean {
    return (this.header.incompatible & INCOMPATIBLE_DIRTY) !== 0n;
  }

  /** Reference counts need not be in the file: it says that they are not. */
  get #postpones(): boolean {
    return this.#lazy && this.dirty;
  }

  get #lazy(): boolean {
    return (this.header.compatible & COMPATIBLE_LAZY_REFCOUNTS) !== 0n;
  }

  read(offset: number, data: Uint8Array): void {
    this.reader.read(offset, data);
  }

  extent(offset: number): Extent {
    return this.reader.extent(offset);
  }

  write(offset: number, data: Uint8Array): void {
    this.#beforeChange();
    for (let at = 0; at < data.length;) {
      const run = this.reader.run(offset + at, data.length - at);
      at += this.#writeRun(run, offset + at, data.subarray(at, at + run.length));
    }
  }

  writeZeroes(offset: number, length: number): void {
    this.#clear(offset, length, this.header.version === 3 ? 'zero' : 'write');
  }

  discard(offset: number, length: number): void {
    // Without a backing image a hole is zero; with one it would show what is below.
    this.#clear(offset, length, this.backing === null ? 'hole' : this.header.version === 3 ? 'zero-free' : 'keep');
  }

  writeCompressed(offset: number, data: Uint8Array): void {
    const cluster = new Uint8Array(this.clusterSize);
    cluster.set(data);
    const packed = isZero(cluster) && this.backing === null ? null : compress(this.header.compression, cluster);
    if (packed === null || this.reader.run(offset, 1).kind !== 'hole') {
      if (isZero(cluster)) this.writeZeroes(offset, data.length);
      else this.write(offset, data);
      return;
    }
    this.#beforeChange();
    const host = this.refcounts.allocateBytes(packed.length);
    const table = this.#l2ForWriting(this.reader.l1Index(offset));
    if (!setCompressed(table.view, this.reader.l2Index(offset), this.header.clusterBits, host, packed.length)) {
      throw new ImageError(this.file.path, 'the image has become too large for compressed clusters');
    }
    this.l2.changed(table);
    this.#guard(host, packed.length);
    this.file.write(host, packed);
    this.reader.forget();
  }

  flush(): void {
    if (this.readOnly) return;
    this.writeMetadata();
    this.file.sync();
  }

  close(): void {
    try {
      if (!this.readOnly && this.#corrupt === null) this.#settle();
    } finally {
      this.file.close();
    }
  }

  resize(size: number): void {
    this.#beforeChange();
    if (this.header.snapshots > 0 && this.header.version === 2) throw new ImageError(this.file.path, 'an image of version 2 that has snapshots cannot be resized');
    if (size < this.size) {
      // Clusters that lie behind the end altogether.
      const kept = Math.ceil(size / this.clusterSize) * this.clusterSize;
      if (kept < this.size) this.#clear(kept, this.size - kept, 'hole');
      // What is left of the last cluster would come back when the disk grows again.
      if (kept > size) this.writeZeroes(size, Math.min(kept, this.size) - size);
    } else {
      const entries = l1EntriesFor(size, this.header.clusterBits);
      if (entries > this.header.l1Entries) this.growL1(entries);
    }
    this.writeMetadata();
    this.file.sync();
    const old = this.size;
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, BigInt(size));
    this.file.write(HEADER_SIZE, new Uint8Array(field.buffer));
    this.header.size = size;
    // What a larger backing image holds there must not appear.
    if (this.backing !== null && this.backing.size > old && size > old) this.writeZeroes(old, Math.min(size, this.backing.size) - old);
  }

  /** Gives all clusters that are holes a place in the file, with zeros there: as a hole of the host, or written. */
  preallocate(metadataOnly: boolean): void {
    this.#beforeChange();
    for (let at = 0; at < this.size;) {
      const run = this.reader.run(at, this.size - at);
      if (run.kind === 'hole') {
        const { first, count } = this.refcounts.allocateSome(Math.ceil(run.length / this.clusterSize));
        const offset = first * this.clusterSize, length = count * this.clusterSize;
        if (!metadataOnly) inPieces(offset, length, ZEROS.length, (from, bytes) => this.file.write(from, ZEROS.subarray(0, bytes)));
        else if (this.file.size < offset + length) this.file.truncate(offset + length);
        this.#map(at, count, (table, index, position) => setEntry(table.view, index, offset + position * this.clusterSize, true));
        at += length;
      } else at += run.length;
    }
  }

  check(repair: Repair): CheckResult {
    if (!this.readOnly) this.writeMetadata();
    return checkImage(this, repair);
  }

  details(): Details {
    const { version, compression, refcountOrder } = this.header;
    const bitmaps = bitmapDetails(this.file, this.header);
    const features: Details = version === 2 ? [['refcount bits', 'refcount-bits', 1 << refcountOrder]] : [
      ['lazy refcounts', 'lazy-refcounts', this.#lazy], ...(bitmaps === null ? [] : [['bitmaps', 'bitmaps', bitmaps] as const]), ['refcount bits', 'refcount-bits', 1 << refcountOrder],
      ['corrupt', 'corrupt', (this.header.incompatible & INCOMPATIBLE_CORRUPT) !== 0n], ['extended l2', 'extended-l2', false],
    ];
    return [['compat', 'compat', version === 2 ? '0.10' : '1.1'], ['compression type', 'compression-type', compression === COMPRESSION_ZSTD ? 'zstd' : 'zlib'], ...features];
  }

  /** The image contradicts itself: nothing more is written, and that is noted in it. */
  corrupted(reason: string): never {
    if (!this.readOnly && this.#corrupt === null) {
      this.#corrupt = reason;
      this.l2.clear();
      this.refcounts.cache.clear();
      if (this.header.version === 3) this.#writeFeatures(this.header.incompatible | INCOMPATIBLE_CORRUPT);
    }
    throw new ImageError(this.file.path, `the image is corrupt: ${reason}`);
  }

  /** A host cluster is no longer used by one that used it; counted when the tables are in the file. */
  release(cluster: number): void {
    this.#released.push(cluster);
  }

  /** The L1 entry now names another table. */
  changedL1(index: number): void {
    this.#dirtyL1.add(Math.floor(index * 8 / L1_PART));
  }

  /** Brings all metadata into the file; see the head. */
  writeMetadata(): void {
    if (this.#corrupt !== null) throw new ImageError(this.file.path, `the image is corrupt: ${this.#corrupt}`);
    if (!this.#postpones) this.refcounts.cache.write();
    if (this.l2.dirty) {
      this.file.sync();
      this.l2.write();
    }
    if (this.#dirtyL1.size > 0) {
      this.file.sync();
      for (const part of this.#dirtyL1) this.#writeL1Part(part);
      this.#dirtyL1.clear();
    }
    if (this.#released.length === 0) return;
    this.file.sync();
    for (const cluster of this.#released.splice(0)) {
      this.refcounts.add(cluster, -1);
      if (this.refcounts.get(cluster) === 0) this.metadata.delete(cluster);
    }
    if (!this.#postpones) this.refcounts.cache.write();
  }

  /** Another L1 table, larger, at another place. */
  growL1(entries: number): void {
    if (entries * 8 > MAX_L1_BYTES) throw new ImageError(this.file.path, 'the disk is too large for its cluster size');
    const l1 = new Uint8Array(entries * 8);
    l1.set(new Uint8Array(this.reader.l1.buffer));
    this.replaceL1(new DataView(l1.buffer));
  }

  /** Makes a table the active L1 table: written to new clusters, then named by the header. The old one is given back. */
  replaceL1(l1: DataView): void {
    this.writeMetadata();
    const clusters = Math.ceil(l1.byteLength / this.clusterSize);
    const first = this.refcounts.allocate(clusters);
    const { l1Offset, l1Entries } = this.header;
    this.file.write(first * this.clusterSize, new Uint8Array(l1.buffer));
    this.refcounts.cache.write();
    this.file.sync();
    const fields = new DataView(new ArrayBuffer(12));
    fields.setUint32(0, l1.byteLength / 8);
    fields.setBigUint64(4, BigInt(first * this.clusterSize));
    this.file.write(HEADER_L1, new Uint8Array(fields.buffer));
    this.header.l1Offset = first * this.clusterSize;
    this.header.l1Entries = l1.byteLength / 8;
    this.reader.l1 = l1;
    this.#dirtyL1.clear();
    for (let cluster = first; cluster < first + clusters; cluster++) this.metadata.add(cluster);
    for (let left = Math.ceil(l1Entries * 8 / this.clusterSize), cluster = l1Offset / this.clusterSize; left > 0; left--, cluster++) {
      this.metadata.delete(cluster);
      this.release(cluster);
    }
  }

  /** Counts and flags are as they must be: lazy counts are written, and the dirty bit goes. */
  #settle(): void {
    this.writeMetadata();
    if (this.#postpones) {
      this.refcounts.cache.write();
      this.clearFeature(INCOMPATIBLE_DIRTY);
    }
    this.file.sync();
  }

  #prepareWriting(repairs: boolean): void {
    for (const cluster of metadataOf(this)) this.metadata.add(cluster);
    if (this.header.autoclear !== 0n) {
      // Nothing here keeps up with bitmaps: what they say would be wrong after the first write.
      this.file.write(HEADER_AUTOCLEAR, new Uint8Array(8));
      this.header.autoclear = 0n;
    }
    if (!this.dirty || repairs) return;
    const { corruptions, errors } = checkImage(this, 'all');
    if (corruptions > 0 || errors > 0) throw new ImageError(this.file.path, 'the image was not closed properly, and its reference counts cannot be repaired');
    this.clearFeature(INCOMPATIBLE_DIRTY);
  }

  /** Takes back what an incompatible bit says, once the file holds what that allows. */
  clearFeature(bit: bigint): void {
    if ((this.header.incompatible & bit) === 0n) return;
    this.file.sync();
    this.#writeFeatures(this.header.incompatible & ~bit);
  }

  #writeFeatures(incompatible: bigint): void {
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, incompatible);
    this.file.write(HEADER_INCOMPATIBLE, new Uint8Array(field.buffer));
    this.file.sync();
    this.header.incompatible = incompatible;
  }

  #writeL1Part(part: number): void {
    const { l1 } = this.reader;
    const start = part * L1_PART;
    this.file.write(this.header.l1Offset + start, new Uint8Array(l1.buffer, start, Math.min(L1_PART, l1.byteLength - start)));
  }

  #beforeChange(): void {
    if (this.#corrupt !== null) throw new ImageError(this.file.path, `the image is corrupt: ${this.#corrupt}`);
    if (this.readOnly) throw new ImageError(this.file.path, 'is read-only');
    if (this.#lazy && !this.dirty) this.#writeFeatures(this.header.incompatible | INCOMPATIBLE_DIRTY);
    if (this.#released.length > MOST_RELEASED) this.writeMetadata();
  }

  /** No data may go where metadata is. */
  #guard(offset: number, length: number): void {
    for (let cluster = Math.floor(offset / this.clusterSize); cluster * this.clusterSize < offset + length; cluster++) {
      if (cluster === 0 || this.metadata.has(cluster)) this.corrupted(`a write of data at 0x${offset.toString(16)} would overwrite metadata`);
    }
  }

  /** Writes data that lies in one run; returns how much of it. */
  #writeRun(run: Run, offset: number, data: Uint8Array): number {
    const within = offset % this.clusterSize;
    if (run.kind === 'data' && run.copied) {
      this.#guard(run.offset + within, data.length);
      this.file.overwrite(run.offset + within, data, 'a cluster of the disk');
      return data.length;
    }
    const wanted = Math.ceil((within + Math.min(data.length, MOST_NEW)) / this.clusterSize);
    // A zero cluster may have kept its place in the file.
    const keeps = run.kind === 'zero' && run.offset !== 0 && run.copied;
    if (keeps) this.file.require(run.offset, 1, 'a cluster of the disk');
    const { first, count } = keeps ? { first: run.offset / this.clusterSize, count: wanted } : this.refcounts.allocateSome(wanted);
    const length = Math.min(data.length, count * this.clusterSize - within);
    const start = offset - within;
    const bytes = new Uint8Array(count * this.clusterSize);
    this.#copyAround(bytes, start, within, length);
    bytes.set(data.subarray(0, length), within);
    this.#guard(first * this.clusterSize, bytes.length);
    this.file.write(first * this.clusterSize, bytes);
    this.#map(start, count, (table, index, position) => setEntry(table.view, index, (first + position) * this.clusterSize, true), keeps);
    return length;
  }

  /** Fills what new clusters hold beside the bytes written; nothing lies behind the end of the disk. */
  #copyAround(bytes: Uint8Array, start: number, within: number, length: number): void {
    if (within > 0) this.reader.read(start, bytes.subarray(0, within));
    const from = within + length, end = Math.min(bytes.length, this.size - start);
    if (from < end) this.reader.read(start + from, bytes.subarray(from, end));
  }

  /** Changes the entries of `count` clusters from `start` on, in one L2 table, and gives back what they used. */
  #map(start: number, count: number, set: (table: Table, index: number, position: number) => void, keeps = false): void {
    const table = this.#l2ForWriting(this.reader.l1Index(start));
    const first = this.reader.l2Index(start);
    for (let position = 0; position < count; position++) {
      const old = this.reader.cluster(table.view, first + position);
      set(table, first + position, position);
      if (!keeps) this.releaseCluster(old);
    }
    this.l2.changed(table);
  }

  /** Gives back what an entry used. */
  releaseCluster({ kind, offset, compressedLength }: Cluster): void {
    if (kind === 'hole' || offset === 0) return;
    const length = kind === 'compressed' ? compressedLength : this.clusterSize;
    for (let cluster = Math.floor(offset / this.clusterSize); cluster * this.clusterSize < offset + length; cluster++) this.release(cluster);
  }

  /** The L2 table of an L1 entry, made or copied if it is missing or shared. */
  #l2ForWriting(index: number): Table {
    const { l1 } = this.reader;
    const old = this.reader.l2Offset(index);
    if (old !== 0 && entryCopied(l1, index)) return this.l2.get(old);
    const offset = this.refcounts.allocate(1) * this.clusterSize;
    const table = this.l2.create(offset, old === 0 ? undefined : this.l2.get(old).bytes.slice());
    setEntry(l1, index, offset, true);
    this.changedL1(index);
    this.metadata.add(offset / this.clusterSize);
    if (old !== 0) this.release(old / this.clusterSize);
    return table;
  }

  #clear(offset: number, length: number, how: 'write' | 'zero' | 'zero-free' | 'hole' | 'keep'): void {
    if (how === 'keep') return;
    this.#beforeChange();
    for (let at = 0; at < length;) {
      const run = this.reader.run(offset + at, length - at);
      this.#clearRun(run, offset + at, run.length, how);
      at += run.length;
    }
  }

  #clearRun(run: Run, offset: number, length: number, how: 'write' | 'zero' | 'zero-free' | 'hole'): void {
    const below = this.backing !== null && offset < this.backing.size;
    if (run.kind === 'hole' && (how === 'hole' || !below)) return;
    if (run.kind === 'zero' && how === 'zero') return;
    const first = Math.ceil(offset / this.clusterSize) * this.clusterSize;
    // The last cluster of the disk may be a part of one.
    const end = offset + length === this.size ? Math.ceil(this.size / this.clusterSize) * this.clusterSize : Math.floor((offset + length) / this.clusterSize) * this.clusterSize;
    if (how === 'write' || first >= end) {
      if (run.kind !== 'zero') this.#writeZeros(offset, length);
      return;
    }
    if (first > offset && run.kind !== 'zero') this.#writeZeros(offset, first - offset);
    if (end < offset + length && run.kind !== 'zero') this.#writeZeros(end, offset + length - end);
    const keeps = how === 'zero' && run.kind === 'data' && run.copied;
    this.#map(first, (end - first) / this.clusterSize, (table, index, position) => {
      if (how === 'hole') setEntry(table.view, index, 0, false);
      else if (keeps) setEntry(table.view, index, run.offset + (Math.floor(first / this.clusterSize) - Math.floor(offset / this.clusterSize) + position) * this.clusterSize, true, true);
      else setEntry(table.view, index, 0, false, true);
    }, keeps);
  }

  #writeZeros(offset: number, length: number): void {
    inPieces(offset, length, ZEROS.length, (at, count) => this.write(at, ZEROS.subarray(0, count)));
  }
}
