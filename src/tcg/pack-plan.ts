/**
 * What the packer must know of a whole block before it writes the first word; found in one walk from the end to the start.
 *  - which temporary is read last where, so that its slot can be used again
 *  - which additions and shifts only make addresses: they are left out and become the address forms of loads and stores,
 *    and the displacement in range checks (trapcond)
 *  - which loads of state words can be left out, because the word itself can be named wherever the temporary is read
 *  - where labels stand and how many branches go there
 * In a block with a loop temporaries keep their slots and nothing is left out.
 */
import { CONST, TEMP, type Block, type Op } from './ir.ts';
import * as O from './ops.ts';

const NEVER = 0x7fffffff;
/** How an address temporary is used: alone or with a displacement only; as one of two summands; in a range check. */
const ALONE = 1, SUMMAND = 2, CHECK = 4;

export class PackPlan {
  /** Per value: index of the op that reads it last, -1 if none does. */
  last: Int32Array;
  /** Per value: its definition is left out; index of that op + 1, else 0. */
  leftOut: Int32Array;
  /** Per value: the state slot that stands for it, or -1. */
  alias: Int32Array;
  /** Per label: index of its set_label, number of branches to it. */
  readonly labelAt: number[] = [];
  readonly labelUses: number[] = [];
  hasLoop = false;
  private definitions: Uint8Array;
  /** Per value, walking backwards: the next op that writes it. */
  private nextWrite: Int32Array;
  /** Per value: last op that would compute it as part of an address; 0 if it is not read as an address. */
  private addressUntil: Int32Array;
  private addressRole: Uint8Array;
  /** Per summand: the sum it belongs to, + 1; -1 if there are several. Per sum: a summand is shifted. */
  private sumOf: Int32Array;
  private hasShift: Uint8Array;
  /** Per value: read as something else than an address. */
  private otherUse: Uint8Array;

  constructor() {
    const size = 1024;
    this.last = new Int32Array(size);
    this.leftOut = new Int32Array(size);
    this.alias = new Int32Array(size);
    this.nextWrite = new Int32Array(size);
    this.addressUntil = new Int32Array(size);
    this.sumOf = new Int32Array(size);
    this.hasShift = new Uint8Array(size);
    this.definitions = new Uint8Array(size);
    this.addressRole = new Uint8Array(size);
    this.otherUse = new Uint8Array(size);
  }

  make(block: Block): void {
    this.clear(block.values);
    this.scanForward(block);
    this.scanBackward(block);
  }

  private clear(values: number): void {
    if (values > this.last.length) {
      const size = values * 2;
      this.last = new Int32Array(size);
      this.leftOut = new Int32Array(size);
      this.alias = new Int32Array(size);
      this.nextWrite = new Int32Array(size);
      this.addressUntil = new Int32Array(size);
      this.sumOf = new Int32Array(size);
      this.hasShift = new Uint8Array(size);
      this.definitions = new Uint8Array(size);
      this.addressRole = new Uint8Array(size);
      this.otherUse = new Uint8Array(size);
    }
    this.last.fill(-1, 0, values);
    this.leftOut.fill(0, 0, values);
    this.alias.fill(-1, 0, values);
    this.nextWrite.fill(NEVER, 0, values);
    this.addressUntil.fill(0, 0, values);
    this.sumOf.fill(0, 0, values);
    this.hasShift.fill(0, 0, values);
    this.definitions.fill(0, 0, values);
    this.addressRole.fill(0, 0, values);
    this.otherUse.fill(0, 0, values);
  }

  private scanForward(block: Block): void {
    const { ops } = block;
    this.hasLoop = false;
    this.labelAt.length = this.labelUses.length = 0;
    for (let i = 0; i < block.labels; i++) {
      this.labelAt.push(-1);
      this.labelUses.push(0);
    }
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!, { def, args } = op;
      const outs = block.outs(op);
      if (outs > 0) {
        const out = args[def === O.CALL ? 1 : 0]!;
        if (this.definitions[out]! < 2) this.definitions[out]!++;
      } else if (def === O.SET_LABEL) {
        this.labelAt[args[0]!] = i;
      } else if (def === O.BR || def === O.BRCOND) {
        const label = args[args.length - 1]!;
        this.labelUses[label]!++;
        if (this.labelAt[label]! >= 0) this.hasLoop = true;
      }
    }
  }

  private scanBackward(block: Block): void {
    const { ops } = block;
    // The next call or write of a state word.
    let nextClobber = NEVER;
    for (let i = ops.length - 1; i >= 0; i--) {
      const op = ops[i]!, { def, args } = op;
      const isCall = def === O.CALL;
      const firstOut = isCall ? 1 : 0, firstIn = firstOut + block.outs(op);
      if (firstIn > firstOut) {
        const out = args[firstOut]!;
        if (this.leaveOut(block, op, nextClobber)) {
          this.leftOut[out] = i + 1;
          continue;
        }
        this.nextWrite[out] = i;
      }
      if (isCall || def === O.ST_ENV || def === O.GUEST_LD_VEC || def === O.MOV_VEC || def === O.ZERO_VEC) nextClobber = i;
      const end = isCall ? args.length : firstIn + def.ins;
      for (let k = firstIn; k < end; k++) {
        const value = args[k]!;
        if (this.last[value]! < i) this.last[value] = i;
        if (k === 1 && (def === O.GUEST_LD || def === O.GUEST_ST)) this.useAsAddress(value, i, ALONE, 0);
        else if (k === 0 && def === O.TRAP) this.useAsAddress(value, i, CHECK, 0);
        else this.otherUse[value] = 1;
      }
    }
    if (this.hasLoop) this.last.fill(ops.length, 0, block.values);
  }

  private useAsAddress(value: number, until: number, role: number, sum: number): void {
    if (this.addressUntil[value]! < until) this.addressUntil[value] = until;
    this.addressRole[value]! |= role;
    if (role === SUMMAND) this.sumOf[value] = this.sumOf[value] === 0 || this.sumOf[value] === sum ? sum : -1;
  }

  /** Whether an op is left out; walking backwards, everything that reads its output has been seen. */
  private leaveOut(block: Block, op: Op, nextClobber: number): boolean {
    const { def, args } = op;
    const out = args[0]!;
    if ((def !== O.ADD && def !== O.SHL && def !== O.LD_ENV) || this.hasLoop || block.kinds[out] !== TEMP || this.definitions[out] !== 1) return false;
    if (def === O.LD_ENV) {
      if (this.last[out]! > nextClobber) return false;
      this.alias[out] = args[1]!;
      return true;
    }
    const until = this.addressUntil[out]!, role = this.addressRole[out]!, sum = this.sumOf[out]!;
    const a = args[1]!, b = args[2]!;
    if (until === 0 || this.otherUse[out] !== 0 || block.kinds[a] === CONST) return false;
    if (this.nextWrite[a]! < until || this.nextWrite[b]! < until) return false;
    const offset = block.kinds[b] === CONST;
    if (def === O.SHL) {
      // An index: the other summand must not be shifted too.
      if (role !== SUMMAND || sum <= 0 || this.hasShift[sum - 1] !== 0 || !offset || block.numbers[b]! < 1 || block.numbers[b]! > 3) return false;
      this.hasShift[sum - 1] = 1;
      this.otherUse[a] = 1;
    } else if (offset) {
      this.useAsAddress(a, until, role, sum);
    } else {
      if (role !== ALONE || a === b) return false;
      this.useAsAddress(a, until, SUMMAND, out + 1);
      this.useAsAddress(b, until, SUMMAND, out + 1);
    }
    if (this.last[a]! < until) this.last[a] = until;
    if (this.last[b]! < until) this.last[b] = until;
    return true;
  }
}
