/**
 * Internal snapshots: a copy of the L1 table, with all that it reaches counted once more.
 * Source: QEMU docs/interop/qcow2.rst, "Snapshots".
 */

import { ImageError } from '../error.ts';
import type { Extent, Image, Snapshot, SnapshotStore } from '../image.ts';
import { entryOffset, setCopied } from './entries.ts';
import { clustersOf } from './metadata.ts';
import type { Qcow2Image } from './qcow2.ts';
import { Qcow2Reader } from './reader.ts';
import { encodeSnapshots, readSnapshots } from './snapshot-table.ts';
import type { Qcow2Snapshot } from './snapshot-table.ts';

const HEADER_SNAPSHOTS = 60;

export class Qcow2Snapshots implements SnapshotStore {
  readonly #image: Qcow2Image;

  constructor(image: Qcow2Image) {
    this.#image = image;
  }

  list(): Qcow2Snapshot[] {
    return readSnapshots(this.#image.file, this.#image.header).snapshots;
  }

  create(name: string, date: Date): void {
    const { header, reader, refcounts, clusterSize, file } = this.#image;
    const all = this.list();
    this.#count(reader.l1);
    for (let index = 0; index < header.l1Entries; index++) if (entryOffset(reader.l1, index) !== 0) this.#markL1(index, false);
    this.#markClusters(() => false);
    const l1 = new Uint8Array(reader.l1.buffer.slice(0));
    const clusters = Math.ceil(l1.length / clusterSize);
    const l1Offset = clusters === 0 ? 0 : refcounts.allocate(clusters) * clusterSize;
    if (clusters > 0) file.write(l1Offset, l1);
    for (const cluster of clustersOf(l1Offset, l1.length, clusterSize)) this.#image.metadata.add(cluster);
    this.#image.flush();
    const milliseconds = date.getTime();
    const id = String(Math.max(0, ...all.map((one) => Number.parseInt(one.id, 10) || 0)) + 1);
    this.#replaceTable([...all, {
      id, name, l1Offset, l1Entries: header.l1Entries, seconds: Math.floor(milliseconds / 1000), nanoseconds: milliseconds % 1000 * 1e6,
      clock: 0n, stateSize: 0, icount: 0n, diskSize: header.size, unknown: new Uint8Array(0),
    }]);
  }

  apply(name: string): void {
    const snapshot = this.#find(name);
    const { header, reader } = this.#image;
    const l1 = this.#l1Of(snapshot);
    this.#count(l1);
    for (let index = 0; index < snapshot.l1Entries; index++) setCopied(l1, index, false);
    const old = reader.l1;
    const before = [...this.#references(old)];
    this.#image.replaceL1(l1);
    header.size = snapshot.diskSize;
    const size = new DataView(new ArrayBuffer(8));
    size.setBigUint64(0, BigInt(snapshot.diskSize));
    this.#image.file.write(24, new Uint8Array(size.buffer));
    for (const cluster of before) this.#image.release(cluster);
    this.#image.flush();
    this.#updateCopied();
  }

  delete(name: string): void {
    const snapshot = this.#find(name);
    const { clusterSize } = this.#image;
    const references = [...this.#references(this.#l1Of(snapshot))];
    this.#replaceTable(this.list().filter(({ id }) => id !== snapshot.id));
    for (const cluster of references) this.#image.release(cluster);
    for (const cluster of clustersOf(snapshot.l1Offset, snapshot.l1Entries * 8, clusterSize)) this.#image.release(cluster);
    this.#image.flush();
    this.#updateCopied();
  }

  open(name: string): Image {
    return new SnapshotView(this.#image, this.#find(name), this.#l1Of(this.#find(name)));
  }

  #find(name: string): Qcow2Snapshot {
    const all = this.list();
    const found = all.find(({ id }) => id === name) ?? all.find((one) => one.name === name);
    if (found === undefined) throw new ImageError(this.#image.file.path, `no snapshot '${name}'`);
    return found;
  }

  #l1Of({ l1Offset, l1Entries }: Qcow2Snapshot): DataView {
    const bytes = new Uint8Array(l1Entries * 8);
    this.#image.file.readFully(l1Offset, bytes, "a snapshot's L1 table");
    return new DataView(bytes.buffer);
  }

  /** The host cluster of each reference in the tables of an L1 table, tables included. */
  *#references(l1: DataView): Generator<number> {
    const { clusterSize, l2, reader } = this.#image;
    for (let index = 0; index < l1.byteLength / 8; index++) {
      const offset = entryOffset(l1, index);
      if (offset === 0) continue;
      if (offset % clusterSize !== 0) this.#image.corrupted(`L2 table offset 0x${offset.toString(16)} unaligned`);
      yield offset / clusterSize;
      for (let entry = 0; entry < clusterSize / 8; entry++) {
        const cluster = reader.cluster(l2.get(offset).view, entry);
        if (cluster.kind === 'hole' || cluster.offset === 0) continue;
        yield* clustersOf(cluster.offset, cluster.kind === 'compressed' ? cluster.compressedLength : clusterSize, clusterSize);
      }
    }
  }

  /** Counts all references once more; none of them if one cannot be counted. */
  #count(l1: DataView): void {
    const { refcounts } = this.#image;
    this.#image.writeMetadata();
    let counted = 0;
    try {
      for (const cluster of this.#references(l1)) {
        refcounts.add(cluster, 1);
        counted++;
      }
    } catch (error) {
      for (const cluster of this.#references(l1)) {
        if (counted-- === 0) break;
        refcounts.add(cluster, -1);
      }
      throw error;
    }
  }

  #markL1(index: number, copied: boolean): void {
    setCopied(this.#image.reader.l1, index, copied);
    this.#image.changedL1(index);
  }

  /** Sets the copied flag of all clusters of the active tables. */
  #markClusters(copied: (cluster: number) => boolean): void {
    const { clusterSize, l2, reader, header } = this.#image;
    for (let index = 0; index < header.l1Entries; index++) {
      const offset = reader.l2Offset(index);
      if (offset === 0) continue;
      for (let entry = 0; entry < clusterSize / 8; entry++) {
        const table = l2.get(offset);
        const cluster = reader.cluster(table.view, entry);
        if (cluster.kind === 'compressed' || cluster.offset === 0) continue;
        const alone = copied(cluster.offset / clusterSize);
        if (alone === cluster.copied) continue;
        // Reference counts may have been looked up in between.
        const again = l2.get(offset);
        setCopied(again.view, entry, alone);
        l2.changed(again);
      }
    }
  }

  /** Copied flags follow from the counts. */
  #updateCopied(): void {
    const { reader, refcounts, header, clusterSize } = this.#image;
    this.#markClusters((cluster) => refcounts.get(cluster) === 1);
    for (let index = 0; index < header.l1Entries; index++) {
      const offset = reader.l2Offset(index);
      if (offset !== 0) this.#markL1(index, refcounts.get(offset / clusterSize) === 1);
    }
    this.#image.flush();
  }

  /** Writes another snapshot table and makes it the one that counts. */
  #replaceTable(snapshots: readonly Qcow2Snapshot[]): void {
    const { file, header, refcounts, clusterSize, metadata } = this.#image;
    const { length: oldLength } = readSnapshots(file, header);
    const oldOffset = header.snapshotsOffset;
    const bytes = encodeSnapshots(snapshots);
    const offset = bytes.length === 0 ? 0 : refcounts.allocate(Math.ceil(bytes.length / clusterSize)) * clusterSize;
    if (bytes.length > 0) file.write(offset, bytes);
    this.#image.flush();
    const fields = new DataView(new ArrayBuffer(12));
    fields.setUint32(0, snapshots.length);
    fields.setBigUint64(4, BigInt(offset));
    file.write(HEADER_SNAPSHOTS, new Uint8Array(fields.buffer));
    file.sync();
    header.snapshots = snapshots.length;
    header.snapshotsOffset = offset;
    for (const cluster of clustersOf(offset, bytes.length, clusterSize)) metadata.add(cluster);
    for (const cluster of clustersOf(oldOffset, oldLength, clusterSize)) this.#image.release(cluster);
    this.#image.flush();
  }
}

/** A snapshot's disk, to read. It is of use as long as its image is open. */
class SnapshotView implements Image {
  readonly format = 'qcow2';
  readonly readOnly = true;
  readonly dirty = false;
  readonly size: number;
  readonly clusterSize: number;
  readonly backing: Image | null;
  readonly backingName: string | null;
  readonly backingFormat: string | null;
  readonly file;
  readonly files;
  readonly snapshot: Snapshot;
  readonly #reader: Qcow2Reader;

  constructor(image: Qcow2Image, snapshot: Qcow2Snapshot, l1: DataView) {
    const { file, header, l2, backing } = image;
    this.file = file;
    this.files = [file];
    this.backing = backing;
    this.backingName = image.backingName;
    this.backingFormat = image.backingFormat;
    this.clusterSize = image.clusterSize;
    this.snapshot = snapshot;
    this.size = Math.min(snapshot.diskSize, l1.byteLength / 8 * (image.clusterSize / 8) * image.clusterSize);
    this.#reader = new Qcow2Reader({ file, header, l2, backing, corrupt: (reason) => image.corrupted(reason) }, l1, () => this.size);
  }

  read(offset: number, data: Uint8Array): void {
    this.#reader.read(offset, data);
  }

  extent(offset: number): Extent {
    return this.#reader.extent(offset);
  }

  write(): void {
    throw new ImageError(this.file.path, 'a snapshot is read-only');
  }

  writeZeroes(): void {
    this.write();
  }

  discard(): void {
    this.write();
  }

  flush(): void {}

  close(): void {}
}
