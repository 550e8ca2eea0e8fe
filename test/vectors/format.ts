/**
 * The corpus file: gzip of
 *
 *     u32 length, JSON   the header: processor, seed, number of vectors, the forms (rows of the opcode tables)
 *     per vector
 *       u16 form, u16 flags that the manual leaves undefined
 *       u8 length, code bytes
 *       u16 which registers differ from layout.ts (bits 0-7 general registers, 8 EFLAGS), u32 each
 *       memory before, where it differs from layout.ts
 *       u8 exception vector (3 = ran into the INT3 after it), u16 error code, u32 CR2 if a page fault
 *       u16 which registers have changed (9 = EIP, if not the byte after the instruction's INT3; 10-15 = ES CS SS DS FS GS), u32 each
 *       memory after, where it has changed
 *     and if the header says that there are floats (x87, MMX, SSE: float-state.ts)
 *       u16 how much the seed of the state before (float-values.ts) is above the vector's before, u16 bits of the status word that are undefined
 *       memory after that is undefined: u8 number of pieces; each u32 address, u16 length
 *       u32, u32 which words of the state have changed, u32 each
 *     memory: u8 number of pieces; each u32 address, u16 length, bytes
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { DEFAULT_REGISTERS, EIP_INDEX, ENTRY, USER_CODE, USER_DATA } from './layout.ts';

export interface Patch {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What an instruction is given. */
export interface VectorInput {
  readonly code: Uint8Array;
  /** EAX ECX EDX EBX ESP EBP ESI EDI EFLAGS (int32). */
  readonly registers: Int32Array;
  readonly memory: readonly Patch[];
  /** Seed of the state of x87, MMX and SSE: `randomState` of it; 0: not of interest. */
  readonly floats: number;
}

/** Words of the state (float-state.ts) and what they hold. */
export type WordChanges = readonly (readonly [word: number, value: number])[];

export interface Piece {
  readonly address: number;
  readonly length: number;
}

/** What the processor made of it. */
export interface VectorOutput {
  /** The exception that ended it: 3 if nothing but the INT3 behind it. */
  readonly exception: number;
  readonly errorCode: number;
  /** Of a page fault, else 0. */
  readonly cr2: number;
  /** As in the input, then EIP. EIP and EFLAGS as the exception saves them. */
  readonly registers: Int32Array;
  /** Selectors of ES CS SS DS FS GS. */
  readonly segments: Int32Array;
  readonly memory: readonly Patch[];
  readonly floats: WordChanges;
}

export interface Vector {
  readonly form: number;
  /** EFLAGS bits that are not compared. */
  readonly undefinedFlags: number;
  /** Bits of the x87 status word, and memory, that are not compared. */
  readonly undefinedStatus: number;
  readonly undefinedMemory: readonly Piece[];
  readonly input: VectorInput;
  readonly output: VectorOutput;
}

export interface CorpusHeader {
  /** "model name" of /proc/cpuinfo. */
  readonly processor: string;
  readonly seed: number;
  readonly count: number;
  readonly floats: boolean;
  /** `81 /3 SBB Ev,Iz`. */
  readonly forms: readonly string[];
}

export interface Corpus {
  readonly header: CorpusHeader;
  readonly vectors: readonly Vector[];
}

const PAGE_FAULT = 14;
const INITIAL_SEGMENTS: readonly number[] = [USER_DATA, USER_CODE, USER_DATA, USER_DATA, USER_DATA, USER_DATA];
const FIRST_SEGMENT_BIT = 10;

class Writer {
  private bytes = Buffer.alloc(1 << 16);
  private length = 0;

  u8(value: number): void {
    this.reserve(1);
    this.length = this.bytes.writeUInt8(value, this.length);
  }
  u16(value: number): void {
    this.reserve(2);
    this.length = this.bytes.writeUInt16LE(value, this.length);
  }
  u32(value: number): void {
    this.reserve(4);
    this.length = this.bytes.writeUInt32LE(value >>> 0, this.length);
  }
  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }
  /** Those values that differ from the expected ones: a mask, then the values. */
  changes(values: Iterable<number>, expected: readonly number[]): void {
    const list = [...values];
    this.u16(list.reduce((mask, value, i) => (value === expected[i] ? mask : mask | 1 << i), 0));
    list.forEach((value, i) => {
      if (value !== expected[i]) this.u32(value);
    });
  }
  memory(patches: readonly Patch[]): void {
    this.u8(patches.length);
    for (const { address, bytes } of patches) {
      this.u32(address);
      this.u16(bytes.length);
      this.raw(bytes);
    }
  }
  pieces(pieces: readonly Piece[]): void {
    this.u8(pieces.length);
    for (const { address, length } of pieces) {
      this.u32(address);
      this.u16(length);
    }
  }
  words(changes: WordChanges): void {
    const masks = [0, 0];
    for (const [word] of changes) masks[word >> 5]! |= 1 << (word & 31);
    for (const mask of masks) this.u32(mask);
    for (const [, value] of changes) this.u32(value);
  }
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = Buffer.alloc((this.length + count) * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

class Reader {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  u8(): number {
    return this.bytes.readUInt8(this.position++);
  }
  u16(): number {
    this.position += 2;
    return this.bytes.readUInt16LE(this.position - 2);
  }
  i32(): number {
    this.position += 4;
    return this.bytes.readInt32LE(this.position - 4);
  }
  raw(length: number): Uint8Array {
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }
  changes(expected: readonly number[]): number[] {
    const mask = this.u16();
    return expected.map((value, i) => ((mask & 1 << i) === 0 ? value : this.i32()));
  }
  memory(): Patch[] {
    return Array.from({ length: this.u8() }, () => {
      const address = this.i32() >>> 0;
      return { address, bytes: this.raw(this.u16()) };
    });
  }
  pieces(): Piece[] {
    return Array.from({ length: this.u8() }, () => ({ address: this.i32() >>> 0, length: this.u16() }));
  }
  words(): WordChanges {
    const masks = [this.i32(), this.i32()] as const, changes: [number, number][] = [];
    masks.forEach((mask, half) => {
      for (let bit = 0; bit < 32; bit++) if ((mask >> bit & 1) !== 0) changes.push([32 * half + bit, this.i32()]);
    });
    return changes;
  }
}

/** What registers and segments hold afterwards if the instruction changes none: in the order of the mask's bits. */
const unchanged = ({ code, registers }: Pick<VectorInput, 'code' | 'registers'>): readonly number[] => [...registers, ENTRY + code.length + 1, ...INITIAL_SEGMENTS];

export const encodeCorpus = (header: CorpusHeader, vectors: readonly Vector[]): Uint8Array => gzipSync(packCorpus(header, vectors), { level: 9 });

/** The file before it is compressed. */
export function packCorpus(header: CorpusHeader, vectors: readonly Vector[]): Uint8Array {
  const writer = new Writer();
  const text = Buffer.from(JSON.stringify(header));
  writer.u32(text.length);
  writer.raw(text);
  let seed = 0;
  for (const { form, undefinedFlags, undefinedStatus, undefinedMemory, input, output } of vectors) {
    writer.u16(form);
    writer.u16(undefinedFlags);
    writer.u8(input.code.length);
    writer.raw(input.code);
    writer.changes(input.registers, DEFAULT_REGISTERS);
    writer.memory(input.memory);
    writer.u8(output.exception);
    writer.u16(output.errorCode);
    if (output.exception === PAGE_FAULT) writer.u32(output.cr2);
    writer.changes([...output.registers, ...output.segments], unchanged(input));
    writer.memory(output.memory);
    if (!header.floats) continue;
    writer.u16(input.floats - seed);
    seed = input.floats;
    writer.u16(undefinedStatus);
    writer.pieces(undefinedMemory);
    writer.words(output.floats);
  }
  return writer.finish();
}

export function decodeCorpus(file: Uint8Array): Corpus {
  const reader = new Reader(gunzipSync(file));
  const header = JSON.parse(Buffer.from(reader.raw(reader.i32())).toString()) as CorpusHeader;
  let seed = 0;
  const vectors = Array.from({ length: header.count }, (): Vector => {
    const form = reader.u16(), undefinedFlags = reader.u16();
    const code = reader.raw(reader.u8());
    const registers = Int32Array.from(reader.changes(DEFAULT_REGISTERS)), before = reader.memory();
    const exception = reader.u8(), errorCode = reader.u16();
    const cr2 = exception === PAGE_FAULT ? reader.i32() : 0;
    const after = reader.changes(unchanged({ code, registers })), memory = reader.memory();
    if (header.floats) seed += reader.u16();
    const undefinedStatus = header.floats ? reader.u16() : 0, undefinedMemory = header.floats ? reader.pieces() : [], floats = header.floats ? reader.words() : [];
    return {
      form, undefinedFlags, undefinedStatus, undefinedMemory, input: { code, registers, memory: before, floats: seed },
      output: { exception, errorCode, cr2, registers: Int32Array.from(after.slice(0, EIP_INDEX + 1)), segments: Int32Array.from(after.slice(FIRST_SEGMENT_BIT)), memory, floats },
    };
  });
  return { header, vectors };
}
