/**
 * A standard parallel port (SPP), with what prints on it as a byte stream.
 *
 *     0  RW data: what was written, or with control bit 5 what is on the pins (nothing drives them: FFh)
 *     1  R  status: 7 not busy, 6 not ACK, 5 paper end, 4 selected, 3 not error
 *     2  RW control: 5 pins are inputs, 4 interrupt at ACK, 3 select, 2 not INIT, 1 auto feed, 0 strobe
 *
 * The printer takes a byte when the strobe begins while it is not being initialized, is busy as long as the strobe lasts, and answers with ACK after
 * it. The interrupt stays until the guest reads the status or writes the control register: as chips with a latch do, so that none is lost.
 * Source: IBM Personal Computer Technical Reference, "Parallel Printer Adapter"; IEEE 1284-1994, compatibility mode.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';
import type { CharBackend } from './host.ts';

const STROBE = 0x01, INIT_OFF = 0x04, INTERRUPT = 0x10, INPUT = 0x20, CONTROL_BITS = 0x3f, CONTROL_FIXED = 0xc0;
const NOT_BUSY = 0x80, NOT_ACK = 0x40, IDLE = 0xdf;

export class ParallelPort implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, { data: 0, control: 0x0c, /** ACK has not been seen by the guest. */ acknowledged: 0 });
  readonly io: IoRegion;
  readonly #irq: IrqLine;
  readonly #backend: CharBackend;

  constructor(name: string, irq: IrqLine, backend: CharBackend) {
    this.name = name;
    this.#irq = irq;
    this.#backend = backend;
    this.io = { name, size: 3, minAccess: 1, maxAccess: 1, read: (offset) => this.#read(offset), write: (offset, value) => this.#write(offset, value) };
  }

  reset(): void {
    this.state.reset();
    this.#updateIrq();
  }

  restored(): void {
    this.#updateIrq();
  }

  #read(offset: number): number {
    const { fields: f } = this.state;
    if (offset === 0) return (f.control & INPUT) !== 0 ? 0xff : f.data;
    if (offset === 2) return f.control | CONTROL_FIXED;
    const status = IDLE & ~((f.control & STROBE) !== 0 ? NOT_BUSY : 0) & ~(f.acknowledged !== 0 ? NOT_ACK : 0);
    f.acknowledged = 0;
    this.#updateIrq();
    return status;
  }

  #write(offset: number, value: number): void {
    const { fields: f } = this.state;
    if (offset === 0) f.data = value & 0xff;
    if (offset !== 2) return;
    const before = f.control, ready = (value & INIT_OFF) !== 0;
    f.control = value & CONTROL_BITS;
    if (ready && (value & ~before & STROBE) !== 0) this.#backend.write(f.data);
    f.acknowledged = Number(ready && (before & ~value & STROBE) !== 0);
    this.#updateIrq();
  }

  #updateIrq(): void {
    const { acknowledged, control } = this.state.fields;
    this.#irq.set(acknowledged !== 0 && (control & INTERRUPT) !== 0);
  }
}
