/** Character backends on Node: what -serial, -parallel, -chardev and -debugcon name. */
import type { CharBackend } from '../devices/host.ts';
import { CollectedOutput, FileSink } from './output-file.ts';
import type { OutputSink } from './output-file.ts';
import { PipeChar } from './char-pipe.ts';
import { SocketChar } from './char-socket.ts';
import type { SocketCharOptions } from './char-socket.ts';

/** A character backend that holds a host resource. */
export interface OpenCharBackend extends CharBackend {
  /** Called when something has come from the host: a machine that sleeps may want to wake. */
  onInput: (() => void) | null;
  /** Writes out what has collected. */
  flush(): void;
  close(): void;
}

/** What a character backend is. */
export type CharOptions =
  | { readonly kind: 'null' | 'stdio' }
  | { readonly kind: 'file'; readonly path: string; readonly append: boolean }
  | { readonly kind: 'pipe'; readonly path: string }
  | ({ readonly kind: 'socket' } & SocketCharOptions);

export class NullChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
  onInput = null;
  write(): void {}
  flush(): void {}
  close(): void {}
}

/** Sends output to a sink; input, if any, is fed by the owner through `receive`. */
export class SinkChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
  onInput = null;
  readonly #output: CollectedOutput;

  constructor(sink: OutputSink) {
    this.#output = new CollectedOutput(sink);
  }

  write(byte: number): void {
    this.#output.byte(byte);
  }

  flush(): void {
    this.#output.flush();
  }

  close(): void {
    this.#output.close();
  }
}

export interface CharHost {
  /** Where `stdio` writes to. */
  readonly stdio: OutputSink;
  /** Told once why a file could not be written. */
  readonly failed: (reason: string) => void;
  /** Told that a server waits for somebody to connect before the machine starts. */
  readonly waiting: () => void;
}

/** @throws Error of the host: a file that cannot be created, an address that is taken */
export async function openChar(options: CharOptions, { stdio, failed, waiting }: CharHost): Promise<OpenCharBackend> {
  switch (options.kind) {
    case 'null': return new NullChar();
    case 'stdio': return new SinkChar(stdio);
    case 'file': return new SinkChar(new FileSink(options.path, failed, options.append));
    case 'pipe': return new PipeChar(options.path);
    case 'socket': return SocketChar.open(options, waiting);
  }
}
