/**
 * The serial line of a benchmark guest, byte by byte: when a round began and ended, and with which checksum.
 * A round lasts from the last byte of its BEGIN line to the first byte of the next line, so that printing is not timed.
 */

export interface Round {
  /** Host time in ms. */
  readonly milliseconds: number;
  /** Checksum as printed; 0 to 2^32 - 1. */
  readonly checksum: number;
  /** The guest found it right in every iteration. */
  readonly correct: boolean;
}

const LINE_FEED = 10, CARRIAGE_RETURN = 13;

export class MarkReader {
  readonly rounds: Round[] = [];
  /** The DONE line was seen. */
  done = false;
  /** All complete lines, for messages about a guest that does something else. */
  readonly lines: string[] = [];
  /** Called where a round begins and where it ends, outside the time that is measured. */
  onBegin: (() => void) | null = null;
  onEnd: (() => void) | null = null;
  readonly #clock: () => number;
  #line = '';
  #began = -1;
  #ended = -1;

  /** `clock`: host time in ms. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** A byte that has just come from the guest. */
  byte(value: number): void {
    if (this.#began >= 0 && this.#ended < 0) {
      this.#ended = this.#clock();
      this.onEnd?.();
    }
    if (value === LINE_FEED) this.#endLine();
    else if (value !== CARRIAGE_RETURN) this.#line += String.fromCharCode(value);
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    this.lines.push(line);
    const [kind, , checksum] = line.split(' ');
    if (kind === 'BEGIN') {
      this.onBegin?.();
      this.#ended = -1;
      this.#began = this.#clock();
    } else if ((kind === 'END' || kind === 'BAD') && this.#began >= 0) {
      this.rounds.push({ milliseconds: this.#ended - this.#began, checksum: parseInt(checksum ?? '', 16), correct: kind === 'END' });
      this.#began = -1;
    } else if (kind === 'DONE') this.done = true;
  }
}
