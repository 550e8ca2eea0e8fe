/**
 * A sparse extent of a VMDK image: grains, found by a directory of grain tables, with a second copy of both.
 * Source: VMware, Virtual Disk Format 1.1, "Hosted Sparse Extents" and "Stream-Optimized Compressed Sparse Extents". Little endian,
 * offsets and sizes in sectors:
 *
 *    0 "KDMV"   4 version   8 flags   12 capacity   20 grain size   28 offset and 36 size of the descriptor   44 entries of a grain table
 *   48 second directory   56 directory   64 where grains begin   72 not closed   73 LF space CR LF   77 compression (1: zlib)
 */

import zlib from 'node:zlib';
import { ClusterStore, HOLE, ZERO } from '../cluster-store.ts';
import type { ClusterMap } from '../cluster-store.ts';
import { ImageError } from '../error.ts';
import type { HostFile } from '../host-file.ts';
import type { Image } from '../image.ts';
import { TableCache } from '../table-cache.ts';

export const VMDK_MAGIC = 0x564d444b;
export const HEADER_BYTES = 512, SECTOR = 512;
export const FLAG_NEWLINES = 1, FLAG_SECOND_DIRECTORY = 2, FLAG_ZERO_GRAINS = 4, FLAG_COMPRESSED = 1 << 16, FLAG_MARKERS = 1 << 17;
const AT_END = 0xffffffffffffffffn;
const MAX_DIRECTORY_BYTES = 32 * 2 ** 20, MAX_GRAIN_SECTORS = 2 ** 12;
const CACHE_BYTES = 4 * 2 ** 20;
/** Of a compressed grain: its sector (64 bits), its length (32 bits). */
const MARKER = 12;

export interface SparseHeader {
  readonly version: number;
  readonly flags: number;
  readonly capacity: number;
  readonly grainSectors: number;
  readonly descriptorOffset: number;
  readonly descriptorSectors: number;
  readonly perTable: number;
  readonly secondDirectory: number;
  readonly directory: number;
}

/** @throws ImageError */
export function readSparseHeader(file: HostFile): SparseHeader {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const load = (offset: number): void => {
    file.readFully(offset, new Uint8Array(view.buffer), 'the header of a sparse extent');
    if (view.getUint32(0, true) !== VMDK_MAGIC) throw new ImageError(file.path, 'not a sparse VMDK extent');
  };
  load(0);
  // A stream has its directory behind the grains, named by a copy of the header there.
  if (view.getBigUint64(56, true) === AT_END) load(file.size - 1024);
  const wide = (at: number): number => Number(view.getBigUint64(at, true));
  const header: SparseHeader = {
    version: view.getUint32(4, true), flags: view.getUint32(8, true), capacity: wide(12), grainSectors: wide(20), descriptorOffset: wide(28),
    descriptorSectors: wide(36), perTable: view.getUint32(44, true), secondDirectory: wide(48), directory: wide(56),
  };
  const fail = (reason: string): never => {
    throw new ImageError(file.path, reason);
  };
  if (header.version > 3) fail(`unsupported VMDK version ${header.version}`);
  if (header.flags & FLAG_NEWLINES && new TextDecoder('latin1').decode(new Uint8Array(view.buffer, 73, 4)) !== '\n \r\n') fail('the VMDK header is damaged (by a transfer as text)');
  const { grainSectors, perTable, capacity } = header;
  if (!Number.isInteger(Math.log2(grainSectors)) || grainSectors < 1 || grainSectors > MAX_GRAIN_SECTORS) fail(`invalid VMDK grain size of ${grainSectors} sectors`);
  if (perTable === 0 || perTable > 512) fail(`invalid VMDK grain table of ${perTable} entries`);
  if (!Number.isSafeInteger(capacity * SECTOR) || !Number.isSafeInteger(header.directory * SECTOR)) fail('the VMDK header is damaged');
  if (Math.ceil(capacity / (grainSectors * perTable)) * 4 > MAX_DIRECTORY_BYTES) fail('the VMDK grain directory is too large');
  if ((header.flags & FLAG_COMPRESSED) !== 0 && view.getUint16(77, true) !== 1) fail('unknown VMDK compression');
  return header;
}

export class SparseExtent implements ClusterMap {
  readonly header: SparseHeader;
  readonly store: ClusterStore;
  readonly grainBytes: number;
  readonly #file: HostFile;
  readonly #tables: TableCache;
  readonly #directory: DataView;
  readonly #second: DataView | null;
  readonly #dirtySecond = new Map<number, number>();

  /** @param base where the extent begins on the disk, in bytes: for what the backing image has there */
  constructor(file: HostFile, backing: Image | null, base: number, header: SparseHeader = readSparseHeader(file)) {
    this.#file = file;
    this.header = header;
    this.grainBytes = header.grainSectors * SECTOR;
    const entries = Math.ceil(header.capacity / (header.grainSectors * header.perTable));
    const load = (sector: number): DataView => {
      const directory = new Uint8Array(entries * 4);
      file.readFully(sector * SECTOR, directory, 'the grain directory');
      return new DataView(directory.buffer);
    };
    this.#directory = load(header.directory);
    this.#second = (header.flags & FLAG_SECOND_DIRECTORY) !== 0 && !file.readOnly ? load(header.secondDirectory) : null;
    this.#tables = new TableCache(file, header.perTable * 4, Math.floor(CACHE_BYTES / (header.perTable * 4)), 'a grain table', () => this.flush());
    this.store = new ClusterStore(file, this, this.grainBytes, header.capacity * SECTOR, backing, base);
    if (this.compressed) this.unpack = (offset) => this.#unpack(offset);
  }

  readonly unpack?: (offset: number) => Uint8Array;

  get compressed(): boolean {
    return (this.header.flags & FLAG_COMPRESSED) !== 0;
  }

  locate(grain: number): number {
    const table = this.#tableOf(grain);
    if (table === 0) return HOLE;
    const sector = this.#tables.get(table).view.getUint32(grain % this.header.perTable * 4, true);
    if (sector === 0) return HOLE;
    return sector === 1 && (this.header.flags & FLAG_ZERO_GRAINS) !== 0 ? ZERO : sector * SECTOR;
  }

  place(grain: number, bytes: Uint8Array): void {
    if (this.compressed) throw new ImageError(this.#file.path, 'a stream-optimized image cannot be written by a guest; convert it');
    const offset = Math.ceil(this.#file.size / SECTOR) * SECTOR;
    this.#file.write(offset, bytes);
    this.#enter(grain, offset / SECTOR);
  }

  /** Appends a grain as a stream has it. */
  placeCompressed(grain: number, bytes: Uint8Array): void {
    const packed = zlib.deflateSync(bytes);
    const record = new Uint8Array(Math.ceil((MARKER + packed.length) / SECTOR) * SECTOR);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, BigInt(grain * this.header.grainSectors), true);
    view.setUint32(8, packed.length, true);
    record.set(packed, MARKER);
    const offset = Math.ceil(this.#file.size / SECTOR) * SECTOR;
    this.#file.write(offset, record);
    this.#enter(grain, offset / SECTOR);
  }

  /** Grains, of the first `count`, that lie past the end of the file; for a table that does, its first. */
  *outside(count: number): Generator<number> {
    for (let grain = 0; grain < count; grain += this.header.perTable) {
      const table = this.#tableOf(grain);
      if (table === 0) continue;
      if (table + this.header.perTable * 4 > this.#file.size) {
        yield grain;
        continue;
      }
      const { view } = this.#tables.get(table);
      for (let index = 0; index < Math.min(count - grain, this.header.perTable); index++) {
        if (view.getUint32(index * 4, true) * SECTOR >= this.#file.size) yield grain + index;
      }
    }
  }

  flush(): void {
    if (this.#file.readOnly) return;
    this.#file.sync();
    if (!this.#tables.dirty) return;
    this.#tables.write(({ offset, bytes }) => {
      const second = this.#dirtySecond.get(offset);
      if (second !== undefined) this.#file.overwrite(second, bytes, 'the copy of a grain table');
    });
    this.#dirtySecond.clear();
    this.#file.sync();
  }

  #tableOf(grain: number): number {
    return this.#directory.getUint32(Math.floor(grain / this.header.perTable) * 4, true) * SECTOR;
  }

  #enter(grain: number, sector: number): void {
    const offset = this.#tableOf(grain);
    if (offset === 0) throw new ImageError(this.#file.path, 'a grain table is missing');
    if (sector > 0xffffffff) throw new ImageError(this.#file.path, 'a VMDK extent cannot be larger than 2 TiB');
    const table = this.#tables.get(offset);
    table.view.setUint32(grain % this.header.perTable * 4, sector, true);
    this.#tables.changed(table);
    const second = (this.#second?.getUint32(Math.floor(grain / this.header.perTable) * 4, true) ?? 0) * SECTOR;
    if (second !== 0) this.#dirtySecond.set(offset, second);
  }

  #unpack(offset: number): Uint8Array {
    const marker = new DataView(new ArrayBuffer(MARKER));
    this.#file.readFully(offset, new Uint8Array(marker.buffer), 'a compressed grain');
    const length = marker.getUint32(8, true);
    if (length === 0 || length > 2 * this.grainBytes + 1024) throw new ImageError(this.#file.path, `the compressed grain at ${offset} is damaged`);
    const packed = new Uint8Array(length);
    this.#file.readFully(offset + MARKER, packed, 'a compressed grain');
    const grain = new Uint8Array(this.grainBytes);
    try {
      // The last grain of a disk may be shorter.
      grain.set(zlib.inflateSync(packed, { maxOutputLength: this.grainBytes }));
    } catch {
      throw new ImageError(this.#file.path, `the compressed grain at ${offset} is damaged`);
    }
    return grain;
  }
}
