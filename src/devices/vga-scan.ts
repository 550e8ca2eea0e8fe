/**
 * The CRT controller's way down the screen: which address and which scan line of a row each line of the picture begins with,
 * how far it is moved to the left, and what is blanked.
 * Source: IBM PS/2 Video Subsystems (1992), §2: CRT controller; preset row scan, line compare, blanking.
 *
 * The picture is the raster that a monitor shows: a doubled line is there twice, and with the dot clock halved so is each dot.
 */

import type { Picture } from './host.ts';
import {
  AR_MODE, AR_PANNING, ATTRIBUTE_PAN_SPLIT, blankStart, CLOCKING_8_DOTS, CLOCKING_HALF, CR_BLANK_END, CR_BLANK_LEFT, CR_BLANK_RIGHT,
  CR_HORIZONTAL_END, CR_HORIZONTAL_RETRACE_END, CR_HORIZONTAL_TOTAL, CR_PRESET_ROW, doubleScan, frameLines, GR_MISC, lineCompare, MISC_GRAPHICS,
  rowHeight, rowPitch, SEQ_CLOCKING, shownLines, startAddress, toPixel,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';

/** Draws the dots of one line: `dots` a character, one character more than is shown. */
export type DrawLine = (counter: number, rowScan: number, into: Uint32Array) => void;

export interface Raster {
  /** Characters of a displayed line, and dots of one: 8, or 9 in text modes. */
  readonly characters: number;
  readonly dots: number;
  /** How often each dot is shown. */
  readonly scale: number;
  readonly lines: number;
}

/** The raster that is programmed, or null while the registers make none. */
export function rasterOf({ crtc, sequencer, graphics }: VgaFields): Raster | null {
  const characters = crtc[CR_HORIZONTAL_END] + 1;
  const lines = shownLines(crtc);
  const text = (graphics[GR_MISC] & MISC_GRAPHICS) === 0;
  const dots = text && (sequencer[SEQ_CLOCKING] & CLOCKING_8_DOTS) === 0 ? 9 : 8;
  const scale = (sequencer[SEQ_CLOCKING] & CLOCKING_HALF) !== 0 ? 2 : 1;
  return characters < 2 || lines < 2 || rowPitch(crtc) === 0 ? null : { characters, dots, scale, lines };
}

/** Dots by which pixel panning moves the line to the left. */
function panned(dots: number, value: number): number {
  if (dots === 9) return value > 7 ? 0 : value + 1;
  return value & 7;
}

/** True for positions `start` … `end` - 1 of a counter that runs to `total`; the end is known by its low bits only. */
const inBlank = (position: number, start: number, end: number, endMask: number, total: number): boolean =>
  start < total && (position - start + total) % total < (((end - start) & endMask) || endMask + 1);

const BLACK = toPixel(0);

/** Draws all lines of the raster. */
export function drawRaster(fields: VgaFields, { characters, dots, scale, lines }: Raster, draw: DrawLine): Picture {
  const { crtc, attribute } = fields;
  const width = characters * dots * scale;
  const pixels = new Uint32Array(width * lines);
  const line = new Uint32Array((characters + 1) * dots);
  const pitch = rowPitch(crtc), height = rowHeight(crtc), split = lineCompare(crtc), total = frameLines(crtc), doubled = doubleScan(crtc);
  let counter = startAddress(crtc) + ((crtc[CR_PRESET_ROW] >> 5) & 3);
  let rowScan = crtc[CR_PRESET_ROW] & 31;
  let pan = panned(dots, attribute[AR_PANNING]);
  let repeated = false;
  let drawn = -1;
  for (let y = 0; y < lines; y++) {
    const at = y * width;
    if (inBlank(y, blankStart(crtc), crtc[CR_BLANK_END], 0xff, total)) {
      pixels.fill(BLACK, at, at + width);
      drawn = -1;
    } else if (drawn >= 0 && repeated) pixels.copyWithin(at, drawn, drawn + width);
    else {
      draw(counter & 0xffff, rowScan, line);
      if (scale === 1) pixels.set(line.subarray(pan, pan + width), at);
      else for (let x = 0; x < width; x++) pixels[at + x] = line[pan + (x >> 1)];
      drawn = at;
    }
    if (y === split) {
      counter = rowScan = 0;
      repeated = false;
      if ((attribute[AR_MODE] & ATTRIBUTE_PAN_SPLIT) !== 0) pan = 0;
    } else if (doubled && !repeated) repeated = true;
    else {
      repeated = false;
      if (rowScan === height - 1) {
        rowScan = 0;
        counter += pitch;
      } else rowScan = (rowScan + 1) & 31;
    }
  }
  blankColumns(crtc, pixels, width, dots * scale);
  return { width, height: lines, rgba: new Uint8Array(pixels.buffer) };
}

/** Blanking that begins before the displayed characters end, or ends after they begin. */
function blankColumns(crtc: Uint8Array, pixels: Uint32Array, width: number, cell: number): void {
  const total = crtc[CR_HORIZONTAL_TOTAL] + 5;
  const end = (crtc[CR_BLANK_RIGHT] & 31) | ((crtc[CR_HORIZONTAL_RETRACE_END] & 0x80) >> 2);
  for (let x = 0; x < width; x += cell) {
    if (!inBlank(x / cell, crtc[CR_BLANK_LEFT], end, 63, total)) continue;
    for (let at = x; at < pixels.length; at += width) pixels.fill(BLACK, at, at + cell);
  }
}

/** A picture of nothing. */
export const blackPicture = (width: number, height: number): Picture =>
  ({ width, height, rgba: new Uint8Array(new Uint32Array(width * height).fill(BLACK).buffer) });
