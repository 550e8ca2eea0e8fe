/**
 * What `--expect` looks at: serial output since the step before began, and the screen rows whose text changed since then.
 * Rows that only moved because the screen scrolled are old: each poll lines the screen up with the one before.
 */
import type { TextScreen } from '../devices/host.ts';
import { cp437 } from './cp437.ts';

/** A row's text: up to the last written column, and on the cursor's row at least up to the cursor. */
export function rowText(screen: TextScreen, row: number): string {
  let text = '';
  for (let column = 0; column < screen.columns; column++) text += cp437(screen.cells[row * screen.columns + column]! & 255);
  const trimmed = text.trimEnd();
  const { x, y, visible } = screen.cursor;
  return visible && y === row && x > trimmed.length ? text.slice(0, x) : trimmed;
}

export const screenRows = (screen: TextScreen): string[] => Array.from({ length: screen.rows }, (_, row) => rowText(screen, row));

/** The whole text screen as lines, without the empty ones at its end. */
export function screenText(screen: TextScreen): string {
  const rows = screenRows(screen).map((row) => row.trimEnd());
  while (rows.length > 0 && rows.at(-1) === '') rows.pop();
  return rows.join('\n');
}

/** Serial bytes kept while nothing marks: enough for any expectation, and bounded. */
const SERIAL_LIMIT = 1 << 20;

/** Text that was there at one moment: the serial output so far, and per row what it showed then (null: it was not on screen). */
interface Mark {
  serial: number;
  rows: (string | null)[];
}

export class Transcript {
  #serial = '';
  /** How much of the serial output was dropped from the front. */
  #dropped = 0;
  #rows: string[] = [];
  /** The start of the step before, and of the present one. */
  #before: Mark = { serial: 0, rows: [] };
  #present: Mark = { serial: 0, rows: [] };

  /** A byte that the guest sent on the serial line. */
  serialByte(byte: number): void {
    if (byte === 13) return;
    this.#serial += String.fromCharCode(byte);
    if (this.#serial.length <= SERIAL_LIMIT) return;
    this.#dropped += SERIAL_LIMIT / 2;
    this.#serial = this.#serial.slice(SERIAL_LIMIT / 2);
  }

  /** A step begins: what was there before the last one is not looked at any more. */
  mark(screen: TextScreen | null): void {
    this.poll(screen);
    this.#before = this.#present;
    this.#present = { serial: this.#dropped + this.#serial.length, rows: [...this.#rows] };
  }

  /** Looks at the screen; call it often enough that less than a screenful scrolls by in between. */
  poll(screen: TextScreen | null): void {
    const rows = screen === null ? [] : screenRows(screen);
    const shift = scrolledBy(this.#rows, rows);
    if (shift > 0 || rows.length !== this.#rows.length) {
      for (const mark of [this.#before, this.#present]) mark.rows = rows.map((_, row) => (shift > 0 ? mark.rows[row + shift] ?? null : null));
    }
    this.#rows = rows;
  }

  /** What is new since the step before began: serial output first, then rows in order, one a line. */
  get text(): string {
    const { serial, rows } = this.#before;
    const fresh = this.#rows.filter((row, index) => row !== '' && row !== rows[index]);
    return [this.#serial.slice(Math.max(0, serial - this.#dropped)), ...fresh].filter((part) => part !== '').join('\n');
  }
}

/** By how many rows `after` is `before` moved up: the smallest shift under which every old row that is left stands (0 = not scrolled). */
function scrolledBy(before: readonly string[], after: readonly string[]): number {
  if (before.length !== after.length || before.length === 0) return 0;
  const score = (shift: number): number => {
    let same = 0;
    for (let row = 0; row + shift < before.length; row++) if (before[row + shift] !== '' && before[row + shift] === after[row]) same++;
    return same;
  };
  let best = 0, bestScore = score(0);
  for (let shift = 1; shift < before.length; shift++) {
    const found = score(shift);
    if (found > bestScore) [best, bestScore] = [shift, found];
  }
  return best;
}
