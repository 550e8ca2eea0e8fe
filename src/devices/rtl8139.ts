/**
 * Realtek RTL8139C: Fast Ethernet with four transmit buffers and one receive ring in memory.
 * Source: Realtek RTL8139C(L) datasheet 1.4, chapters 5 (registers), 6 (EEPROM).
 *
 *     00 IDR0-5 station address  08 MAR0-7 multicast  10 TSD0-3 transmit status  20 TSAD0-3 addresses  30 RBSTART  37 CR  38 CAPR  3A CBR
 *     3C IMR  3E ISR  40 TCR  44 RCR  48 TCTR timer  4C MPC  50 9346CR EEPROM  51 CONFIG0  52 CONFIG1  58 MSR  5A CONFIG4  62 BMCR ...
 *
 * BAR 0: ports, BAR 1: the same registers in memory. A received frame lies in the ring as: status (16 bits), length with FCS (16 bits),
 * frame, FCS; the next one begins at a multiple of four. Not there: the C+ mode, wake-up, the timer's interrupt.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine } from './device.ts';
import { DeviceState } from './device.ts';
import { FCS_SIZE, MAC_SIZE, frameCheck, isBroadcast, isFor, isMulticast, multicastHash } from './ethernet.ts';
import type { NicSettings } from './ne2000.ts';
import { LONGEST_FRAME, NetLink } from './net-link.ts';
import { COMMAND_IO, COMMAND_MASTER, COMMAND_MEMORY, PCI_COMMAND, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';
import type { PciSlot } from './pci-slot.ts';

const SIZE = 0x100, PAGE = 0x1000;
const IDR = 0x00, MAR = 0x08, TSD = 0x10, TSAD = 0x20, RBSTART = 0x30, CR = 0x37, CAPR = 0x38, CBR = 0x3a, IMR = 0x3c, ISR = 0x3e, TCR = 0x40, RCR = 0x44, TCTR = 0x48,
  EECR = 0x50, CONFIG0 = 0x51, MSR = 0x58, TSAD_ALL = 0x60, BMCR = 0x62, BMSR = 0x64;

const CR_EMPTY = 0x01, CR_TRANSMIT = 0x04, CR_RECEIVE = 0x08, CR_RESET = 0x10;
const INT_RECEIVED = 0x01, INT_SENT = 0x04, INT_OVERFLOW = 0x10, INTERRUPTS = 0xe07f;
const TSD_SIZE = 0x1fff, TSD_OWN = 0x2000, TSD_OK = 0x8000, TSD_KEPT = 0x003f0000;
const TCR_LOOPBACK = 0x60000, TCR_VERSION = 0x74000000, TCR_WRITABLE = 0x070706f1;
const RCR_ALL = 0x01, RCR_MINE = 0x02, RCR_MULTICAST = 0x04, RCR_BROADCAST = 0x08, RCR_WRAP = 0x80;
const RX_OK = 0x0001, RX_BROADCAST = 0x2000, RX_MINE = 0x4000, RX_MULTICAST = 0x8000, RX_HEADER = 4;
const CONFIG_MODE = 0xc0, MODE_LOAD = 0x40, MODE_EEPROM = 0x80;
/** EEPROM: chip select, clock, data in, data out. */
const EECS = 8, EESK = 4, EEDI = 2, EEDO = 1, EEPROM_WORDS = 64, EEPROM_COMMAND = 6;
/** Registers that keep what is written, with the bits that do: beside those that have a case of their own. */
const PLAIN: readonly (readonly [first: number, last: number, mask: number])[] = [
  [MAR, MAR + 7, 0xff], [TSAD, TSAD + 15, 0xff], [RBSTART, RBSTART + 3, 0xff], [0x52, 0x52, 0xff], [0x59, 0x5a, 0xff], [0x5b, 0x5b, 0xff], [0x66, 0x67, 0xff], [0xd8, 0xd8, 0xff],
];
const TICK = 33_000_000;

export class Rtl8139 implements Device, PciFunction {
  readonly name: string;
  readonly state = new DeviceState(1, {
    config: pciHeader({ vendor: 0x10ec, device: 0x8139, revision: 0x10, classCode: 0x020000, subsystemVendor: 0x1af4, subsystem: 0x1100, interruptPin: 1 }),
    registers: new Uint8Array(SIZE),
    /** Where the next frame is put, and whether one that is there has not been read. */
    writeAt: 0, timerBase: 0, eepromShift: 0, eepromOut: 0, eepromLeft: 0, eepromBit: 1,
  });
  readonly config = new PciConfig(this.state.fields.config).writable(PCI_COMMAND, 2, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
  readonly #mac: Uint8Array;
  readonly #view = new DataView(this.state.fields.registers.buffer);
  readonly #clock: Clock;
  readonly #space: AddressSpace;
  readonly #irq: IrqLine;
  readonly #link: NetLink;
  readonly #plugged: boolean;

  constructor({ name, mac, backend }: NicSettings, slot: PciSlot) {
    this.name = name;
    this.#mac = mac;
    this.#clock = slot.clock;
    this.#space = slot.space;
    this.#irq = slot.intA;
    this.#plugged = backend !== null;
    this.#link = new NetLink(slot.clock, name, backend, (frame) => this.#receive(frame));
    const registers: IoRegion = {
      name, size: SIZE, minAccess: 1, maxAccess: 4,
      read: (offset, size) => {
        let value = 0;
        for (let i = 0; i < size; i++) value |= this.#read(offset + i) << (8 * i);
        return value;
      },
      write: (offset, value, size) => this.#write(offset, value, size),
    };
    const page: IoRegion = { ...registers, size: PAGE, read: (offset, size) => registers.read(offset % SIZE, size), write: (offset, value, size) => registers.write(offset % SIZE, value, size) };
    this.config.bar(0, 'io', SIZE, slot.ports(registers)).bar(1, 'memory', PAGE, slot.memory(page));
    this.#powerOn();
  }

  reset(): void {
    this.state.reset();
    this.#powerOn();
    this.config.updateBars();
  }

  restored(): void {
    this.config.updateBars();
    this.#updateIrq();
  }

  #powerOn(): void {
    const { registers } = this.state.fields;
    registers.fill(0);
    registers.set(this.#mac, IDR);
    registers.set([0x00, 0x04], CONFIG0 + 1);
    this.#view.setUint16(BMCR, 0x1100, true);
    // Auto-negotiation: done, and what both sides can do; without a cable neither.
    this.#view.setUint16(BMSR, this.#plugged ? 0x782d : 0x7809, true);
    this.#view.setUint16(0x66, 0x05e1, true);
    this.#view.setUint16(0x68, this.#plugged ? 0x45e1 : 0, true);
    this.#resetChip();
  }

  /** CR.RST: addresses and what the EEPROM says stay. */
  #resetChip(): void {
    const { registers } = this.state.fields;
    registers[CR] = CR_EMPTY;
    this.#view.setUint32(TCR, TCR_VERSION, true);
    this.#view.setUint32(RCR, 0, true);
    this.#view.setUint32(IMR, 0, true);
    for (let i = 0; i < 4; i++) this.#view.setUint32(TSD + 4 * i, TSD_OWN, true);
    this.#setWriteAt(0);
    this.#view.setUint16(CAPR, 0xfff0, true);
    this.#updateIrq();
  }

  #updateIrq(): void {
    this.#irq.set((this.#view.getUint16(ISR, true) & this.#view.getUint16(IMR, true)) !== 0);
  }

  #raise(causes: number): void {
    this.#view.setUint16(ISR, this.#view.getUint16(ISR, true) | causes, true);
    this.#updateIrq();
  }

  // Registers.

  #read(offset: number): number {
    const { registers, timerBase } = this.state.fields;
    if (offset >= TCTR && offset < TCTR + 4) return Math.floor((this.#clock.now() - timerBase) * (TICK / 1e9)) >>> (8 * (offset - TCTR)) & 0xff;
    switch (offset) {
      case EECR: return (registers[EECR] & ~EEDO) | this.state.fields.eepromBit;
      // Link down is a one; the speed bit means 10 Mbit/s.
      case MSR: return this.#plugged ? 0 : 0x04;
      case TSAD_ALL: case TSAD_ALL + 1: return this.#transmitSummary() >> (8 * (offset - TSAD_ALL)) & 0xff;
      default: return registers[offset] ?? 0;
    }
  }

  /** TSAD: OWN, abort, underrun and OK of the four buffers. */
  #transmitSummary(): number {
    let summary = 0;
    for (let i = 0; i < 4; i++) {
      const status = this.#view.getUint32(TSD + 4 * i, true);
      summary |= (status & TSD_OWN ? 1 << i : 0) | (status & TSD_OK ? 0x1000 << i : 0);
    }
    return summary;
  }

  #write(offset: number, value: number, size: number): void {
    // Transmit status is taken as a whole; all other registers byte by byte.
    if (offset >= TSD && offset < TSD + 16) {
      if (size === 4 && offset % 4 === 0) this.#writeStatus((offset - TSD) >> 2, value);
      return;
    }
    if (offset === CAPR && size >= 2) {
      this.#view.setUint16(CAPR, value & 0xffff, true);
      this.#ringRead();
      return;
    }
    for (let i = 0; i < size; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff);
    this.#updateIrq();
    this.#link.ready();
  }

  #writeByte(offset: number, value: number): void {
    const { fields: f } = this.state, { registers } = f;
    const keep = (mask: number): void => { registers[offset] = (registers[offset] & ~mask) | (value & mask); };
    if (offset < MAC_SIZE) {
      if ((registers[EECR] & CONFIG_MODE) === CONFIG_MODE) registers[offset] = value;
      return;
    }
    for (const [first, last, mask] of PLAIN) if (offset >= first && offset <= last) return keep(mask);
    if (offset >= TCR && offset < TCR + 4) return keep(TCR_WRITABLE >>> (8 * (offset - TCR)) & 0xff);
    if (offset >= RCR && offset < RCR + 4) return keep(0xff);
    if (offset >= TCTR && offset < TCTR + 4) f.timerBase = this.#clock.now();
    switch (offset) {
      case CR:
        if (value & CR_RESET) this.#resetChip();
        else {
          if (value & ~registers[CR] & CR_RECEIVE) this.#setWriteAt(0);
          registers[CR] = (value & (CR_RECEIVE | CR_TRANSMIT)) | (registers[CR] & CR_EMPTY);
        }
        break;
      case IMR: case IMR + 1: return keep(INTERRUPTS >>> (8 * (offset - IMR)) & 0xff);
      case ISR: case ISR + 1: registers[offset] &= ~value; break;
      case CAPR: registers[offset] = value; break;
      case CAPR + 1:
        registers[offset] = value;
        this.#ringRead();
        break;
      case EECR: this.#writeEeprom(value); break;
      // Reset and a new negotiation are over at once.
      case BMCR + 1: registers[offset] = value & 0x31; break;
    }
  }

  /** 9346CR: the Microwire bus of the EEPROM, or how registers are protected. */
  #writeEeprom(value: number): void {
    const { fields: f } = this.state, before = f.registers[EECR], mode = value & CONFIG_MODE;
    f.registers[EECR] = value & (CONFIG_MODE | EECS | EESK | EEDI);
    if (mode === MODE_LOAD) {
      f.registers.set(this.#mac, IDR);
      f.registers[EECR] = 0;
    }
    if (mode !== MODE_EEPROM || !(value & EECS)) {
      f.eepromShift = f.eepromLeft = 0;
      f.eepromBit = EEDO;
    } else if (value & ~before & EESK) {
      if (f.eepromLeft > 0) {
        f.eepromLeft--;
        f.eepromBit = (f.eepromOut >> f.eepromLeft) & 1;
        return;
      }
      f.eepromShift = (f.eepromShift << 1) | (value & EEDI ? 1 : 0);
      // A start bit, two of the command, six of the address.
      if (f.eepromShift >> 8 === 0) return;
      if (f.eepromShift >> 6 === EEPROM_COMMAND) {
        f.eepromOut = this.#eepromWord(f.eepromShift & (EEPROM_WORDS - 1));
        f.eepromLeft = 16;
        f.eepromBit = 0;
      }
      f.eepromShift = 0;
    }
  }

  #eepromWord(word: number): number {
    if (word >= 7 && word <= 9) return this.#mac[2 * (word - 7)] | (this.#mac[2 * (word - 7) + 1] << 8);
    // 8129h: there is an EEPROM. Then the identity of the card.
    return [0x8129, 0x10ec, 0x8139, 0x1af4, 0x1100][word] ?? 0;
  }

  get #isMaster(): boolean {
    return (this.config.command & COMMAND_MASTER) !== 0;
  }

  // Sending.

  /** Clearing OWN gives a buffer to the card. */
  #writeStatus(index: number, value: number): void {
    const at = TSD + 4 * index, { registers } = this.state.fields;
    const size = value & TSD_SIZE;
    this.#view.setUint32(at, size | (value & TSD_KEPT) | (value & TSD_OWN), true);
    if (value & TSD_OWN || !(registers[CR] & CR_TRANSMIT) || !this.#isMaster) return;
    const frame = new Uint8Array(Math.min(size, LONGEST_FRAME + 1));
    this.#space.readBytes(this.#view.getUint32(TSAD + 4 * index, true), frame);
    this.#view.setUint32(at, size | (value & TSD_KEPT) | TSD_OWN | TSD_OK, true);
    this.#raise(INT_SENT);
    if ((this.#view.getUint32(TCR, true) & TCR_LOOPBACK) !== TCR_LOOPBACK) this.#link.send(frame);
    // What is sent in loopback comes back to the ring.
    else this.#receive(frame);
  }

  // Receiving.

  get #ringSize(): number {
    return 8192 << ((this.#view.getUint32(RCR, true) >> 11) & 3);
  }

  #setWriteAt(at: number): void {
    this.state.fields.writeAt = at;
    this.#view.setUint16(CBR, at, true);
  }

  /** Where the driver is: the register is 16 bytes behind. */
  get #readAt(): number {
    return ((this.#view.getUint16(CAPR, true) + 16) & 0xffff) % this.#ringSize;
  }

  /** The driver has read on. */
  #ringRead(): void {
    const { fields: f } = this.state;
    if (this.#readAt === f.writeAt) f.registers[CR] |= CR_EMPTY;
    this.#link.ready();
  }

  /** The status bits of a frame for this card; 0: it is none. */
  #accepts(frame: Uint8Array): number {
    const control = this.#view.getUint32(RCR, true), { registers } = this.state.fields, all = (control & RCR_ALL) !== 0;
    if (isBroadcast(frame)) return all || control & RCR_BROADCAST ? RX_OK | RX_BROADCAST : 0;
    if (isMulticast(frame)) {
      const hash = multicastHash(frame);
      return all || (control & RCR_MULTICAST && registers[MAR + (hash >> 3)] & (1 << (hash & 7))) ? RX_OK | RX_MULTICAST : 0;
    }
    const mine = isFor(frame, registers);
    return all || (mine && control & RCR_MINE) ? RX_OK | (mine ? RX_MINE : 0) : 0;
  }

  #receive(frame: Uint8Array): boolean {
    const { fields: f } = this.state, status = this.#accepts(frame);
    if (!(f.registers[CR] & CR_RECEIVE) || !this.#isMaster || status === 0) return true;
    const ring = this.#ringSize, length = frame.length + FCS_SIZE, total = (RX_HEADER + length + 3) & ~3;
    const used = f.registers[CR] & CR_EMPTY ? 0 : (f.writeAt - this.#readAt + ring - 1) % ring + 1;
    // The second half of the ring is for frames that a driver has not been told of: one that acknowledges before its ring is empty hears of them then.
    if (used + total > ring / 2 && this.#view.getUint16(ISR, true) & INT_RECEIVED) return false;
    // The ring is never filled to its last word: then it would look empty.
    if (used + total >= ring) {
      this.#raise(INT_OVERFLOW);
      return false;
    }
    const bytes = new Uint8Array(total), view = new DataView(bytes.buffer);
    view.setUint16(0, status, true);
    view.setUint16(2, length, true);
    bytes.set(frame, RX_HEADER);
    view.setInt32(RX_HEADER + frame.length, frameCheck(frame), true);
    const start = this.#view.getUint32(RBSTART, true), room = ring - f.writeAt;
    // WRAP: the driver has left room behind the ring for a frame that reaches over its end. Not where that is 64 KB.
    if (total <= room || (this.#view.getUint32(RCR, true) & RCR_WRAP && ring < 65536)) this.#space.writeBytes(start + f.writeAt, bytes);
    else {
      this.#space.writeBytes(start + f.writeAt, bytes.subarray(0, room));
      this.#space.writeBytes(start, bytes.subarray(room));
    }
    this.#setWriteAt((f.writeAt + total) % ring);
    f.registers[CR] &= ~CR_EMPTY;
    this.#raise(INT_RECEIVED);
    return true;
  }
}
