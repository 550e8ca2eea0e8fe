/** A character backend over streams of Node that come and go: sockets and pipes. What is sent while there is none is lost, as on a line without a cable. */
import type { Readable, Writable } from 'node:stream';
import { BufferedChar } from './char-buffered.ts';

/** Bytes that may wait for the other end, after which more are lost. */
const OUTPUT_MOST = 64 << 20;

/** What lies between the guest's bytes and the stream's. */
export interface StreamCode {
  decode(bytes: Uint8Array): Uint8Array;
  encode(bytes: Uint8Array): Uint8Array;
}

const PLAIN: StreamCode = { decode: (bytes) => bytes, encode: (bytes) => bytes };

export class StreamChar extends BufferedChar {
  #writable: Writable | null = null;
  #readable: Readable | null = null;
  #code = PLAIN;

  /** Somebody is at the other end. */
  get connected(): boolean {
    return this.#readable !== null;
  }

  /** The other end is there; the caller sees to its errors, and calls detach() when it has gone. */
  attach(readable: Readable, writable: Writable, code = PLAIN): void {
    this.#readable = readable;
    this.#writable = writable;
    this.#code = code;
    readable.on('data', (chunk: Uint8Array) => {
      this.arrived(code.decode(chunk));
      if (this.full) readable.pause();
    });
  }

  detach(): void {
    this.#readable = this.#writable = null;
  }

  protected send(bytes: Uint8Array): void {
    if (this.#writable !== null && this.#writable.writableLength < OUTPUT_MOST) this.#writable.write(this.#code.encode(bytes));
  }

  protected override drained(): void {
    this.#readable?.resume();
  }
}
