/** New VMDK images of the usual types. Source: VMware, Virtual Disk Format 1.1. */

import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { ImageError } from '../error.ts';
import { HostFile } from '../host-file.ts';
import { encodeDescriptor, NO_PARENT } from './descriptor.ts';
import { FLAG_COMPRESSED, FLAG_MARKERS, FLAG_NEWLINES, FLAG_SECOND_DIRECTORY, FLAG_ZERO_GRAINS, HEADER_BYTES, SECTOR, VMDK_MAGIC } from './sparse.ts';

export const VMDK_SUBFORMATS = ['monolithicSparse', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat', 'streamOptimized'] as const;
export const VMDK_ADAPTERS = ['ide', 'buslogic', 'lsilogic', 'legacyESX'] as const;

export interface VmdkCreateOptions {
  readonly subformat: typeof VMDK_SUBFORMATS[number];
  readonly adapter: typeof VMDK_ADAPTERS[number];
  readonly hardware: string;
  readonly zeroedGrain: boolean;
  readonly parent: { readonly name: string; readonly cid: string } | null;
}

const GRAIN_SECTORS = 128, PER_TABLE = 512, DESCRIPTOR_AT = 1, DESCRIPTOR_SECTORS = 20;
const EXTENT_BYTES = 2 ** 31;

/** @throws ImageError */
export function createVmdk(path: string, size: number, options: VmdkCreateOptions): void {
  const { subformat, adapter } = options;
  const flat = subformat.endsWith('Flat'), split = subformat.startsWith('twoGb'), single = !flat && !split;
  if (flat && options.parent !== null) throw new ImageError(path, 'Flat image can\'t have backing file');
  const bytes = Math.ceil(size / SECTOR) * SECTOR;
  const lines: string[] = [];
  const name = path.replace(/\.vmdk$/, '');
  for (let at = 0, number = 1; at === 0 || at < bytes; at += EXTENT_BYTES, number++) {
    const length = split ? Math.min(EXTENT_BYTES, bytes - at) : bytes;
    const file = single ? path : split ? `${name}-${flat ? 'f' : 's'}${String(number).padStart(3, '0')}.vmdk` : `${name}-flat.vmdk`;
    createExtent(file, length, flat, options);
    lines.push(`RW ${length / SECTOR} ${flat ? 'FLAT' : 'SPARSE'} "${basename(file)}"${flat ? ' 0' : ''}`);
    if (!split) break;
  }
  const heads = adapter === 'ide' ? 16 : 255;
  const text = new TextEncoder().encode(encodeDescriptor({
    cid: randomBytes(4).toString('hex'), parentCid: options.parent?.cid ?? NO_PARENT, parentName: options.parent?.name ?? null, createType: subformat,
    extents: lines, cylinders: Math.floor(bytes / (63 * heads * SECTOR)), heads, adapter, hardware: options.hardware,
  }));
  if (single && text.length > DESCRIPTOR_SECTORS * SECTOR) throw new ImageError(path, 'the VMDK descriptor does not fit (parent name too long)');
  const file = new HostFile(path, single ? {} : { create: true });
  try {
    file.write(single ? DESCRIPTOR_AT * SECTOR : 0, text);
    file.sync();
  } finally {
    file.close();
  }
}

function createExtent(path: string, size: number, flat: boolean, { subformat, zeroedGrain }: VmdkCreateOptions): void {
  const file = new HostFile(path, { create: true });
  try {
    if (flat) file.truncate(size);
    else writeSparse(file, size / SECTOR, subformat === 'streamOptimized', zeroedGrain);
    file.sync();
  } finally {
    file.close();
  }
}

function writeSparse(file: HostFile, capacity: number, stream: boolean, zeroedGrain: boolean): void {
  const tables = Math.ceil(capacity / (GRAIN_SECTORS * PER_TABLE)), tableSectors = PER_TABLE * 4 / SECTOR, directorySectors = Math.ceil(tables * 4 / SECTOR);
  const second = DESCRIPTOR_AT + DESCRIPTOR_SECTORS, first = second + directorySectors + tables * tableSectors;
  const grains = Math.ceil((first + directorySectors + tables * tableSectors) / GRAIN_SECTORS) * GRAIN_SECTORS;
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const wide = (at: number, value: number): void => header.setBigUint64(at, BigInt(value), true);
  header.setUint32(0, VMDK_MAGIC, true);
  header.setUint32(4, stream ? 3 : zeroedGrain ? 2 : 1, true);
  header.setUint32(8, FLAG_NEWLINES | FLAG_SECOND_DIRECTORY | (zeroedGrain ? FLAG_ZERO_GRAINS : 0) | (stream ? FLAG_COMPRESSED | FLAG_MARKERS : 0), true);
  wide(12, capacity);
  wide(20, GRAIN_SECTORS);
  wide(28, DESCRIPTOR_AT);
  wide(36, DESCRIPTOR_SECTORS);
  header.setUint32(44, PER_TABLE, true);
  wide(48, second);
  wide(56, first);
  wide(64, grains);
  new TextEncoder().encodeInto('\n \r\n', new Uint8Array(header.buffer, 73));
  header.setUint16(77, stream ? 1 : 0, true);
  file.write(0, new Uint8Array(header.buffer));
  file.truncate(grains * SECTOR);
  for (const directory of [second, first]) {
    const entries = new DataView(new ArrayBuffer(directorySectors * SECTOR));
    for (let table = 0; table < tables; table++) entries.setUint32(table * 4, directory + directorySectors + table * tableSectors, true);
    file.write(directory * SECTOR, new Uint8Array(entries.buffer));
  }
}
