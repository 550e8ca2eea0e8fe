/**
 * Clusters that persistent bitmaps use: nothing here reads or writes bitmaps, but a check has to count them.
 * Source: QEMU docs/interop/qcow2.rst, "Bitmaps".
 */

import type { HostFile } from '../host-file.ts';
import { AUTOCLEAR_BITMAPS, EXTENSION_BITMAPS } from './header.ts';
import type { Qcow2Header } from './header.ts';

const ENTRY = 24;
/** QEMU's limits. */
const MAX_DIRECTORY = 64 * 2 ** 20, MAX_TABLE_ENTRIES = 2 ** 23;

/** @param corruption told of what makes no sense */
export function* bitmapReferences(file: HostFile, header: Qcow2Header, corruption: (message: string) => void): Generator<{ offset: number; length: number }> {
  const extension = header.extensions.find(({ type }) => type === EXTENSION_BITMAPS);
  if (extension === undefined || (header.autoclear & AUTOCLEAR_BITMAPS) === 0n || extension.data.length < 24) return;
  const view = new DataView(extension.data.buffer, extension.data.byteOffset);
  const size = Number(view.getBigUint64(8)), offset = Number(view.getBigUint64(16));
  if (size > MAX_DIRECTORY) return corruption('ERROR the bitmap directory is too large');
  yield { offset, length: size };
  const clusterSize = 2 ** header.clusterBits;
  const directory = new DataView(new ArrayBuffer(size));
  file.readPadded(offset, new Uint8Array(directory.buffer));
  for (let at = 0; at + ENTRY <= size;) {
    const tableOffset = Number(directory.getBigUint64(at)), entries = directory.getUint32(at + 8);
    if (entries > MAX_TABLE_ENTRIES) return corruption('ERROR a bitmap table is too large');
    yield { offset: tableOffset, length: entries * 8 };
    const table = new DataView(new ArrayBuffer(entries * 8));
    file.readPadded(tableOffset, new Uint8Array(table.buffer));
    for (let index = 0; index < entries; index++) {
      const entry = table.getUint32(index * 8) * 2 ** 32 + ((table.getUint32(index * 8 + 4) & ~511) >>> 0);
      const cluster = entry % 2 ** 56;
      if (cluster !== 0) yield { offset: cluster, length: clusterSize };
    }
    at = Math.ceil((at + ENTRY + directory.getUint16(at + 18) + directory.getUint32(at + 20)) / 8) * 8;
  }
}
