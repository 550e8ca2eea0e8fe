/**
 * A PS/2 mouse: three buttons; with a wheel (IntelliMouse, ID 3) or five buttons too (Explorer, ID 4) once the guest has knocked.
 *
 * Report, 3 bytes:  7 Y overflow, 6 X overflow, 5 Y sign, 4 X sign, 3 one, 2 middle, 1 right, 0 left
 *                   X, Y: counts since the last report, low 8 bits of 9; Y grows upwards
 * ID 3, a 4th byte: Z, two's complement; negative = wheel away from the user
 * ID 4, a 4th byte: 5 button 5, 4 button 4, 3-0 Z
 *
 * Commands (answered with FA): E6/E7 scaling 1:1/2:1, E8 resolution, E9 status, EA stream mode, EB read data, EC/EE leave/enter wrap mode,
 * F0 remote mode, F2 identify, F3 sample rate, F4/F5 reporting on/off, F6 defaults, FE resend, FF reset. Anything else: FE, and FC the second
 * time. The knock: three sample rates, 200, 100, 80 for ID 3 and 200, 200, 80 for ID 4.
 * Sources: IBM Personal System/2 Hardware Interface Technical Reference, "Mouse"; Microsoft's notes on the IntelliMouse.
 *
 * Movement is given in counts, whatever the resolution says: there is no ball whose way could be measured. A movement that is larger than a
 * hand makes within a sample goes out in several reports. A button that is pressed and released is never lost.
 */
import type { Clock, Device, Timer } from './device.ts';
import { DeviceState } from './device.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Ps2Device } from './ps2-keyboard.ts';

/** Bits of mouse(): those of the report, and buttons 4 and 5. */
export const MOUSE_LEFT = 1;
export const MOUSE_RIGHT = 2;
export const MOUSE_MIDDLE = 4;
export const MOUSE_SIDE = 8;
export const MOUSE_EXTRA = 16;

const ACK = 0xfa;
const RESEND = 0xfe;
const ERROR = 0xfc;
const BAT_OK = 0xaa;
/** The least command: what comes instead of an option. */
const FIRST_COMMAND = 0xe6;

const ID_PLAIN = 0;
const ID_WHEEL = 3;
const ID_FIVE_BUTTONS = 4;

const MODE_STREAM = 0;
const MODE_REMOTE = 1;

const RATES: readonly number[] = [10, 20, 40, 60, 80, 100, 200];
const DEFAULT_RATE = 100;
const DEFAULT_RESOLUTION = 2;
/** Most counts of a report, and of its wheel. */
const REPORT_MAX = 127;
const WHEEL_MAX = 7;
/** Scaling 2:1, for up to 5 counts; more are doubled. */
const SCALED = [0, 1, 1, 3, 6, 9];
const NS_PER_SECOND = 1_000_000_000;
/** Button changes that wait for a report of their own. */
const PENDING_BUTTONS = 32;
/** Reports that may be owed: more than a driver needs to look at all that a queue of 1024 words holds. */
const WAKES_MAX = 256;

const clamp = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

export class Ps2Mouse implements Device, Ps2Device {
  readonly name = 'ps2-mouse';
  readonly state = new DeviceState(2, {
    /** Bytes on their way to the host: an answer, else a report. */
    answers: new Uint8Array(4), answerEnds: new Uint8Array(2),
    report: new Uint8Array(4), reportEnds: new Uint8Array(2),
    /** What was sent last, for RESEND: an answer or a whole report. */
    last: new Uint8Array(4), lastLength: 0,
    /** Command whose option is awaited; 0 = none. */
    command: 0,
    /** The byte before was refused. */
    refused: 0,
    id: ID_PLAIN, mode: MODE_STREAM, wrap: 0, enabled: 0, scaling: 0, resolution: DEFAULT_RESOLUTION, rate: DEFAULT_RATE,
    /** The last three sample rates, the latest in bits 7-0. */
    knock: 0,
    /** Counts that were not reported yet, in the report's directions; buttons as last reported. */
    x: 0, y: 0, z: 0, buttons: 0,
    /** Buttons as they became since: each state gets a report. */
    changes: new Uint8Array(PENDING_BUTTONS), changeEnds: new Uint8Array(2),
    /** When the next report may be made. */
    sampleAt: 0,
    /** Reports that are owed to a driver which looks elsewhere then. */
    wakes: 0,
  });
  onData: (() => void) | null = null;
  readonly #clock: Clock;
  readonly #sample: Timer;
  readonly #answers: ByteQueue;
  readonly #report: ByteQueue;
  readonly #changes: ByteQueue;

  constructor(clock: Clock) {
    this.#clock = clock;
    const { fields } = this.state;
    this.#answers = new ByteQueue(fields.answers, fields.answerEnds);
    this.#report = new ByteQueue(fields.report, fields.reportEnds);
    this.#changes = new ByteQueue(fields.changes, fields.changeEnds);
    this.#sample = clock.timer('ps2-mouse', () => this.#sampleNow());
    this.reset();
  }

  /** Power on: the mouse tests itself and says so. */
  reset(): void {
    this.state.reset();
    this.#sample.cancel();
    this.#answer(BAT_OK, ID_PLAIN);
  }

  restored(): void {
    this.#sample.cancel();
    this.#schedule();
  }

  /**
   * Moves the mouse by counts, to the right and downwards; turns its wheel by clicks away from the user; holds these buttons from now on.
   * Without a guest that has switched reporting on it is as if nothing had happened, as on a desk.
   * @returns false if too many changes of the buttons wait already
   */
  move(right: number, down: number, buttons: number, wheel: number): boolean {
    const { fields } = this.state;
    const now = this.buttons;
    if (fields.mode === MODE_STREAM ? !this.#reports : fields.wrap !== 0) {
      fields.buttons = buttons;
      return true;
    }
    if (buttons !== now && !this.#changes.push(buttons)) return false;
    fields.x += right;
    fields.y -= down;
    fields.z -= wheel;
    this.#schedule();
    return true;
  }

  /** Held, as far as the mouse knows. */
  get buttons(): number {
    return this.#changes.length === 0 ? this.state.fields.buttons : this.#changes.at(this.#changes.length - 1);
  }

  /**
   * Sends a report although the mouse was not touched: it says one count to the right, as QEMU's does, since a system passes on no
   * movement of none.
   */
  wake(): void {
    const { fields } = this.state;
    if (!this.#reports || fields.wakes === WAKES_MAX) return;
    fields.wakes++;
    this.#schedule();
  }

  /** Nothing that happened waits to be reported. In remote mode the guest comes when it likes. */
  get idle(): boolean {
    return !this.#reports || (!this.hasData && !this.#moved);
  }

  get hasData(): boolean {
    return this.#answers.length > 0 || this.#report.length > 0;
  }

  take(): number {
    if (this.#answers.length > 0) return this.#answers.shift();
    const byte = this.#report.shift();
    if (this.#report.length === 0) this.#schedule();
    return byte;
  }

  receive(byte: number): void {
    const { fields } = this.state;
    // What was not sent yet is dropped.
    this.#answers.clear();
    this.#report.clear();
    if (fields.wrap !== 0 && byte !== 0xec && byte !== 0xff) return this.#answer(byte);
    const command = byte < FIRST_COMMAND ? fields.command : 0;
    fields.command = 0;
    if (command !== 0) this.#option(command, byte);
    else this.#command(byte);
    this.#schedule();
  }

  /** The mouse reports by itself. */
  get #reports(): boolean {
    const { mode, enabled, wrap } = this.state.fields;
    return mode === MODE_STREAM && enabled !== 0 && wrap === 0;
  }

  get #moved(): boolean {
    const { x, y, z } = this.state.fields;
    return x !== 0 || y !== 0 || (z !== 0 && this.state.fields.id !== ID_PLAIN) || this.#changes.length > 0 || this.state.fields.wakes > 0;
  }

  #command(byte: number): void {
    const { fields } = this.state;
    switch (byte) {
      case 0xe6:
      case 0xe7:
        fields.scaling = byte & 1;
        return this.#acknowledge();
      case 0xe8:
      case 0xf3:
        fields.command = byte;
        return this.#acknowledge();
      case 0xe9:
        return this.#acknowledge(this.#status(), fields.resolution, fields.rate);
      case 0xea:
      case 0xf0:
        fields.mode = byte === 0xf0 ? MODE_REMOTE : MODE_STREAM;
        this.#forget();
        return this.#acknowledge();
      case 0xeb:
        this.#acknowledge();
        return this.#send(this.#makeReport(0));
      case 0xec:
      case 0xee:
        fields.wrap = byte === 0xee ? 1 : 0;
        this.#forget();
        return this.#acknowledge();
      case 0xf2:
        return this.#acknowledge(fields.id);
      case 0xf4:
      case 0xf5:
        fields.enabled = byte === 0xf4 ? 1 : 0;
        this.#forget();
        return this.#acknowledge();
      case 0xf6:
        this.#defaults();
        return this.#acknowledge();
      case 0xfe:
        // Again what was said last, without a new acknowledgement.
        return this.#send([...fields.last.subarray(0, fields.lastLength)]);
      case 0xff:
        this.#defaults();
        fields.id = ID_PLAIN;
        this.#acknowledge();
        return this.#answer(BAT_OK, fields.id);
      default:
        this.#refuse();
    }
  }

  #option(command: number, byte: number): void {
    const { fields } = this.state;
    if (command === 0xe8 && byte <= 3) {
      fields.resolution = byte;
      return this.#acknowledge();
    }
    if (command !== 0xf3 || !RATES.includes(byte)) {
      fields.command = command;
      return this.#refuse();
    }
    fields.rate = byte;
    fields.knock = ((fields.knock & 0xffff) << 8) | byte;
    if (fields.knock === ((200 << 16) | (100 << 8) | 80)) fields.id = ID_WHEEL;
    else if (fields.knock === ((200 << 16) | (200 << 8) | 80)) fields.id = ID_FIVE_BUTTONS;
    this.#acknowledge();
  }

  #defaults(): void {
    const { fields } = this.state;
    fields.rate = DEFAULT_RATE;
    fields.resolution = DEFAULT_RESOLUTION;
    fields.scaling = fields.enabled = fields.wrap = fields.knock = 0;
    fields.mode = MODE_STREAM;
    this.#forget();
  }

  /** The counters are cleared. */
  #forget(): void {
    const { fields } = this.state;
    fields.x = fields.y = fields.z = fields.wakes = 0;
    if (this.#changes.length > 0) fields.buttons = this.#changes.at(this.#changes.length - 1);
    this.#changes.clear();
  }

  /** E9's first byte: 6 remote, 5 enabled, 4 scaling 2:1, 2 left, 1 middle, 0 right. */
  #status(): number {
    const { mode, enabled, scaling, buttons } = this.state.fields;
    const pressed = (buttons & MOUSE_LEFT ? 4 : 0) | (buttons & MOUSE_MIDDLE ? 2 : 0) | (buttons & MOUSE_RIGHT ? 1 : 0);
    return (mode << 6) | (enabled << 5) | (scaling << 4) | pressed;
  }

  #acknowledge(...bytes: number[]): void {
    this.state.fields.refused = 0;
    this.#remember(bytes.length > 0 ? bytes : [ACK]);
    this.#answer(ACK, ...bytes);
  }

  #refuse(): void {
    const { fields } = this.state;
    const answer = fields.refused !== 0 ? ERROR : RESEND;
    fields.refused ^= 1;
    this.#answer(answer);
  }

  #answer(...bytes: number[]): void {
    for (const byte of bytes) this.#answers.push(byte);
    this.onData?.();
  }

  #remember(bytes: readonly number[]): void {
    const { fields } = this.state;
    fields.last.set(bytes);
    fields.lastLength = bytes.length;
  }

  #send(bytes: readonly number[]): void {
    this.#remember(bytes);
    for (const byte of bytes) this.#report.push(byte);
    this.onData?.();
  }

  /** Arms the next sample if something has to be reported in stream mode. */
  #schedule(): void {
    if (!this.#reports || !this.#moved || this.hasData || this.#sample.armed) return;
    this.#sample.arm(Math.max(this.#clock.now(), this.state.fields.sampleAt));
  }

  #sampleNow(): void {
    const { fields } = this.state;
    if (!this.#reports || !this.#moved || this.hasData) return;
    fields.sampleAt = this.#clock.now() + Math.round(NS_PER_SECOND / fields.rate);
    this.#send(this.#makeReport(fields.scaling));
  }

  /** Takes what one report holds off the counters. Scaling is for stream mode only. */
  #makeReport(scaling: number): number[] {
    const { fields } = this.state;
    const scaled = (counts: number): number => (scaling === 0 ? counts : Math.sign(counts) * (SCALED[Math.abs(counts)] ?? 2 * Math.abs(counts)));
    if (fields.wakes > 0) {
      fields.wakes--;
      fields.x++;
    }
    const x = clamp(fields.x, REPORT_MAX), y = clamp(fields.y, REPORT_MAX), z = clamp(fields.z, WHEEL_MAX);
    fields.x -= x;
    fields.y -= y;
    fields.z = fields.id === ID_PLAIN ? 0 : fields.z - z;
    const [right, up] = [scaled(x), scaled(y)];
    // Each state of the buttons has its report; where it happened during a longer movement is not known.
    if (this.#changes.length > 0) fields.buttons = this.#changes.shift();
    const flags = 8 | (fields.buttons & 7) | (right < 0 ? 0x10 : 0) | (up < 0 ? 0x20 : 0);
    const report = [flags, right & 0xff, up & 0xff];
    if (fields.id === ID_WHEEL) report.push(z & 0xff);
    if (fields.id === ID_FIVE_BUTTONS) report.push((z & 0x0f) | ((fields.buttons & (MOUSE_SIDE | MOUSE_EXTRA)) << 1));
    return report;
  }
}
