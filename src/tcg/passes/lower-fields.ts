/**
 * Replaces extract, sextract and deposit by what the op interpreter has: extensions, shifts and masks, except for the
 * fields that guest code is full of (byte and word registers), which stay. See FIELDS in ../forms.ts.
 */
import { FIELDS } from '../forms.ts';
import type { Block, Op } from '../ir.ts';
import * as O from '../ops.ts';
import type { OpDef } from '../ops.ts';

export function lowerFields(block: Block): void {
  const { ops } = block;
  let out: Op[] | undefined;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!, { def } = op;
    if ((def !== O.DEPOSIT && def !== O.EXTRACT && def !== O.SEXTRACT) || FIELDS.has(def, op.args.at(-2)!, op.args.at(-1)!)) {
      out?.push(op);
      continue;
    }
    out ??= ops.slice(0, i);
    if (def === O.DEPOSIT) lowerDeposit(block, op, out);
    else lowerExtract(block, op, out);
  }
  if (out === undefined) return;
  ops.length = 0;
  for (const op of out) ops.push(op);
}

function lowerExtract(block: Block, op: Op, out: Op[]): void {
  const [d, a, position, length] = op.args as [number, number, number, number];
  const signed = op.def === O.SEXTRACT;
  const emit = (def: OpDef, ...args: number[]): void => { out.push({ def, args }); };
  if (position === 0 && length === 8) return emit(signed ? O.EXT8S : O.EXT8U, d, a);
  if (position === 0 && length === 16) return emit(signed ? O.EXT16S : O.EXT16U, d, a);
  const top = block.const(32 - length);
  if (position + length === 32) return emit(signed ? O.SAR : O.SHR, d, a, top);
  const t = block.temp();
  if (signed) {
    emit(O.SHL, t, a, block.const(32 - position - length));
    return emit(O.SAR, d, t, top);
  }
  const mask = block.const((1 << length) - 1);
  if (position === 0) return emit(O.AND, d, a, mask);
  emit(O.SHR, t, a, block.const(position));
  emit(O.AND, d, t, mask);
}

function lowerDeposit(block: Block, op: Op, out: Op[]): void {
  const [d, a, b, position, length] = op.args as [number, number, number, number, number];
  const emit = (def: OpDef, ...args: number[]): void => { out.push({ def, args }); };
  if (length === 32) return emit(O.MOV, d, b);
  const mask = (1 << length) - 1;
  const field = block.temp(), rest = block.temp();
  emit(O.AND, field, b, block.const(mask));
  emit(O.SHL, field, field, block.const(position));
  emit(O.AND, rest, a, block.const(~(mask << position)));
  emit(O.OR, d, rest, field);
}
