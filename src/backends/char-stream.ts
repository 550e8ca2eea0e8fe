/** A character backend over streams of Node that come and go: sockets and pipes. What is sent while there is none is lost, as on a line without a cable. */
import type { Readable, Writable } from 'node:stream';
import type { OpenCharBackend } from './char.ts';
import { CollectedOutput } from './output-file.ts';

/** Bytes that may wait for the other end, after which more are lost; bytes from it that may wait for the guest, after which it has to wait. */
const OUTPUT_MOST = 64 << 20, INPUT_MOST = 1 << 16;

export class StreamChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
  room: (() => number) | null = null;
  onInput: (() => void) | null = null;
  readonly #output: CollectedOutput;
  #writable: Writable | null = null;
  #readable: Readable | null = null;
  #input: Uint8Array[] = [];
  #waiting = 0;
  #scheduled = false;

  constructor() {
    this.#output = new CollectedOutput({
      write: (bytes) => {
        if (this.#writable !== null && this.#writable.writableLength < OUTPUT_MOST) this.#writable.write(bytes);
      },
      close: () => {},
    });
  }

  /** Somebody is at the other end. */
  get connected(): boolean {
    return this.#readable !== null;
  }

  /** The other end is there; the caller sees to its errors, and calls detach() when it has gone. */
  attach(readable: Readable, writable: Writable): void {
    this.#readable = readable;
    this.#writable = writable;
    readable.on('data', (chunk: Uint8Array) => {
      this.#input.push(chunk);
      this.#waiting += chunk.length;
      if (this.#waiting > INPUT_MOST) readable.pause();
      this.more();
      this.onInput?.();
    });
  }

  detach(): void {
    this.#readable = this.#writable = null;
  }

  write(byte: number): void {
    this.#output.byte(byte);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** The guest gets what has come, as far as there is room for it. */
  more(): void {
    for (let chunk = this.#input[0]; chunk !== undefined; chunk = this.#input[0]) {
      const count = Math.min(chunk.length, this.room?.() ?? chunk.length);
      for (let i = 0; i < count; i++) this.receive?.(chunk[i]!);
      this.#waiting -= count;
      if (count < chunk.length) {
        this.#input[0] = chunk.subarray(count);
        return;
      }
      this.#input.shift();
    }
    this.#readable?.resume();
  }

  flush(): void {
    this.#output.flush();
  }

  close(): void {
    this.flush();
  }
}
