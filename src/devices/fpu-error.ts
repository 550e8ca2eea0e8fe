/**
 * The coprocessor error latch of a PC: an unmasked x87 exception (FERR#) raises IRQ13, any write to port F0h takes it back.
 * Source: Intel 82371SB (PIIX3) datasheet, section 2.5.28 (coprocessor error register).
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';

export class FpuError implements Device {
  readonly name = 'fpu-error';
  readonly state = new DeviceState(1, { pending: 0 });
  /** Port F0h. */
  readonly io: IoRegion = {
    name: 'fpu-error',
    size: 1,
    minAccess: 1,
    maxAccess: 1,
    read: () => 0xff,
    write: () => this.#set(0),
  };
  readonly #irq: IrqLine;

  constructor(irq: IrqLine) {
    this.#irq = irq;
  }

  /** FERR# has become active. */
  raise(): void {
    this.#set(1);
  }

  reset(): void {
    this.#set(0);
  }

  restored(): void {
    this.#set(this.state.fields.pending);
  }

  #set(pending: number): void {
    this.state.fields.pending = pending;
    this.#irq.set(pending !== 0);
  }
}
