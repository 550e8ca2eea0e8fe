/**
 * What the translator knows of the lazy flags (scheme and cc_op numbers: ../flags.ts): the cc_op in force if it was set in
 * this block, and how to get a carry, a condition or all flags from it with as few ops as possible.
 *
 * Setting flags writes cc_dst, cc_src and cc_src2 at once; cc_op itself is written to the state only by sync(), since
 * insn_start tells it to whoever interrupts the block.
 */
import type { Builder } from '../../tcg/builder.ts';
import { EQ, LE, LEU, LT, LTU, NE, TSTNE, invert } from '../../tcg/conditions.ts';
import type { Helper } from '../../tcg/env.ts';
import {
  CC_OP_ADCB, CC_OP_ADDB, CC_OP_DECB, CC_OP_DYNAMIC, CC_OP_EFLAGS, CC_OP_INCB, CC_OP_LOGICB, CC_OP_MULB, CC_OP_SARB, CC_OP_SBBB,
  CC_OP_SHLB, CC_OP_SUBB,
} from '../flags.ts';
import { CC_DST, CC_OP, CC_SRC, CC_SRC2, CF, OF, PF, SF, ZF } from '../state.ts';

/** Families of cc_op: the number of their byte form, to which the width (0, 1, 2) is added. */
export const MUL = CC_OP_MULB, ADD = CC_OP_ADDB, ADC = CC_OP_ADCB, SUB = CC_OP_SUBB, SBB = CC_OP_SBBB, LOGIC = CC_OP_LOGICB, INC = CC_OP_INCB,
  DEC = CC_OP_DECB, SHL = CC_OP_SHLB, SAR = CC_OP_SARB;

/** The cc_op of a family for operands of 1, 2 or 4 bytes. */
export const ccOpOf = (family: number, size: number): number => family + (size >> 1);

// Conditions of Jcc and SETcc (SDM vol. 1, appendix B): the low bit negates.
export const COND_O = 0, COND_B = 2, COND_Z = 4, COND_BE = 6, COND_S = 8, COND_P = 10, COND_L = 12, COND_LE = 14;

/** A comparison for brcond, setcond or movcond. */
export interface Test {
  condition: number;
  a: number;
  b: number;
}

export class LazyFlags {
  private readonly b: Builder;
  private readonly helper: (name: string) => Helper;
  /** cc_op if it is known, else CC_OP_DYNAMIC. */
  op = CC_OP_DYNAMIC;
  /** The state's cc_op is out of date. */
  private dirty = false;
  /** First operand of a SUB, while a value that still holds it is known; else -1. */
  private first = -1;
  private readonly test: Test = { condition: EQ, a: 0, b: 0 };

  constructor(builder: Builder, helper: (name: string) => Helper) {
    this.b = builder;
    this.helper = helper;
  }

  start(): void {
    this.op = CC_OP_DYNAMIC;
    this.dirty = false;
    this.first = -1;
  }

  /** A register is about to change (or any of them): it no longer holds the first operand of a SUB. */
  forgetFirst(register?: number): void {
    if (register === undefined || this.first === register) this.first = -1;
  }

  /** Sets the flags: a family and the size of its operands; `first` is the minuend of SUB. Unused words are -1. */
  set(family: number, size: number, dst: number, src = -1, src2 = -1, first = -1): void {
    const { b } = this;
    // What the family does not use is worth nothing any more: what was computed for it need not be.
    if (src2 >= 0) b.mov(CC_SRC2, src2);
    else b.discard(CC_SRC2);
    if (src >= 0) b.mov(CC_SRC, src);
    else b.discard(CC_SRC);
    b.mov(CC_DST, dst);
    this.op = ccOpOf(family, size);
    this.dirty = true;
    this.first = first;
  }

  /** Sets the six status flags from their EFLAGS positions; other bits of the value must be 0. */
  setAll(flags: number): void {
    this.b.mov(CC_SRC, flags);
    this.b.discard(CC_DST);
    this.b.discard(CC_SRC2);
    this.op = CC_OP_EFLAGS;
    this.dirty = true;
    this.first = -1;
  }

  /** Writes cc_op to the state if that is out of date. Do not let anything that may leave follow in the same instruction. */
  sync(): void {
    this.writeOp();
    this.dirty = false;
  }

  /** As sync(), for one of several paths out of the block. */
  writeOp(): void {
    if (this.dirty) this.b.movi(CC_OP, this.op);
  }

  /** From here on only the state knows cc_op: after sync() and a join of paths, or after a helper that sets flags. */
  setDynamic(): void {
    this.op = CC_OP_DYNAMIC;
    this.dirty = false;
    this.first = -1;
  }

  private opValue(): number {
    return this.op === CC_OP_DYNAMIC ? CC_OP : this.b.const(this.op);
  }

  private family(): number {
    return this.op < CC_OP_MULB ? this.op : this.op - (this.op - CC_OP_MULB) % 3;
  }

  private size(): number {
    return 1 << (this.op - CC_OP_MULB) % 3;
  }

  /** All six status flags in place, nothing else. */
  all(): number {
    if (this.op === CC_OP_EFLAGS) return CC_SRC;
    const flags = this.b.temp();
    this.b.call(this.helper('cc_compute_all'), flags, CC_DST, CC_SRC, CC_SRC2, this.opValue());
    return flags;
  }

  /** All status flags except those in the mask; a fresh temporary. */
  allBut(mask: number): number {
    const flags = this.b.temp();
    this.b.andi(flags, this.all(), ~mask);
    return flags;
  }

  /** CF as 0 or 1. */
  carry(): number {
    const { b } = this;
    const family = this.family();
    if (family === INC || family === DEC) return CC_SRC;
    if (family === LOGIC) return b.const(0);
    const carry = b.temp();
    const test = this.carryTest(family);
    if (test !== undefined) b.setcond(test.condition, carry, test.a, test.b);
    else b.call(this.helper('cc_compute_c'), carry, CC_DST, CC_SRC, CC_SRC2, this.opValue());
    return carry;
  }

  /** The comparison that is true if Jcc/SETcc condition 0-15 holds. Reused: good until the next call. */
  condition(code: number): Test {
    const test = this.positive(code & 14);
    if ((code & 1) !== 0) test.condition = invert(test.condition);
    return test;
  }

  private positive(code: number): Test {
    const family = this.family();
    switch (code) {
      case COND_Z:
        if (family !== CC_OP_EFLAGS && family !== CC_OP_DYNAMIC) return this.compare(EQ, this.result(false), 0);
        break;
      case COND_S:
        if (family !== CC_OP_EFLAGS && family !== CC_OP_DYNAMIC) return this.compare(LT, this.result(true), 0);
        break;
      case COND_B: {
        const test = this.carryTest(family);
        if (test !== undefined) return test;
        const carry = this.b.temp();
        this.b.call(this.helper('cc_compute_c'), carry, CC_DST, CC_SRC, CC_SRC2, this.opValue());
        return this.compare(NE, carry, 0);
      }
      case COND_BE:
        if (family === SUB) return this.compareValues(LEU, this.minuend(false), this.source(false));
        if (family === LOGIC) return this.compare(EQ, this.result(false), 0);
        break;
      case COND_O:
        if (family === LOGIC) return this.never();
        break;
      case COND_L:
        if (family === SUB) return this.compareValues(LT, this.minuend(true), this.source(true));
        if (family === LOGIC) return this.compare(LT, this.result(true), 0);
        if (family === DEC) return this.compare(LE, this.before(1), 0);
        if (family === INC) return this.compare(LT, this.before(-1), -1);
        break;
      case COND_LE:
        if (family === SUB) return this.compareValues(LE, this.minuend(true), this.source(true));
        if (family === LOGIC) return this.compare(LE, this.result(true), 0);
        if (family === DEC) return this.compare(LE, this.before(1), 1);
        if (family === INC) return this.compare(LT, this.before(-1), 0);
        break;
    }
    return this.fromAll(code);
  }

  /** CF as a comparison, if the family allows one. */
  private carryTest(family: number): Test | undefined {
    switch (family) {
      case CC_OP_EFLAGS: return this.compare(TSTNE, CC_SRC, CF);
      case MUL: return this.compare(NE, CC_SRC, 0);
      case ADD: return this.compareValues(LTU, this.result(false), this.source(false));
      case SUB: return this.compareValues(LTU, this.minuend(false), this.source(false));
      case LOGIC: return this.never();
      case INC:
      case DEC: return this.compare(NE, CC_SRC, 0);
      case SHL: return this.compare(TSTNE, CC_SRC, 1 << this.size() * 8 - 1);
      case SAR: return this.compare(TSTNE, CC_SRC, 1);
      default: return undefined;
    }
  }

  /** A condition from the computed flags. */
  private fromAll(code: number): Test {
    const { b } = this;
    const flags = this.all();
    switch (code) {
      case COND_O: return this.compare(TSTNE, flags, OF);
      case COND_B: return this.compare(TSTNE, flags, CF);
      case COND_Z: return this.compare(TSTNE, flags, ZF);
      case COND_BE: return this.compare(TSTNE, flags, CF | ZF);
      case COND_S: return this.compare(TSTNE, flags, SF);
      case COND_P: return this.compare(TSTNE, flags, PF);
    }
    // L is SF != OF: OF moved down to the place of SF; LE adds ZF.
    const less = b.temp();
    b.shri(less, flags, 4);
    b.xor(less, less, flags);
    if (code === COND_L) return this.compare(TSTNE, less, SF);
    b.andi(less, less, SF);
    const zero = b.temp();
    b.andi(zero, flags, ZF);
    b.or(less, less, zero);
    return this.compare(NE, less, 0);
  }

  private never(): Test {
    return this.compare(NE, this.b.const(0), 0);
  }

  private compare(condition: number, a: number, n: number): Test {
    return this.compareValues(condition, a, this.b.const(n));
  }

  private compareValues(condition: number, a: number, b: number): Test {
    this.test.condition = condition;
    this.test.a = a;
    this.test.b = b;
    return this.test;
  }

  private extended(value: number, signed: boolean): number {
    const size = this.size();
    if (size === 4) return value;
    const { b } = this;
    const out = b.temp();
    if (signed) b.sextract(out, value, 0, size * 8);
    else b.extract(out, value, 0, size * 8);
    return out;
  }

  private result(signed: boolean): number {
    return this.extended(CC_DST, signed);
  }

  private source(signed: boolean): number {
    return this.extended(CC_SRC, signed);
  }

  /** The first operand of the last SUB. */
  private minuend(signed: boolean): number {
    let value = this.first;
    if (value < 0) {
      value = this.b.temp();
      this.b.add(value, CC_DST, CC_SRC);
    }
    return this.extended(value, signed);
  }

  /** The operand of the last INC or DEC, sign-extended: the comparison "operand + 1 < 0" must not wrap. */
  private before(step: number): number {
    const value = this.b.temp();
    this.b.addi(value, CC_DST, step);
    return this.extended(value, true);
  }
}
