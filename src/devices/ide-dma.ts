/**
 * The bus master of the PIIX's IDE interface: for each channel 8 ports, from the base that the PCI function's BAR 4 holds (the secondary channel
 * at +8), through which drives move the data of DMA commands.
 *
 *     +0  command: bit 0 start, bit 3 direction (1: from the drive to memory)
 *     +2  status: bit 0 active, 1 error, 2 interrupt (cleared by ones), 5 and 6 "drive 0/1 is set up for DMA" (storage)
 *     +4  address of the descriptor table (32 bits, whole dwords)
 *
 * A descriptor is an address (32 bits) and a count of bytes (16 bits; 0 = 64 KB), both even; bit 31 of its second dword ends the table.
 * Active falls when the table is used up or the channel is stopped: after a table that is longer than the transfer, it stays. A drive
 * that wants more than the table has waits for ever, as it does in hardware.
 * Source: Intel 82371SB (PIIX3) datasheet (290550), section 2.7; Programming Interface for Bus Master IDE Controller, revision 1.0.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import type { AccessSize, IoRegion } from '../memory/io-region.ts';
import type { Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';

/** Ports of both channels together. */
export const BUS_MASTER_SIZE = 16;
const CHANNEL_SIZE = 8;

const COMMAND = 0, STATUS = 2, TABLE = 4;
const START = 0x01, TO_MEMORY = 0x08;
const ACTIVE = 0x01, ERROR = 0x02, INTERRUPT = 0x04, CAPABLE = 0x60;
const LAST = 0x8000_0000;

export class BusMaster implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    command: 0, status: 0, table: 0,
    /** The descriptor that comes next, and what is left of the one in use. */
    next: 0, address: 0, left: 0, last: 0,
    interrupt: 0, // its level
  });
  /** The drives' interrupt: its rise is noted in the status. */
  readonly interrupt: IrqLine;
  /** Set by the channel: data may be moved. */
  started: () => void = () => {};
  readonly #space: AddressSpace;
  readonly #isMaster: () => boolean;

  /** @param isMaster the PCI function may use the bus */
  constructor(name: string, space: AddressSpace, isMaster: () => boolean) {
    this.name = name;
    this.#space = space;
    this.#isMaster = isMaster;
    this.interrupt = {
      set: (level) => {
        const { fields: f } = this.state;
        if (level && f.interrupt === 0) f.status |= INTERRUPT;
        f.interrupt = Number(level);
      },
    };
  }

  reset(): void {
    this.state.reset();
  }

  /** Moves what it can of `data` between drive and memory. @returns bytes moved: all, unless the channel is stopped, set to the other direction, or out of memory */
  move(data: Uint8Array, toMemory: boolean): number {
    const { fields: f } = this.state;
    if (((f.command & TO_MEMORY) !== 0) !== toMemory || !this.#isMaster()) return 0;
    let moved = 0;
    while (moved < data.length && (f.status & ACTIVE) !== 0) {
      if (f.left === 0) this.#fetch();
      const part = data.subarray(moved, moved + f.left);
      // Where nothing answers the bus ends the transfer with a master abort.
      if (!this.#space.isMapped(f.address, part.length)) {
        f.status = (f.status & ~ACTIVE) | ERROR;
        break;
      }
      if (toMemory) this.#space.writeBytes(f.address, part);
      else this.#space.readBytes(f.address, part);
      moved += part.length;
      f.address += part.length;
      f.left -= part.length;
      if (f.left === 0 && f.last !== 0) f.status &= ~ACTIVE;
    }
    return moved;
  }

  read(offset: number): number {
    const { fields: f } = this.state;
    if (offset === COMMAND) return f.command;
    if (offset === STATUS) return f.status;
    return offset >= TABLE ? (f.table >>> (8 * (offset - TABLE))) & 0xff : 0;
  }

  write(offset: number, value: number): void {
    const { fields: f } = this.state;
    if (offset === COMMAND) this.#command(value);
    else if (offset === STATUS) f.status = (f.status & ~(value & (ERROR | INTERRUPT)) & ~CAPABLE) | (value & CAPABLE);
    else if (offset >= TABLE) {
      const shift = 8 * (offset - TABLE);
      f.table = ((f.table & ~(0xff << shift)) | (value << shift)) & ~3;
    }
  }

  #command(value: number): void {
    const { fields: f } = this.state, before = f.command;
    f.command = value & (START | TO_MEMORY);
    if ((value & START) === 0) f.status &= ~ACTIVE;
    else if ((before & START) === 0) {
      f.next = f.table >>> 0;
      f.left = f.last = 0;
      f.status |= ACTIVE;
      this.started();
    }
  }

  #fetch(): void {
    const { fields: f } = this.state;
    f.address = (this.#space.read(f.next, 4) & ~1) >>> 0;
    const second = this.#space.read(f.next + 4, 4);
    f.next = (f.next + 8) % 2 ** 32;
    f.left = (second & 0xfffe) || 0x10000;
    f.last = second & LAST;
  }
}

/** The ports of two channels as one region. */
export function busMasterPorts(channels: readonly [BusMaster, BusMaster]): IoRegion {
  const channel = (offset: number): BusMaster => channels[offset < CHANNEL_SIZE ? 0 : 1];
  return {
    name: 'piix3-bmide', size: BUS_MASTER_SIZE, minAccess: 1, maxAccess: 4,
    read: (offset: number, size: AccessSize) => {
      let value = 0;
      for (let i = 0; i < size; i++) value |= channel(offset + i).read((offset + i) % CHANNEL_SIZE) << (8 * i);
      return value;
    },
    write: (offset: number, value: number, size: AccessSize) => {
      for (let i = 0; i < size; i++) channel(offset + i).write((offset + i) % CHANNEL_SIZE, (value >>> (8 * i)) & 0xff);
    },
  };
}
