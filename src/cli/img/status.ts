/** What a disk has at an offset, with its backing images taken into account. */
import type { Extent, Image } from '../../backends/block/image.ts';

export interface Status {
  readonly length: number;
  readonly kind: 'data' | 'zero';
  /** Images below the first that has it. */
  readonly depth: number;
  /** Some image of the chain says so itself; else nobody stores anything there. */
  readonly present: boolean;
  readonly extent: Extent;
  readonly image: Image;
}

/** @param most bytes that matter */
export function statusOf(image: Image, offset: number, most: number): Status {
  let length = most, depth = 0, at: Image = image;
  for (;;) {
    const extent = at.extent(offset);
    length = Math.min(length, extent.length);
    if (extent.kind !== 'hole') return { length, kind: extent.kind, depth, present: true, extent, image: at };
    const below = at.backing;
    // Past the end of a shorter backing image there are zeros.
    if (below === null || offset >= below.size) return { length, kind: 'zero', depth, present: below !== null, extent, image: at };
    length = Math.min(length, below.size - offset);
    at = below;
    depth++;
  }
}
