/** What x87, MMX and SSE instructions need to be worth recording: operands in memory of the right format, arguments within range. */
import { EDI } from '../../src/cpu/state.ts';
import type { Draft } from './draft.ts';
import { imageOf } from './float-state.ts';
import { STATUS, X87 } from './float-state.ts';
import { double, extended, mxcsr, randomState, single, vector } from './float-values.ts';
import type { Random } from './random.ts';

type Bytes = (random: Random, size: number) => number[];

const bytesOf = (words: Iterable<number>, size = Infinity): number[] => [...words].flatMap((word) => [word, word >> 8, word >> 16, word >> 24].map((byte) => byte & 255)).slice(0, size);
const anyBytes: Bytes = (random, size) => Array.from({ length: size }, () => random.below(256));
const singles: Bytes = (random, size) => bytesOf(Array.from({ length: size / 4 }, () => single(random)));
const doubles: Bytes = (random, size) => bytesOf(Array.from({ length: size / 8 }, () => double(random)).flat());
const extendeds: Bytes = (random) => bytesOf(extended(random), 10);
const integer: Bytes = (random, size) => bytesOf(random.below(4) === 0 ? [random.operand(4), random.pick([0, -1, random.next()])] : [random.operand(4), random.operand(4) >> random.below(32)], size);
/** 18 digits, none of which is more than 9. */
const decimal: Bytes = (random) => {
  const digits = random.below(19), digit = (i: number): number => (i < digits ? random.below(10) : 0);
  return [...Array.from({ length: 9 }, (_, i) => digit(2 * i) | digit(2 * i + 1) << 4), random.below(2) << 7 | (random.below(4) === 0 ? random.below(128) : 0)];
};
/** Environments of 14 and 28 bytes, and 80 bytes of registers behind them. */
const environment: Bytes = (random, size) => {
  const wide = size === 28 || size === 108, words = [randomState(random)[0]!, random.next(), random.next(), random.next(), random.next(), random.next(), random.next()];
  const head = words.flatMap((word) => bytesOf([word], wide ? 4 : 2));
  return [...head, ...Array.from({ length: 8 }, () => extendeds(random, 10)).flat()].slice(0, size);
};

/** Of x87 memory operands, by the name in AT&T notation. */
const X87_OPERANDS: readonly (readonly [pattern: RegExp, bytes: Bytes])[] = [
  [/^(fldenv|frstor)$/, environment], [/^fldt$/, extendeds], [/^fbld$/, decimal], [/^fldcw$/, (random) => bytesOf([randomState(random)[0]!], 2)], [/^fi/, integer],
  [/^f(ld|add|mul|com|comp|sub|subr|div|divr)s$/, singles], [/^f(ld|add|mul|com|comp|sub|subr|div|divr)l$/, doubles],
];

/** MMX and SSE: by the format that the mnemonic says. */
function simdBytes(mnemonic: string, random: Random, size: number): number[] {
  if (mnemonic === 'FXRSTOR') {
    const image = imageOf(randomState(random));
    if (random.below(8) === 0) image[6] = random.next();
    return bytesOf(image.subarray(0, 72));
  }
  if (mnemonic === 'LDMXCSR') return bytesOf([random.below(8) === 0 ? random.next() : mxcsr(random)]);
  const from = /^CVTT?(P[SD]|S[SD])/.exec(mnemonic)?.[1] ?? mnemonic.slice(-2);
  if (from === 'PD' || from === 'SD') return size >= 8 ? doubles(random, size) : singles(random, size);
  if (from === 'PS' || from === 'SS') return singles(random, size);
  return bytesOf(vector(random), size);
}

const isWithin = (state: Int32Array, register: number, exponent: number): boolean => {
  const top = state[STATUS]! >> 11 & 7, at = X87 + 3 * (top + register & 7);
  return (state[at + 2]! & 0x7fff) < exponent;
};

/** The result is undefined beyond: F2XM1 takes -1 to 1, FYL2XP1 -(1 - sqrt(1/2)) to sqrt(2) - 1. */
const RANGES: Readonly<Record<string, number>> = { f2xm1: 0x3fff, fyl2xp1: 0x3ffd };
/** Infinities and NaNs are good in any case. */
const isSpecial = (state: Int32Array): boolean => !isWithin(state, 0, 0x7fff);

/** False: the instruction, by its name, does something undefined with this state. */
export function isDefined(name: string, state: Int32Array): boolean {
  const limit = RANGES[name];
  return limit === undefined || isWithin(state, 0, limit) || isSpecial(state);
}

/** Fills the operand in memory. */
export function prepareOperand(draft: Draft, name: string): void {
  const { random, variant: { row } } = draft;
  if (row.mnemonic.startsWith('MASKMOV')) draft.registers[EDI] = draft.address(16);
  for (const operand of draft.operands) {
    if (operand.kind !== 'vector') continue;
    const { address, size } = operand;
    const bytes = row.mnemonic.startsWith('ESC') ? (X87_OPERANDS.find(([pattern]) => pattern.test(name))?.[1] ?? anyBytes)(random, size) : simdBytes(row.mnemonic, random, size);
    draft.setBytes(address, bytes);
  }
}
