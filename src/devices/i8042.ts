/**
 * The 8042 keyboard controller of a PC: the way to keyboard and mouse, and by its output port to A20 and the processor's reset.
 *
 * Port 60h: R output buffer, W data (for the command before, else for the keyboard).
 * Port 64h: W command, R status: 7 parity, 6 timeout, 5 output is from the mouse, 4 not locked, 3 last write was a command,
 *     2 system flag (self-test passed), 1 input buffer full (never seen: bytes are taken at once), 0 output buffer full.
 * Command byte (20h/60h): 6 translate to set 1, 5 mouse off, 4 keyboard off, 2 system flag, 1 IRQ12 on, 0 IRQ1 on.
 *
 * A byte from a device takes BYTE_TIME from the moment at which the output buffer is free, so that software which reads the port twice
 * in its interrupt handlers sees the same byte, as with the real serial link. IRQ1/IRQ12 are high while the buffer holds a byte.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import type { Ps2Device } from './ps2-keyboard.ts';

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_AUX = 0x20;
const STATUS_TIMEOUT = 0x40;

const MODE_KEYBOARD_IRQ = 0x01;
const MODE_AUX_IRQ = 0x02;
const MODE_SYSTEM = 0x04;
const MODE_KEYBOARD_OFF = 0x10;
const MODE_AUX_OFF = 0x20;
const MODE_TRANSLATE = 0x40;

const OUTPUT_NOT_RESET = 0x01;
const OUTPUT_A20 = 0x02;
const BREAK_PREFIX = 0xf0;
const NO_DEVICE = 0xfe;

/** ns. The real link takes 0.9 ms a byte; software that waits by counting loops was written for slower processors. */
const BYTE_TIME = 200_000;

/** What the controller turns a byte of scan code set 2 into, for bytes below 80h: one row for each high digit. */
const TO_SET1 = Uint8Array.from([
  0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
  0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
  0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
  0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
  0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
  0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
  0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
  0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
]);

/** Set 2 to set 1; of the codes from 80h on only F7 and SysRq have a partner. */
function toSet1(code: number): number {
  if (code < 0x80) return TO_SET1[code];
  return code === 0x83 ? 0x41 : code === 0x84 ? 0x54 : code;
}

export interface I8042Lines {
  keyboardIrq: IrqLine;
  auxIrq: IrqLine;
  /** High: address bit 20 passes. */
  a20: IrqLine;
  /** Pulsed: resets the processor. */
  reset: IrqLine;
}

export class I8042 implements Device {
  readonly name = 'i8042';
  readonly state = new DeviceState(1, {
    status: STATUS_UNLOCKED,
    mode: MODE_KEYBOARD_IRQ | MODE_AUX_IRQ,
    /** The controller's memory, commands 21h-3Fh and 61h-7Fh. */
    ram: new Uint8Array(32),
    output: 0,
    /** A byte of the controller's own that waits for a free output buffer, and its status bits; -1 = none. */
    answer: -1,
    answerStatus: 0,
    /** Command whose data byte is awaited; 0 = none. */
    command: 0,
    outputPort: OUTPUT_A20 | OUTPUT_NOT_RESET,
    /** A break prefix was seen and not passed on yet. */
    breakSeen: 0,
    /** When the next byte of a device arrives; 0 = none is on its way. */
    arrival: 0,
  });
  /** Port 60h. */
  readonly data: IoRegion;
  /** Port 64h. */
  readonly control: IoRegion;
  readonly #clock: Clock;
  readonly #lines: I8042Lines;
  readonly #keyboard: Ps2Device;
  readonly #aux: Ps2Device | null;
  readonly #link: Timer;

  /** @param aux the mouse, if there is one; without it the controller reports a timeout */
  constructor(clock: Clock, lines: I8042Lines, keyboard: Ps2Device, aux: Ps2Device | null = null) {
    this.#clock = clock;
    this.#lines = lines;
    this.#keyboard = keyboard;
    this.#aux = aux;
    this.#link = clock.timer('i8042', () => this.#arrive());
    keyboard.onData = () => this.#poll();
    if (aux) aux.onData = () => this.#poll();
    const region = (name: string, read: () => number, write: (value: number) => void): IoRegion => ({
      name,
      size: 1,
      minAccess: 1,
      maxAccess: 1,
      read,
      write: (_offset, value) => write(value),
    });
    this.data = region('i8042-data', () => this.#readData(), (value) => this.#writeData(value));
    this.control = region('i8042-cmd', () => this.state.fields.status, (value) => this.#command(value));
    this.reset();
  }

  reset(): void {
    this.state.reset();
    this.#link.cancel();
    this.#driveIrqs();
    this.#lines.a20.set(true);
    this.#poll();
  }

  restored(): void {
    const { arrival, outputPort } = this.state.fields;
    if (arrival) this.#link.arm(arrival);
    else this.#link.cancel();
    this.#driveIrqs();
    this.#lines.a20.set((outputPort & OUTPUT_A20) !== 0);
  }

  /** Nothing waits for the guest, here or in the keyboard. */
  get idle(): boolean {
    return this.free && !this.#keyboard.hasData;
  }

  /** The guest has taken every byte that was offered. */
  get free(): boolean {
    return !(this.state.fields.status & STATUS_OUTPUT_FULL) && this.state.fields.answer < 0;
  }

  #driveIrqs(): void {
    const { status, mode } = this.state.fields;
    const full = (status & STATUS_OUTPUT_FULL) !== 0;
    const aux = (status & STATUS_AUX) !== 0;
    this.#lines.keyboardIrq.set(full && !aux && (mode & MODE_KEYBOARD_IRQ) !== 0);
    this.#lines.auxIrq.set(full && aux && (mode & MODE_AUX_IRQ) !== 0);
  }

  #readData(): number {
    const { fields } = this.state;
    const value = fields.output;
    fields.status &= ~(STATUS_OUTPUT_FULL | STATUS_AUX | STATUS_TIMEOUT);
    this.#driveIrqs();
    if (fields.answer >= 0) {
      const answer = fields.answer;
      fields.answer = -1;
      this.#fill(answer, fields.answerStatus);
    } else {
      this.#poll();
    }
    return value;
  }

  #fill(byte: number, status: number): void {
    const { fields } = this.state;
    fields.output = byte;
    fields.status = (fields.status & ~(STATUS_AUX | STATUS_TIMEOUT)) | STATUS_OUTPUT_FULL | status;
    this.#driveIrqs();
  }

  /** A byte of the controller's own: at once, or behind the one that the guest has not read yet. */
  #answer(byte: number, status = 0): void {
    const { fields } = this.state;
    if (fields.status & STATUS_OUTPUT_FULL) {
      fields.answer = byte;
      fields.answerStatus = status;
    } else {
      this.#fill(byte, status);
    }
  }

  /** Which device may send now. */
  #sender(): Ps2Device | null {
    const { status, mode, answer } = this.state.fields;
    if (status & STATUS_OUTPUT_FULL || answer >= 0) return null;
    if (this.#keyboard.hasData && !(mode & MODE_KEYBOARD_OFF)) return this.#keyboard;
    if (this.#aux?.hasData && !(mode & MODE_AUX_OFF)) return this.#aux;
    return null;
  }

  /** Starts the transfer of a device's next byte if there is one and the way is free. */
  #poll(): void {
    if (this.#link.armed || !this.#sender()) return;
    this.state.fields.arrival = this.#clock.now() + BYTE_TIME;
    this.#link.arm(this.state.fields.arrival);
  }

  #arrive(): void {
    const { fields } = this.state;
    fields.arrival = 0;
    const sender = this.#sender();
    if (!sender) return;
    const byte = sender.take();
    if (sender === this.#aux) return this.#fill(byte, STATUS_AUX);
    if (!(fields.mode & MODE_TRANSLATE)) return this.#fill(byte, 0);
    if (byte === BREAK_PREFIX) {
      fields.breakSeen = 0x80;
      return this.#poll();
    }
    const code = toSet1(byte) | fields.breakSeen;
    fields.breakSeen = 0;
    this.#fill(code, 0);
  }

  #writeData(value: number): void {
    const { fields } = this.state;
    const { command } = fields;
    fields.status &= ~STATUS_COMMAND;
    fields.command = 0;
    if (command >= 0x60 && command < 0x80) return this.#writeRam(command & 0x1f, value);
    switch (command) {
      case 0xd1:
        return this.#writeOutputPort(value);
      case 0xd2:
        return this.#fill(value, 0);
      case 0xd3:
        return this.#fill(value, STATUS_AUX);
      case 0xd4:
        fields.mode &= ~MODE_AUX_OFF;
        if (this.#aux) {
          this.#aux.receive(value);
          this.#poll();
        } else {
          this.#answer(NO_DEVICE, STATUS_AUX | STATUS_TIMEOUT);
        }
        return;
      default:
        // Sending to the keyboard enables its interface.
        fields.mode &= ~MODE_KEYBOARD_OFF;
        this.#keyboard.receive(value);
        this.#poll();
    }
  }

  #writeRam(index: number, value: number): void {
    const { fields } = this.state;
    if (index !== 0) {
      fields.ram[index] = value;
      return;
    }
    fields.mode = value;
    fields.status = (fields.status & ~STATUS_SYSTEM) | (value & MODE_SYSTEM);
    this.#driveIrqs();
    this.#poll();
  }

  #writeOutputPort(value: number): void {
    this.state.fields.outputPort = value & (OUTPUT_A20 | OUTPUT_NOT_RESET);
    this.#lines.a20.set((value & OUTPUT_A20) !== 0);
    if (!(value & OUTPUT_NOT_RESET)) this.#pulseReset();
  }

  #pulseReset(): void {
    this.#lines.reset.set(true);
    this.#lines.reset.set(false);
  }

  #command(value: number): void {
    const { fields } = this.state;
    fields.status |= STATUS_COMMAND;
    fields.command = 0;
    if (value >= 0x20 && value < 0x40) return this.#answer(value === 0x20 ? fields.mode : fields.ram[value & 0x1f]);
    if (value >= 0xf0) {
      // Pulses the output port's bits 3-0 where the command has zeros; bit 0 is the reset.
      if (!(value & OUTPUT_NOT_RESET)) this.#pulseReset();
      return;
    }
    if (value >= 0x60 && value < 0x80) {
      fields.command = value;
      return;
    }
    switch (value) {
      case 0xa4: // is a password installed? no
        return this.#answer(0xf1);
      case 0xa7:
        fields.mode |= MODE_AUX_OFF;
        return;
      case 0xa8:
        fields.mode &= ~MODE_AUX_OFF;
        return this.#poll();
      case 0xa9: // test the mouse's lines
        return this.#answer(0x00);
      case 0xaa:
        fields.mode |= MODE_SYSTEM;
        fields.status |= STATUS_SYSTEM;
        return this.#answer(0x55);
      case 0xab: // test the keyboard's lines
        return this.#answer(0x00);
      case 0xad:
        fields.mode |= MODE_KEYBOARD_OFF;
        return;
      case 0xae:
        fields.mode &= ~MODE_KEYBOARD_OFF;
        return this.#poll();
      case 0xc0: // input port: not locked, no manufacturing jumper
        return this.#answer(0xa0);
      case 0xd0:
        return this.#answer(this.#outputPort());
      case 0xd1:
      case 0xd2:
      case 0xd3:
      case 0xd4:
        fields.command = value;
        return;
    }
  }

  /** The output port: 7-6 the keyboard's data and clock, 5 IRQ12, 4 IRQ1, 1 A20, 0 reset (low = active). */
  #outputPort(): number {
    const { status, outputPort } = this.state.fields;
    const irq = status & STATUS_OUTPUT_FULL ? (status & STATUS_AUX ? 0x20 : 0x10) : 0;
    return 0xc0 | irq | outputPort;
  }
}
