/** PNG files back to pictures: for what our encoder writes (src/backends/png.ts), with a check of the structure on the way. */
import { inflateSync } from 'node:zlib';
import type { Picture } from '../../src/devices/host.ts';

const SIGNATURE = '137,80,78,71,13,10,26,10';
const FILTER_NONE = 0, FILTER_UP = 2;

/** @throws Error for another structure than the encoder's */
export function decodePng(file: Uint8Array): Picture {
  if (file.subarray(0, 8).join() !== SIGNATURE) throw new Error('no PNG');
  const view = new DataView(file.buffer, file.byteOffset);
  const chunks: [type: string, data: Uint8Array][] = [];
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    chunks.push([String.fromCharCode(...file.subarray(at + 4, at + 8)), file.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  if (chunks.map(([type]) => type).join() !== 'IHDR,IDAT,IEND') throw new Error('other chunks');
  const header = chunks[0]![1];
  const [width, height] = [0, 4].map((at) => new DataView(header.buffer, header.byteOffset).getUint32(at)) as [number, number];
  if (header.subarray(8).join() !== '8,2,0,0,0') throw new Error('another format');
  const raw = inflateSync(chunks[1]![1]), stride = width * 3;
  if (raw.length !== height * (stride + 1)) throw new Error('another length');
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    if (filter !== FILTER_NONE && filter !== FILTER_UP) throw new Error('another filter');
    for (let x = 0, from = y * (stride + 1) + 1, to = y * width * 4; x < width; x++, from += 3, to += 4) {
      for (let c = 0; c < 3; c++) rgba[to + c] = raw[from + c]! + (filter === FILTER_UP && y > 0 ? rgba[to + c - width * 4]! : 0);
    }
  }
  return { width, height, rgba };
}
