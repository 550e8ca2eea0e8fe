/**
 * Intel 82540EM, QEMU's e1000: gigabit Ethernet with descriptor rings in memory.
 * Source: Intel PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual (317453), chapters 3 (rings), 13 (registers).
 *
 *     BAR 0  memory  registers, 32 bits each: 0000 CTRL 0008 STATUS 0010 EECD 0014 EERD 0020 MDIC 00C0 ICR 00C8 ICS 00D0 IMS 00D8 IMC
 *                    0100 RCTL 0400 TCTL 28xx receive ring 38xx transmit ring 40xx statistics 5200 MTA 5400 RAL, RAH 5600 VFTA
 *     BAR 1  ports   0 the number of a register, 4 its contents
 *
 * Not there: wake-up, and filtering and removal of VLAN tags. Interrupts are not delayed.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { Microwire, eepromWords } from './e1000-eeprom.ts';
import { offload, insertChecksum, parseContext } from './e1000-transmit.ts';
import { FCS_SIZE, frameCheck, isBroadcast, isFor, isMulticast } from './ethernet.ts';
import type { NicSettings } from './ne2000.ts';
import { NetLink } from './net-link.ts';
import { COMMAND_IO, COMMAND_MASTER, COMMAND_MEMORY, PCI_COMMAND, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';
import type { PciSlot } from './pci-slot.ts';

const MEMORY_SIZE = 0x20000, PORTS = 0x40, REGISTERS = 0x6000;

const CTRL = 0x0000, STATUS = 0x0008, EECD = 0x0010, EERD = 0x0014, MDIC = 0x0020, ICR = 0x00c0, ICS = 0x00c8, IMS = 0x00d0, IMC = 0x00d8,
  RCTL = 0x0100, TCTL = 0x0400, RDBAL = 0x2800, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, TDBAL = 0x3800, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818,
  MTA = 0x5200, RA = 0x5400, VFTA = 0x5600;
/** Counters: good packets and bytes received and sent, all of them. */
const GPRC = 0x4074, GPTC = 0x4080, GORCL = 0x4088, GOTCL = 0x4090, TORL = 0x40c0, TOTL = 0x40c8, TPR = 0x40d0, TPT = 0x40d4;
const STATISTICS = 0x4000, STATISTICS_END = 0x4128;
/** Registers that keep what is written: [first, last]. */
const PLAIN: readonly (readonly [number, number])[] = [
  [0x0018, 0x0018], [0x0028, 0x0030], [0x0038, 0x0038], [0x00c4, 0x00c4], [0x0170, 0x0178], [0x0410, 0x0410], [0x0458, 0x0458], [0x0e00, 0x0e00], [0x1000, 0x1000],
  [0x2160, 0x2168], [0x2820, 0x2820], [0x2828, 0x282c], [0x2c00, 0x2c00], [0x3820, 0x382c], [0x5000, 0x5000], [MTA, MTA + 0x1fc], [RA, RA + 0x7c], [VFTA, VFTA + 0x1fc],
  [0x5800, 0x5808], [0x5820, 0x5820],
];

const CTRL_SET_LINK = 0x40, CTRL_RESET = 1 << 26, CTRL_PHY_RESET = 1 << 31;
/** Full duplex, link up, 1000 Mbit/s, as found by auto-negotiation. */
const STATUS_UP = 0x383, STATUS_LINK = 0x02;
const INT_SENT = 0x01, INT_QUEUE_EMPTY = 0x02, INT_LINK = 0x04, INT_FEW = 0x10, INT_RECEIVED = 0x80;
const RCTL_ENABLE = 0x02, RCTL_ALL_UNICAST = 0x08, RCTL_ALL_MULTICAST = 0x10, RCTL_LOOPBACK = 0xc0, RCTL_BROADCAST = 0x8000, RCTL_LARGE = 1 << 25, RCTL_STRIP_FCS = 1 << 26;
const TCTL_ENABLE = 0x02;
const MDIC_WRITE = 1 << 26, MDIC_READ = 1 << 27, MDIC_READY = 1 << 28, MDIC_ERROR = 1 << 30, PHY_ADDRESS = 1;
const RAH_VALID = 1 << 31;

const DESCRIPTOR = 16;
/** Commands and status of descriptors. */
const CMD_EOP = 0x01, CMD_INSERT = 0x04, CMD_SEGMENT = 0x04, CMD_REPORT = 0x08, CMD_EXTENDED = 0x20, DONE = 0x01, STATUS_EOP = 0x02, STATUS_NO_CHECKSUM = 0x04;
/** Bytes of a packet that is given in pieces, at most: what one TCP segmentation may take. */
const PACKET_MOST = 0x11000;

/** Frames that are sent at once, and when it goes on (ns): a ring of packets that are cut into single bytes has billions. */
const FRAMES_AT_ONCE = 4096, PAUSE = 20_000;

/** The PHY (Marvell 88E1011): registers at reset; of what the driver writes, control, advertisement and its own ones stay. */
const PHY_CONTROL = 0, PHY_STATUS = 1, PHY_SPECIFIC_STATUS = 17;
const PHY_RESET = 0x8000, PHY_RESTART = 0x0200;
const PHY_DEFAULTS: readonly (readonly [number, number])[] = [
  [PHY_CONTROL, 0x1140], [PHY_STATUS, 0x796d], [2, 0x0141], [3, 0x0c20], [4, 0x0de1], [5, 0x45e1], [6, 0x0005], [9, 0x0e00], [10, 0x3c00], [15, 0x3000], [16, 0x0068],
  [PHY_SPECIFIC_STATUS, 0xac08], [20, 0x0d60],
];
const PHY_WRITABLE = [PHY_CONTROL, 4, 7, 9, 16, 18, 20, 24, 29, 30];
const PHY_LINK = 0x0004, PHY_DONE = 0x0020, PHY_SPECIFIC_LINK = 0x0400;

function phyRegisters(): Uint16Array {
  const registers = new Uint16Array(32);
  for (const [register, value] of PHY_DEFAULTS) registers[register] = value;
  return registers;
}

export class E1000 implements Device, PciFunction {
  readonly name: string;
  readonly state = new DeviceState(1, {
    config: pciHeader({ vendor: 0x8086, device: 0x100e, revision: 3, classCode: 0x020000, subsystemVendor: 0x1af4, subsystem: 0x1100, interruptPin: 1 }),
    registers: new Int32Array(REGISTERS / 4), phy: phyRegisters(), eeprom: Int32Array.of(0, 0, 0, 1), context: new Int32Array(4), segmentContext: new Int32Array(4), ioAddress: 0,
    /** A packet of which more descriptors are to come: its bytes, how many, and POPTS of the first one. */
    packet: new Uint8Array(PACKET_MOST), packetLength: 0, packetOptions: 0,
    /** When the rest of the ring is sent; 0: nothing waits. */
    sendAt: 0,
  });
  readonly config = new PciConfig(this.state.fields.config).writable(PCI_COMMAND, 2, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
  readonly #mac: Uint8Array;
  readonly #words: Uint16Array;
  readonly #wire: Microwire;
  readonly #space: AddressSpace;
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #link: NetLink;
  readonly #plugged: boolean;
  /** Sends what is left of the ring. */
  readonly #more: Timer;
  /** Frames since #transmit() began. */
  #sent = 0;

  constructor({ name, mac, backend }: NicSettings, slot: PciSlot) {
    this.name = name;
    this.#mac = mac;
    this.#words = eepromWords(mac);
    this.#wire = new Microwire(this.#words, this.state.fields.eeprom);
    this.#space = slot.space;
    this.#clock = slot.clock;
    this.#more = slot.clock.timer(`${name}-transmit`, () => this.#transmit());
    this.#irq = slot.intA;
    this.#plugged = backend !== null;
    this.#link = new NetLink(slot.clock, name, backend, (frame) => this.#receive(frame));
    const memory: IoRegion = {
      name, size: MEMORY_SIZE, minAccess: 4, maxAccess: 4, read: (offset) => this.#read(offset & ~3), write: (offset, value) => this.#write(offset & ~3, value),
    };
    const ports: IoRegion = {
      name, size: PORTS, minAccess: 4, maxAccess: 4,
      read: (offset) => (offset === 0 ? this.state.fields.ioAddress : offset === 4 ? this.#read(this.state.fields.ioAddress) : 0),
      write: (offset, value) => {
        if (offset === 0) this.state.fields.ioAddress = value & (MEMORY_SIZE - 4);
        else if (offset === 4) this.#write(this.state.fields.ioAddress, value);
      },
    };
    this.config.bar(0, 'memory', MEMORY_SIZE, slot.memory(memory)).bar(1, 'io', PORTS, slot.ports(ports));
    this.#resetChip();
  }

  reset(): void {
    this.state.reset();
    this.#resetChip();
    this.config.updateBars();
  }

  restored(): void {
    this.config.updateBars();
    this.#updateIrq();
    this.#more.cancel();
    if (this.state.fields.sendAt > 0) this.#more.arm(this.state.fields.sendAt);
  }

  #resetChip(): void {
    const { fields: f } = this.state, registers = f.registers;
    registers.fill(0);
    f.phy.set(phyRegisters());
    if (!this.#plugged) {
      f.phy[PHY_STATUS] &= ~(PHY_LINK | PHY_DONE);
      f.phy[PHY_SPECIFIC_STATUS] &= ~PHY_SPECIFIC_LINK;
    }
    f.packetLength = f.sendAt = 0;
    this.#more.cancel();
    const view = new DataView(this.#mac.buffer, this.#mac.byteOffset);
    registers[RA >> 2] = view.getInt32(0, true);
    registers[(RA >> 2) + 1] = view.getUint16(4, true) | RAH_VALID;
    registers[0x1000 >> 2] = 0x00100030;
    this.#updateIrq();
  }

  #updateIrq(): void {
    const { registers } = this.state.fields;
    this.#irq.set((registers[ICR >> 2] & registers[IMS >> 2]) !== 0);
  }

  #raise(causes: number): void {
    this.state.fields.registers[ICR >> 2] |= causes;
    this.#updateIrq();
  }

  #read(offset: number): number {
    const { registers } = this.state.fields;
    switch (offset) {
      case STATUS: return this.#plugged ? STATUS_UP : STATUS_UP & ~STATUS_LINK;
      case EECD: return this.#wire.read();
      case ICR: {
        const causes = registers[ICR >> 2];
        registers[ICR >> 2] = 0;
        this.#updateIrq();
        return causes;
      }
      case ICS: case IMC: return 0;
    }
    if (offset >= REGISTERS) return 0;
    const value = registers[offset >> 2];
    // Counters start anew when they are read.
    if (offset >= STATISTICS && offset < STATISTICS_END) registers[offset >> 2] = 0;
    return value;
  }

  #write(offset: number, value: number): void {
    const { fields: f } = this.state, { registers } = f;
    switch (offset) {
      case CTRL: {
        if (value & CTRL_RESET) return this.#resetChip();
        const linked = value & ~registers[CTRL >> 2] & CTRL_SET_LINK;
        registers[CTRL >> 2] = value & ~CTRL_PHY_RESET;
        if (linked && this.#plugged) this.#raise(INT_LINK);
        return;
      }
      case EECD: return this.#wire.write(value);
      case EERD:
        registers[EERD >> 2] = value & 1 ? (value & 0xff00) | 0x10 | ((this.#words[(value >> 8) & 0xff] ?? 0xffff) << 16) : value & 0xff00;
        return;
      case MDIC: return this.#mdic(value);
      case ICR: registers[ICR >> 2] &= ~value; break;
      case ICS: registers[ICR >> 2] |= value; break;
      case IMS: registers[IMS >> 2] |= value; break;
      case IMC: registers[IMS >> 2] &= ~value; break;
      case RCTL: case RDLEN: case RDH: case RDT: case RDBAL: case RDBAL + 4:
        registers[offset >> 2] = offset === RDH || offset === RDT ? value & 0xffff : offset === RDLEN ? value & 0xfff80 : offset === RDBAL ? value & ~15 : value;
        this.#link.ready();
        return;
      case TCTL: case TDLEN: case TDH: case TDT: case TDBAL: case TDBAL + 4:
        registers[offset >> 2] = offset === TDH || offset === TDT ? value & 0xffff : offset === TDLEN ? value & 0xfff80 : offset === TDBAL ? value & ~15 : value;
        if (offset === TDT || offset === TCTL) this.#transmit();
        return;
      default:
        if (PLAIN.some(([first, last]) => offset >= first && offset <= last)) registers[offset >> 2] = value;
        return;
    }
    this.#updateIrq();
  }

  #mdic(value: number): void {
    const { phy, registers } = this.state.fields, register = (value >> 16) & 31;
    let result = value | MDIC_READY;
    if (((value >> 21) & 31) !== PHY_ADDRESS) result |= MDIC_ERROR;
    else if (value & MDIC_READ) result = (result & ~0xffff) | phy[register];
    else if (value & MDIC_WRITE && PHY_WRITABLE.includes(register)) {
      // Reset and a new negotiation are over at once.
      phy[register] = register === PHY_CONTROL ? value & ~(PHY_RESET | PHY_RESTART) : value;
      if (register === PHY_CONTROL && value & PHY_RESTART && this.#plugged) this.#raise(INT_LINK);
    }
    registers[MDIC >> 2] = result;
  }

  /** The address of a descriptor; -1: outside of what the bus reaches. */
  #descriptor(ring: number, index: number): number {
    const { registers } = this.state.fields;
    const at = (registers[ring >> 2] >>> 0) + DESCRIPTOR * index;
    return registers[(ring >> 2) + 1] !== 0 || at + DESCRIPTOR > 2 ** 32 ? -1 : at;
  }

  get #isMaster(): boolean {
    return (this.config.command & COMMAND_MASTER) !== 0;
  }

  // Sending.

  #transmit(): void {
    const { fields: f } = this.state, { registers } = f, count = registers[TDLEN >> 2] / DESCRIPTOR;
    if (!(registers[TCTL >> 2] & TCTL_ENABLE) || !this.#isMaster || count === 0) return;
    let causes = 0;
    f.sendAt = 0;
    this.#sent = 0;
    for (let done = 0; done < count && registers[TDH >> 2] !== registers[TDT >> 2]; done++) {
      if (this.#sent >= FRAMES_AT_ONCE && registers[TDT >> 2] < count) {
        f.sendAt = this.#clock.now() + PAUSE;
        this.#more.arm(f.sendAt);
        break;
      }
      const at = this.#descriptor(TDBAL, registers[TDH >> 2]);
      if (at >= 0 && this.#takeDescriptor(at)) causes |= INT_SENT;
      registers[TDH >> 2] = registers[TDH >> 2] + 1 >= count ? 0 : registers[TDH >> 2] + 1;
    }
    this.#raise(causes | (registers[TDH >> 2] === registers[TDT >> 2] ? INT_QUEUE_EMPTY : 0));
  }

  /** True if the driver asked to be told. */
  #takeDescriptor(at: number): boolean {
    const { fields: f } = this.state, space = this.#space;
    const words = Int32Array.from({ length: 4 }, (_, i) => space.read(at + 4 * i, 4)), [low, high, lengths, status] = words;
    const command = lengths >>> 24, extended = (command & CMD_EXTENDED) !== 0;
    if (extended && ((lengths >>> 20) & 15) === 0) {
      // Contexts for segmentation and for checksums alone are kept apart.
      (command & CMD_SEGMENT ? f.segmentContext : f.context).set(words);
    } else {
      const length = lengths & (extended ? 0xfffff : 0xffff);
      if (f.packetLength === 0) f.packetOptions = extended ? (status >>> 8) & 0xff : 0;
      const room = Math.min(length, PACKET_MOST - f.packetLength);
      const part = f.packet.subarray(f.packetLength, f.packetLength + room);
      if (high === 0) space.readBytes(low >>> 0, part);
      f.packetLength += room;
      if (command & CMD_EOP) {
        const packet = f.packet.slice(0, f.packetLength);
        f.packetLength = 0;
        if (extended) {
          const segments = (command & CMD_SEGMENT) !== 0;
          for (const frame of offload(packet, parseContext(segments ? f.segmentContext : f.context), f.packetOptions, segments)) this.#sendFrame(frame);
        } else {
          if (command & CMD_INSERT) insertChecksum(packet, (status >>> 8) & 0xff, (lengths >>> 16) & 0xff, 0);
          this.#sendFrame(packet);
        }
      }
    }
    if (!(command & CMD_REPORT)) return false;
    space.write(at + 12, status | DONE, 4);
    return true;
  }

  #sendFrame(frame: Uint8Array): void {
    const { registers } = this.state.fields;
    this.#sent++;
    this.#count(GPTC, TPT, GOTCL, TOTL, frame.length);
    if (!(registers[RCTL >> 2] & RCTL_LOOPBACK)) this.#link.send(frame);
  }

  #count(good: number, total: number, goodBytes: number, totalBytes: number, length: number): void {
    const { registers } = this.state.fields;
    for (const counter of [good, total]) registers[counter >> 2]++;
    for (const counter of [goodBytes, totalBytes]) registers[counter >> 2] += length + FCS_SIZE;
  }

  // Receiving.

  #accepts(frame: Uint8Array): boolean {
    const { registers } = this.state.fields, control = registers[RCTL >> 2];
    if (isBroadcast(frame)) return (control & (RCTL_BROADCAST | RCTL_ALL_MULTICAST)) !== 0;
    if (control & (isMulticast(frame) ? RCTL_ALL_MULTICAST : RCTL_ALL_UNICAST)) return true;
    const address = new Uint8Array(8), view = new DataView(address.buffer);
    for (let at = RA >> 2; at < (RA + 0x80) >> 2; at += 2) {
      view.setInt32(0, registers[at], true);
      view.setInt32(4, registers[at + 1], true);
      if (registers[at + 1] & RAH_VALID && isFor(frame, address)) return true;
    }
    if (!isMulticast(frame)) return false;
    const shift = [4, 3, 2, 0][(control >> 12) & 3]!, hash = ((frame[4] | (frame[5] << 8)) >> shift) & 0xfff;
    return (registers[(MTA >> 2) + (hash >> 5)] & (1 << (hash & 31))) !== 0;
  }

  /** Bytes of a buffer: RCTL.BSIZE and BSEX. */
  #bufferSize(): number {
    const control = this.state.fields.registers[RCTL >> 2], size = 2048 >> ((control >> 16) & 3);
    return control & RCTL_LARGE && size < 2048 ? size * 16 : size;
  }

  #receive(frame: Uint8Array): boolean {
    const { registers } = this.state.fields, control = registers[RCTL >> 2], count = registers[RDLEN >> 2] / DESCRIPTOR;
    if (!(control & RCTL_ENABLE) || !this.#isMaster || count === 0 || !this.#accepts(frame)) return true;
    const data = new Uint8Array(frame.length + (control & RCTL_STRIP_FCS ? 0 : FCS_SIZE));
    data.set(frame);
    if (data.length > frame.length) new DataView(data.buffer).setInt32(frame.length, frameCheck(frame), true);
    const size = this.#bufferSize(), needed = Math.ceil(data.length / size);
    if (registers[RDH >> 2] >= count) return true;
    const free = (((registers[RDT >> 2] - registers[RDH >> 2]) % count) + count) % count;
    if (free < needed) return needed >= count;
    for (let from = 0; from < data.length; from += size) this.#fill(data.subarray(from, from + size), from + size >= data.length, count);
    this.#count(GPRC, TPR, GORCL, TORL, frame.length);
    // RDMTS: few are left when less than a half, quarter, eighth is free.
    this.#raise(INT_RECEIVED | (free - needed <= count >> (((control >> 8) & 3) + 1) ? INT_FEW : 0));
    return true;
  }

  /** Fills the next buffer. */
  #fill(data: Uint8Array, last: boolean, count: number): void {
    const { registers } = this.state.fields, space = this.#space, head = registers[RDH >> 2], at = this.#descriptor(RDBAL, head);
    if (at >= 0) {
      if (space.read(at + 4, 4) === 0) space.writeBytes(space.read(at, 4) >>> 0, data);
      space.write(at + 8, data.length, 4);
      space.write(at + 12, DONE | STATUS_NO_CHECKSUM | (last ? STATUS_EOP : 0), 4);
    }
    registers[RDH >> 2] = head + 1 >= count ? 0 : head + 1;
  }
}
