/**
 * Typing at the speed of the guest: chords wait here until the one before has been taken. A queue of its own, since the
 * keyboard holds 16 bytes and the BIOS 15 keys, and both drop what comes after.
 */
import type { Chord } from './typing.ts';

export interface KeyboardBoard {
  /** Virtual nanoseconds. */
  now(): number;
  /** Presses or releases a key by its QEMU name. */
  key(name: string, down: boolean): void;
  /** Nothing that was typed waits in the keyboard or its controller. */
  idle(): boolean;
  /** Keys that wait in the guest's BIOS. */
  waiting(): number;
  /** Instructions retired so far; the processor sleeps, so that it has done what there was to do. */
  retired(): number;
  sleeps(): boolean;
  /** There is something to type: run() is to be called. */
  wake(): void;
}

/** Virtual time between the keys of typed text (ns): software that polls the keyboard still follows. */
const INTERVAL = 8_000_000;
/** Instructions that the guest has for a key, however slow the host is: handlers that let the next key in would swap the two. */
const SETTLE = 100_000;
/** Virtual time after which a guest that was not ready is looked at again (ns). */
const RETRY = 2_000_000;
/** More keys than these never wait in the BIOS. */
const BIOS_KEYS = 8;
/** Live keys kept for a guest that does not read its keyboard. */
const LIVE_LIMIT = 4096;

export class Keyboard {
  readonly #board: KeyboardBoard;
  #queue: { chord: Chord; live: boolean }[] = [];
  #next = 0;
  /** What had retired when the key before was pressed. */
  #before = -Infinity;
  /** Virtual time since which the first chord waits for the guest to read the controller. */
  #since = 0;

  constructor(board: KeyboardBoard) {
    this.#board = board;
  }

  /** Text to be typed whole: waits for the BIOS too. */
  type(chords: readonly Chord[]): void {
    this.#add(chords, false);
  }

  /** Keys pressed just now. They reach the guest even if it leaves the ones before in its BIOS: Ctrl-Break must. */
  press(chords: readonly Chord[]): void {
    if (this.#queue.length + chords.length <= LIVE_LIMIT) this.#add(chords, true);
  }

  get pending(): number {
    return this.#queue.length;
  }

  /** Everything has been typed, and the last key had its time. */
  get done(): boolean {
    return this.#queue.length === 0 && this.#board.now() >= this.#next;
  }

  /** Virtual nanoseconds for which the guest has not taken the key before. */
  get stuck(): number {
    return this.#queue.length === 0 || this.#board.idle() ? 0 : this.#board.now() - this.#since;
  }

  clear(): void {
    this.#queue = [];
  }

  /** Presses the next chord if the guest is ready; returns in how many virtual nanoseconds to come again at the latest. */
  run(): number {
    const first = this.#queue[0];
    if (first === undefined) return Math.max(0, this.#next - this.#board.now()) || Infinity;
    const now = this.#board.now();
    if (now < this.#next) return this.#next - now;
    if (!this.#board.sleeps() && this.#board.retired() - this.#before < SETTLE) return RETRY;
    if (!this.#board.idle() || (!first.live && this.#board.waiting() >= BIOS_KEYS)) return RETRY;
    this.#queue.shift();
    for (const key of first.chord) this.#board.key(key, true);
    for (const key of [...first.chord].reverse()) this.#board.key(key, false);
    this.#next = now + INTERVAL;
    this.#before = this.#board.retired();
    this.#since = now;
    return INTERVAL;
  }

  #add(chords: readonly Chord[], live: boolean): void {
    if (this.#queue.length === 0) this.#since = this.#board.now();
    for (const chord of chords) this.#queue.push({ chord, live });
    if (chords.length > 0) this.#board.wake();
  }
}
