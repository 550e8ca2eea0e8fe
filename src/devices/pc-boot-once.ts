/** -boot once=: the boot order in CMOS is for the first start; the next reset brings the lasting one, and then it is the guest's. As QEMU's PC. */
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import { setBootOrder } from './pc-cmos.ts';

export class BootOnce implements Device {
  readonly name = 'boot-once';
  /** Resets that have been: power-on is the first. */
  readonly state = new DeviceState(1, { resets: 0 });
  readonly #order: string;
  readonly #setCmos: (index: number, value: number) => void;

  constructor(order: string, setCmos: (index: number, value: number) => void) {
    this.#order = order;
    this.#setCmos = setCmos;
  }

  reset(): void {
    const { fields } = this.state;
    if (fields.resets === 1) setBootOrder(this.#setCmos, this.#order);
    fields.resets = Math.min(fields.resets + 1, 2);
  }
}
