/**
 * The header of a qcow2 image (versions 2 and 3), big endian, with its extensions. Source: QEMU docs/interop/qcow2.rst, "Header".
 *
 *     0 magic    8 backing name offset   16 its length   20 cluster bits   24 disk size   32 encryption   36 L1 entries
 *    40 L1 offset   48 refcount table offset   56 its clusters   60 snapshots   64 snapshot table offset
 *    72 incompatible, 80 compatible, 88 autoclear features   96 refcount order   100 header length   104 compression type
 */

import { ImageError } from '../error.ts';
import type { HostFile } from '../host-file.ts';

export const QCOW_MAGIC = 0x514649fb;

export const INCOMPATIBLE_DIRTY = 1n, INCOMPATIBLE_CORRUPT = 2n, INCOMPATIBLE_DATA_FILE = 4n, INCOMPATIBLE_COMPRESSION = 8n, INCOMPATIBLE_EXTENDED_L2 = 16n;
export const COMPATIBLE_LAZY_REFCOUNTS = 1n;
export const AUTOCLEAR_BITMAPS = 1n;

export const COMPRESSION_ZLIB = 0, COMPRESSION_ZSTD = 1;

const EXTENSION_END = 0, EXTENSION_BACKING_FORMAT = 0xe2792aca, EXTENSION_FEATURE_NAMES = 0x6803f857;
export const EXTENSION_BITMAPS = 0x23852875;

const V2_LENGTH = 72, V3_LENGTH = 104, FULL_LENGTH = 112;
/** Least and most: 512 bytes, 2 MiB. */
export const MIN_CLUSTER_BITS = 9, MAX_CLUSTER_BITS = 21;
/** QEMU's limits, in bytes and entries. */
export const MAX_L1_BYTES = 32 * 2 ** 20, MAX_REFCOUNT_TABLE_BYTES = 8 * 2 ** 20, MAX_SNAPSHOTS = 65536;
const MAX_BACKING_NAME = 1023;

export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

export interface Qcow2Header {
  version: 2 | 3;
  clusterBits: number;
  size: number;
  l1Entries: number;
  l1Offset: number;
  refcountTableOffset: number;
  refcountTableClusters: number;
  snapshots: number;
  snapshotsOffset: number;
  incompatible: bigint;
  compatible: bigint;
  autoclear: bigint;
  refcountOrder: number;
  compression: number;
  backingName: string | null;
  backingFormat: string | null;
  /** Extensions that only pass through. */
  extensions: readonly Extension[];
}

/** @throws ImageError for what is no header, or one that needs features that are not here */
export function readHeader(file: HostFile): Qcow2Header {
  const fixed = new Uint8Array(FULL_LENGTH);
  const present = file.read(0, fixed);
  const view = new DataView(fixed.buffer);
  const fail = (reason: string): never => {
    throw new ImageError(file.path, reason);
  };
  if (present < V2_LENGTH || view.getUint32(0) !== QCOW_MAGIC) fail('not a qcow2 image');
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) fail(`unsupported qcow2 version ${version}`);
  const clusterBits = view.getUint32(20);
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) fail(`unsupported cluster size: 2^${clusterBits}`);
  const clusterSize = 2 ** clusterBits;
  if (version === 3 && present < V3_LENGTH) fail('the qcow2 header is cut short');
  const length = version === 2 ? V2_LENGTH : view.getUint32(100);
  if (length < (version === 2 ? V2_LENGTH : V3_LENGTH)) fail('the qcow2 header is too short');
  if (length > clusterSize) fail('the qcow2 header exceeds its cluster');
  const header: Qcow2Header = {
    version: version === 2 ? 2 : 3, clusterBits,
    // A part of a sector does not count, as in QEMU.
    size: Math.floor(Number(view.getBigUint64(24)) / 512) * 512, l1Entries: view.getUint32(36), l1Offset: Number(view.getBigUint64(40)),
    refcountTableOffset: Number(view.getBigUint64(48)), refcountTableClusters: view.getUint32(56),
    snapshots: view.getUint32(60), snapshotsOffset: Number(view.getBigUint64(64)),
    incompatible: version === 2 ? 0n : view.getBigUint64(72), compatible: version === 2 ? 0n : view.getBigUint64(80),
    autoclear: version === 2 ? 0n : view.getBigUint64(88), refcountOrder: version === 2 ? 4 : view.getUint32(96),
    compression: length > V3_LENGTH && present > V3_LENGTH ? fixed[104]! : COMPRESSION_ZLIB, backingName: null, backingFormat: null, extensions: [],
  };
  readExtensions(file, header, length, Number(view.getBigUint64(8)), view.getUint32(16));
  checkFeatures(header, view.getUint32(32), fail);
  checkSizes(header, clusterSize, fail);
  return header;
}

function readExtensions(file: HostFile, header: Qcow2Header, start: number, nameOffset: number, nameLength: number): void {
  const cluster = new Uint8Array(2 ** header.clusterBits);
  const present = file.read(0, cluster);
  const view = new DataView(cluster.buffer);
  const end = nameOffset > 0 ? Math.min(nameOffset, present) : present;
  const extensions: Extension[] = [];
  for (let at = start; at + 8 <= end;) {
    const type = view.getUint32(at), length = view.getUint32(at + 4);
    if (type === EXTENSION_END) break;
    if (length > end - at - 8) throw new ImageError(file.path, 'a qcow2 header extension is too large');
    const data = cluster.slice(at + 8, at + 8 + length);
    if (type === EXTENSION_BACKING_FORMAT) header.backingFormat = new TextDecoder().decode(data);
    // Names are made anew, since they belong to the program that writes.
    else if (type !== EXTENSION_FEATURE_NAMES) extensions.push({ type, data });
    at += 8 + Math.ceil(length / 8) * 8;
  }
  header.extensions = extensions;
  if (nameOffset === 0) return;
  if (nameLength > MAX_BACKING_NAME || nameOffset + nameLength > cluster.length || nameOffset + nameLength > present) {
    throw new ImageError(file.path, 'the name of the backing file does not lie in the header');
  }
  if (nameLength > 0) header.backingName = new TextDecoder().decode(cluster.subarray(nameOffset, nameOffset + nameLength));
}

function checkFeatures(header: Qcow2Header, encryption: number, fail: (reason: string) => never): void {
  const { incompatible } = header;
  if ((incompatible & INCOMPATIBLE_DATA_FILE) !== 0n) fail('an external data file (qcow2 feature) is not supported');
  if ((incompatible & INCOMPATIBLE_EXTENDED_L2) !== 0n) fail('extended L2 entries (qcow2 feature) are not supported');
  const unknown = incompatible & ~(INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT | INCOMPATIBLE_COMPRESSION);
  if (unknown !== 0n) fail(`unsupported qcow2 feature(s): incompatible bits 0x${unknown.toString(16)}`);
  if (encryption !== 0) fail('encrypted qcow2 images are not supported');
  if (header.compression > COMPRESSION_ZSTD) fail(`unknown compression type ${header.compression}`);
  if ((header.compression !== COMPRESSION_ZLIB) !== ((incompatible & INCOMPATIBLE_COMPRESSION) !== 0n)) fail('the compression type and its feature bit disagree');
  if (header.refcountOrder > 6) fail(`unsupported reference count width: 2^${header.refcountOrder} bits`);
}

function checkSizes(header: Qcow2Header, clusterSize: number, fail: (reason: string) => never): void {
  const aligned = (offset: number): boolean => Number.isSafeInteger(offset) && offset % clusterSize === 0;
  if (!Number.isSafeInteger(header.size)) fail('the disk is too large');
  if (header.refcountTableClusters * clusterSize > MAX_REFCOUNT_TABLE_BYTES) fail('the reference count table is too large');
  if (header.refcountTableClusters === 0 || !aligned(header.refcountTableOffset) || header.refcountTableOffset === 0) fail('invalid reference count table offset or size');
  if (header.snapshots > MAX_SNAPSHOTS) fail('too many snapshots');
  if (!aligned(header.snapshotsOffset)) fail('invalid snapshot table offset');
  if (header.l1Entries * 8 > MAX_L1_BYTES) fail('the active L1 table is too large');
  if (header.l1Entries < l1EntriesFor(header.size, header.clusterBits)) fail('the L1 table is too small');
  if (!aligned(header.l1Offset) || (header.l1Entries > 0 && header.l1Offset === 0)) fail('invalid L1 table offset');
}

/** Entries of the L1 table that a disk of `size` bytes needs. */
export const l1EntriesFor = (size: number, clusterBits: number): number => Math.ceil(size / 2 ** (2 * clusterBits - 3));

/** Type (0 incompatible, 1 compatible, 2 autoclear), bit, name: so that older programs can say what they miss. */
const FEATURE_NAMES: readonly (readonly [number, number, string])[] = [
  [0, 0, 'dirty bit'], [0, 1, 'corrupt bit'], [0, 2, 'external data file'], [0, 3, 'compression type'], [0, 4, 'extended L2 entries'],
  [1, 0, 'lazy refcounts'], [2, 0, 'bitmaps'], [2, 1, 'raw external data'],
];

/** The header's cluster. @throws ImageError if it does not fit */
export function encodeHeader(path: string, header: Qcow2Header): Uint8Array {
  const cluster = new Uint8Array(2 ** header.clusterBits);
  const view = new DataView(cluster.buffer);
  const full = header.version === 3;
  view.setUint32(0, QCOW_MAGIC);
  view.setUint32(4, header.version);
  view.setUint32(20, header.clusterBits);
  view.setBigUint64(24, BigInt(header.size));
  view.setUint32(36, header.l1Entries);
  view.setBigUint64(40, BigInt(header.l1Offset));
  view.setBigUint64(48, BigInt(header.refcountTableOffset));
  view.setUint32(56, header.refcountTableClusters);
  view.setUint32(60, header.snapshots);
  view.setBigUint64(64, BigInt(header.snapshotsOffset));
  if (full) {
    view.setBigUint64(72, header.incompatible);
    view.setBigUint64(80, header.compatible);
    view.setBigUint64(88, header.autoclear);
    view.setUint32(96, header.refcountOrder);
    view.setUint32(100, FULL_LENGTH);
    cluster[104] = header.compression;
  }
  let at = full ? FULL_LENGTH : V2_LENGTH;
  const tooLong = (): never => {
    throw new ImageError(path, 'the header does not fit into a cluster (backing file name too long)');
  };
  const put = (data: Uint8Array): void => {
    if (at + data.length > cluster.length) tooLong();
    cluster.set(data, at);
    at += Math.ceil(data.length / 8) * 8;
  };
  const extension = (type: number, data: Uint8Array): void => {
    if (at + 8 > cluster.length) tooLong();
    view.setUint32(at, type);
    view.setUint32(at + 4, data.length);
    at += 8;
    put(data);
  };
  if (header.backingFormat !== null) extension(EXTENSION_BACKING_FORMAT, new TextEncoder().encode(header.backingFormat));
  // They would fill a cluster of the smallest size.
  if (full && header.clusterBits > MIN_CLUSTER_BITS) extension(EXTENSION_FEATURE_NAMES, featureNames());
  for (const { type, data } of header.extensions) extension(type, data);
  extension(EXTENSION_END, new Uint8Array(0));
  if (header.backingName !== null) {
    const name = new TextEncoder().encode(header.backingName);
    if (name.length > MAX_BACKING_NAME) tooLong();
    view.setBigUint64(8, BigInt(at));
    view.setUint32(16, name.length);
    put(name);
  }
  return cluster;
}

function featureNames(): Uint8Array {
  const table = new Uint8Array(FEATURE_NAMES.length * 48);
  FEATURE_NAMES.forEach(([type, bit, name], row) => {
    table[row * 48] = type;
    table[row * 48 + 1] = bit;
    new TextEncoder().encodeInto(name, table.subarray(row * 48 + 2, row * 48 + 48));
  });
  return table;
}
