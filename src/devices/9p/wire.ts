/**
 * Messages of 9P: size[4] type[1] tag[2], then fields, little-endian; strings are a length[2] and bytes. Reply types are request types + 1.
 * Source: "9P2000.L Protocol" (diod's protocol.md), intro(5) of Plan 9.
 *
 * A string is kept as one character for each byte, whatever encoding the guest uses.
 */
import { NinePError } from './errno.ts';

export const HEADER_SIZE = 7;

/** The kind of a file and its version, as 13 bytes of every answer that names one. */
export interface Qid {
  readonly type: number;
  readonly version: number;
  readonly path: bigint;
}

/** Takes a message apart. A field that is not there any more is EINVAL. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    return byteString(this.bytes(this.u16()));
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new NinePError('EINVAL');
    this.#at = at + length;
    return at;
  }
}

/** Puts a message together. */
export class WireWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #used = HEADER_SIZE;

  /** Bytes so far, the header included. */
  get length(): number {
    return this.#used;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  string(text: string): this {
    return this.u16(text.length).bytes(stringBytes(text));
  }

  qid({ type, version, path }: Qid): this {
    return this.u8(type).u32(version).u64(path);
  }

  /** The whole message. */
  finish(type: number, tag: number): Uint8Array {
    this.#view.setUint32(0, this.#used, true);
    this.#view.setUint8(4, type);
    this.#view.setUint16(5, tag, true);
    return this.#bytes.subarray(0, this.#used);
  }

  /** Room for `length` bytes more, perhaps in a new array; where it begins. */
  #room(length: number): number {
    const at = this.#used, end = at + length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#used = end;
    return at;
  }
}

export function byteString(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export const stringBytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
