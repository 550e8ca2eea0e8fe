/**
 * The NE2000: a DP8390 network controller with 16 KB of memory of its own, which the processor reaches through a data port.
 * Sources: National DP8390D datasheet (registers, buffer ring, remote DMA); National AN-729/AN-874 (the board); Realtek RTL8029AS datasheet
 * (page 0's identification bytes).
 *
 *     00-0F  the DP8390's registers, in pages chosen by bits 7-6 of the command register (00)
 *     10-17  data port of the remote DMA: a byte, or a word where DCR.WTS is set
 *     18-1F  reset: on a read
 *
 *     Memory of the card: 0000-001F the station address, each byte twice   4000-7FFF buffer
 */
import type { AccessSize, IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { FCS_SIZE, MAC_SIZE, frameCheck, isBroadcast, isFor, isMulticast, multicastHash } from './ethernet.ts';
import type { NetBackend } from './host.ts';
import { LONGEST_FRAME, NetLink } from './net-link.ts';

const DATA = 0x10, RESET = 0x18;
export const NE2000_PORTS = 0x20;

const CR_STOP = 0x01, CR_START = 0x02, CR_TRANSMIT = 0x04, CR_REMOTE = 0x38, CR_REMOTE_READ = 0x08, CR_REMOTE_WRITE = 0x10, CR_SEND_PACKET = 0x18;
const CR_RESET = CR_STOP | 0x20;
const ISR_RECEIVED = 0x01, ISR_TRANSMITTED = 0x02, ISR_OVERWRITE = 0x10, ISR_REMOTE_DONE = 0x40, ISR_RESET = 0x80;
const RCR_RUNT = 0x02, RCR_BROADCAST = 0x04, RCR_MULTICAST = 0x08, RCR_PROMISCUOUS = 0x10, RCR_MONITOR = 0x20;
const RSR_INTACT = 0x01, RSR_GROUP = 0x20;
const TCR_LOOPBACK = 0x06, TSR_SENT = 0x01, DCR_WORDS = 0x01;
const SHORTEST = 60;

const MEMORY_START = 0x4000, MEMORY_END = 0x8000, PROM_SIZE = 32;
const PAGE = 256, HEADER = 4;
/** ns after the command at which a frame is gone: a real one takes up to 1.2 ms at 10 Mbit/s. */
const SEND_TIME = 20_000;

/** What a card of any kind is built of. */
export interface NicSettings {
  /** Unique on the board. */
  readonly name: string;
  readonly mac: Uint8Array;
  /** null: no cable. */
  readonly backend: NetBackend | null;
}

export interface Ne2000Options extends NicSettings {
  readonly clock: Clock;
  readonly irq: IrqLine;
}

export class Ne2000 implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    command: CR_RESET, isr: ISR_RESET, imr: 0, dcr: 0, rcr: 0, tcr: 0, tsr: 0, rsr: 0,
    start: 0, stop: 0, boundary: 0, current: 0, transmitPage: 0, transmitCount: 0, remoteAddress: 0, remoteCount: 0,
    station: new Uint8Array(MAC_SIZE), multicast: new Uint8Array(8), memory: new Uint8Array(MEMORY_END - MEMORY_START), sentAt: -1,
  });
  readonly io: IoRegion;
  readonly #prom: Uint8Array;
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #link: NetLink;
  readonly #sent: Timer;

  constructor({ name, clock, irq, mac, backend }: Ne2000Options) {
    this.name = name;
    this.#clock = clock;
    this.#irq = irq;
    this.#prom = promOf(mac);
    this.#link = new NetLink(clock, name, backend, (frame) => this.#receive(frame));
    this.#sent = clock.timer(`${name}-send`, () => this.#transmitted());
    this.io = {
      name, size: NE2000_PORTS, minAccess: 1, maxAccess: 4,
      read: (offset, size) => {
        if (offset < DATA) return this.#readRegisters(offset, size);
        if (offset < RESET) return this.#readData(size);
        this.#chipReset();
        return 0;
      },
      write: (offset, value, size) => {
        if (offset < DATA) for (let i = 0; i < size; i++) this.#writeRegister(offset + i, (value >>> (8 * i)) & 0xff);
        else if (offset < RESET) this.#writeData(value, size);
      },
    };
  }

  reset(): void {
    this.#sent.cancel();
    this.state.reset();
    this.#updateIrq();
  }

  restored(): void {
    if (this.state.fields.sentAt >= 0) this.#sent.arm(this.state.fields.sentAt);
    else this.#sent.cancel();
    this.#updateIrq();
  }

  /** The reset port: the chip stops, its settings stay. */
  #chipReset(): void {
    this.#sent.cancel();
    this.state.fields.sentAt = -1;
    this.state.fields.command = CR_RESET;
    this.state.fields.isr |= ISR_RESET;
    this.#updateIrq();
  }

  #updateIrq(): void {
    const { isr, imr } = this.state.fields;
    this.#irq.set((isr & imr & ~ISR_RESET) !== 0);
  }

  #raise(bits: number): void {
    this.state.fields.isr |= bits;
    this.#updateIrq();
  }

  // Registers.

  #readRegisters(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#readRegister(offset + i) << (8 * i);
    return value;
  }

  #readRegister(offset: number): number {
    const { fields } = this.state;
    if (offset >= DATA) return 0xff;
    if (offset === 0) return fields.command;
    switch (fields.command >> 6) {
      case 0: return this.#readPage0(offset);
      case 1: return offset <= MAC_SIZE ? fields.station[offset - 1] : offset === 7 ? fields.current : fields.multicast[offset - 8];
      case 2: return this.#readPage2(offset);
      default: return 0;
    }
  }

  #readPage0(offset: number): number {
    const { fields } = this.state;
    switch (offset) {
      case 0x1: case 0x8: return fields.remoteAddress & 0xff;
      case 0x2: case 0x9: return fields.remoteAddress >> 8;
      case 0x3: return fields.boundary;
      case 0x4: return fields.tsr;
      case 0x7: return fields.isr;
      // The RTL8029's identification: 8029 and others of its family say "Pp".
      case 0xa: return 0x50;
      case 0xb: return 0x70;
      case 0xc: return fields.rsr;
      default: return 0;
    }
  }

  /** What page 0 takes can be read here. */
  #readPage2(offset: number): number {
    const { fields } = this.state;
    switch (offset) {
      case 0x1: return fields.start;
      case 0x2: return fields.stop;
      case 0x4: return fields.transmitPage;
      case 0xc: return fields.rcr | 0xc0;
      case 0xd: return fields.tcr | 0xe0;
      case 0xe: return fields.dcr | 0x80;
      case 0xf: return fields.imr | 0x80;
      default: return 0xff;
    }
  }

  #writeRegister(offset: number, value: number): void {
    const { fields } = this.state;
    if (offset >= DATA) return;
    if (offset === 0) this.#writeCommand(value);
    else if (fields.command >> 6 === 0) this.#writePage0(offset, value);
    else if (fields.command >> 6 === 1) {
      if (offset <= MAC_SIZE) fields.station[offset - 1] = value;
      else if (offset === 7) fields.current = value;
      else fields.multicast[offset - 8] = value;
      this.#link.ready();
    }
  }

  #writePage0(offset: number, value: number): void {
    const { fields } = this.state;
    switch (offset) {
      case 0x1: fields.start = value; break;
      case 0x2: fields.stop = value; break;
      case 0x3: fields.boundary = value; break;
      case 0x4: fields.transmitPage = value; break;
      case 0x5: fields.transmitCount = (fields.transmitCount & 0xff00) | value; break;
      case 0x6: fields.transmitCount = (fields.transmitCount & 0xff) | (value << 8); break;
      case 0x7: fields.isr &= ~(value & ~ISR_RESET); break;
      case 0x8: fields.remoteAddress = (fields.remoteAddress & 0xff00) | value; break;
      case 0x9: fields.remoteAddress = (fields.remoteAddress & 0xff) | (value << 8); break;
      case 0xa: fields.remoteCount = (fields.remoteCount & 0xff00) | value; break;
      case 0xb: fields.remoteCount = (fields.remoteCount & 0xff) | (value << 8); break;
      case 0xc: fields.rcr = value & 0x3f; break;
      case 0xd: fields.tcr = value & 0x1f; break;
      case 0xe: fields.dcr = value & 0x7f; break;
      case 0xf: fields.imr = value & 0x7f; break;
    }
    this.#updateIrq();
    this.#link.ready();
  }

  #writeCommand(value: number): void {
    const { fields } = this.state, sending = fields.command & CR_TRANSMIT;
    // A transmission goes on until it is done; the bit cannot be taken back.
    fields.command = value | sending;
    if (value & CR_STOP) {
      fields.isr |= ISR_RESET;
      return;
    }
    if (value & CR_START) fields.isr &= ~ISR_RESET;
    const remote = value & CR_REMOTE;
    if (remote === CR_SEND_PACKET) {
      // The next packet of the ring, as its header says.
      fields.remoteAddress = fields.boundary << 8;
      fields.remoteCount = this.#memoryByte((fields.boundary << 8) + 2) | (this.#memoryByte((fields.boundary << 8) + 3) << 8);
    }
    if ((remote === CR_REMOTE_READ || remote === CR_REMOTE_WRITE) && fields.remoteCount === 0) this.#raise(ISR_REMOTE_DONE);
    if (value & CR_TRANSMIT && !sending) {
      fields.sentAt = this.#clock.now() + SEND_TIME;
      this.#sent.arm(fields.sentAt);
    }
    this.#link.ready();
  }

  // Remote DMA: the processor's way to the card's memory.

  #memoryByte(address: number): number {
    address &= 0xffff;
    if (address < MEMORY_START) return this.#prom[address % PROM_SIZE];
    return address < MEMORY_END ? this.state.fields.memory[address - MEMORY_START] : 0xff;
  }

  #setMemoryByte(address: number, value: number): void {
    if (address >= MEMORY_START && address < MEMORY_END) this.state.fields.memory[address - MEMORY_START] = value;
  }

  /** Bytes that an access to the data port moves. */
  #unit(size: AccessSize): number {
    return size === 4 ? 4 : this.state.fields.dcr & DCR_WORDS ? 2 : 1;
  }

  #readData(size: AccessSize): number {
    const { fields } = this.state;
    if (fields.remoteCount === 0) return 0;
    const unit = this.#unit(size);
    let value = 0;
    for (let i = 0; i < unit; i++) value |= this.#memoryByte(fields.remoteAddress + i) << (8 * i);
    this.#advance(unit);
    return value;
  }

  #writeData(value: number, size: AccessSize): void {
    const { fields } = this.state;
    if (fields.remoteCount === 0) return;
    const unit = this.#unit(size);
    for (let i = 0; i < unit; i++) this.#setMemoryByte(fields.remoteAddress + i, value >>> (8 * i));
    this.#advance(unit);
  }

  #advance(count: number): void {
    const { fields } = this.state;
    fields.remoteAddress = (fields.remoteAddress + count) & 0xffff;
    if (fields.remoteAddress === fields.stop << 8) fields.remoteAddress = fields.start << 8;
    fields.remoteCount = Math.max(0, fields.remoteCount - count);
    if (fields.remoteCount === 0) this.#raise(ISR_REMOTE_DONE);
  }

  // The wire.

  #transmitted(): void {
    const { fields } = this.state, from = fields.transmitPage << 8;
    fields.sentAt = -1;
    const frame = new Uint8Array(Math.min(fields.transmitCount, LONGEST_FRAME + 1));
    for (let i = 0; i < frame.length; i++) frame[i] = this.#memoryByte(from + i);
    if (!(fields.tcr & TCR_LOOPBACK)) this.#link.send(frame);
    fields.command &= ~CR_TRANSMIT;
    fields.tsr = TSR_SENT;
    this.#raise(ISR_TRANSMITTED);
  }

  #accepts(frame: Uint8Array): boolean {
    const { rcr, station, multicast } = this.state.fields;
    if (frame.length < SHORTEST && !(rcr & RCR_RUNT)) return false;
    if (rcr & RCR_PROMISCUOUS) return true;
    if (isBroadcast(frame)) return (rcr & RCR_BROADCAST) !== 0;
    if (!isMulticast(frame)) return isFor(frame, station);
    const hash = multicastHash(frame);
    return (rcr & RCR_MULTICAST) !== 0 && (multicast[hash >> 3] & (1 << (hash & 7))) !== 0;
  }

  #receive(frame: Uint8Array): boolean {
    const { fields } = this.state;
    const ring = (fields.stop - fields.start) * PAGE;
    if (fields.command & CR_STOP || fields.tcr & TCR_LOOPBACK || fields.rcr & RCR_MONITOR || ring <= 0 || !this.#accepts(frame)) return true;
    const length = frame.length + FCS_SIZE, pages = Math.ceil((HEADER + length) / PAGE);
    const used = fields.current - fields.boundary;
    const free = used < 0 ? -used : fields.stop - fields.start - used;
    if (pages >= ring / PAGE) return true;
    // The second half of the ring is for frames that a driver has not been told of: one that acknowledges before its ring is empty hears of them then.
    if (free - pages < ring / PAGE / 2 && fields.isr & ISR_RECEIVED) return false;
    // The page before the boundary stays free: a full ring would look like an empty one.
    if (free <= pages) {
      this.#raise(ISR_OVERWRITE);
      return false;
    }
    let next = fields.current + pages;
    if (next >= fields.stop) next -= fields.stop - fields.start;
    const status = RSR_INTACT | (isMulticast(frame) ? RSR_GROUP : 0);
    const fcs = frameCheck(frame);
    let at = fields.current << 8;
    const store = (byte: number): void => {
      this.#setMemoryByte(at, byte);
      if (++at >= fields.stop << 8) at = fields.start << 8;
    };
    for (const byte of [status, next, length & 0xff, length >> 8]) store(byte);
    for (let i = 0; i < frame.length; i++) store(frame[i]);
    for (let i = 0; i < FCS_SIZE; i++) store((fcs >>> (8 * i)) & 0xff);
    fields.current = next & 0xff;
    fields.rsr = status;
    this.#raise(ISR_RECEIVED);
    return true;
  }
}

/** The station address PROM as seen in words: each byte twice, and the letters WW by which a 16-bit board is known. */
function promOf(mac: Uint8Array): Uint8Array {
  const prom = new Uint8Array(PROM_SIZE);
  for (let i = 0; i < MAC_SIZE; i++) prom[2 * i] = prom[2 * i + 1] = mac[i];
  prom.fill(0x57, 28);
  return prom;
}
