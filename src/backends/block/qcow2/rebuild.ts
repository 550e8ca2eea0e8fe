/** Reference counts made anew from references that were counted: behind everything else in the file, then named by the header. */

import { INCOMPATIBLE_DIRTY } from './header.ts';
import type { Qcow2Image } from './qcow2.ts';
import { encodeTable, writeCount, writeTablePointer } from './refcounts.ts';

/** @param references by host cluster, with those of the old counts */
export function rebuildRefcounts(image: Qcow2Image, references: Uint32Array): void {
  const { file, header, refcounts, clusterSize, metadata } = image;
  const { perBlock, order, max } = refcounts;
  const counts = Uint32Array.from(references);
  // The old table and blocks are free from now on.
  for (let cluster = 0; cluster < header.refcountTableClusters; cluster++) forget(header.refcountTableOffset / clusterSize + cluster);
  for (const offset of refcounts.blocks) if (offset % clusterSize === 0 && offset !== 0) forget(offset / clusterSize);
  function forget(cluster: number): void {
    if ((counts[cluster] ?? 0) > 0) counts[cluster]!--;
    metadata.delete(cluster);
  }
  let used = counts.length;
  while (used > 1 && counts[used - 1] === 0) used--;
  // Nothing of the old counts is overwritten before the new ones are named.
  const start = counts.length;
  let blocks = 0, tableClusters = 0;
  for (;;) {
    const total = start + blocks + tableClusters;
    const needed = Math.ceil(total / perBlock), clusters = Math.ceil(needed * 8 / clusterSize);
    if (needed === blocks && clusters === tableClusters) break;
    blocks = needed;
    tableClusters = clusters;
  }
  const end = start + blocks + tableClusters;
  const table = new Float64Array(tableClusters * clusterSize / 8);
  for (let index = 0; index < blocks; index++) {
    const view = new DataView(new ArrayBuffer(clusterSize));
    for (let cluster = index * perBlock; cluster < Math.min(end, (index + 1) * perBlock); cluster++) {
      writeCount(view, cluster - index * perBlock, order, Math.min(max, cluster < start ? counts[cluster]! : 1));
    }
    table[index] = (start + index) * clusterSize;
    file.write(table[index]!, new Uint8Array(view.buffer));
  }
  file.write((start + blocks) * clusterSize, encodeTable(table));
  file.sync();
  writeTablePointer(file, header, (start + blocks) * clusterSize, tableClusters);
  file.sync();
  for (let cluster = start; cluster < end; cluster++) metadata.add(cluster);
  refcounts.reload(table);
  image.clearFeature(INCOMPATIBLE_DIRTY);
}
