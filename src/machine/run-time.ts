/** Virtual time that follows the host's clock while the machine runs, and stands still while it does not. */
export class RunTime {
  readonly #host: () => number;
  #passed = 0;
  /** Host time at which the machine was started, or null while it stands. */
  #started: number | null = null;

  /** @param host monotonic nanoseconds */
  constructor(host: () => number) {
    this.#host = host;
  }

  /** Nanoseconds that the machine has run. */
  now(): number {
    return this.#started === null ? this.#passed : this.#passed + this.#host() - this.#started;
  }

  start(): void {
    this.#started ??= this.#host();
  }

  stop(): void {
    this.#passed = this.now();
    this.#started = null;
  }
}
