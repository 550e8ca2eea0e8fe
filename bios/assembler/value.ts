/**
 * What an expression is worth: a 64-bit number plus multiples of section starts and registers (NASM manual, 3.5 and 3.8).
 * Section starts stay symbolic until the layout is known, so the difference of two labels is a plain number and a label is not.
 */
import { LineError } from './errors.ts';
import type { Register } from './registers.ts';
import type { Section } from './sections.ts';

/** Stands for a symbol that no pass has seen yet. All share one: the difference of two of them is zero, in the first pass. */
export interface ForwardReference {
  readonly kind: 'forward';
  readonly name: string;
}

export interface Term {
  readonly of: Register | Section | ForwardReference;
  readonly factor: bigint;
  /** Written with a multiplication: `eax*1`, which says that it is no base register. */
  readonly scaled: boolean;
}

export interface Value {
  /** Signed 64-bit. */
  readonly number: bigint;
  /** In the order written; no factor is zero. */
  readonly terms: readonly Term[];
  /**
   * Two like terms were added on the way (5+5, eax+eax). nasm then forgets which register was written first, so `[4+4+edx+eax]` has
   * another base than `[8+edx+eax]`.
   */
  readonly summed: boolean;
}

const NO_TERMS: readonly Term[] = [];

export const scalar = (number: bigint): Value => ({ number: BigInt.asIntN(64, number), terms: NO_TERMS, summed: false });

const FORWARD: ForwardReference = { kind: 'forward', name: 'symbol defined later' };

export const UNKNOWN: Value = { number: 0n, terms: [{ of: FORWARD, factor: 1n, scaled: false }], summed: false };

/** Depends on a symbol that no pass has seen yet: `number` means nothing. */
export const isUnknown = (value: Value): boolean => value.terms.some((term) => term.of === FORWARD);

/** `of` itself plus a number. */
export const termValue = (of: Register | Section, number = 0n): Value => ({
  number,
  terms: [{ of, factor: 1n, scaled: false }],
  summed: false,
});

export const isScalar = (value: Value): boolean => value.terms.length === 0;

function addTerms(a: readonly Term[], b: readonly Term[], sign: bigint): readonly Term[] {
  if (b.length === 0) return a;
  if (a.length === 0 && sign === 1n) return b;
  const sum = [...a];
  for (const term of b) {
    const at = sum.findIndex((other) => other.of === term.of);
    const factor = (at < 0 ? 0n : sum[at]!.factor) + sign * term.factor;
    if (at < 0) sum.push({ of: term.of, factor, scaled: term.scaled });
    else if (factor === 0n) sum.splice(at, 1);
    else sum[at] = { of: term.of, factor, scaled: false };
  }
  return sum;
}

/** A register alone has no number part; whatever else has one, be it zero. */
const hasNumber = (value: Value): boolean => value.number !== 0n || !value.terms.some((term) => term.of.kind === 'register');

function combine(a: Value, b: Value, sign: bigint): Value {
  const number = BigInt.asIntN(64, a.number + sign * b.number);
  const terms = addTerms(a.terms, b.terms, sign);
  const merged = (number !== 0n && hasNumber(a) && hasNumber(b)) || a.terms.some((term) => b.terms.some((other) => other.of === term.of) && terms.some((left) => left.of === term.of));
  return { number, terms, summed: a.summed || b.summed || merged };
}

export const add = (a: Value, b: Value): Value => combine(a, b, 1n);

export const subtract = (a: Value, b: Value): Value => combine(a, b, -1n);

function scale(value: Value, factor: bigint): Value {
  const terms = factor === 0n ? NO_TERMS : value.terms.map((term) => ({ of: term.of, factor: term.factor * factor, scaled: true }));
  return { ...value, number: BigInt.asIntN(64, value.number * factor), terms };
}

const unsigned = (n: bigint): bigint => BigInt.asUintN(64, n);
const truth = (flag: boolean): bigint => (flag ? 1n : 0n);

function nonZero(n: bigint): bigint {
  if (n === 0n) throw new LineError('division by zero');
  return n;
}

/** Binary operators on two plain numbers; `/` `%` `>>` are unsigned, `//` `%%` `>>>` signed. */
const SCALAR_OPERATORS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '/': (a, b) => unsigned(a) / nonZero(unsigned(b)),
  '//': (a, b) => a / nonZero(b),
  '%': (a, b) => unsigned(a) % nonZero(unsigned(b)),
  '%%': (a, b) => a % nonZero(b),
  '<<': (a, b) => a << (b & 63n),
  '<<<': (a, b) => a << (b & 63n),
  '>>': (a, b) => unsigned(a) >> (b & 63n),
  '>>>': (a, b) => a >> (b & 63n),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&&': (a, b) => truth(a !== 0n && b !== 0n),
  '||': (a, b) => truth(a !== 0n || b !== 0n),
  '^^': (a, b) => truth((a !== 0n) !== (b !== 0n)),
};

/** Comparisons look at the difference, which has to be a number: two labels of one section can be compared. */
const COMPARISONS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '=': (a, b) => truth(a === b),
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<>': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '<=': (a, b) => truth(a <= b),
  '>': (a, b) => truth(a > b),
  '>=': (a, b) => truth(a >= b),
  '<=>': (a, b) => (a < b ? -1n : truth(a > b)),
};

const withSummed = (value: Value, summed: boolean): Value => (value.summed === summed ? value : { ...value, summed });

export function applyBinary(operator: string, a: Value, b: Value): Value {
  return operator === '+' ? add(a, b) : operator === '-' ? subtract(a, b) : withSummed(multiplyOrCompare(operator, a, b), a.summed || b.summed);
}

function multiplyOrCompare(operator: string, a: Value, b: Value): Value {
  if (operator === '*') {
    if (a.terms.length === 0) return scale(b, a.number);
    if (b.terms.length === 0) return scale(a, b.number);
    if (isUnknown(a) || isUnknown(b)) return UNKNOWN;
    throw new LineError('`*\' needs a plain number on one side');
  }
  if (isUnknown(a) || isUnknown(b)) return UNKNOWN;
  const compare = COMPARISONS[operator];
  if (compare !== undefined) {
    if (subtract(a, b).terms.length > 0) throw new LineError(`\`${operator}': operands are not in one section`);
    return scalar(compare(a.number, b.number));
  }
  if (a.terms.length > 0 || b.terms.length > 0) throw new LineError(`\`${operator}' needs plain numbers (a label's value is not known until the end)`);
  return scalar(SCALAR_OPERATORS[operator]!(a.number, b.number));
}

export function applyUnary(operator: string, a: Value): Value {
  if (operator === '+') return a;
  if (operator === '-') return scale(a, -1n);
  if (isUnknown(a)) return UNKNOWN;
  if (a.terms.length > 0) throw new LineError(`\`${operator}' needs a plain number`);
  return scalar(operator === '~' ? ~a.number : truth(a.number === 0n));
}
