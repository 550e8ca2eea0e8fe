/**
 * `-object filter-dump`: what passes between a card and its network, as a pcap file.
 * Source: the libpcap file format (IETF draft-ietf-opsawg-pcap): a header of 24 bytes; for each frame 16 and its bytes.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { NetPort } from '../../devices/host.ts';
import type { OpenNetwork } from './user.ts';

const MAGIC = 0xa1b2c3d4, MAJOR = 2, MINOR = 4, ETHERNET = 1;
export const DUMP_LENGTH = 65536;

export interface DumpOptions {
  readonly file: string;
  /** Bytes of a frame that are kept, at most. */
  readonly maxLength?: number;
  /** Told once why nothing more can be written. */
  readonly failed: (reason: string) => void;
}

/** The same network, with all frames also written to a file. Its times go by the guest's clock, from the host's time at the start. */
export class DumpedNetwork implements OpenNetwork {
  readonly #network: OpenNetwork;
  readonly #options: DumpOptions;
  readonly #length: number;
  readonly #start = Date.now();
  #port: NetPort | null = null;
  /** null once it could not be written. */
  #file: number | null;

  /** @throws Error of the file system */
  constructor(network: OpenNetwork, options: DumpOptions) {
    this.#network = network;
    this.#options = options;
    this.#length = options.maxLength ?? DUMP_LENGTH;
    this.#file = openSync(options.file, 'w');
    const header = new DataView(new ArrayBuffer(24));
    header.setUint32(0, MAGIC, true);
    header.setUint16(4, MAJOR, true);
    header.setUint16(6, MINOR, true);
    header.setUint32(16, this.#length, true);
    header.setUint32(20, ETHERNET, true);
    this.#write(new Uint8Array(header.buffer));
  }

  plug(port: NetPort): void {
    this.#port = port;
    this.#network.plug({
      clock: port.clock,
      deliver: (frame) => {
        this.#dump(frame);
        return port.deliver(frame);
      },
    });
  }

  send(frame: Uint8Array): void {
    this.#dump(frame);
    this.#network.send(frame);
  }

  close(): void {
    this.#network.close();
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #dump(frame: Uint8Array): void {
    const kept = frame.subarray(0, this.#length), bytes = new Uint8Array(16 + kept.length), view = new DataView(bytes.buffer);
    const microseconds = this.#start * 1000 + Math.floor(this.#port!.clock.now() / 1000);
    view.setUint32(0, Math.floor(microseconds / 1e6), true);
    view.setUint32(4, microseconds % 1e6, true);
    view.setUint32(8, kept.length, true);
    view.setUint32(12, frame.length, true);
    bytes.set(kept, 16);
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    if (this.#file === null) return;
    try {
      writeSync(this.#file, bytes);
    } catch (error) {
      closeSync(this.#file);
      this.#file = null;
      this.#options.failed((error as Error).message);
    }
  }
}
