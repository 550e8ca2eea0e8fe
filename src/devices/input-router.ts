/**
 * Who gets what the user does, as in QEMU: a virtio device whose driver is running, else the PS/2 one. A tablet takes positions, and shares its
 * buttons with nobody.
 */
import type { Ps2Keyboard } from './ps2-keyboard.ts';
import type { Ps2Mouse } from './ps2-mouse.ts';
import type { InputKind, VirtioInput } from './virtio-input.ts';

export class InputRouter {
  readonly #keyboard: Ps2Keyboard;
  readonly #mouse: Ps2Mouse;
  readonly #virtio: readonly VirtioInput[];

  constructor(keyboard: Ps2Keyboard, mouse: Ps2Mouse, virtio: readonly VirtioInput[]) {
    this.#keyboard = keyboard;
    this.#mouse = mouse;
    this.#virtio = virtio;
  }

  /** Presses or releases a key by its QEMU name; false if it cannot be taken now. @throws Error for an unknown name */
  key(name: string, down: boolean): boolean {
    return (this.#active('keyboard') ?? this.#keyboard).key(name, down);
  }

  move(right: number, down: number, buttons: number, wheel: number): boolean {
    return (this.#active('mouse') ?? this.#mouse).move(right, down, buttons, wheel);
  }

  /** A place on the screen, from 0 (left, top) to 1. @returns false if it cannot be taken now; null if nothing takes places */
  point(x: number, y: number, buttons: number, wheel: number): boolean | null {
    return this.#active('tablet')?.point(x, y, buttons, wheel) ?? null;
  }

  /** The guest has read all keys; null: the PS/2 keyboard has them. */
  get keysTaken(): boolean | null {
    return this.#active('keyboard')?.idle ?? null;
  }

  /** The guest has read all movements; null: the PS/2 mouse has them. */
  get movesTaken(): boolean | null {
    return this.#active('mouse')?.idle ?? null;
  }

  get placesTaken(): boolean {
    return this.#active('tablet')?.idle ?? true;
  }

  #active(kind: InputKind): VirtioInput | undefined {
    return this.#virtio.findLast((one) => one.kind === kind && one.active);
  }
}
