/**
 * One fold per op, in alphabetical order: what is known of an op when some input is a constant or two inputs are equal.
 * (All inputs constant: constant-folding.ts evaluates the op.) Constants end up second, so that later folds and the
 * packer have one form to look for. A fold changes the op in place; false drops it.
 */
import { EQ, GE, GEU, GTU, LEU, LT, LTU, NE, TSTEQ, swap } from '../conditions.ts';
import { evaluator } from '../evaluate.ts';
import type { Op } from '../ir.ts';
import * as O from '../ops.ts';
import type { Folder } from './folder.ts';

type Fold = (f: Folder, op: Op) => boolean | void;

/** Puts a constant second, for commutative ops. */
function constantSecond(f: Folder, op: Op): void {
  const { args } = op;
  if (f.isConst(args[1]!) && !f.isConst(args[2]!)) {
    const first = args[1]!;
    args[1] = args[2]!;
    args[2] = first;
  }
}

function foldAdd(f: Folder, op: Op): void {
  constantSecond(f, op);
  if (f.is(op.args[2]!, 0)) f.toMove(op, op.args[1]!);
}

function foldAnd(f: Folder, op: Op): void {
  constantSecond(f, op);
  const a = op.args[1]!, b = op.args[2]!;
  if (f.is(b, 0)) f.toNumber(op, 0);
  else if (f.is(b, -1) || f.same(a, b)) f.toMove(op, a);
  else if (f.is(b, 0xff)) f.to(op, O.EXT8U, a);
  else if (f.is(b, 0xffff)) f.to(op, O.EXT16U, a);
}

function foldAndc(f: Folder, op: Op): void {
  const a = op.args[1]!, b = op.args[2]!;
  if (f.isConst(b)) {
    f.to(op, O.AND, a, f.block.const(~f.number(b)));
    foldAnd(f, op);
  } else if (f.same(a, b) || f.is(a, 0)) {
    f.toNumber(op, 0);
  } else if (f.is(a, -1)) {
    f.to(op, O.NOT, b);
  }
}

function foldBrcond(f: Folder, op: Op): boolean | void {
  const known = foldCondition(f, op, 0, 2);
  if (known === false) return false;
  if (known === true) {
    op.args = [op.args[3]!];
    op.def = O.BR;
  }
}

function foldDeposit(f: Folder, op: Op): void {
  const [, a, b, position, length] = op.args as [number, number, number, number, number];
  if (length === 32) return f.toMove(op, b);
  const mask = (1 << length) - 1;
  if (f.isConst(b)) {
    const field = (f.number(b) & mask) << position;
    if (field === 0) {
      f.to(op, O.AND, a, f.block.const(~(mask << position)));
      foldAnd(f, op);
    } else if (field === mask << position) {
      f.to(op, O.OR, a, f.block.const(field));
    }
  } else if (position === 0 && f.same(a, b)) {
    f.toMove(op, a);
  } else if (f.is(a, 0) && position === 0) {
    f.to(op, O.AND, b, f.block.const(mask));
    foldAnd(f, op);
  }
}

function foldExtract(f: Folder, op: Op): void {
  const [, a, position, length] = op.args as [number, number, number, number];
  if (length === 32) return f.toMove(op, a);
  if (position === 0 && length === 8) f.to(op, O.EXT8U, a);
  else if (position === 0 && length === 16) f.to(op, O.EXT16U, a);
  else if (position + length === 32) f.to(op, O.SHR, a, f.block.const(position));
}

function foldMovcond(f: Folder, op: Op): void {
  const { args } = op;
  const known = foldCondition(f, op, 1, 5);
  if (known !== undefined) f.toMove(op, args[known ? 3 : 4]!);
  else if (f.same(args[3]!, args[4]!)) f.toMove(op, args[3]!);
}

function foldMul(f: Folder, op: Op): void {
  constantSecond(f, op);
  const a = op.args[1]!, b = op.args[2]!;
  if (!f.isConst(b)) return;
  const n = f.number(b);
  if (n === 0) f.toNumber(op, 0);
  else if (n === 1) f.toMove(op, a);
  else if (n === -1) f.to(op, O.NEG, a);
  else if ((n & n - 1) === 0) f.to(op, O.SHL, a, f.block.const(31 - Math.clz32(n)));
}

function foldMulsh(f: Folder, op: Op): void {
  constantSecond(f, op);
  if (f.is(op.args[2]!, 0)) f.toNumber(op, 0);
}

function foldMuluh(f: Folder, op: Op): void {
  constantSecond(f, op);
  if (f.is(op.args[2]!, 0) || f.is(op.args[2]!, 1)) f.toNumber(op, 0);
}

function foldNegsetcond(f: Folder, op: Op): void {
  const known = foldCondition(f, op, 1, 3);
  if (known !== undefined) f.toNumber(op, known ? -1 : 0);
}

function foldOr(f: Folder, op: Op): void {
  constantSecond(f, op);
  const a = op.args[1]!, b = op.args[2]!;
  if (f.is(b, -1)) f.toNumber(op, -1);
  else if (f.is(b, 0) || f.same(a, b)) f.toMove(op, a);
}

function foldSetcond(f: Folder, op: Op): void {
  const known = foldCondition(f, op, 1, 3);
  if (known !== undefined) return f.toNumber(op, known ? 1 : 0);
  const [, a, b, condition] = op.args as [number, number, number, number];
  // The sign bit.
  if (condition === LT && f.is(b, 0)) f.to(op, O.SHR, a, f.block.const(31));
}

function foldSextract(f: Folder, op: Op): void {
  const [, a, position, length] = op.args as [number, number, number, number];
  if (length === 32) return f.toMove(op, a);
  if (position === 0 && length === 8) f.to(op, O.EXT8S, a);
  else if (position === 0 && length === 16) f.to(op, O.EXT16S, a);
  else if (position + length === 32) f.to(op, O.SAR, a, f.block.const(position));
}

/** Shifts and rotates. */
function foldShift(f: Folder, op: Op): void {
  const a = op.args[1]!, b = op.args[2]!;
  if (f.is(b, 0)) f.toMove(op, a);
  else if (f.is(a, 0) || (f.is(a, -1) && (op.def === O.SAR || op.def === O.ROTL || op.def === O.ROTR))) f.toMove(op, a);
}

function foldSub(f: Folder, op: Op): void {
  const a = op.args[1]!, b = op.args[2]!;
  if (f.is(b, 0)) f.toMove(op, a);
  else if (f.isConst(b)) f.to(op, O.ADD, a, f.block.const(-f.number(b)));
  else if (f.is(a, 0)) f.to(op, O.NEG, b);
  else if (f.same(a, b)) f.toNumber(op, 0);
}

function foldTrap(f: Folder, op: Op): boolean | void {
  // One that always fires stays as it is.
  if (foldCondition(f, op, 0, 2) === false) return false;
}

function foldXor(f: Folder, op: Op): void {
  constantSecond(f, op);
  const a = op.args[1]!, b = op.args[2]!;
  if (f.is(b, 0)) f.toMove(op, a);
  else if (f.is(b, -1)) f.to(op, O.NOT, a);
  else if (f.same(a, b)) f.toNumber(op, 0);
}

/**
 * The comparison whose inputs stand at `at` and `at + 1` and its condition at `conditionAt`: its outcome if that is known.
 * Otherwise brings it to a simple form.
 */
function foldCondition(f: Folder, op: Op, at: number, conditionAt: number): boolean | undefined {
  const { args } = op;
  let a = args[at]!, b = args[at + 1]!, condition = args[conditionAt]!;
  if (f.isConst(a) && f.isConst(b)) return evaluator(O.SETCOND, condition, 0)(f.number(a), f.number(b), 0, 0) === 1;
  if (f.isConst(a)) {
    [a, b] = [b, a];
    condition = swap(condition);
  }
  if (f.same(a, b)) {
    if (condition < TSTEQ) return evaluator(O.SETCOND, condition, 0)(0, 0, 0, 0) === 1;
    b = f.block.const(-1);
  }
  if (f.isConst(b)) {
    const n = f.number(b);
    if (condition >= TSTEQ && n === 0) return condition === TSTEQ;
    if (condition >= TSTEQ && (n === -1 || n === 1 << 31)) {
      condition = n === -1 ? (condition === TSTEQ ? EQ : NE) : condition === TSTEQ ? GE : LT;
      b = f.block.const(0);
    } else if (n === 0 && (condition === LTU || condition === GEU)) {
      return condition === GEU;
    } else if (n === 0 && (condition === LEU || condition === GTU)) {
      condition = condition === LEU ? EQ : NE;
    } else if (n === -1 && (condition === LEU || condition === GTU)) {
      return condition === LEU;
    } else if (n === 1 && (condition === LTU || condition === GEU)) {
      condition = condition === LTU ? EQ : NE;
      b = f.block.const(0);
    }
  }
  args[at] = a;
  args[at + 1] = b;
  args[conditionAt] = condition;
  return undefined;
}

/** By op number. */
export const FOLDS: readonly (Fold | undefined)[] = (() => {
  const folds: (Fold | undefined)[] = O.OPS.map(() => undefined);
  const of = (def: O.OpDef, fold: Fold): void => { folds[def.number] = fold; };
  of(O.ADD, foldAdd);
  of(O.AND, foldAnd);
  of(O.ANDC, foldAndc);
  of(O.BRCOND, foldBrcond);
  of(O.DEPOSIT, foldDeposit);
  of(O.EXTRACT, foldExtract);
  of(O.MOVCOND, foldMovcond);
  of(O.MUL, foldMul);
  of(O.MULSH, foldMulsh);
  of(O.MULUH, foldMuluh);
  of(O.NEGSETCOND, foldNegsetcond);
  of(O.OR, foldOr);
  of(O.ROTL, foldShift);
  of(O.ROTR, foldShift);
  of(O.SAR, foldShift);
  of(O.SETCOND, foldSetcond);
  of(O.SEXTRACT, foldSextract);
  of(O.SHL, foldShift);
  of(O.SHR, foldShift);
  of(O.SUB, foldSub);
  of(O.TRAP, foldTrap);
  of(O.XOR, foldXor);
  return folds;
})();
