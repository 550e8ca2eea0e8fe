/**
 * virtio input: a keyboard, a mouse or a tablet that speaks the events of Linux' input layer. Source: VIRTIO 1.1, section 5.8 (OASIS).
 *
 * Configuration: the driver writes select (0) and subsel (1), and reads size (2) and up to 128 bytes (8). select 1 name, 3 IDs, 16 properties, 17 codes of
 * event type subsel as bits, 18 range of axis subsel (minimum, maximum, fuzz, flat, resolution, 4 bytes each).
 * Queues: 0 events to the guest (type, code: 2 bytes each; value: 4 bytes), 1 what it says to us (LEDs).
 * Events wait here until the guest gives room for them.
 */
import { DeviceState } from './device.ts';
import type { KeySink, Pointer } from './input-router.ts';
import { evdevKey } from './evdev-keys.ts';
import { KEY_NAMES } from './ps2-keys.ts';
import { MOUSE_EXTRA, MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_SIDE } from './ps2-mouse.ts';
import { virtioConfig } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';
import type { AccessSize } from '../memory/io-region.ts';

const EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_LED = 17, EV_REP = 20;
const REL_X = 0, REL_Y = 1, REL_WHEEL = 8, ABS_X = 0, ABS_Y = 1;
const SELECT_NAME = 1, SELECT_IDS = 3, SELECT_CODES = 17, SELECT_RANGE = 18;
const BUS_VIRTUAL = 6, VENDOR = 0x0627;
const HEAD_SIZE = 8, CONFIG_SIZE = 136;
const EVENTS = 0, STATUS = 1, QUEUE_SIZE = 64, EVENT_SIZE = 8;
/** Events that may wait. */
const WAITING = 512;
/** Positions on a tablet go from 0 to this. */
const TABLET_MAX = 0x7fff;

/** Buttons, and their codes. */
const BUTTONS = [[MOUSE_LEFT, 0x110], [MOUSE_RIGHT, 0x111], [MOUSE_MIDDLE, 0x112], [MOUSE_SIDE, 0x113], [MOUSE_EXTRA, 0x114]] as const;
const BUTTON_CODES = BUTTONS.map(([, code]) => code);

export const INPUT_KINDS = ['keyboard', 'mouse', 'tablet'] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

interface Kind {
  readonly product: number;
  readonly name: string;
  readonly classCode: number;
  /** Codes by event type. */
  readonly codes: Readonly<Record<number, readonly number[]>>;
}

const KINDS: Readonly<Record<InputKind, Kind>> = {
  keyboard: { product: 1, name: 'QEMU Virtio Keyboard', classCode: 0x090000, codes: { [EV_KEY]: KEY_NAMES.map(evdevKey), [EV_LED]: [0, 1, 2], [EV_REP]: [0, 1] } },
  mouse: { product: 2, name: 'QEMU Virtio Mouse', classCode: 0x090200, codes: { [EV_KEY]: BUTTON_CODES, [EV_REL]: [REL_X, REL_Y, REL_WHEEL] } },
  tablet: { product: 3, name: 'QEMU Virtio Tablet', classCode: 0x098000, codes: { [EV_KEY]: BUTTON_CODES, [EV_REL]: [REL_WHEEL], [EV_ABS]: [ABS_X, ABS_Y] } },
};

function bits(codes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array((Math.max(...codes) >> 3) + 1);
  for (const code of codes) bytes[code >> 3]! |= 1 << (code & 7);
  return bytes;
}

export class VirtioInput implements VirtioDevice, KeySink, Pointer {
  readonly name: string;
  readonly kind: InputKind;
  readonly state = new DeviceState(1, {
    select: 0, subselect: 0,
    /** Buttons that are held. */
    buttons: 0,
    /** Events that wait, in a ring. */
    codes: new Uint32Array(WAITING), values: new Int32Array(WAITING), first: 0, count: 0,
  });
  readonly id = 18;
  readonly classCode: number;
  readonly features = 0;
  onActive: (() => void) | null = null;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly #kind: Kind;
  #transport: VirtioTransport | null = null;

  constructor(name: string, kind: InputKind) {
    this.name = name;
    this.kind = kind;
    this.#kind = KINDS[kind];
    this.classCode = this.#kind.classCode;
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  start(): void {
    this.onActive?.();
  }

  get buttons(): number {
    return this.state.fields.buttons;
  }

  /** A driver listens: input goes here. */
  get active(): boolean {
    return this.#transport?.running === true;
  }

  /** The guest has taken all events. */
  get idle(): boolean {
    return this.state.fields.count === 0;
  }

  /** @returns false if too many events wait */
  key(name: string, down: boolean): boolean {
    return this.#send([[EV_KEY, evdevKey(name), Number(down)]]);
  }

  /** A mouse: counts to the right and down, the wheel away from the user; buttons held from now on. */
  move(right: number, down: number, buttons: number, wheel: number): boolean {
    return this.#send([...(right === 0 ? [] : [[EV_REL, REL_X, right] as const]), ...(down === 0 ? [] : [[EV_REL, REL_Y, down] as const]), ...this.#buttons(buttons, wheel)], buttons);
  }

  /** A tablet: a place from 0 (left, top) to 1. */
  point(x: number, y: number, buttons: number, wheel: number): boolean {
    return this.#send([[EV_ABS, ABS_X, Math.round(x * TABLET_MAX)], [EV_ABS, ABS_Y, Math.round(y * TABLET_MAX)], ...this.#buttons(buttons, wheel)], buttons);
  }

  config(): Uint8Array {
    const { select, subselect } = this.state.fields, bytes = this.#selected(select, subselect), config = virtioConfig(CONFIG_SIZE, [0, 1, select], [1, 1, subselect], [2, 1, bytes.length]);
    config.set(bytes, HEAD_SIZE);
    return config;
  }

  writeConfig(offset: number, value: number, size: AccessSize): void {
    const { fields: f } = this.state;
    for (let i = 0; i < size; i++) {
      const byte = value >>> (8 * i) & 0xff;
      if (offset + i === 0) f.select = byte;
      else if (offset + i === 1) f.subselect = byte;
    }
  }

  notified(index: number): void {
    const queue = this.#transport?.queues[index];
    if (index === EVENTS) this.#flush();
    if (index !== STATUS || queue === undefined) return;
    // There are no LEDs to light.
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) queue.push(chain, 0);
    queue.notify();
  }

  reset(): void {
    this.state.reset();
  }

  #selected(select: number, subselect: number): Uint8Array {
    const { name, product, codes } = this.#kind;
    switch (select) {
      case SELECT_NAME: return Uint8Array.from(name, (char) => char.charCodeAt(0));
      case SELECT_IDS: return virtioConfig(8, [0, 2, BUS_VIRTUAL], [2, 2, VENDOR], [4, 2, product], [6, 2, 1]);
      case SELECT_CODES: return codes[subselect] === undefined ? new Uint8Array(0) : bits(codes[subselect]);
      case SELECT_RANGE: return codes[EV_ABS]?.includes(subselect) === true ? virtioConfig(20, [4, 4, TABLET_MAX]) : new Uint8Array(0);
      default: return new Uint8Array(0);
    }
  }

  #buttons(buttons: number, wheel: number): (readonly [number, number, number])[] {
    const changed = this.state.fields.buttons ^ buttons;
    return [
      ...BUTTONS.filter(([bit]) => (changed & bit) !== 0).map(([bit, code]) => [EV_KEY, code, Number((buttons & bit) !== 0)] as const),
      ...(wheel === 0 ? [] : [[EV_REL, REL_WHEEL, wheel] as const]),
    ];
  }

  /** Queues what happened at once, and the event that says so. */
  #send(events: readonly (readonly [type: number, code: number, value: number])[], buttons = this.state.fields.buttons): boolean {
    const { fields: f } = this.state;
    if (f.count + events.length >= WAITING) return false;
    f.buttons = buttons;
    if (events.length === 0) return true;
    for (const [type, code, value] of [...events, [EV_SYN, 0, 0] as const]) {
      const at = (f.first + f.count++) % WAITING;
      f.codes[at] = type | (code << 16);
      f.values[at] = value;
    }
    this.#flush();
    return true;
  }

  #flush(): void {
    const queue = this.#transport?.queues[EVENTS], { fields: f } = this.state;
    if (queue === undefined || !this.active) return;
    while (f.count > 0) {
      const chain = queue.pop();
      if (chain === null) break;
      queue.push(chain, chain.write(0, virtioConfig(EVENT_SIZE, [0, 4, f.codes[f.first]!], [4, 4, f.values[f.first]! >>> 0])));
      f.first = (f.first + 1) % WAITING;
      f.count--;
    }
    queue.notify();
  }
}
