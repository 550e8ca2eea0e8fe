/**
 * VMDK images: a descriptor, and extents that are sparse, flat or zeros, in files of their own or (monolithicSparse,
 * streamOptimized) all in one file. Source: VMware, Virtual Disk Format 1.1.
 */

import { randomBytes } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { ImageError } from '../error.ts';
import { HostFile } from '../host-file.ts';
import { inPieces, isZero, ZEROS } from '../image.ts';
import type { CheckResult, Details, Extent, Image } from '../image.ts';
import { NO_PARENT, parseDescriptor, withCid } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { readSparseHeader, SECTOR, SparseExtent, VMDK_MAGIC } from './sparse.ts';
import type { SparseHeader } from './sparse.ts';

const MAX_DESCRIPTOR = 2 ** 20;
/** Types whose descriptor is a file of its own. */
const TYPES = ['monolithicFlat', 'twoGbMaxExtentFlat', 'twoGbMaxExtentSparse', 'vmfs'];
const FLAT = ['FLAT', 'VMFS'], SPARSE = ['SPARSE'];

/** What a descriptor's place is: its own file, or sectors of the sparse extent that is the file. */
export interface VmdkHead {
  readonly descriptor: Descriptor;
  readonly text: string;
  readonly textOffset: number;
  readonly textLength: number;
  /** null: the file is a descriptor. */
  readonly sparse: SparseHeader | null;
}

/** @throws ImageError */
export function readVmdkHead(file: HostFile): VmdkHead {
  const magic = new DataView(new ArrayBuffer(4));
  file.readPadded(0, new Uint8Array(magic.buffer));
  const sparse = magic.getUint32(0, true) === VMDK_MAGIC ? readSparseHeader(file) : null;
  const textOffset = sparse === null ? 0 : sparse.descriptorOffset * SECTOR;
  const textLength = sparse === null ? file.size : sparse.descriptorSectors * SECTOR;
  if (textLength > MAX_DESCRIPTOR) throw new ImageError(file.path, 'the VMDK descriptor is too long');
  const bytes = new Uint8Array(textLength);
  file.readFully(textOffset, bytes, 'the VMDK descriptor');
  const end = bytes.indexOf(0);
  const text = new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
  return { descriptor: parseDescriptor(text), text, textOffset, textLength, sparse };
}

/** The name of the parent, or null. */
export const vmdkParent = ({ descriptor }: VmdkHead): string | null => (descriptor.parentCid === NO_PARENT ? null : descriptor.parentName);

/** A part of the disk, in bytes. */
interface Part {
  readonly start: number;
  readonly size: number;
  readonly file: HostFile | null;
  readonly type: string;
  readonly sparse: SparseExtent | null;
  /** Of a flat extent, in its file. */
  readonly offset: number;
}

export class VmdkImage implements Image {
  readonly format = 'vmdk';
  readonly file: HostFile;
  readonly files: readonly HostFile[];
  readonly size: number;
  readonly clusterSize: number | null;
  readonly backing: Image | null;
  readonly dirty = false;
  readonly #head: VmdkHead;
  readonly #parts: readonly Part[];
  #cidChanged = false;

  /** @param unsafe given to the extents' files. @throws ImageError */
  constructor(file: HostFile, backing: Image | null, head: VmdkHead = readVmdkHead(file)) {
    this.file = file;
    this.backing = backing;
    this.#head = head;
    if (backing instanceof VmdkImage && backing.cid !== head.descriptor.parentCid) throw new ImageError(file.path, 'the parent image has changed since (content id)');
    const opened: HostFile[] = [];
    try {
      this.#parts = head.sparse === null ? this.#openExtents(opened) : [sparsePart(file, backing, 0, '', head.sparse)];
    } catch (error) {
      for (const extent of opened) extent.close();
      throw error;
    }
    this.files = [file, ...opened];
    this.size = this.#parts.reduce((sum, { size }) => sum + size, 0);
    this.clusterSize = this.#parts[0]!.sparse?.grainBytes ?? null;
  }

  get readOnly(): boolean {
    return this.file.readOnly;
  }

  get cid(): string {
    return this.#head.descriptor.cid;
  }

  get backingName(): string | null {
    return vmdkParent(this.#head);
  }

  get backingFormat(): string | null {
    return this.backingName === null ? null : 'vmdk';
  }

  /** Grains are compressed, one after the other: it is written by convert only. */
  get streamed(): boolean {
    return this.#parts[0]!.sparse?.compressed === true;
  }

  read(offset: number, data: Uint8Array): void {
    this.#each(offset, data.length, (part, within, at, length) => {
      const piece = data.subarray(at, at + length);
      if (part.sparse !== null) part.sparse.store.read(within, piece);
      else if (part.file === null) piece.fill(0);
      else part.file.readFully(part.offset + within, piece, 'a sector of the disk');
    });
  }

  write(offset: number, data: Uint8Array): void {
    this.#changeCid();
    this.#each(offset, data.length, (part, within, at, length) => {
      const piece = data.subarray(at, at + length);
      if (part.sparse !== null) part.sparse.store.write(within, piece);
      else if (part.file !== null) part.file.write(part.offset + within, piece);
      else if (!isZero(piece)) throw new ImageError(this.file.path, 'an extent of type ZERO cannot be written');
    });
  }

  writeZeroes(offset: number, length: number): void {
    this.#each(offset, length, ({ sparse }, within, at, count) => {
      if (sparse !== null) sparse.store.writeZeroes(within, count);
      else inPieces(offset + at, count, ZEROS.length, (from, bytes) => this.write(from, ZEROS.subarray(0, bytes)));
    });
  }

  discard(): void {}

  writeCompressed(offset: number, data: Uint8Array): void {
    const sparse = this.#parts[0]!.sparse;
    if (sparse === null || !sparse.compressed) throw new ImageError(this.file.path, 'only stream-optimized VMDK images are compressed');
    const grain = new Uint8Array(sparse.grainBytes);
    grain.set(data);
    if (!isZero(grain)) sparse.placeCompressed(offset / sparse.grainBytes, grain);
  }

  extent(offset: number): Extent {
    const part = this.#parts.find(({ start, size }) => offset < start + size)!;
    if (part.sparse !== null) return part.sparse.store.extent(offset - part.start);
    const length = part.start + part.size - offset;
    return part.file === null ? { kind: 'zero', length } : { kind: 'data', length, offset: part.offset + offset - part.start };
  }

  flush(): void {
    if (this.readOnly) return;
    for (const { sparse } of this.#parts) sparse?.flush();
    for (const file of this.files) file.sync();
  }

  check(): CheckResult {
    const result: CheckResult = { messages: [], corruptions: 0, leaks: 0, errors: 0, corruptionsFixed: 0, leaksFixed: 0 };
    for (const { sparse, file, size } of this.#parts) {
      if (sparse === null) continue;
      for (const grain of sparse.outside(Math.ceil(size / sparse.grainBytes))) {
        result.messages.push(`ERROR: grain ${grain} lies past the end of ${file!.path}`);
        result.corruptions++;
      }
    }
    return result;
  }

  details(): Details {
    const { cid, parentCid, createType } = this.#head.descriptor;
    const extents = this.#parts.map((part): Details => [
      ...(part.sparse?.compressed === true ? [['compressed', 'compressed', true] as const] : []),
      ['virtual size', 'virtual-size', part.size], ['filename', 'filename', part.file?.path ?? ''],
      ...(part.sparse === null ? [] : [['cluster size', 'cluster-size', part.sparse.grainBytes] as const]), ['format', 'format', part.type],
    ]);
    return [['cid', 'cid', Number.parseInt(cid, 16)], ['parent cid', 'parent-cid', Number.parseInt(parentCid, 16)], ['create type', 'create-type', createType], ['extents', 'extents', extents]];
  }

  close(): void {
    try {
      this.flush();
    } finally {
      for (const file of this.files) file.close();
    }
  }

  #openExtents(opened: HostFile[]): Part[] {
    const { extents, createType } = this.#head.descriptor;
    const { file } = this;
    if (!TYPES.includes(createType)) throw new ImageError(file.path, `unsupported VMDK type '${createType}'`);
    if (extents.length === 0) throw new ImageError(file.path, 'the VMDK descriptor has no extents');
    const parts: Part[] = [];
    let start = 0;
    for (const { access, sectors, type, file: name, offset } of extents) {
      if (access === 'NOACCESS') throw new ImageError(file.path, 'an extent of the VMDK image has no access');
      if (!FLAT.includes(type) && !SPARSE.includes(type) && type !== 'ZERO') throw new ImageError(file.path, `unsupported extent type ${type} (VMDK type ${createType})`);
      if (!Number.isSafeInteger((start + sectors) * SECTOR)) throw new ImageError(file.path, 'an extent of the VMDK image is too large');
      let extent: HostFile | null = null;
      if (type !== 'ZERO') {
        if (name === null || name === '') throw new ImageError(file.path, 'an extent of the VMDK image has no file name');
        extent = new HostFile(isAbsolute(name) ? name : join(dirname(file.path), name), { readOnly: file.readOnly || access === 'RDONLY' });
        extent.unsafe = file.unsafe;
        opened.push(extent);
      }
      const part = extent !== null && SPARSE.includes(type) ? sparsePart(extent, this.backing, start, type)
        : { start, size: sectors * SECTOR, file: extent, type, sparse: null, offset: offset * SECTOR };
      if (part.sparse === null && extent !== null && part.offset + part.size > extent.size) throw new ImageError(extent.path, 'the file is cut short: the extent does not fit in it');
      parts.push(part);
      start += part.size;
    }
    return parts;
  }

  #each(offset: number, length: number, call: (part: Part, within: number, at: number, length: number) => void): void {
    for (let at = 0; at < length;) {
      const part = this.#parts.find(({ start, size }) => offset + at < start + size);
      if (part === undefined) throw new ImageError(this.file.path, 'a request lies past the end of the disk');
      const within = offset + at - part.start;
      const count = Math.min(length - at, part.size - within);
      call(part, within, at, count);
      at += count;
    }
  }

  /** The content has changed: what was made on top of it must not be used any more. */
  #changeCid(): void {
    if (this.#cidChanged) return;
    this.#cidChanged = true;
    const { text, textOffset } = this.#head;
    const changed = withCid(text, randomBytes(4).toString('hex'));
    if (changed !== null) this.file.write(textOffset, new TextEncoder().encode(changed));
  }
}

function sparsePart(file: HostFile, backing: Image | null, start: number, type: string, header?: SparseHeader): Part {
  const sparse = new SparseExtent(file, backing, start, header);
  return { start, size: sparse.header.capacity * SECTOR, file, type, sparse, offset: 0 };
}
