/** Character backends on Node: what -serial, -parallel, -chardev and -debugcon name. */
import type { CharBackend } from '../devices/host.ts';
import { DatagramChar } from './char-datagrams.ts';
import type { DatagramCharOptions } from './char-datagrams.ts';
import { CollectedOutput, FileSink } from './output-file.ts';
import type { OutputSink } from './output-file.ts';
import { PipeChar } from './char-pipe.ts';
import { PtyChar } from './char-pty.ts';
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

/** A file that also gets what the guest sends. */
export interface CharLog {
  readonly path: string;
  readonly append: boolean;
}

/** What a character backend is. */
export type CharOptions = { readonly log?: CharLog } & (
  | { readonly kind: 'null' | 'stdio' | 'pty' }
  | { readonly kind: 'file'; readonly path: string; readonly append: boolean }
  | { readonly kind: 'pipe'; readonly path: string }
  | ({ readonly kind: 'socket' } & SocketCharOptions)
  | ({ readonly kind: 'udp' } & DatagramCharOptions)
);

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

/** A line with a copy of what the guest sends. */
class LoggedChar implements OpenCharBackend {
  readonly #line: OpenCharBackend;
  readonly #log: CollectedOutput;

  constructor(line: OpenCharBackend, log: OutputSink) {
    this.#line = line;
    this.#log = new CollectedOutput(log);
  }

  get receive(): OpenCharBackend['receive'] {
    return this.#line.receive;
  }

  set receive(callback: OpenCharBackend['receive']) {
    this.#line.receive = callback;
  }

  get room(): (() => number) | null {
    return this.#line.room ?? null;
  }

  set room(callback: (() => number) | null) {
    this.#line.room = callback;
  }

  get onInput(): OpenCharBackend['onInput'] {
    return this.#line.onInput;
  }

  set onInput(callback: OpenCharBackend['onInput']) {
    this.#line.onInput = callback;
  }

  more(): void {
    this.#line.more?.();
  }

  write(byte: number): void {
    this.#log.byte(byte);
    this.#line.write(byte);
  }

  flush(): void {
    this.#log.flush();
    this.#line.flush();
  }

  close(): void {
    this.#log.close();
    this.#line.close();
  }
}

export interface CharHost {
  /** Where `stdio` writes to. */
  readonly stdio: OutputSink;
  /** Told once why a file could not be written. */
  readonly failed: (reason: string) => void;
  /** Told that a server waits for somebody to connect before the machine starts. */
  readonly waiting: () => void;
  /** Told where the other end of a pseudo terminal is. */
  readonly redirected: (path: string) => void;
}

/** @throws Error of the host: a file that cannot be created, an address that is taken */
export async function openChar(options: CharOptions, host: CharHost): Promise<OpenCharBackend> {
  if (options.log === undefined) return openEnd(options, host);
  const log = new FileSink(options.log.path, (reason) => host.failed(`logfile ${reason}`), options.log.append);
  return new LoggedChar(await openEnd(options, host), log);
}

async function openEnd(options: CharOptions, { stdio, failed, waiting, redirected }: CharHost): Promise<OpenCharBackend> {
  switch (options.kind) {
    case 'null': return new NullChar();
    case 'stdio': return new SinkChar(stdio);
    case 'file': return new SinkChar(new FileSink(options.path, failed, options.append));
    case 'pipe': return new PipeChar(options.path);
    case 'pty': {
      const pty = await PtyChar.open();
      redirected(pty.path);
      return pty;
    }
    case 'udp': return DatagramChar.open(options);
    case 'socket': return SocketChar.open(options, waiting);
  }
}
