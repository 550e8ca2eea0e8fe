/** Character backends on Node: what -serial and -debugcon name. */
import type { CharBackend } from '../devices/host.ts';
import { CollectedOutput, FileSink } from './output-file.ts';
import type { OutputSink } from './output-file.ts';

/** A character backend that holds a host resource. */
export interface OpenCharBackend extends CharBackend {
  /** Writes out what has collected. */
  flush(): void;
  close(): void;
}

export class NullChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
  write(): void {}
  flush(): void {}
  close(): void {}
}

/** Sends output to a sink; input, if any, is fed by the owner through `receive`. */
export class SinkChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
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

/**
 * Opens what `-serial` or `-debugcon` names: `stdio`, `file:PATH`, `null`; for `none` there is no device: null.
 * @param stdio where `stdio` writes to
 * @param failed told once why a file could not be written
 * @throws Error of the file system if the file cannot be created.
 */
export function openChar(spec: string, stdio: OutputSink, failed: (reason: string) => void): OpenCharBackend | null {
  if (spec === 'none') return null;
  if (spec === 'stdio') return new SinkChar(stdio);
  if (spec.startsWith('file:')) return new SinkChar(new FileSink(spec.slice(5), failed));
  return new NullChar();
}
