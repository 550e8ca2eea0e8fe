/**
 * Draws a picture in a terminal with half blocks: each cell shows two dots, one over the other. The picture is scaled to the
 * terminal, in its shape on a monitor, and only cells that have changed are written. Pure text out.
 */
import type { Picture } from '../devices/host.ts';
import { colorCode, paletteColor } from './terminal-colors.ts';
import type { ColorCode } from './terminal-colors.ts';

const CSI = '\x1b[';
/** A monitor shows pictures of up to so many lines over all of its face, whatever the shape of their dots. */
const STRETCHED = 480;
const MONITOR = 4 / 3;

/** Size and place of the scaled picture, in dots: a cell is one wide and two high. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The largest place in a terminal for a picture, in the middle; all lines begin and end with whole cells. */
export function placeOf(picture: { readonly width: number; readonly height: number }, columns: number, rows: number): Place {
  const shape = picture.height < STRETCHED ? MONITOR : picture.width / picture.height;
  const width = Math.max(1, Math.min(columns, Math.round(rows * 2 * shape)));
  const height = Math.max(2, Math.min(rows * 2, 2 * Math.round(width / shape / 2)));
  return { left: Math.floor((columns - width) / 2), top: 2 * Math.floor((rows - height / 2) / 2), width, height };
}

/** Where each of `count` dots begins in `size` pixels, and where the last one ends: a dot is at least one pixel. */
const edges = (count: number, size: number): Int32Array => Int32Array.from({ length: count + 1 }, (_, i) => Math.floor(i * size / count));

export class TerminalPicture {
  readonly #color: ColorCode;
  readonly #depth: number;
  /** Upper and lower colour of each cell of the terminal, -1 where nothing is known of it. */
  #cells: Int32Array | null = null;
  #columns = 0;
  #rows = 0;
  #place: Place = { left: 0, top: 0, width: 0, height: 0 };
  #xs: Int32Array = new Int32Array(0);
  #ys: Int32Array = new Int32Array(0);
  #shape = '';

  /** @param depth bits of colour that the terminal has: 24, 8, 4 or 1 */
  constructor(depth = 24) {
    this.#depth = depth;
    this.#color = colorCode(depth);
  }

  /** The next draw() draws everything. */
  invalidate(): void {
    this.#cells = null;
  }

  /** The escape sequences that bring a terminal of `columns` × `rows` from the last drawing to `picture`; empty if nothing changed. */
  draw(picture: Picture, columns: number, rows: number): string {
    const shape = `${picture.width} ${picture.height} ${columns} ${rows}`;
    let out = '';
    if (this.#cells === null || shape !== this.#shape) {
      this.#shape = shape;
      this.#columns = columns;
      this.#rows = rows;
      this.#place = placeOf(picture, columns, rows);
      this.#xs = edges(this.#place.width, picture.width);
      this.#ys = edges(this.#place.height, picture.height);
      this.#cells = new Int32Array(columns * rows * 2).fill(-1);
      out = `${CSI}?25l${CSI}0m${CSI}2J`;
    }
    const changes = this.#changes(this.#scaled(picture), this.#cells);
    return out + (changes === '' ? '' : `${changes}${CSI}0m`);
  }

  /** The dots of the place, row by row: averages of the pixels that they cover, in colours that the terminal has. */
  #scaled({ width, rgba }: Picture): Int32Array {
    const { width: across, height: down } = this.#place, xs = this.#xs, ys = this.#ys, depth = this.#depth;
    const dots = new Int32Array(across * down);
    for (let y = 0, dot = 0; y < down; y++) {
      const top = ys[y]!, bottom = Math.max(ys[y + 1]!, top + 1);
      for (let x = 0; x < across; x++, dot++) {
        const left = xs[x]!, right = Math.max(xs[x + 1]!, left + 1), count = (bottom - top) * (right - left);
        let red = count >> 1, green = red, blue = red;
        for (let line = top; line < bottom; line++) {
          for (let at = (line * width + left) * 4, end = (line * width + right) * 4; at < end; at += 4) {
            red += rgba[at]!;
            green += rgba[at + 1]!;
            blue += rgba[at + 2]!;
          }
        }
        dots[dot] = paletteColor(depth, (red / count | 0) << 16 | (green / count | 0) << 8 | (blue / count | 0));
      }
    }
    return dots;
  }

  #changes(dots: Int32Array, cells: Int32Array): string {
    const { left, top, width, height } = this.#place;
    let out = '', foreground = -1, background = -1;
    for (let y = 0; y < height; y += 2) {
      const row = (top + y) >> 1;
      let at = -1;
      if (row >= this.#rows) break;
      for (let x = 0; x < width && left + x < this.#columns; x++) {
        const cell = (row * this.#columns + left + x) * 2;
        const upper = dots[y * width + x]!, lower = dots[(y + 1) * width + x]!;
        if (cells[cell] === upper && cells[cell + 1] === lower) continue;
        cells[cell] = upper;
        cells[cell + 1] = lower;
        if (at !== x) out += `${CSI}${row + 1};${left + x + 1}H`;
        at = x + 1;
        if (this.#depth < 4) {
          out += monochrome(upper, lower);
          continue;
        }
        // A cell of one colour needs no foreground; one whose upper colour is the background already is drawn from below.
        const plain = upper === lower, turned = !plain && upper === background;
        const front = turned ? lower : upper, back = turned ? upper : lower;
        const codes = [...(plain || front === foreground ? [] : [this.#color(front, false)]), ...(back === background ? [] : [this.#color(back, true)])];
        if (codes.length > 0) out += `${CSI}${codes.join(';')}m`;
        if (!plain) foreground = front;
        background = back;
        out += plain ? ' ' : turned ? '▄' : '▀';
      }
    }
    return out;
  }
}

/** A cell of a terminal without colours. */
const monochrome = (upper: number, lower: number): string => (upper !== 0 ? (lower !== 0 ? '█' : '▀') : lower !== 0 ? '▄' : ' ');
