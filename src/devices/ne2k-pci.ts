/** The RTL8029: an NE2000 on the PCI bus. Source: Realtek RTL8029AS datasheet. BAR 0: the NE2000's ports. */
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import { Ne2000 } from './ne2000.ts';
import type { NicSettings } from './ne2000.ts';
import { COMMAND_IO, PCI_COMMAND, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';
import type { PciSlot } from './pci-slot.ts';

const PORTS = 0x100;

export class Ne2kPci implements Device, PciFunction {
  readonly name: string;
  readonly state = new DeviceState(1, {
    config: pciHeader({ vendor: 0x10ec, device: 0x8029, classCode: 0x020000, subsystemVendor: 0x1af4, subsystem: 0x1100, interruptPin: 1 }),
  });
  readonly config = new PciConfig(this.state.fields.config).writable(PCI_COMMAND, 2, COMMAND_IO);
  /** The card behind it, a device of its own. */
  readonly chip: Ne2000;

  constructor({ name, mac, backend }: NicSettings, slot: PciSlot) {
    this.name = `${name}-pci`;
    this.chip = new Ne2000({ name, mac, backend, clock: slot.clock, irq: slot.intA });
    const { io } = this.chip;
    // The chip takes 256 ports and answers in the first 32.
    this.config.bar(0, 'io', PORTS, slot.ports({
      ...io, size: PORTS,
      read: (offset, size) => (offset < io.size ? io.read(offset, size) : -1),
      write: (offset, value, size) => {
        if (offset < io.size) io.write(offset, value, size);
      },
    }));
  }

  reset(): void {
    this.state.reset();
    this.config.updateBars();
  }

  restored(): void {
    this.config.updateBars();
  }
}
