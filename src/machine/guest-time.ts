/**
 * The default virtual time: it follows the host's clock while the machine runs, but never by a jump that the guest would have to notice.
 * A host that stalls (another process, a collection of garbage, code being compiled) would else make a guest miss ticks of its timer,
 * after which its clocks disagree. So time stands still between slices, does not pass the next timer within one, and is behind the host's
 * then; it makes up for that at twice the host's pace, or at once where the guest halts, one timer after the other.
 */
import { RunTime } from './run-time.ts';

/** Virtual time for each of the host's while behind: more would leave a guest no time between its ticks. */
export const CATCH_UP = 2;
/**
 * How far the guest may be behind (ns). A host that swaps, or serves many others, is away for seconds, several times in a row. What is more (a process
 * that was stopped for an hour; a computer that sleeps does not count, since this clock of the host's stands as well) is no time to go through tick by tick:
 * the guest's clocks go on at once by what is more, as QEMU's do by all of it. They still agree, but whoever counts ticks has lost some.
 */
export const BEHIND_MOST = 300_000_000_000;
/** Host time of a slice that counts (ns): what is longer is a stall. */
export const SLICE_MOST = 2_000_000;
/** How much too early a timer may fire in a guest that halts (ns of the host): hosts sleep for whole milliseconds, and waking up for the rest costs more than a tick does. */
export const EARLY_MOST = 1_000_000;
/** A slice may take so much virtual time whatever timers there are (ns): devices have some that are due within microseconds. */
export const SLICE_LEAST = 100_000;

export class GuestTime {
  readonly #host: () => number;
  /** Where time should be. */
  readonly #target: RunTime;
  /** Where it was when the slice that runs began, or the last one ended. */
  #reached = 0;
  /** Host time at which the slice that runs began; null between slices. */
  #began: number | null = null;
  #rate = 1;
  #limit = Infinity;

  /** @param host monotonic nanoseconds */
  constructor(host: () => number) {
    this.#host = host;
    this.#target = new RunTime(host);
  }

  /** Virtual nanoseconds. */
  now(): number {
    if (this.#began === null) return this.#reached;
    const elapsed = Math.min(this.#host() - this.#began, SLICE_MOST);
    return Math.max(this.#reached, Math.min(this.#target.now(), this.#reached + elapsed * this.#rate, this.#limit));
  }

  /** Virtual nanoseconds for each of the host's, where the host does not stall. */
  set pace(pace: number) {
    this.#target.pace = pace;
  }

  /** How fast virtual time goes on now: its pace, or more while it is behind. */
  get speed(): number {
    return this.#target.now() - this.now() > SLICE_LEAST ? this.#rate : this.#target.pace;
  }

  /** Lets so many nanoseconds pass at once. */
  skip(ns: number): void {
    this.#target.skip(ns);
    this.#reached += ns;
  }

  start(): void {
    this.#target.start();
  }

  stop(): void {
    this.endSlice();
    this.#target.stop();
  }

  /**
   * The guest runs from now on.
   * @param deadline of the next timer
   * @param asked an interrupt waits for the guest to take it: then more time is not for it to lose the next one
   */
  beginSlice(deadline: number, asked: boolean): void {
    const { pace } = this.#target;
    this.#reached = Math.max(this.#reached, this.#target.now() - BEHIND_MOST * pace);
    this.#rate = asked ? pace : pace * CATCH_UP;
    this.#limit = Math.max(Math.ceil(deadline), this.#reached + SLICE_LEAST);
    this.#began = this.#host();
  }

  endSlice(): void {
    this.#reached = this.now();
    this.#began = null;
  }

  /** The guest halts: time goes on to where it should be, `deadline` at most, or to a deadline that is as good as there. */
  idle(deadline: number): void {
    const now = this.#target.now(), due = Math.ceil(deadline);
    this.#reached = Math.max(this.#reached, due <= now + EARLY_MOST * this.#target.pace ? due : now);
  }
}
