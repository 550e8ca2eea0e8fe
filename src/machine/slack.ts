/**
 * How much longer than asked a machine sleeps: a guest that does little more than tick, 250 times a second for Linux, gets several ticks at
 * once. The first one after a sleep takes five times as long as the next (caches and branch predictors that others have filled, the host's
 * timers), and the guest does not see the difference: in virtual time each timer fires when it is due. The host sees it fire up to
 * `SLACK_MOST` late, which is less than a frame of a film. As soon as something comes from outside, or the guest has more to do, its timers
 * are served when they are due.
 */

/** (ns) */
const SLACK_MOST = 28_000_000;
/** The same as a multiple of the sleep: a guest that asks for short ones minds more. */
const SLACK_FACTOR = 7;
/** A guest that runs fewer instructions in a nanosecond does little: two million a second, twice what Linux takes to tick. */
const QUIET = 0.002;
/** As a share of what a slowed processor can: it does not do little because it does not get further. */
const QUIET_SHARE = 0.1;
/** A guest that may have something to do: it is taken for a quiet one after a hundred sleeps. */
const BUSY = 1;
/** Weight of the last sleep in what is known of those before. */
const WEIGHT = 1 / 16;
/** Nothing wakes a sleeper so much too early (ns), but what comes from outside. */
const EARLY = 1_500_000;

export class Slack {
  /** Instructions for each nanosecond of the host. */
  #rate = BUSY;
  /** Host time at which the machine began to sleep, and instructions that had been retired then. */
  #began = 0;
  #retired = 0;
  readonly #quiet: number;

  /** @param most instructions for each nanosecond of which the processor is capable */
  constructor(most = Infinity) {
    this.#quiet = Math.min(QUIET, most * QUIET_SHARE);
  }

  /** The guest does little. */
  get quiet(): boolean {
    return this.#rate < this.#quiet;
  }

  /**
   * The machine is to sleep from `now` on, for `wait`; returns for how much longer it may. All in ns of the host.
   * @param retired guest instructions so far
   */
  begin(now: number, wait: number, retired: number): number {
    this.#rate += ((retired - this.#retired) / (now - this.#began) - this.#rate) * WEIGHT;
    this.#retired = retired;
    this.#began = now;
    return this.quiet ? Math.min(SLACK_FACTOR * wait, SLACK_MOST) : 0;
  }

  /** It was to sleep for so long, and woke up at `now`. */
  end(now: number, wait: number): void {
    if (now - this.#began < wait - EARLY) this.#rate = BUSY;
  }
}
