/**
 * The intermediate representation of one translation block: a list of ops over numbered values.
 * Values 0..G-1 are the globals; above them come temporaries and interned constants in the order of their creation.
 * An op's arguments stand in the order of the op table: outputs, inputs, immediates. A call's: helper, outputs, inputs.
 * A block object is reused: reset() starts the next block. Shared by builder, parser, passes, printer, verifier and packer.
 */
import type { Helper } from './env.ts';
import { CALL, type OpDef } from './ops.ts';

export interface Op {
  def: OpDef;
  args: number[];
}

/** What a value is. */
export const GLOBAL = 0, TEMP = 1, TEMP64 = 2, CONST = 3;

export class Block {
  readonly globals: readonly string[];
  readonly helpers: readonly Helper[];
  private readonly scratch: readonly [from: number, end: number];
  readonly ops: Op[] = [];
  /** Kind of each value: GLOBAL, TEMP, TEMP64, CONST. */
  readonly kinds: number[] = [];
  /** Per value: a constant's int32; a temporary's number in the text form. */
  readonly numbers: number[] = [];
  labels = 0;
  private temps = 0;
  private readonly constants = new Map<number, number>();

  /** @param scratch state words, from the first up to and without the second, that hold nothing from one instruction to the next */
  constructor(globals: readonly string[], helpers: readonly Helper[], scratch: readonly [from: number, end: number] = [0, 0]) {
    this.globals = globals;
    this.helpers = helpers;
    this.scratch = scratch;
    for (let i = 0; i < globals.length; i++) {
      this.kinds.push(GLOBAL);
      this.numbers.push(i);
    }
  }

  /** Starts a new block: only the globals remain. */
  reset(): void {
    this.ops.length = 0;
    this.kinds.length = this.numbers.length = this.globals.length;
    this.labels = this.temps = 0;
    this.constants.clear();
  }

  /** Number of values: all value numbers are below it. */
  get values(): number {
    return this.kinds.length;
  }

  /** A new temporary of 32 bits. */
  temp(): number {
    return this.value(TEMP, this.temps++);
  }

  /** A new temporary of 64 bits. */
  temp64(): number {
    return this.value(TEMP64, this.temps++);
  }

  /** The temporary that is written `tmp<number>` (or `wide<number>`) in the text form; only for the parser. */
  namedTemp(kind: typeof TEMP | typeof TEMP64, number: number): number {
    this.temps = Math.max(this.temps, number + 1);
    return this.value(kind, number);
  }

  /** The value of a constant; the same number always gives the same value. */
  const(number: number): number {
    number |= 0;
    let value = this.constants.get(number);
    if (value === undefined) this.constants.set(number, value = this.value(CONST, number));
    return value;
  }

  /** Writing this state word is no side effect. */
  isScratch(slot: number): boolean {
    return slot >= this.scratch[0] && slot < this.scratch[1];
  }

  isConst(value: number): boolean {
    return this.kinds[value] === CONST;
  }

  /** The number behind a constant (int32). */
  constValue(value: number): number {
    return this.numbers[value]!;
  }

  /** A new label, to be set once with set_label. */
  label(): number {
    return this.labels++;
  }

  /** Number of outputs: they come first in the arguments (after a call's helper). */
  outs(op: Op): number {
    return op.def === CALL ? (this.helpers[op.args[0]!]!.returns ? 1 : 0) : op.def.outs;
  }

  private value(kind: number, number: number): number {
    this.kinds.push(kind);
    this.numbers.push(number);
    return this.kinds.length - 1;
  }
}
