/**
 * The pointer behind the VMware port (vm-port.ts), QEMU's vmmouse: places on the screen without a driver for a tablet.
 *
 * CX 29h, command in EBX: 45414552h read ID, which clears an error; 53424152h places, 4C455252h counts, either switches it on; F5h off.
 * CX 28h, status: EAX bits 31-16 FFFFh if it is off or a driver asked for what there is not, 15-0 words that wait.
 * CX 27h, data: EBX words (1 to 6) are taken, into EAX, EBX, ECX, EDX, ESI, EDI.
 * Read ID puts one word into the queue, 3442554Ah. What the pointer does is four: buttons (5 left, 4 right, 3 middle), X, Y (0 to FFFEh; counts to the right and
 * down), turns of the wheel towards the user. A PS/2 packet that means nothing tells the driver to look.
 * Sources: QEMU 7.2, by the guests in test/devices/vmport; X.Org, xf86-input-vmmouse, vmmouse_defs.h. VMware's own marks counts by bit 16 of the buttons.
 */
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import type { Pointer } from './input-router.ts';
import { MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT } from './ps2-mouse.ts';
import { EAX, EBX, ECX, EDI, EDX, ESI } from './vm-port.ts';
import type { GeneralRegisters, VmCommand } from './vm-port.ts';

const COMMAND_DATA = 0x27, COMMAND_STATUS = 0x28, COMMAND_POINTER = 0x29;
const READ_ID = 0x45414552, DISABLE = 0xf5, REQUEST_RELATIVE = 0x4c455252, REQUEST_ABSOLUTE = 0x53424152;
const ID = 0x3442554a, STATUS_ERROR = 0xffff;
const QUEUE_SIZE = 1024, PACKET = 4;
/** Places go from 0 to this, in steps of two. */
const PLACE_MAX = 0xfffe;
/** Where data goes, in this order. */
const DATA_REGISTERS = [EAX, EBX, ECX, EDX, ESI, EDI];
const BUTTONS = [[MOUSE_LEFT, 0x20], [MOUSE_RIGHT, 0x10], [MOUSE_MIDDLE, 0x08]] as const;

export class VmMouse implements Device, Pointer {
  readonly name = 'vmmouse';
  readonly state = new DeviceState(1, {
    /** 0, or STATUS_ERROR: off, until the ID is read. */
    status: STATUS_ERROR,
    /** It takes what the user does; places, not counts. */
    on: 0, absolute: 0,
    /** Words that wait, the oldest first. */
    queue: new Int32Array(QUEUE_SIZE), count: 0,
    /** As last told. */
    x: 0, y: 0, buttons: 0,
  });
  /** By number, for the port. */
  readonly commands: ReadonlyMap<number, VmCommand>;
  onActive: (() => void) | null = null;
  readonly #wake: () => void;

  /** @param wake sends the PS/2 packet */
  constructor(wake: () => void) {
    this.#wake = wake;
    // These commands are of 16 bits; the port has looked at 8.
    const command = (number: number, answer: VmCommand): [number, VmCommand] =>
      [number, (registers) => ((registers.register(ECX) & 0xffff) === number ? answer(registers) : registers.register(EAX))];
    this.commands = new Map([
      command(COMMAND_STATUS, () => this.state.fields.status << 16 | this.state.fields.count),
      command(COMMAND_POINTER, (registers) => {
        this.#command(registers.register(EBX));
        return registers.register(EAX);
      }),
      command(COMMAND_DATA, (registers) => {
        this.#take(registers, registers.register(EBX) >>> 0);
        return registers.register(EAX);
      }),
    ]);
  }

  reset(): void {
    this.state.reset();
  }

  get kind(): 'mouse' | 'tablet' {
    return this.state.fields.absolute !== 0 ? 'tablet' : 'mouse';
  }

  get active(): boolean {
    return this.state.fields.on !== 0;
  }

  get buttons(): number {
    return this.state.fields.buttons;
  }

  get idle(): boolean {
    return this.state.fields.count === 0;
  }

  /** Counts; where it takes places, the last one stays. */
  move(right: number, down: number, buttons: number, wheel: number): boolean {
    const { x, y, absolute } = this.state.fields;
    return absolute !== 0 ? this.#tell(x, y, buttons, wheel) : this.#tell(right, down, buttons, wheel);
  }

  point(x: number, y: number, buttons: number, wheel: number): boolean {
    const place = (part: number): number => Math.round(part * (PLACE_MAX >> 1)) << 1;
    return this.#tell(place(x), place(y), buttons, wheel);
  }

  #tell(x: number, y: number, buttons: number, wheel: number): boolean {
    const { fields: f } = this.state;
    if (f.count > QUEUE_SIZE - PACKET) return false;
    f.queue.set([BUTTONS.reduce((bits, [button, bit]) => (buttons & button ? bits | bit : bits), 0), x, y, -wheel], f.count);
    f.count += PACKET;
    f.buttons = buttons;
    if (f.absolute !== 0) [f.x, f.y] = [x, y];
    this.#wake();
    return true;
  }

  #command(command: number): void {
    const { fields: f } = this.state;
    switch (command) {
      case READ_ID:
        if (f.count === QUEUE_SIZE) return;
        f.queue[f.count++] = ID;
        f.status = 0;
        return;
      case REQUEST_ABSOLUTE: return this.#start(1);
      case REQUEST_RELATIVE: return this.#start(0);
      case DISABLE: return this.#stop();
    }
  }

  #start(absolute: number): void {
    const { fields: f } = this.state;
    if (f.status !== 0 || (f.on !== 0 && f.absolute === absolute)) return;
    f.on = 1;
    f.absolute = absolute;
    f.x = f.y = f.buttons = 0;
    this.onActive?.();
  }

  #stop(): void {
    this.state.fields.status = STATUS_ERROR;
    this.state.fields.on = 0;
  }

  #take(registers: GeneralRegisters, words: number): void {
    const { fields: f } = this.state;
    if (words === 0 || words > DATA_REGISTERS.length || words > f.count) return this.#stop();
    for (let i = 0; i < words; i++) registers.setRegister(DATA_REGISTERS[i]!, f.queue[i]!);
    f.queue.copyWithin(0, words, f.count);
    f.count -= words;
  }
}
