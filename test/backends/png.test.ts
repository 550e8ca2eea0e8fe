import { describe, expect, it } from 'vitest';
import { encodePng } from '../../src/backends/png.ts';
import { decodePng } from './png-decode.ts';

describe('PNG', () => {
  it('gives back every pixel', () => {
    const width = 37;
    const height = 29;
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => ((i & 3) === 3 ? 255 : (i * 7919 + (i >> 5) * 131) & 255));
    // Repeated lines, so that both filters are used.
    rgba.copyWithin(10 * width * 4, 9 * width * 4, 10 * width * 4);
    expect(decodePng(encodePng({ width, height, rgba }))).toEqual({ width, height, rgba });
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
