/** Host time that goes into making code, and the longest time for which the guest stood still on that account. For --stats. */

/** The host's clocks, in milliseconds. */
export interface CompileClocks {
  readonly now: () => number;
  /** Processor time that this thread got, where the host tells; somewhat less if not `exact`. */
  readonly threadTime?: ((exact: boolean) => number) | undefined;
}

/** Milliseconds from which on the thread is asked how long it really ran: that is not for nothing. */
const SUSPICIOUS = 2;

export class CompileTime {
  /** Guest code to ops; ops to JavaScript functions (ms, since power on). */
  translating = 0;
  compiling = 0;
  /**
   * The most of both in one call of run(). Where the host runs something else meanwhile, that is not counted: it is the processor time
   * of the thread if that is less.
   */
  longestPause = 0;
  readonly #clocks: CompileClocks;
  /** Of the present run(). */
  #pause = 0;
  /** What lies within the work being timed and is counted already; below 0 if nothing is being timed. */
  #inner = -1;

  constructor(clocks: CompileClocks) {
    this.#clocks = clocks;
  }

  startRun(): void {
    this.#pause = 0;
  }

  endRun(): void {
    this.longestPause = Math.max(this.longestPause, this.#pause);
  }

  /** Does `work` and counts its time, without what is timed within it. */
  time<T>(kind: 'translating' | 'compiling', work: () => T): T {
    const { now, threadTime } = this.#clocks;
    const outer = this.#inner;
    const thread = outer < 0 && threadTime !== undefined ? threadTime(false) : 0;
    this.#inner = 0;
    const begun = now();
    try {
      return work();
    } finally {
      const took = now() - begun;
      this[kind] += took - this.#inner;
      this.#inner = outer < 0 ? -1 : outer + took;
      if (outer < 0) this.#pause += took > SUSPICIOUS && threadTime !== undefined ? Math.min(took, threadTime(true) - thread) : took;
    }
  }
}
