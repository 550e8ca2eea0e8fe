/** The host clusters that hold metadata. Source: QEMU docs/interop/qcow2.rst. */

import { entryOffset } from './entries.ts';
import type { Qcow2Image } from './qcow2.ts';
import { readSnapshots } from './snapshot-table.ts';

export function* clustersOf(offset: number, length: number, clusterSize: number): Generator<number> {
  for (let cluster = Math.floor(offset / clusterSize); cluster * clusterSize < offset + length; cluster++) yield cluster;
}

/** Header, L1 tables, active L2 tables, reference counts, snapshot table. @throws ImageError for a damaged snapshot table */
export function* metadataOf({ file, header, reader, refcounts, clusterSize }: Qcow2Image): Generator<number> {
  yield 0;
  yield* clustersOf(header.l1Offset, header.l1Entries * 8, clusterSize);
  yield* clustersOf(header.refcountTableOffset, header.refcountTableClusters * clusterSize, clusterSize);
  for (const offset of refcounts.blocks) if (offset !== 0) yield Math.floor(offset / clusterSize);
  for (let index = 0; index < header.l1Entries; index++) {
    const offset = entryOffset(reader.l1, index);
    if (offset !== 0) yield Math.floor(offset / clusterSize);
  }
  const { snapshots, length } = readSnapshots(file, header);
  if (length > 0) yield* clustersOf(header.snapshotsOffset, length, clusterSize);
  for (const { l1Offset, l1Entries } of snapshots) yield* clustersOf(l1Offset, l1Entries * 8, clusterSize);
}
