/**
 * Compressed clusters: deflate without a header and with a window of 4 KB, or one zstd frame.
 * Node has zstd from 22.15 and 23.8 on; without it such an image is an error when it is opened.
 * Sources: RFC 1951; RFC 8878 §3.1 (frames and blocks of zstd).
 */

import zlib from 'node:zlib';
import { COMPRESSION_ZSTD } from './header.ts';

type Transform = (data: Uint8Array, options?: zlib.ZlibOptions) => Uint8Array;
const zstd = zlib as typeof zlib & { zstdCompressSync?: Transform; zstdDecompressSync?: Transform };

const WINDOW_BITS = 12;

export const zstdSupported = (): boolean => zstd.zstdDecompressSync !== undefined && zstd.zstdCompressSync !== undefined;

/** null: it does not become smaller. */
export function compress(type: number, cluster: Uint8Array): Uint8Array | null {
  const packed = type === COMPRESSION_ZSTD ? zstd.zstdCompressSync!(cluster) : zlib.deflateRawSync(cluster, { windowBits: WINDOW_BITS, memLevel: 9 });
  return packed.length < cluster.length ? packed : null;
}

/** Exactly `size` bytes from data that is followed by anything. @throws Error for what is no such data */
export function decompress(type: number, data: Uint8Array, size: number): Uint8Array {
  const plain = type === COMPRESSION_ZSTD
    ? zstd.zstdDecompressSync!(data.subarray(0, zstdFrameLength(data)), { maxOutputLength: size })
    : zlib.inflateRawSync(data, { maxOutputLength: size, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  if (plain.length !== size) throw new Error('too little data');
  return plain;
}

/** Length of the zstd frame that data begins with: Node's decoder takes nothing behind it. */
export function zstdFrameLength(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new Error('no zstd frame');
  const descriptor = data[4]!, single = (descriptor & 0x20) !== 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!, dictionary = [0, 1, 2, 4][descriptor & 3]!;
  let at = 5 + (single ? 0 : 1) + dictionary + contentSize;
  for (let last = false; !last;) {
    if (at + 3 > data.length) throw new Error('the zstd frame is cut short');
    const header = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16);
    const type = (header >> 1) & 3;
    last = (header & 1) !== 0;
    // RLE blocks hold one byte, whatever their size.
    at += 3 + (type === 1 ? 1 : header >> 3);
  }
  at += (descriptor & 4) !== 0 ? 4 : 0;
  if (at > data.length) throw new Error('the zstd frame is cut short');
  return at;
}
