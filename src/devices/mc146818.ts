/**
 * The MC146818 real-time clock with 128 bytes of battery-backed memory (CMOS).
 *
 * Ports: 0 W index (bit 7 masks NMI), 1 RW the register chosen.
 *     0-9  second, second alarm, minute, minute alarm, hour, hour alarm, weekday (Sunday = 1), day, month, year
 *     A  7 update in progress, 6-4 divider, 3-0 rate     B  7 SET, 6 PIE, 5 AIE, 4 UIE, 3 SQWE, 2 binary, 1 24 hours, 0 DSE (daylight saving, kept without effect)
 *     C  7 IRQF, 6 PF, 5 AF, 4 UF (cleared by reading)     D  7 battery good     0E-7F memory (32h: century, by PC convention)
 *
 * The registers are the clock: each second they are advanced in whatever form they have, as the chip does, so a guest that writes
 * them sets the clock. A reset neither stops the clock nor clears the memory.
 * Source: Motorola MC146818A datasheet (ADI1208).
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { NS_PER_SECOND, nsOfTick, ticksAt } from './clock.ts';
import { unconnected } from './irq.ts';

const SECOND = 0;
const SECOND_ALARM = 1;
const MINUTE = 2;
const HOUR = 4;
const WEEKDAY = 6;
const DAY = 7;
const MONTH = 8;
const YEAR = 9;
const REG_A = 0x0a;
const REG_B = 0x0b;
const REG_C = 0x0c;
const REG_D = 0x0d;
const CENTURY = 0x32;

const A_UIP = 0x80;
const B_SET = 0x80;
const B_SQUARE_WAVE = 0x08;
const B_BINARY = 0x04;
const B_24_HOURS = 0x02;
const PERIODIC = 0x40;
const ALARM = 0x20;
const UPDATE = 0x10;
const C_IRQ = 0x80;
const PM = 0x80;
/** An alarm register with both top bits set matches everything. */
const ANY = 0xc0;

/** The divider value for the 32768 Hz crystal of a PC; 6 and 7 hold the divider reset. */
const DIVIDER_RUNS = 2;
const CRYSTAL_HZ = 32768;
/** The update cycle (1984 us) and the warning before it (244 us): UIP is up for both, the registers change at the end. */
const UPDATE_NS = 1_984_000 + 244_000;

/** A time of day. Month and day from 1. */
interface Time {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export class Mc146818 implements Device {
  readonly name = 'mc146818';
  readonly state = new DeviceState(1, {
    index: 0,
    ram: new Uint8Array(128),
    /** Virtual time at which the registers next advance. */
    nextUpdate: NS_PER_SECOND,
    /** Crystal ticks since the epoch of virtual time up to which periods were counted. */
    periodsTo: 0,
  });
  readonly io: IoRegion = {
    name: 'mc146818',
    size: 2,
    minAccess: 1,
    maxAccess: 1,
    read: (offset) => (offset === 0 ? 0xff : this.#read(this.state.fields.index)),
    write: (offset, value) => {
      if (offset === 0) {
        this.state.fields.index = value & 0x7f;
        this.#nmiMask.set((value & 0x80) !== 0);
      } else {
        this.#write(this.state.fields.index, value);
      }
    },
  };
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #nmiMask: IrqLine;
  readonly #update: Timer;
  readonly #periodic: Timer;

  /**
   * @param base time of day at virtual time 0: milliseconds since 1970, read as if UTC
   * @param nmiMask high while the processor must not see NMI
   */
  constructor(clock: Clock, irq: IrqLine, base: number, nmiMask: IrqLine = unconnected) {
    this.#clock = clock;
    this.#irq = irq;
    this.#nmiMask = nmiMask;
    this.#update = clock.timer('mc146818-update', () => this.#catchUp());
    this.#periodic = clock.timer('mc146818-periodic', () => this.#catchUp());
    const { ram } = this.state.fields;
    ram[REG_A] = (DIVIDER_RUNS << 4) | 6;
    ram[REG_B] = B_24_HOURS;
    ram[REG_D] = 0x80;
    this.setTime(base);
    this.#arm();
  }

  /** RESET#: interrupts off; time, memory and formats stay (battery). */
  reset(): void {
    const { fields } = this.state;
    this.#catchUp();
    fields.index = 0;
    fields.ram[REG_B] &= ~(PERIODIC | ALARM | UPDATE | B_SQUARE_WAVE);
    fields.ram[REG_C] = 0;
    this.#irq.set(false);
    this.#nmiMask.set(false);
    this.#arm();
  }

  restored(): void {
    this.#irq.set((this.state.fields.ram[REG_C] & C_IRQ) !== 0);
    this.#arm();
  }

  /** Contents of the memory as the guest sees them, for the board: index 0Eh-7Fh. */
  getNvram(index: number): number {
    return this.state.fields.ram[index];
  }

  setNvram(index: number, value: number): void {
    this.state.fields.ram[index] = value;
  }

  /** Sets the time of day: milliseconds since 1970, read as if UTC. */
  setTime(ms: number): void {
    const date = new Date(ms);
    this.#putTime({
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
    });
    this.#put(WEEKDAY, date.getUTCDay() + 1);
    this.state.fields.nextUpdate = this.#clock.now() + NS_PER_SECOND - date.getUTCMilliseconds() * 1_000_000;
  }

  get #running(): boolean {
    return (this.state.fields.ram[REG_A] >> 4) % 8 === DIVIDER_RUNS;
  }

  #get(register: number): number {
    const value = this.state.fields.ram[register];
    return this.state.fields.ram[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
  }

  #put(register: number, value: number): void {
    this.state.fields.ram[register] = this.state.fields.ram[REG_B] & B_BINARY ? value : (Math.floor(value / 10) << 4) | value % 10;
  }

  #getTime(): Time {
    const { ram } = this.state.fields;
    let hour: number;
    if (ram[REG_B] & B_24_HOURS) {
      hour = this.#get(HOUR);
    } else {
      const pm = ram[HOUR] & PM;
      ram[HOUR] &= ~PM;
      hour = (this.#get(HOUR) % 12) + (pm ? 12 : 0);
      ram[HOUR] |= pm;
    }
    const year = this.#get(CENTURY) * 100 + this.#get(YEAR);
    return { year, month: this.#get(MONTH), day: this.#get(DAY), hour, minute: this.#get(MINUTE), second: this.#get(SECOND) };
  }

  #putTime({ year, month, day, hour, minute, second }: Time): void {
    const { ram } = this.state.fields;
    this.#put(SECOND, second);
    this.#put(MINUTE, minute);
    if (ram[REG_B] & B_24_HOURS) {
      this.#put(HOUR, hour);
    } else {
      this.#put(HOUR, hour % 12 || 12);
      if (hour >= 12) ram[HOUR] |= PM;
    }
    this.#put(DAY, day);
    this.#put(MONTH, month);
    this.#put(YEAR, year % 100);
    this.#put(CENTURY, Math.floor(year / 100));
  }

  /** One second: each register counts up to its limit and then carries. */
  #advance(): void {
    const time = this.#getTime();
    if (++time.second >= 60) {
      time.second = 0;
      if (++time.minute >= 60) {
        time.minute = 0;
        if (++time.hour >= 24) {
          time.hour = 0;
          this.#put(WEEKDAY, (this.#get(WEEKDAY) % 7) + 1);
          if (++time.day > daysIn(time.month, time.year)) {
            time.day = 1;
            if (++time.month > 12) {
              time.month = 1;
              time.year++;
            }
          }
        }
      }
    }
    this.#putTime(time);
  }

  #alarmMatches(): boolean {
    const { ram } = this.state.fields;
    for (let register = SECOND; register <= HOUR; register += 2) {
      const alarm = ram[register + SECOND_ALARM];
      if ((alarm & ANY) !== ANY && alarm !== ram[register]) return false;
    }
    return true;
  }

  /** Does all that should have happened by now: updates, alarms and periodic ticks. */
  #catchUp(): void {
    const { fields } = this.state;
    const now = this.#clock.now();
    let flags = 0;
    if (this.#running) {
      while (fields.nextUpdate <= now) {
        fields.nextUpdate += NS_PER_SECOND;
        if (fields.ram[REG_B] & B_SET) continue;
        this.#advance();
        flags |= UPDATE | (this.#alarmMatches() ? ALARM : 0);
      }
      const ticks = ticksAt(now, CRYSTAL_HZ);
      const period = this.#period();
      if (period && Math.floor(ticks / period) > Math.floor(fields.periodsTo / period)) flags |= PERIODIC;
      fields.periodsTo = ticks;
    }
    if (flags) {
      fields.ram[REG_C] |= flags;
      this.#drive();
    }
    this.#arm();
  }

  /** Crystal ticks of a periodic interrupt; 0 = none. */
  #period(): number {
    const rate = this.state.fields.ram[REG_A] & 15;
    if (rate === 0) return 0;
    // Rates 1 and 2 are those of 8 and 9 with this crystal.
    return 1 << ((rate < 3 ? rate + 7 : rate) - 1);
  }

  #drive(): void {
    const { ram } = this.state.fields;
    const pending = (ram[REG_C] & ram[REG_B] & (PERIODIC | ALARM | UPDATE)) !== 0;
    ram[REG_C] = (ram[REG_C] & ~C_IRQ) | (pending ? C_IRQ : 0);
    this.#irq.set(pending);
  }

  #arm(): void {
    const { fields } = this.state;
    const enabled = fields.ram[REG_B];
    if (this.#running && !(enabled & B_SET) && enabled & (ALARM | UPDATE)) this.#update.arm(fields.nextUpdate);
    else this.#update.cancel();
    const period = this.#period();
    if (this.#running && period && enabled & PERIODIC) {
      this.#periodic.arm(nsOfTick((Math.floor(fields.periodsTo / period) + 1) * period, CRYSTAL_HZ));
    } else {
      this.#periodic.cancel();
    }
  }

  #read(index: number): number {
    const { fields } = this.state;
    const { ram } = fields;
    this.#catchUp();
    if (index === REG_A) {
      const updating = this.#running && !(ram[REG_B] & B_SET) && this.#clock.now() >= fields.nextUpdate - UPDATE_NS;
      return (ram[REG_A] & ~A_UIP) | (updating ? A_UIP : 0);
    }
    if (index === REG_C) {
      const flags = ram[REG_C];
      ram[REG_C] = 0;
      this.#drive();
      return flags;
    }
    return ram[index];
  }

  #write(index: number, value: number): void {
    const { fields } = this.state;
    this.#catchUp();
    switch (index) {
      case REG_A: {
        const ran = this.#running;
        fields.ram[REG_A] = value & ~A_UIP;
        // A divider released from reset makes its first update after half a second.
        if (!ran && this.#running) fields.nextUpdate = this.#clock.now() + NS_PER_SECOND / 2;
        fields.periodsTo = ticksAt(this.#clock.now(), CRYSTAL_HZ);
        break;
      }
      case REG_B:
        // SET aborts an update and with it the interrupt at its end.
        fields.ram[REG_B] = value & B_SET ? value & ~UPDATE : value;
        this.#drive();
        break;
      case REG_C:
      case REG_D:
        return;
      default:
        fields.ram[index] = value;
    }
    this.#arm();
  }
}

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
