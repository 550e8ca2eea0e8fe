/**
 * QED images. Source: QEMU docs/interop/qed_spec.rst. Little endian:
 *
 *    0 "QED\0"   4 cluster size   8 clusters of a table   12 clusters of the header   16 features   24 compatible features
 *   32 autoclear features   40 offset of the L1 table   48 disk size   56 offset of the backing name   60 its length
 *
 * L1 and L2 entries are 64-bit offsets in the file: 0 not stored, 1 (L2) zeros. New clusters go to the end of the file.
 */

import { ClusterStore, HOLE, ZERO } from './cluster-store.ts';
import type { ClusterMap } from './cluster-store.ts';
import { ImageError } from './error.ts';
import { HostFile } from './host-file.ts';
import type { CheckResult, Extent, Image } from './image.ts';
import { TableCache } from './table-cache.ts';

export const QED_MAGIC = 0x00444551;
const FEATURE_BACKING = 1n, FEATURE_NEED_CHECK = 2n, FEATURE_RAW_BACKING = 4n;
const HEADER = 64, MAX_NAME = 1023;
const CACHE_BYTES = 8 * 2 ** 20;

export interface QedHeader {
  readonly clusterSize: number;
  readonly tableClusters: number;
  readonly headerClusters: number;
  features: bigint;
  readonly autoclear: bigint;
  readonly l1Offset: number;
  size: number;
  readonly backingName: string | null;
}

const powerOfTwo = (value: number, least: number, most: number): boolean => value >= least && value <= most && Number.isInteger(Math.log2(value));

/** @throws ImageError */
export function readQedHeader(file: HostFile): QedHeader {
  const view = new DataView(new ArrayBuffer(HEADER));
  file.readFully(0, new Uint8Array(view.buffer), 'the QED header');
  const fail = (reason: string): never => {
    throw new ImageError(file.path, reason);
  };
  if (view.getUint32(0, true) !== QED_MAGIC) fail('not a QED image');
  const clusterSize = view.getUint32(4, true), tableClusters = view.getUint32(8, true), headerClusters = view.getUint32(12, true);
  const features = view.getBigUint64(16, true);
  const unknown = features & ~(FEATURE_BACKING | FEATURE_NEED_CHECK | FEATURE_RAW_BACKING);
  if (unknown !== 0n) fail(`unsupported QED features: 0x${unknown.toString(16)}`);
  if (!powerOfTwo(clusterSize, 4096, 2 ** 26)) fail(`invalid QED cluster size ${clusterSize}`);
  if (!powerOfTwo(tableClusters, 1, 16)) fail(`invalid QED table size ${tableClusters}`);
  if (headerClusters === 0 || headerClusters > 2 ** 31 / clusterSize) fail('invalid QED header size');
  const l1Offset = Number(view.getBigUint64(40, true)), size = Number(view.getBigUint64(48, true));
  if (l1Offset === 0 || l1Offset % clusterSize !== 0 || l1Offset < headerClusters * clusterSize) fail('invalid L1 table offset');
  if (size % 512 !== 0 || size > (tableClusters * clusterSize / 8) ** 2 * clusterSize || !Number.isSafeInteger(size)) fail('invalid QED disk size');
  let backingName: string | null = null;
  if ((features & FEATURE_BACKING) !== 0n) {
    const at = view.getUint32(56, true), length = view.getUint32(60, true);
    if (length > MAX_NAME || at + length > headerClusters * clusterSize) fail('the name of the backing file does not lie in the header');
    const name = new Uint8Array(length);
    file.readFully(at, name, 'the name of the backing file');
    backingName = new TextDecoder().decode(name);
  }
  return { clusterSize, tableClusters, headerClusters, features, autoclear: view.getBigUint64(32, true), l1Offset, size, backingName };
}

/** The backing image must not be probed. */
export const qedBackingIsRaw = ({ features }: QedHeader): boolean => (features & FEATURE_RAW_BACKING) !== 0n;

export class QedImage implements Image, ClusterMap {
  readonly format = 'qed';
  readonly file: HostFile;
  readonly files: readonly HostFile[];
  readonly clusterSize: number;
  readonly backing: Image | null;
  readonly #header: QedHeader;
  readonly #perTable: number;
  readonly #l1: DataView;
  readonly #l2: TableCache;
  #store: ClusterStore;
  #dirtyL1 = false;

  /** @throws ImageError */
  constructor(file: HostFile, backing: Image | null, header: QedHeader = readQedHeader(file)) {
    this.file = file;
    this.files = [file];
    this.backing = backing;
    this.#header = header;
    this.clusterSize = header.clusterSize;
    const tableBytes = header.tableClusters * header.clusterSize;
    this.#perTable = tableBytes / 8;
    file.require(header.l1Offset, tableBytes, 'the L1 table');
    this.#l1 = new DataView(new ArrayBuffer(tableBytes));
    file.readFully(header.l1Offset, new Uint8Array(this.#l1.buffer), 'the L1 table');
    this.#l2 = new TableCache(file, tableBytes, Math.max(4, Math.floor(CACHE_BYTES / tableBytes)), 'an L2 table', () => this.flush());
    this.#store = new ClusterStore(file, this, this.clusterSize, header.size, backing);
    if (file.readOnly) return;
    if (header.autoclear !== 0n) file.write(32, new Uint8Array(8));
    if (this.dirty && this.check().corruptions > 0) throw new ImageError(file.path, 'the image was not closed properly, and is damaged');
  }

  get size(): number {
    return this.#header.size;
  }

  get readOnly(): boolean {
    return this.file.readOnly;
  }

  get dirty(): boolean {
    return (this.#header.features & FEATURE_NEED_CHECK) !== 0n;
  }

  get backingName(): string | null {
    return this.#header.backingName;
  }

  get backingFormat(): string | null {
    return qedBackingIsRaw(this.#header) ? 'raw' : null;
  }

  locate(cluster: number): number {
    const table = this.#checked(entry(this.#l1, Math.floor(cluster / this.#perTable)), 'L2 table');
    if (table === 0) return HOLE;
    const offset = entry(this.#l2.get(table).view, cluster % this.#perTable);
    return offset === 0 ? HOLE : offset === 1 ? ZERO : this.#checked(offset, 'cluster');
  }

  place(cluster: number, bytes: Uint8Array): void {
    this.#needsCheck(true);
    const offset = this.#end();
    this.file.write(offset, bytes);
    this.#enter(cluster, offset);
  }

  zero(cluster: number): void {
    this.#needsCheck(true);
    this.#enter(cluster, 1);
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
    this.file.sync();
    if (this.#l2.dirty) {
      this.#l2.write();
      this.file.sync();
    }
    if (!this.#dirtyL1) return;
    this.file.write(this.#header.l1Offset, new Uint8Array(this.#l1.buffer));
    this.file.sync();
    this.#dirtyL1 = false;
  }

  resize(size: number): void {
    if (size < this.size) throw new ImageError(this.file.path, 'a QED image cannot shrink');
    if (size > this.#perTable ** 2 * this.clusterSize) throw new ImageError(this.file.path, 'the disk is too large for its QED tables');
    this.flush();
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, BigInt(size), true);
    this.file.write(48, new Uint8Array(field.buffer));
    this.#header.size = size;
    this.#store = new ClusterStore(this.file, this, this.clusterSize, size, this.backing);
  }

  check(): CheckResult {
    const clusters = { total: Math.ceil(this.size / this.clusterSize), allocated: 0, fragmented: 0, compressed: 0 };
    const result: CheckResult = { messages: [], corruptions: 0, leaks: 0, errors: 0, corruptionsFixed: 0, leaksFixed: 0, clusters };
    const used = new Uint8Array(Math.ceil(this.file.size / this.clusterSize));
    const use = (offset: number, count: number, what: string): boolean => {
      const first = offset / this.clusterSize;
      const wrong = offset % this.clusterSize !== 0 || first < this.#header.headerClusters || first + count > used.length
        || used.subarray(first, first + count).some((taken) => taken !== 0);
      if (wrong) {
        result.messages.push(`ERROR ${what} offset 0x${offset.toString(16)} is wrong or used twice`);
        result.corruptions++;
      } else used.fill(1, first, first + count);
      return !wrong;
    };
    used.fill(1, 0, this.#header.headerClusters);
    use(this.#header.l1Offset, this.#header.tableClusters, 'L1 table');
    let next = 0;
    for (let index = 0; index < this.#perTable; index++) {
      const table = entry(this.#l1, index);
      if (table === 0 || !use(table, this.#header.tableClusters, 'L2 table')) continue;
      const { view } = this.#l2.get(table);
      for (let at = 0; at < this.#perTable; at++) {
        const offset = entry(view, at);
        if (offset <= 1) continue;
        use(offset, 1, 'cluster');
        clusters.allocated++;
        if (next !== 0 && offset !== next) clusters.fragmented++;
        next = offset + this.clusterSize;
      }
    }
    result.leaks = used.reduce((sum, taken) => sum + (taken === 0 ? 1 : 0), 0);
    return result;
  }

  close(): void {
    try {
      if (!this.readOnly) {
        this.flush();
        this.#needsCheck(false);
      }
    } finally {
      this.file.close();
    }
  }

  #enter(cluster: number, offset: number): void {
    const index = Math.floor(cluster / this.#perTable);
    let at = this.#checked(entry(this.#l1, index), 'L2 table');
    if (at === 0) {
      at = this.#end();
      // The file grows now, so that the next cluster goes behind the table.
      const table = this.#l2.create(at);
      this.file.write(at, table.bytes);
      setEntry(this.#l1, index, at);
      this.#dirtyL1 = true;
    }
    const table = this.#l2.get(at);
    setEntry(table.view, cluster % this.#perTable, offset);
    this.#l2.changed(table);
  }

  #end(): number {
    return Math.ceil(this.file.size / this.clusterSize) * this.clusterSize;
  }

  #checked(offset: number, what: string): number {
    if (offset !== 0 && (offset % this.clusterSize !== 0 || offset < this.#header.headerClusters * this.clusterSize || !Number.isSafeInteger(offset))) {
      throw new ImageError(this.file.path, `the image is corrupt: ${what} offset 0x${offset.toString(16)}`);
    }
    return offset;
  }

  /** The bit that says that clusters may have leaked, until the image is closed. */
  #needsCheck(on: boolean): void {
    if (this.dirty === on) return;
    this.#header.features = on ? this.#header.features | FEATURE_NEED_CHECK : this.#header.features & ~FEATURE_NEED_CHECK;
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, this.#header.features, true);
    this.file.write(16, new Uint8Array(field.buffer));
    this.file.sync();
  }
}

const entry = (view: DataView, index: number): number => view.getUint32(index * 8 + 4, true) * 2 ** 32 + view.getUint32(index * 8, true);

function setEntry(view: DataView, index: number, offset: number): void {
  view.setBigUint64(index * 8, BigInt(offset), true);
}

export interface QedCreateOptions {
  readonly clusterSize: number;
  readonly tableSize: number;
  readonly backingName: string | null;
  readonly backingFormat: string | null;
}

/** What is wrong with the options, or null. */
export function qedProblem(size: number, { clusterSize, tableSize }: QedCreateOptions): string | null {
  if (!powerOfTwo(clusterSize, 4096, 2 ** 26)) return 'QED cluster size must be within range [4096, 67108864] and power of 2';
  if (!powerOfTwo(tableSize, 1, 16)) return 'QED table size must be within range [1, 16] and power of 2';
  if (size % 512 !== 0 || size > (tableSize * clusterSize / 8) ** 2 * clusterSize) return 'QED image size must be a non-zero multiple of cluster size and less than the most that its tables hold';
  return null;
}

/** @throws ImageError */
export function createQed(path: string, size: number, { clusterSize, tableSize, backingName, backingFormat }: QedCreateOptions): void {
  const header = new DataView(new ArrayBuffer(clusterSize));
  const name = new TextEncoder().encode(backingName ?? '');
  const features = (backingName === null ? 0n : FEATURE_BACKING) | (backingFormat === 'raw' ? FEATURE_RAW_BACKING : 0n);
  header.setUint32(0, QED_MAGIC, true);
  header.setUint32(4, clusterSize, true);
  header.setUint32(8, tableSize, true);
  header.setUint32(12, 1, true);
  header.setBigUint64(16, features, true);
  header.setBigUint64(40, BigInt(clusterSize), true);
  header.setBigUint64(48, BigInt(size), true);
  if (backingName !== null) {
    if (name.length > MAX_NAME) throw new ImageError(path, 'the name of the backing file is too long');
    header.setUint32(56, HEADER, true);
    header.setUint32(60, name.length, true);
    new Uint8Array(header.buffer).set(name, HEADER);
  }
  const file = new HostFile(path, { create: true });
  try {
    file.write(0, new Uint8Array(header.buffer));
    file.truncate((1 + tableSize) * clusterSize);
    file.sync();
  } finally {
    file.close();
  }
}
