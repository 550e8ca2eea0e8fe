/**
 * Reader of MOO files: instruction tests recorded on real processors (SingleStepTests for the 80286 and the 80386).
 * Layout, all little-endian: chunks of a four-character name, u32 length and data. `MOO ` (version, test count, processor), then
 * one `TEST` per case: u32 index and chunks NAME, BYTS, INIT and FINA (each: REGS or RG32, RAM), EXCP, HASH. Unknown chunks are skipped.
 * Source: the MOO file format specification 1.1, https://github.com/dbalsom/moo.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Bits of the mask in REGS (u16 mask and values) and RG32 (u32 mask and values), from bit 0. */
const REGISTERS_16 = ['ax', 'bx', 'cx', 'dx', 'cs', 'ss', 'ds', 'es', 'sp', 'bp', 'si', 'di', 'ip', 'flags'] as const;
const REGISTERS_32 = [
  'cr0', 'cr3', 'eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp', 'cs', 'ds', 'es', 'fs', 'gs', 'ss', 'eip', 'eflags', 'dr6', 'dr7',
] as const;

export type RegisterName = (typeof REGISTERS_16)[number] | (typeof REGISTERS_32)[number];

/** Values by register, unsigned. Only those that the file names. */
export type RegisterValues = { readonly [Name in RegisterName]?: number };

export interface MooState {
  /** All registers in an initial state, the changed ones in a final state. */
  readonly registers: RegisterValues;
  /** Physical address and byte. */
  readonly ram: readonly (readonly [number, number])[];
  /** Which bits of the registers are defined, where the test says so itself. */
  readonly masks: RegisterValues;
}

export interface MooTest {
  readonly index: number;
  /** Disassembly. */
  readonly name: string;
  /** The instruction and the HLT after it. */
  readonly bytes: Uint8Array;
  readonly initial: MooState;
  readonly final: MooState;
  /** The exception or software interrupt that the instruction ended in, and the PA of the flags that it pushed. */
  readonly exception?: { readonly vector: number; readonly flagsAddress: number };
  /** SHA-1 in hexadecimal, the identity of a test; empty if the file has none. */
  readonly hash: string;
}

export interface MooFile {
  /** `C286`, `386E`, ... */
  readonly cpu: string;
  readonly tests: readonly MooTest[];
  /** Which bits of the registers are defined, for all tests; empty if the file does not say. */
  readonly masks: RegisterValues;
}

/** A window on the file's bytes. */
class Reader {
  private readonly view: DataView;
  private at: number;
  private readonly end: number;

  constructor(view: DataView, at: number, end: number) {
    if (end > view.byteLength) throw new Error('MOO: the file is cut short');
    this.view = view;
    this.at = at;
    this.end = end;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  bytes(count: number): Uint8Array {
    const at = this.advance(count);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, count).slice();
  }

  text(count: number): string {
    return String.fromCharCode(...this.bytes(count));
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** The chunks up to the end of the window. */
  *chunks(): Generator<[name: string, data: Reader]> {
    while (this.remaining > 0) {
      const name = this.text(4), length = this.u32();
      const start = this.advance(length);
      yield [name, new Reader(this.view, start, start + length)];
    }
  }

  private advance(count: number): number {
    const at = this.at;
    if (count > this.remaining) throw new Error(`MOO: a chunk ends too early, at byte ${at}`);
    this.at += count;
    return at;
  }
}

function registers(names: readonly RegisterName[], mask: number, next: () => number): RegisterValues {
  const values: { [Name in RegisterName]?: number } = {};
  names.forEach((name, bit) => {
    if ((mask >> bit & 1) !== 0) values[name] = next();
  });
  return values;
}

const registers16 = (data: Reader): RegisterValues => registers(REGISTERS_16, data.u16(), () => data.u16());
const registers32 = (data: Reader): RegisterValues => registers(REGISTERS_32, data.u32(), () => data.u32());

function readState(reader: Reader): MooState {
  let values: RegisterValues = {}, masks: RegisterValues = {};
  let ram: [number, number][] = [];
  for (const [name, data] of reader.chunks()) {
    switch (name) {
      case 'REGS': values = registers16(data); break;
      case 'RG32': values = registers32(data); break;
      case 'RMSK': masks = registers16(data); break;
      case 'RM32': masks = registers32(data); break;
      case 'RAM ': ram = Array.from({ length: data.u32() }, () => [data.u32(), data.u8()]); break;
    }
  }
  return { registers: values, ram, masks };
}

const EMPTY_STATE: MooState = { registers: {}, ram: [], masks: {} };

function readTest(reader: Reader): MooTest {
  const index = reader.u32();
  let name = '', hash = '', bytes = new Uint8Array();
  let initial = EMPTY_STATE, final = EMPTY_STATE;
  let exception: MooTest['exception'];
  for (const [chunk, data] of reader.chunks()) {
    switch (chunk) {
      case 'NAME': name = data.text(data.u32()); break;
      case 'BYTS': bytes = data.bytes(data.u32()).slice(); break;
      case 'INIT': initial = readState(data); break;
      case 'FINA': final = readState(data); break;
      case 'EXCP': exception = { vector: data.u8(), flagsAddress: data.u32() }; break;
      case 'HASH': hash = Buffer.from(data.bytes(data.remaining)).toString('hex'); break;
    }
  }
  return { index, name, bytes, initial, final, exception, hash };
}

/** Reads an uncompressed MOO file. Throws an Error that says where, if it is damaged. */
export function parseMoo(file: Uint8Array): MooFile {
  const reader = new Reader(new DataView(file.buffer, file.byteOffset, file.byteLength), 0, file.byteLength);
  let cpu = '';
  let masks: RegisterValues = {};
  const tests: MooTest[] = [];
  for (const [name, data] of reader.chunks()) {
    switch (name) {
      case 'MOO ':
        data.bytes(8);
        cpu = data.text(4);
        break;
      case 'RMSK': masks = registers16(data); break;
      case 'RM32': masks = registers32(data); break;
      case 'TEST': tests.push(readTest(data)); break;
    }
  }
  if (cpu === '') throw new Error('MOO: no header');
  return { cpu, tests, masks };
}

/** Reads a file, gzip-compressed if its name ends in .gz. Throws an Error that names the file and what is wrong with it. */
export function loadMoo(path: string): MooFile {
  try {
    const file = readFileSync(path);
    return parseMoo(path.endsWith('.gz') ? gunzipSync(file) : file);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
