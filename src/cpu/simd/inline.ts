/**
 * What regions have in place of the helpers for SSE arithmetic (InlineForm, src/tcg/env.ts). A form holds where the helper would raise
 * nothing that is not set already: operands are zero or normal, the result is normal or an exact zero, and `least` says that rounding
 * is to nearest and PE masked and set. Doubles are locals of the region, singles are read and written in the state.
 */
import type { InlineForm, InlineText } from '../../tcg/env.ts';
import { STICKY } from './float.ts';
import { MXCSR, MXCSR_RC } from './state.ts';

const DOUBLE_MAX = String(Number.MAX_VALUE), SINGLE_MIN = String(2 ** -126), SINGLE_MAX = String(3.4028234663852886e38);
/** EnvLayout.leastDouble: also the smallest normal double. */
export const LEAST_DOUBLE = `((R[${MXCSR}] & ${STICKY | MXCSR_RC}) === ${STICKY} ? ${2 ** -1022} : Infinity)`;

type Text = (a: string, b: string) => string;
interface Operation {
  readonly value: Text;
  /** Whether a result of 0 is no underflow. */
  readonly zero: Text;
  /** The destination is no operand. */
  readonly unary?: boolean;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ADD: { value: (a, b) => `${a} + ${b}`, zero: () => 'true' },
  SUB: { value: (a, b) => `${a} - ${b}`, zero: () => 'true' },
  MUL: { value: (a, b) => `${a} * ${b}`, zero: (a, b) => `(${a} === 0 || ${b} === 0)` },
  DIV: { value: (a, b) => `${a} / ${b}`, zero: (a) => `${a} === 0` },
  SQRT: { value: (_a, b) => `Math.sqrt(${b})`, zero: (_a, b) => `${b} === 0`, unary: true },
};
const CHOICES: Readonly<Record<string, Text>> = { MIN: (a, b) => `${a} < ${b} ? ${a} : ${b}`, MAX: (a, b) => `${a} > ${b} ? ${a} : ${b}` };
/** By bits 0-1 of the immediate of CMP. */
const PREDICATES: readonly Text[] = [(a, b) => `${a} === ${b}`, (a, b) => `${a} < ${b}`, (a, b) => `${a} <= ${b}`, () => 'false'];

/** Order as ZF and CF; -1 where there is none. */
const order = (a: string, b: string): string => `${a} > ${b} ? 0 : ${a} < ${b} ? 1 : ${a} === ${b} ? 64 : -1`;
/** A single is zero or normal; m is its absolute value. */
const ordinary = (m: string): string => `${m} <= ${SINGLE_MAX} && (${m} >= ${SINGLE_MIN} || ${m} === 0)`;
const TO_NEAREST_AND_BACK = 3 * 2 ** 51;

/** Per lane of doubles: destination and source. */
function doubles(lanes: number, unary: boolean, make: (a: readonly string[], b: readonly string[], d: readonly string[], inputs: readonly number[]) => InlineText, writes = true) {
  return (inputs: readonly number[]): InlineForm => {
    const d = Array.from({ length: lanes }, (_, i) => inputs[0]! + 2 * i), s = Array.from({ length: lanes }, (_, i) => inputs[1]! + 2 * i);
    return {
      reads: unary ? s : [...d, ...s], writes: writes ? d : [],
      text: (reads, written) => make(unary ? [] : reads.slice(0, lanes), unary ? reads : reads.slice(lanes), written, inputs),
    };
  };
}

function doubleArithmetic({ value, zero, unary = false }: Operation, lanes: number) {
  return doubles(lanes, unary, (a, b, d) => ({
    before: d.map((_, i) => `r${i} = ${value(a[i]!, b[i]!)}; m${i} = Math.abs(r${i});`).join(' '),
    holds: d.map((_, i) => `(m${i} > least && m${i} <= ${DOUBLE_MAX} || r${i} === 0 && least < 1 && ${zero(a[i]!, b[i]!)})`).join(' && '),
    then: d.map((name, i) => `${name} = r${i};`).join(' '),
  }));
}

const known = (names: readonly string[]): string => names.map((name) => `${name} === ${name}`).join(' && ');

function doubleChoice(choose: Text, lanes: number) {
  return doubles(lanes, false, (a, b, d) => ({
    before: '', holds: known([...a, ...b]), then: d.map((name, i) => `${name} = ${choose(a[i]!, b[i]!)};`).join(' '),
  }));
}

/** All ones are no number: then the words hold the result, and the local is NaN. */
function doubleComparison(lanes: number) {
  return doubles(lanes, false, (a, b, d, [slot, , imm]) => ({
    before: '', holds: known([...a, ...b]),
    then: d.map((name, i) => {
      const first = slot! + 2 * i;
      return `w = ${PREDICATES[imm! & 3]!(a[i]!, b[i]!)} ? ${(imm! & 4) === 0 ? '-1 : 0' : '0 : -1'}; R[${first}] = R[${first + 1}] = w; ${name} = w === 0 ? 0 : NaN;`;
    }).join(' '),
  }));
}

const doubleOrder = doubles(1, false, ([a], [b]) => ({ before: `w = ${order(a!, b!)};`, holds: 'w >= 0', then: '', value: 'w' }), false);

/** Of one single each. */
function singles(unary: boolean, make: (a: string, b: string, d: string) => InlineText, writes = true) {
  return ([d, s]: readonly number[]): InlineForm => ({
    reads: [], writes: [], readsWords: unary ? [s!] : [d!, s!], writesWords: writes ? [d!] : [],
    text: () => {
      const { before, holds, ...rest } = make('r0', 'r1', `F[${d}]`);
      return {
        before: `${unary ? '' : `r0 = F[${d}]; m0 = Math.abs(r0);`} r1 = F[${s}]; m1 = Math.abs(r1); ${before}`,
        holds: `${unary ? '' : `${ordinary('m0')} && `}${ordinary('m1')} && ${holds}`, ...rest,
      };
    },
  });
}

function singleArithmetic({ value, zero, unary = false }: Operation) {
  return singles(unary, (a, b, d) => ({
    before: `r = Math.fround(${value(a, b)}); m = Math.abs(r);`,
    holds: `least < 1 && (m > ${SINGLE_MIN} && m <= ${SINGLE_MAX} || r === 0 && ${zero(a, b)})`, then: `${d} = r;`,
  }));
}

const singleChoice = (choose: Text) => singles(false, (a, b, d) => ({ before: '', holds: 'true', then: `${d} = ${choose(a, b)};` }));
const singleOrder = singles(false, (a, b) => ({ before: `w = ${order(a, b)};`, holds: 'w >= 0', then: '', value: 'w' }), false);

/** To an integer: `from` is the number, r what it is rounded to. */
const toInteger = (from: string, chop: boolean, d: number): InlineText => ({
  before: `r = ${chop ? `Math.trunc(${from})` : `${from} + ${TO_NEAREST_AND_BACK} - ${TO_NEAREST_AND_BACK}`};`,
  holds: `r >= -2147483648 && r <= 2147483647 && least < 1`, then: `R[${d}] = r;`,
});

type Inline = (inputs: readonly number[]) => InlineForm;
const fromDouble = (chop: boolean): Inline => ([d, s]) => ({ reads: [s!], writes: [], writesWords: [d!], text: ([b]) => toInteger(b!, chop, d!) });
const fromSingle = (chop: boolean): Inline => (inputs) => singles(true, (_a, b) => toInteger(b, chop, inputs[0]!))(inputs);

const CONVERSIONS: Readonly<Record<string, Inline>> = {
  CVTSI2SD: ([d, s]) => ({ reads: [], writes: [d!], readsWords: [s!], text: (_, [x]) => ({ before: '', holds: 'true', then: `${x} = R[${s}];` }) }),
  CVTSI2SS: ([d, s]) => ({
    reads: [], writes: [], readsWords: [s!], writesWords: [d!],
    text: () => ({ before: `w = R[${s}]; r = Math.fround(w);`, holds: 'least < 1 || r === w', then: `F[${d}] = r;` }),
  }),
  CVTSS2SD: ([d, s]) => ({
    reads: [], writes: [d!], readsWords: [s!],
    text: (_, [x]) => ({ before: `r = F[${s}]; m = Math.abs(r);`, holds: ordinary('m'), then: `${x} = r;` }),
  }),
  CVTSD2SS: ([d, s]) => ({
    reads: [s!], writes: [], writesWords: [d!],
    text: ([b]) => ({ before: `r = Math.fround(${b}); m = Math.abs(r);`, holds: `least < 1 && (m > ${SINGLE_MIN} && m <= ${SINGLE_MAX} || ${b} === 0)`, then: `F[${d}] = r;` }),
  }),
  CVTSD2SI: fromDouble(false), CVTTSD2SI: fromDouble(true), CVTSS2SI: fromSingle(false), CVTTSS2SI: fromSingle(true),
};

/** By mnemonic, for those that have one. */
export const INLINE_FORMS: Readonly<Record<string, Inline>> = {
  ...Object.fromEntries(Object.entries(OPERATIONS).flatMap(([name, operation]) => [
    [`${name}SD`, doubleArithmetic(operation, 1)], [`${name}PD`, doubleArithmetic(operation, 2)], [`${name}SS`, singleArithmetic(operation)],
  ])),
  ...Object.fromEntries(Object.entries(CHOICES).flatMap(([name, choose]) => [[`${name}SD`, doubleChoice(choose, 1)], [`${name}PD`, doubleChoice(choose, 2)], [`${name}SS`, singleChoice(choose)]])),
  CMPSD: doubleComparison(1), CMPPD: doubleComparison(2),
  COMISD: doubleOrder, UCOMISD: doubleOrder, COMISS: singleOrder, UCOMISS: singleOrder,
  ...CONVERSIONS,
};
