/**
 * Graphics modes as a picture: 16 colours in planes, CGA layouts, 256 colours.
 * Source: IBM PS/2 Video Subsystems (1992): graphics mode register (shift control), CRT controller addressing.
 *
 * The picture has the size that the memory holds: scan lines and dots that the timing only repeats are drawn once.
 */

import type { Picture } from './host.ts';
import {
  AR_MODE, AR_PANNING, AR_PLANES, ATTRIBUTE_PAN_SPLIT, CR_HORIZONTAL_END, CR_MODE, CRT_ROW_BIT0, CRT_ROW_BIT1, dacColor, displayOffset, doubleScan, GR_MODE, lineCompare,
  MODE_SHIFT_256, MODE_SHIFT_CGA, paletteIndex, rowHeight, rowPitch, startAddress, verticalEnd,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import { toPixel } from './vga-text.ts';

/** Unpacks the four plane bytes at `at` into the 4-bit colours of eight dots. */
type Unpack = (memory: Uint8Array, at: number, into: Uint8Array) => void;

const planar: Unpack = (memory, at, into) => {
  for (let dot = 0; dot < 8; dot++) {
    const bit = 7 - dot;
    into[dot] =
      ((memory[at] >> bit) & 1) | (((memory[at + 1] >> bit) & 1) << 1) | (((memory[at + 2] >> bit) & 1) << 2) | (((memory[at + 3] >> bit) & 1) << 3);
  }
};

/** Two bits of a pixel side by side: four dots from planes 0 and 2, four from planes 1 and 3. */
const interleaved: Unpack = (memory, at, into) => {
  for (let dot = 0; dot < 8; dot++) {
    const plane = dot >> 2;
    const shift = 6 - 2 * (dot & 3);
    into[dot] = ((memory[at + plane] >> shift) & 3) | (((memory[at + plane + 2] >> shift) & 3) << 2);
  }
};

export function drawGraphics(fields: VgaFields): Picture | null {
  const { crtc, graphics, attribute, memory } = fields;
  const deep = (graphics[GR_MODE] & MODE_SHIFT_256) !== 0;
  const characters = crtc[CR_HORIZONTAL_END] + 1;
  // Row scan bits in the address mean that each scan line of a row is another line of memory.
  const interlaced = (crtc[CR_MODE] & CRT_ROW_BIT0) === 0 || (crtc[CR_MODE] & CRT_ROW_BIT1) === 0;
  const repeat = (doubleScan(crtc) ? 2 : 1) * (interlaced ? 1 : rowHeight(crtc));
  const height = Math.floor((verticalEnd(crtc) + 1) / repeat);
  if (characters < 2 || height === 0) return null;
  const perCharacter = deep ? 4 : 8;
  const width = characters * perCharacter;
  const colors = Uint32Array.from({ length: deep ? 256 : 16 }, (_, color) =>
    toPixel(dacColor(fields, deep ? color : paletteIndex(fields, color & attribute[AR_PLANES]))));
  const unpack = (graphics[GR_MODE] & MODE_SHIFT_CGA) !== 0 ? interleaved : planar;
  const pixels = new Uint32Array(width * height);
  const dots = new Uint8Array(8);
  const split = Math.floor((lineCompare(crtc) + 1) / repeat);
  const inRow = interlaced ? rowHeight(crtc) : 1;
  for (let y = 0; y < height; y++) {
    const below = y >= split;
    const line = below ? y - split : y;
    const start = (below ? 0 : startAddress(crtc)) + Math.floor(line / inRow) * rowPitch(crtc);
    const panning = below && (attribute[AR_MODE] & ATTRIBUTE_PAN_SPLIT) !== 0 ? 0 : attribute[AR_PANNING] & 7;
    const shift = deep ? panning >> 1 : panning;
    // One character more than is shown, of which panning moves the first dots in.
    for (let character = 0; character <= characters; character++) {
      const at = displayOffset(crtc, start + character, line % inRow) * 4;
      if (!deep) unpack(memory, at, dots);
      for (let dot = 0; dot < perCharacter; dot++) {
        const x = character * perCharacter + dot - shift;
        if (x >= 0 && x < width) pixels[y * width + x] = colors[deep ? memory[at + dot] : dots[dot]];
      }
    }
  }
  return { width, height, rgba: new Uint8Array(pixels.buffer) };
}
