/**
 * Virtual time: a monotonic count of nanoseconds taken from an injected source (the host's clock, or retired instructions),
 * and the timers that wait for it. Also the exact conversion between nanoseconds and the ticks of an oscillator.
 *
 * Timers are a binary heap ordered by deadline, then by the order in which they were armed; so two runs that arm the same
 * timers fire them in the same order.
 */
import type { Clock, Timer } from './device.ts';

export const NS_PER_SECOND = 1_000_000_000;

class HeapTimer implements Timer {
  readonly name: string;
  readonly callback: () => void;
  readonly ready: () => boolean;
  readonly #heap: TimerHeap;
  deadline = 0;
  /** Order of arming; breaks ties. */
  sequence = 0;
  /** Position in the heap, -1 when not armed. */
  position = -1;

  constructor(heap: TimerHeap, name: string, callback: () => void, ready: () => boolean) {
    this.#heap = heap;
    this.name = name;
    this.callback = callback;
    this.ready = ready;
  }

  get armed(): boolean {
    return this.position >= 0;
  }

  arm(deadline: number): void {
    if (this.position >= 0) this.#heap.remove(this);
    this.deadline = deadline;
    this.#heap.add(this);
  }

  cancel(): void {
    if (this.position >= 0) this.#heap.remove(this);
  }
}

class TimerHeap {
  readonly items: HeapTimer[] = [];
  #sequence = 0;

  add(timer: HeapTimer): void {
    timer.sequence = this.#sequence++;
    timer.position = this.items.length;
    this.items.push(timer);
    this.#up(timer);
  }

  remove(timer: HeapTimer): void {
    const hole = timer.position;
    timer.position = -1;
    const last = this.items.pop() as HeapTimer;
    if (last === timer) return;
    this.#put(last, hole);
    this.#up(last);
    this.#down(last);
  }

  #up(timer: HeapTimer): void {
    while (timer.position > 0) {
      const position = timer.position;
      const parent = this.items[(position - 1) >> 1];
      if (!before(timer, parent)) return;
      this.#put(timer, parent.position);
      this.#put(parent, position);
    }
  }

  #down(timer: HeapTimer): void {
    for (;;) {
      const position = timer.position;
      let child = this.items[2 * position + 1];
      const right = this.items[2 * position + 2];
      if (right && before(right, child)) child = right;
      if (!child || !before(child, timer)) return;
      this.#put(timer, child.position);
      this.#put(child, position);
    }
  }

  #put(timer: HeapTimer, position: number): void {
    this.items[position] = timer;
    timer.position = position;
  }
}

const always = (): boolean => true;

const before = (a: HeapTimer, b: HeapTimer): boolean => a.deadline < b.deadline || (a.deadline === b.deadline && a.sequence < b.sequence);

export class VirtualClock implements Clock {
  readonly #source: () => number;
  readonly #heap = new TimerHeap();
  #last = 0;
  /** Called when the earliest deadline moved nearer, so that a run loop can shorten its slice. */
  onEarlier: (() => void) | null = null;
  /** Time is to stand still at a timer whose host is late, so that runs repeat; else the timer fires and the work ends later. */
  waitsForHost = false;

  /** @param source virtual nanoseconds, read whenever a device asks; a value that goes back is ignored */
  constructor(source: () => number) {
    this.#source = source;
  }

  now(): number {
    const now = Math.floor(this.#source());
    if (now > this.#last) this.#last = now;
    return this.#last;
  }

  timer(name: string, callback: () => void, ready: () => boolean = always): Timer {
    const heap = this.#heap;
    const timer = new HeapTimer(heap, name, callback, ready);
    return {
      get armed() {
        return timer.armed;
      },
      get deadline() {
        return timer.deadline;
      },
      arm: (deadline) => {
        timer.arm(deadline);
        if (heap.items[0] === timer) this.onEarlier?.();
      },
      cancel: () => timer.cancel(),
    };
  }

  /** Deadline (ns) of the earliest armed timer; Infinity if there is none. */
  nextDeadline(): number {
    return this.#heap.items.length > 0 ? this.#heap.items[0].deadline : Infinity;
  }

  /**
   * Fires all timers that are due, in order, those included that a callback arms for a time already past.
   * False if it stopped at one that waits for the host: then no time may pass before the next call.
   */
  runTimers(): boolean {
    const { items } = this.#heap;
    while (items.length > 0 && items[0].deadline <= this.now()) {
      const timer = items[0];
      if (this.waitsForHost && !timer.ready()) return false;
      timer.cancel();
      timer.callback();
    }
    return true;
  }

  /** Name and deadline of every armed timer, earliest first. */
  pending(): { name: string; deadline: number }[] {
    return [...this.#heap.items].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ name, deadline }) => ({ name, deadline }));
  }
}

/** Whole ticks of an oscillator of `hz` that have passed at time `ns`. Exact for hz below 9 MHz. */
export function ticksAt(ns: number, hz: number): number {
  const seconds = Math.floor(ns / NS_PER_SECOND);
  return seconds * hz + Math.floor(((ns - seconds * NS_PER_SECOND) * hz) / NS_PER_SECOND);
}

/** The first nanosecond at which ticksAt(ns, hz) reaches `tick`. Exact for hz below 9 MHz. */
export function nsOfTick(tick: number, hz: number): number {
  const seconds = Math.floor(tick / hz);
  return seconds * NS_PER_SECOND + Math.ceil(((tick - seconds * hz) * NS_PER_SECOND) / hz);
}
