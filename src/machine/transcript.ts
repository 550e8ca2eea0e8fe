/**
 * What `--expect` looks at: serial output since the last mark, and the screen rows whose text changed since then.
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

export class Transcript {
  #serial = '';
  /** Rows as seen at the last poll, and for each the text it had at the mark if it has been on screen since then, else null. */
  #rows: string[] = [];
  #marked: (string | null)[] = [];

  /** A byte that the guest sent on the serial line. */
  serialByte(byte: number): void {
    if (byte === 13) return;
    this.#serial += String.fromCharCode(byte);
    if (this.#serial.length > SERIAL_LIMIT) this.#serial = this.#serial.slice(-SERIAL_LIMIT / 2);
  }

  /** Everything seen so far is old. */
  mark(screen: TextScreen | null): void {
    this.#serial = '';
    this.poll(screen);
    this.#marked = [...this.#rows];
  }

  /** Looks at the screen; call it often enough that less than a screenful scrolls by in between. */
  poll(screen: TextScreen | null): void {
    const rows = screen === null ? [] : screenRows(screen);
    const shift = scrolledBy(this.#rows, rows);
    if (shift > 0) this.#marked = rows.map((_, row) => this.#marked[row + shift] ?? null);
    else if (rows.length !== this.#rows.length) this.#marked = rows.map(() => null);
    this.#rows = rows;
  }

  /** New text since the mark, serial first, rows in order, one a line. */
  get text(): string {
    const fresh = this.#rows.filter((row, index) => row !== '' && row !== this.#marked[index]);
    return [this.#serial, ...fresh].filter((part) => part !== '').join('\n');
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
