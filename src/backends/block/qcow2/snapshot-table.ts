/**
 * The table of internal snapshots: entries one behind the other, each padded to 8 bytes. Source: QEMU docs/interop/qcow2.rst, "Snapshots".
 *
 *     0 L1 offset   8 L1 entries   12 length of the id   14 of the name   16 seconds   20 nanoseconds   24 virtual clock
 *    32 size of the machine's state   36 length of extra data   40 extra data, id, name
 */

import { ImageError } from '../error.ts';
import type { HostFile } from '../host-file.ts';
import type { Snapshot } from '../image.ts';
import { MAX_L1_BYTES } from './header.ts';
import type { Qcow2Header } from './header.ts';

const FIXED = 40;
/** State size (64 bits), disk size, instructions executed. */
const EXTRA = 24;
/** QEMU's limits. */
const MAX_EXTRA = 1024, MAX_TABLE = 64 * 2 ** 20;

export interface Qcow2Snapshot extends Snapshot {
  readonly l1Offset: number;
  readonly l1Entries: number;
  /** Of the disk then. */
  readonly diskSize: number;
  /** Behind what is known here. */
  readonly unknown: Uint8Array;
}

/** @returns the snapshots, and how long the table is. @throws ImageError */
export function readSnapshots(file: HostFile, header: Qcow2Header): { snapshots: Qcow2Snapshot[]; length: number } {
  const snapshots: Qcow2Snapshot[] = [];
  const what = 'the snapshot table';
  let at = 0;
  const take = (length: number): DataView => {
    const bytes = new Uint8Array(length);
    file.readFully(header.snapshotsOffset + at, bytes, what);
    at += length;
    return new DataView(bytes.buffer);
  };
  const text = (length: number): string => new TextDecoder().decode(take(length));
  for (let index = 0; index < header.snapshots; index++) {
    const fixed = take(FIXED);
    const extraLength = fixed.getUint32(36);
    const l1Offset = Number(fixed.getBigUint64(0)), l1Entries = fixed.getUint32(8);
    if (extraLength > MAX_EXTRA) throw new ImageError(file.path, `snapshot ${index} has too much extra data`);
    if (l1Entries * 8 > MAX_L1_BYTES) throw new ImageError(file.path, `the L1 table of snapshot ${index} is too large`);
    const extra = take(extraLength);
    const id = text(fixed.getUint16(12)), name = text(fixed.getUint16(14));
    snapshots.push({
      id, name, l1Offset, l1Entries, seconds: fixed.getUint32(16), nanoseconds: fixed.getUint32(20), clock: fixed.getBigUint64(24),
      stateSize: extraLength >= 8 ? Number(extra.getBigUint64(0)) : fixed.getUint32(32),
      diskSize: extraLength >= 16 ? Number(extra.getBigUint64(8)) : header.size,
      icount: extraLength >= EXTRA ? extra.getBigInt64(16) : -1n,
      unknown: new Uint8Array(extra.buffer, Math.min(extraLength, EXTRA)),
    });
    at = Math.ceil(at / 8) * 8;
    if (at > MAX_TABLE) throw new ImageError(file.path, 'the snapshot table is too large');
  }
  return { snapshots, length: at };
}

export function encodeSnapshots(snapshots: readonly Qcow2Snapshot[]): Uint8Array {
  const parts = snapshots.map((one) => {
    const id = new TextEncoder().encode(one.id), name = new TextEncoder().encode(one.name);
    const extra = EXTRA + one.unknown.length;
    const bytes = new Uint8Array(Math.ceil((FIXED + extra + id.length + name.length) / 8) * 8);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(one.l1Offset));
    view.setUint32(8, one.l1Entries);
    view.setUint16(12, id.length);
    view.setUint16(14, name.length);
    view.setUint32(16, one.seconds);
    view.setUint32(20, one.nanoseconds);
    view.setBigUint64(24, one.clock);
    view.setUint32(32, one.stateSize);
    view.setUint32(36, extra);
    view.setBigUint64(FIXED, BigInt(one.stateSize));
    view.setBigUint64(FIXED + 8, BigInt(one.diskSize));
    view.setBigInt64(FIXED + 16, one.icount);
    bytes.set(one.unknown, FIXED + EXTRA);
    bytes.set(id, FIXED + extra);
    bytes.set(name, FIXED + extra + id.length);
    return bytes;
  });
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
