/**
 * What an image format is for the rest: a disk of `size` bytes, and what only some formats can do. A driver is synchronous
 * and throws ImageError. Offsets and lengths are bytes of the guest's disk, within its size, and need not be whole sectors.
 */

import type { HostFile } from './host-file.ts';

/** How a stretch of the disk is stored. */
export interface Extent {
  /** Bytes from the offset asked for; the rest of the disk follows in further extents. */
  readonly length: number;
  /** `hole`: not stored here; it is as the backing image says, or zero. */
  readonly kind: 'data' | 'zero' | 'hole';
  /** Offset in the file, if the bytes are stored there one by one. */
  readonly offset?: number;
  readonly compressed?: boolean;
}

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  /** Size of the machine's saved state. */
  readonly stateSize: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Of the virtual clock. */
  readonly clock: bigint;
  /** Instructions executed; -1: unknown. */
  readonly icount: bigint;
}

export interface CheckResult {
  /** What was found, a line each. */
  readonly messages: string[];
  /** Damage, waste, and places that could not be looked at. */
  corruptions: number;
  leaks: number;
  errors: number;
  corruptionsFixed: number;
  leaksFixed: number;
  /** Clusters of the disk: all, stored, not behind their neighbour, compressed. Absent where a format does not count. */
  clusters?: { total: number; allocated: number; fragmented: number; compressed: number };
  /** Where the file could end. */
  end?: number;
}

export type Repair = 'none' | 'leaks' | 'all';

/** Values under `Format specific information` of `tcg86-img info`, by their name for people and for JSON. */
export type Details = readonly (readonly [title: string, key: string, value: DetailValue])[];
export type DetailValue = string | number | boolean | readonly (Details | string)[];

export interface Image {
  /** `raw`, `qcow2`, ... */
  readonly format: string;
  readonly file: HostFile;
  /** Of the disk. */
  readonly size: number;
  readonly readOnly: boolean;
  readonly clusterSize: number | null;
  /** What the disk is made of where this image stores nothing; its owner closes it. */
  readonly backing: Image | null;
  /** The name in the file, before it is resolved. */
  readonly backingName: string | null;
  readonly backingFormat: string | null;
  /** The image was not closed properly, and its format says so. */
  readonly dirty: boolean;
  /** All files that hold the image; `file` is the first. */
  readonly files: readonly HostFile[];
  read(offset: number, data: Uint8Array): void;
  write(offset: number, data: Uint8Array): void;
  /** Makes a stretch read as zeros, without storing them where the format can. */
  writeZeroes(offset: number, length: number): void;
  /** The guest needs this stretch no more; it reads as zeros or as it was. */
  discard(offset: number, length: number): void;
  extent(offset: number): Extent;
  /** All that was written is in the file, and survives a crash of the host. */
  flush(): void;
  close(): void;
  details?(): Details;
  /** Grows or shrinks the disk; new bytes are zeros. */
  resize?(size: number): void;
  check?(repair: Repair): CheckResult;
  /** Stores one cluster (shorter at the end of the disk) compressed. */
  writeCompressed?(offset: number, data: Uint8Array): void;
  readonly snapshots?: SnapshotStore;
}

export interface SnapshotStore {
  list(): readonly Snapshot[];
  create(name: string, date: Date): void;
  apply(name: string): void;
  delete(name: string): void;
  /** A reader of the disk as it was; it shares the image's file. */
  open(name: string): Image;
}

/** Whether all bytes are zero. */
export function isZero(data: Uint8Array): boolean {
  let at = 0;
  if ((data.byteOffset & 3) === 0) {
    const words = new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
    for (let word = 0; word < words.length; word++) if (words[word] !== 0) return false;
    at = words.length * 4;
  }
  for (; at < data.length; at++) if (data[at] !== 0) return false;
  return true;
}

/** Zeros to write from, at most this many at a time. */
export const ZEROS = new Uint8Array(65536);

/** Calls `part` for a stretch in pieces of at most `most` bytes. */
export function inPieces(offset: number, length: number, most: number, part: (offset: number, length: number) => void): void {
  for (let at = 0; at < length; at += most) part(offset + at, Math.min(most, length - at));
}

/** Reads a stretch of the backing image; past its end, and without one, there are zeros. */
export function readBacking(backing: Image | null, offset: number, data: Uint8Array): void {
  const present = backing === null ? 0 : Math.max(0, Math.min(data.length, backing.size - offset));
  if (present > 0) backing!.read(offset, data.subarray(0, present));
  data.fill(0, present);
}
