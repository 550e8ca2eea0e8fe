/**
 * Virtual time of a processor that is slowed to so many million instructions a second (`-accel tcg,speed=MIPS`). It follows the host's clock, but is
 * made of instructions while the guest runs: each takes 1/MIPS us, so the guest finds its processor evenly slow, whatever it measures by and however short
 * that is. The host is faster: where the guest is ahead of the host's clock the machine sleeps (`due` is 0).
 *
 * Time without instructions passes in two cases: while the guest halts, and where the host is too slow for the processor that was asked for.
 * A host that stalls is made up for at twice the pace; its guest runs twice as many instructions a second then, and sees nothing of it.
 */
import { BEHIND_MOST, CATCH_UP, EARLY_MOST, SLICE_LEAST, SLICE_MOST } from './guest-time.ts';
import { RunTime } from './run-time.ts';

/** Million instructions a second that can be asked for. */
export const SPEED_MIN = 0.01, SPEED_MAX = 10_000;
/** How far the guest runs ahead of the host's clock before the machine sleeps, and for how long at least it runs then (ns of virtual time). */
const AHEAD = 4_000_000, RUN_LEAST = 500_000;
/** Host time between two looks at its clock that counts (ns): a busy host's sleeps take tens of milliseconds, which twice as much makes up for, and what is longer is a stall. */
const LOOK_MOST = 25_000_000;
/** How much more time the host may take for the guest's instructions, in total, before time passes without them (ns): code that runs first is translated, and is fast then. */
const LAG_MOST = 10_000_000;

/** What is wrong with a speed, in a few words; null if nothing is. */
export function speedProblem(speed: number): string | null {
  return speed >= SPEED_MIN && speed <= SPEED_MAX ? null : `speed=${speed} is not between ${SPEED_MIN} and ${SPEED_MAX} million instructions a second`;
}

export class SlowTime {
  /** Instructions for each nanosecond. */
  readonly rate: number;
  /** Virtual nanoseconds for each of the host's while the guest need not wait for the host: see Board.turning. */
  pace = 1;
  readonly #host: () => number;
  readonly #retired: () => number;
  /** Nanoseconds of an instruction. */
  readonly #step: number;
  /** Where time should be. */
  readonly #target: RunTime;
  /** Nanoseconds that passed without instructions. */
  #skipped = 0;
  /** The host's clock as the guest may follow it, without its stalls, and when it was looked at. */
  #goal = 0;
  #looked = 0;
  /** By how much instructions took longer on the host than in virtual time, up to LAG_MOST. */
  #lag = 0;
  /** Host time at which the slice that runs began; null between slices. */
  #began: number | null = null;
  #from = 0;
  #limit = Infinity;
  #hostRate = 1;
  #spent = false;

  /**
   * @param speed million instructions a second
   * @param retired instructions since power on, exact at any moment
   * @param host monotonic nanoseconds
   * @throws RangeError for a speed that speedProblem() rejects
   */
  constructor(speed: number, retired: () => number, host: () => number) {
    const problem = speedProblem(speed);
    if (problem !== null) throw new RangeError(problem);
    this.rate = speed / 1000;
    this.#step = 1000 / speed;
    this.#retired = retired;
    this.#host = host;
    this.#target = new RunTime(host);
  }

  /** Virtual nanoseconds. */
  now(): number {
    const made = this.#skipped + this.#retired() * this.#step;
    if (this.#began === null || this.#lag + SLICE_MOST * CATCH_UP <= LAG_MOST) return made;
    return Math.max(made, Math.min(this.#from + this.#lag + this.#elapsed() - LAG_MOST, this.#limit, this.#target.now()));
  }

  /** Lets so many nanoseconds pass at once. */
  skip(ns: number): void {
    this.#target.skip(ns);
    this.#skipped += ns;
    this.#goal += ns;
  }

  start(): void {
    this.#target.start();
    this.#looked = this.#host();
  }

  stop(): void {
    if (this.#began !== null) this.endSlice();
    this.#target.stop();
  }

  /** due() has nothing. */
  get spent(): boolean {
    return this.#spent;
  }

  /** Instructions that the guest may run now, until the next timer at most; 0: it has done what its speed allows, and waits for the host. */
  due(deadline: number): number {
    this.#look();
    const now = this.now(), left = this.#goal + AHEAD - now;
    this.#spent = left < Math.max(this.#step, RUN_LEAST);
    return this.#spent ? 0 : Math.min(Math.floor(left / this.#step), Math.max(1, Math.ceil((deadline - now) / this.#step)));
  }

  /** The guest runs what is due. Parameters as in GuestTime. */
  beginSlice(deadline: number, asked: boolean): void {
    this.#from = this.now();
    this.#limit = Math.max(Math.ceil(deadline), this.#from + SLICE_LEAST);
    this.#hostRate = !asked && this.#target.now() - this.#from > LAG_MOST ? CATCH_UP : 1;
    this.#began = this.#host();
  }

  endSlice(): void {
    const now = this.now();
    this.#lag = Math.max(0, Math.min(LAG_MOST, this.#lag + this.#elapsed() - (now - this.#from)));
    this.#began = null;
    this.#passTo(now);
    // Where the guest went on without the host, the host's clock is where the guest is.
    if (this.pace > 1) this.#target.skip(Math.max(0, now - this.#target.now() - AHEAD));
  }

  /** The guest halts: time goes on to where it should be, `deadline` at most, or to a deadline that is as good as there. */
  idle(deadline: number): void {
    const now = this.#target.now(), due = Math.ceil(deadline);
    this.#passTo(due <= now + EARLY_MOST ? due : now);
    this.#goal = Math.max(this.#goal, this.now());
  }

  /** Of the slice that runs, as it counts. */
  #elapsed(): number {
    return Math.min(this.#host() - this.#began!, SLICE_MOST) * this.#hostRate;
  }

  #look(): void {
    const host = this.#host(), passed = Math.min(host - this.#looked, LOOK_MOST), target = this.#target.now();
    this.#looked = host;
    this.#passTo(target - BEHIND_MOST);
    this.#goal = this.pace > 1 ? Math.min(this.#goal + passed * this.pace, this.now() + LOOK_MOST * this.pace) : Math.min(Math.max(this.#goal, target - BEHIND_MOST) + passed * CATCH_UP, target);
  }

  /** Time is at least `time`, without instructions. */
  #passTo(time: number): void {
    this.#skipped += Math.max(0, time - this.now());
  }
}
