/** Replaces 64-bit ops by 32-bit ones on pairs of temporaries, as TCG does on 32-bit hosts. */
import { LTU } from '../conditions.ts';
import { TEMP64, type Block, type Op } from '../ir.ts';
import * as O from '../ops.ts';
import type { OpDef } from '../ops.ts';

export function lowerI64(block: Block): void {
  const { ops } = block;
  if (!ops.some((op) => op.def.type === 'i64' || (op.def === O.DISCARD && block.kinds[op.args[0]!] === TEMP64))) return;
  const pairs = new Map<number, { low: number; high: number }>();
  const out: Op[] = [];
  const emit = (def: OpDef, ...args: number[]): void => { out.push({ def, args }); };
  const pair = (value: number): { low: number; high: number } => {
    let words = pairs.get(value);
    if (words === undefined) pairs.set(value, words = { low: block.temp(), high: block.temp() });
    return words;
  };
  // Outputs may be inputs too: both words are computed aside before either is written.
  const store = (value: number, low: number, high: number): void => {
    const d = pair(value);
    emit(O.MOV, d.low, low);
    emit(O.MOV, d.high, high);
  };

  for (const op of ops) {
    const [d = 0, x = 0, y = 0] = op.args;
    switch (op.def) {
      case O.MOV64: {
        const a = pair(x);
        store(d, a.low, a.high);
        break;
      }
      case O.ADD64:
      case O.SUB64: {
        const a = pair(x), b = pair(y);
        const low = block.temp(), high = block.temp(), carry = block.temp();
        const def = op.def === O.ADD64 ? O.ADD : O.SUB;
        emit(def, low, a.low, b.low);
        if (def === O.ADD) emit(O.SETCOND, carry, low, b.low, LTU);
        else emit(O.SETCOND, carry, a.low, b.low, LTU);
        emit(def, high, a.high, b.high);
        emit(def, high, high, carry);
        store(d, low, high);
        break;
      }
      case O.AND64:
      case O.OR64:
      case O.XOR64: {
        const a = pair(x), b = pair(y), to = pair(d);
        const def = op.def === O.AND64 ? O.AND : op.def === O.OR64 ? O.OR : O.XOR;
        emit(def, to.low, a.low, b.low);
        emit(def, to.high, a.high, b.high);
        break;
      }
      case O.MULU64:
      case O.MULS64: {
        const to = pair(d);
        emit(O.MUL, to.low, x, y);
        emit(op.def === O.MULU64 ? O.MULUH : O.MULSH, to.high, x, y);
        break;
      }
      case O.EXTRL: emit(O.MOV, d, pair(x).low); break;
      case O.EXTRH: emit(O.MOV, d, pair(x).high); break;
      case O.CONCAT: store(d, x, y); break;
      case O.DISCARD: {
        if (block.kinds[d] !== TEMP64) { out.push(op); break; }
        emit(O.DISCARD, pair(d).low);
        emit(O.DISCARD, pair(d).high);
        break;
      }
      default: out.push(op);
    }
  }
  ops.length = 0;
  for (const op of out) ops.push(op);
}
