/**
 * What `--expect` looks at: serial output, and the screen rows whose text changed, both since the step before began.
 *
 * Each row has an age: the step in which its text came. A row that the guest wrote to is new, even if it reads as before
 * (a prompt that comes again after `clear`); a row that only moved because the screen scrolled keeps its age.
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
  /** Goes up whenever `text` may have changed. */
  version = 0;
  #serial = '';
  /** How much of the serial output was dropped from the front. */
  #dropped = 0;
  /** Length of all serial output when the step before and the present one began. */
  #serialBefore = 0;
  #serialPresent = 0;
  #step = 0;
  #rows: readonly string[] = [];
  /** The step in which each row's text came. */
  #ages: readonly number[] = [];
  #columns = 0;
  /** What the last poll saw. */
  #screen: TextScreen | null = null;

  /** A byte that the guest sent on the serial line. */
  serialByte(byte: number): void {
    if (byte === 13) return;
    this.version++;
    this.#serial += String.fromCharCode(byte);
    if (this.#serial.length <= SERIAL_LIMIT) return;
    this.#dropped += SERIAL_LIMIT / 2;
    this.#serial = this.#serial.slice(SERIAL_LIMIT / 2);
  }

  /** A step begins; poll() has just been called. What was there before the last step is not looked at any more. */
  mark(): void {
    this.#step++;
    this.version++;
    this.#serialBefore = this.#serialPresent;
    this.#serialPresent = this.#dropped + this.#serial.length;
  }

  /**
   * Looks at the screen; call it often enough that less than half a screen scrolls by in between.
   * @param changed for each row: not 0 if the guest changed characters in it since the last poll; null: it may have, anywhere
   */
  poll(screen: TextScreen | null, changed: Uint8Array | null): void {
    // Most looks find what the last one saw: then there is no text to make.
    if (screen !== null && this.#screen !== null && changed?.includes(1) === false && isSame(screen, this.#screen)) return;
    this.#screen = screen;
    const rows = screen === null ? [] : screenRows(screen);
    const columns = screen?.columns ?? 0;
    const before = this.#rows;
    if (rows.length !== before.length || columns !== this.#columns) {
      this.#ages = rows.map(() => this.#step);
      this.version++;
    } else if (changed === null || changed.includes(1)) {
      const origins = scrolledFrom(before.map((row) => row.trimEnd()), rows.map((row) => row.trimEnd()), changed);
      this.#ages = rows.map((_, row) => {
        if (origins[row]! !== row) return this.#ages[origins[row]!]!;
        return changed === null || changed[row] !== 0 ? this.#step : this.#ages[row]!;
      });
      this.version++;
    } else if (rows.some((row, index) => row !== before[index])) this.version++;
    this.#rows = rows;
    this.#columns = columns;
  }

  /** What is new since the step before began: serial output first, then rows in order, one a line. */
  get text(): string {
    const fresh = this.#rows.filter((row, index) => row !== '' && this.#ages[index]! >= this.#step - 1);
    return [this.#serial.slice(Math.max(0, this.#serialBefore - this.#dropped)), ...fresh].filter((part) => part !== '').join('\n');
  }
}

function isSame(a: TextScreen, b: TextScreen): boolean {
  if (a.columns !== b.columns || a.rows !== b.rows || a.cursor.x !== b.cursor.x || a.cursor.y !== b.cursor.y || a.cursor.visible !== b.cursor.visible) return false;
  for (let i = a.columns * a.rows - 1; i >= 0; i--) if (a.cells[i] !== b.cells[i]) return false;
  return true;
}

/**
 * For each row of `after`: the row of `before` that it was, if it scrolled up from there; else its own number.
 * Two rows that moved by the same distance make a scroll. One is enough where it is the first row and shows what the
 * second still shows: a screen that is being copied up just now.
 */
function scrolledFrom(before: readonly string[], after: readonly string[], changed: Uint8Array | null): number[] {
  const count = after.length;
  const suspects = after.flatMap((text, row) => (text !== '' && (changed === null || changed[row] !== 0) ? [row] : []));
  const cameFrom = (row: number, distance: number): boolean => row + distance < count && after[row] === before[row + distance];
  const distances: number[] = [];
  for (let distance = 1; distance <= count / 2; distance++) {
    const moved = suspects.filter((row) => cameFrom(row, distance)).length;
    if (moved > 1 || (moved === 1 && distance === 1 && suspects.length === 1 && suspects[0] === 0 && after[1] === after[0])) distances.push(distance);
  }
  return after.map((_, row) => row + (suspects.includes(row) ? distances.find((distance) => cameFrom(row, distance)) ?? 0 : 0));
}
