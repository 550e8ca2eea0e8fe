/**
 * Entries of L1 and L2 tables: 64 bits, big endian. Source: QEMU docs/interop/qcow2.rst, "Cluster mapping".
 *
 * L1, and L2 of a standard cluster: 63 copied (reference count is 1)   55-9 offset in the file   0 reads as zeros (L2, version 3)
 * L2 with bit 62 set: compressed; the lower x = 70 - cluster bits bits are the offset in the file, those up to 61 say how
 * many sectors of 512 bytes are touched behind the first.
 */

const TWO_32 = 2 ** 32;

export type ClusterKind = 'hole' | 'data' | 'zero' | 'compressed';

/** A decoded L2 entry. */
export interface Cluster {
  readonly kind: ClusterKind;
  /** In the file; 0: none. A `zero` cluster may have one, which it keeps for later writes. */
  readonly offset: number;
  /** The host cluster belongs to this entry alone. */
  readonly copied: boolean;
  /** Bytes of compressed data, at most. */
  readonly compressedLength: number;
}

const HOLE: Cluster = { kind: 'hole', offset: 0, copied: false, compressedLength: 0 };
const SECTOR = 512;

/** The offset of an L1 entry or of a standard L2 entry; 0: none. It may be no multiple of the cluster size in a damaged image. */
export const entryOffset = (view: DataView, index: number): number =>
  (view.getUint32(index * 8) & 0x00ffffff) * TWO_32 + ((view.getUint32(index * 8 + 4) & ~511) >>> 0);

export const entryCopied = (view: DataView, index: number): boolean => (view.getUint8(index * 8) & 0x80) !== 0;

/** The entry as a number of 16 hexadecimal digits, for messages. */
export const entryText = (view: DataView, index: number): string => view.getBigUint64(index * 8).toString(16);

export function setEntry(view: DataView, index: number, offset: number, copied: boolean, zero = false): void {
  view.setUint32(index * 8, (Math.floor(offset / TWO_32) | (copied ? 0x80000000 : 0)) >>> 0);
  view.setUint32(index * 8 + 4, ((offset % TWO_32) | (zero ? 1 : 0)) >>> 0);
}

export function setCopied(view: DataView, index: number, copied: boolean): void {
  const high = view.getUint8(index * 8);
  view.setUint8(index * 8, copied ? high | 0x80 : high & 0x7f);
}

export function decodeCluster(view: DataView, index: number, clusterBits: number): Cluster {
  const high = view.getUint32(index * 8), low = view.getUint32(index * 8 + 4);
  if ((high & 0x40000000) !== 0) {
    const sectorsAt = 70 - clusterBits - 32;
    const offset = (high & ((2 ** sectorsAt) - 1)) * TWO_32 + low;
    const sectors = (high & 0x3fffffff) >>> sectorsAt;
    return { kind: 'compressed', offset, copied: false, compressedLength: (sectors + 1) * SECTOR - offset % SECTOR };
  }
  const offset = entryOffset(view, index), copied = high >>> 31 === 1;
  if ((low & 1) !== 0) return { kind: 'zero', offset, copied, compressedLength: 0 };
  return offset === 0 ? HOLE : { kind: 'data', offset, copied, compressedLength: 0 };
}

/** Compressed data of `length` bytes at `offset`; false if that is too far behind in the file to be named. */
export function setCompressed(view: DataView, index: number, clusterBits: number, offset: number, length: number): boolean {
  const sectorsAt = 70 - clusterBits - 32;
  const sectors = Math.floor((offset + length - 1) / SECTOR) - Math.floor(offset / SECTOR);
  const high = Math.floor(offset / TWO_32);
  if (high >= 2 ** sectorsAt) return false;
  view.setUint32(index * 8, (0x40000000 | (sectors << sectorsAt) | high) >>> 0);
  view.setUint32(index * 8 + 4, offset % TWO_32);
  return true;
}
