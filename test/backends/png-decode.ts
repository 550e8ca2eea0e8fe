/** PNG files back to pictures. */
import { inflateSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Picture } from '../../src/devices/host.ts';

/** A decoder for what the encoder may write, which checks the structure as it goes. */
export function decodePng(file: Uint8Array): Picture {
  expect([...file.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(file.buffer, file.byteOffset);
  const chunks: [string, Uint8Array][] = [];
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    chunks.push([String.fromCharCode(...file.subarray(at + 4, at + 8)), file.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  expect(chunks.map(([type]) => type)).toEqual(['IHDR', 'IDAT', 'IEND']);
  const header = chunks[0][1];
  const [width, height] = [0, 4].map((at) => new DataView(header.buffer, header.byteOffset).getUint32(at));
  expect([...header.subarray(8)]).toEqual([8, 2, 0, 0, 0]);
  const raw = inflateSync(chunks[1][1]);
  expect(raw.length).toBe(height * (width * 3 + 1));
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (width * 3 + 1)];
    expect([0, 2]).toContain(filter);
    for (let i = 0; i < width * 3; i++) {
      const x = Math.floor(i / 3);
      const above = filter === 2 && y > 0 ? rgba[((y - 1) * width + x) * 4 + (i % 3)] : 0;
      rgba[(y * width + x) * 4 + (i % 3)] = raw[y * (width * 3 + 1) + 1 + i] + above;
    }
  }
  return { width, height, rgba };
}
