/** Host time that goes into making code, and the longest time for which the guest stood still on that account. For --stats. */

/** The host's clocks, in milliseconds. */
export interface CompileClocks {
  readonly now: () => number;
  /** Processor time that this process got, where the host tells. */
  readonly processorTime?: (() => number) | undefined;
}

export class CompileTime {
  /** Guest code to ops; ops to JavaScript functions (ms, since power on). */
  translating = 0;
  compiling = 0;
  /**
   * The most of both in one call of run(). Where the host runs other processes meanwhile, that is not counted: it is the processor time
   * of the process if that is less.
   */
  longestPause = 0;
  readonly #clocks: CompileClocks;
  /** Of the present run(). */
  #pause = 0;
  #processorTime = 0;
  /** What lies within the work being timed and is counted already; below 0 if nothing is being timed. */
  #inner = -1;

  constructor(clocks: CompileClocks) {
    this.#clocks = clocks;
  }

  startRun(): void {
    this.#pause = 0;
  }

  endRun(): void {
    if (this.#pause <= this.longestPause) return;
    const { processorTime } = this.#clocks;
    const got = processorTime === undefined ? Infinity : processorTime() - this.#processorTime;
    this.longestPause = Math.max(this.longestPause, Math.min(this.#pause, got));
  }

  /** Does `work` and counts its time, without what is timed within it. */
  time<T>(kind: 'translating' | 'compiling', work: () => T): T {
    const { now, processorTime } = this.#clocks;
    const outer = this.#inner;
    if (this.#pause === 0 && processorTime !== undefined) this.#processorTime = processorTime();
    this.#inner = 0;
    const begun = now();
    try {
      return work();
    } finally {
      const took = now() - begun;
      this[kind] += took - this.#inner;
      this.#inner = outer < 0 ? -1 : outer + took;
      if (outer < 0) this.#pause += took;
    }
  }
}
