/**
 * The 8254 interval timer: three counters clocked at 1193182 Hz. Counter 0 drives IRQ0, counter 1 was the refresh, counter 2 the
 * speaker (gate and output at port 61h).
 *
 * Ports: 0-2 the counters, 3 W control word (7-6 counter or 3 = read-back, 5-4 latch / low / high / low then high, 3-1 mode, 0 BCD).
 *
 * Nothing counts: a counter is the tick at which it was loaded, and everything follows from the clock (i8254-counter.ts). Only the
 * edges of counter 0 need a timer. Times are kept in whole ticks, so periods do not drift.
 * Source: Intel 8254 datasheet (231164).
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { nsOfTick, ticksAt } from './clock.ts';
import type { CounterMode } from './i8254-counter.ts';
import { countAt, highHalf, nextChange, outAt } from './i8254-counter.ts';

export const PIT_HZ = 1193182;

const ACCESS_LOW = 1;
const ACCESS_HIGH = 2;
const ACCESS_BOTH = 3;
const READ_BACK = 3;

export class I8254 implements Device {
  readonly name = 'i8254';
  readonly state = new DeviceState(1, {
    mode: new Uint8Array([3, 3, 3]),
    bcd: new Uint8Array(3),
    access: new Uint8Array([ACCESS_BOTH, ACCESS_BOTH, ACCESS_BOTH]),
    /** The next byte written / read is the high one. */
    writeHigh: new Uint8Array(3),
    readHigh: new Uint8Array(3),
    /** First byte of a two-byte count. */
    lowByte: new Uint8Array(3),
    latched: new Uint8Array(3),
    latchedCount: new Uint16Array(3),
    statusLatched: new Uint8Array(3),
    latchedStatus: new Uint8Array(3),
    gate: new Uint8Array([1, 1, 0]),
    /** A count was written since the control word. */
    loaded: new Uint8Array([1, 1, 1]),
    counting: new Uint8Array([1, 1, 0]),
    /** Count in effect and count written last, 1 … 65536. */
    count: new Uint32Array([0x10000, 0x10000, 0x10000]),
    next: new Uint32Array([0x10000, 0x10000, 0x10000]),
    /** `next` is not in effect yet. */
    pending: new Uint8Array(3),
    /** Tick at which a pending count of modes 2 and 3 takes effect; whether that is in mid-cycle (mode 3). */
    switchAt: new Float64Array(3),
    switchHalf: new Uint8Array(3),
    /** Tick at which the count was (or will be) loaded. */
    start: new Float64Array(3),
    /** OUT until then. */
    before: new Uint8Array([1, 1, 1]),
    /** Clocks counted when the gate stopped the counter (modes 0 and 4). */
    held: new Float64Array(3),
  });
  readonly io: IoRegion = {
    name: 'i8254',
    size: 4,
    minAccess: 1,
    maxAccess: 1,
    read: (offset) => (offset < 3 ? this.#read(offset) : 0xff),
    write: (offset, value) => {
      if (offset < 3) this.#write(offset, value);
      else this.#control(value);
    },
  };
  /** Called before the guest changes what a counter does. */
  beforeChange: ((counter: number) => void) | null = null;
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #timer: Timer;
  /** Tick of the edge that #timer waits for. */
  #edge = 0;

  /** @param irq output of counter 0 */
  constructor(clock: Clock, irq: IrqLine) {
    this.#clock = clock;
    this.#irq = irq;
    this.#timer = clock.timer('i8254', () => this.#drive(this.#edge));
    this.reset();
  }

  reset(): void {
    for (let counter = 0; counter < 3; counter++) this.beforeChange?.(counter);
    this.state.reset();
    this.state.fields.start.fill(this.#now());
    this.#drive(this.#now());
  }

  restored(): void {
    this.#drive(this.#now());
  }

  setGate(counter: number, level: boolean): void {
    const { fields } = this.state;
    if (level === (fields.gate[counter] === 1)) return;
    this.beforeChange?.(counter);
    const now = this.#now();
    this.#sync(counter, now);
    const out = this.#outAt(counter, now);
    fields.gate[counter] = level ? 1 : 0;
    if (!fields.loaded[counter]) return;
    const mode = fields.mode[counter];
    if (mode === 0 || mode === 4) {
      if (level) fields.start[counter] = now - fields.held[counter];
      else if (fields.counting[counter]) fields.held[counter] = Math.max(0, now - fields.start[counter]);
      fields.counting[counter] = level ? 1 : 0;
    } else if (level) {
      // A trigger; it loads what was written last.
      this.#load(counter, now + 1, out);
    } else if (mode === 2 || mode === 3) {
      fields.counting[counter] = 0;
    }
    this.#changed(counter, now);
  }

  /** Level of a counter's OUT now. */
  output(counter: number): boolean {
    return this.levelAt(counter, this.#now());
  }

  /** The same at a tick since the last change, not before the one asked for last. */
  levelAt(counter: number, tick: number): boolean {
    this.#sync(counter, tick);
    return this.#outAt(counter, tick);
  }

  #now(): number {
    return ticksAt(this.#clock.now(), PIT_HZ);
  }

  #mode(counter: number): CounterMode {
    return this.state.fields.mode[counter] as CounterMode;
  }

  #load(counter: number, tick: number, before: boolean): void {
    const { fields } = this.state;
    fields.count[counter] = fields.next[counter];
    fields.pending[counter] = 0;
    fields.counting[counter] = 1;
    fields.start[counter] = tick;
    fields.before[counter] = before ? 1 : 0;
  }

  /** Puts a pending count of a periodic mode into effect when its time has come. */
  #sync(counter: number, tick: number): void {
    const { fields } = this.state;
    if (!fields.pending[counter] || !fields.counting[counter] || tick < fields.switchAt[counter]) return;
    const mode = fields.mode[counter];
    if (mode !== 2 && mode !== 3) return;
    const start = fields.switchAt[counter] - (fields.switchHalf[counter] ? highHalf(fields.next[counter]) : 0);
    this.#load(counter, start, true);
  }

  #outAt(counter: number, tick: number): boolean {
    const { fields } = this.state;
    const mode = this.#mode(counter);
    if (!fields.loaded[counter]) return mode !== 0;
    if (!fields.counting[counter]) return mode === 0 || mode === 4 ? outAt(mode, fields.count[counter], fields.held[counter]) : true;
    const elapsed = tick - fields.start[counter];
    return elapsed < 0 ? fields.before[counter] === 1 : outAt(mode, fields.count[counter], elapsed);
  }

  /** Sets IRQ0 as it is at `tick` and waits for the next edge. */
  #drive(tick: number): void {
    const { fields } = this.state;
    this.#sync(0, tick);
    this.#irq.set(this.#outAt(0, tick));
    const elapsed = tick - fields.start[0];
    let change = Infinity;
    if (fields.loaded[0] && fields.counting[0]) change = elapsed < 0 ? 0 : nextChange(this.#mode(0), fields.count[0], elapsed);
    if (change === Infinity) return this.#timer.cancel();
    this.#edge = fields.start[0] + change;
    this.#timer.arm(nsOfTick(this.#edge, PIT_HZ));
  }

  #changed(counter: number, tick: number): void {
    if (counter === 0) this.#drive(tick);
  }

  /** The count as the guest reads it. */
  #count(counter: number): number {
    const { fields } = this.state;
    const now = this.#now();
    this.#sync(counter, now);
    const modulus = fields.bcd[counter] ? 10000 : 0x10000;
    const elapsed = fields.counting[counter] ? Math.max(0, now - fields.start[counter]) : fields.held[counter];
    const count = countAt(this.#mode(counter), fields.count[counter], modulus, elapsed);
    return fields.bcd[counter] ? toBcd(count) : count;
  }

  #status(counter: number): number {
    const { fields } = this.state;
    const now = this.#now();
    this.#sync(counter, now);
    const waiting = !fields.loaded[counter] || fields.pending[counter] || (fields.counting[counter] && now < fields.start[counter]);
    return (
      (this.#outAt(counter, now) ? 0x80 : 0) |
      (waiting ? 0x40 : 0) |
      (fields.access[counter] << 4) |
      (fields.mode[counter] << 1) |
      fields.bcd[counter]
    );
  }

  #read(counter: number): number {
    const { fields } = this.state;
    if (fields.statusLatched[counter]) {
      fields.statusLatched[counter] = 0;
      return fields.latchedStatus[counter];
    }
    const count = fields.latched[counter] ? fields.latchedCount[counter] : this.#count(counter);
    const access = fields.access[counter];
    const high = access === ACCESS_BOTH ? fields.readHigh[counter] === 1 : access === ACCESS_HIGH;
    if (access === ACCESS_BOTH) fields.readHigh[counter] ^= 1;
    if (high || access !== ACCESS_BOTH) fields.latched[counter] = 0;
    return high ? count >> 8 : count & 0xff;
  }

  #control(value: number): void {
    const { fields } = this.state;
    const counter = value >> 6;
    if (counter === READ_BACK) {
      for (let i = 0; i < 3; i++) {
        if ((value & (2 << i)) === 0) continue;
        if ((value & 0x20) === 0) this.#latchCount(i);
        if ((value & 0x10) === 0) this.#latchStatus(i);
      }
      return;
    }
    const access = (value >> 4) & 3;
    if (access === 0) return this.#latchCount(counter);
    this.beforeChange?.(counter);
    // The count stays readable as it stands until a new one is loaded.
    fields.held[counter] = fields.counting[counter] ? Math.max(0, this.#now() - fields.start[counter]) : fields.held[counter];
    const mode = (value >> 1) & 7;
    fields.mode[counter] = mode > 5 ? mode & 3 : mode;
    fields.access[counter] = access;
    fields.bcd[counter] = value & 1;
    for (const field of [fields.writeHigh, fields.readHigh, fields.latched, fields.statusLatched, fields.loaded, fields.counting, fields.pending]) {
      field[counter] = 0;
    }
    this.#changed(counter, this.#now());
  }

  #latchCount(counter: number): void {
    const { fields } = this.state;
    if (fields.latched[counter]) return;
    fields.latchedCount[counter] = this.#count(counter);
    fields.latched[counter] = 1;
  }

  #latchStatus(counter: number): void {
    const { fields } = this.state;
    if (fields.statusLatched[counter]) return;
    fields.latchedStatus[counter] = this.#status(counter);
    fields.statusLatched[counter] = 1;
  }

  #write(counter: number, value: number): void {
    const { fields } = this.state;
    this.beforeChange?.(counter);
    switch (fields.access[counter]) {
      case ACCESS_LOW:
        return this.#setCount(counter, value);
      case ACCESS_HIGH:
        return this.#setCount(counter, value << 8);
    }
    fields.writeHigh[counter] ^= 1;
    if (!fields.writeHigh[counter]) return this.#setCount(counter, (value << 8) | fields.lowByte[counter]);
    fields.lowByte[counter] = value;
    if (fields.mode[counter] === 0) {
      // The first byte stops the counter and takes OUT low.
      fields.held[counter] = 0;
      fields.counting[counter] = fields.loaded[counter] = 0;
      this.#changed(counter, this.#now());
    }
  }

  #setCount(counter: number, written: number): void {
    const { fields } = this.state;
    const now = this.#now();
    this.#sync(counter, now);
    const mode = fields.mode[counter];
    fields.next[counter] = fields.bcd[counter] ? fromBcd(written) || 10000 : written || 0x10000;
    const first = !fields.loaded[counter];
    fields.loaded[counter] = 1;
    if (mode === 1 || mode === 5) {
      fields.pending[counter] = 1;
      // OUT stays high until the first trigger.
      if (first) fields.held[counter] = 0;
    } else if (mode === 0 || mode === 4 || first || !fields.counting[counter]) {
      this.#load(counter, now + 1, mode !== 0);
      fields.held[counter] = 0;
      if (!fields.gate[counter]) fields.counting[counter] = 0;
    } else {
      this.#schedule(counter, now);
    }
    this.#changed(counter, now);
  }

  /** A running periodic mode takes a new count at the end of its cycle (mode 2) or half-cycle (mode 3). */
  #schedule(counter: number, now: number): void {
    const { fields } = this.state;
    const elapsed = now - fields.start[counter];
    if (elapsed < 0) return this.#load(counter, fields.start[counter], true);
    const count = fields.count[counter];
    const cycle = fields.start[counter] + elapsed - (elapsed % count);
    const half = fields.mode[counter] === 3 && elapsed % count < highHalf(count);
    fields.switchAt[counter] = cycle + (half ? highHalf(count) : count);
    fields.switchHalf[counter] = half ? 1 : 0;
    fields.pending[counter] = 1;
  }
}

function toBcd(value: number): number {
  return (value % 10) | ((Math.floor(value / 10) % 10) << 4) | ((Math.floor(value / 100) % 10) << 8) | (Math.floor(value / 1000) << 12);
}

function fromBcd(value: number): number {
  return (value & 15) + 10 * ((value >> 4) & 15) + 100 * ((value >> 8) & 15) + 1000 * ((value >> 12) & 15);
}
