/**
 * DMA: the 8237A controller and the page registers that extend its 16-bit addresses. A PC has two controllers: channels 0-3
 * move bytes, channels 4-7 words (address and count in words; channel 4 cascades the first controller).
 *
 * Registers, one port apart on the byte controller and two apart on the word controller:
 *     0,2,4,6  current address of channel 0-3 (low byte, then high byte, by the flip-flop)     1,3,5,7  current count (bytes - 1)
 *     8  W command, R status (7-4 requests, 3-0 terminal count; cleared by the read)    9  W request    A  W single mask
 *     B  W mode (7-6 demand/single/block/cascade, 5 decrement, 4 autoinit, 3-2 verify/write/read, 1-0 channel)
 *     C  W clear flip-flop    D  W master clear, R temporary    E  W clear mask    F  W all mask bits
 *
 * Transfers happen when the device asks for them, at once and without bus timing. Memory-to-memory transfers do not exist on a PC's
 * chipset and are not offered.
 * Source: Intel 8237A datasheet (231466); Intel 82371SB (PIIX3) datasheet, sections 2.5.1-2.5.9.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';

/** Guest physical memory as a bus master sees it. */
export interface PhysicalMemory {
  readBytes(address: number, into: Uint8Array): void;
  writeBytes(address: number, from: Uint8Array): void;
}

/** A channel as the device behind it sees it. */
export interface DmaChannel {
  /**
   * DREQ. While it is high and the guest has programmed and unmasked the channel, `service` is called: at once, or when the guest does so.
   * The device answers with transfer(), then lowers the line or leaves it high for more.
   */
  request(level: boolean): void;
  /** Set by the device: DACK, the channel is ready to transfer. */
  service: (() => void) | null;
  /** May transfer() be called with effect now? */
  readonly ready: boolean;
  /**
   * Moves up to data.length bytes in the direction that the guest programmed: a "write" transfer takes them from `data` to memory,
   * a "read" transfer fills `data` from memory, a "verify" only counts. Stops at terminal count.
   * @returns bytes moved; 0 if the channel is not ready
   */
  transfer(data: Uint8Array): number;
  /** The last transfer() reached terminal count (TC was pulsed). */
  readonly terminalCount: boolean;
}

const COMMAND_DISABLE = 0x04;
const MODE_DECREMENT = 0x20;
const MODE_AUTOINIT = 0x10;
const TYPE_WRITE = 1;
const TYPE_READ = 2;
const MODE_CASCADE = 3;

/** Page registers by offset from port 80h: the channel that each extends; the others are plain storage. */
const PAGE_OFFSETS = [0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa];

/** The sixteen page registers at ports 80h-8Fh. */
export class DmaPages implements Device {
  readonly name = 'dma-page';
  readonly state = new DeviceState(1, { page: new Uint8Array(16) });
  readonly io: IoRegion = {
    name: 'dma-page',
    size: 16,
    minAccess: 1,
    maxAccess: 1,
    read: (offset) => this.state.fields.page[offset],
    write: (offset, value) => {
      this.state.fields.page[offset] = value;
    },
  };

  /** Address bits 23-16 for channel 0-7. */
  of(channel: number): number {
    return this.state.fields.page[PAGE_OFFSETS[channel]];
  }

  reset(): void {
    this.state.reset();
  }
}

class Channel implements DmaChannel {
  service: (() => void) | null = null;
  terminalCount = false;
  readonly #owner: I8237;
  readonly #number: number;

  constructor(owner: I8237, number: number) {
    this.#owner = owner;
    this.#number = number;
  }

  get ready(): boolean {
    return this.#owner.ready(this.#number);
  }

  request(level: boolean): void {
    this.#owner.setRequest(this.#number, level);
  }

  transfer(data: Uint8Array): number {
    this.terminalCount = false;
    if (!this.ready) return 0;
    const moved = this.#owner.transfer(this.#number, data);
    this.terminalCount = moved.terminalCount;
    return moved.bytes;
  }
}

export class I8237 implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    address: new Uint16Array(4),
    count: new Uint16Array(4),
    baseAddress: new Uint16Array(4),
    baseCount: new Uint16Array(4),
    mode: new Uint8Array(4),
    command: 0,
    /** Terminal count reached, bit = channel. */
    terminal: 0,
    mask: 0x0f,
    /** Requests by software (register 9). */
    softRequest: 0,
    /** DREQ lines. */
    lines: 0,
    flipFlop: 0,
  });
  readonly io: IoRegion;
  readonly channels: readonly DmaChannel[];
  readonly #memory: PhysicalMemory;
  readonly #page: (channel: number) => number;
  /** 0 for a byte controller, 1 for words. */
  readonly #shift: number;
  readonly #unit = new Uint8Array(2);

  /** @param page address bits 23-16 of the controller's channel 0-3 */
  constructor(name: string, width: 8 | 16, memory: PhysicalMemory, page: (channel: number) => number) {
    this.name = name;
    this.#memory = memory;
    this.#page = page;
    this.#shift = width === 16 ? 1 : 0;
    this.channels = [0, 1, 2, 3].map((number) => new Channel(this, number));
    this.io = {
      name,
      size: 16 << this.#shift,
      minAccess: 1,
      maxAccess: 1,
      read: (offset) => this.#read(offset >> this.#shift),
      write: (offset, value) => this.#write(offset >> this.#shift, value),
    };
  }

  reset(): void {
    const { lines } = this.state.fields;
    this.state.reset();
    // DREQ belongs to the devices, which lower it in their own reset.
    this.state.fields.lines = lines;
  }

  ready(channel: number): boolean {
    const { mask, command, mode } = this.state.fields;
    return (mask & (1 << channel)) === 0 && (command & COMMAND_DISABLE) === 0 && mode[channel] >> 6 !== MODE_CASCADE;
  }

  setRequest(channel: number, level: boolean): void {
    const { fields } = this.state;
    const bit = 1 << channel;
    if (level === ((fields.lines & bit) !== 0)) return;
    fields.lines ^= bit;
    if (level && this.ready(channel)) this.channels[channel].service?.();
  }

  transfer(channel: number, data: Uint8Array): { bytes: number; terminalCount: boolean } {
    const { fields } = this.state;
    const shift = this.#shift;
    const mode = fields.mode[channel];
    const units = Math.min(data.length >> shift, fields.count[channel] + 1);
    const bytes = units << shift;
    // Addresses wrap within the page: the page register does not count.
    const page = shift ? (this.#page(channel) & 0xfe) << 16 : this.#page(channel) << 16;
    const type = (mode >> 2) & 3;
    if (mode & MODE_DECREMENT) {
      for (let i = 0; i < units; i++) {
        this.#move(type, page + (((fields.address[channel] - i) & 0xffff) << shift), data.subarray(i << shift, (i + 1) << shift));
      }
    } else {
      const first = Math.min(units, 0x10000 - fields.address[channel]);
      this.#move(type, page + (fields.address[channel] << shift), data.subarray(0, first << shift));
      if (first < units) this.#move(type, page, data.subarray(first << shift, bytes));
    }
    fields.address[channel] += mode & MODE_DECREMENT ? -units : units;
    const terminalCount = units > fields.count[channel];
    fields.count[channel] -= units;
    if (terminalCount) this.#terminal(channel);
    return { bytes, terminalCount };
  }

  #move(type: number, address: number, data: Uint8Array): void {
    if (type === TYPE_WRITE) this.#memory.writeBytes(address, data);
    else if (type === TYPE_READ) this.#memory.readBytes(address, data);
  }

  #terminal(channel: number): void {
    const { fields } = this.state;
    const bit = 1 << channel;
    fields.terminal |= bit;
    fields.softRequest &= ~bit;
    if (fields.mode[channel] & MODE_AUTOINIT) {
      fields.address[channel] = fields.baseAddress[channel];
      fields.count[channel] = fields.baseCount[channel];
    } else {
      fields.mask |= bit;
    }
  }

  #read(register: number): number {
    const { fields } = this.state;
    if (register < 8) {
      const value = (register & 1 ? fields.count : fields.address)[register >> 1];
      fields.flipFlop ^= 1;
      return fields.flipFlop ? value & 0xff : value >> 8;
    }
    if (register === 0x8) {
      const status = ((fields.lines | fields.softRequest) << 4) | fields.terminal;
      fields.terminal = 0;
      return status;
    }
    // The mask is readable at F on the chipset's controllers; the temporary register (D) only serves memory-to-memory transfers.
    return register === 0xf ? 0xf0 | fields.mask : 0;
  }

  #write(register: number, value: number): void {
    const { fields } = this.state;
    if (register < 8) return this.#writeCounter(register, value);
    const bit = 1 << (value & 3);
    switch (register) {
      case 0x8:
        fields.command = value;
        break;
      case 0x9:
        if (value & 4) this.#softRequest(value & 3);
        else fields.softRequest &= ~bit;
        return;
      case 0xa:
        if (value & 4) fields.mask |= bit;
        else fields.mask &= ~bit;
        break;
      case 0xb:
        fields.mode[value & 3] = value;
        break;
      case 0xc:
        fields.flipFlop = 0;
        return;
      case 0xd:
        fields.command = fields.terminal = fields.softRequest = fields.flipFlop = 0;
        fields.mask = 0x0f;
        return;
      case 0xe:
        fields.mask = 0;
        break;
      case 0xf:
        fields.mask = value & 0x0f;
        break;
    }
    this.#serviceWaiting();
  }

  /** Address and count: base and current registers are written together, a byte at a time. */
  #writeCounter(register: number, value: number): void {
    const { fields } = this.state;
    const channel = register >> 1;
    const [base, current] = register & 1 ? [fields.baseCount, fields.count] : [fields.baseAddress, fields.address];
    base[channel] = fields.flipFlop ? (base[channel] & 0x00ff) | (value << 8) : (base[channel] & 0xff00) | value;
    current[channel] = fields.flipFlop ? (current[channel] & 0x00ff) | (value << 8) : (current[channel] & 0xff00) | value;
    fields.flipFlop ^= 1;
  }

  /**
   * A request by software needs no mask and, without a device on the channel, runs to terminal count: a "write" stores what the
   * empty bus holds. With a device the device is asked to serve it.
   */
  #softRequest(channel: number): void {
    const { fields } = this.state;
    const bit = 1 << channel;
    fields.softRequest |= bit;
    if (fields.command & COMMAND_DISABLE || fields.mode[channel] >> 6 === MODE_CASCADE) return;
    const { service } = this.channels[channel];
    if (service) return service();
    while (fields.softRequest & bit) {
      this.#unit.fill(0xff);
      this.transfer(channel, this.#unit.subarray(0, 1 << this.#shift));
    }
  }

  #serviceWaiting(): void {
    for (let channel = 0; channel < 4; channel++) {
      if (this.state.fields.lines & (1 << channel) && this.ready(channel)) this.channels[channel].service?.();
    }
  }
}
