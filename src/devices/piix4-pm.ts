/**
 * The power management function of the PIIX4 (82371AB, function 3), which QEMU's board has beside its PIIX3: ACPI's fixed registers, at the
 * ports that PMBA (40h) names while PMREGMISC (80h) bit 0 is set, and the APM ports B2h and B3h.
 *
 *     +00 PMSTS (2)  bit 0 timer, 5 global, 8 power button, 10 RTC, 15 wake: cleared by ones     +02 PMEN (2)  the same, bits 0, 5, 8, 10
 *     +04 PMCNTRL (2)  bit 0 SCI enabled, 10-12 kind of suspend (0: soft off), 13 go              +08 PMTMR (4)  3.579545 MHz, 24 bits
 *     +0C GPSTS (2), +0E GPEN (2)  general purpose events; nothing on this board raises one
 *     +10 PCNTRL (4), +20 DEVACTB (4), +34 GPOREG (4)  storage
 *
 * Writing the command F1h or F0h to B2h turns ACPI on and off (PMCNTRL bit 0). In a real machine firmware does that in system management mode,
 * which this one does not have, so the chip does it itself, as in QEMU. The SCI is interrupt 9. SMBus ports are not there.
 * Source: Intel 82371AB (PIIX4) datasheet (290562), chapter 7; ACPI Specification 1.0b, section 4.7.
 */
import type { AccessSize, IoRegion } from '../memory/io-region.ts';
import { nsOfTick, ticksAt } from './clock.ts';
import type { Clock, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { COMMAND_IO, PCI_COMMAND, PCI_STATUS, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';
import type { Moved } from './pci-slot.ts';
import { readField, writeField } from './register-fields.ts';
import type { Field } from './register-fields.ts';

export const PM_TIMER_HZ = 3_579_545;
const TIMER_PERIOD = 0x100_0000;
/** Bit 23 changes after so many ticks: TMR_STS. */
const HALF = 0x80_0000;
const STATUS_TIMER = 0x0001, STATUS_BUTTON = 0x0100, STATUS_RTC = 0x0400;
const STATUS_BITS = 0x8d21, ENABLE_BITS = 0x0521;
const SCI_ENABLE = 0x0001, SUSPEND = 0x2000, KIND_SHIFT = 10, KIND_MASK = 7, SOFT_OFF = 0;
const CONTROL_BITS = 0x1c03;
const APM_ACPI_ON = 0xf1, APM_ACPI_OFF = 0xf0;
const PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, PORTS = 64;

function space(): Uint8Array {
  const bytes = pciHeader({ vendor: 0x8086, device: 0x7113, revision: 3, classCode: 0x068000, subsystemVendor: 0x1af4, subsystem: 0x1100, interruptPin: 1 });
  bytes.set([0x80, 0x02], PCI_STATUS);
  bytes[PMBA] = 1;
  bytes[0x90] = 1;
  // DEVACTB.APMC_EN: firmware takes it that system management mode is set up, and does not wait for an interrupt into it. So does QEMU without SMM.
  bytes[DEVACTB + 3] = 0x02;
  return bytes;
}

export interface Piix4PmOptions {
  clock: Clock;
  /** The SCI: interrupt 9. */
  sci: IrqLine;
  /** Told where the registers are decoded. */
  moved: (region: IoRegion) => Moved;
  /** The guest switches the machine off. */
  powerOff: () => void;
}

export class Piix4Pm implements PciFunction {
  readonly name = 'piix4-pm';
  readonly state = new DeviceState(1, {
    config: space(), status: 0, enable: 0, control: 0, eventStatus: 0, eventEnable: 0, processor: 0, activity: 0, outputs: 0, apmControl: 0, apmStatus: 0,
    /** Half periods of the timer that have been accounted for in the status. */
    halves: 0,
  });
  readonly config: PciConfig;
  /** B2h and B3h. */
  readonly apm: IoRegion;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #options: Piix4PmOptions;
  readonly #moved: Moved;
  #base: number | null = null;

  constructor(options: Piix4PmOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#timer = options.clock.timer(this.name, () => this.#update());
    this.#moved = options.moved(this.#registers());
    this.config = new PciConfig(this.state.fields.config, () => this.#place())
      .writable(PCI_COMMAND, 2, COMMAND_IO).clearable(PCI_STATUS, 2, 0x3800)
      .writable(PMBA, 4, 0xffc0).writable(0x44, 4, -1).writable(0x48, 4, -1).writable(0x4c, 4, -1).writable(0x50, 4, -1).writable(0x54, 4, -1)
      .writable(0x58, 4, -1).writable(0x5c, 4, -1).writable(0x60, 4, -1).writable(0x64, 4, -1).writable(PMREGMISC, 1, 1)
      .writable(0x90, 4, 0xfff0).writable(0xd2, 1, 0x0f);
    const { fields: f } = this.state;
    this.apm = {
      name: 'apm', size: 2, minAccess: 1, maxAccess: 1,
      read: (offset) => (offset === 0 ? f.apmControl : f.apmStatus),
      write: (offset, value) => {
        if (offset === 1) f.apmStatus = value;
        else this.#command(value);
      },
    };
  }

  /** The power button was pressed and let go. */
  pressButton(): void {
    this.state.fields.status |= STATUS_BUTTON;
    this.#update();
  }

  /** The real-time clock has raised its interrupt pin, wherever that leads. */
  clockInterrupt(): void {
    this.state.fields.status |= STATUS_RTC;
    this.#update();
  }

  reset(): void {
    this.state.reset();
    this.state.fields.halves = this.#halves();
    this.#place();
    this.#update();
  }

  restored(): void {
    this.#place();
    this.#drive();
  }

  #place(): void {
    const enabled = (this.config.bytes[PMREGMISC]! & 1) !== 0, base = this.config.read(PMBA, 2) & 0xffc0;
    const place = enabled && base !== 0 ? base : null;
    if (place === this.#base) return;
    this.#base = place;
    this.#moved(place);
  }

  #command(value: number): void {
    const { fields: f } = this.state;
    f.apmControl = value;
    if (value === APM_ACPI_ON) f.control |= SCI_ENABLE;
    else if (value === APM_ACPI_OFF) f.control &= ~SCI_ENABLE;
    this.#update();
  }

  #halves(): number {
    return Math.floor(ticksAt(this.#clock.now(), PM_TIMER_HZ) / HALF);
  }

  /** The timer's status, and what follows. */
  #update(): void {
    const { fields: f } = this.state, halves = this.#halves();
    if (halves !== f.halves) f.status |= STATUS_TIMER;
    f.halves = halves;
    this.#drive();
  }

  /** The SCI, and when to look again. */
  #drive(): void {
    const { fields: f } = this.state;
    this.#options.sci.set((f.control & SCI_ENABLE) !== 0 && (f.status & f.enable & ENABLE_BITS) !== 0);
    if ((f.enable & STATUS_TIMER) !== 0 && (f.status & STATUS_TIMER) === 0) this.#timer.arm(nsOfTick((f.halves + 1) * HALF, PM_TIMER_HZ));
    else this.#timer.cancel();
  }

  #suspend(value: number): void {
    const { fields: f } = this.state;
    f.control = value & CONTROL_BITS;
    this.#update();
    if ((value & SUSPEND) !== 0 && ((value >> KIND_SHIFT) & KIND_MASK) === SOFT_OFF) this.#options.powerOff();
  }

  #registers(): IoRegion {
    const { fields: f } = this.state;
    const storage = (at: number, name: 'processor' | 'activity' | 'outputs'): Field => ({ at, size: 4, get: () => f[name], set: (value) => { f[name] = value; } });
    const registers: readonly Field[] = [
      { at: 0x00, size: 2, get: () => {
        this.#update();
        return f.status;
      }, set: (value) => {
        this.#update();
        f.status &= ~(value & STATUS_BITS);
        this.#update();
      } },
      { at: 0x02, size: 2, get: () => f.enable, set: (value) => {
        f.enable = value & ENABLE_BITS;
        this.#update();
      } },
      { at: 0x04, size: 2, get: () => f.control, set: (value) => this.#suspend(value) },
      { at: 0x08, size: 4, get: () => ticksAt(this.#clock.now(), PM_TIMER_HZ) % TIMER_PERIOD },
      { at: 0x0c, size: 2, get: () => f.eventStatus, set: (value) => { f.eventStatus &= ~value; } },
      { at: 0x0e, size: 2, get: () => f.eventEnable, set: (value) => { f.eventEnable = value; } },
      storage(0x10, 'processor'), storage(0x20, 'activity'), storage(0x34, 'outputs'),
    ];
    return {
      name: 'piix4-pm', size: PORTS, minAccess: 1, maxAccess: 4,
      read: (offset: number, size: AccessSize) => readField(registers, offset, size),
      write: (offset: number, value: number, size: AccessSize) => writeField(registers, offset, value, size),
    };
  }
}
