/**
 * The NS16550A serial port.
 *
 *     0  R receive buffer, W transmit holding (divisor low with DLAB)    1  interrupt enable (divisor high with DLAB)
 *     2  R interrupt identification, W FIFO control    3  line control    4  modem control    5  line status    6  modem status    7  scratch
 *
 * A byte goes to the backend when the guest writes it, so that nothing is lost when the machine stops; the frame that it then takes on
 * the line shows in the status bits and interrupts only. Bytes from the backend come in at the line's speed and wait on the line while
 * the guest has no room: a host is faster than any guest, and an overrun would serve nobody. The other end always asserts CTS, DSR, DCD.
 * Interrupts pass only while MCR bit 3 (OUT2) is set: so wires a PC its ports.
 * Source: National Semiconductor PC16550D datasheet.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import type { CharBackend } from './host.ts';
import { ByteQueue } from './byte-queue.ts';
import { NS_PER_SECOND } from './clock.ts';

/** 1.8432 MHz crystal, 16 clocks a bit. */
const BAUD_BASE = 115200;
const FIFO_SIZE = 16;
/** Bytes that wait on the line, for who asks. */
const LINE_SIZE = 4096;

const IER_RECEIVE = 0x01;
const IER_TRANSMIT = 0x02;
const IER_LINE = 0x04;
const IER_MODEM = 0x08;

const IIR_NONE = 0x01;
const IIR_MODEM = 0x00;
const IIR_TRANSMIT = 0x02;
const IIR_RECEIVE = 0x04;
const IIR_LINE = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFO = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_CLEAR_RECEIVE = 0x02;
const FCR_CLEAR_TRANSMIT = 0x04;
const TRIGGERS = [1, 4, 8, 14];

const LCR_STOP = 0x04;
const LCR_PARITY = 0x08;
const LCR_DLAB = 0x80;

const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;

const LSR_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_HOLDING_EMPTY = 0x20;
const LSR_EMPTY = 0x40;

const MSR_CTS = 0x10;
const MSR_DSR = 0x20;
const MSR_RING = 0x40;
const MSR_DCD = 0x80;

export interface Ns16550Options {
  /**
   * Longest time (ns) that a frame takes, whatever the baud rate: a terminal on the host need not be as slow as 9600 baud.
   * The true time if left out.
   */
  maxFrameTime?: number;
}

export class Ns16550 implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    divisor: 12,
    ier: 0,
    fcr: 0,
    lcr: 3,
    mcr: 0,
    /** Error bits of the line status. */
    errors: 0,
    msr: MSR_CTS | MSR_DSR | MSR_DCD,
    scratch: 0,
    /** The transmitter has become empty and the guest was not told yet. */
    transmitPending: 0,
    /** Data have lain in the receive FIFO for four frames. */
    timeout: 0,
    /** When they will have, -1 = they do not lie there. */
    timeoutEnd: -1,
    receive: new Uint8Array(FIFO_SIZE),
    receiveEnds: new Uint8Array(2),
    transmit: new Uint8Array(FIFO_SIZE),
    transmitEnds: new Uint8Array(2),
    /** The byte on the line, -1 = none, and when its frame ends. */
    shifting: -1,
    shiftEnd: 0,
  });
  readonly io: IoRegion;
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #backend: CharBackend | null;
  readonly #maxFrameTime: number;
  readonly #receive: ByteQueue;
  readonly #transmit: ByteQueue;
  readonly #shiftTimer: Timer;
  readonly #lineTimer: Timer;
  readonly #timeoutTimer: Timer;
  /** Bytes from the backend that wait on the line. */
  #line: number[] = [];

  constructor(name: string, clock: Clock, irq: IrqLine, backend: CharBackend | null, options: Ns16550Options = {}) {
    this.name = name;
    this.#clock = clock;
    this.#irq = irq;
    this.#backend = backend;
    this.#maxFrameTime = options.maxFrameTime ?? Infinity;
    const { fields } = this.state;
    this.#receive = new ByteQueue(fields.receive, fields.receiveEnds);
    this.#transmit = new ByteQueue(fields.transmit, fields.transmitEnds);
    this.#shiftTimer = clock.timer(`${name}-shift`, () => this.#frameSent());
    this.#lineTimer = clock.timer(`${name}-line`, () => this.#frameReceived());
    this.#timeoutTimer = clock.timer(`${name}-timeout`, () => {
      fields.timeout = 1;
      fields.timeoutEnd = -1;
      this.#update();
    });
    this.io = { name, size: 8, minAccess: 1, maxAccess: 1, read: (offset) => this.#read(offset), write: (offset, value) => this.#write(offset, value) };
    if (backend) {
      backend.receive = (byte) => {
        this.#line.push(byte & 0xff);
        this.#listen();
      };
      backend.room = () => LINE_SIZE - this.#line.length;
    }
  }

  reset(): void {
    this.state.reset();
    this.#shiftTimer.cancel();
    this.#timeoutTimer.cancel();
    this.#update();
    this.#listen();
  }

  restored(): void {
    const { shifting, shiftEnd, timeoutEnd } = this.state.fields;
    if (shifting >= 0) this.#shiftTimer.arm(shiftEnd);
    else this.#shiftTimer.cancel();
    if (timeoutEnd >= 0) this.#timeoutTimer.arm(timeoutEnd);
    else this.#timeoutTimer.cancel();
    this.#update();
    this.#listen();
  }

  get #fifo(): boolean {
    return (this.state.fields.fcr & FCR_ENABLE) !== 0;
  }

  get #loop(): boolean {
    return (this.state.fields.mcr & MCR_LOOP) !== 0;
  }

  /** Bytes that the receiver or the transmitter holds: the FIFO, or the one register. */
  get #depth(): number {
    return this.#fifo ? FIFO_SIZE : 1;
  }

  /** ns from start to stop bit. */
  get #frameTime(): number {
    const { lcr, divisor } = this.state.fields;
    const bits = 1 + 5 + (lcr & 3) + (lcr & LCR_PARITY ? 1 : 0) + (lcr & LCR_STOP ? 2 : 1);
    return Math.min(Math.round((bits * (divisor || 1) * NS_PER_SECOND) / BAUD_BASE), this.#maxFrameTime);
  }

  /** The most urgent interrupt, as the identification register names it. */
  #identify(): number {
    const { ier, errors, fcr, timeout, transmitPending, msr } = this.state.fields;
    if (ier & IER_LINE && errors) return IIR_LINE;
    if (ier & IER_RECEIVE) {
      if (this.#receive.length >= (this.#fifo ? TRIGGERS[fcr >> 6] : 1)) return IIR_RECEIVE;
      if (timeout) return IIR_TIMEOUT;
    }
    if (ier & IER_TRANSMIT && transmitPending) return IIR_TRANSMIT;
    if (ier & IER_MODEM && msr & 0x0f) return IIR_MODEM;
    return IIR_NONE;
  }

  #update(): void {
    this.#irq.set((this.state.fields.mcr & MCR_OUT2) !== 0 && this.#identify() !== IIR_NONE);
  }

  #read(offset: number): number {
    const { fields } = this.state;
    switch (offset) {
      case 0:
        return fields.lcr & LCR_DLAB ? fields.divisor & 0xff : this.#readData();
      case 1:
        return fields.lcr & LCR_DLAB ? fields.divisor >> 8 : fields.ier;
      case 2: {
        const source = this.#identify();
        if (source === IIR_TRANSMIT) fields.transmitPending = 0;
        this.#update();
        return source | (this.#fifo ? IIR_FIFO : 0);
      }
      case 3:
        return fields.lcr;
      case 4:
        return fields.mcr;
      case 5: {
        const status = this.#lineStatus();
        fields.errors = 0;
        this.#update();
        return status;
      }
      case 6: {
        const status = fields.msr;
        fields.msr &= 0xf0;
        this.#update();
        return status;
      }
      default:
        return fields.scratch;
    }
  }

  #write(offset: number, value: number): void {
    const { fields } = this.state;
    switch (offset) {
      case 0:
        if (fields.lcr & LCR_DLAB) fields.divisor = (fields.divisor & 0xff00) | value;
        else this.#send(value);
        break;
      case 1:
        if (fields.lcr & LCR_DLAB) {
          fields.divisor = (fields.divisor & 0xff) | (value << 8);
        } else {
          // Enabling the transmit interrupt while the register is empty raises it.
          if (value & ~fields.ier & IER_TRANSMIT && this.#transmit.length === 0) fields.transmitPending = 1;
          fields.ier = value & 0x0f;
        }
        break;
      case 2:
        this.#fifoControl(value);
        break;
      case 3:
        fields.lcr = value;
        break;
      case 4:
        fields.mcr = value & 0x1f;
        this.#modemInputs();
        break;
      case 7:
        fields.scratch = value;
        break;
    }
    this.#update();
  }

  #fifoControl(value: number): void {
    const { fields } = this.state;
    const toggled = (value ^ fields.fcr) & FCR_ENABLE;
    if (toggled || value & FCR_CLEAR_RECEIVE) {
      this.#receive.clear();
      this.#restartTimeout();
    }
    if (toggled || value & FCR_CLEAR_TRANSMIT) {
      this.#transmit.clear();
      fields.transmitPending = 1;
    }
    // Without bit 0 the other bits are not programmed.
    fields.fcr = value & FCR_ENABLE ? value & 0xc9 : 0;
    this.#listen();
  }

  #lineStatus(): number {
    const { errors, shifting } = this.state.fields;
    let status = errors;
    if (this.#receive.length > 0) status |= LSR_READY;
    if (this.#transmit.length === 0) status |= LSR_HOLDING_EMPTY | (shifting < 0 ? LSR_EMPTY : 0);
    return status;
  }

  #send(byte: number): void {
    const { fields } = this.state;
    fields.transmitPending = 0;
    if (!this.#loop) this.#backend?.write(byte);
    // A write to a full transmitter overwrites what it held last; the line has had it already.
    if (this.#transmit.length < this.#depth) this.#transmit.push(byte);
    if (fields.shifting < 0) this.#shift();
  }

  /** Takes the next byte from the transmitter onto the line. */
  #shift(): void {
    const { fields } = this.state;
    fields.shifting = this.#transmit.shift();
    if (this.#transmit.length === 0) fields.transmitPending = 1;
    fields.shiftEnd = this.#clock.now() + this.#frameTime;
    this.#shiftTimer.arm(fields.shiftEnd);
  }

  #frameSent(): void {
    const { fields } = this.state;
    if (this.#loop) this.#accept(fields.shifting);
    if (this.#transmit.length > 0) this.#shift();
    else fields.shifting = -1;
    this.#update();
  }

  #accept(byte: number): void {
    if (this.#receive.length >= this.#depth) this.state.fields.errors |= LSR_OVERRUN;
    else this.#receive.push(byte);
    this.#restartTimeout();
  }

  /** Starts the next frame from the backend if there is one and room for it. */
  #listen(): void {
    if (this.#line.length === 0 || this.#lineTimer.armed || this.#loop || this.#receive.length >= this.#depth) return;
    this.#lineTimer.arm(this.#clock.now() + this.#frameTime);
  }

  #frameReceived(): void {
    if (this.#loop || this.#receive.length >= this.#depth) return;
    this.#accept(this.#line.shift() as number);
    if (this.#line.length === 0) this.#backend?.more?.();
    this.#update();
    this.#listen();
  }

  #readData(): number {
    const byte = this.#receive.shift();
    this.#restartTimeout();
    this.#update();
    this.#listen();
    return Math.max(0, byte);
  }

  /** The timeout interrupt comes four frames after the last traffic of a FIFO that is not empty. */
  #restartTimeout(): void {
    const { fields } = this.state;
    fields.timeout = 0;
    fields.timeoutEnd = this.#fifo && this.#receive.length > 0 ? this.#clock.now() + 4 * this.#frameTime : -1;
    if (fields.timeoutEnd >= 0) this.#timeoutTimer.arm(fields.timeoutEnd);
    else this.#timeoutTimer.cancel();
  }

  /** The modem's inputs: the other end, or in a loop our own outputs. Bits 3-0 note what changed (RI: only its fall). */
  #modemInputs(): void {
    const { fields } = this.state;
    const { mcr, msr } = fields;
    const inputs = this.#loop
      ? (mcr & 1 ? MSR_DSR : 0) | (mcr & 2 ? MSR_CTS : 0) | (mcr & 4 ? MSR_RING : 0) | (mcr & 8 ? MSR_DCD : 0)
      : MSR_CTS | MSR_DSR | MSR_DCD;
    let changed = (msr ^ inputs) & 0xf0;
    if (inputs & MSR_RING) changed &= ~MSR_RING;
    fields.msr = inputs | (msr & 0x0f) | (changed >> 4);
    this.#listen();
  }
}
