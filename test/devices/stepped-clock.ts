import { VirtualClock } from '../../src/devices/clock.ts';

/** A clock that stands still until it is stepped; timers then fire at exactly their deadlines. */
export class SteppedClock extends VirtualClock {
  readonly #time: { ns: number };

  constructor() {
    const time = { ns: 0 };
    super(() => time.ns);
    this.#time = time;
  }

  step(ns: number): void {
    const end = this.#time.ns + ns;
    while (this.nextDeadline() <= end) {
      this.#time.ns = Math.max(this.#time.ns, this.nextDeadline());
      this.runTimers();
    }
    this.#time.ns = end;
  }

  /** Moves on without running timers, as a run loop does within a slice. */
  skip(ns: number): void {
    this.#time.ns += ns;
  }
}
