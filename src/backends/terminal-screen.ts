/** Draws a text screen in a terminal: 24-bit colours, cursor, only what changed since the last drawing. Pure text out. */
import type { TextScreen } from '../devices/host.ts';

/** Turns a character code of the guest into the character to print. */
export type Glyph = (code: number) => string;

const CSI = '\x1b[';

export class TerminalScreen {
  readonly #glyph: Glyph;
  #cells: Int32Array | null = null;
  #columns = 0;
  #rows = 0;

  constructor(glyph: Glyph) {
    this.#glyph = glyph;
  }

  /** The next draw() draws everything (after a resize, or when something else wrote to the terminal). */
  invalidate(): void {
    this.#cells = null;
  }

  /** The escape sequences that bring the terminal from the last drawing to `screen`, clipped to width × height. */
  draw(screen: TextScreen, width: number, height: number): string {
    const columns = Math.min(screen.columns, width), rows = Math.min(screen.rows, height);
    let out = '';
    if (this.#cells === null || columns !== this.#columns || rows !== this.#rows) {
      this.#cells = new Int32Array(columns * rows).fill(-1);
      this.#columns = columns;
      this.#rows = rows;
      out += `${CSI}0m${CSI}2J`;
    }
    let attribute = -1;
    for (let row = 0; row < rows; row++) {
      let at = -1;
      for (let column = 0; column < columns; column++) {
        const cell = screen.cells[row * screen.columns + column]!;
        if (this.#cells[row * columns + column] === cell) continue;
        this.#cells[row * columns + column] = cell;
        if (at !== column) out += `${CSI}${row + 1};${column + 1}H`;
        if (cell >> 8 !== attribute) {
          attribute = cell >> 8;
          out += this.#style(screen, attribute);
        }
        out += this.#glyph(cell & 255);
        at = column + 1;
      }
    }
    if (attribute >= 0) out += `${CSI}0m`;
    const { x, y, visible } = screen.cursor;
    return `${out}${visible && x < columns && y < rows ? `${CSI}${y + 1};${x + 1}H${CSI}?25h` : `${CSI}?25l`}`;
  }

  #style(screen: TextScreen, attribute: number): string {
    const blinking = screen.blink && (attribute & 0x80) !== 0;
    const background = (attribute >> 4) & (screen.blink ? 7 : 15);
    return `${CSI}${blinking ? '0;5' : '0'};38;2;${rgb(screen.colors[attribute & 15]!)};48;2;${rgb(screen.colors[background]!)}m`;
  }
}

const rgb = (color: number): string => `${color >> 16 & 255};${color >> 8 & 255};${color & 255}`;
