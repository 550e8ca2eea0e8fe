/**
 * QEMU's pc-testdev, for kvm-unit-tests: ports and memory that hold what is written, and the ISA interrupt lines.
 *
 *     E0-E3 a register   E4 flush a page (nothing to do)   E8-EB the same register, by bytes   2000-2017 level of IRQ n
 *     FF000000-FF00FFFF memory that is a device
 *
 * Source: QEMU, hw/misc/pc-testdev.c (behaviour).
 */
import type { AccessSize, IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';

export const TEST_MEMORY_BASE = 0xff000000;
const MEMORY_SIZE = 0x10000, IRQS = 24;

export class PcTestDevice implements Device {
  readonly name = 'pc-testdev';
  readonly state = new DeviceState(2, { register: new Uint8Array(4), memory: new Uint8Array(MEMORY_SIZE), levels: new Uint8Array(IRQS) });
  readonly register: IoRegion;
  readonly registerBytes: IoRegion;
  readonly flush: IoRegion;
  readonly irqs: IoRegion;
  readonly memory: IoRegion;
  readonly #lines: readonly IrqLine[];

  /** @param lines ISA interrupts */
  constructor(lines: readonly IrqLine[]) {
    const { fields } = this.state;
    this.#lines = lines;
    this.register = { name: this.name, size: 4, minAccess: 1, maxAccess: 4, ...store(fields.register) };
    this.registerBytes = { name: `${this.name}-bytes`, size: 4, minAccess: 1, maxAccess: 1, ...store(fields.register) };
    this.flush = { name: `${this.name}-flush`, size: 4, minAccess: 1, maxAccess: 4, read: () => 0, write: () => {} };
    this.irqs = {
      name: `${this.name}-irq`, size: IRQS, minAccess: 1, maxAccess: 1, read: () => 0,
      write: (line, value) => {
        fields.levels[line] = value !== 0 ? 1 : 0;
        this.restored();
      },
    };
    this.memory = { name: `${this.name}-memory`, size: MEMORY_SIZE, minAccess: 1, maxAccess: 4, ...store(fields.memory) };
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  restored(): void {
    this.#lines.forEach((line, irq) => line.set(this.state.fields.levels[irq] !== 0));
  }
}

/** Bytes, little-endian. */
function store(bytes: Uint8Array): Pick<IoRegion, 'read' | 'write'> {
  return {
    read: (offset, size: AccessSize) => {
      let value = 0;
      for (let i = 0; i < size; i++) value |= (bytes[offset + i] ?? 0xff) << 8 * i;
      return value;
    },
    write: (offset, value, size) => {
      for (let i = 0; i < size; i++) bytes[offset + i] = value >> 8 * i;
    },
  };
}
