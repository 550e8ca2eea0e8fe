/** Virtual time that follows the host's clock while the machine runs, and stands still while it does not. It may be sent ahead. */
export class RunTime {
  readonly #host: () => number;
  #passed = 0;
  #pace = 1;
  /** Host time at which the machine was started, or null while it stands. */
  #started: number | null = null;

  /** @param host monotonic nanoseconds */
  constructor(host: () => number) {
    this.#host = host;
  }

  /** Nanoseconds that the machine has run. */
  now(): number {
    return this.#started === null ? this.#passed : this.#passed + (this.#host() - this.#started) * this.#pace;
  }

  /** Virtual nanoseconds for each of the host's. */
  get pace(): number {
    return this.#pace;
  }

  set pace(pace: number) {
    if (pace === this.#pace) return;
    const now = this.now();
    if (this.#started !== null) this.#started = this.#host();
    this.#passed = now;
    this.#pace = pace;
  }

  /** Lets so many nanoseconds pass at once. */
  skip(ns: number): void {
    this.#passed += ns;
  }

  start(): void {
    this.#started ??= this.#host();
  }

  stop(): void {
    this.#passed = this.now();
    this.#started = null;
  }
}
