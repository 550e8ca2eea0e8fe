/**
 * Composes the fonts of the firmware (code page 437) from the shapes in glyphs-16.txt and glyphs-8.txt.
 *
 *   node bios/fonts/compose.mjs            writes font8x16.inc, font8x14.inc, font8x8-low.inc, font8x8-high.inc
 *   node bios/fonts/compose.mjs --sheet    prints all characters as text
 *
 * Drawn by hand: letters, digits, signs, marks. Made here: stems of two dots, accented letters, box lines, blocks and
 * shades. The .inc files are kept in the repository, so that a build needs the assembler only.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('.', import.meta.url);

/** Reads a shape file: name -> rows (numbers, bit 7 leftmost) of a cell of `height` rows. */
function readShapes(file, height) {
  const shapes = new Map();
  let block = null;
  readFileSync(new URL(file, folder), 'utf8').split('\n').forEach((line, index) => {
    const fail = (text) => { throw new Error(`${file}:${index + 1}: ${text}`); };
    const words = line.trim().split(/\s+/);
    if (line.trim() === '' || line.startsWith('# ')|| line === '#') return;
    if (words[0] === '@') {
      block = { row: Number(words[1]), kind: words[2], names: words.slice(3) };
      for (const name of block.names) shapes.set(name, new Array(height).fill(0));
      return;
    }
    if (block === null || words.length !== block.names.length) fail(`${words.length} shapes, expected ${block?.names.length}`);
    words.forEach((word, column) => {
      if (word.length !== (block.kind === 'raw' ? 8 : 6) || /[^.#]/.test(word)) fail(`bad row ${word}`);
      let bits = 0;
      for (let x = 0; x < word.length; x++) if (word[x] === '#') bits |= 0x80 >> x;
      if (block.kind === 'thin') bits |= bits >> 1;
      shapes.get(block.names[column])[block.row] = bits;
    });
    block.row++;
  });
  return shapes;
}

const or = (...glyphs) => glyphs[0].map((_, y) => glyphs.reduce((bits, glyph) => bits | (glyph[y] ?? 0), 0));
const shift = (glyph, rows) => glyph.map((_, y) => glyph[y - rows] ?? 0);
const drop = (glyph, ...rows) => {
  const left = glyph.filter((_, y) => !rows.includes(y));
  return [...rows.map(() => 0), ...left];
};

/** Accented letters: code, base letter, mark. */
const ACCENTED = [
  [0x81, 'u', 'dieresis'], [0x82, 'e', 'acute'], [0x83, 'a', 'circumflex'], [0x84, 'a', 'dieresis'], [0x85, 'a', 'grave'],
  [0x86, 'a', 'ring'], [0x88, 'e', 'circumflex'], [0x89, 'e', 'dieresis'], [0x8a, 'e', 'grave'], [0x8b, 'dotless', 'dieresis'],
  [0x8c, 'dotless', 'circumflex'], [0x8d, 'dotless', 'grave'], [0x93, 'o', 'circumflex'], [0x94, 'o', 'dieresis'],
  [0x95, 'o', 'grave'], [0x96, 'u', 'circumflex'], [0x97, 'u', 'grave'], [0x98, 'y', 'dieresis'], [0xa0, 'a', 'acute'],
  [0xa1, 'dotless', 'acute'], [0xa2, 'o', 'acute'], [0xa3, 'u', 'acute'], [0xa4, 'n', 'tilde'],
];
const ACCENTED_CAPITALS = [
  [0x8e, 'A', 'dieresis'], [0x8f, 'A', 'ring'], [0x90, 'E', 'acute'], [0x99, 'O', 'dieresis'], [0x9a, 'U', 'dieresis'],
  [0xa5, 'N', 'tilde'],
];

/** Box drawing B3h-DAh: lines to left, right, up, down; 0 none, 1 single, 2 double. */
const BOXES = {
  0xb3: '0011', 0xb4: '1011', 0xb5: '2011', 0xb6: '1022', 0xb7: '1002', 0xb8: '2001', 0xb9: '2022', 0xba: '0022',
  0xbb: '2002', 0xbc: '2020', 0xbd: '1020', 0xbe: '2010', 0xbf: '1001', 0xc0: '0110', 0xc1: '1110', 0xc2: '1101',
  0xc3: '0111', 0xc4: '1100', 0xc5: '1111', 0xc6: '0211', 0xc7: '0122', 0xc8: '0220', 0xc9: '0202', 0xca: '2220',
  0xcb: '2202', 0xcc: '0222', 0xcd: '2200', 0xce: '2222', 0xcf: '2210', 0xd0: '1120', 0xd1: '2201', 0xd2: '1102',
  0xd3: '0120', 0xd4: '0210', 0xd5: '0201', 0xd6: '0102', 0xd7: '1122', 0xd8: '2211', 0xd9: '1010', 0xda: '0101',
};

/**
 * A box character. Vertical lines are two dots wide: single in columns 3-4, double in 1-2 and 5-6; horizontal ones are one
 * dot high: single on row `middle`, double on the rows around it. Where lines of different kinds meet, each ends at the
 * far line of the other that it has to reach, and double lines stay open inside.
 */
function box(code, height) {
  const [left, right, up, down] = [...BOXES[code]].map(Number);
  const middle = height === 8 ? 3 : (height >> 1) - 1;
  const rows = { 1: [middle], 2: [middle - 1, middle + 1] };
  const columns = { 1: [[3, 4]], 2: [[1, 2], [5, 6]] };
  const glyph = new Array(height).fill(0);
  const dot = (x, y) => { glyph[y] |= 0x80 >> x; };
  const vertical = Math.max(up, down);
  const horizontal = Math.max(left, right);
  const both = up && down;
  const through = left && right;
  // horizontal half lines: as far as the vertical line they meet
  for (const [side, weight] of [['left', left], ['right', right]]) {
    if (!weight) continue;
    for (const y of rows[weight]) {
      let end = side === 'left' ? 4 : 3;                            // centre
      if (vertical === 2) {
        const inner = weight === 2 && ((y < middle && up) || (y > middle && down));
        const near = side === 'left' ? 2 : 5;
        const far = side === 'left' ? 6 : 1;
        end = inner || (weight === 1 && both) ? near : far;
        if (through && (weight === 1 || !inner)) end = side === 'left' ? 4 : 3;
        if (through && weight === 1 && both) end = side === 'left' ? 4 : 3;
      }
      if (side === 'left') for (let x = 0; x <= end; x++) dot(x, y);
      else for (let x = 7; x >= end; x--) dot(x, y);
    }
  }
  // vertical half lines
  for (const [side, weight] of [['up', up], ['down', down]]) {
    if (!weight) continue;
    for (const [x0, x1] of columns[weight]) {
      let end = middle;
      if (horizontal === 2) {
        const inner = weight === 2 && ((x0 < 3 && left) || (x0 > 3 && right));
        const near = side === 'up' ? middle - 1 : middle + 1;
        const far = side === 'up' ? middle + 1 : middle - 1;
        end = inner || (weight === 1 && through) ? near : far;
        if (both && (weight === 1 || !inner)) end = middle;
      }
      if (side === 'up') for (let y = 0; y <= end; y++) { dot(x0, y); dot(x1, y); }
      else for (let y = height - 1; y >= end; y--) { dot(x0, y); dot(x1, y); }
    }
  }
  return glyph;
}

/** The 256 characters at `height` 16 or 8. */
function font(height) {
  const shapes = readShapes(height === 16 ? 'glyphs-16.txt' : 'glyphs-8.txt', height);
  const shape = (name) => {
    const glyph = shapes.get(name);
    if (glyph === undefined) throw new Error(`no shape ${name} in the ${height}-row font`);
    return glyph;
  };
  const blank = new Array(height).fill(0);
  const full = new Array(height).fill(0xff);
  const glyphs = new Array(256).fill(null);
  for (let code = 0; code < 256; code++) {
    const hex = code.toString(16).toUpperCase().padStart(2, '0');
    if (code > 0x20 && code < 0x7f) glyphs[code] = shape(String.fromCharCode(code));
    else if (shapes.has(hex)) glyphs[code] = shape(hex);
  }
  for (const code of [0x00, 0x20, 0xff]) glyphs[code] = blank;

  for (const [code, letter, mark] of ACCENTED) glyphs[code] = or(shape(letter), shape(mark));
  for (const [code, letter, mark] of ACCENTED_CAPITALS) {
    // capitals give up two rows of their stems, or three in the small font, and the mark goes above
    glyphs[code] = height === 16
      ? or(drop(shape(letter), 4, 9), shift(shape(mark), -1))
      : or(drop(shape(letter), 1, 5), shape(mark));
  }
  glyphs[0x80] = or(shape('C'), shape('cedilla'));
  glyphs[0x87] = or(shape('c'), shape('cedilla'));
  if (height === 8) {
    glyphs[0x80] = or(shift(drop(shape('C'), 2), -1), shape('cedilla'));
    glyphs[0x87] = or(shift(shape('c'), -1), shape('cedilla'));
  }
  glyphs[0xf8] = shape('deg');

  // bullets and their inverses, exclamation marks
  glyphs[0x08] = shape('07').map((bits) => bits ^ 0xff);
  glyphs[0x09] = shape('ring09');
  glyphs[0x0a] = shape('ring09').map((bits) => bits ^ 0xff);
  glyphs[0x13] = or(shape('!').map((bits) => (bits << 2) & 0xff), shape('!').map((bits) => bits >> 2));

  // shades, blocks, boxes, the two halves of the integral sign
  glyphs[0xb0] = full.map((_, y) => (y & 1 ? 0x88 : 0x22));
  glyphs[0xb1] = full.map((_, y) => (y & 1 ? 0xaa : 0x55));
  glyphs[0xb2] = full.map((_, y) => (y & 1 ? 0x77 : 0xdd));
  glyphs[0xdb] = full;
  glyphs[0xdc] = full.map((_, y) => (y < height / 2 ? 0 : 0xff));
  glyphs[0xdd] = full.map(() => 0xf0);
  glyphs[0xde] = full.map(() => 0x0f);
  glyphs[0xdf] = full.map((_, y) => (y < height / 2 ? 0xff : 0));
  for (const code of Object.keys(BOXES)) glyphs[code] = box(Number(code), height);
  const top = height === 16 ? 2 : 0;
  glyphs[0xf4] = full.map((_, y) => (y < top ? 0 : y === top ? 0x0e : y <= top + 2 ? 0x1b : 0x18));
  glyphs[0xf5] = full.map((_, y) => {
    const bottom = height === 16 ? 12 : 7;
    return y > bottom ? 0 : y === bottom ? 0x70 : y >= bottom - 2 ? 0xd8 : 0x18;
  });

  glyphs.forEach((glyph, code) => { if (glyph === null) throw new Error(`no glyph ${code.toString(16)} at height ${height}`); });
  return glyphs;
}

/** The 8 x 14 font: rows 0 and 15 of the letters are empty; line drawing is made anew for 14 rows. */
function font14(font16) {
  return font16.map((glyph, code) => {
    if (code in BOXES) return box(code, 14);
    if (code === 0xdc) return glyph.map((_, y) => (y < 7 ? 0 : 0xff)).slice(0, 14);
    if (code === 0xdf) return glyph.map((_, y) => (y < 7 ? 0xff : 0)).slice(0, 14);
    return glyph.slice(1, 15);
  });
}

function include(name, title, glyphs, first) {
  const lines = [
    `; ${title}, characters ${first}-${first + glyphs.length - 1} of code page 437.`,
    '; Made by bios/fonts/compose.mjs from glyphs-16.txt and glyphs-8.txt: change these, not this file.',
  ];
  glyphs.forEach((glyph, index) => {
    const code = (first + index).toString(16).toUpperCase().padStart(2, '0');
    const bytes = glyph.map((bits) => `0x${bits.toString(16).toUpperCase().padStart(2, '0')}`);
    lines.push(`        db ${bytes.slice(0, 8).join(', ')}${bytes.length > 8 ? '' : ` ; ${code}`}`);
    if (bytes.length > 8) lines.push(`        db ${bytes.slice(8).join(', ')} ; ${code}`);
  });
  writeFileSync(new URL(name, folder), lines.join('\n') + '\n');
}

const font16 = font(16);
const font8 = font(8);
if (process.argv.includes('--sheet')) {
  for (const glyphs of [font16, font14(font16), font8]) {
    for (let row = 0; row < 256; row += 16) {
      for (let y = 0; y < glyphs[0].length; y++) {
        console.log(glyphs.slice(row, row + 16).map((glyph) => glyph[y].toString(2).padStart(8, '0').replaceAll('0', '.').replaceAll('1', '#')).join(' '));
      }
    }
  }
} else {
  include('font8x16.inc', '8 x 16 font', font16, 0);
  include('font8x14.inc', '8 x 14 font', font14(font16), 0);
  include('font8x8-low.inc', '8 x 8 font', font8.slice(0, 128), 0);
  include('font8x8-high.inc', '8 x 8 font', font8.slice(128), 128);
}
