/** Draws a text screen in a terminal: colours, cursor, only what changed since the last drawing. Pure text out. */
import type { TextScreen } from '../devices/host.ts';
import { colorCode } from './terminal-colors.ts';
import type { ColorCode } from './terminal-colors.ts';

/** Turns a character code of the guest into the character to print. */
export type Glyph = (code: number) => string;

const CSI = '\x1b[';

export class TerminalScreen {
  readonly #glyph: Glyph;
  readonly #color: ColorCode;
  /** What stands in each cell of the terminal; null: nothing is known of it. */
  #cells: Int32Array | null = null;
  #columns = 0;
  #rows = 0;
  /** First row of the guest's screen that is shown, where the terminal has fewer. */
  #top = 0;
  /** Colours and blinking of what stands there. */
  #palette = '';
  #cursor = '';

  /** @param depth bits of colour that the terminal has: 24, 8, 4 or 1 */
  constructor(glyph: Glyph, depth = 24) {
    this.#glyph = glyph;
    this.#color = colorCode(depth);
  }

  /** The next draw() draws everything (after a resize, or when something else wrote to the terminal). */
  invalidate(): void {
    this.#cells = null;
  }

  /**
   * The escape sequences that bring the terminal from the last drawing to `screen`; empty if nothing changed.
   * A terminal of fewer rows shows those around the cursor, one of fewer columns the left ones.
   */
  draw(screen: TextScreen, width: number, height: number): string {
    const columns = Math.min(screen.columns, width), rows = Math.min(screen.rows, height);
    const palette = `${screen.blink}${screen.colors.join()}`;
    let out = '';
    if (this.#cells === null || columns !== this.#columns || rows !== this.#rows || palette !== this.#palette) {
      this.#cells = new Int32Array(columns * rows).fill(-1);
      this.#columns = columns;
      this.#rows = rows;
      this.#palette = palette;
      this.#cursor = '';
      out += `${CSI}0m${CSI}2J`;
    }
    const { x, y, visible } = screen.cursor;
    this.#top = Math.min(this.#top, screen.rows - rows);
    if (visible && y < screen.rows) this.#top = Math.max(Math.min(this.#top, y), y - rows + 1);
    out += this.#changes(screen, this.#cells, columns, rows);
    const row = y - this.#top;
    const cursor = visible && x < columns && row >= 0 && row < rows ? `${CSI}${row + 1};${x + 1}H${CSI}?25h` : `${CSI}?25l`;
    if (out === '' && cursor === this.#cursor) return '';
    this.#cursor = cursor;
    return out + cursor;
  }

  #changes(screen: TextScreen, cells: Int32Array, columns: number, rows: number): string {
    let out = '';
    let attribute = -1;
    for (let row = 0; row < rows; row++) {
      let at = -1;
      for (let column = 0; column < columns; column++) {
        const cell = screen.cells[(row + this.#top) * screen.columns + column]!;
        if (cells[row * columns + column] === cell) continue;
        cells[row * columns + column] = cell;
        if (at !== column) out += `${CSI}${row + 1};${column + 1}H`;
        if (cell >> 8 !== attribute) {
          attribute = cell >> 8;
          out += this.#style(screen, attribute);
        }
        out += this.#glyph(cell & 255);
        at = column + 1;
      }
    }
    return attribute >= 0 ? `${out}${CSI}0m` : out;
  }

  #style(screen: TextScreen, attribute: number): string {
    const blinking = screen.blink && (attribute & 0x80) !== 0;
    const background = (attribute >> 4) & (screen.blink ? 7 : 15);
    return `${CSI}${blinking ? '0;5' : '0'};${this.#color(screen.colors[attribute & 15]!, false)};${this.#color(screen.colors[background]!, true)}m`;
  }
}
