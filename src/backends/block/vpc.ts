/**
 * VHD images of Virtual PC ("vpc"), fixed and dynamic. Source: Microsoft, Virtual Hard Disk Image Format Specification 1.0.
 * Big endian. The footer is the file's last 512 bytes; a dynamic disk has a copy of it at the start:
 *
 *    0 "conectix"   8 features   12 version   16 offset of the dynamic header   24 seconds since 2000   28 creator   32 its version
 *   36 its host   40 original size   48 size   56 cylinders, heads, sectors   60 type (2 fixed, 3 dynamic, 4 differencing)
 *   64 checksum   68 uuid   84 saved state
 *
 * Dynamic header: 0 "cxsparse"   16 offset of the block table   28 its entries   32 block size   36 checksum.
 * A block is a bitmap of its sectors, padded to sectors, and the data.
 */

import { ClusterStore, HOLE } from './cluster-store.ts';
import type { ClusterMap } from './cluster-store.ts';
import { ImageError } from './error.ts';
import { HostFile } from './host-file.ts';
import { inPieces, ZEROS } from './image.ts';
import type { Extent, Image } from './image.ts';
import { randomUuid } from './vdi.ts';

const FOOTER = 512, DYNAMIC_HEADER = 1024, SECTOR = 512;
const TYPE_FIXED = 2, TYPE_DYNAMIC = 3;
const NOT_STORED = 0xffffffff;
const DEFAULT_BLOCK = 2 * 2 ** 20;
/** Sectors of the largest geometry, and of the largest disk (2040 GiB). */
const MAX_CHS = 65535 * 16 * 255, MAX_SECTORS = 0xff000000;
const MAX_BLOCK = 64 * 2 ** 20;
const MAX_TABLE_BYTES = 64 * 2 ** 20;
const EPOCH_2000 = 946684800;
/** Programs whose geometry need not be that of the size. */
const SIZE_COUNTS = /^(win |qem2|d2v |tap\0|CTXS)/;

export const isVpc = (head: Uint8Array): boolean => new TextDecoder('latin1').decode(head.subarray(0, 8)) === 'conectix';

export class VpcImage implements Image, ClusterMap {
  readonly format = 'vpc';
  readonly file: HostFile;
  readonly files: readonly HostFile[];
  readonly size: number;
  readonly clusterSize: number | null;
  readonly backing = null;
  readonly backingName = null;
  readonly backingFormat = null;
  readonly dirty = false;
  readonly #footer: DataView;
  /** null: a fixed disk. */
  readonly #store: ClusterStore | null;
  readonly #table: DataView;
  readonly #tableAt: number = 0;
  readonly #bitmapBytes: number = 0;
  readonly #blockSize: number = 0;
  readonly #dirtySectors = new Set<number>();
  /** Where the footer is, and the next block goes. */
  #end = 0;

  /** @throws ImageError */
  constructor(file: HostFile) {
    this.file = file;
    this.files = [file];
    this.#footer = readFooter(file);
    const type = this.#footer.getUint32(60);
    const disk = diskSectors(this.#footer) * SECTOR;
    this.#table = new DataView(new ArrayBuffer(0));
    if (type === TYPE_FIXED) {
      this.size = Math.min(disk, Math.floor((file.size - FOOTER) / SECTOR) * SECTOR);
      if (disk > file.size - FOOTER) throw new ImageError(file.path, 'the file is cut short: the disk does not fit in it');
      this.clusterSize = null;
      this.#store = null;
      return;
    }
    if (type !== TYPE_DYNAMIC) throw new ImageError(file.path, `a VHD image of type ${type} is not supported (fixed, dynamic)`);
    const header = new DataView(new ArrayBuffer(DYNAMIC_HEADER));
    file.readFully(Number(this.#footer.getBigUint64(16)), new Uint8Array(header.buffer), 'the dynamic header');
    if (text(header, 0, 8) !== 'cxsparse') throw new ImageError(file.path, 'the dynamic VHD header is damaged');
    const entries = header.getUint32(28);
    this.#blockSize = header.getUint32(32);
    this.#tableAt = Number(header.getBigUint64(16));
    if (!Number.isInteger(Math.log2(this.#blockSize)) || this.#blockSize < SECTOR || this.#blockSize > MAX_BLOCK) throw new ImageError(file.path, `invalid VHD block size ${this.#blockSize}`);
    if (entries * 4 > MAX_TABLE_BYTES) throw new ImageError(file.path, 'the VHD block table is too large');
    if (disk > entries * this.#blockSize) throw new ImageError(file.path, 'the VHD block table is too small for the disk');
    this.size = disk;
    this.clusterSize = this.#blockSize;
    this.#bitmapBytes = Math.ceil(this.#blockSize / SECTOR / 8 / SECTOR) * SECTOR;
    this.#table = new DataView(new ArrayBuffer(Math.ceil(entries * 4 / SECTOR) * SECTOR));
    file.readFully(this.#tableAt, new Uint8Array(this.#table.buffer, 0, entries * 4), 'the block table');
    this.#end = Math.ceil((this.#tableAt + entries * 4) / SECTOR) * SECTOR;
    for (let block = 0; block < entries; block++) {
      const sector = this.#table.getUint32(block * 4);
      if (sector !== NOT_STORED) this.#end = Math.max(this.#end, sector * SECTOR + this.#bitmapBytes + this.#blockSize);
    }
    if (!file.readOnly && this.#end > file.size) throw new ImageError(file.path, 'the file is cut short: a block of the disk lies past its end');
    // Padding is written back as it is.
    file.readPadded(this.#tableAt + entries * 4, new Uint8Array(this.#table.buffer, entries * 4));
    this.#store = new ClusterStore(file, this, this.#blockSize, this.size);
  }

  get readOnly(): boolean {
    return this.file.readOnly;
  }

  locate(block: number): number {
    const sector = this.#table.getUint32(block * 4);
    return sector === NOT_STORED ? HOLE : sector * SECTOR + this.#bitmapBytes;
  }

  place(block: number, bytes: Uint8Array): void {
    this.file.write(this.#end, new Uint8Array(this.#bitmapBytes).fill(0xff));
    this.file.write(this.#end + this.#bitmapBytes, bytes);
    this.#table.setUint32(block * 4, this.#end / SECTOR);
    this.#dirtySectors.add(Math.floor(block * 4 / SECTOR));
    this.#end += this.#bitmapBytes + bytes.length;
    this.file.write(this.#end, new Uint8Array(this.#footer.buffer));
  }

  read(offset: number, data: Uint8Array): void {
    if (this.#store === null) this.file.readFully(offset, data, 'a sector of the disk');
    else this.#store.read(offset, data);
  }

  write(offset: number, data: Uint8Array): void {
    if (this.#store === null) this.file.write(offset, data);
    else this.#store.write(offset, data);
  }

  writeZeroes(offset: number, length: number): void {
    if (this.#store !== null) this.#store.writeZeroes(offset, length);
    else inPieces(offset, length, ZEROS.length, (at, count) => this.file.write(at, ZEROS.subarray(0, count)));
  }

  discard(): void {}

  extent(offset: number): Extent {
    return this.#store === null ? { kind: 'data', length: this.size - offset, offset } : this.#store.extent(offset);
  }

  flush(): void {
    if (this.readOnly) return;
    this.file.sync();
    if (this.#dirtySectors.size === 0) return;
    for (const sector of this.#dirtySectors) this.file.write(this.#tableAt + sector * SECTOR, new Uint8Array(this.#table.buffer, sector * SECTOR, SECTOR));
    this.#dirtySectors.clear();
    this.file.sync();
  }

  close(): void {
    try {
      this.flush();
    } finally {
      this.file.close();
    }
  }
}

const text = (view: DataView, offset: number, length: number): string => new TextDecoder('latin1').decode(new Uint8Array(view.buffer, offset, length));

function readFooter(file: HostFile): DataView {
  const footer = new DataView(new ArrayBuffer(FOOTER));
  const bytes = new Uint8Array(footer.buffer);
  for (const offset of [0, file.size - FOOTER]) {
    if (offset < 0 || file.read(offset, bytes) < FOOTER || !isVpc(bytes)) continue;
    // The copy at the start belongs to a dynamic disk.
    if (offset === 0 && footer.getUint32(60) === TYPE_FIXED && file.size > FOOTER) continue;
    if (footer.getUint32(64) !== checksum(bytes, 64)) throw new ImageError(file.path, "the VHD footer's checksum is wrong");
    return footer;
  }
  throw new ImageError(file.path, 'not a VHD image, or cut short: there is no footer');
}

/** The one's complement of the sum of all bytes but the checksum's own. */
function checksum(bytes: Uint8Array, at: number): number {
  let sum = 0;
  bytes.forEach((byte, index) => {
    if (index < at || index >= at + 4) sum += byte;
  });
  return ~sum >>> 0;
}

/** Virtual PC made disks of whole cylinders and read the size from the geometry; others say which by their name. */
function diskSectors(footer: DataView): number {
  const chs = footer.getUint16(56) * footer.getUint8(58) * footer.getUint8(59);
  const size = Math.floor(Number(footer.getBigUint64(48)) / SECTOR);
  const sectors = SIZE_COUNTS.test(text(footer, 28, 4)) || chs === MAX_CHS ? size : chs;
  return Math.min(sectors, MAX_SECTORS);
}

/** Cylinders, heads and sectors for a size. Source: the specification's appendix "CHS calculation". */
function geometryFor(total: number): readonly [number, number, number] {
  const capped = Math.min(total, MAX_CHS);
  if (capped >= 65535 * 16 * 63) return [Math.floor(Math.floor(capped / 255) / 16), 16, 255];
  let sectors = 17, tracks = Math.floor(capped / 17), heads = Math.max(4, Math.floor((tracks + 1023) / 1024));
  if (tracks >= heads * 1024 || heads > 16) [sectors, heads, tracks] = [31, 16, Math.floor(capped / 31)];
  if (tracks >= heads * 1024) [sectors, heads, tracks] = [63, 16, Math.floor(capped / 63)];
  return [Math.floor(tracks / heads), heads, sectors];
}

export interface VpcCreateOptions {
  readonly fixed: boolean;
  /** The disk has the size asked for; else it grows to whole cylinders. */
  readonly forceSize: boolean;
}

/** @throws ImageError */
export function createVpc(path: string, size: number, { fixed, forceSize }: VpcCreateOptions): void {
  const asked = Math.ceil(size / SECTOR);
  if (asked > MAX_SECTORS) throw new ImageError(path, 'a VHD image has at most 2040 GiB');
  let geometry = geometryFor(forceSize ? MAX_CHS : asked);
  const sectorsOf = ([cylinders, heads, sectors]: readonly [number, number, number]): number => cylinders * heads * sectors;
  for (let more = 0; !forceSize && sectorsOf(geometry) < Math.min(asked, MAX_CHS); more++) geometry = geometryFor(asked + more);
  const total = forceSize || sectorsOf(geometry) === MAX_CHS ? asked : sectorsOf(geometry);
  const bytes = total * SECTOR;
  const footer = new DataView(new ArrayBuffer(FOOTER));
  const raw = new Uint8Array(footer.buffer);
  const put = (at: number, word: string): void => { new TextEncoder().encodeInto(word, raw.subarray(at)); };
  put(0, 'conectix');
  footer.setUint32(8, 2);
  footer.setUint32(12, 0x00010000);
  footer.setBigUint64(16, fixed ? 0xffffffffffffffffn : BigInt(FOOTER));
  footer.setUint32(24, Math.max(0, Math.floor(Date.now() / 1000) - EPOCH_2000));
  put(28, forceSize ? 'qem2' : 'qemu');
  footer.setUint32(32, 0x00050003);
  put(36, 'Wi2k');
  footer.setBigUint64(40, BigInt(bytes));
  footer.setBigUint64(48, BigInt(bytes));
  footer.setUint16(56, geometry[0]);
  footer.setUint8(58, geometry[1]);
  footer.setUint8(59, geometry[2]);
  footer.setUint32(60, fixed ? TYPE_FIXED : TYPE_DYNAMIC);
  raw.set(randomUuid(), 68);
  footer.setUint32(64, checksum(raw, 64));
  const file = new HostFile(path, { create: true });
  try {
    if (fixed) {
      file.truncate(bytes);
      file.write(bytes, raw);
    } else writeDynamic(file, raw, total);
    file.sync();
  } finally {
    file.close();
  }
}

function writeDynamic(file: HostFile, footer: Uint8Array, sectors: number): void {
  const entries = Math.ceil(sectors * SECTOR / DEFAULT_BLOCK);
  const tableAt = FOOTER + DYNAMIC_HEADER, table = new Uint8Array(Math.ceil(entries * 4 / SECTOR) * SECTOR).fill(0xff);
  const header = new DataView(new ArrayBuffer(DYNAMIC_HEADER));
  const raw = new Uint8Array(header.buffer);
  new TextEncoder().encodeInto('cxsparse', raw);
  header.setBigUint64(8, 0xffffffffffffffffn);
  header.setBigUint64(16, BigInt(tableAt));
  header.setUint32(24, 0x00010000);
  header.setUint32(28, entries);
  header.setUint32(32, DEFAULT_BLOCK);
  header.setUint32(36, checksum(raw, 36));
  file.write(0, footer);
  file.write(FOOTER, raw);
  file.write(tableAt, table);
  file.write(tableAt + table.length, footer);
}
