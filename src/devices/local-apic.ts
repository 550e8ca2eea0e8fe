/**
 * The local APIC of a processor (P6 family), 4 KB of registers at FEE00000h or where IA32_APIC_BASE puts them, one every 16 bytes:
 *
 *     020 ID   030 version   080 TPR   0A0 PPR   0B0 EOI   0D0 LDR   0E0 DFR   0F0 SVR   100-170 ISR   180-1F0 TMR   200-270 IRR
 *     280 ESR   300, 310 ICR   320 timer, 330 thermal, 340 counters, 350 LINT0, 360 LINT1, 370 error   380, 390 counts   3E0 divider
 *
 * LINT0 is wired to the 8259s, LINT1 to NMI. While the APIC is switched off by IA32_APIC_BASE, the 8259s drive INTR themselves. The timer counts
 * nanoseconds. Source: Intel SDM vol. 3, chapter 10.
 */
import type { AddressSpace, Mapping } from '../memory/address-space.ts';
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';

const DEFAULT_BASE = 0xfee00000, SIZE = 4096;
/** IA32_APIC_BASE: bootstrap processor, enabled. */
const BASE_BSP = 1 << 8, BASE_ENABLE = 1 << 11;
/** Integrated APIC with six entries in its local vector table. */
const VERSION = 0x00050014;
const OVER_ALL = 3;

const LVT_TIMER = 0, LVT_LINT0 = 3, LVT_LINT1 = 4, LVT_ERROR = 5, LVT_ENTRIES = 6;
const LVT_MASKED = 1 << 16, LVT_PERIODIC = 1 << 17, LVT_LEVEL = 1 << 15, LVT_PENDING = 1 << 12;
/** Bits that can be written: timer, thermal, counters, LINT0, LINT1, error. */
const LVT_WRITABLE = [0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff] as const;
const DELIVER_FIXED = 0, DELIVER_LOWEST = 1, DELIVER_NMI = 4, DELIVER_INIT = 5, DELIVER_STARTUP = 6, DELIVER_EXTINT = 7;
const SVR_ENABLE = 1 << 8;
const ICR_LOGICAL = 1 << 11, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15;
const SHORTHAND_NONE = 0, SHORTHAND_SELF = 1, SHORTHAND_ALL = 2;
const ERROR_SEND_VECTOR = 1 << 5, ERROR_RECEIVE_VECTOR = 1 << 6, ERROR_REGISTER = 1 << 7;
const LOWEST_VECTOR = 16;

export interface LocalApicOptions {
  clock: Clock;
  space: AddressSpace;
  id: number;
  /** INTR of the processor. */
  intr: IrqLine;
  /** An NMI. */
  nmi: () => void;
  /** INIT of the processor. */
  init: () => void;
  /** INTA of the 8259s. */
  acknowledgePic: () => number;
  /** An EOI for a level-triggered vector: to the I/O APIC. */
  endOfInterrupt: (vector: number) => void;
}

export class LocalApic implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    base: DEFAULT_BASE | BASE_ENABLE | BASE_BSP, id: 0, tpr: 0, ldr: 0, dfr: 0xffffffff, svr: 0xff, esr: 0, errors: 0, icrLow: 0, icrHigh: 0,
    lvt: new Uint32Array(LVT_ENTRIES).fill(LVT_MASKED), initial: 0, divider: 0,
    /** When the count that runs began, in ns. */
    started: 0,
    isr: new Uint32Array(8), tmr: new Uint32Array(8), irr: new Uint32Array(8),
    lint0: 0, lint1: 0,
  });
  readonly io: IoRegion;
  /** LINT0 (the 8259s) and LINT1 (NMI). */
  readonly lint0: IrqLine;
  readonly lint1: IrqLine;
  readonly #options: LocalApicOptions;
  readonly #timer: Timer;
  #place: Mapping | null = null;

  constructor(options: LocalApicOptions) {
    this.name = `local-apic-${options.id}`;
    this.#options = options;
    const { fields } = this.state;
    this.io = {
      name: this.name, size: SIZE, minAccess: 4, maxAccess: 4,
      read: (offset) => ((offset & 15) === 0 ? this.#read(offset >> 4) : 0),
      write: (offset, value) => {
        if ((offset & 15) === 0) this.#write(offset >> 4, value);
      },
    };
    this.lint0 = { set: (level) => {
      const rises = level && fields.lint0 === 0;
      fields.lint0 = level ? 1 : 0;
      if (this.#isOn && rises) this.#lint(LVT_LINT0);
      this.#update();
    } };
    this.lint1 = { set: (level) => {
      const rises = level && fields.lint1 === 0;
      fields.lint1 = level ? 1 : 0;
      if (!rises) return;
      if (this.#isOn) this.#lint(LVT_LINT1);
      else this.#options.nmi();
    } };
    this.#timer = options.clock.timer(`${this.name} timer`, () => this.#timerDue());
    this.reset();
  }

  reset(): void {
    this.state.reset();
    this.state.fields.id = this.#options.id;
    this.#timer.cancel();
    this.#map();
    this.#update();
  }

  restored(): void {
    this.#map();
    if (this.state.fields.initial !== 0) this.#arm();
    this.#update();
  }

  /** IA32_APIC_BASE, low word. */
  get base(): number {
    return this.state.fields.base | 0;
  }

  /** False for bits that there are not. */
  setBase(low: number, high: number): boolean {
    if ((low & 0x6ff) !== 0 || high !== 0) return false;
    this.state.fields.base = (low & ~BASE_BSP | BASE_BSP) >>> 0;
    this.#map();
    this.#update();
    return true;
  }

  /** INTA: the vector to serve. */
  acknowledge(): number {
    const { fields } = this.state;
    if (this.#isOn) {
      const vector = highest(fields.irr);
      if (vector >= 0 && (vector & 0xf0) > (this.#ppr & 0xf0)) {
        clear(fields.irr, vector);
        set(fields.isr, vector);
        this.#update();
        return vector;
      }
      if (!this.#picPasses) return fields.svr & 0xff;
    }
    return this.#options.acknowledgePic();
  }

  /** A message of an APIC bus: whether its destination is this APIC. */
  isAddressed(destination: number, logical: boolean): boolean {
    const { fields } = this.state;
    if (destination === 0xff) return true;
    if (!logical) return destination === fields.id;
    const own = fields.ldr >>> 24;
    if ((fields.dfr >>> 28) === 15) return (own & destination) !== 0;
    return (own >> 4) === (destination >> 4) && (own & destination & 15) !== 0;
  }

  /** Takes an interrupt message in. Start-up messages are for processors that wait for one: not the only one. */
  deliver(mode: number, vector: number, level: boolean): void {
    if (mode === DELIVER_NMI) this.#options.nmi();
    else if (mode === DELIVER_INIT) this.#init();
    else if (mode === DELIVER_FIXED || mode === DELIVER_LOWEST) this.#accept(vector, level);
  }

  /** INIT goes to the processor, and resets the APIC, except for its ID (SDM vol. 3, 10.4.7.3), its place and the levels at its inputs. */
  #init(): void {
    const { fields } = this.state, { base, id, lint0, lint1 } = fields;
    this.state.reset();
    Object.assign(fields, { base, id, lint0, lint1 });
    this.#timer.cancel();
    this.#update();
    this.#options.init();
  }

  get #isOn(): boolean {
    return (this.state.fields.base & BASE_ENABLE) !== 0;
  }

  /** What the 8259s ask for reaches the processor: through LINT0 as an external interrupt, or past an APIC that is off. */
  get #picPasses(): boolean {
    const lint0 = this.state.fields.lvt[LVT_LINT0]!;
    return !this.#isOn || ((lint0 & LVT_MASKED) === 0 && (lint0 >> 8 & 7) === DELIVER_EXTINT);
  }

  get #ppr(): number {
    const { tpr, isr } = this.state.fields;
    const serving = Math.max(0, highest(isr));
    return (tpr & 0xf0) >= (serving & 0xf0) ? tpr : serving & 0xf0;
  }

  #map(): void {
    const { base } = this.state.fields;
    this.#place?.remove();
    this.#place = (base & BASE_ENABLE) === 0 ? null : this.#options.space.add({ kind: 'mmio', io: this.io }, (base & ~4095) >>> 0, OVER_ALL);
  }

  /** The level of INTR. */
  #update(): void {
    const { fields } = this.state;
    const vector = this.#isOn && (fields.svr & SVR_ENABLE) !== 0 ? highest(fields.irr) : -1;
    const own = vector >= 0 && (vector & 0xf0) > (this.#ppr & 0xf0);
    this.#options.intr.set(own || (fields.lint0 !== 0 && this.#picPasses));
  }

  #accept(vector: number, level: boolean): void {
    const { fields } = this.state;
    if (vector < LOWEST_VECTOR) {
      this.#error(ERROR_RECEIVE_VECTOR);
      return;
    }
    set(fields.irr, vector);
    if (level) set(fields.tmr, vector);
    else clear(fields.tmr, vector);
    this.#update();
  }

  #lint(entry: number): void {
    const lvt = this.state.fields.lvt[entry]!;
    if ((lvt & LVT_MASKED) !== 0 || (lvt >> 8 & 7) === DELIVER_EXTINT) return;
    this.deliver(lvt >> 8 & 7, lvt & 0xff, (lvt & LVT_LEVEL) !== 0);
  }

  #error(bit: number): void {
    const { fields } = this.state;
    fields.errors |= bit;
    const lvt = fields.lvt[LVT_ERROR]!;
    if ((lvt & LVT_MASKED) === 0 && (lvt & 0xff) >= LOWEST_VECTOR) this.#accept(lvt & 0xff, false);
  }

  #endOfInterrupt(): void {
    const { fields } = this.state;
    const vector = highest(fields.isr);
    if (vector < 0) return;
    clear(fields.isr, vector);
    if ((fields.tmr[vector >> 5]! >>> (vector & 31) & 1) !== 0) this.#options.endOfInterrupt(vector);
    this.#update();
  }

  #send(): void {
    const { icrLow, icrHigh } = this.state.fields;
    const mode = icrLow >> 8 & 7, shorthand = icrLow >> 18 & 3, vector = icrLow & 0xff;
    const self = shorthand === SHORTHAND_NONE ? this.isAddressed(icrHigh >>> 24, (icrLow & ICR_LOGICAL) !== 0) : shorthand === SHORTHAND_SELF || shorthand === SHORTHAND_ALL;
    if (mode === DELIVER_STARTUP || !self) return;
    if ((mode === DELIVER_FIXED || mode === DELIVER_LOWEST) && vector < LOWEST_VECTOR) this.#error(ERROR_SEND_VECTOR);
    else if ((icrLow & (ICR_LEVEL | ICR_ASSERT)) !== ICR_LEVEL) this.deliver(mode, vector, false);
  }

  // The timer

  get #period(): number {
    const { divider } = this.state.fields;
    return [2, 4, 8, 16, 32, 64, 128, 1][divider & 3 | divider >> 1 & 4]!;
  }

  #arm(): void {
    const { fields } = this.state;
    this.#timer.arm(fields.started + fields.initial * this.#period);
  }

  #timerDue(): void {
    const { fields } = this.state;
    const lvt = fields.lvt[LVT_TIMER]!;
    if ((lvt & LVT_PERIODIC) !== 0 && fields.initial !== 0) {
      // Ticks that the host was too late for are left out.
      const length = fields.initial * this.#period, now = this.#options.clock.now();
      fields.started += length * Math.max(1, Math.floor((now - fields.started) / length));
      this.#arm();
    }
    if ((lvt & LVT_MASKED) === 0) this.#accept(lvt & 0xff, false);
  }

  #currentCount(): number {
    const { initial, started, lvt } = this.state.fields;
    if (initial === 0) return 0;
    const passed = Math.floor((this.#options.clock.now() - started) / this.#period);
    if (passed < initial) return initial - passed;
    return (lvt[LVT_TIMER]! & LVT_PERIODIC) !== 0 ? initial - passed % initial : 0;
  }

  // Registers, by offset / 16

  #read(register: number): number {
    const { fields } = this.state;
    switch (register) {
      case 0x02: return fields.id << 24;
      case 0x03: return VERSION;
      case 0x08: return fields.tpr;
      case 0x0a: return this.#ppr;
      case 0x0d: return fields.ldr | 0;
      case 0x0e: return fields.dfr | 0;
      case 0x0f: return fields.svr;
      case 0x28: return fields.esr;
      case 0x30: return fields.icrLow | 0;
      case 0x31: return fields.icrHigh | 0;
      case 0x38: return fields.initial | 0;
      case 0x39: return this.#currentCount() | 0;
      case 0x3e: return fields.divider;
    }
    if (register >= 0x10 && register < 0x18) return fields.isr[register - 0x10]! | 0;
    if (register >= 0x18 && register < 0x20) return fields.tmr[register - 0x18]! | 0;
    if (register >= 0x20 && register < 0x28) return fields.irr[register - 0x20]! | 0;
    if (register >= 0x32 && register < 0x38) return fields.lvt[register - 0x32]! | (register === 0x35 && fields.lint0 !== 0 && (fields.lvt[LVT_LINT0]! & LVT_LEVEL) !== 0 ? LVT_PENDING : 0);
    this.#error(ERROR_REGISTER);
    return 0;
  }

  #write(register: number, value: number): void {
    const { fields } = this.state;
    switch (register) {
      case 0x02: fields.id = value >>> 24; return;
      case 0x08:
        fields.tpr = value & 0xff;
        this.#update();
        return;
      case 0x0b: this.#endOfInterrupt(); return;
      case 0x0d: fields.ldr = (value & 0xff000000) >>> 0; return;
      case 0x0e: fields.dfr = (value | 0x0fffffff) >>> 0; return;
      case 0x0f:
        fields.svr = value & 0x1ff;
        // Switched off, all local entries are masked.
        if ((value & SVR_ENABLE) === 0) for (let entry = 0; entry < LVT_ENTRIES; entry++) fields.lvt[entry] = fields.lvt[entry]! | LVT_MASKED;
        this.#update();
        return;
      case 0x28:
        fields.esr = fields.errors;
        fields.errors = 0;
        return;
      case 0x30:
        fields.icrLow = value & 0xfcfff;
        this.#send();
        return;
      case 0x31: fields.icrHigh = (value & 0xff000000) >>> 0; return;
      case 0x38:
        fields.initial = value >>> 0;
        fields.started = this.#options.clock.now();
        if (value === 0) this.#timer.cancel();
        else this.#arm();
        return;
      case 0x3e:
        fields.divider = value & 11;
        if (this.#timer.armed) this.#arm();
        return;
      case 0x39: return;
    }
    if (register >= 0x32 && register < 0x38) {
      const entry = register - 0x32;
      fields.lvt[entry] = value & LVT_WRITABLE[entry]! | ((fields.svr & SVR_ENABLE) === 0 ? LVT_MASKED : 0);
      this.#update();
    } else if (register < 2 || register > 3) this.#error(ERROR_REGISTER);
  }
}

const set = (bits: Uint32Array, vector: number): void => void (bits[vector >> 5] = bits[vector >> 5]! | 1 << (vector & 31));
const clear = (bits: Uint32Array, vector: number): void => void (bits[vector >> 5] = bits[vector >> 5]! & ~(1 << (vector & 31)));

/** The highest bit that is set, or -1. */
function highest(bits: Uint32Array): number {
  for (let word = 7; word >= 0; word--) if (bits[word] !== 0) return word * 32 + 31 - Math.clz32(bits[word]!);
  return -1;
}
