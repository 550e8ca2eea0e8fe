/**
 * The command's standard output and error. Both may go away at any time (`| head`): output that nobody reads ends the
 * machine, without a trace. While a display owns the terminal, text waits until it has gone.
 */
import type { OutputSink } from '../backends/output-file.ts';
import { reasonOf } from '../backends/output-file.ts';

/** As a shell reports a program that SIGPIPE ended. */
const EXIT_PIPE = 141;
const EXIT_ERROR = 1;

export class Output {
  /** Called when standard output cannot be written any more. */
  onBroken: (() => void) | null = null;
  /** What a run that would have ended well ends with; 0 if nothing was lost. */
  exitCode = 0;
  #broken = false;
  #held: (() => void)[] | null = null;

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => this.#lost(error));
    // There is nowhere left to say it.
    process.stderr.on('error', () => {});
  }

  /** Standard output for bytes. */
  get sink(): OutputSink {
    return { write: (bytes) => this.#write(bytes), close: () => {} };
  }

  print(text: string): void {
    this.#write(text);
  }

  /** One line on standard error. */
  say(message: string): void {
    this.#now(() => process.stderr.write(`tcg86: ${message}\n`));
  }

  /** Lines on standard error that are QEMU's. */
  note(message: string): void {
    this.#now(() => process.stderr.write(`${message}\n`));
  }

  /** Something was lost: one line on standard error, and the run does not end with 0. */
  complain(message: string): void {
    this.exitCode ||= EXIT_ERROR;
    this.say(message);
  }

  /** Keeps everything back until release(). */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const write of held) write();
  }

  #write(data: string | Uint8Array): void {
    if (!this.#broken) this.#now(() => process.stdout.write(data));
  }

  #now(write: () => void): void {
    if (this.#held === null) write();
    else this.#held.push(write);
  }

  #lost(error: NodeJS.ErrnoException): void {
    if (this.#broken) return;
    this.#broken = true;
    // A terminal that was closed (EIO) sends SIGHUP too.
    if (error.code === 'EPIPE' || error.code === 'EIO') this.exitCode = EXIT_PIPE;
    else this.complain(`standard output: ${reasonOf(error)}`);
    this.onBroken?.();
  }
}
