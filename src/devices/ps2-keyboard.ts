/**
 * A PS/2 keyboard with the three scan code sets, a queue of 16 bytes and automatic repeat.
 *
 * Commands (each byte is answered with FA): ED leds, EE echo, F0 scan code set, F2 identify (AB 83), F3 repeat rate and delay,
 * F4 enable, F5 defaults and disable, F6 defaults, F7-FA and FB-FD key types of set 3, FE resend, FF reset (AA). Anything else: FE.
 * In sets 1 and 2 every key repeats and says when it is released; in set 3 that is a matter of the key's type.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard (101- and 102-key)".
 */
import type { Clock, Device, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { ByteQueue } from './byte-queue.ts';
import type { KeyCodes } from './ps2-keys.ts';
import { KEY_RELEASES, KEY_REPEATS, keyCodes, keyOfSet1, keyTypes } from './ps2-keys.ts';

/** The device end of a PS/2 cable, as the controller sees it. */
export interface Ps2Device {
  /** A byte from the controller. */
  receive(byte: number): void;
  /** The next byte for the controller, -1 if there is none. */
  take(): number;
  /** Has take() something to give? */
  readonly hasData: boolean;
  /** Set by the controller: hasData has become true. */
  onData: (() => void) | null;
}

const ACK = 0xfa;
const RESEND = 0xfe;
const BAT_OK = 0xaa;
const BREAK = 0xf0;
const FIRST_COMMAND = 0xed;
const QUEUE_SIZE = 16;
/** Delay 500 ms, 10.9 characters a second. */
const DEFAULT_TYPEMATIC = 0x2b;
const NS_PER_MS = 1_000_000;

const CTRL = keyCodes('ctrl').set1;
const CTRL_R = keyCodes('ctrl_r').set1;
const SHIFT = keyCodes('shift').set1;
const SHIFT_R = keyCodes('shift_r').set1;
const ALT = keyCodes('alt').set1;
const ALT_R = keyCodes('alt_r').set1;
const PRINT = keyCodes('print').set1;
const PAUSE = keyCodes('pause').set1;

/** What F7 to FA make of all keys, and FB to FD of those that follow. */
const KEY_TYPES: Readonly<Record<number, number>> = {
  0xf7: KEY_REPEATS, 0xf8: KEY_RELEASES, 0xf9: 0, 0xfa: KEY_REPEATS | KEY_RELEASES, 0xfb: KEY_REPEATS, 0xfc: KEY_RELEASES, 0xfd: 0,
};

/** Index in the table of pressed keys. */
const keyIndex = (set1: number): number => (set1 & 0x7f) | (set1 > 0xff ? 0x80 : 0);

export class Ps2Keyboard implements Device, Ps2Device {
  readonly name = 'ps2-keyboard';
  readonly state = new DeviceState(2, {
    queue: new Uint8Array(QUEUE_SIZE + 1),
    queueEnds: new Uint8Array(2),
    /** Answers to commands; they go before the queue. */
    answers: new Uint8Array(4),
    answerEnds: new Uint8Array(2),
    /** Command whose option byte is awaited; 0 = none. */
    command: 0,
    scanSet: 2,
    enabled: 1,
    leds: 0,
    typematic: DEFAULT_TYPEMATIC,
    lastSent: 0,
    pressed: new Uint8Array(256),
    /** By set 3 code. */
    types: keyTypes(),
    /** The key that repeats (its set 1 code, 0 = none) and when. */
    repeatKey: 0,
    repeatAt: 0,
  });
  onData: (() => void) | null = null;
  readonly #clock: Clock;
  readonly #repeat: Timer;
  readonly #queue: ByteQueue;
  readonly #answers: ByteQueue;

  constructor(clock: Clock) {
    this.#clock = clock;
    const { fields } = this.state;
    this.#queue = new ByteQueue(fields.queue, fields.queueEnds);
    this.#answers = new ByteQueue(fields.answers, fields.answerEnds);
    this.#repeat = clock.timer('ps2-keyboard', () => this.#repeatNow());
    this.reset();
  }

  /** Power on: the keyboard tests itself and says so. */
  reset(): void {
    this.state.reset();
    this.#stopRepeat();
    this.#answer(BAT_OK);
  }

  restored(): void {
    const { repeatKey, repeatAt } = this.state.fields;
    if (repeatKey) this.#repeat.arm(repeatAt);
    else this.#repeat.cancel();
  }

  /** Lights: bit 0 scroll lock, 1 num lock, 2 caps lock. */
  get leds(): number {
    return this.state.fields.leds;
  }

  /** Bytes that the queue still takes; a key needs at most 8. */
  get room(): number {
    return Math.max(0, QUEUE_SIZE - this.#queue.length);
  }

  /**
   * Presses or releases a key. Pressing a key that is down already does nothing: the keyboard repeats it by itself.
   * @returns false if the queue was full and the key is lost (the guest sees the overrun code)
   * @param name QEMU's name of the key (ps2-keys.ts)
   * @throws Error if there is no such key
   */
  key(name: string, down: boolean): boolean {
    const codes = keyCodes(name);
    const { fields } = this.state;
    const index = keyIndex(codes.set1);
    if (down === (fields.pressed[index] === 1)) return true;
    fields.pressed[index] = down ? 1 : 0;
    if (!fields.enabled) return true;
    const sent = this.#send(this.#sequence(codes, down));
    if (!down) {
      if (codes.set1 === fields.repeatKey) this.#stopRepeat();
    } else if (codes.set1 !== PAUSE && (this.#type(codes) & KEY_REPEATS) !== 0) {
      this.#startRepeat(codes, (((fields.typematic >> 5) & 3) + 1) * 250 * NS_PER_MS);
    }
    return sent;
  }

  get hasData(): boolean {
    return this.#answers.length > 0 || (this.#queue.length > 0 && this.state.fields.command === 0);
  }

  take(): number {
    const { fields } = this.state;
    if (!this.hasData) return -1;
    fields.lastSent = this.#answers.length > 0 ? this.#answers.shift() : this.#queue.shift();
    return fields.lastSent;
  }

  receive(byte: number): void {
    const { fields } = this.state;
    const command = fields.command;
    // What was not sent yet of an earlier answer is dropped.
    this.#answers.clear();
    const list = command >= 0xfb;
    // Codes of keys go up to 8Dh; no other option has bit 7 set.
    if (command !== 0 && byte < (list ? FIRST_COMMAND : 0x80)) {
      if (!list) fields.command = 0;
      this.#option(command, byte);
    } else {
      fields.command = 0;
      this.#command(byte);
    }
  }

  #command(byte: number): void {
    const { fields } = this.state;
    switch (byte) {
      case 0xed:
      case 0xf0:
      case 0xf3:
        fields.command = byte;
        return this.#answer(ACK);
      case 0xee:
        return this.#answer(0xee);
      case 0xf2:
        return this.#answer(ACK, 0xab, 0x83);
      case 0xf4:
        this.#queue.clear();
        fields.enabled = 1;
        return this.#answer(ACK);
      case 0xf5:
      case 0xf6:
        this.#defaults();
        fields.enabled = byte === 0xf5 ? 0 : 1;
        return this.#answer(ACK);
      case 0xf7:
      case 0xf8:
      case 0xf9:
      case 0xfa:
        fields.types.fill(KEY_TYPES[byte]);
        return this.#answer(ACK);
      case 0xfb:
      case 0xfc:
      case 0xfd:
        // A list of key codes follows, ended by the next command.
        fields.command = byte;
        return this.#answer(ACK);
      case 0xfe:
        return this.#answer(fields.lastSent);
      case 0xff:
        this.#defaults();
        fields.scanSet = 2;
        fields.enabled = 1;
        fields.leds = 0;
        return this.#answer(ACK, BAT_OK);
      default:
        return this.#answer(RESEND);
    }
  }

  #option(command: number, byte: number): void {
    const { fields } = this.state;
    if (command === 0xed) {
      fields.leds = byte & 7;
    } else if (command === 0xf3) {
      fields.typematic = byte;
    } else if (command === 0xf0) {
      if (byte > 3) return this.#answer(RESEND);
      if (byte === 0) return this.#answer(ACK, fields.scanSet);
      this.#queue.clear();
      fields.scanSet = byte;
    } else fields.types[byte] = KEY_TYPES[command];
    this.#answer(ACK);
  }

  #defaults(): void {
    this.#queue.clear();
    this.#stopRepeat();
    this.state.fields.typematic = DEFAULT_TYPEMATIC;
    this.state.fields.types.set(keyTypes());
  }

  /** Bits KEY_REPEATS, KEY_RELEASES. */
  #type({ set3 }: KeyCodes): number {
    const { scanSet, types } = this.state.fields;
    return scanSet === 3 ? types[set3] : KEY_REPEATS | KEY_RELEASES;
  }

  #answer(...bytes: number[]): void {
    for (const byte of bytes) this.#answers.push(byte);
    this.onData?.();
  }

  /** Queues a whole sequence, or nothing of it but the overrun code. */
  #send(sequence: number[]): boolean {
    const fits = sequence.length <= this.room;
    if (fits) {
      for (const byte of sequence) this.#queue.push(byte);
    } else if (this.#queue.length <= QUEUE_SIZE) {
      this.#queue.push(this.state.fields.scanSet === 1 ? 0xff : 0x00);
    }
    this.onData?.();
    return fits;
  }

  #isDown(...keys: number[]): boolean {
    return keys.some((set1) => this.state.fields.pressed[keyIndex(set1)] === 1);
  }

  #sequence(codes: KeyCodes, down: boolean): number[] {
    const { scanSet } = this.state.fields;
    if (scanSet === 3) {
      if (codes.set3 === 0) return [];
      if (down) return [codes.set3];
      return (this.#type(codes) & KEY_RELEASES) !== 0 ? [BREAK, codes.set3] : [];
    }
    const plain = (key: KeyCodes, press: boolean): number[] => {
      const code = scanSet === 1 ? key.set1 : key.set2;
      const prefix = code > 0xff ? [code >> 8] : [];
      if (press) return [...prefix, code & 0xff];
      return scanSet === 1 ? [...prefix, (code & 0xff) | 0x80] : [...prefix, BREAK, code & 0xff];
    };
    if (codes.set1 === PAUSE) {
      // Sends everything when pressed; with Ctrl it is Break.
      if (!down) return [];
      if (this.#isDown(CTRL, CTRL_R)) return [...plain(codes, true), ...plain(codes, false)];
      return scanSet === 1 ? [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5] : [0xe1, 0x14, 0x77, 0xe1, BREAK, 0x14, BREAK, 0x77];
    }
    if (codes.set1 === PRINT) {
      if (this.#isDown(ALT, ALT_R)) return plain(keyCodes('sysrq'), down);
      if (this.#isDown(CTRL, CTRL_R, SHIFT, SHIFT_R)) return plain(codes, down);
      // Comes within a left Shift of its own, as on the older keyboard.
      const shift = { set1: 0xe000 | SHIFT, set2: 0xe000 | keyCodes('shift').set2, set3: 0 };
      return down ? [...plain(shift, true), ...plain(codes, true)] : [...plain(codes, false), ...plain(shift, false)];
    }
    return plain(codes, down);
  }

  #startRepeat(codes: KeyCodes, delay: number): void {
    const { fields } = this.state;
    fields.repeatKey = codes.set1;
    fields.repeatAt = this.#clock.now() + delay;
    this.#repeat.arm(fields.repeatAt);
  }

  #stopRepeat(): void {
    this.state.fields.repeatKey = 0;
    this.#repeat.cancel();
  }

  #repeatNow(): void {
    const { fields } = this.state;
    const codes = keyOfSet1(fields.repeatKey);
    if (!codes) return;
    this.#send(this.#sequence(codes, true));
    // (8 + A) * 2^B / 240 s, A = bits 2-0, B = bits 4-3
    const period = Math.round(((8 + (fields.typematic & 7)) * (1 << ((fields.typematic >> 3) & 3)) * 1000 * NS_PER_MS) / 240);
    this.#startRepeat(codes, period);
  }
}
