/**
 * PCI: configuration spaces with write masks and base address registers, and configuration mechanism #1.
 *
 * Ports CF8h-CFBh take the address of a register as one dword (31 enable, 23-16 bus, 15-11 device, 10-8 function, 7-2 register);
 * CFCh-CFFh are the register's bytes, in any size. Narrower accesses to CF8h-CFBh are not for the bridge: they pass on to the bus
 * behind it, where the reset control register sits at CF9h.
 * Source: PCI Local Bus Specification 2.1, chapter 6 and 3.7.4.1; Intel 82441FX datasheet, section 3.1.
 */
import type { AccessSize, IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';

export const PCI_COMMAND = 0x04;
export const PCI_STATUS = 0x06;
/** First capability; status bit 4 says that there is one. */
export const PCI_CAPABILITIES = 0x34;
const PCI_BAR0 = 0x10;
const PCI_ROM = 0x30;
const PCI_INTERRUPT_LINE = 0x3c;

export const COMMAND_IO = 0x01;
export const COMMAND_MEMORY = 0x02;
export const COMMAND_MASTER = 0x04;
/** No INTx# (PCI 2.3). */
export const COMMAND_INTX_OFF = 0x400;

/** Who a function says that it is. */
export interface PciIdentity {
  vendor: number;
  device: number;
  revision?: number;
  /** Base class, sub-class, programming interface, as one 24-bit number. */
  classCode: number;
  /** Bit 7: more functions in this slot. */
  headerType?: number;
  subsystemVendor?: number;
  subsystem?: number;
  /** 1-4 for INTA#-INTD#; 0 = none. */
  interruptPin?: number;
}

/** A 256-byte configuration space with its standard header filled in: what a function declares as its state. */
export function pciHeader(identity: PciIdentity): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint16(0x00, identity.vendor, true);
  view.setUint16(0x02, identity.device, true);
  view.setUint32(0x08, ((identity.classCode << 8) | (identity.revision ?? 0)) >>> 0, true);
  bytes[0x0e] = identity.headerType ?? 0;
  view.setUint16(0x2c, identity.subsystemVendor ?? 0, true);
  view.setUint16(0x2e, identity.subsystem ?? 0, true);
  bytes[0x3d] = identity.interruptPin ?? 0;
  return bytes;
}

/** prefetchable: memory whose reads have no side effects. */
export type BarKind = 'io' | 'memory' | 'prefetchable' | 'rom';

/** Read-only low bits of a base address register. */
const BAR_TYPE = { io: 1, memory: 0, prefetchable: 8, rom: 0 } as const;

interface Bar {
  readonly register: number;
  readonly kind: BarKind;
  readonly size: number;
  readonly moved: (base: number | null) => void;
  base: number | null;
}

export class PciConfig {
  readonly bytes: Uint8Array;
  /** Bits that the guest may write; bits that it clears by writing ones. */
  readonly #writable = new Uint8Array(256);
  readonly #clearable = new Uint8Array(256);
  readonly #bars: Bar[] = [];
  readonly #written: (offset: number, size: number) => void;
  readonly #beforeRead: (offset: number) => void;

  /**
   * @param bytes the space, part of the function's declared state
   * @param written told after each write by the guest
   * @param beforeRead told of each read by the guest: registers that are not plain bytes are filled in
   */
  constructor(bytes: Uint8Array, written: (offset: number, size: number) => void = () => {}, beforeRead: (offset: number) => void = () => {}) {
    this.#beforeRead = beforeRead;
    this.bytes = bytes;
    this.#written = written;
    this.writable(PCI_INTERRUPT_LINE, 1, 0xff);
  }

  /** Lets the guest write the bits of `mask` in the little-endian register of `size` bytes at `offset`. */
  writable(offset: number, size: AccessSize, mask: number): this {
    for (let i = 0; i < size; i++) this.#writable[offset + i] = mask >>> (8 * i);
    return this;
  }

  /** Lets the guest clear the bits of `mask` by writing ones. */
  clearable(offset: number, size: AccessSize, mask: number): this {
    for (let i = 0; i < size; i++) this.#clearable[offset + i] = mask >>> (8 * i);
    return this;
  }

  /**
   * Adds a base address register.
   * @param index 0-5; any number for a ROM, which has a register of its own
   * @param size bytes, a power of two; at least 4 (io), 16 (memory), 2048 (rom)
   * @param moved told where the region is decoded now, or null: not at all
   */
  bar(index: number, kind: BarKind, size: number, moved: (base: number | null) => void): this {
    const register = kind === 'rom' ? PCI_ROM : PCI_BAR0 + 4 * index;
    this.writable(register, 4, -size | (kind === 'rom' ? 1 : 0));
    this.#bars.push({ register, kind, size, moved, base: null });
    this.updateBars();
    return this;
  }

  /** The command register. */
  get command(): number {
    return this.bytes[PCI_COMMAND] | (this.bytes[PCI_COMMAND + 1] << 8);
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.bytes[offset + i] << (8 * i);
    return value;
  }

  /** A read by the guest. */
  readRegister(offset: number, size: AccessSize): number {
    this.#beforeRead(offset);
    return this.read(offset, size);
  }

  write(offset: number, value: number, size: AccessSize): void {
    for (let i = 0; i < size; i++) {
      const byte = (value >>> (8 * i)) & 0xff;
      const writable = this.#writable[offset + i];
      const cleared = this.#clearable[offset + i] & byte;
      this.bytes[offset + i] = ((this.bytes[offset + i] & ~writable) | (byte & writable)) & ~cleared;
    }
    this.updateBars();
    this.#written(offset, size);
  }

  /** Tells regions whose place has changed: after a write, a reset or a restore. */
  updateBars(): void {
    for (const bar of this.#bars) {
      this.bytes[bar.register] |= BAR_TYPE[bar.kind];
      const base = this.#decoded(bar);
      if (base === bar.base) continue;
      bar.base = base;
      bar.moved(base);
    }
  }

  #decoded({ register, kind, size }: Bar): number | null {
    if (!(this.command & (kind === 'io' ? COMMAND_IO : COMMAND_MEMORY))) return null;
    const value = this.read(register, 4);
    if (kind === 'rom' && !(value & 1)) return null;
    const base = (value & -size) >>> 0;
    // Neither zero nor the value with which software asks for the size is a place.
    return base === 0 || base + size >= (kind === 'io' ? 0x10000 : 2 ** 32) ? null : base;
  }
}

/** A function on the bus: a device with a configuration space. */
export interface PciFunction extends Device {
  readonly config: PciConfig;
}

/** Bus 0 and the two ports that reach its configuration spaces. */
export class PciBus implements Device {
  readonly name = 'pci-bus';
  readonly state = new DeviceState(1, { address: 0 });
  /** CF8h-CFBh. */
  readonly addressPort: IoRegion;
  /** CFCh-CFFh. */
  readonly dataPort: IoRegion;
  /** By device << 3 | function. */
  readonly #functions = new Map<number, PciFunction>();

  /** @param behind the register that narrow accesses to CF9h reach */
  constructor(behind: IoRegion | null = null) {
    this.addressPort = {
      name: 'pci-config-address',
      size: 4,
      minAccess: 1,
      maxAccess: 4,
      read: (offset, size) => {
        if (size === 4) return this.state.fields.address;
        return behind && offset === 1 && size === 1 ? behind.read(0, 1) : -1;
      },
      write: (offset, value, size) => {
        // Bits 30-24 and 1-0 are reserved.
        if (size === 4) this.state.fields.address = value & 0x80ff_fffc;
        else if (behind && offset === 1 && size === 1) behind.write(0, value, 1);
      },
    };
    this.dataPort = {
      name: 'pci-config-data',
      size: 4,
      minAccess: 1,
      maxAccess: 4,
      read: (offset, size) => this.#selected()?.readRegister((this.state.fields.address & 0xfc) + offset, size) ?? -1,
      write: (offset, value, size) => this.#selected()?.write((this.state.fields.address & 0xfc) + offset, value, size),
    };
  }

  /** @throws Error if the place is taken */
  add(device: number, fn: number, pciFunction: PciFunction): void {
    const place = (device << 3) | fn;
    if (this.#functions.has(place)) throw new Error(`PCI 00:${device.toString(16)}.${fn} is taken`);
    this.#functions.set(place, pciFunction);
  }

  /** Everything on the bus by device and function, for `info pci`. */
  functions(): { device: number; fn: number; function: PciFunction }[] {
    return [...this.#functions].sort(([a], [b]) => a - b).map(([place, pciFunction]) => ({ device: place >> 3, fn: place & 7, function: pciFunction }));
  }

  reset(): void {
    this.state.reset();
  }

  #selected(): PciConfig | undefined {
    const { address } = this.state.fields;
    // Enabled, bus 0.
    if (address >= 0 || address & 0xff_0000) return undefined;
    return this.#functions.get((address >> 8) & 0xff)?.config;
  }
}
