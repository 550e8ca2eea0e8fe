/** x87 instructions without a memory operand, by opcode (low three bits) and ModRM byte (Intel SDM vol. 2, table A-7 ff.). */
import * as F from './float80.ts';
import type { Float80 } from './float80.ts';
import { examine } from './convert.ts';
import { initFpu } from './state.ts';
import * as T from './transcendental.ts';
import { SW_C0, SW_C2, SW_C3 } from './unit.ts';
import type { FpuUnit } from './unit.ts';

export type Arithmetic2 = (a: F.Arithmetic, x: Float80, y: Float80) => Float80;

/** ADD, MUL, (COM, COMP), SUB, SUBR, DIV, DIVR with ST(0) as x: ModRM.reg 0-7. */
export const ARITHMETIC: readonly (Arithmetic2 | null)[] = [
  F.add, F.multiply, null, null, F.subtract, (a, x, y) => F.subtract(a, y, x), F.divide, (a, x, y) => F.divide(a, y, x),
];

/** Condition codes of a comparison. */
export function conditionsOf(order: -1 | 0 | 1 | null): number {
  return order === null ? SW_C3 | SW_C2 | SW_C0 : order === 0 ? SW_C3 : order < 0 ? SW_C0 : 0;
}

/** Compares ST(0) with y (null: an empty register) and pops. */
export function compareWith(u: FpuUnit, y: Float80 | null, quiet: boolean, pops: number, a = u.begin()): void {
  if (y === null || u.isEmpty(0)) {
    const masked = u.stackFault(false);
    u.setConditions(conditionsOf(null));
    if (!masked) return;
  } else {
    const order = F.compare(a, u.get(0), y, quiet);
    u.setConditions(conditionsOf(order));
    if (!u.finish()) return;
  }
  for (let i = 0; i < pops; i++) u.pop();
}

/** ST(target) = f(ST(0), y); y null: an empty register. */
export function combine(u: FpuUnit, f: Arithmetic2, target: number, y: Float80 | null, pops: number): void {
  const a = u.begin();
  let result: Float80 = F.INDEFINITE;
  if (y === null || u.isEmpty(0)) {
    if (!u.stackFault(false)) return;
  } else {
    result = f(a, u.get(0), y);
    if (!u.finish()) return;
  }
  u.set(target, result);
  for (let i = 0; i < pops; i++) u.pop();
}

/** Pushes what `make` gives; stack overflow if there is no room. */
export function pushValue(u: FpuUnit, make: (a: F.Arithmetic) => Float80): void {
  const a = u.begin();
  if (!u.isEmpty(7)) {
    if (u.stackFault(true)) u.push(F.INDEFINITE);
    return;
  }
  const value = make(a);
  if (u.finish()) u.push(value);
}

const st = (u: FpuUnit, i: number): Float80 | null => (u.isEmpty(i) ? null : u.get(i));

/** ST(0) = f(ST(0)). */
function unary(u: FpuUnit, f: (a: F.Arithmetic, x: Float80) => Float80): void {
  const a = u.begin();
  if (u.isEmpty(0)) {
    if (u.stackFault(false)) u.set(0, F.INDEFINITE);
    return;
  }
  const result = f(a, u.get(0));
  if (u.finish()) u.set(0, result);
}

/** ST(1) = f(ST(0), ST(1)), pop: FYL2X, FYL2XP1, FPATAN. */
function binaryPop(u: FpuUnit, f: Arithmetic2): void {
  const a = u.begin();
  let result: Float80 = F.INDEFINITE;
  if (u.isEmpty(0) || u.isEmpty(1)) {
    if (!u.stackFault(false)) return;
  } else {
    result = f(a, u.get(0), u.get(1));
    if (!u.finish()) return;
  }
  u.set(1, result);
  u.pop();
}

/** FSIN, FCOS, FPTAN, FSINCOS: C2 set and nothing done where the argument is out of range. */
function trigonometric(u: FpuUnit, pick: (r: { sine: Float80; cosine: Float80; tangent: Float80 }) => readonly Float80[]): void {
  const a = u.begin();
  const pushes = pick({ sine: F.ZERO, cosine: F.ZERO, tangent: F.ZERO }).length > 1;
  u.setConditions(u.status & (SW_C0 | SW_C3));
  if (u.isEmpty(0) || (pushes && !u.isEmpty(7))) {
    if (!u.stackFault(!u.isEmpty(0))) return;
    u.set(0, F.INDEFINITE);
    if (pushes) u.push(F.INDEFINITE);
    return;
  }
  const x = u.get(0);
  const nan = F.nanResult(a, x) ?? (F.isInfinity(x) ? F.invalid(a) : null);
  let results: readonly Float80[];
  if (nan !== null) results = pushes ? [nan, nan] : [nan];
  else if (F.isZero(x)) results = pick({ sine: x, cosine: F.ONE, tangent: x });
  else {
    F.noteDenormals(a, x);
    const found = T.sineAndCosine(a, x);
    if (found === null) {
      u.setConditions(u.status & (SW_C0 | SW_C3) | SW_C2);
      return;
    }
    results = pick(found);
  }
  if (!u.finish()) return;
  u.set(0, results[0]!);
  if (pushes) u.push(results[1]!);
}

function remainder(u: FpuUnit, nearest: boolean): void {
  const a = u.begin();
  if (u.isEmpty(0) || u.isEmpty(1)) {
    u.setConditions(u.status & (SW_C0 | SW_C3));
    if (u.stackFault(false)) u.set(0, F.INDEFINITE);
    return;
  }
  const { remainder: result, quotient } = T.partialRemainder(a, u.get(0), u.get(1), nearest);
  // Without a quotient C0 and C3 stay.
  u.setConditions(u.status & (SW_C0 | SW_C3));
  if (!u.finish()) return;
  u.set(0, result);
  if (quotient === undefined) return;
  if (quotient === null) u.setConditions(SW_C2);
  else {
    const q = Number(quotient & 7n);
    u.setConditions(((q & 4) !== 0 ? SW_C0 : 0) | ((q & 2) !== 0 ? SW_C3 : 0));
    u.setC1((q & 1) !== 0);
  }
}

function exchange(u: FpuUnit, i: number): void {
  u.begin();
  if (u.isEmpty(0) || u.isEmpty(i)) {
    if (!u.stackFault(false)) return;
    if (u.isEmpty(0)) u.set(0, F.INDEFINITE);
    if (u.isEmpty(i)) u.set(i, F.INDEFINITE);
  }
  const x = u.get(0), y = u.get(i);
  u.set(0, y);
  u.set(i, x);
}

function storeTo(u: FpuUnit, i: number, pops: number): void {
  u.begin();
  if (u.isEmpty(0)) {
    if (!u.stackFault(false)) return;
    u.set(i, F.INDEFINITE);
  } else u.set(i, u.get(0));
  for (let n = 0; n < pops; n++) u.pop();
}

type Action = (u: FpuUnit, i: number) => void;

/** D9 E0-FF. */
const D9: Readonly<Record<number, Action>> = {
  0xe0: (u) => changeSign(u, (x) => F.negate(x)),
  0xe1: (u) => changeSign(u, (x) => ({ ...x, sign: 0 })),
  0xe4: (u) => compareWith(u, F.ZERO, false, 0),
  0xe5: (u) => {
    const x = u.get(0);
    u.setConditions(examine(x, u.isEmpty(0)));
    u.setC1(x.sign === 1);
  },
  0xe8: (u) => pushValue(u, () => F.ONE),
  0xe9: (u) => pushConstant(u, 0), 0xea: (u) => pushConstant(u, 1), 0xeb: (u) => pushConstant(u, 2), 0xec: (u) => pushConstant(u, 3), 0xed: (u) => pushConstant(u, 4),
  0xee: (u) => pushValue(u, () => F.ZERO),
  0xf0: (u) => unary(u, T.exp2MinusOne),
  0xf1: (u) => binaryPop(u, T.yLog2x),
  0xf2: (u) => trigonometric(u, ({ tangent }) => [tangent, F.ONE]),
  0xf3: (u) => binaryPop(u, (a, x, y) => T.arcTangent(a, y, x)),
  0xf4: (u) => {
    const a = u.begin();
    if (u.isEmpty(0) || !u.isEmpty(7)) {
      if (!u.stackFault(!u.isEmpty(0))) return;
      u.set(0, F.INDEFINITE);
      u.push(F.INDEFINITE);
      return;
    }
    const { exponent, significand } = T.extract(a, u.get(0));
    if (!u.finish()) return;
    u.set(0, exponent);
    u.push(significand);
  },
  0xf5: (u) => remainder(u, true),
  0xf6: (u) => { u.setC1(false); u.top = u.top - 1; },
  0xf7: (u) => { u.setC1(false); u.top = u.top + 1; },
  0xf8: (u) => remainder(u, false),
  0xf9: (u) => binaryPop(u, T.yLog2xPlusOne),
  0xfa: (u) => unary(u, F.squareRoot),
  0xfb: (u) => trigonometric(u, ({ sine, cosine }) => [sine, cosine]),
  0xfc: (u) => unary(u, F.roundToIntegral),
  0xfd: (u) => {
    const a = u.begin();
    if (u.isEmpty(0) || u.isEmpty(1)) {
      if (u.stackFault(false)) u.set(0, F.INDEFINITE);
      return;
    }
    const result = T.scaleBy(a, u.get(0), u.get(1));
    if (u.finish()) u.set(0, result);
  },
  0xfe: (u) => trigonometric(u, ({ sine }) => [sine]),
  0xff: (u) => trigonometric(u, ({ cosine }) => [cosine]),
};

/** FCHS, FABS: not arithmetic, no exception but a stack fault. */
function changeSign(u: FpuUnit, f: (x: Float80) => Float80): void {
  u.begin();
  if (!u.isEmpty(0)) u.set(0, f(u.get(0)));
  else if (u.stackFault(false)) u.set(0, F.INDEFINITE);
}

/** Constants are rounded to 64 bits as RC says, and raise no PE. */
function pushConstant(u: FpuUnit, index: number): void {
  pushValue(u, (a) => {
    const value = T.constant(a, index);
    a.clear();
    return value;
  });
}

const nop: Action = () => {};
const arithmetic = (reg: number): Action => {
  const f = ARITHMETIC[reg]!;
  return (u, i) => combine(u, f, 0, st(u, i), 0);
};
/** DC and DE: ST(i) is the destination; SUB and SUBR, DIV and DIVR are the other way round there. */
const arithmeticTo = (reg: number, pops: number): Action => {
  const f = ARITHMETIC[reg < 4 ? reg : reg ^ 1]!;
  return (u, i) => combine(u, (a, x, y) => f(a, y, x), i, st(u, i), pops);
};
const fcom: Action = (u, i) => compareWith(u, st(u, i), false, 0);
const fcomp: Action = (u, i) => compareWith(u, st(u, i), false, 1);
const fxch: Action = exchange;
const fstp: Action = (u, i) => storeTo(u, i, 1);
/** D9 /3: FSTP to which an empty ST(0) is no stack fault: nothing is stored then. */
const fstpUnchecked: Action = (u, i) => {
  u.begin();
  if (!u.isEmpty(0)) u.set(i, u.get(0));
  u.pop();
};
const ffree: Action = (u, i) => {
  u.setC1(false);
  u.free(i);
};

/** By opcode low bits (0-7) and ModRM.reg (0-7), i = ModRM.rm; null: see single(). */
const BY_REG: readonly (readonly (Action | null)[])[] = [
  [arithmetic(0), arithmetic(1), fcom, fcomp, arithmetic(4), arithmetic(5), arithmetic(6), arithmetic(7)],
  [(u, i) => pushRegister(u, i), fxch, null, fstpUnchecked, null, null, null, null],
  [null, null, null, null, null, null, null, null],
  [null, null, null, null, null, null, null, null],
  [arithmeticTo(0, 0), arithmeticTo(1, 0), fcom, fcomp, arithmeticTo(4, 0), arithmeticTo(5, 0), arithmeticTo(6, 0), arithmeticTo(7, 0)],
  [ffree, fxch, (u, i) => storeTo(u, i, 0), fstp, (u, i) => compareWith(u, st(u, i), true, 0), (u, i) => compareWith(u, st(u, i), true, 1), null, null],
  [arithmeticTo(0, 1), arithmeticTo(1, 1), fcomp, null, arithmeticTo(4, 1), arithmeticTo(5, 1), arithmeticTo(6, 1), arithmeticTo(7, 1)],
  [(u, i) => { ffree(u, i); u.pop(); }, fxch, fstp, fstp, null, null, null, null],
];

/** FLD ST(i). */
function pushRegister(u: FpuUnit, i: number): void {
  const x = st(u, i);
  if (x === null) {
    u.begin();
    if (u.stackFault(false)) u.push(F.INDEFINITE);
    return;
  }
  pushValue(u, () => x);
}

/** The instruction of a register-form ModRM byte (C0-FF) after opcode D8 + `opcode`, or null if there is none. */
export function registerInstruction(opcode: number, modrm: number): Action | null {
  const action = BY_REG[opcode]![modrm >> 3 & 7];
  if (action !== null && action !== undefined) return action;
  if (opcode === 1) return modrm === 0xd0 ? nop : D9[modrm] ?? null;
  if (opcode === 2 && modrm === 0xe9) return (u) => compareWith(u, st(u, 1), true, 2);
  if (opcode === 6 && modrm === 0xd9) return (u) => compareWith(u, st(u, 1), false, 2);
  return null;
}

/** Control instructions DB E0-E4: they never wait for a pending exception. FENI, FDISI and FSETPM do nothing since the 387. */
export function controlInstruction(opcode: number, modrm: number): ((u: FpuUnit, R: Int32Array) => void) | null {
  if (opcode !== 3) return null;
  if (modrm === 0xe2) return (u) => u.clearExceptions();
  if (modrm === 0xe3) return (_u, R) => initFpu(R);
  return modrm === 0xe0 || modrm === 0xe1 || modrm === 0xe4 ? () => {} : null;
}

