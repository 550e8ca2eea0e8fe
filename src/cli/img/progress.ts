/** The line that -p shows: per cent of the work, rewritten in place. */

export class Progress {
  readonly #shown: boolean;
  #last = 0;

  constructor(shown: boolean) {
    this.#shown = shown;
    this.#print(0);
  }

  /** @param part of the work that is done, 0 to 1 */
  at(part: number): void {
    const percent = part * 100;
    if (percent - this.#last < 1) return;
    this.#last = percent;
    this.#print(percent);
  }

  end(): void {
    this.#print(100);
    if (this.#shown) process.stdout.write('\n');
  }

  #print(percent: number): void {
    if (this.#shown) process.stdout.write(`    (${percent.toFixed(2)}/100%)\r`);
  }
}
