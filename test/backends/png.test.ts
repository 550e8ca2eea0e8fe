import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../src/backends/png.ts';
import type { Picture } from '../../src/devices/host.ts';

/** A decoder for what the encoder may write, which checks the structure as it goes. */
function decode(file: Uint8Array): Picture {
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

describe('PNG', () => {
  it('gives back every pixel', () => {
    const width = 37;
    const height = 29;
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => ((i & 3) === 3 ? 255 : (i * 7919 + (i >> 5) * 131) & 255));
    // Repeated lines, so that both filters are used.
    rgba.copyWithin(10 * width * 4, 9 * width * 4, 10 * width * 4);
    expect(decode(encodePng({ width, height, rgba }))).toEqual({ width, height, rgba });
  });

  it('has the CRCs of the standard', () => {
    const file = encodePng({ width: 1, height: 1, rgba: Uint8Array.of(0, 0, 0, 255) });
    // Known values: IEND of any file, IHDR of a 1 × 1 truecolour picture.
    expect([...file.subarray(-4)]).toEqual([0xae, 0x42, 0x60, 0x82]);
    expect([...file.subarray(29, 33)]).toEqual([0x90, 0x77, 0x53, 0xde]);
  });

  it('packs an empty text screen small', () => {
    const picture = { width: 720, height: 400, rgba: new Uint8Array(720 * 400 * 4).fill(255) };
    expect(encodePng(picture).length).toBeLessThan(4000);
  });
});
