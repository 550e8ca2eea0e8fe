/** A line that is a pair of named pipes, PATH.in to the guest and PATH.out from it, or one for both ways: PATH. They must be there (mkfifo). */
import { constants, fstatSync, openSync, closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { StreamChar } from './char-stream.ts';

/** Open for both ways: opening does not wait, and other ends may come and go. */
function openPipe(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | (constants.O_NONBLOCK ?? 0));
  if (fstatSync(descriptor).isFIFO()) return descriptor;
  closeSync(descriptor);
  throw new Error(`'${path}' is no named pipe`);
}

const exists = (error: unknown): boolean => (error as { code?: unknown }).code !== 'ENOENT';

export class PipeChar extends StreamChar {
  readonly #ends: Socket[];

  /** @throws Error of the file system */
  constructor(path: string) {
    super();
    let input: Socket, output: Socket;
    try {
      const from = openPipe(`${path}.in`), to = openPipe(`${path}.out`);
      input = new Socket({ fd: from, readable: true, writable: false });
      output = new Socket({ fd: to, readable: false, writable: true });
    } catch (error) {
      if (exists(error)) throw error;
      input = output = new Socket({ fd: openPipe(path), readable: true, writable: true });
    }
    this.#ends = [input, output];
    for (const end of this.#ends) end.on('error', () => {}).unref();
    this.attach(input, output);
  }

  override close(): void {
    super.close();
    for (const end of this.#ends) end.destroySoon();
  }
}
