/**
 * The PCI side of the VGA adapter: QEMU's standard VGA (`-vga std`), which firmware and drivers know by its identity.
 * Source: QEMU, docs/specs/standard-vga.
 *
 *     BAR 0  the video memory (linear frame buffer)
 *     BAR 2  000-07F  what the monitor says of itself (edid.ts)       500-515  Bochs VBE registers (vga-dispi.ts), 16 bits each
 *            400-41F  ports 3C0-3DF                                   600-607  size of this block, byte order of the frame buffer
 *     ROM    the VGA BIOS
 *
 * Ports 3B0-3DF, 1CE, 1CF and the memory at A0000 stay where they are.
 */
import { EDID } from './edid.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import { COMMAND_IO, COMMAND_MEMORY, PCI_COMMAND, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';
import type { Vga } from './vga.ts';
import { readIo, writeIo } from '../memory/address-space.ts';
import type { AccessSize, IoRegion } from '../memory/io-region.ts';

const BLOCK_SIZE = 0x1000;
const PORTS = 0x400, PORTS_END = 0x420, PORTS_OFFSET = 0x10;
const DISPI = 0x500, DISPI_END = 0x516;
const QEXT = 0x600, QEXT_SIZE = 8, QEXT_ORDER = 4, LITTLE_ENDIAN = 0x1e1e1e1e;

/** Told where a region is decoded now, or null: not at all. */
type Moved = (base: number | null) => void;

export interface PciVgaOptions {
  vga: Vga;
  memory: { size: number; moved: Moved };
  /** Where `registers` is to appear. */
  registersMoved: Moved;
  /** The expansion ROM (its size is a power of two); null: none. */
  rom: { size: number; moved: Moved } | null;
}

export class PciVga implements Device, PciFunction {
  readonly name = 'pci-vga';
  readonly state = new DeviceState(2, {
    config: pciHeader({ vendor: 0x1234, device: 0x1111, revision: 2, classCode: 0x030000, subsystemVendor: 0x1af4, subsystem: 0x1100 }),
  });
  readonly config = new PciConfig(this.state.fields.config).writable(PCI_COMMAND, 2, COMMAND_IO | COMMAND_MEMORY);
  /** The block behind BAR 2. */
  readonly registers: IoRegion;

  constructor({ vga, memory, registersMoved, rom }: PciVgaOptions) {
    this.registers = registersOf(vga);
    this.config.bar(0, 'prefetchable', memory.size, memory.moved);
    this.config.bar(2, 'memory', BLOCK_SIZE, registersMoved);
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

function registersOf({ ports, dispi }: Vga): IoRegion {
  /** The VBE registers as a region of words. */
  const words: IoRegion = {
    name: 'dispi', size: DISPI_END - DISPI, minAccess: 2, maxAccess: 2,
    read: (offset) => dispi.read(offset >> 1), write: (offset, value) => dispi.write(offset >> 1, value),
  };
  return {
    name: 'vga-registers', size: BLOCK_SIZE, minAccess: 1, maxAccess: 4,
    read(offset: number, size: AccessSize): number {
      if (offset < EDID.length) return readBytes(EDID, offset, size);
      if (offset >= PORTS && offset < PORTS_END) return readIo(ports, offset - PORTS + PORTS_OFFSET, size);
      if (offset >= DISPI && offset < DISPI_END) return readIo(words, offset - DISPI, size);
      if (offset === QEXT) return QEXT_SIZE;
      return offset === QEXT + QEXT_ORDER ? LITTLE_ENDIAN : 0;
    },
    write(offset: number, value: number, size: AccessSize): void {
      if (offset >= PORTS && offset < PORTS_END) writeIo(ports, offset - PORTS + PORTS_OFFSET, value, size);
      else if (offset >= DISPI && offset < DISPI_END) writeIo(words, offset - DISPI, value, size);
    },
  };
}

function readBytes(bytes: Uint8Array, offset: number, size: AccessSize): number {
  let value = 0;
  for (let i = 0; i < size; i++) value |= (bytes[offset + i] ?? 0) << (8 * i);
  return value;
}
