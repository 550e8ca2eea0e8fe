/** Says how far a download is: a bar on a terminal, one line elsewhere. */
import type { WriteStream } from 'node:tty';

const WIDTH = 30;
/** Least time between two drawings (ms). */
const FRAME = 50;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The bar as text; without a total only what has come. */
export function progressLine(label: string, done: number, total: number): string {
  if (total <= 0) return `${label}  ${megabytes(done)}`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * WIDTH);
  return `${label}  [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %  ${megabytes(done)} of ${megabytes(total)}`;
}

export class Progress {
  readonly #stream: Pick<WriteStream, 'isTTY' | 'write' | 'columns'>;
  readonly #label: string;
  #drawn = 0;

  constructor(stream: Pick<WriteStream, 'isTTY' | 'write' | 'columns'>, label: string) {
    this.#stream = stream;
    this.#label = label;
    if (!stream.isTTY) stream.write(`tcg86: ${label}\n`);
  }

  update(done: number, total: number): void {
    const now = performance.now();
    if (!this.#stream.isTTY || now - this.#drawn < FRAME && done !== total) return;
    this.#drawn = now;
    this.#stream.write(`\r${progressLine(this.#label, done, total).slice(0, Math.max(1, this.#stream.columns - 1))}\x1b[K`);
  }

  /** Something that takes a while and cannot say how far it is. */
  say(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(`\r${this.#label}  ${text}\x1b[K`);
  }

  /** The bar goes away. */
  close(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}
