/**
 * How much longer than asked a machine sleeps: a guest that does little more than tick, 250 times a second for Linux, gets its ticks in
 * pairs. Waking up costs more than a tick does (the host's timers, caches that others have filled), and the guest does not see the
 * difference: in virtual time each timer fires when it is due. The host sees it fire up to `SLACK_MOST` late. As soon as something comes from
 * outside, or the guest has more to do, its timers are served when they are due.
 */

/** (ns) */
const SLACK_MOST = 4_000_000;
/** A guest that is awake for less of its time does little. */
const QUIET = 1 / 8;
/** Weight of the last sleep in what is known of those before. */
const WEIGHT = 1 / 16;
/** Nothing wakes a sleeper so much too early (ns), but what comes from outside. */
const EARLY = 1_500_000;

export class Slack {
  /** Share of its time for which the machine was awake. */
  #awake = 1;
  /** Host time at which it began to sleep, and at which it woke up. */
  #began = 0;
  #woke = 0;

  /** The machine is to sleep from `now` on, for `wait`; returns for how much longer it may. All in ns of the host. */
  begin(now: number, wait: number): number {
    const awake = now - this.#woke;
    this.#awake += (awake / (awake + wait) - this.#awake) * WEIGHT;
    this.#began = now;
    return this.#awake < QUIET ? Math.min(wait, SLACK_MOST) : 0;
  }

  /** It was to sleep for so long, and woke up at `now`. */
  end(now: number, wait: number): void {
    if (now - this.#began < wait - EARLY) this.#awake = 1;
    this.#woke = now;
  }
}
