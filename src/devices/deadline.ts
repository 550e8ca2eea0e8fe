/**
 * Work of a device that ends at a virtual deadline, or when the host answers if that is later (unless the clock waits for it).
 * One piece of work at a time: starting another, or cancelling, drops the answer to the one before.
 */

import type { Clock, Timer } from './device.ts';

export type Answer = (error?: Error) => void;

export class DeadlineWork {
  readonly #timer: Timer;
  readonly #due: (error: Error | undefined) => void;
  #generation = 0;
  #answered = true;
  #error: Error | undefined;

  /** @param due called once for each piece of work that was not dropped, with the host's error if there was one */
  constructor(clock: Clock, name: string, due: (error: Error | undefined) => void) {
    this.#due = due;
    this.#timer = clock.timer(name, () => {
      if (this.#answered) this.#end();
    }, () => this.#answered);
  }

  /** @param ask starts the host's part, if there is one; it may answer at once */
  start(deadline: number, ask: ((answer: Answer) => void) | null): void {
    this.cancel();
    this.#timer.arm(deadline);
    if (ask === null) return;
    const generation = this.#generation;
    this.#answered = false;
    ask((error) => {
      if (generation !== this.#generation || this.#answered) return;
      this.#answered = true;
      this.#error = error;
      // Until the deadline the timer ends the work; after it, the work has been waiting for this answer.
      if (!this.#timer.armed) this.#end();
    });
  }

  cancel(): void {
    this.#timer.cancel();
    this.#generation++;
    this.#answered = true;
    this.#error = undefined;
  }

  #end(): void {
    const error = this.#error;
    this.#error = undefined;
    this.#due(error);
  }
}
