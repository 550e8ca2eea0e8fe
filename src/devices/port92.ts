/**
 * Port 92h: bit 1 gates A20 (ORed with the keyboard controller's), a rise of bit 0 resets the processor.
 * Source: Intel 82371SB (PIIX3) datasheet, section 2.5.27.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';

const FAST_INIT = 0x01;
const FAST_A20 = 0x02;

export class Port92 implements Device {
  readonly name = 'port92';
  readonly state = new DeviceState(1, { value: 0 });
  readonly io: IoRegion = {
    name: 'port92',
    size: 1,
    minAccess: 1,
    maxAccess: 1,
    read: () => this.state.fields.value,
    write: (_offset, value) => this.#write(value),
  };
  readonly #a20: IrqLine;
  readonly #reset: IrqLine;

  constructor(a20: IrqLine, reset: IrqLine) {
    this.#a20 = a20;
    this.#reset = reset;
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  restored(): void {
    this.#a20.set((this.state.fields.value & FAST_A20) !== 0);
  }

  #write(value: number): void {
    const { fields } = this.state;
    const resets = (value & ~fields.value & FAST_INIT) !== 0;
    fields.value = value & (FAST_A20 | FAST_INIT);
    this.restored();
    if (!resets) return;
    this.#reset.set(true);
    this.#reset.set(false);
  }
}
