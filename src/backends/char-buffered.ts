/** What lines over sockets and pipes share: output goes out in pieces, and input waits until the guest has room for it. */
import type { OpenCharBackend } from './char.ts';
import { CollectedOutput } from './output-file.ts';

/** Bytes from the other end that may wait for the guest, after which it has to wait. */
const INPUT_MOST = 1 << 16;

export abstract class BufferedChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
  room: (() => number) | null = null;
  onInput: (() => void) | null = null;
  readonly #output: CollectedOutput;
  #input: Uint8Array[] = [];
  #waiting = 0;
  #scheduled = false;

  constructor() {
    this.#output = new CollectedOutput({ write: (bytes) => this.send(bytes), close: () => {} });
  }

  /** A piece of output, which the other end may keep. */
  protected abstract send(bytes: Uint8Array): void;

  /** The guest has taken everything that waited. */
  protected drained(): void {}

  /** More waits for the guest than should. */
  protected get full(): boolean {
    return this.#waiting > INPUT_MOST;
  }

  /** Something has come from the other end. */
  protected arrived(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#input.push(bytes);
    this.#waiting += bytes.length;
    this.more();
    this.onInput?.();
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
    this.drained();
  }

  flush(): void {
    this.#output.flush();
  }

  close(): void {
    this.flush();
  }
}
