/**
 * VDI images of VirtualBox, version 1.1, dynamic and static. Source: VirtualBox's header VDIHEADER1PLUS, as images of it show. Little endian:
 *
 *    40h signature   44h version   48h header size   4Ch type   50h flags   154h offset of the block map   158h of the data
 *   168h sector size   170h disk size (64 bits)   178h block size   17Ch extra   180h blocks   184h of them stored
 *   188h uuid   198h of the last snapshot   1A8h of the link   1B8h of the parent
 *
 * The map has 32 bits for each block: its number in the data area, FFFFFFFFh not stored, FFFFFFFEh zeros.
 */

import { randomBytes } from 'node:crypto';
import { ClusterStore, HOLE, ZERO } from './cluster-store.ts';
import type { ClusterMap } from './cluster-store.ts';
import { ImageError } from './error.ts';
import { HostFile } from './host-file.ts';
import type { CheckResult, Extent, Image } from './image.ts';

export const VDI_SIGNATURE = 0xbeda107f;
const VERSION = 0x00010001, TYPE_DYNAMIC = 1, TYPE_STATIC = 2;
const HEADER = 512, MAP_AT = 512, SECTOR = 512;
const BLOCK = 2 ** 20, MAX_BLOCKS = 0x3fffffff;
const NOT_STORED = 0xffffffff, DISCARDED = 0xfffffffe;

export class VdiImage implements Image, ClusterMap {
  readonly format = 'vdi';
  readonly file: HostFile;
  readonly files: readonly HostFile[];
  readonly size: number;
  readonly clusterSize = BLOCK;
  readonly backing = null;
  readonly backingName = null;
  readonly backingFormat = null;
  readonly dirty = false;
  readonly #map: DataView;
  readonly #blocks: number;
  readonly #mapAt: number;
  readonly #dataAt: number;
  readonly #storedInHeader: number;
  readonly #store: ClusterStore;
  readonly #dirtySectors = new Set<number>();
  /** Blocks of the data area that are in use. */
  #stored: number;

  /** @throws ImageError */
  constructor(file: HostFile) {
    this.file = file;
    this.files = [file];
    const header = new DataView(new ArrayBuffer(HEADER));
    file.readFully(0, new Uint8Array(header.buffer), 'the VDI header');
    const fail = (reason: string): never => {
      throw new ImageError(file.path, `unsupported VDI image (${reason})`);
    };
    if (header.getUint32(0x40, true) !== VDI_SIGNATURE) throw new ImageError(file.path, 'not a VDI image');
    const version = header.getUint32(0x44, true), blockSize = header.getUint32(0x178, true);
    if (version !== VERSION) fail(`version ${version >>> 16}.${version & 0xffff}`);
    this.#mapAt = header.getUint32(0x154, true);
    this.#dataAt = header.getUint32(0x158, true);
    if (this.#mapAt % SECTOR !== 0) fail(`unaligned block map offset 0x${this.#mapAt.toString(16)}`);
    if (this.#dataAt % SECTOR !== 0) fail(`unaligned data offset 0x${this.#dataAt.toString(16)}`);
    if (header.getUint32(0x168, true) !== SECTOR) fail(`sector size ${header.getUint32(0x168, true)} is not 512`);
    if (blockSize !== BLOCK) fail(`block size ${blockSize} is not ${BLOCK}`);
    if (header.getUint32(0x17c, true) !== 0) fail('extra bytes in blocks');
    const disk = Number(header.getBigUint64(0x170, true));
    this.size = Math.ceil(disk / SECTOR) * SECTOR;
    this.#blocks = header.getUint32(0x180, true);
    if (!Number.isSafeInteger(disk) || this.#blocks > MAX_BLOCKS || this.size > this.#blocks * BLOCK) fail(`disk size ${disk}, block map has size for ${this.#blocks} blocks`);
    const isNull = (at: number): boolean => new Uint8Array(header.buffer, at, 16).every((byte) => byte === 0);
    if (!isNull(0x1a8)) fail('non-NULL link UUID');
    if (!isNull(0x1b8)) fail('non-NULL parent UUID');
    if (this.#mapAt + this.#blocks * 4 > file.size) throw new ImageError(file.path, 'the file is cut short: the block map lies past its end');
    this.#map = new DataView(new ArrayBuffer(Math.ceil(this.#blocks * 4 / SECTOR) * SECTOR));
    file.readPadded(this.#mapAt, new Uint8Array(this.#map.buffer));
    this.#storedInHeader = header.getUint32(0x184, true);
    this.#stored = this.#storedInHeader;
    for (let block = 0; block < this.#blocks; block++) {
      const entry = this.#map.getUint32(block * 4, true);
      if (entry < DISCARDED) this.#stored = Math.max(this.#stored, entry + 1);
    }
    // The next block goes behind the last one: it must be known where that is.
    if (!file.readOnly && this.#stored > 0) file.require(this.#dataAt + (this.#stored - 1) * BLOCK, 1, 'a block of the disk');
    this.#store = new ClusterStore(file, this, BLOCK, this.size);
  }

  get readOnly(): boolean {
    return this.file.readOnly;
  }

  locate(block: number): number {
    const entry = this.#map.getUint32(block * 4, true);
    if (entry === NOT_STORED) return HOLE;
    return entry === DISCARDED ? ZERO : this.#dataAt + entry * BLOCK;
  }

  place(block: number, bytes: Uint8Array): void {
    this.file.write(this.#dataAt + this.#stored * BLOCK, bytes);
    this.#enter(block, this.#stored);
    this.#stored++;
  }

  read(offset: number, data: Uint8Array): void {
    this.#store.read(offset, data);
  }

  write(offset: number, data: Uint8Array): void {
    this.#store.write(offset, data);
  }

  writeZeroes(offset: number, length: number): void {
    this.#store.writeZeroes(offset, length);
  }

  discard(): void {}

  extent(offset: number): Extent {
    return this.#store.extent(offset);
  }

  flush(): void {
    if (this.readOnly) return;
    if (this.#dirtySectors.size > 0) {
      // The count first: a block may be counted and not used, never the other way.
      const count = new DataView(new ArrayBuffer(4));
      count.setUint32(0, this.#stored, true);
      this.file.write(0x184, new Uint8Array(count.buffer));
      this.file.sync();
      for (const sector of this.#dirtySectors) this.file.write(this.#mapAt + sector * SECTOR, new Uint8Array(this.#map.buffer, sector * SECTOR, SECTOR));
      this.#dirtySectors.clear();
    }
    this.file.sync();
  }

  check(): CheckResult {
    const result: CheckResult = { messages: [], corruptions: 0, leaks: 0, errors: 0, corruptionsFixed: 0, leaksFixed: 0 };
    const owner = new Map<number, number>();
    const wrong = (message: string): void => {
      result.messages.push(message);
      result.corruptions++;
    };
    let used = 0;
    for (let block = 0; block < this.#blocks; block++) {
      const entry = this.#map.getUint32(block * 4, true);
      if (entry >= DISCARDED) continue;
      used++;
      if (entry >= this.#blocks) wrong(`ERROR: block index ${block} out of range, is ${entry}`);
      else if (owner.has(entry)) wrong(`ERROR: block index ${entry} also used by ${owner.get(entry)}`);
      else if (this.#dataAt + entry * BLOCK >= this.file.size) wrong(`ERROR: block ${block} lies past the end of the file`);
      owner.set(entry, block);
    }
    const counted = this.readOnly ? this.#storedInHeader : this.#stored;
    if (used !== counted) wrong(`ERROR: allocated blocks mismatch, is ${used}, should be ${counted}`);
    return result;
  }

  close(): void {
    try {
      this.flush();
    } finally {
      this.file.close();
    }
  }

  #enter(block: number, entry: number): void {
    this.#map.setUint32(block * 4, entry, true);
    this.#dirtySectors.add(Math.floor(block * 4 / SECTOR));
  }
}

/** Makes a VDI image; `preallocate`: a static one. @throws ImageError */
export function createVdi(path: string, size: number, preallocate: boolean): void {
  const blocks = Math.ceil(size / BLOCK);
  if (blocks > MAX_BLOCKS) throw new ImageError(path, `a VDI image has at most ${MAX_BLOCKS} blocks of 1 MiB`);
  const mapBytes = Math.ceil(blocks * 4 / SECTOR) * SECTOR, dataAt = MAP_AT + mapBytes;
  const header = new DataView(new ArrayBuffer(HEADER));
  new TextEncoder().encodeInto('<<< QEMU VM Virtual Disk Image >>>\n', new Uint8Array(header.buffer));
  const fields: readonly (readonly [number, number])[] = [
    [0x40, VDI_SIGNATURE], [0x44, VERSION], [0x48, 0x180], [0x4c, preallocate ? TYPE_STATIC : TYPE_DYNAMIC], [0x154, MAP_AT], [0x158, dataAt],
    [0x168, SECTOR], [0x178, BLOCK], [0x180, blocks], [0x184, preallocate ? blocks : 0],
  ];
  for (const [at, value] of fields) header.setUint32(at, value, true);
  header.setBigUint64(0x170, BigInt(size), true);
  for (const at of [0x188, 0x198]) new Uint8Array(header.buffer).set(randomUuid(), at);
  const file = new HostFile(path, { create: true });
  try {
    file.write(0, new Uint8Array(header.buffer));
    // A map can have gigabytes: it is written in parts.
    const part = new DataView(new ArrayBuffer(65536));
    for (let at = 0; at < mapBytes; at += part.byteLength) {
      for (let entry = 0; entry < part.byteLength; entry += 4) {
        const block = (at + entry) / 4;
        part.setUint32(entry, block >= blocks ? 0 : preallocate ? block : NOT_STORED, true);
      }
      file.write(MAP_AT + at, new Uint8Array(part.buffer, 0, Math.min(part.byteLength, mapBytes - at)));
    }
    if (preallocate) file.truncate(dataAt + blocks * BLOCK);
    file.sync();
  } finally {
    file.close();
  }
}

export function randomUuid(): Uint8Array {
  const uuid = randomBytes(16);
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid;
}
