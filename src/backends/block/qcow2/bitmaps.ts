/**
 * Persistent bitmaps: nothing here reads or writes what they say, but a check has to count their clusters, and they are listed.
 * Source: QEMU docs/interop/qcow2.rst, "Bitmaps".
 */

import type { HostFile } from '../host-file.ts';
import type { Details } from '../image.ts';
import { entryOffset } from './entries.ts';
import { AUTOCLEAR_BITMAPS, EXTENSION_BITMAPS } from './header.ts';
import type { Qcow2Header } from './header.ts';

const ENTRY = 24;
/** QEMU's limits. */
const MAX_DIRECTORY = 64 * 2 ** 20, MAX_TABLE_ENTRIES = 2 ** 23;

interface Bitmap {
  readonly tableOffset: number;
  readonly entries: number;
  readonly inUse: boolean;
  readonly auto: boolean;
  readonly granularity: number;
  readonly name: string;
}

/** Where the directory is, if the image says that it is right. */
function directoryOf(header: Qcow2Header): { size: number; offset: number } | null {
  const extension = header.extensions.find(({ type }) => type === EXTENSION_BITMAPS);
  if (extension === undefined || (header.autoclear & AUTOCLEAR_BITMAPS) === 0n || extension.data.length < 24) return null;
  const view = new DataView(extension.data.buffer, extension.data.byteOffset);
  return { size: Number(view.getBigUint64(8)), offset: Number(view.getBigUint64(16)) };
}

/** An entry: 0 table offset   8 its entries   12 flags (1 in use, 2 auto)   17 granularity (log2)   18 length of the name   20 of extra data. */
function* bitmapsIn(file: HostFile, { size, offset }: { size: number; offset: number }): Generator<Bitmap> {
  const directory = new DataView(new ArrayBuffer(size));
  file.readPadded(offset, new Uint8Array(directory.buffer));
  for (let at = 0; at + ENTRY <= size;) {
    const nameAt = at + ENTRY + directory.getUint32(at + 20), nameLength = directory.getUint16(at + 18), flags = directory.getUint32(at + 12);
    yield {
      tableOffset: Number(directory.getBigUint64(at)), entries: directory.getUint32(at + 8), inUse: (flags & 1) !== 0, auto: (flags & 2) !== 0,
      granularity: 2 ** directory.getUint8(at + 17), name: new TextDecoder().decode(new Uint8Array(directory.buffer).subarray(nameAt, nameAt + nameLength)),
    };
    at = Math.ceil((nameAt + nameLength) / 8) * 8;
  }
}

/** What `info` says of them; null: there are none. */
export function bitmapDetails(file: HostFile, header: Qcow2Header): readonly Details[] | null {
  const directory = directoryOf(header);
  if (directory === null || directory.size > MAX_DIRECTORY) return null;
  return [...bitmapsIn(file, directory)].map(({ inUse, auto, name, granularity }): Details => [
    ['flags', 'flags', [...(inUse ? ['in-use'] : []), ...(auto ? ['auto'] : [])]], ['name', 'name', name], ['granularity', 'granularity', granularity],
  ]);
}

/** @param corruption told of what makes no sense */
export function* bitmapReferences(file: HostFile, header: Qcow2Header, corruption: (message: string) => void): Generator<{ offset: number; length: number }> {
  const directory = directoryOf(header);
  if (directory === null) return;
  if (directory.size > MAX_DIRECTORY) return corruption('ERROR the bitmap directory is too large');
  yield { offset: directory.offset, length: directory.size };
  for (const { tableOffset, entries } of bitmapsIn(file, directory)) {
    if (entries > MAX_TABLE_ENTRIES) return corruption('ERROR a bitmap table is too large');
    yield { offset: tableOffset, length: entries * 8 };
    const table = new DataView(new ArrayBuffer(entries * 8));
    file.readPadded(tableOffset, new Uint8Array(table.buffer));
    for (let index = 0; index < entries; index++) {
      const cluster = entryOffset(table, index);
      if (cluster !== 0) yield { offset: cluster, length: 2 ** header.clusterBits };
    }
  }
}
