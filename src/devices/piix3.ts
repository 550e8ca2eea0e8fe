/**
 * The south bridge of the 440FX chipset (82371SB, PIIX3): function 0, the ISA bridge, with the routing of PCI interrupts and the reset
 * control register (CF9h); function 1, the configuration space of the IDE interface. The timers, interrupt and DMA controllers
 * that the chip also holds are devices of their own.
 * Source: Intel 82371SB (PIIX3) datasheet (290550), sections 2.2, 2.3 and 2.6.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';
import { BUS_MASTER_SIZE } from './ide-dma.ts';
import { Line } from './irq.ts';
import { COMMAND_IO, COMMAND_MASTER, PCI_COMMAND, PCI_STATUS, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';

const PIRQ_ROUTE = 0x60;
const ROUTE_OFF = 0x80;
const RESET_CPU = 0x04;
/** IRQs that PIRQA#-PIRQD# may be routed to: 3-7, 9-12, 14, 15. */
const ROUTABLE = 0xdef8;

/** Power-on values of function 0 beside the header: [offset, bytes...]. */
const ISA_DEFAULTS: readonly (readonly number[])[] = [
  [PCI_COMMAND, 0x07, 0x00],
  [PCI_STATUS, 0x00, 0x02],
  [0x4c, 0x4d, 0x00, 0x03, 0x00],
  [PIRQ_ROUTE, ROUTE_OFF, ROUTE_OFF, ROUTE_OFF, ROUTE_OFF],
  [0x69, 0x02],
  [0x70, 0x80],
  [0x76, 0x0c, 0x0c, 0x02],
  [0xa0, 0x08],
  [0xa8, 0x0f],
];

function isaSpace(): Uint8Array {
  const bytes = pciHeader({ vendor: 0x8086, device: 0x7000, classCode: 0x060100, headerType: 0x80 });
  for (const [offset, ...values] of ISA_DEFAULTS) bytes.set(values, offset);
  return bytes;
}

export class Piix3 implements Device, PciFunction {
  readonly name = 'piix3';
  readonly state = new DeviceState(1, { config: isaSpace(), resetControl: 0 });
  readonly config: PciConfig;
  /** PIRQA#-PIRQD#; high = asserted. */
  readonly pirq: readonly Line[];
  /** CF9h: bit 1 hard reset, bit 2 its trigger. */
  readonly resetControl: IoRegion;
  readonly #irq: readonly IrqLine[];
  #driven = 0;

  /**
   * @param irq the bridge's own drivers of IRQ0-15 (shared with ISA devices)
   * @param reset pulsed on a reset through CF9h
   */
  constructor(irq: readonly IrqLine[], reset: IrqLine) {
    this.#irq = irq;
    this.pirq = Array.from({ length: 4 }, () => new Line(() => this.#route()));
    this.config = new PciConfig(this.state.fields.config, () => this.#route())
      .writable(PCI_COMMAND, 2, 0x0108)
      .clearable(PCI_STATUS, 2, 0x7800)
      .writable(0x4c, 1, 0x7f)
      .writable(0x4e, 2, 0x01ff)
      .writable(PIRQ_ROUTE, 4, 0x8f8f8f8f)
      .writable(0x69, 1, 0xfe)
      .writable(0x6a, 2, 0x8000)
      .writable(0x70, 1, 0xef)
      .writable(0x76, 2, 0x8f8f)
      .writable(0x78, 2, 0xffff)
      .writable(0x80, 1, 0x7f)
      .writable(0x82, 1, 0x0f)
      .writable(0xa0, 1, 0x1f)
      .writable(0xa2, 2, 0x00ff)
      .writable(0xa4, 4, 0xf000ffff)
      .writable(0xa8, 1, 0xff)
      .writable(0xaa, 2, 0x00ff)
      .writable(0xac, 1, 0xff)
      .writable(0xae, 1, 0xff);
    this.resetControl = {
      name: 'piix3-reset',
      size: 1,
      minAccess: 1,
      maxAccess: 1,
      read: () => this.state.fields.resetControl,
      write: (_offset, value) => {
        const triggered = (value & ~this.state.fields.resetControl & RESET_CPU) !== 0;
        this.state.fields.resetControl = value & 0x06;
        if (!triggered) return;
        reset.set(true);
        reset.set(false);
      },
    };
  }

  reset(): void {
    this.state.reset();
    this.#route();
  }

  restored(): void {
    this.#route();
  }

  /** Drives each IRQ that an asserted PIRQ is routed to. */
  #route(): void {
    let levels = 0;
    this.pirq.forEach((line, pirq) => {
      const route = this.config.bytes[PIRQ_ROUTE + pirq];
      if (line.level && !(route & ROUTE_OFF)) levels |= (1 << (route & 15)) & ROUTABLE;
    });
    for (let irq = 0; irq < 16; irq++) {
      if ((levels ^ this.#driven) & (1 << irq)) this.#irq[irq].set((levels & (1 << irq)) !== 0);
    }
    this.#driven = levels;
  }
}

/**
 * Function 1. The channels answer at their fixed ports whatever IDETIM says; the bus master's registers (ide-dma.ts) at the ports
 * that BMIBA (20h) names.
 */
export class Piix3Ide implements Device, PciFunction {
  readonly name = 'piix3-ide';
  readonly state: DeviceState<{ config: Uint8Array }>;
  readonly config: PciConfig;

  /** @param moved told where the registers of the bus master are decoded */
  constructor(moved: (base: number | null) => void) {
    const bytes = pciHeader({ vendor: 0x8086, device: 0x7010, classCode: 0x010180 });
    bytes[PCI_STATUS] = 0x80;
    bytes[PCI_STATUS + 1] = 0x02;
    this.state = new DeviceState(1, { config: bytes });
    this.config = new PciConfig(this.state.fields.config)
      .writable(PCI_COMMAND, 2, COMMAND_IO | COMMAND_MASTER)
      .clearable(PCI_STATUS, 2, 0x3800)
      .writable(0x0d, 1, 0xf0)
      .writable(0x40, 4, -1)
      .writable(0x44, 1, 0xff)
      .bar(4, 'io', BUS_MASTER_SIZE, moved);
  }

  /** It may use the bus on its own. */
  get isMaster(): boolean {
    return (this.config.command & COMMAND_MASTER) !== 0;
  }

  reset(): void {
    this.state.reset();
    this.config.updateBars();
  }

  restored(): void {
    this.config.updateBars();
  }
}
