/**
 * SSE arithmetic on singles and doubles. Where operands are normal numbers or zeros, the result is normal, rounding is to nearest and
 * PE is masked and set already or does not arise, a JavaScript double says it all; else float-exact.ts does. SDM vol. 1, 10.2, 11.5.
 *
 * The functions return 1 if an exception is not masked: then nothing but the flags in MXCSR has changed.
 */
import { DOUBLE, ExactLane, IE, DE, SINGLE, ZE } from './float-exact.ts';
import type { Format } from './float-exact.ts';
import { MXCSR, MXCSR_FLAGS, MXCSR_MASKS_SHIFT, MXCSR_RC } from './state.ts';

/** PE and its mask: whether a result is exact does not matter. */
export const STICKY = 32 | 32 << MXCSR_MASKS_SHIFT;

/** Destination and source slot; an immediate where there is one. */
export type FloatFunction = (d: number, s: number, imm: number) => number;
/** How many lanes, and of which format. */
export type Shape = 'PS' | 'PD' | 'SS' | 'SD';
export const SHAPES: readonly Shape[] = ['PS', 'PD', 'SS', 'SD'];
export const lanesOf = (shape: Shape): number => (shape === 'PS' ? 4 : shape === 'PD' ? 2 : 1);
export const formatOf = (shape: Shape): Format => (shape.endsWith('S') ? SINGLE : DOUBLE);

/** Bits of a lane in the state. */
export function readLane(R: Int32Array, format: Format, slot: number, lane: number): bigint {
  if (format === SINGLE) return BigInt(R[slot + lane]! >>> 0);
  return BigInt(R[slot + 2 * lane + 1]! >>> 0) << 32n | BigInt(R[slot + 2 * lane]! >>> 0);
}
export function writeLane(R: Int32Array, format: Format, slot: number, lane: number, bits: bigint): void {
  if (format === SINGLE) R[slot + lane] = Number(BigInt.asIntN(32, bits));
  else {
    R[slot + 2 * lane] = Number(BigInt.asIntN(32, bits));
    R[slot + 2 * lane + 1] = Number(BigInt.asIntN(32, bits >> 32n));
  }
}

/** Sets the flags that were raised; true if one is not masked. Those of results do not show behind an unmasked one of operands. */
export function raiseFlags(R: Int32Array, flags: number): boolean {
  const masks = R[MXCSR]! >> MXCSR_MASKS_SHIFT & MXCSR_FLAGS, before = flags & (IE | DE | ZE);
  const shown = (before & ~masks) !== 0 ? before : flags;
  R[MXCSR] = R[MXCSR]! | shown;
  return (shown & ~masks) !== 0;
}

/** All lanes exactly; then they are written, unless an exception is not masked. */
export function exactLanes(R: Int32Array, shape: Shape, d: number, lane: (exact: ExactLane, i: number) => bigint): number {
  const format = formatOf(shape), count = lanesOf(shape);
  let flags = 0;
  const results = Array.from({ length: count }, (_, i) => {
    const exact = new ExactLane(R[MXCSR]!), result = lane(exact, i);
    flags |= exact.flags;
    return result;
  });
  if (raiseFlags(R, flags)) return 1;
  results.forEach((bits, i) => writeLane(R, format, d, i, bits));
  return 0;
}

/** An operation as JavaScript over doubles `a`, `b`, its result `r`; and whether that is exact, for results that are no zero. */
interface Operation {
  readonly value: string;
  /** Whether a result of 0 is no underflow. */
  readonly zero: string;
  readonly exactDouble: string;
  readonly exactSingle: string;
  readonly exactly: (exact: ExactLane, format: Format, a: bigint, b: bigint) => bigint;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ADD: {
    value: 'a + b', zero: 'true', exactDouble: 'sumIsExact(a, b, r)', exactSingle: 'sumIsExact(a, b, a + b) && a + b === r', exactly: (exact, format, a, b) => exact.add(format, a, b),
  },
  SUB: {
    value: 'a - b', zero: 'true', exactDouble: 'sumIsExact(a, -b, r)', exactSingle: 'sumIsExact(a, -b, a - b) && a - b === r', exactly: (exact, format, a, b) => exact.add(format, a, b, true),
  },
  MUL: {
    value: 'a * b', zero: '(a === 0 || b === 0)', exactDouble: 'productIs(a, b, r)', exactSingle: 'a * b === r', exactly: (exact, format, a, b) => exact.multiply(format, a, b),
  },
  DIV: {
    value: 'a / b', zero: '(a === 0 && b !== 0)', exactDouble: 'productIs(r, b, a)', exactSingle: 'r * b === a', exactly: (exact, format, a, b) => exact.divide(format, a, b),
  },
  SQRT: {
    value: 'Math.sqrt(b)', zero: 'b === 0', exactDouble: 'productIs(r, r, b)', exactSingle: 'r * r === b', exactly: (exact, format, _a, b) => exact.squareRoot(format, b),
  },
};

/** r = a + b is exact (Knuth's TwoSum has no error term). */
function sumIsExact(a: number, b: number, r: number): boolean {
  const part = r - a;
  return a - (r - part) + (b - part) === 0;
}

/** a * b is r exactly (Dekker's TwoProduct has no error term); false if the parts might be out of range. */
function productIs(a: number, b: number, r: number): boolean {
  const size = Math.abs(r);
  if (!(size > 1e-270 && size < 1e290) || Math.abs(a) > 1e290 || Math.abs(b) > 1e290) return false;
  const product = a * b;
  if (product !== r) return false;
  const splitA = a * 134217729, splitB = b * 134217729;
  const aHigh = splitA - (splitA - a), aLow = a - aHigh, bHigh = splitB - (splitB - b), bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow === 0;
}

const SINGLE_MIN = 2 ** -126, SINGLE_MAX = 3.4028234663852886e38, DOUBLE_MIN = 2 ** -1022, DOUBLE_MAX = Number.MAX_VALUE;

/** The text of one fast lane: leaves by `return slow(d, s)`. */
function laneText(operation: Operation, shape: Shape, i: number, usesA: boolean): string {
  const single = shape.endsWith('S');
  const [min, max, mask] = single ? [SINGLE_MIN, SINGLE_MAX, 0x7f800000] : [DOUBLE_MIN, DOUBLE_MAX, 0x7ff00000];
  const at = (slot: string): string => (single ? `F[${slot} + ${i}]` : `D[(${slot} >> 1) + ${i}]`);
  const exponent = (slot: string): string => `R[${slot} + ${single ? i : 2 * i + 1}] & ${mask}`;
  const ordinary = (name: string, slot: string): string => `const ${name}e${i} = ${exponent(slot)}; if (${name}e${i} === ${mask} || (${name}e${i} === 0 && ${name} !== 0)) return slow(d, s);`;
  // A result that was rounded up to the smallest normal number may count as tiny.
  return `
    ${usesA ? `a = ${at('d')}; ${ordinary('a', 'd')}` : ''} b = ${at('s')}; ${ordinary('b', 's')}
    r = ${single ? `Math.fround(${operation.value})` : operation.value}; m = Math.abs(r);
    if (!(m > ${min} && m <= ${max} && (sticky || ${single ? operation.exactSingle : operation.exactDouble})) && !(r === 0 && ${operation.zero})) return slow(d, s);
    const r${i} = r;`;
}

function arithmetic(R: Int32Array, operation: Operation, shape: Shape, usesA: boolean): FloatFunction {
  const format = formatOf(shape), count = lanesOf(shape), single = format === SINGLE;
  const slow = (d: number, s: number): number =>
    exactLanes(R, shape, d, (exact, i) => operation.exactly(exact, format, readLane(R, format, d, i), readLane(R, format, s, i)));
  const all = Array.from({ length: count }, (_, i) => i);
  const text = `return function (d, s) {
    const control = R[${MXCSR}], sticky = (control & ${STICKY}) === ${STICKY};
    if ((control & ${MXCSR_RC}) !== 0) return slow(d, s);
    let a = 0, b = 0, r = 0, m = 0;
    ${all.map((i) => laneText(operation, shape, i, usesA)).join('')}
    ${all.map((i) => (single ? `F[d + ${i}] = r${i};` : `D[(d >> 1) + ${i}] = r${i};`)).join(' ')}
    return 0;
  };`;
  const singles = new Float32Array(R.buffer, R.byteOffset), doubles = new Float64Array(R.buffer, R.byteOffset);
  return new Function('R', 'F', 'D', 'slow', 'sumIsExact', 'productIs', text)(R, singles, doubles, slow, sumIsExact, productIs) as FloatFunction;
}

/** MIN, MAX, CMP: `choose` gives the statement that makes lane i of ordinary a and b. Nothing is raised then. */
function choosing(R: Int32Array, shape: Shape, choose: (d: string, s: string, i: number) => string, slow: FloatFunction): FloatFunction {
  const count = lanesOf(shape), single = shape.endsWith('S');
  const mask = single ? 0x7f800000 : 0x7ff00000;
  const lanes = Array.from({ length: count }, (_, i) => {
    const at = (slot: string): string => (single ? `F[${slot} + ${i}]` : `D[(${slot} >> 1) + ${i}]`), top = single ? i : 2 * i + 1;
    return { a: at('d'), b: at('s'), test: `
    const a${i} = ${at('d')}, b${i} = ${at('s')}, x${i} = R[d + ${top}] & ${mask}, y${i} = R[s + ${top}] & ${mask};
    if (x${i} === ${mask} || y${i} === ${mask} || (x${i} === 0 && a${i} !== 0) || (y${i} === 0 && b${i} !== 0)) return slow(d, s, imm);`,
    };
  });
  const text = `return function (d, s, imm) { ${lanes.map(({ test }) => test).join('')} ${lanes.map(({ a, b }, i) => choose(a, b, i)).join(' ')} return 0; };`;
  const singles = new Float32Array(R.buffer, R.byteOffset), doubles = new Float64Array(R.buffer, R.byteOffset);
  return new Function('R', 'F', 'D', 'slow', text)(R, singles, doubles, slow) as FloatFunction;
}

function extreme(R: Int32Array, shape: Shape, side: -1 | 1): FloatFunction {
  const format = formatOf(shape);
  const slow: FloatFunction = (d, s) => exactLanes(R, shape, d, (exact, i) => exact.extreme(format, readLane(R, format, d, i), readLane(R, format, s, i), side));
  return choosing(R, shape, (d, _s, i) => `if (!(a${i} ${side < 0 ? '<' : '>'} b${i})) ${d} = b${i};`, slow);
}

/** Comparison predicates by immediate: which orders (-1, 0, 1, null for unordered) are true, and whether quiet NaNs are invalid. */
const PREDICATES: readonly (readonly [holds: (order: -1 | 0 | 1 | null) => boolean, signals: boolean])[] = [
  [(order) => order === 0, false], [(order) => order === -1, true], [(order) => order === -1 || order === 0, true], [(order) => order === null, false],
];

function compareLanes(R: Int32Array, shape: Shape): FloatFunction {
  const format = formatOf(shape);
  const slow: FloatFunction = (d, s, imm) => exactLanes(R, shape, d, (exact, i) => {
    const [holds, signals] = PREDICATES[imm & 3]!;
    const order = exact.compare(format, readLane(R, format, d, i), readLane(R, format, s, i), signals);
    return holds(order) !== ((imm & 4) !== 0) ? (1n << BigInt(format.bits)) - 1n : 0n;
  });
  const predicate = (i: number): string => `((imm & 3) === 0 ? a${i} === b${i} : (imm & 3) === 1 ? a${i} < b${i} : (imm & 3) === 2 ? a${i} <= b${i} : false) !== ((imm & 4) !== 0) ? -1 : 0`;
  const write = (i: number): string => (format === SINGLE ? `R[d + ${i}] = ${predicate(i)};` : `R[d + ${2 * i}] = R[d + ${2 * i + 1}] = ${predicate(i)};`);
  return choosing(R, shape, (_d, _s, i) => write(i), slow);
}

/** ADDSUB, HADD, HSUB (SSE3): which lanes of destination (below `count`) and source each result is made of. */
function across(R: Int32Array, shape: 'PS' | 'PD', pick: (i: number, count: number) => readonly [x: number, y: number, subtract: boolean]): FloatFunction {
  const format = formatOf(shape), count = lanesOf(shape);
  return (d, s) => {
    const lanes = Array.from({ length: 2 * count }, (_, i) => readLane(R, format, i < count ? d : s, i % count));
    return exactLanes(R, shape, d, (exact, i) => {
      const [x, y, subtract] = pick(i, count);
      return exact.add(format, lanes[x]!, lanes[y]!, subtract);
    });
  };
}

/** RCP and RSQRT: the manual asks for 11 bits and no exceptions; denormals count as zeros. */
function approximation(R: Int32Array, count: number, f: (x: number) => number): FloatFunction {
  const singles = new Float32Array(R.buffer, R.byteOffset);
  return (d, s) => {
    for (let i = 0; i < count; i++) {
      const bits = R[s + i]!;
      if ((bits & 0x7f800000) === 0x7f800000 && (bits & 0x7fffff) !== 0) R[d + i] = bits | 0x400000;
      else if ((bits & 0x7f800000) === 0) R[d + i] = bits & 0x80000000 | 0x7f800000;
      else {
        const value = Math.fround(f(singles[s + i]!));
        if (Number.isNaN(value)) R[d + i] = 0xffc00000;
        else if (Math.abs(value) < SINGLE_MIN) R[d + i] = bits & 0x80000000;
        else singles[d + i] = value;
      }
    }
    return 0;
  };
}

/** ZF, PF and CF of COMISS and its like; -1 if an exception is not masked. */
export type Comparison = (d: number, s: number) => number;

const LESS = 0x01, EQUAL = 0x40, UNORDERED = 0x45;

export function compareSingles(R: Int32Array, signals: boolean): Comparison {
  const singles = new Float32Array(R.buffer, R.byteOffset);
  return (d, s) => {
    const a = singles[d]!, b = singles[s]!, x = R[d]! & 0x7f800000, y = R[s]! & 0x7f800000;
    if (x === 0x7f800000 || y === 0x7f800000 || (x === 0 && a !== 0) || (y === 0 && b !== 0)) return compareExactly(R, SINGLE, d, s, signals);
    return a === b ? EQUAL : a < b ? LESS : 0;
  };
}

export function compareDoubles(R: Int32Array, signals: boolean): Comparison {
  const doubles = new Float64Array(R.buffer, R.byteOffset);
  return (d, s) => {
    const a = doubles[d >> 1]!, b = doubles[s >> 1]!, x = R[d + 1]! & 0x7ff00000, y = R[s + 1]! & 0x7ff00000;
    if (x === 0x7ff00000 || y === 0x7ff00000 || (x === 0 && a !== 0) || (y === 0 && b !== 0)) return compareExactly(R, DOUBLE, d, s, signals);
    return a === b ? EQUAL : a < b ? LESS : 0;
  };
}

function compareExactly(R: Int32Array, format: Format, d: number, s: number, signals: boolean): number {
  const exact = new ExactLane(R[MXCSR]!);
  const order = exact.compare(format, readLane(R, format, d, 0), readLane(R, format, s, 0), signals);
  if (raiseFlags(R, exact.flags)) return -1;
  return order === null ? UNORDERED : order === 0 ? EQUAL : order < 0 ? LESS : 0;
}

/** By mnemonic. */
export function createFloats(R: Int32Array): Readonly<Record<string, FloatFunction>> {
  const all: Record<string, FloatFunction> = {};
  for (const shape of SHAPES) {
    for (const [name, operation] of Object.entries(OPERATIONS)) all[name + shape] = arithmetic(R, operation, shape, name !== 'SQRT');
    all[`MIN${shape}`] = extreme(R, shape, -1);
    all[`MAX${shape}`] = extreme(R, shape, 1);
    all[`CMP${shape}`] = compareLanes(R, shape);
  }
  for (const shape of ['PS', 'PD'] as const) {
    all[`ADDSUB${shape}`] = across(R, shape, (i, count) => [i, count + i, (i & 1) === 0]);
    all[`HADD${shape}`] = across(R, shape, (i) => [2 * i, 2 * i + 1, false]);
    all[`HSUB${shape}`] = across(R, shape, (i) => [2 * i, 2 * i + 1, true]);
  }
  for (const [shape, count] of [['PS', 4], ['SS', 1]] as const) {
    all[`RCP${shape}`] = approximation(R, count, (x) => 1 / x);
    all[`RSQRT${shape}`] = approximation(R, count, (x) => 1 / Math.sqrt(x));
  }
  return all;
}
