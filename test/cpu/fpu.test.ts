/** x87 operations against a real x87: fpu-recorded.txt, written by fpu-record.c (which tells its format). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Float80 } from '../../src/cpu/fpu/float80.ts';
import { memoryInstruction } from '../../src/cpu/fpu/memory.ts';
import { registerInstruction } from '../../src/cpu/fpu/registers.ts';
import { initFpu } from '../../src/cpu/fpu/state.ts';
import { FpuUnit } from '../../src/cpu/fpu/unit.ts';

/** Opcode (low three bits) and ModRM byte. */
const REGISTER: Readonly<Record<string, readonly [opcode: number, modrm: number]>> = {
  add: [0, 0xc1], sub: [0, 0xe1], mul: [0, 0xc9], div: [0, 0xf1], sqrt: [1, 0xfa], rndint: [1, 0xfc], com: [0, 0xd1], scale: [1, 0xfd],
  prem: [1, 0xf8], prem1: [1, 0xf5], xam: [1, 0xe5],
};
const TRANSCENDENTAL: typeof REGISTER = {
  f2xm1: [1, 0xf0], fyl2x: [1, 0xf1], fpatan: [1, 0xf3], fsin: [1, 0xfe], fcos: [1, 0xff], fptan: [1, 0xf2], fyl2xp1: [1, 0xf9],
};
/** Opcode, ModRM.reg, bytes. */
const STORE: Readonly<Record<string, readonly [opcode: number, reg: number, bytes: number]>> = {
  fst32: [1, 2, 4], fst64: [5, 2, 8], fist16: [7, 2, 2], fist32: [3, 2, 4], fistp64: [7, 7, 8], fbstp: [7, 6, 10],
};
const LOAD: typeof STORE = { fld32: [1, 0, 4], fld64: [5, 0, 8], fild16: [7, 0, 2], fild32: [3, 0, 4], fild64: [7, 5, 8], fbld: [7, 4, 10] };

const SW_C1 = 0x200, SW_C2 = 0x400;

const parse = (text: string): Float80 => {
  const bits = BigInt(`0x${text}`);
  return { sign: Number(bits >> 79n) as 0 | 1, exponent: Number(bits >> 64n) & 0x7fff, significand: bits & 0xffff_ffff_ffff_ffffn };
};
const print = ({ sign, exponent, significand }: Float80): string => (sign << 15 | exponent).toString(16).padStart(4, '0') + significand.toString(16).padStart(16, '0');
const print16 = (word: number): string => word.toString(16).padStart(4, '0');

class Recording {
  readonly #R = new Int32Array(512);
  readonly #memory = new DataView(new ArrayBuffer(16));
  readonly #unit = new FpuUnit(this.#R);
  readonly #access = {
    R: this.#R,
    load8: (at: number) => this.#memory.getUint8(at), load16: (at: number) => this.#memory.getUint16(at, true), load32: (at: number) => this.#memory.getInt32(at, true),
    store8: (at: number, value: number) => this.#memory.setUint8(at, value), store16: (at: number, value: number) => this.#memory.setUint16(at, value, true),
    store32: (at: number, value: number) => this.#memory.setInt32(at, value, true), probe: () => {},
  };

  #start(control: string, ...operands: string[]): void {
    initFpu(this.#R);
    this.#unit.control = Number.parseInt(control, 16);
    for (const operand of operands) this.#unit.push(parse(operand));
    this.#unit.clearExceptions();
  }

  #inMemory(control: [number, number, number]): void {
    memoryInstruction(control[0], control[1])!.run(this.#unit, this.#access, 0, { wide: true, protectedMode: true });
  }

  register([opcode, modrm]: readonly [number, number], control: string, a: string, b: string): string[] {
    this.#start(control, b, a);
    registerInstruction(opcode, modrm)!(this.#unit, modrm & 7);
    if (opcode === 1 && modrm === 0xf2 && (this.#unit.status & SW_C2) === 0) this.#unit.pop();
    return [print(this.#unit.get(0)), print16(this.#unit.status)];
  }

  store([opcode, reg, bytes]: readonly [number, number, number], control: string, a: string): string[] {
    this.#start(control, a);
    this.#inMemory([opcode, reg, bytes]);
    const stored = Array.from({ length: bytes }, (_, i) => this.#memory.getUint8(bytes - 1 - i).toString(16).padStart(2, '0')).join('');
    return [stored, print16(this.#unit.status)];
  }

  load([opcode, reg, bytes]: readonly [number, number, number], control: string, memory: string): string[] {
    this.#start(control);
    for (let i = 0; i < bytes; i++) this.#memory.setUint8(bytes - 1 - i, Number.parseInt(memory.slice(2 * i, 2 * i + 2), 16));
    this.#inMemory([opcode, reg, bytes]);
    return [print(this.#unit.get(0)), print16(this.#unit.status)];
  }
}

function readCases(): Map<string, string[][]> {
  const operations = new Map<string, string[][]>();
  for (const section of readFileSync(join(import.meta.dirname, 'fpu-recorded.txt'), 'utf8').split('op ').slice(1)) {
    const [name, ...lines] = section.trim().split('\n') as [string, ...string[]];
    operations.set(name, lines.map((line) => line.split(' ')));
  }
  return operations;
}

const CASES = readCases();
const recording = new Recording();

/** What differs, one line a case. */
function differences(name: string, run: (fields: string[]) => string[], accept: (got: string[], wanted: string[], fields: string[]) => boolean = () => false): string[] {
  return CASES.get(name)!.flatMap((fields) => {
    const wanted = fields.slice(-2), got = run(fields);
    return got.join() === wanted.join() || accept(got, wanted, fields) ? [] : [`${fields.join(' ')}: got ${got.join(' ')}`];
  });
}

describe('x87 operations give what a real x87 gives', () => {
  it.each(Object.entries(REGISTER))('%s', (name, code) => {
    expect(differences(name, ([control, a, b]) => recording.register(code, control!, a!, b!))).toEqual([]);
  });

  it.each(Object.entries(STORE))('%s', (name, code) => {
    expect(differences(name, ([control, a]) => recording.store(code, control!, a!))).toEqual([]);
  });

  it.each(Object.entries(LOAD))('%s', (name, code) => {
    expect(differences(name, ([control, memory]) => recording.load(code, control!, memory!))).toEqual([]);
  });
});

/** Within one unit in the last place, as Intel says of its processors (SDM vol. 1, 8.3.10); C1 tells how it was rounded. */
describe('transcendental operations give the same within one unit in the last place', () => {
  /** Neighbours differ by 1. */
  const order = (text: string): bigint => {
    const { sign, exponent, significand } = parse(text);
    const magnitude = (BigInt(exponent) << 63n) + (significand & (1n << 63n) - 1n);
    return sign === 1 ? -magnitude : magnitude;
  };
  const accept = ([result, status]: string[], [wanted, wantedStatus]: string[]): boolean => {
    const distance = order(result!) - order(wanted!);
    const changed = Number.parseInt(status!, 16) ^ Number.parseInt(wantedStatus!, 16);
    return distance >= -1n && distance <= 1n && (changed & ~SW_C1) === 0;
  };

  it.each(Object.entries(TRANSCENDENTAL))('%s', (name, code) => {
    expect(differences(name, ([control, a, b]) => recording.register(code, control!, a!, b!), accept)).toEqual([]);
  });
});

it('the recording has every operation', () => {
  expect([...CASES.keys()].sort()).toEqual([REGISTER, TRANSCENDENTAL, STORE, LOAD].flatMap((table) => Object.keys(table)).sort());
});
