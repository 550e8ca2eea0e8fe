/** The recorded file: JSON, gzipped. Numbers are int32 (registers) or bytes. */
import { DATA_SIZE } from './cases.ts';

export interface NativeTest {
  /** EAX ECX EDX EBX ESP EBP ESI EDI, and the status flags with DF. */
  registers: number[];
  flags: number;
  /** What fillData() made the data of. */
  seed: number;
  /** Afterwards: changed registers, number, value, ... */
  registersOut: number[];
  flagsOut: number;
  /** Changed bytes: offset in the data, value, ... */
  memoryOut: number[];
}

export interface NativeCase {
  name: string;
  /** Hexadecimal. */
  code: string;
  undefinedFlags: number;
  tests: NativeTest[];
}

/** Where the code was when it was recorded. */
export const CODE = 0x110000;
export const COMPARED_FLAGS = 0x8d5;

/** A small generator of numbers (numerical recipes' LCG): the same numbers on every machine. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    return state >>> 8;
  };
}

/** The data before the instruction: bytes that mostly repeat every 64, so that string comparisons find equal stretches. */
export function fillData(seed: number): Uint8Array {
  const next = generator(seed);
  const data = new Uint8Array(DATA_SIZE);
  for (let i = 0; i < DATA_SIZE; i++) data[i] = i >= 64 && next() % 8 !== 0 ? data[i - 64]! : next();
  return data;
}
