/**
 * A WAV file: 16 bits, one channel. Its header has the sizes once it is closed.
 * Source: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft), RIFF WAVE.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { AudioBackend } from '../devices/host.ts';
import { reasonOf } from './output-file.ts';

const HEADER_SIZE = 44, SAMPLE_SIZE = 2;
/** The sizes in the header have 32 bits. */
const MOST = 0xffff_ffff - HEADER_SIZE;

export class WavFile implements AudioBackend {
  readonly rate: number;
  readonly #failed: (reason: string) => void;
  #descriptor: number;
  #length = 0;

  /** @throws Error of the file system if the file cannot be created */
  constructor(path: string, rate: number, failed: (reason: string) => void) {
    this.rate = rate;
    this.#failed = failed;
    this.#descriptor = openSync(path, 'w');
    this.#attempt(() => writeSync(this.#descriptor, this.#header(), 0, HEADER_SIZE, 0));
  }

  samples(samples: Int16Array): void {
    const bytes = new Uint8Array(samples.length * SAMPLE_SIZE), view = new DataView(bytes.buffer);
    if (this.#descriptor < 0 || this.#length + bytes.length > MOST) return;
    samples.forEach((sample, i) => view.setInt16(SAMPLE_SIZE * i, sample, true));
    this.#attempt(() => {
      for (let from = 0; from < bytes.length;) from += writeSync(this.#descriptor, bytes, from, bytes.length - from, HEADER_SIZE + this.#length + from);
      this.#length += bytes.length;
    });
  }

  close(): void {
    this.#attempt(() => writeSync(this.#descriptor, this.#header(), 0, HEADER_SIZE, 0));
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #header(): Uint8Array {
    const bytes = new Uint8Array(HEADER_SIZE), view = new DataView(bytes.buffer);
    bytes.set(Buffer.from('RIFF    WAVEfmt ', 'latin1'));
    bytes.set(Buffer.from('data', 'latin1'), 36);
    view.setUint32(4, HEADER_SIZE - 8 + this.#length, true);
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, this.rate, true);
    view.setUint32(28, this.rate * SAMPLE_SIZE, true);
    view.setUint16(32, SAMPLE_SIZE, true);
    view.setUint16(34, 8 * SAMPLE_SIZE, true);
    view.setUint32(40, this.#length, true);
    return bytes;
  }

  /** After the first error, which `failed` hears of, the rest is dropped. */
  #attempt(write: () => void): void {
    if (this.#descriptor < 0) return;
    try {
      write();
    } catch (error) {
      closeSync(this.#descriptor);
      this.#descriptor = -1;
      this.#failed(reasonOf(error));
    }
  }
}
