/** What folds see of the walk over a block, and how they change an op. */
import { CONST, type Block, type Op } from '../ir.ts';
import * as O from '../ops.ts';
import { Values } from './values.ts';

export class Folder {
  block!: Block;
  readonly values = new Values();

  /** Starts a walk. */
  begin(block: Block): void {
    this.block = block;
    this.values.begin(block);
  }

  isConst(value: number): boolean {
    return this.block.kinds[value] === CONST;
  }

  /** The number behind a constant. */
  number(value: number): number {
    return this.block.numbers[value]!;
  }

  /** Whether the value is this constant. */
  is(value: number, n: number): boolean {
    return this.block.kinds[value] === CONST && this.block.numbers[value] === n;
  }

  /** Whether two values are known to be equal. */
  same(a: number, b: number): boolean {
    return this.values.resolve(a) === this.values.resolve(b);
  }

  /** Turns the op into a move of a value to its output. */
  toMove(op: Op, from: number): void {
    op.def = O.MOV;
    op.args = [op.args[0]!, from];
  }

  /** Turns the op into a move of a number. */
  toNumber(op: Op, n: number): void {
    this.toMove(op, this.block.const(n));
  }

  /** Turns the op into another one with the same output. */
  to(op: Op, def: O.OpDef, ...rest: number[]): void {
    op.def = def;
    op.args = [op.args[0]!, ...rest];
  }
}
