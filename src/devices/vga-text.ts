/**
 * Text modes: the screen as characters, and as a picture drawn with the fonts of plane 2.
 * Source: IBM PS/2 Video Subsystems (1992): alphanumeric modes, character map select, attribute controller.
 *
 * Planes: 0 characters, 1 attributes, 2 fonts (8 maps of 8 KB, 32 bytes per character).
 */

import type { TextScreen } from './host.ts';
import {
  AR_MODE, AR_PLANES, ATTRIBUTE_BLINK, ATTRIBUTE_LINE_GRAPHICS, ATTRIBUTE_MONO, CR_CURSOR_END, CR_CURSOR_START, CR_HORIZONTAL_END, CR_UNDERLINE,
  cursorAddress, dacColor, displayOffset, doubleScan, lineCompare, MEMORY_EXTENDED, paletteIndex, palettePixels, rowHeight, rowPitch, SEQ_FONT_SELECT,
  SEQ_MEMORY_MODE, shownLines, startAddress,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import type { DrawLine } from './vga-scan.ts';

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
}

/** The text geometry, or null while the CRT controller is not programmed for one. */
function layout({ crtc }: VgaFields): Layout | null {
  const columns = crtc[CR_HORIZONTAL_END] + 1;
  const height = rowHeight(crtc);
  const repeat = doubleScan(crtc) ? 2 : 1;
  const rows = Math.floor(shownLines(crtc) / (height * repeat));
  return columns < 2 || rows === 0 || rowPitch(crtc) === 0 ? null : { columns, rows, height, repeat };
}

/** Address counter at the first character of a row; below the line compare the rows start again at 0. */
function rowStart(crtc: Uint8Array, row: number, { height, repeat }: Layout): number {
  const split = Math.floor((lineCompare(crtc) + 1) / (height * repeat));
  const first = row >= split && split > 0 ? (row - split) * rowPitch(crtc) : startAddress(crtc) + row * rowPitch(crtc);
  return first & 0xffff;
}

/** Scan lines of a row that the cursor covers; none if it is off. */
function cursorLines(crtc: Uint8Array): { first: number; last: number } {
  const off = (crtc[CR_CURSOR_START] & 0x20) !== 0;
  return { first: off ? 32 : crtc[CR_CURSOR_START] & 31, last: crtc[CR_CURSOR_END] & 31 };
}

/** Place of the cursor, `visible` if it is on the screen and not switched off. */
function cursorPlace(fields: VgaFields, shape: Layout): { x: number; y: number; visible: boolean } {
  const { crtc } = fields;
  const pitch = rowPitch(crtc);
  const relative = (cursorAddress(crtc) - startAddress(crtc)) & 0xffff;
  const y = Math.floor(relative / pitch);
  const x = relative % pitch;
  const { first, last } = cursorLines(crtc);
  const shown = first <= last && first < shape.height;
  return { x, y, visible: shown && x < shape.columns && y < shape.rows };
}

/** The 16 text colours as 0xRRGGBB. */
function textColors(fields: VgaFields): Uint32Array {
  const planes = fields.attribute[AR_PLANES] & 15;
  return Uint32Array.from({ length: 16 }, (_, color) => dacColor(fields, paletteIndex(fields, color & planes)));
}

/** The screen's characters; null while no text mode is programmed. */
export function readText(fields: VgaFields, memory: Uint8Array): TextScreen | null {
  const shape = layout(fields);
  if (shape === null) return null;
  const { columns, rows } = shape;
  const { crtc } = fields;
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

/** How the lines of a text screen are drawn, `dots` (8 or 9) a character. */
export function textLine(fields: VgaFields, memory: Uint8Array, dots: number, phase: BlinkPhase): DrawLine {
  const { crtc, attribute } = fields;
  const mode = attribute[AR_MODE];
  const blink = (mode & ATTRIBUTE_BLINK) !== 0;
  const fonts = fontMaps(fields);
  const underline = (mode & ATTRIBUTE_MONO) !== 0 ? crtc[CR_UNDERLINE] & 31 : -1;
  const cursor = cursorLines(crtc);
  const cursorAt = phase.cursor ? (cursorAddress(crtc) + ((crtc[CR_CURSOR_END] >> 5) & 3)) & 0xffff : -1;
  const colors = palettePixels(fields);
  return (counter, rowScan, into) => {
    for (let x = 0, place = counter; x < into.length; x += dots, place = (place + 1) & 0xffff) {
      const at = displayOffset(crtc, place, rowScan) * 4;
      const code = memory[at], attr = memory[at + 1];
      let bits = memory[(((attr & 8) !== 0 ? fonts.a : fonts.b) + code * FONT_STRIDE + rowScan) * 4 + 2];
      if (blink && (attr & 0x80) !== 0 && !phase.text) bits = 0;
      if (dots === 9) bits = (bits << 1) | ((mode & ATTRIBUTE_LINE_GRAPHICS) !== 0 && (code & 0xe0) === 0xc0 ? bits & 1 : 0);
      const full = place === cursorAt && rowScan >= cursor.first && rowScan <= cursor.last;
      if (full || (rowScan === underline && (attr & 7) === 1)) bits = 0x1ff;
      const foreground = colors[attr & 15];
      const background = colors[(attr >> 4) & (blink ? 7 : 15)];
      for (let dot = 0; dot < dots; dot++) into[x + dot] = ((bits >> (dots - 1 - dot)) & 1) !== 0 ? foreground : background;
    }
  };
}
