/** Character backends on Node: what -serial and -debugcon name. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { CharBackend } from '../devices/host.ts';

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

/** Output collects and is written in pieces: a guest sends bytes one by one. */
const CHUNK = 4096;

/** Writes to a file descriptor; input, if any, is fed by the owner through `receive`. */
export class DescriptorChar implements OpenCharBackend {
  receive: ((byte: number) => void) | null = null;
  readonly #descriptor: number;
  readonly #owned: boolean;
  readonly #buffer = new Uint8Array(CHUNK);
  #used = 0;

  constructor(descriptor: number, owned: boolean) {
    this.#descriptor = descriptor;
    this.#owned = owned;
  }

  write(byte: number): void {
    this.#buffer[this.#used++] = byte;
    if (this.#used === CHUNK) this.flush();
  }

  /** Writes out what has collected; a closed pipe on the other side is not the guest's concern. */
  flush(): void {
    let from = 0;
    while (from < this.#used) {
      try {
        from += writeSync(this.#descriptor, this.#buffer, from, this.#used - from);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
      }
    }
    this.#used = 0;
  }

  close(): void {
    this.flush();
    if (this.#owned) closeSync(this.#descriptor);
  }
}

/**
 * Opens what `-serial` or `-debugcon` names: `stdio`, `file:PATH`, `null`, `none`.
 * @throws Error of the file system if the file cannot be created.
 */
export function openChar(spec: string): OpenCharBackend {
  if (spec === 'stdio') return new DescriptorChar(1, false);
  if (spec.startsWith('file:')) return new DescriptorChar(openSync(spec.slice(5), 'w'), true);
  return new NullChar();
}
