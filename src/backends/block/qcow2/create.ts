/** New qcow2 images: header, reference count table, one block of counts; the L1 table comes by growing from nothing. */

import { HostFile } from '../host-file.ts';
import { ImageError } from '../error.ts';
import {
  COMPATIBLE_LAZY_REFCOUNTS, COMPRESSION_ZLIB, COMPRESSION_ZSTD, encodeHeader, INCOMPATIBLE_COMPRESSION, l1EntriesFor, MAX_CLUSTER_BITS, MAX_L1_BYTES, MIN_CLUSTER_BITS,
} from './header.ts';
import type { Qcow2Header } from './header.ts';
import { zstdSupported } from './compression.ts';
import { Qcow2Image } from './qcow2.ts';
import { writeCount } from './refcounts.ts';

export interface Qcow2CreateOptions {
  readonly version: 2 | 3;
  readonly clusterSize: number;
  readonly refcountBits: number;
  readonly lazyRefcounts: boolean;
  readonly compression: 'zlib' | 'zstd';
  readonly backingName: string | null;
  readonly backingFormat: string | null;
  readonly preallocation: 'off' | 'metadata' | 'falloc' | 'full';
}

/** What is wrong with the options, or null. Called before anything is made. */
export function qcow2Problem(size: number, options: Qcow2CreateOptions): string | null {
  const { version, clusterSize, refcountBits, lazyRefcounts, compression, backingName, preallocation } = options;
  const bits = Math.log2(clusterSize), order = Math.log2(refcountBits);
  if (!Number.isInteger(bits) || bits < MIN_CLUSTER_BITS || bits > MAX_CLUSTER_BITS) {
    return `Cluster size must be a power of two between ${2 ** MIN_CLUSTER_BITS} and ${2 ** (MAX_CLUSTER_BITS - 10)}k`;
  }
  if (!Number.isInteger(order) || order < 0 || order > 6) return 'Refcount width must be a power of two and may not exceed 64 bits';
  if (version === 2 && order !== 4) return 'Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)';
  if (version === 2 && lazyRefcounts) return 'Lazy refcounts only supported with compatibility level 1.1 and above (use version=v3 or greater)';
  if (version === 2 && compression !== 'zlib') return 'Non-zlib compression type is only supported with compatibility level 1.1 and above (use version=v3 or greater)';
  if (compression === 'zstd' && !zstdSupported()) return 'Compression type zstd needs Node 22.15 or later';
  if (backingName !== null && preallocation !== 'off') return 'Backing file and preallocation cannot be used at the same time';
  if (l1EntriesFor(size, bits) * 8 > MAX_L1_BYTES) return 'The image size is too large (try using a larger cluster size)';
  return null;
}

/** @throws ImageError */
export function createQcow2(path: string, size: number, options: Qcow2CreateOptions): void {
  const { version, clusterSize, refcountBits } = options;
  const header: Qcow2Header = {
    version, clusterBits: Math.log2(clusterSize), size: 0, l1Entries: 0, l1Offset: 0, refcountTableOffset: clusterSize, refcountTableClusters: 1,
    snapshots: 0, snapshotsOffset: 0, incompatible: options.compression === 'zstd' ? INCOMPATIBLE_COMPRESSION : 0n,
    compatible: options.lazyRefcounts ? COMPATIBLE_LAZY_REFCOUNTS : 0n, autoclear: 0n, refcountOrder: Math.log2(refcountBits),
    compression: options.compression === 'zstd' ? COMPRESSION_ZSTD : COMPRESSION_ZLIB, backingName: options.backingName,
    backingFormat: options.backingFormat, extensions: [],
  };
  const first = encodeHeader(path, header);
  const file = new HostFile(path, { create: true });
  // Nothing is lost if the host ends in the middle: there is no image yet.
  file.unsafe = true;
  try {
    const table = new Uint8Array(clusterSize), block = new Uint8Array(clusterSize);
    new DataView(table.buffer).setBigUint64(0, BigInt(2 * clusterSize));
    for (const cluster of [0, 1, 2]) writeCount(new DataView(block.buffer), cluster, header.refcountOrder, 1);
    file.write(0, first);
    file.write(clusterSize, table);
    file.write(2 * clusterSize, block);
    const image = new Qcow2Image(file, null, header);
    if (size > 0) image.resize(size);
    if (options.preallocation !== 'off') image.preallocate(options.preallocation === 'metadata');
    image.flush();
    image.close();
  } catch (error) {
    file.close();
    throw error instanceof ImageError ? error : new ImageError(path, String(error));
  }
}
