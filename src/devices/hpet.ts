/**
 * The high precision event timer: a counter of 64 bits at 100 MHz, and three comparators with an interrupt each. 4 KB at FED00000h.
 *
 *     000 (8)  capabilities: revision 7-0, last timer 12-8, 64 bits 13, legacy replacement 15, vendor 31-16; femtoseconds a tick 63-32
 *     010      configuration: 0 the counter runs, interrupts are on; 1 legacy replacement      020  interrupt status, cleared by ones
 *     0F0 (8)  main counter                                                                    110 + 20h * n  FSB route of timer n: none
 *     100 + 20h * n (8)  timer n: 1 level, 2 interrupt on, 3 periodic, 4 can be, 5 64 bits, 6 set the accumulator, 8 32 bits only, 13-9 route;
 *                        63-32 routes that there are
 *     108 + 20h * n (8)  comparator: the count to come next; in periodic mode a write is the period, and the count too if bit 6 was set
 *
 * With legacy replacement timer 0 is interrupt 0 and timer 1 interrupt 8, in place of the 8254 and the clock chip. Otherwise a timer can have
 * input 2 of the I/O APIC, as on QEMU's PC. The line of an edge stays high to the next edge: an 8259 forgets a request whose line falls.
 *
 * Nothing counts: counts follow from the clock, and a tick is exactly 10 ns. A comparator that has just been passed waits for the counter to come
 * round again, as in hardware. Source: Intel IA-PC HPET Specification 1.0a, chapter 2.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';

export const HPET_BASE = 0xfed00000;
const TIMERS = 3, NS_PER_TICK = 10;
const REVISION = 1, COUNTER_64 = 1 << 13, LEGACY_CAPABLE = 1 << 15, VENDOR = 0x8086;
const CAPABILITIES = REVISION | TIMERS - 1 << 8 | COUNTER_64 | LEGACY_CAPABLE | VENDOR << 16, PERIOD_FS = NS_PER_TICK * 1_000_000;
const ENABLE = 1, LEGACY = 2;
const LEVEL = 1 << 1, INTERRUPT = 1 << 2, PERIODIC = 1 << 3, CAN_PERIODIC = 1 << 4, CAN_64 = 1 << 5, SET_COUNT = 1 << 6, ONLY_32 = 1 << 8;
const WRITABLE = LEVEL | INTERRUPT | PERIODIC | SET_COUNT | ONLY_32, ROUTE_SHIFT = 9, ROUTE_BITS = 31 << ROUTE_SHIFT;
/** Inputs of the I/O APIC that a timer can have. */
const ROUTE = 2, ROUTES = 1 << ROUTE;
const WORD = 2 ** 32;
/** Ticks that no run lasts: more than a year. */
const NEVER_DISTANCE = 2 ** 52, NEVER = -1;
/** Ticks: a period that is shorter is looked at no more often, as no processor could serve it. */
const SHORTEST = 500;

export interface HpetOptions {
  clock: Clock;
  /** Interrupts 0 and 8, and input 2 of the I/O APIC. */
  timerIrq: IrqLine;
  rtcIrq: IrqLine;
  routed: IrqLine;
}

export class Hpet implements Device {
  readonly name = 'hpet';
  readonly state = new DeviceState(1, {
    config: 0, status: 0,
    /** The counter at tick `start` of the clock; as it stands while it does not run. */
    low: 0, high: 0, start: 0,
    timer: new Uint32Array(TIMERS).fill(CAN_PERIODIC | CAN_64),
    countLow: new Uint32Array(TIMERS).fill(0xffffffff), countHigh: new Uint32Array(TIMERS).fill(0xffffffff),
    periodLow: new Uint32Array(TIMERS), periodHigh: new Uint32Array(TIMERS),
    /** Tick of the clock at which the counter comes to the comparator. */
    next: new Float64Array(TIMERS).fill(NEVER),
    /** Timers that have had an edge since their interrupt was turned on. */
    edges: 0,
  });
  readonly io: IoRegion = {
    name: this.name, size: 4096, minAccess: 4, maxAccess: 4,
    read: (offset) => this.#read(offset),
    write: (offset, value) => this.#write(offset, value >>> 0),
  };
  /** Outputs of the 8254 and of the clock chip, which go through here. */
  readonly pit: IrqLine;
  readonly rtc: IrqLine;
  readonly #options: HpetOptions;
  readonly #timer: Timer;
  #pitLevel = false;
  #rtcLevel = false;

  constructor(options: HpetOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(this.name, () => this.#update());
    this.pit = { set: (level) => {
      this.#pitLevel = level;
      if (!this.#legacy) options.timerIrq.set(level);
    } };
    this.rtc = { set: (level) => {
      this.#rtcLevel = level;
      if (!this.#legacy) options.rtcIrq.set(level);
    } };
  }

  reset(): void {
    this.state.reset();
    this.#drive();
    this.#arm();
  }

  restored(): void {
    this.#drive();
    this.#arm();
  }

  get #running(): boolean {
    return (this.state.fields.config & ENABLE) !== 0;
  }

  get #legacy(): boolean {
    return (this.state.fields.config & (ENABLE | LEGACY)) === (ENABLE | LEGACY);
  }

  #tick(): number {
    return Math.floor(this.#options.clock.now() / NS_PER_TICK);
  }

  /** The counter's low half plus what has gone by, not yet cut to 32 bits. */
  #sum(tick: number): number {
    const { fields: f } = this.state;
    return f.low + (this.#running ? tick - f.start : 0);
  }

  #counterLow(tick: number): number {
    return this.#sum(tick) % WORD;
  }

  #counterHigh(tick: number): number {
    return (this.state.fields.high + Math.floor(this.#sum(tick) / WORD)) % WORD;
  }

  /** Comparators that the counter has come to by now, their interrupts, and when to look again. */
  #update(): void {
    const tick = this.#tick();
    let matched = 0;
    for (let i = 0; i < TIMERS; i++) {
      if (this.#match(i, tick)) matched |= 1 << i;
    }
    if (matched !== 0) this.#drive(matched);
    this.#arm(tick);
  }

  /** Whether timer `i` has come to its comparator, which goes on if it is periodic. */
  #match(i: number, tick: number): boolean {
    const { fields: f } = this.state, next = f.next[i]!, mode = f.timer[i]!;
    if (next === NEVER || tick < next) return false;
    const only32 = (mode & ONLY_32) !== 0, period = (mode & PERIODIC) !== 0 ? f.periodHigh[i]! * WORD + f.periodLow[i]! : 0;
    const step = period || (only32 ? WORD : NEVER_DISTANCE), steps = Math.floor((tick - next) / step) + 1, way = steps * step;
    f.next[i] = step >= NEVER_DISTANCE ? NEVER : next + way;
    if (period !== 0) {
      const sum = f.countLow[i]! + way % WORD;
      f.countLow[i] = sum % WORD;
      if (!only32) f.countHigh[i] = (f.countHigh[i]! + Math.floor(way / WORD) + Math.floor(sum / WORD)) % WORD;
    }
    if ((mode & LEVEL) !== 0) f.status |= 1 << i;
    else if ((mode & INTERRUPT) !== 0) f.edges |= 1 << i;
    return true;
  }

  /** When the counter comes to timer i's comparator. @param now it does so if it is there already; else it has been there */
  #schedule(i: number, tick: number, now: boolean): void {
    const { fields: f } = this.state;
    f.next[i] = NEVER;
    if (!this.#running) return;
    let distance: number;
    if ((f.timer[i]! & ONLY_32) !== 0) {
      distance = (f.countLow[i]! - this.#counterLow(tick) + WORD) % WORD || (now ? 0 : WORD);
    } else {
      const low = f.countLow[i]! - this.#counterLow(tick);
      const high = (f.countHigh[i]! - this.#counterHigh(tick) - (low < 0 ? 1 : 0) + WORD) % WORD;
      distance = high * WORD + (low < 0 ? low + WORD : low) || (now ? 0 : NEVER_DISTANCE);
    }
    if (distance < NEVER_DISTANCE) f.next[i] = tick + distance;
  }

  #scheduleAll(tick: number): void {
    for (let i = 0; i < TIMERS; i++) this.#schedule(i, tick, false);
  }

  /** Waits for the next match that raises an interrupt; others show when the guest reads. */
  #arm(tick = this.#tick()): void {
    const { fields: f } = this.state;
    let first = Infinity;
    for (let i = 0; i < TIMERS; i++) {
      const next = f.next[i]!;
      if (next === NEVER || (f.timer[i]! & INTERRUPT) === 0) continue;
      first = Math.min(first, (f.timer[i]! & PERIODIC) !== 0 ? Math.max(next, tick + SHORTEST) : next);
    }
    if (first === Infinity) this.#timer.cancel();
    else this.#timer.arm(first * NS_PER_TICK);
  }

  #level(i: number): boolean {
    const { fields: f } = this.state, mode = f.timer[i]!;
    return this.#running && (mode & INTERRUPT) !== 0 && (((mode & LEVEL) !== 0 ? f.status : f.edges) >> i & 1) !== 0;
  }

  /** All outputs. @param matched timers whose edge has just come */
  #drive(matched = 0): void {
    const { timerIrq, rtcIrq, routed } = this.#options, { timer } = this.state.fields, legacy = this.#legacy;
    const edges = (of: number): boolean => [0, 1, 2].some((i) => (of & matched & 1 << i) !== 0 && (timer[i]! & LEVEL) === 0);
    let routes = 0;
    for (let i = legacy ? 2 : 0; i < TIMERS; i++) {
      if ((timer[i]! & ROUTE_BITS) >> ROUTE_SHIFT === ROUTE) routes |= 1 << i;
    }
    const out = (line: IrqLine, level: boolean, edge: boolean): void => {
      if (edge && level) line.set(false);
      line.set(level);
    };
    out(timerIrq, legacy ? this.#level(0) : this.#pitLevel, legacy && edges(1));
    out(rtcIrq, legacy ? this.#level(1) : this.#rtcLevel, legacy && edges(2));
    out(routed, [0, 1, 2].some((i) => (routes >> i & 1) !== 0 && this.#level(i)), edges(routes));
  }

  #read(offset: number): number {
    const { fields: f } = this.state;
    switch (offset) {
      case 0x00: return CAPABILITIES;
      case 0x04: return PERIOD_FS;
      case 0x10: return f.config;
      case 0x20:
        this.#update();
        return f.status;
      case 0xf0: return this.#counterLow(this.#tick());
      case 0xf4: return this.#counterHigh(this.#tick());
    }
    const i = offset - 0x100 >> 5;
    if (i < 0 || i >= TIMERS) return 0;
    switch (offset & 0x1f) {
      case 0x00: return f.timer[i]! & ~SET_COUNT;
      case 0x04: return ROUTES;
      case 0x08: case 0x0c:
        this.#update();
        return ((offset & 4) === 0 ? f.countLow : f.countHigh)[i]!;
    }
    return 0;
  }

  #write(offset: number, value: number): void {
    this.#update();
    const { fields: f } = this.state, tick = this.#tick(), i = offset - 0x100 >> 5;
    if (offset === 0x10) this.#configure(value & (ENABLE | LEGACY), tick);
    else if (offset === 0x20) f.status &= ~value;
    else if (offset === 0xf0) this.#setCounter(value, this.#counterHigh(tick), tick);
    else if (offset === 0xf4) this.#setCounter(this.#counterLow(tick), value, tick);
    else if (i >= 0 && i < TIMERS) {
      if ((offset & 0x1f) === 0) this.#setMode(i, value, tick);
      else if ((offset & 0x1b) === 8) this.#setComparator(i, (offset & 4) !== 0, value, tick);
    }
    this.#update();
    this.#drive();
  }

  #configure(value: number, tick: number): void {
    const { fields: f } = this.state, changed = f.config ^ value, low = this.#counterLow(tick), high = this.#counterHigh(tick);
    f.config = value;
    if ((changed & LEGACY) !== 0) f.edges = 0;
    if ((changed & ENABLE) === 0) return;
    f.edges = 0;
    this.#setCounter(low, high, tick);
  }

  #setCounter(low: number, high: number, tick: number): void {
    const { fields: f } = this.state;
    f.low = low;
    f.high = high;
    f.start = tick;
    this.#scheduleAll(tick);
  }

  #setMode(i: number, value: number, tick: number): void {
    const { fields: f } = this.state, route = value & ROUTE_BITS;
    // A route that there is not is not taken: software finds out by reading it back.
    const kept = route === 0 || (ROUTES >> (route >> ROUTE_SHIFT) & 1) !== 0 ? route : f.timer[i]! & ROUTE_BITS;
    const changed = f.timer[i]! ^ value;
    f.timer[i] = value & WRITABLE | kept | CAN_PERIODIC | CAN_64;
    if ((changed & (LEVEL | INTERRUPT | ROUTE_BITS)) !== 0) f.edges &= ~(1 << i);
    if ((value & ONLY_32) !== 0) f.countHigh[i] = f.periodHigh[i] = 0;
    if ((changed & (ONLY_32 | PERIODIC)) !== 0) this.#schedule(i, tick, false);
  }

  #setComparator(i: number, high: boolean, value: number, tick: number): void {
    const { fields: f } = this.state, mode = f.timer[i]!, periodic = (mode & PERIODIC) !== 0;
    if (high && (mode & ONLY_32) !== 0) return;
    const counts = !periodic || (mode & SET_COUNT) !== 0;
    if (counts) (high ? f.countHigh : f.countLow)[i] = value;
    if (periodic) (high ? f.periodHigh : f.periodLow)[i] = value;
    f.timer[i] = mode & ~SET_COUNT;
    this.#schedule(i, tick, counts);
  }
}
