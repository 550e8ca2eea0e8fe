/**
 * PNG files of screen pictures: truecolour, 8 bits, no interlacing.
 * Source: PNG specification (W3C, third edition), §5 chunks, §9 filters, annex D for the CRC.
 */

import { deflateSync } from 'node:zlib';
import type { Picture } from '../devices/host.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOR_TRUECOLOR = 2;
const FILTER_NONE = 0;
const FILTER_UP = 2;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc(bytes: Uint8Array): number {
  let value = -1;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

/** Length, type, data, and the CRC of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/**
 * Lines with their filter bytes. A line equal in most of its bytes to the one above is stored as the difference to it:
 * screens repeat lines far more than they change smoothly, so that no other filter pays.
 */
function filtered({ width, height, rgba }: Picture): Uint8Array {
  const stride = width * 3;
  const out = new Uint8Array(height * (stride + 1));
  let above = new Uint8Array(stride);
  let line = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    let same = 0;
    for (let x = 0, from = y * width * 4, to = 0; x < width; x++, from += 4, to += 3) {
      for (let c = 0; c < 3; c++) {
        line[to + c] = rgba[from + c];
        if (line[to + c] === above[to + c]) same++;
      }
    }
    const at = y * (stride + 1);
    const useAbove = same * 2 > stride;
    out[at] = useAbove ? FILTER_UP : FILTER_NONE;
    for (let i = 0; i < stride; i++) out[at + 1 + i] = useAbove ? line[i] - above[i] : line[i];
    [above, line] = [line, above];
  }
  return out;
}

/** The bytes of a PNG file. */
export function encodePng(picture: Picture): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, picture.width);
  view.setUint32(4, picture.height);
  header[8] = 8;
  header[9] = COLOR_TRUECOLOR;
  const parts = [SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(filtered(picture))), chunk('IEND', new Uint8Array(0))];
  const file = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
