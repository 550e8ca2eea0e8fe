/** The emitter of every row: families joined into a table by row number. A row without one is an error at start. */
import type { Row } from '../decode/insn.ts';
import { ROWS } from '../decode/table.ts';
import { arithmetic } from './arithmetic.ts';
import { bitByte } from './bit-byte.ts';
import { controlTransfer } from './control-transfer.ts';
import { dataTransfer } from './data-transfer.ts';
import { decimal } from './decimal.ts';
import type { Emitter, Family } from './emitter.ts';
import { enterLeave } from './enter-leave.ts';
import { flagControl } from './flag-control.ts';
import { io } from './io.ts';
import { logical } from './logical.ts';
import { miscellaneous } from './miscellaneous.ts';
import { segmentRegister } from './segment-register.ts';
import { shiftRotate } from './shift-rotate.ts';
import { simdMove } from './simd-move.ts';
import { simdFamily } from './simd.ts';
import { stringFamily } from './string.ts';
import { system } from './system.ts';
import { x87 } from './x87.ts';

/** By the name of their file. */
const FAMILIES: Readonly<Record<string, Family>> = {
  'data-transfer': dataTransfer, arithmetic, decimal, logical, 'shift-rotate': shiftRotate, 'bit-byte': bitByte, 'control-transfer': controlTransfer, string: stringFamily,
  io, 'enter-leave': enterLeave, 'flag-control': flagControl, 'segment-register': segmentRegister, miscellaneous, system, x87, 'simd-move': simdMove, simd: simdFamily,
};

/** All emitters by key; a key may stand in one family only. */
function joined(): Map<string, Emitter> {
  const all = new Map<string, Emitter>();
  for (const family of Object.values(FAMILIES)) {
    for (const [key, entry] of Object.entries(family)) {
      if (all.has(key)) throw new Error(`two emitters for ${key}`);
      all.set(key, typeof entry === 'function' ? { emit: entry, syncFlags: false } : entry);
    }
  }
  return all;
}

/** Of several entries the one with operands counts. */
const keysOf = ({ mnemonic, operands }: Row): readonly [string, string] => [`${mnemonic} ${operands.join(',')}`, mnemonic];

function emitterOf(row: Row, all: ReadonlyMap<string, Emitter>): Emitter {
  const [exact, plain] = keysOf(row), emitter = all.get(exact) ?? all.get(plain);
  if (emitter === undefined) throw new Error(`no emitter for ${row.mnemonic} ${row.operands.join(',')}`);
  return emitter;
}

const all = joined();
/** By row number. */
export const EMITTERS: readonly Emitter[] = ROWS.map((row) => emitterOf(row, all));

/** The name of the family, and of its file in this folder. */
export function familyOf(row: Row): string {
  const names = Object.keys(FAMILIES);
  for (const key of keysOf(row)) {
    const name = names.find((each) => key in FAMILIES[each]!);
    if (name !== undefined) return name;
  }
  throw new Error(`no family for ${row.mnemonic}`);
}
