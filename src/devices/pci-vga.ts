/**
 * The PCI side of the VGA adapter: identity and expansion ROM. Its ports and video memory stay at their fixed VGA addresses.
 * The identity is that of QEMU's standard VGA, so that firmware finds the adapter and takes its ROM (which carries the same one).
 */
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import { COMMAND_IO, COMMAND_MEMORY, PCI_COMMAND, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';

export class PciVga implements Device, PciFunction {
  readonly name = 'pci-vga';
  readonly state = new DeviceState(1, {
    config: pciHeader({ vendor: 0x1234, device: 0x1111, revision: 2, classCode: 0x030000, subsystemVendor: 0x1af4, subsystem: 0x1100 }),
  });
  readonly config = new PciConfig(this.state.fields.config).writable(PCI_COMMAND, 2, COMMAND_IO | COMMAND_MEMORY);

  /** @param rom size of the expansion ROM (a power of two) and where it is to appear; null: no ROM */
  constructor(rom: { size: number; moved: (base: number | null) => void } | null) {
    if (rom) this.config.bar(0, 'rom', rom.size, rom.moved);
  }

  reset(): void {
    this.state.reset();
    this.config.updateBars();
  }

  restored(): void {
    this.config.updateBars();
  }
}
