/** Output that collects and is written in pieces: guests send bytes one by one, logs line by line. */
import { closeSync, openSync, writeSync } from 'node:fs';

/** Where pieces of output go. */
export interface OutputSink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** The reason of a file system error, without its code and the call it came from. */
export const reasonOf = (error: unknown): string => (error as Error).message.replace(/^E[A-Z]+: /, '').replace(/, \w+( '.*')?$/s, '');

/** Writes whole pieces to a file. After the first error, which `failed` hears of, the rest is dropped: the guest runs on. */
export class FileSink implements OutputSink {
  readonly #failed: (reason: string) => void;
  #descriptor: number;

  /** @throws Error of the file system if the file cannot be created */
  constructor(path: string, failed: (reason: string) => void, append = false) {
    this.#descriptor = openSync(path, append ? 'a' : 'w');
    this.#failed = failed;
  }

  write(bytes: Uint8Array): void {
    if (this.#descriptor < 0) return;
    try {
      for (let from = 0; from < bytes.length; ) from += writeSync(this.#descriptor, bytes, from);
    } catch (error) {
      this.close();
      this.#failed(reasonOf(error));
    }
  }

  close(): void {
    if (this.#descriptor < 0) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    try {
      closeSync(descriptor);
    } catch (error) {
      // Network file systems say only now that there was no room.
      this.#failed(reasonOf(error));
    }
  }
}

const CHUNK = 1 << 16;

/** Collects bytes for a sink. */
export class CollectedOutput {
  readonly #sink: OutputSink;
  readonly #buffer = new Uint8Array(CHUNK);
  #used = 0;

  constructor(sink: OutputSink) {
    this.#sink = sink;
  }

  byte(value: number): void {
    this.#buffer[this.#used++] = value;
    if (this.#used === CHUNK) this.flush();
  }

  bytes(bytes: Uint8Array): void {
    if (this.#used + bytes.length > CHUNK) this.flush();
    if (bytes.length > CHUNK) this.#sink.write(bytes);
    else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  /** Hands over what has collected. */
  flush(): void {
    if (this.#used === 0) return;
    // A copy: a stream may keep its piece for later.
    const piece = this.#buffer.slice(0, this.#used);
    this.#used = 0;
    this.#sink.write(piece);
  }

  close(): void {
    this.flush();
    this.#sink.close();
  }
}
