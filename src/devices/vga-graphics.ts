/**
 * Graphics modes: how the bytes of the four planes become dots.
 * Source: IBM PS/2 Video Subsystems (1992): graphics mode register (shift control), attribute mode register, CRT controller addressing.
 *
 * For each character of eight dots the shift registers put out eight values of four bits. In 256-colour modes the attribute
 * controller makes one pixel of each two of them, which is shown for two dots.
 */

import {
  AR_MODE, AR_PLANES, ATTRIBUTE_256, ATTRIBUTE_BLINK, CR_MODE, CR_UNDERLINE, CRT_COUNT_2, dacPixels, displayOffset, GR_MODE, MODE_SHIFT_256,
  MODE_SHIFT_CGA, palettePixels, UNDERLINE_COUNT_4,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import type { DrawLine } from './vga-scan.ts';

/** Unpacks the four plane bytes at `at` into the eight 4-bit values that are shifted out. */
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

/** A byte of each plane in turn, high half first. */
const bytewise: Unpack = (memory, at, into) => {
  for (let plane = 0; plane < 4; plane++) {
    into[2 * plane] = memory[at + plane] >> 4;
    into[2 * plane + 1] = memory[at + plane] & 15;
  }
};

/** @param inverted the blinking is in its second half: bit 3 of each colour is inverted (mode 0Fh's palette is made for this) */
export function graphicsLine(fields: VgaFields, memory: Uint8Array, inverted: boolean): DrawLine {
  const { crtc, graphics, attribute } = fields;
  const shift = graphics[GR_MODE];
  const unpack = (shift & MODE_SHIFT_256) !== 0 ? bytewise : (shift & MODE_SHIFT_CGA) !== 0 ? interleaved : planar;
  const deep = (attribute[AR_MODE] & ATTRIBUTE_256) !== 0;
  const planes = attribute[AR_PLANES] & 15;
  const mask = (planes << 4) | planes;
  const invert = inverted && (attribute[AR_MODE] & ATTRIBUTE_BLINK) !== 0 ? 8 : 0;
  const colors = deep ? dacPixels(fields) : palettePixels(fields);
  const every = (crtc[CR_UNDERLINE] & UNDERLINE_COUNT_4) !== 0 ? 2 : (crtc[CR_MODE] & CRT_COUNT_2) !== 0 ? 1 : 0;
  const values = new Uint8Array(8);
  return (counter, rowScan, into) => {
    for (let x = 0; x < into.length; x += 8) {
      unpack(memory, displayOffset(crtc, counter + (x >> 3 + every), rowScan) * 4, values);
      if (deep) {
        for (let dot = 0; dot < 8; dot += 2) into[x + dot] = into[x + dot + 1] = colors[((values[dot] << 4) | values[dot + 1]) & mask];
      } else {
        for (let dot = 0; dot < 8; dot++) into[x + dot] = colors[values[dot] ^ invert];
      }
    }
  };
}
