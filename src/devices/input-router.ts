/**
 * Who gets what the user does, as in QEMU: keys, places, counts and buttons each go to the device that takes them and whose driver came last; where
 * there is none, to the PS/2 ones. So a tablet may have the buttons of a mouse that is moved.
 */
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import type { Ps2Keyboard } from './ps2-keyboard.ts';
import type { Ps2Mouse } from './ps2-mouse.ts';

/** A device that takes input once the guest drives it. */
export interface InputDevice {
  /** A driver listens. */
  readonly active: boolean;
  /** The guest has taken all that it was told. */
  readonly idle: boolean;
  /** Called when a driver begins to listen. */
  onActive: (() => void) | null;
}

export interface KeySink extends InputDevice {
  key(name: string, down: boolean): boolean;
}

/** Counts to the right and down, places from 0 (left, top) to 1, the wheel away from the user, buttons (MOUSE_LEFT ...) held from now on. @returns false if too much waits */
export interface Pointer extends InputDevice {
  readonly kind: string;
  readonly buttons: number;
  move(right: number, down: number, buttons: number, wheel: number): boolean;
  point(x: number, y: number, buttons: number, wheel: number): boolean;
}

/** Devices in the order in which their drivers came: `order` has their numbers, the latest first. */
class Latest<T extends InputDevice> {
  readonly #devices: readonly T[];
  readonly #order: Uint8Array;

  constructor(devices: readonly T[], order: Uint8Array) {
    this.#devices = devices;
    this.#order = order;
    devices.forEach((device, number) => {
      device.onActive = () => {
        order.copyWithin(1, 0, order.indexOf(number));
        order[0] = number;
      };
    });
  }

  get active(): T[] {
    return [...this.#order].map((number) => this.#devices[number]!).filter((device) => device.active);
  }
}

const numbers = (devices: readonly InputDevice[]): Uint8Array => Uint8Array.from(devices.keys());

export class InputRouter implements Device {
  readonly name = 'input-router';
  readonly state: DeviceState<{ keyboards: Uint8Array; pointers: Uint8Array }>;
  readonly #keyboard: Ps2Keyboard;
  readonly #mouse: Ps2Mouse;
  readonly #keyboards: Latest<KeySink>;
  readonly #pointers: Latest<Pointer>;

  constructor(keyboard: Ps2Keyboard, mouse: Ps2Mouse, keyboards: readonly KeySink[], pointers: readonly Pointer[]) {
    this.#keyboard = keyboard;
    this.#mouse = mouse;
    this.state = new DeviceState(1, { keyboards: numbers(keyboards), pointers: numbers(pointers) });
    const { fields } = this.state;
    this.#keyboards = new Latest(keyboards, fields.keyboards);
    this.#pointers = new Latest(pointers, fields.pointers);
  }

  reset(): void {
    this.state.reset();
  }

  /** Presses or releases a key by its QEMU name; false if it cannot be taken now. @throws Error for an unknown name */
  key(name: string, down: boolean): boolean {
    return (this.#keyboards.active[0] ?? this.#keyboard).key(name, down);
  }

  move(right: number, down: number, buttons: number, wheel: number): boolean {
    const { active } = this.#pointers, mover = active.find(({ kind }) => kind === 'mouse') ?? this.#mouse, presser = active[0] ?? this.#mouse;
    if (mover === presser) return mover.move(right, down, buttons, wheel);
    const moved = (right === 0 && down === 0) || mover.move(right, down, mover.buttons, 0);
    return press(presser, buttons, wheel) && moved;
  }

  /** A place on the screen, from 0 (left, top) to 1. @returns false if it cannot be taken now; null if nothing takes places */
  point(x: number, y: number, buttons: number, wheel: number): boolean | null {
    const { active } = this.#pointers, tablet = active.find(({ kind }) => kind === 'tablet'), presser = active[0];
    if (tablet === undefined || presser === undefined) return null;
    if (tablet === presser) return tablet.point(x, y, buttons, wheel);
    const pointed = tablet.point(x, y, tablet.buttons, 0);
    return press(presser, buttons, wheel) && pointed;
  }

  /** The guest has read all keys; null: the PS/2 keyboard has them. */
  get keysTaken(): boolean | null {
    return this.#keyboards.active[0]?.idle ?? null;
  }

  /** Counts go to another mouse than the PS/2 one. */
  get hasMouse(): boolean {
    return this.#pointers.active.some(({ kind }) => kind === 'mouse');
  }

  /** The guest has read all that pointers other than the PS/2 mouse have told it. */
  get pointersTaken(): boolean {
    return this.#pointers.active.every(({ idle }) => idle);
  }
}

/** Buttons and wheel alone, if anything is new. */
function press(pointer: Pick<Pointer, 'buttons' | 'move'>, buttons: number, wheel: number): boolean {
  return (buttons === pointer.buttons && wheel === 0) || pointer.move(0, 0, buttons, wheel);
}
