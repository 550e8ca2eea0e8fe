/**
 * Virtual time made of instructions (`-icount`): each one that retires takes 2^shift ns, so that time depends on nothing but
 * what the guest does. While the processor halts there are none: then time waits for the host until the next timer is due, or
 * (sleep off) jumps there. Either way it stands at the deadline exactly when the timer fires.
 *
 * shift=auto changes the shift now and then so that virtual time keeps up with the host's; runs then differ.
 * Options and their meaning: qemu(1), -icount.
 */
import { RunTime } from './run-time.ts';

export interface IcountOptions {
  /** Nanoseconds of an instruction: 2^shift, 0 to 10. */
  readonly shift: number | 'auto';
  /** Time goes on at the host's pace while the processor halts (default); off: it jumps to the next timer. */
  readonly sleep?: boolean;
  /** A host that is faster than virtual time waits for it (default off). */
  readonly align?: boolean;
}

export const SHIFT_MAX = 10;
/** Where shift=auto begins: 125 million instructions a second. */
const AUTO_SHIFT = 3;
/** Host time between two looks at the shift, and how far time may be off before it changes (ns). */
const ADAPT_INTERVAL = 100_000_000, TOLERANCE = 50_000_000;
/** How far virtual time may be ahead of the host's with align=on (ns). */
const ALIGNED = 3_000_000;
/** Most host time by which a sleep may have been too long that the next one makes up for (ns). */
const LATE_MAX = 20_000_000;

/** What is wrong with the options, in a few words; null if nothing is. */
export function icountProblem({ shift, sleep, align }: IcountOptions): string | null {
  if (sleep === false && align === true) return 'align=on and sleep=off exclude each other';
  if (shift === 'auto') return sleep === false || align === true ? `shift=auto and ${sleep === false ? 'sleep=off' : 'align=on'} exclude each other` : null;
  return Number.isInteger(shift) && shift >= 0 && shift <= SHIFT_MAX ? null : `shift=${shift} is neither auto nor 0 to ${SHIFT_MAX}`;
}

export class InstructionTime {
  /** The host's time while the machine runs. */
  readonly host: RunTime;
  readonly #retired: () => number;
  readonly #auto: boolean;
  readonly #sleep: boolean;
  readonly #align: boolean;
  /** Nanoseconds of an instruction. */
  #step: number;
  /** Nanoseconds that passed without instructions. */
  #skipped = 0;
  /** How far host time is ahead while the processor halts, null while it runs; with shift=auto always 0. */
  #ahead: number | null;
  /** By how much the last sleep was too long. */
  #late = 0;
  #adaptAt = ADAPT_INTERVAL;
  #behindBefore = 0;

  /**
   * @param retired instructions since power on, exact at any moment
   * @param hostNow the host's monotonic nanoseconds
   * @throws RangeError for options that icountProblem() rejects
   */
  constructor(options: IcountOptions, retired: () => number, hostNow: () => number) {
    const problem = icountProblem(options);
    if (problem !== null) throw new RangeError(problem);
    this.#retired = retired;
    this.host = new RunTime(hostNow);
    this.#auto = options.shift === 'auto';
    this.#sleep = options.sleep !== false;
    this.#align = options.align === true;
    this.#step = 2 ** (options.shift === 'auto' ? AUTO_SHIFT : options.shift);
    this.#ahead = this.#auto ? 0 : null;
  }

  /** Virtual nanoseconds. */
  now(): number {
    return this.#skipped + this.#retired() * this.#step;
  }

  start(): void {
    this.host.start();
    // Where in a sleep the machine was stopped must not show.
    this.busy();
  }

  stop(): void {
    this.host.stop();
  }

  /** Nanoseconds of so many instructions. */
  duration(instructions: number): number {
    return instructions * this.#step;
  }

  /** Instructions until `deadline`, 1 to `most`. */
  until(deadline: number, most: number): number {
    return Math.max(1, Math.min(most, Math.ceil((deadline - this.now()) / this.#step)));
  }

  /** Nanoseconds for which the host is to wait before more instructions run (align=on), 0: none. */
  early(): number {
    if (!this.#align) return 0;
    const early = this.now() - this.host.now();
    return early > ALIGNED ? early : 0;
  }

  /**
   * The processor halts, and the next timer is due at `deadline`: lets time pass towards it.
   * Returns how many nanoseconds the host is to wait before the next call; 0: the deadline is reached.
   */
  idle(deadline: number): number {
    const now = this.now(), end = Math.ceil(deadline);
    if (end <= now) return 0;
    if (!this.#sleep) {
      if (end < Infinity) this.#skipped += end - now;
      return end < Infinity ? 0 : Infinity;
    }
    this.#ahead ??= this.host.now() - now - this.#late;
    const reached = Math.max(now, Math.floor(this.host.now() - this.#ahead));
    this.#late = Math.max(0, Math.min(LATE_MAX, reached - end));
    this.#skipped += Math.min(reached, end) - now;
    return Math.max(0, end - reached);
  }

  /** The host comes back from waiting, perhaps early: the time that it took has passed. */
  slept(deadline: number): void {
    if (this.#sleep && this.#ahead !== null) this.idle(deadline);
  }

  /** Instructions retire again. */
  busy(): void {
    if (!this.#auto) this.#ahead = null;
  }

  /** shift=auto: one step faster or slower if time is off and does not come nearer by itself. */
  adapt(): void {
    if (!this.#auto || this.host.now() < this.#adaptAt) return;
    this.#adaptAt = this.host.now() + ADAPT_INTERVAL;
    const now = this.now(), behind = this.host.now() - now;
    if (behind > TOLERANCE && behind >= this.#behindBefore) this.#setStep(Math.min(2 ** SHIFT_MAX, this.#step * 2), now);
    else if (behind < -TOLERANCE && behind <= this.#behindBefore) this.#setStep(Math.max(1, this.#step / 2), now);
    this.#behindBefore = behind;
  }

  /** Nothing jumps: what passed so far has passed. */
  #setStep(step: number, now: number): void {
    this.#step = step;
    this.#skipped = now - this.#retired() * step;
  }
}
