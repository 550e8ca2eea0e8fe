/**
 * The packer: optimized ops -> packed code (forms.ts) at a position of the code buffer. A block looks like this:
 *
 *     head     [TB_START, pc, csBase, csLimit, flags, icount, tbIndex, execCount, jumpHits]
 *     ops      forms.ts; temporaries have become state slots from layout.temps on, reused as soon as they are free
 *     starts   two words per guest instruction: offset of its first op from the head | cc_op << 16, EIP
 *
 * The last part is read after faults only (restore() in tb-cache.ts).
 */
import { swap, TSTEQ } from './conditions.ts';
import { EXIT_CHAIN_0, EXIT_CHAIN_1, EXIT_EVENT, type EnvLayout } from './env.ts';
import * as F from './forms.ts';
import { CONST, type Block, type Op } from './ir.ts';
import * as O from './ops.ts';
import { AddressParts } from './pack-address.ts';
import { PackPlan } from './pack-plan.ts';
import { Slots } from './pack-slots.ts';

/** Words of a block's head. */
export const HEAD_PC = 1, HEAD_CS_BASE = 2, HEAD_CS_LIMIT = 3, HEAD_FLAGS = 4, HEAD_ICOUNT = 5, HEAD_TB = 6, HEAD_EXEC_COUNT = 7,
  HEAD_JUMP_HITS = 8, HEAD_WORDS = 9;

const EXITS = [EXIT_CHAIN_0, EXIT_CHAIN_1, EXIT_EVENT];

/** What pack() made; reused by the next call. */
export interface Packed {
  start: number;
  /** Position of the table of instruction starts, and behind it. */
  starts: number;
  end: number;
  /** Guest instructions. */
  icount: number;
  /** Positions of the words that hold the links of goto_tb 0 and 1; 0 = the block has none. */
  links: [number, number];
}

export class Packer {
  private readonly layout: EnvLayout;
  private readonly code: Int32Array;
  private readonly plan = new PackPlan();
  private readonly result: Packed = { start: 0, starts: 0, end: 0, icount: 0, links: [0, 0] };
  private block!: Block;
  /** Next word to write. */
  private p = 0;
  private readonly slots = new Slots();
  /** Slots that hold immediates of the current op. */
  private readonly borrowed: number[] = [];
  /** Positions of labels (0: not yet set), and words that wait for them: position, label. */
  private readonly labels: number[] = [];
  private readonly fixups: number[] = [];
  private readonly starts: number[] = [];
  /** Position of the last single move, or 0, and its form. */
  private lastMove = 0;
  private lastForm: number = F.MOV;
  /** A write of a constant that the next jump does. */
  private carriedSlot = F.SINK;
  private carriedValue = 0;
  /** goto_tb ops that became part of a branch. */
  private readonly done = new Set<number>();
  private readonly parts = new AddressParts();
  /** A comparison's inputs, ordered. */
  private first = 0;
  private second = 0;

  constructor(layout: EnvLayout, code: Int32Array) {
    this.layout = layout;
    this.code = code;
  }

  /** Packs a block at a position; undefined if the code buffer may be too small. The caller fills in the head's key. */
  pack(block: Block, position: number): Packed | undefined {
    const { ops } = block;
    if (position + HEAD_WORDS + ops.length * 12 > this.code.length) return undefined;
    this.begin(block, position);
    for (let i = 0; i < ops.length; i++) this.op(ops[i]!, i);
    for (let i = 0; i < this.fixups.length; i += 2) this.code[this.fixups[i]!] = this.labels[this.fixups[i + 1]!]!;
    const { result, starts } = this;
    result.starts = this.p;
    for (const word of starts) this.word(word);
    result.end = this.p;
    result.icount = this.code[position + HEAD_ICOUNT] = starts.length >> 1;
    return result;
  }

  private begin(block: Block, position: number): void {
    this.block = block;
    this.plan.make(block);
    this.slots.begin(block, this.plan, this.layout.temps);
    this.borrowed.length = this.fixups.length = this.starts.length = this.labels.length = 0;
    for (let label = 0; label < block.labels; label++) this.labels.push(0);
    this.lastMove = this.carriedValue = 0;
    this.carriedSlot = F.SINK;
    this.done.clear();
    this.result.start = position;
    this.result.links[0] = this.result.links[1] = 0;
    this.code.fill(0, position, position + HEAD_WORDS);
    this.code[position] = F.TB_START;
    this.p = position + HEAD_WORDS;
  }

  private word(n: number): void {
    this.code[this.p++] = n;
  }

  private head(form: number, d: number, a: number): void {
    this.code[this.p++] = form | d << F.D_SHIFT | a << F.A_SHIFT;
  }

  // Operands.

  /** The slot of an input; an immediate gets one for the time of this op. */
  private input(value: number): number {
    if (!this.isConst(value)) return this.slots.of(value);
    const slot = this.slots.take();
    this.borrowed.push(slot);
    this.head(F.MOVI, slot, 0);
    this.word(this.number(value));
    return slot;
  }

  /** The slot of an output; call after releaseInputs(), so that it may be that of an input. */
  private output(value: number): number {
    return this.slots.of(value);
  }

  private releaseInputs(op: Op, i: number): void {
    const { def, args } = op;
    const firstIn = (def === O.CALL ? 1 : 0) + this.block.outs(op), end = def === O.CALL ? args.length : firstIn + def.ins;
    for (let k = firstIn; k < end; k++) this.slots.release(args[k]!, i);
  }

  private isConst(value: number): boolean {
    return this.block.kinds[value] === CONST;
  }

  private number(value: number): number {
    return this.block.numbers[value]!;
  }

  // Ops.

  private op(op: Op, i: number): void {
    const { def, args } = op;
    const outs = this.block.outs(op);
    if (outs > 0 && this.plan.leftOut[args[def === O.CALL ? 1 : 0]!] === i + 1) return;
    switch (def) {
      case O.INSN_START:
        if (this.p - this.result.start > 0xffff) throw new Error('a block is too long');
        this.starts.push(this.p - this.result.start | args[1]! << 16, args[0]!);
        return;
      case O.DISCARD: return;
      case O.SET_LABEL:
        this.labels[args[0]!] = this.p;
        this.lastMove = 0;
        return;
      case O.MOV:
        if (this.canCarry(op, i)) {
          this.carriedSlot = args[0]!;
          this.carriedValue = this.number(args[1]!);
          return;
        }
        this.move(args[0]!, args[1]!, i);
        break;
      case O.LD_ENV: this.moveSlot(this.output(args[0]!), args[1]!); break;
      case O.ST_ENV:
        if (this.isConst(args[0]!)) {
          this.moveNumber(args[1]!, this.number(args[0]!));
        } else {
          this.moveSlot(args[1]!, this.input(args[0]!));
        }
        break;
      case O.BR:
        this.head(F.BR, 0, 0);
        this.target(args[0]!);
        break;
      case O.BRCOND: this.branch(op, i); break;
      case O.GUEST_LD: this.load(op, i); break;
      case O.GUEST_ST: this.store(op, i); break;
      case O.GUEST_LD_VEC:
      case O.GUEST_ST_VEC:
        this.head((def === O.GUEST_LD_VEC ? F.LOAD_VEC : F.STORE_VEC)[args[2]! >> 4]!, args[1]!, this.input(args[0]!));
        break;
      case O.MOV_VEC: this.head(F.MOV_VEC[args[2]! >> 4]!, args[0]!, args[1]!); break;
      case O.ZERO_VEC: this.head(F.ZERO_VEC[args[1]! >> 4]!, args[0]!, 0); break;
      case O.TRAP: this.trap(op, i); break;
      case O.CALL: this.call(op, i); break;
      case O.GOTO_TB:
        if (this.done.has(i)) return;
        this.result.links[args[0] as 0 | 1] = this.p + 1;
        this.head(F.GOTO_TB, this.carriedSlot, 0);
        this.word(0);
        this.takeCarried();
        break;
      case O.EXIT_TB: this.head(F.EXIT_TB, 0, EXITS[args[0]!]!); break;
      case O.LOOKUP_AND_GOTO_PTR:
        this.head(F.LOOKUP, 0, 0);
        this.word(this.result.start);
        break;
      default: this.pure(op, i);
    }
    if (outs > 0) this.slots.release(args[def === O.CALL ? 1 : 0]!, i);
    this.releaseInputs(op, i);
    while (this.borrowed.length > 0) this.slots.give(this.borrowed.pop()!);
  }

  private move(d: number, from: number, i: number): void {
    if (this.isConst(from)) return this.moveNumber(this.output(d), this.number(from));
    const a = this.input(from);
    this.slots.release(from, i);
    this.moveSlot(this.output(d), a);
  }

  private moveSlot(d: number, a: number): void {
    if (d === a) return;
    this.pairMove(F.MOV_MOV, F.MOVI_MOV, F.MOV);
    this.head(F.MOV, d, a);
  }

  private moveNumber(d: number, n: number): void {
    this.pairMove(F.MOV_MOVI, F.MOVI_MOVI, F.MOVI);
    this.head(F.MOVI, d, 0);
    this.word(n);
  }

  /** Makes one op of a move and the one just before it, if there is one. */
  private pairMove(afterMove: number, afterNumber: number, alone: number): void {
    const { code, lastMove } = this;
    if (lastMove === this.p - 1 && this.lastForm === F.MOV) code[lastMove] = code[lastMove]! & ~F.FORM_MASK | afterMove;
    else if (lastMove === this.p - 2 && this.lastForm === F.MOVI) code[lastMove] = code[lastMove]! & ~F.FORM_MASK | afterNumber;
    else {
      this.lastMove = this.p;
      this.lastForm = alone;
      return;
    }
    this.lastMove = 0;
  }

  private pure(op: Op, i: number): void {
    const { def, args } = op;
    const d = args[0]!;
    if (def === O.MOVCOND) return this.movcond(op, i);
    if (def === O.SETCOND) return this.comparison(op, i, F.SETCOND_RR, F.SETCOND_RI);
    if (def === O.NEGSETCOND) return this.comparison(op, i, F.NEGSETCOND_RR, F.NEGSETCOND_RI);
    let form: number;
    if (def === O.DEPOSIT || def === O.EXTRACT || def === O.SEXTRACT) {
      form = F.fieldForm(def, args[1 + def.ins]!, args[2 + def.ins]!);
      if (form < 0) return this.field(op, i);
    } else {
      form = def.ins === 1 ? F.UNARY[def.number]! : F.BINARY_RR[def.number]!;
      if (form < 0) throw new Error(`${def.name} has no packed form`);
    }
    if (def.ins === 1) {
      const a = this.input(args[1]!);
      this.releaseInputs(op, i);
      this.head(form, this.output(d), a);
      return;
    }
    let a = args[1]!, b = args[2]!;
    if (F.COMMUTATIVE.has(def) && this.isConst(a)) [a, b] = [b, a];
    if (this.isConst(b)) {
      const slot = this.input(a);
      this.releaseInputs(op, i);
      // The form with an immediate follows that with registers.
      this.head(form + 1, this.output(d), slot);
      this.word(this.number(b));
    } else if (this.isConst(a) && F.BINARY_IR[def.number]! >= 0) {
      const slot = this.input(b);
      this.releaseInputs(op, i);
      this.head(F.BINARY_IR[def.number]!, this.output(d), slot);
      this.word(this.number(a));
    } else {
      const first = this.input(a), second = this.input(b);
      this.releaseInputs(op, i);
      this.head(form, this.output(d), first);
      this.word(second);
    }
  }

  /** A bit field without a form of its own. */
  private field(op: Op, i: number): void {
    const { def, args } = op;
    const a = this.input(args[1]!), b = def === O.DEPOSIT ? this.input(args[2]!) : 0;
    this.releaseInputs(op, i);
    this.head(def === O.DEPOSIT ? F.DEPOSIT_ANY : def === O.EXTRACT ? F.EXTRACT_ANY : F.SEXTRACT_ANY, this.output(args[0]!), a);
    if (def === O.DEPOSIT) this.word(b);
    this.word(args[1 + def.ins]! | args[2 + def.ins]! << 6);
  }

  /** A comparison's inputs at `at`: in registers where possible, a constant second. Returns the condition then. */
  private ordered(op: Op, at: number): number {
    const { args } = op;
    const condition = args[at + (op.def === O.MOVCOND ? 4 : 2)]!;
    this.first = args[at]!;
    this.second = args[at + 1]!;
    if (!this.isConst(this.first) || this.isConst(this.second)) return condition;
    [this.first, this.second] = [this.second, this.first];
    return condition >= TSTEQ ? condition : swap(condition);
  }

  private comparison(op: Op, i: number, rr: number, ri: number): void {
    const condition = this.ordered(op, 1);
    const immediate = this.isConst(this.second);
    const a = this.input(this.first), b = immediate ? this.number(this.second) : this.input(this.second);
    this.releaseInputs(op, i);
    this.head((immediate ? ri : rr) + condition, this.output(op.args[0]!), a);
    this.word(b);
  }

  private movcond(op: Op, i: number): void {
    const condition = this.ordered(op, 1);
    const immediate = this.isConst(this.second);
    const a = this.input(this.first), b = immediate ? this.number(this.second) : this.input(this.second);
    const x = this.input(op.args[3]!), y = this.input(op.args[4]!);
    this.releaseInputs(op, i);
    this.head((immediate ? F.MOVCOND_RI : F.MOVCOND_RR) + condition, this.output(op.args[0]!), a);
    this.word(x | y << 11);
    this.word(b);
  }

  private trap(op: Op, i: number): void {
    const condition = this.ordered(op, 0);
    const immediate = this.isConst(this.second);
    let displacement = 0, { first } = this;
    if (!this.isConst(first)) {
      this.parts.find(this.block, this.plan, first);
      ({ displacement, base: first } = this.parts);
    }
    const a = this.input(first), b = immediate ? this.number(this.second) : this.input(this.second);
    this.head((immediate ? F.TRAP_RI : F.TRAP_RR) + condition, 0, a);
    this.word(op.args[3]!);
    this.word(b);
    this.word(displacement);
    if (!this.isConst(first)) this.slots.release(first, i);
  }

  private branch(op: Op, i: number): void {
    const fused = this.isFused(i);
    const condition = this.ordered(op, 0);
    const immediate = this.isConst(this.second);
    const a = this.input(this.first), b = immediate ? this.number(this.second) : this.input(this.second);
    const label = op.args[3]!;
    if (!fused) {
      this.head((immediate ? F.BRCOND_RI : F.BRCOND_RR) + condition, immediate ? 0 : b, a);
      this.target(label);
      if (immediate) this.word(b);
      return;
    }
    const { ops } = this.block;
    const at = this.plan.labelAt[label]!;
    const { links } = this.result;
    this.head((immediate ? F.BRCOND_GOTO_RI : F.BRCOND_GOTO_RR) + condition, immediate ? this.carriedSlot : b, a);
    this.target(label);
    links[ops[i + 1]!.args[0] as 0 | 1] = this.p;
    this.word(0);
    links[ops[at + 1]!.args[0] as 0 | 1] = this.p;
    this.word(0);
    this.word(immediate ? b : this.carriedSlot);
    this.takeCarried();
    this.done.add(i + 1).add(at + 1);
  }

  /** Whether op i is a branch both of whose ways begin with goto_tb. */
  private isFused(i: number): boolean {
    const { ops } = this.block, op = ops[i]!;
    if (op.def !== O.BRCOND) return false;
    const next = ops[i + 1]!, label = op.args[3]!, at = this.plan.labelAt[label]!, taken = ops[at + 1];
    return next.def === O.GOTO_TB && taken?.def === O.GOTO_TB && next.args[0] !== taken.args[0] && at > i
      && this.plan.labelUses[label] === 1 && ops[at - 1]!.def.ends;
  }

  /** A constant's move to a global that the jump behind it can do. */
  private canCarry(op: Op, i: number): boolean {
    const [d, value] = op.args as [number, number];
    if (!this.isConst(value) || d >= this.block.globals.length) return false;
    const next = this.block.ops[i + 1]!;
    if (next.def === O.GOTO_TB) return !this.done.has(i + 1);
    return next.args[0] !== d && next.args[1] !== d && this.isFused(i + 1);
  }

  private takeCarried(): void {
    this.word(this.carriedValue);
    this.carriedSlot = F.SINK;
    this.carriedValue = 0;
  }

  private target(label: number): void {
    if (this.labels[label] === 0) this.fixups.push(this.p, label);
    this.word(this.labels[label]!);
  }

  // Guest memory.

  private load(op: Op, i: number): void {
    const memop = op.args[2]!, { parts } = this;
    parts.find(this.block, this.plan, op.args[1]!);
    const { base, index } = parts;
    const a = base < 0 ? 0 : this.input(base), x = index < 0 ? 0 : this.input(index);
    this.releaseParts(i);
    const d = this.output(op.args[0]!);
    if (base < 0) this.head(F.LOAD_ABS[memop]!, d, 0);
    else this.head((index < 0 ? F.LOAD_DISP : F.LOAD_SIB)[memop]!, d, a);
    this.word(parts.displacement);
    if (index >= 0) this.word(x | parts.shift << 11);
  }

  private store(op: Op, i: number): void {
    const value = op.args[0]!, size = op.args[2]! & 3, { parts } = this;
    parts.find(this.block, this.plan, op.args[1]!);
    const { base, index } = parts;
    const a = base < 0 ? 0 : this.input(base), x = index < 0 ? 0 : this.input(index);
    if (this.isConst(value) && base >= 0 && index < 0) {
      this.head(F.STORE_DISP_I[size]!, 0, a);
      this.word(parts.displacement);
      this.word(this.number(value));
    } else {
      const d = this.input(value);
      if (base < 0) this.head(F.STORE_ABS[size]!, d, 0);
      else this.head((index < 0 ? F.STORE_DISP : F.STORE_SIB)[size]!, d, a);
      this.word(parts.displacement);
      if (index >= 0) this.word(x | parts.shift << 11);
    }
    this.releaseParts(i);
  }

  private releaseParts(i: number): void {
    const { base, index } = this.parts;
    if (base >= 0) this.slots.release(base, i);
    if (index >= 0) this.slots.release(index, i);
  }

  private call(op: Op, i: number): void {
    const { args } = op;
    const helper = this.block.helpers[args[0]!]!;
    const outs = helper.returns ? 1 : 0, count = args.length - 1 - outs;
    if (count > F.MAX_CALL_ARGS) throw new Error(`helper ${helper.name} has too many inputs`);
    let immediates = 0;
    // The inputs go where they will stand; only then is it known where the output goes.
    const inputs = this.p + 2;
    for (let k = 0; k < count; k++) {
      const value = args[1 + outs + k]!;
      if (this.isConst(value)) immediates |= 1 << k;
      this.code[inputs + k] = this.isConst(value) ? this.number(value) : this.input(value);
    }
    this.releaseInputs(op, i);
    this.head(F.CALL[count << 1 | outs]!, outs > 0 ? this.output(args[1]!) : 0, 0);
    this.word(args[0]! | immediates << 16);
    this.p += count;
  }
}
