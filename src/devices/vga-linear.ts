/**
 * Modes of the VBE extensions as a picture: one pixel after the other, 8 to 32 bits each, or four planes.
 * Source: VBE Core Functions Standard 3.0, mode information block (field positions of the direct colour modes).
 */

import type { Picture } from './host.ts';
import type { ExtendedMode } from './vga-dispi.ts';
import { dacPixels, palettePixels } from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';

/** Draws `out.length` pixels from byte `at` of the memory on. */
type DrawPixels = (memory: Uint8Array, at: number, out: Uint32Array) => void;

const five = (value: number): number => (value << 3) | (value >> 2);
const pixel = (red: number, green: number, blue: number): number => 0xff000000 | (blue << 16) | (green << 8) | red;

const words15: DrawPixels = (memory, at, out) => {
  for (let x = 0; x < out.length; x++, at += 2) {
    const value = memory[at] | (memory[at + 1] << 8);
    out[x] = pixel(five((value >> 10) & 31), five((value >> 5) & 31), five(value & 31));
  }
};
const words16: DrawPixels = (memory, at, out) => {
  for (let x = 0; x < out.length; x++, at += 2) {
    const value = memory[at] | (memory[at + 1] << 8);
    out[x] = pixel(five(value >> 11), ((value >> 3) & 0xfc) | ((value >> 9) & 3), five(value & 31));
  }
};
const bytes = (bytesPerPixel: number): DrawPixels => (memory, at, out) => {
  for (let x = 0; x < out.length; x++, at += bytesPerPixel) out[x] = pixel(memory[at + 2], memory[at + 1], memory[at]);
};
const indexed = (colors: Uint32Array): DrawPixels => (memory, at, out) => {
  for (let x = 0; x < out.length; x++) out[x] = colors[memory[at + x]];
};
/** Eight pixels in the same bits of four bytes, one a plane. */
const planes = (colors: Uint32Array): DrawPixels => (memory, at, out) => {
  for (let x = 0; x < out.length; x++) {
    const byte = (at & ~3) + (x >> 3) * 4, bit = 7 - (x & 7);
    out[x] = colors[((memory[byte] >> bit) & 1) | (((memory[byte + 1] >> bit) & 1) << 1) | (((memory[byte + 2] >> bit) & 1) << 2) | (((memory[byte + 3] >> bit) & 1) << 3)];
  }
};

function drawer(fields: VgaFields, bits: number): DrawPixels {
  switch (bits) {
    case 4: return planes(palettePixels(fields));
    case 15: return words15;
    case 16: return words16;
    case 24: return bytes(3);
    case 32: return bytes(4);
    default: return indexed(dacPixels(fields));
  }
}

export function drawLinear(fields: VgaFields, memory: Uint8Array, { width, height, bits, pitch, start }: ExtendedMode): Picture {
  const pixels = new Uint32Array(width * height);
  const draw = drawer(fields, bits);
  for (let y = 0; y < height; y++) draw(memory, start + y * pitch, pixels.subarray(y * width, (y + 1) * width));
  return { width, height, rgba: new Uint8Array(pixels.buffer) };
}
