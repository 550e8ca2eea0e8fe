/**
 * The PC speaker as samples: counter 2 of the 8254 through the gate of port 61h, in virtual time. What it plays is known between two writes of the
 * guest, so nothing runs meanwhile: before such a write, and at the end, all samples up to then are made.
 * Silence before the first sound and after the last is left out. Source: IBM Personal Computer AT Technical Reference, "Speaker".
 */
import { NS_PER_SECOND, ticksAt } from './clock.ts';
import type { Clock } from './device.ts';
import type { AudioBackend } from './host.ts';
import { PIT_HZ } from './i8254.ts';
import type { I8254 } from './i8254.ts';
import type { Port61 } from './port61.ts';

const COUNTER = 2;
const LOUD = 0x4000;
/** Looks at the counter for each sample: a tone's edges lie between samples. */
const LOOKS = 8;
/** Samples that go out in one piece. */
const PIECE = 4096;

export class PcSpeaker {
  readonly #clock: Clock;
  readonly #pit: I8254;
  readonly #port: Port61;
  readonly #backend: AudioBackend;
  readonly #piece = new Int16Array(PIECE);
  #used = 0;
  /** Number of the next sample, counted from power on. */
  #next = 0;
  /** Samples of silence that are written when sound follows; null: there was none yet. */
  #silence: number | null = null;

  constructor(clock: Clock, pit: I8254, port: Port61, backend: AudioBackend) {
    this.#clock = clock;
    this.#pit = pit;
    this.#port = port;
    this.#backend = backend;
    port.beforeChange = () => this.catchUp();
    pit.beforeChange = (counter) => {
      if (counter === COUNTER) this.catchUp();
    };
  }

  /** Makes the samples up to now. */
  catchUp(): void {
    const { rate } = this.#backend, end = Math.floor(this.#clock.now() * rate / NS_PER_SECOND);
    if (this.#port.speaker) while (this.#next < end) this.#sample(this.#next++, rate);
    else if (end > this.#next) {
      if (this.#silence !== null) this.#silence += end - this.#next;
      this.#next = end;
    }
    this.#flush();
  }

  #sample(number: number, rate: number): void {
    let high = 0;
    for (let look = 0; look < LOOKS; look++) {
      if (this.#pit.levelAt(COUNTER, ticksAt(Math.floor((number + look / LOOKS) * NS_PER_SECOND / rate), PIT_HZ))) high++;
    }
    for (; this.#silence !== null && this.#silence > 0; this.#silence--) this.#put(0);
    this.#silence = 0;
    this.#put(high * LOUD / LOOKS);
  }

  #put(value: number): void {
    this.#piece[this.#used++] = value;
    if (this.#used === PIECE) this.#flush();
  }

  #flush(): void {
    if (this.#used > 0) this.#backend.samples(this.#piece.subarray(0, this.#used));
    this.#used = 0;
  }
}
