/**
 * Text modes: the screen as characters, and as a picture drawn with the fonts of plane 2.
 * Source: IBM PS/2 Video Subsystems (1992): alphanumeric modes, character map select, attribute controller.
 *
 * Planes: 0 characters, 1 attributes, 2 fonts (8 maps of 8 KB, 32 bytes per character).
 */

import type { Picture, TextScreen } from './host.ts';
import {
  AR_MODE, AR_PANNING, AR_PLANES, ATTRIBUTE_BLINK, ATTRIBUTE_LINE_GRAPHICS, ATTRIBUTE_MONO, CLOCKING_8_DOTS,
  CR_CURSOR_END, CR_CURSOR_START, CR_HORIZONTAL_END, CR_PRESET_ROW, CR_UNDERLINE, cursorAddress, dacColor, displayOffset, doubleScan,
  lineCompare, MEMORY_EXTENDED, paletteIndex, rowHeight, rowPitch, SEQ_CLOCKING, SEQ_FONT_SELECT, SEQ_MEMORY_MODE, startAddress, verticalEnd,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';

/** Which half of the blinking is drawn. */
export interface BlinkPhase {
  readonly cursor: boolean;
  readonly text: boolean;
}

/** Byte offset in plane 2 of each character map. */
const FONT_MAPS = [0x0000, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000];
const FONT_STRIDE = 32;

interface Layout {
  readonly columns: number;
  readonly rows: number;
  /** Scan lines of a row of text, and times that each is shown. */
  readonly height: number;
  readonly repeat: number;
  /** Displayed scan lines. */
  readonly lines: number;
}

/** The text geometry, or null while the CRT controller is not programmed for one. */
function layout({ crtc }: VgaFields): Layout | null {
  const columns = crtc[CR_HORIZONTAL_END] + 1;
  const height = rowHeight(crtc);
  const repeat = doubleScan(crtc) ? 2 : 1;
  const lines = verticalEnd(crtc) + 1;
  const rows = Math.floor(lines / (height * repeat));
  return columns < 2 || rows === 0 || rowPitch(crtc) === 0 ? null : { columns, rows, height, repeat, lines };
}

/** Address counter at the first character of a row; below the line compare the rows start again at 0. */
function rowStart(crtc: Uint8Array, row: number, { height, repeat }: Layout): number {
  const split = Math.floor((lineCompare(crtc) + 1) / (height * repeat));
  const first = row >= split && split > 0 ? (row - split) * rowPitch(crtc) : startAddress(crtc) + row * rowPitch(crtc);
  return first & 0xffff;
}

/** Place of the cursor, `visible` if it is on the screen and not switched off. */
function cursorPlace(fields: VgaFields, shape: Layout): { x: number; y: number; visible: boolean } {
  const { crtc } = fields;
  const pitch = rowPitch(crtc);
  const relative = (cursorAddress(crtc) - startAddress(crtc)) & 0xffff;
  const y = Math.floor(relative / pitch);
  const x = relative % pitch;
  const start = crtc[CR_CURSOR_START] & 31;
  const end = crtc[CR_CURSOR_END] & 31;
  const shown = (crtc[CR_CURSOR_START] & 0x20) === 0 && start <= end && start < shape.height;
  return { x, y, visible: shown && x < shape.columns && y < shape.rows };
}

/** The 16 text colours as 0xRRGGBB. */
function textColors(fields: VgaFields): Uint32Array {
  const planes = fields.attribute[AR_PLANES] & 15;
  return Uint32Array.from({ length: 16 }, (_, color) => dacColor(fields, paletteIndex(fields, color & planes)));
}

/** The screen's characters; null while no text mode is programmed. */
export function readText(fields: VgaFields): TextScreen | null {
  const shape = layout(fields);
  if (shape === null) return null;
  const { columns, rows } = shape;
  const { crtc, memory } = fields;
  const cells = new Uint16Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const start = rowStart(crtc, row, shape);
    for (let column = 0; column < columns; column++) {
      const at = displayOffset(crtc, start + column, 0) * 4;
      cells[row * columns + column] = memory[at] | (memory[at + 1] << 8);
    }
  }
  const blink = (fields.attribute[AR_MODE] & ATTRIBUTE_BLINK) !== 0;
  return { columns, rows, cells, cursor: cursorPlace(fields, shape), colors: textColors(fields), blink };
}

/** For each row of the screen: 1 if one of its characters is marked in `marks` (by offset in plane 0); null while no text mode is programmed. */
export function rowsMarked(fields: VgaFields, marks: Uint8Array): Uint8Array | null {
  const shape = layout(fields);
  if (shape === null) return null;
  const { crtc } = fields;
  return Uint8Array.from({ length: shape.rows }, (_, row) => {
    const start = rowStart(crtc, row, shape);
    for (let column = 0; column < shape.columns; column++) if (marks[displayOffset(crtc, start + column, 0)] !== 0) return 1;
    return 0;
  });
}

/** Font of characters whose attribute has bit 3 set (A) and of the others (B). */
function fontMaps({ sequencer }: VgaFields): { a: number; b: number } {
  if ((sequencer[SEQ_MEMORY_MODE] & MEMORY_EXTENDED) === 0) return { a: 0, b: 0 };
  const select = sequencer[SEQ_FONT_SELECT];
  const a = ((select >> 2) & 3) | ((select >> 3) & 4);
  const b = (select & 3) | ((select >> 2) & 4);
  return { a: FONT_MAPS[a], b: FONT_MAPS[b] };
}

/** Draws the text screen, 8 or 9 dots per character; null while no text mode is programmed. */
export function drawText(fields: VgaFields, phase: BlinkPhase): Picture | null {
  const shape = layout(fields);
  const screen = readText(fields);
  if (shape === null || screen === null) return null;
  const { columns, height, repeat, lines } = shape;
  const { memory, crtc, attribute, sequencer } = fields;
  const dots = (sequencer[SEQ_CLOCKING] & CLOCKING_8_DOTS) !== 0 ? 8 : 9;
  const width = columns * dots;
  const pixels = new Uint32Array(width * lines);
  const mode = attribute[AR_MODE];
  const fonts = fontMaps(fields);
  const underline = (mode & ATTRIBUTE_MONO) !== 0 ? crtc[CR_UNDERLINE] & 31 : -1;
  const cursorStart = crtc[CR_CURSOR_START] & 31;
  const cursorEnd = crtc[CR_CURSOR_END] & 31;
  const opaque = screen.colors.map(toPixel);

  /** Dots of one scan line of a character, the leftmost in the highest of `dots` bits. */
  const pattern = (code: number, attr: number, scan: number, atCursor: boolean): number => {
    let bits = memory[(((attr & 8) !== 0 ? fonts.a : fonts.b) + code * FONT_STRIDE + scan) * 4 + 2];
    if (screen.blink && (attr & 0x80) !== 0 && !phase.text) bits = 0;
    if (dots === 9) bits = (bits << 1) | ((mode & ATTRIBUTE_LINE_GRAPHICS) !== 0 && (code & 0xe0) === 0xc0 ? bits & 1 : 0);
    const full = atCursor && scan >= cursorStart && scan <= cursorEnd;
    return full || (scan === underline && (attr & 7) === 1) ? 0x1ff : bits;
  };

  // Preset row scan and pixel panning move the picture up and left, as smooth scrolling does.
  const preset = crtc[CR_PRESET_ROW] & 31;
  const panning = attribute[AR_PANNING] & 15;
  const shift = dots === 9 ? (panning + 1) % 9 : panning & 7;
  // Panning moves the first dots of one more character in.
  const drawn = shift === 0 ? columns : columns + 1;
  for (let line = 0; line < lines; line++) {
    const textLine = Math.floor(line / repeat) + preset;
    const row = Math.floor(textLine / height);
    const scan = textLine % height;
    const start = rowStart(crtc, row, shape);
    for (let column = 0; column < drawn; column++) {
      const at = displayOffset(crtc, start + column, 0) * 4;
      const attr = memory[at + 1];
      const atCursor = phase.cursor && screen.cursor.visible && column === screen.cursor.x && row === screen.cursor.y;
      const bits = pattern(memory[at], attr, scan, atCursor);
      const foreground = opaque[attr & 15];
      const background = opaque[(attr >> 4) & (screen.blink ? 7 : 15)];
      const left = column * dots - shift;
      for (let dot = 0; dot < dots; dot++) {
        const x = left + dot;
        if (x >= 0 && x < width) pixels[line * width + x] = ((bits >> (dots - 1 - dot)) & 1) !== 0 ? foreground : background;
      }
    }
  }
  return { width, height: lines, rgba: new Uint8Array(pixels.buffer) };
}

/** 0xRRGGBB as the four bytes R, G, B, 255 of a little-endian word. */
export function toPixel(color: number): number {
  return (0xff000000 | ((color & 0xff) << 16) | (color & 0xff00) | (color >> 16)) >>> 0;
}
