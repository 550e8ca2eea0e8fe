/**
 * Check of a qcow2 image: all references are counted from the tables and compared with the reference counts in the file.
 * The messages are in the words of `qemu-img check`. Source: QEMU docs/interop/qcow2.rst; qemu-img(1).
 */

import type { CheckResult, Repair } from '../image.ts';
import { bitmapReferences } from './bitmaps.ts';
import { decodeCluster, entryCopied, entryOffset, entryText, setCopied } from './entries.ts';
import { INCOMPATIBLE_CORRUPT } from './header.ts';
import type { Qcow2Image } from './qcow2.ts';
import { rebuildRefcounts } from './rebuild.ts';
import { readSnapshots } from './snapshot-table.ts';
import type { Table } from '../table-cache.ts';

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Checks an image, and mends its reference counts and flags. */
export function checkImage(image: Qcow2Image, repair: Repair): CheckResult {
  return new Check(image, repair).run();
}

class Check {
  readonly #image: Qcow2Image;
  readonly #repair: Repair;
  readonly #result: CheckResult = { messages: [], corruptions: 0, leaks: 0, errors: 0, corruptionsFixed: 0, leaksFixed: 0 };
  /** References found, by host cluster. */
  readonly #references: Uint32Array;
  readonly #clusterSize: number;
  /** The counts cannot be mended where they are. */
  #rebuild = false;
  #unreadable = false;

  constructor(image: Qcow2Image, repair: Repair) {
    this.#image = image;
    this.#repair = repair;
    this.#clusterSize = image.clusterSize;
    this.#references = new Uint32Array(Math.ceil(image.file.size / this.#clusterSize));
  }

  run(): CheckResult {
    const { file, header, reader, refcounts } = this.#image;
    this.#count(0, this.#clusterSize);
    this.#tables(reader.l1, header.l1Offset, true);
    this.#snapshots();
    this.#count(header.refcountTableOffset, header.refcountTableClusters * this.#clusterSize);
    refcounts.blocks.forEach((offset, index) => this.#block(offset, index));
    for (const { offset, length } of bitmapReferences(file, header, (message) => this.#corruption(message))) this.#count(offset, length);
    this.#compare();
    if (this.#result.errors === 0 && !this.#unreadable) this.#copiedFlags();
    if (this.#repair !== 'none' && !this.#image.readOnly) {
      this.#image.refcounts.cache.write();
      this.#image.flush();
      if (this.#repair === 'all' && this.#result.corruptions === 0 && this.#result.errors === 0) this.#image.clearFeature(INCOMPATIBLE_CORRUPT);
    }
    return this.#result;
  }

  #corruption(message: string): void {
    this.#result.messages.push(message);
    this.#result.corruptions++;
  }

  #count(offset: number, length: number): void {
    if (length <= 0) return;
    if (offset + length - this.#image.file.size >= this.#clusterSize || !Number.isSafeInteger(offset)) {
      this.#corruption(`ERROR: counting reference for region exceeding the end of the file by one cluster or more: offset ${hex(offset)} size ${hex(length)}`);
      return;
    }
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++) this.#references[cluster]!++;
  }

  /** All that an L1 table reaches, the table included. */
  #tables(l1: DataView, l1Offset: number, active: boolean): void {
    const { header } = this.#image;
    this.#count(l1Offset, l1.byteLength);
    const clusters = { total: Math.ceil(header.size / this.#clusterSize), allocated: 0, fragmented: 0, compressed: 0 };
    for (let index = 0; index < l1.byteLength / 8; index++) {
      const offset = entryOffset(l1, index);
      if (offset === 0) continue;
      this.#count(offset, this.#clusterSize);
      if (offset % this.#clusterSize !== 0) {
        this.#corruption(`ERROR l2_offset=${hex(offset)}: Table is not cluster aligned; L1 entry corrupted`);
        continue;
      }
      const table = this.#table(offset);
      if (table !== null) this.#entries(table, clusters);
    }
    if (active) this.#result.clusters = clusters;
  }

  #table(offset: number): Table | null {
    try {
      return this.#image.l2.get(offset);
    } catch (error) {
      this.#result.messages.push(`ERROR: ${(error as Error).message}`);
      this.#result.errors++;
      this.#unreadable = true;
      return null;
    }
  }

  #entries({ view }: Table, clusters: { allocated: number; fragmented: number; compressed: number }): void {
    const { clusterBits } = this.#image.header;
    let next = 0;
    for (let index = 0; index < this.#clusterSize / 8; index++) {
      const { kind, offset, compressedLength } = decodeCluster(view, index, clusterBits);
      if (kind === 'hole' || (kind === 'zero' && offset === 0)) continue;
      if (kind === 'compressed') {
        if (entryCopied(view, index)) this.#corruption(`ERROR: coffset=${hex(offset)}: copied flag must never be set for compressed clusters`);
        this.#count(offset, compressedLength);
        clusters.allocated++;
        clusters.compressed++;
        // Compressed clusters are fragmented by nature.
        clusters.fragmented++;
        continue;
      }
      clusters.allocated++;
      if (next !== 0 && offset !== next) clusters.fragmented++;
      next = offset + this.#clusterSize;
      if (offset % this.#clusterSize !== 0) this.#corruption(`ERROR offset=${offset.toString(16)}: Cluster is not properly aligned; L2 entry corrupted.`);
      this.#count(offset, this.#clusterSize);
    }
  }

  #snapshots(): void {
    const { file, header } = this.#image;
    if (header.snapshots === 0) return;
    try {
      const { snapshots, length } = readSnapshots(file, header);
      for (const { name, l1Offset, l1Entries } of snapshots) {
        if (l1Offset % this.#clusterSize !== 0) {
          this.#corruption(`ERROR snapshot ${name}: L1 table is not cluster aligned; snapshot table entry corrupted`);
          continue;
        }
        const l1 = new Uint8Array(l1Entries * 8);
        file.readFully(l1Offset, l1, `the L1 table of snapshot ${name}`);
        this.#tables(new DataView(l1.buffer), l1Offset, false);
      }
      this.#count(header.snapshotsOffset, length);
    } catch (error) {
      this.#corruption(`ERROR ${(error as Error).message}`);
      this.#unreadable = true;
    }
  }

  #block(offset: number, index: number): void {
    if (offset === 0) return;
    if (offset % this.#clusterSize !== 0) {
      this.#corruption(`ERROR refcount block ${index} is not cluster aligned; refcount table entry corrupted`);
      this.#rebuild = true;
    } else if (offset >= this.#image.file.size) {
      this.#corruption(`ERROR refcount block ${index} is outside image`);
      this.#rebuild = true;
    } else {
      this.#count(offset, this.#clusterSize);
      const count = this.#references[offset / this.#clusterSize]!;
      if (count === 1) return;
      this.#corruption(`ERROR refcount block ${index} refcount=${count}`);
      this.#rebuild = true;
    }
  }

  /** Compares with the counts in the file, and mends those. */
  #compare(): void {
    const { refcounts } = this.#image;
    const before = this.#result.corruptions;
    let end = 0;
    const wrong: number[] = [];
    for (let cluster = 0; cluster < this.#references.length; cluster++) {
      const count = this.#storedCount(cluster), expected = this.#references[cluster]!;
      if (count > 0 || expected > 0) end = cluster + 1;
      if (count === expected) continue;
      const fixable = !this.#image.readOnly && !this.#unreadable && (count > expected ? this.#repair !== 'none' : this.#repair === 'all');
      const inPlace = fixable && !this.#rebuild && (refcounts.blocks[Math.floor(cluster / refcounts.perBlock)] ?? 0) !== 0;
      const word = inPlace ? 'Repairing' : count < expected ? 'ERROR' : 'Leaked';
      this.#result.messages.push(`${word} cluster ${cluster} refcount=${count} reference=${expected}`);
      if (inPlace) {
        wrong.push(cluster);
        if (count < expected) this.#result.corruptionsFixed++;
        else this.#result.leaksFixed++;
        continue;
      }
      if (fixable && count < expected) this.#rebuild = true;
      if (count < expected) this.#result.corruptions++;
      else this.#result.leaks++;
    }
    this.#result.end = end * this.#clusterSize;
    for (const cluster of wrong) refcounts.set(cluster, this.#references[cluster]!);
    if (!this.#rebuild || this.#repair !== 'all' || this.#image.readOnly || this.#unreadable) return;
    this.#result.messages.push('Rebuilding refcount structure');
    rebuildRefcounts(this.#image, this.#references);
    this.#result.corruptionsFixed += this.#result.corruptions - before;
    this.#result.leaksFixed += this.#result.leaks;
    this.#result.corruptions = before;
    this.#result.leaks = 0;
  }

  #storedCount(cluster: number): number {
    try {
      return this.#image.refcounts.get(cluster);
    } catch {
      this.#rebuild = true;
      return 0;
    }
  }

  /** The copied flag says that the count is 1. */
  #copiedFlags(): void {
    const { reader, l2, header, refcounts } = this.#image;
    const mends = this.#repair === 'all' && !this.#image.readOnly;
    const found = (what: string, mend: () => void): void => {
      this.#result.messages.push(`${mends ? 'Repairing' : 'ERROR'} ${what}`);
      if (!mends) this.#result.corruptions++;
      else {
        mend();
        this.#result.corruptionsFixed++;
      }
    };
    for (let index = 0; index < header.l1Entries; index++) {
      const offset = entryOffset(reader.l1, index);
      if (offset === 0 || offset % this.#clusterSize !== 0 || offset >= this.#image.file.size) continue;
      const count = refcounts.get(offset / this.#clusterSize);
      if (entryCopied(reader.l1, index) !== (count === 1)) {
        found(`OFLAG_COPIED L2 cluster: l1_index=${index} l1_entry=${entryText(reader.l1, index)} refcount=${count}`, () => {
          setCopied(reader.l1, index, count === 1);
          this.#image.changedL1(index);
        });
      }
      for (let entry = 0; entry < this.#clusterSize / 8; entry++) {
        const table = l2.get(offset);
        const cluster = decodeCluster(table.view, entry, header.clusterBits);
        if (cluster.kind === 'compressed' || cluster.offset === 0 || cluster.offset % this.#clusterSize !== 0 || cluster.offset >= this.#image.file.size) continue;
        const shared = refcounts.get(cluster.offset / this.#clusterSize);
        if (cluster.copied === (shared === 1)) continue;
        found(`OFLAG_COPIED data cluster: l2_entry=${entryText(table.view, entry)} refcount=${shared}`, () => {
          setCopied(table.view, entry, shared === 1);
          l2.changed(table);
        });
      }
    }
  }
}
