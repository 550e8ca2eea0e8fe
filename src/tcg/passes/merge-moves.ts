/**
 * Merges a computation with the move of its result: `add tmp0,eax,ebx; mov eax,tmp0` becomes `add eax,eax,ebx`, if nothing
 * in between reads or writes the register, may leave the block, or ends the straight line, and nothing reads the temporary
 * later. (Later readers read the register: copy propagation sees to that.)
 */
import { GLOBAL, TEMP, type Block } from '../ir.ts';
import * as O from '../ops.ts';

export function createMergeMoves(): (block: Block) => void {
  let size = 1024;
  // Per value, as op indices + 1 (0: not in this straight line): the last op that reads it, the last that writes it.
  let lastRead = new Int32Array(size), lastWrite = new Int32Array(size);
  // Per value: reads in the whole block; reads so far.
  let reads = new Int32Array(size), readsSoFar = new Int32Array(size);

  const begin = (block: Block): void => {
    if (block.values > size) {
      size = block.values * 2;
      lastRead = new Int32Array(size);
      lastWrite = new Int32Array(size);
      reads = new Int32Array(size);
      readsSoFar = new Int32Array(size);
      return;
    }
    lastRead.fill(0, 0, block.values);
    lastWrite.fill(0, 0, block.values);
    reads.fill(0, 0, block.values);
    readsSoFar.fill(0, 0, block.values);
  };

  return (block) => {
    begin(block);
    if (!countReads(block, reads)) return;
    const { ops, kinds } = block;
    // Index of the last op that nothing may be moved across.
    let barrier = -1;
    let removed = 0;
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!, { def, args } = op;
      if (def === O.MOV) {
        const to = args[0]!, from = args[1]!;
        const at = lastWrite[from]! - 1;
        if (kinds[from] === TEMP && kinds[to] === GLOBAL && at >= 0 && at >= barrier && reads[from] === readsSoFar[from]! + 1
          && lastRead[to]! - 1 <= at && lastWrite[to]! - 1 < at) {
          rename(block, at, i, from, to);
          lastRead[to] = lastRead[from]!;
          lastWrite[to] = at + 1;
          readsSoFar[from] = readsSoFar[from]! + 1;
          removed++;
          ops[i] = { def: O.DISCARD, args: [from] };
          continue;
        }
      }
      const helper = def === O.CALL ? block.helpers[args[0]!]! : undefined;
      const firstOut = helper === undefined ? 0 : 1, firstIn = firstOut + block.outs(op);
      const end = helper === undefined ? firstIn + def.ins : args.length;
      for (let k = firstIn; k < end; k++) {
        const value = args[k]!;
        lastRead[value] = i + 1;
        readsSoFar[value] = readsSoFar[value]! + 1;
      }
      if (def.mayExit || def.ends || def === O.BRCOND || def === O.GOTO_TB || (helper !== undefined && (helper.mayFault || helper.globals !== 'none'))) barrier = i;
      if (def === O.SET_LABEL) {
        barrier = i;
        // What was written before the label may come from elsewhere.
        lastWrite.fill(0, 0, block.values);
      }
      for (let k = firstOut; k < firstIn; k++) lastWrite[args[k]!] = i + 1;
    }
    if (removed > 0) dropDiscards(block);
  };
}

/** Counts the readers of each value. False if the block has a loop: then a reader may come before the writer. */
function countReads(block: Block, reads: Int32Array): boolean {
  let labelsSeen = 0;
  for (const op of block.ops) {
    const { def, args } = op;
    const isCall = def === O.CALL;
    const firstIn = (isCall ? 1 : 0) + block.outs(op), end = isCall ? args.length : firstIn + def.ins;
    for (let k = firstIn; k < end; k++) reads[args[k]!] = reads[args[k]!]! + 1;
    if (def === O.SET_LABEL) labelsSeen |= 1 << (args[0]! & 31);
    else if ((def === O.BR || def === O.BRCOND) && (labelsSeen & 1 << (args.at(-1)! & 31)) !== 0) return false;
  }
  return true;
}

/** The op at `at` writes `to` instead of `from`, and those up to `end` read it. */
function rename(block: Block, at: number, end: number, from: number, to: number): void {
  const writer = block.ops[at]!;
  writer.args[writer.def === O.CALL ? 1 : 0] = to;
  for (let i = at + 1; i < end; i++) {
    const op = block.ops[i]!, { def, args } = op;
    const isCall = def === O.CALL;
    const firstIn = (isCall ? 1 : 0) + block.outs(op), last = isCall ? args.length : firstIn + def.ins;
    for (let k = firstIn; k < last; k++) if (args[k] === from) args[k] = to;
  }
}

function dropDiscards(block: Block): void {
  const { ops, kinds } = block;
  let kept = 0;
  for (const op of ops) if (op.def !== O.DISCARD || kinds[op.args[0]!] !== TEMP) ops[kept++] = op;
  ops.length = kept;
}
