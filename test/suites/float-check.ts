/** Compares the state of x87, MMX and SSE with a recorded one. */
import { FLOAT_WORDS, MXCSR_WORD, STATUS, VECTORS, X87 } from '../vectors/float-state.ts';
import { stateOfSeed } from '../vectors/float-values.ts';
import type { Vector } from '../vectors/format.ts';
import { ESTIMATES, TRANSCENDENTAL } from '../vectors/undefined-floats.ts';

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
const SINGLE = 3;

/** How many results of transcendental instructions are those of the recording, to the last bit. */
export interface Share {
  equal: number;
  all: number;
}

/** `D9 fsin`, `NP.0F 53 RCPPS Vps,Wps`. */
const nameOf = (form: string): string => form.split(' ').find((word) => /^[A-Z]{4}|^f/.test(word)) ?? '';

/** Neighbours differ by 1. */
function order(state: Int32Array, at: number): bigint {
  const top = state[at + 2]!, magnitude = BigInt(top & 0x7fff) << 63n | (BigInt(state[at + 1]! >>> 0) << 32n | BigInt(state[at]! >>> 0)) & (1n << 63n) - 1n;
  return (top & 0x8000) !== 0 ? -magnitude : magnitude;
}

const isClose = (got: Int32Array, wanted: Int32Array, at: number): boolean => {
  const distance = order(got, at) - order(wanted, at);
  return distance >= -1n && distance <= 1n;
};

const number = new DataView(new ArrayBuffer(4));
function singleOf(word: number): number {
  number.setInt32(0, word);
  return number.getFloat32(0);
}

/** Both within 1.5 * 2^-12 of the exact value. */
function isEstimate(got: number, wanted: number): boolean {
  const a = singleOf(got), b = singleOf(wanted);
  return Math.abs(a - b) <= SINGLE * 2 ** -12 * Math.abs(b);
}

export function compareFloats(got: Int32Array, { input, output, undefinedStatus }: Vector, form: string, share: Share): string[] {
  const wanted = stateOfSeed(input.floats);
  for (const [word, value] of output.floats) wanted[word] = value;
  const name = nameOf(form), differences: string[] = [];
  if (TRANSCENDENTAL.includes(name)) compareTranscendental(got, wanted, output.floats.some(([word]) => word >= X87 && word < VECTORS), share);
  for (let word = 0; word < FLOAT_WORDS; word++) {
    const mask = word === STATUS ? ~undefinedStatus : -1;
    if (((got[word]! ^ wanted[word]!) & mask) === 0 || (word >= VECTORS && ESTIMATES.includes(name) && isEstimate(got[word]!, wanted[word]!))) continue;
    differences.push(`${nameOfWord(word)} is ${hex(got[word]!)}, not ${hex(wanted[word]!)}`);
  }
  return differences;
}

/** What is within one unit in the last place counts as the recorded value from here on. */
function compareTranscendental(got: Int32Array, wanted: Int32Array, hasResult: boolean, share: Share): void {
  let equal = true;
  for (let at = X87; at < VECTORS; at += 3) {
    if ([0, 1, 2].every((i) => got[at + i] === wanted[at + i]) || !isClose(got, wanted, at)) continue;
    equal = false;
    got.set(wanted.subarray(at, at + 3), at);
  }
  if (!hasResult) return;
  share.all++;
  if (equal) share.equal++;
}

export function nameOfWord(word: number): string {
  if (word >= VECTORS) return `XMM${word - VECTORS >> 2} word ${word - VECTORS & 3}`;
  if (word >= X87) return `R${Math.floor((word - X87) / 3)} ${['low', 'high', 'exponent'][(word - X87) % 3]!}`;
  return word === MXCSR_WORD ? 'MXCSR' : ['control word', 'status word', 'tags'][word]!;
}
