/**
 * Checks that a block keeps the rules of the IR; passes and packer rely on them.
 *  - operands: number, kind and type as the op table (or the helper) says; conditions, memops, fields and helpers in range
 *  - temporaries are written on every path before they are read (globals always have a value)
 *  - labels are set exactly once, and every branch has its label
 *  - the last op ends the block; each slot of goto_tb is used once at most
 *  - precise state: within a guest instruction nothing may leave the block after the first side effect, so that a fault
 *    or a replay sees the instruction not begun. Side effects: a write of a global or of a state word that is not scratch, a guest store,
 *    a call that writes globals. What one op does itself comes after its own leaving.
 */
import { CONDITIONS } from './conditions.ts';
import { MAX_SLOTS } from './forms.ts';
import { CONST, GLOBAL, TEMP64, type Block, type Op } from './ir.ts';
import * as O from './ops.ts';
import type { OpDef, OperandKind } from './ops.ts';
import { printBlock, printOp } from './text.ts';

export class VerifyError extends Error {
  override readonly name = 'VerifyError';
}

/** Throws a VerifyError that shows the block with the offending op marked. */
export function verify(block: Block): void {
  const { ops } = block;
  const fail = (index: number, why: string): never => {
    const lines = printBlock(block).split('\n');
    if (ops[index] !== undefined) lines[index] = `>${lines[index]!.slice(1)}    <-- ${why}`;
    throw new VerifyError(`${why}\n${lines.join('\n')}`);
  };
  const labels = block.labels === 0 ? [] : checkLabels(block, fail);
  let slots = 0;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    const why = op.def === O.CALL ? checkCall(block, op) : checkOperands(block, op);
    if (why !== '') fail(i, why);
    if (op.def !== O.GOTO_TB) continue;
    if ((slots & 1 << op.args[0]!) !== 0) fail(i, 'goto_tb slot used twice');
    slots |= 1 << op.args[0]!;
  }
  if (ops.length === 0 || !ops[ops.length - 1]!.def.ends) fail(ops.length - 1, 'the block does not end');
  // A backward branch can carry a state to a label that was passed already: repeat until nothing changes.
  while (!checkFlow(block, labels, fail));
}

/** Ops whose last operand is a size. */
const VECTORS: ReadonlySet<OpDef> = new Set([O.GUEST_LD_VEC, O.GUEST_ST_VEC, O.MOV_VEC, O.ZERO_VEC]);

type Fail = (index: number, why: string) => never;

/** What is known where a label stands, over all ways to it: which values have been written, and whether a side effect happened. */
interface LabelState { position: number; defined: Uint8Array | undefined; dirty: boolean }

function checkLabels(block: Block, fail: Fail): LabelState[] {
  const labels: LabelState[] = Array.from({ length: block.labels }, () => ({ position: -1, defined: undefined, dirty: false }));
  block.ops.forEach((op, index) => {
    if (op.def !== O.SET_LABEL) return;
    const state = labels[op.args[0]!];
    if (state === undefined) return fail(index, 'no such label');
    if (state.position >= 0) fail(index, 'label set twice');
    state.position = index;
  });
  block.ops.forEach((op, index) => {
    if (op.def !== O.BR && op.def !== O.BRCOND) return;
    const label = op.args.at(-1)!;
    if (labels[label] === undefined || labels[label].position < 0) fail(index, 'label never set');
  });
  return labels;
}

/** What is wrong with a value as an operand, or ''. */
function checkValue(block: Block, value: number, output: boolean, wanted: 'i32' | 'i64'): string {
  const kind = block.kinds[value];
  if (kind === undefined) return `${output ? 'output' : 'input'} is no value`;
  if ((kind === TEMP64) !== (wanted === 'i64')) return `${output ? 'output' : 'input'} is not ${wanted}`;
  return output && kind === CONST ? 'output is a constant' : '';
}

function checkCall(block: Block, { args }: Op): string {
  const helper = block.helpers[args[0]!];
  if (helper === undefined) return 'no such helper';
  const outs = helper.returns ? 1 : 0;
  if (args.length !== 1 + outs + helper.args) return `${helper.name} takes ${outs} outputs and ${helper.args} inputs`;
  for (let i = 1; i < args.length; i++) {
    const why = checkValue(block, args[i]!, i <= outs, 'i32');
    if (why !== '') return why;
  }
  return '';
}

function checkOperands(block: Block, { def, args }: Op): string {
  const { operands } = def;
  if (args.length !== operands.length) return `${def.name} takes ${operands.length} operands`;
  for (let i = 0; i < operands.length; i++) {
    const why = checkOperand(block, def, operands[i]!, args[i]!);
    if (why !== '') return why;
  }
  if (def === O.DEPOSIT || def === O.EXTRACT || def === O.SEXTRACT) {
    const length = args.at(-1)!, position = args.at(-2)!;
    if (position < 0 || length < 1 || position + length > 32) return 'field out of range';
  }
  if (VECTORS.has(def) && args.at(-1) !== 8 && args.at(-1) !== 16) return `${def.name} takes 8 or 16 bytes`;
  if (def === O.GOTO_TB && args[0]! >>> 0 > 1) return 'slot of goto_tb out of range';
  if (def === O.EXIT_TB && args[0]! >>> 0 > 2) return 'code of exit_tb out of range';
  return '';
}

function checkOperand(block: Block, def: OpDef, kind: OperandKind, arg: number): string {
  switch (kind) {
    case 'out': return def === O.DISCARD && block.kinds[arg] === TEMP64 ? '' : checkValue(block, arg, true, def.outType);
    case 'in': return checkValue(block, arg, false, def.inType);
    case 'cond': return CONDITIONS[arg] === undefined ? 'no such condition' : '';
    case 'memop': return O.MEMOP_NAMES[arg] === undefined ? 'no such memop' : '';
    case 'slot': return arg >= 0 && arg < MAX_SLOTS ? '' : 'slot out of range';
    case 'imm': return arg === (arg | 0) ? '' : 'immediate is no int32';
    case 'label': case 'helper': return '';
  }
}

/** One walk; false if a label's state changed after the walk had passed it. */
function checkFlow(block: Block, labels: LabelState[], fail: Fail): boolean {
  let stable = true;
  let reachable = true, dirty = false;
  const defined = new Uint8Array(block.values);
  for (let i = 0; i < defined.length; i++) if (block.kinds[i] === GLOBAL || block.kinds[i] === CONST) defined[i] = 1;

  const merge = (label: number, index: number): void => {
    const state = labels[label]!;
    let changed = false;
    if (state.defined === undefined) {
      state.defined = defined.slice();
      changed = true;
    } else {
      for (let i = 0; i < defined.length; i++) if (state.defined[i]! > defined[i]!) { state.defined[i] = 0; changed = true; }
    }
    if (dirty && !state.dirty) state.dirty = changed = true;
    if (changed && state.position <= index) stable = false;
  };

  for (let index = 0; index < block.ops.length; index++) {
    const op = block.ops[index]!, { def, args } = op;
    if (def === O.SET_LABEL) {
      if (reachable) merge(args[0]!, index - 1);
      const state = labels[args[0]!]!;
      reachable = state.defined !== undefined;
      if (reachable) {
        defined.set(state.defined!);
        dirty = state.dirty;
      }
      continue;
    }
    if (!reachable) continue;
    const helper = def === O.CALL ? block.helpers[args[0]!]! : undefined;
    const firstOut = helper === undefined ? 0 : 1, firstIn = firstOut + block.outs(op);
    const lastIn = helper === undefined ? firstIn + def.ins : args.length;
    for (let i = firstIn; i < lastIn; i++) if (defined[args[i]!] === 0) fail(index, 'read before it is written');
    if (def === O.INSN_START) dirty = false;
    if (dirty && (def.mayExit || helper?.mayFault)) fail(index, `may leave after a side effect: ${printOp(block, op).trim()}`);
    if (def === O.GUEST_ST || def === O.GUEST_ST_VEC || helper?.globals === 'write') dirty = true;
    if ((def === O.ST_ENV || def === O.GUEST_LD_VEC) && !block.isScratch(args[1]!)) dirty = true;
    if ((def === O.MOV_VEC || def === O.ZERO_VEC) && !block.isScratch(args[0]!)) dirty = true;
    for (let i = firstOut; i < firstIn; i++) {
      const value = args[i]!;
      if (block.kinds[value] === GLOBAL && def !== O.DISCARD) dirty = true;
      defined[value] = def === O.DISCARD && block.kinds[value] !== GLOBAL ? 0 : 1;
    }
    if (def === O.BR || def === O.BRCOND) merge(args.at(-1)!, index);
    if (def.ends) reachable = false;
  }
  return stable;
}
