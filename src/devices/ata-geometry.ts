/**
 * Cylinders, heads and sectors of a disk image, which holds none of them itself.
 * Source: ATA-2 (X3T10/948D) §7.1 for the limits; the rest is the custom of PC BIOSes and of QEMU's default.
 */

import type { BlockBackend } from './host.ts';

export interface Geometry {
  /** 1–16383. */
  readonly cylinders: number;
  /** 1–16. */
  readonly heads: number;
  /** Sectors per track, 1–63. */
  readonly sectors: number;
}

export const MAX_CYLINDERS = 16383;
export const MAX_HEADS = 16;
export const MAX_SECTORS = 63;

const PARTITION_TABLE = 0x1be;
const PARTITION_ENTRY = 16;

const capped = (capacity: number, heads: number, sectors: number): Geometry => ({
  cylinders: Math.min(MAX_CYLINDERS, Math.max(1, Math.floor(capacity / (heads * sectors)))),
  heads,
  sectors,
});

/** The first sector of an image, or null if its backend does not answer at once or fails. */
function bootSector(backend: BlockBackend): Uint8Array | null {
  const data = new Uint8Array(512);
  let read = false;
  backend.read(0, data, (error) => (read = error === undefined));
  return read ? data : null;
}

/**
 * Heads and sectors as the partition table was written with them: partitions end at the last sector of a track, so the
 * end CHS of an entry names both. An entry counts only if its end CHS and its LBA agree.
 */
function fromPartitionTable(table: Uint8Array, capacity: number): Geometry | null {
  if (table[510] !== 0x55 || table[511] !== 0xaa) return null;
  const view = new DataView(table.buffer, table.byteOffset);
  for (let at = PARTITION_TABLE; at < 510; at += PARTITION_ENTRY) {
    const length = view.getUint32(at + 12, true);
    const heads = table[at + 5] + 1;
    const sectors = table[at + 6] & 63;
    const cylinder = table[at + 7] | ((table[at + 6] & 0xc0) << 2);
    if (length === 0 || heads > MAX_HEADS || sectors === 0) continue;
    const last = view.getUint32(at + 8, true) + length - 1;
    // Cylinder 1023 is what tools write when the true one does not fit into ten bits.
    if (cylinder < 1023 && (cylinder + 1) * heads * sectors - 1 !== last) continue;
    if (Math.floor(capacity / (heads * sectors)) < 1) continue;
    return capped(capacity, heads, sectors);
  }
  return null;
}

/** The geometry that a disk image reports when its user names none: from its partition table, else 16 heads of 63 sectors. */
export function guessGeometry(backend: BlockBackend): Geometry {
  const table = bootSector(backend);
  const found = table === null ? null : fromPartitionTable(table, backend.sectors);
  return found ?? capped(backend.sectors, MAX_HEADS, MAX_SECTORS);
}
