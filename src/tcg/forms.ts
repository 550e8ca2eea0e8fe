/**
 * The packed forms of ops: what the op interpreter executes. Generated from the op table; an op has a form per operand
 * pattern (register/register, register/immediate, …), per condition, per memory operand, per common bit field.
 *
 * Word 0 of a packed op:  bits 0-9 form, bits 10-20 slot `d`, bits 21-31 slot `a`.  More words as the form says.
 * Slots are state slots (globals, env words, temporaries): 0-2047. Immediates and positions take a word of their own.
 *
 * `body` is the JavaScript of the form's case in the interpreter's loop (interp.ts): `R` state, `C` code, `p` position of
 * word 0, `w` word 0, `$name` a slot of EnvLayout; a b h m pc q t v are scratch variables. After `step` bodies the loop goes on behind the op; `jump` bodies set p
 * and `continue`, or set p to a block's header and `break`, or return.
 */
import { CONDITIONS, conditionJs } from './conditions.ts';
import { EXIT_LOOKUP, EXIT_TRAP } from './env.ts';
import { jumpHashJs } from './jump-cache.ts';
import * as O from './ops.ts';
import type { OpDef } from './ops.ts';

export interface Form {
  readonly name: string;
  readonly number: number;
  /** Length in words. */
  readonly words: number;
  readonly body: string;
  readonly jumps: boolean;
}

/** Bits of word 0. */
export const FORM_MASK = 1023, D_SHIFT = 10, A_SHIFT = 21, SLOT_MASK = 2047;
/** Slots that packed ops can name. */
export const MAX_SLOTS = 2048;
/** A slot that nobody reads. */
export const SINK = MAX_SLOTS - 1;
/** Inputs that a call may have. */
export const MAX_CALL_ARGS = 8;

const table: Form[] = [];

function form(name: string, words: number, body: string, jumps: boolean): number {
  table.push({ name, number: table.length, words, body, jumps });
  return table.length - 1;
}
const step = (name: string, words: number, body: string): number => form(name, words, body, false);
const jump = (name: string, words: number, body: string): number => form(name, words, body, true);

const D = 'R[w >>> 10 & 2047]', A = 'R[w >>> 21]', W1 = 'C[p + 1]', W2 = 'C[p + 2]', W3 = 'C[p + 3]', W4 = 'C[p + 4]';

// Block boundaries come first: the interpreter's hottest cases.

/** Head of a block: see tb-cache.ts for its words. The loop runs it after the switch. */
export const TB_START = jump('tb_start', 9, 'break;');
/**
 * [w with slot d, position of the target's head or 0, value for slot d]. Blocks mostly write a constant (cc_op) just before they
 * jump, so the jump does that too; if there is nothing to write, to slot SINK.
 */
export const GOTO_TB = jump('goto_tb', 3, `${D} = ${W2}; t = ${W1}; if (t === 0) { p = p + 3 | 0; continue; } p = t; break;`);
/** Slot a holds the EXIT_* code. */
export const EXIT_TB = jump('exit_tb', 1, 'R[$currentOp] = p; return w >>> 21;');
/** [w, position of the head of the block that this op belongs to: it counts the hits that start a block; those that enter a region start none] */
export const LOOKUP = jump('lookup_and_goto_ptr', 2, `
  b = R[$csBase], pc = R[$eip] + b | 0, t = J[${jumpHashJs('pc')}];
  if (t === 0 || C[t + 1] !== pc || C[t + 2] !== b || C[t + 3] !== R[$csLimit] || C[t + 4] !== R[$flags]) { R[$currentOp] = p; return ${EXIT_LOOKUP}; }
  if (C[t] === 0) { h = C[p + 1]; C[h + 8] = C[h + 8] + 1 | 0; } p = t; break;`);
/** [w, position] */
export const BR = jump('br', 2, `p = ${W1}; continue;`);

export const MOV = step('mov', 1, `${D} = ${A};`);
/** [w, value] */
export const MOVI = step('movi', 2, `${D} = ${W1};`);
/** Two moves in order: the words of both, where the form in the second's is not looked at. */
export const MOV_MOV = step('mov mov', 2, `${D} = ${A}; v = ${W1}; R[v >>> 10 & 2047] = R[v >>> 21];`);
export const MOV_MOVI = step('mov movi', 3, `${D} = ${A}; R[${W1} >>> 10 & 2047] = ${W2};`);
export const MOVI_MOV = step('movi mov', 3, `${D} = ${W1}; v = ${W2}; R[v >>> 10 & 2047] = R[v >>> 21];`);
export const MOVI_MOVI = step('movi movi', 4, `${D} = ${W1}; R[${W2} >>> 10 & 2047] = ${W3};`);

// Pure ops. Per op: the number of its form, or -1.
const none = (): number[] => O.OPS.map(() => -1);
/** One input: register a. */
export const UNARY: readonly number[] = none();
/** Two inputs: register a and register [1]; register a and immediate [1]; immediate [1] and register a. */
export const BINARY_RR: readonly number[] = none(), BINARY_RI: readonly number[] = none(), BINARY_IR: readonly number[] = none();
/** Ops whose two inputs may be swapped: packed with a constant second. */
export const COMMUTATIVE: ReadonlySet<OpDef> = new Set([O.ADD, O.MUL, O.MULUH, O.MULSH, O.AND, O.OR, O.XOR]);

const hasConditionOrField = (def: OpDef): boolean => def.operands.length > def.outs + def.ins;
for (const def of O.OPS) {
  if (def.js === undefined || def === O.MOV || hasConditionOrField(def)) continue;
  const { number, name, js } = def;
  if (def.ins === 1) {
    (UNARY as number[])[number] = step(name, 1, `a = ${A}; ${D} = ${js('a')};`);
  } else {
    (BINARY_RR as number[])[number] = step(`${name} rr`, 2, `a = ${A}, b = R[${W1}]; ${D} = ${js('a', 'b')};`);
    (BINARY_RI as number[])[number] = step(`${name} ri`, 2, `a = ${A}, b = ${W1}; ${D} = ${js('a', 'b')};`);
    if (!COMMUTATIVE.has(def)) (BINARY_IR as number[])[number] = step(`${name} ir`, 2, `a = ${W1}, b = ${A}; ${D} = ${js('a', 'b')};`);
  }
}

/** Bit fields with forms of their own: byte and word registers. The number of the form with registers, or -1. */
export function fieldForm(def: OpDef, position: number, length: number): number {
  return fields.get(fieldKey(def, position, length)) ?? -1;
}
const fields = new Map<number, number>();
const fieldKey = (def: OpDef, position: number, length: number): number => (def.number << 6 | position) << 6 | length;

/** deposit has two forms: the second takes an immediate instead of register [1]. */
function addField(def: OpDef, position: number, length: number): void {
  const { js, name } = def;
  const field = [String(position), String(length)] as const;
  const first = def.ins === 1
    ? step(`${name} ${position},${length}`, 1, `a = ${A}; ${D} = ${js!('a', ...field)};`)
    : step(`${name} ${position},${length} rr`, 2, `a = ${A}, b = R[${W1}]; ${D} = ${js!('a', 'b', ...field)};`);
  if (def.ins === 2) step(`${name} ${position},${length} ri`, 2, `a = ${A}, b = ${W1}; ${D} = ${js!('a', 'b', ...field)};`);
  fields.set(fieldKey(def, position, length), first);
}
addField(O.EXTRACT, 8, 8);
addField(O.SEXTRACT, 8, 8);
addField(O.DEPOSIT, 0, 8);
addField(O.DEPOSIT, 8, 8);
addField(O.DEPOSIT, 0, 16);

/** Any other field: [w, position | length << 6]; of deposit: [w, slot b, position | length << 6]. */
export const EXTRACT_ANY = step('extract_i32 any', 2, `a = ${A}, v = ${W1}; ${D} = ${O.EXTRACT.js!('a', '(v & 63)', '(v >>> 6)')};`);
export const SEXTRACT_ANY = step('sextract_i32 any', 2, `a = ${A}, v = ${W1}; ${D} = ${O.SEXTRACT.js!('a', '(v & 63)', '(v >>> 6)')};`);
export const DEPOSIT_ANY = step('deposit_i32 any', 3, `
  a = ${A}, b = R[${W1}], q = ${W2} & 63, v = ${W2} >>> 6; ${D} = ${O.DEPOSIT.js!('a', 'b', 'q', 'v')};`);

// Comparisons: the first of twelve forms, in the order of the conditions; RI: with an immediate.
const perCondition = (make: (condition: number) => number): number => CONDITIONS.map((_, condition) => make(condition))[0]!;
const named = (def: OpDef, condition: number, pattern: string): string => `${def.name} ${CONDITIONS[condition]} ${pattern}`;

const comparison = (def: OpDef, pattern: string, b: string): number => perCondition((c) =>
  step(named(def, c, pattern), 2, `a = ${A}, b = ${b}; ${D} = ${def.js!('a', 'b', String(c))};`));
export const SETCOND_RR = comparison(O.SETCOND, 'rr', `R[${W1}]`), SETCOND_RI = comparison(O.SETCOND, 'ri', W1);
export const NEGSETCOND_RR = comparison(O.NEGSETCOND, 'rr', `R[${W1}]`), NEGSETCOND_RI = comparison(O.NEGSETCOND, 'ri', W1);

/** [w, slot x | slot y << 11, b] */
const movcond = (pattern: string, b: string): number => perCondition((c) =>
  step(named(O.MOVCOND, c, pattern), 3,
    `a = ${A}, b = ${b}, v = ${W1}; ${D} = ${O.MOVCOND.js!('a', 'b', 'R[v & 2047]', 'R[v >>> 11]', String(c))};`));
export const MOVCOND_RR = movcond('rr', `R[${W2}]`), MOVCOND_RI = movcond('ri', W2);

/** RR: [w with a and d, target]; RI: [w with a, target, immediate] */
export const BRCOND_RR = perCondition((c) => jump(named(O.BRCOND, c, 'rr'), 2,
  `a = ${A}, b = ${D}; p = ${conditionJs(c, 'a', 'b')} ? ${W1} : p + 2 | 0; continue;`));
export const BRCOND_RI = perCondition((c) => jump(named(O.BRCOND, c, 'ri'), 3,
  `a = ${A}, b = ${W2}; p = ${conditionJs(c, 'a', 'b')} ? ${W1} : p + 3 | 0; continue;`));

/**
 * brcond whose both ways begin with goto_tb: the usual end of a block. [w, where to go if taken and unlinked, link if not taken,
 * link if taken, slot to write or immediate of RI, value to write]; RI has the slot to write in d. Not taken and unlinked: behind
 * the op. The write (see GOTO_TB) comes first; the comparison's inputs must not depend on it.
 */
const brcondGoto = (c: number): string => `
  if (${conditionJs(c, 'a', 'b')}) { t = ${W3}; if (t === 0) { p = ${W1}; continue; } p = t; break; }
  t = ${W2}; if (t === 0) { p = p + 6 | 0; continue; } p = t; break;`;
export const BRCOND_GOTO_RR = perCondition((c) => jump(`${named(O.BRCOND, c, 'rr')} goto_tb`, 6,
  `a = ${A}, b = ${D}; R[${W4}] = C[p + 5]; ${brcondGoto(c)}`));
export const BRCOND_GOTO_RI = perCondition((c) => jump(`${named(O.BRCOND, c, 'ri')} goto_tb`, 6,
  `a = ${A}, b = ${W4}; ${D} = C[p + 5]; ${brcondGoto(c)}`));

/** Compares slot a + displacement, as range checks do: [w with a, code, slot or immediate b, displacement] */
const trap = (pattern: string, b: string): number => perCondition((c) => step(named(O.TRAP, c, pattern), 4,
  `a = ${A} + ${W3} | 0, b = ${b}; if (${conditionJs(c, 'a', 'b')}) { R[$currentOp] = p; return ${EXIT_TRAP}; }`));
export const TRAP_RR = trap('rr', `R[${W2}]`), TRAP_RI = trap('ri', W2);

// Guest memory. Addresses: slot a + displacement [1]; the same + index, in [2] as slot | shift << 11; absolute [1].
// slowLoad and slowStore (interp.ts) return the exit asked for, or 0 when the access is done.
const DISP = `${A} + ${W1} | 0`, SIB = `${A} + (R[${W2} & 2047] << (${W2} >>> 11)) + ${W1} | 0`;
const READ = ['U[q]', 'V.getUint16(q, true)', 'V.getInt32(q, true)', '', 'V.getInt8(q)', 'V.getInt16(q, true)', '', '', 'U[q]', 'V.getUint16(q, true)', 'V.getInt32(q, true)'];
const WRITE = ['U[q] = v', 'V.setInt16(q, v, true)', 'V.setInt32(q, v, true)'];
const miss = (memop: number): string => {
  const bytes = O.memOpBytes(memop);
  return bytes === 1 ? 'q < 0' : `q < 0 || (a & 4095) > ${4096 - bytes}`;
};
/** By memop; a signed load of 32 bits is the same as an unsigned one. The load of a read-modify-write looks into the write table. */
const loads = (pattern: string, words: number, address: string): readonly number[] => {
  const forms = READ.map((read, memop) => (read === '' ? -1 : step(`ld ${O.MEMOP_NAMES[memop]} ${pattern}`, words, `
    a = ${address}, q = ${(memop & O.MO_RMW) !== 0 ? 'TW' : 'TR'}[a >>> 12] ^ a;
    if (${miss(memop)}) { R[$currentOp] = p; t = slowLoad(a, ${memop}, w >>> 10 & 2047); if (t !== 0) return t; }
    else ${D} = ${read};`)));
  forms[O.MO_32 | O.MO_SIGN] = forms[O.MO_32]!;
  return forms;
};
const stores = (pattern: string, words: number, address: string, value: string): readonly number[] =>
  WRITE.map((write, memop) => step(`st ${O.MEMOP_NAMES[memop]} ${pattern}`, words, `
    a = ${address}, q = TW[a >>> 12] ^ a, v = ${value};
    if (${miss(memop)}) { R[$currentOp] = p; t = slowStore(a, v, ${memop}); if (t !== 0) return t; }
    else ${write};`));

export const LOAD_DISP = loads('disp', 2, DISP), LOAD_SIB = loads('sib', 3, SIB), LOAD_ABS = loads('abs', 2, W1);
/** By size (memop & 3); the value is slot d, or an immediate in the last word. */
export const STORE_DISP = stores('disp', 2, DISP, D), STORE_SIB = stores('sib', 3, SIB, D), STORE_ABS = stores('abs', 2, W1, D);
export const STORE_DISP_I = stores('disp imm', 3, DISP, W2);

/** 8 and 16 bytes between memory at slot a and the state words from d on. */
const vector = (name: string, table: string, slow: string, move: (word: number) => string): readonly number[] => [8, 16].map((bytes) => step(`${name} ${bytes}`, 1, `
    a = ${A}, q = ${table}[a >>> 12] ^ a, v = w >>> 10 & 2047;
    if (q < 0 || (a & 4095) > ${4096 - bytes}) { R[$currentOp] = p; t = ${slow}(a, v, ${bytes}); if (t !== 0) return t; }
    else { ${Array.from({ length: bytes / 4 }, (_, word) => move(word)).join(' ')} }`));
export const LOAD_VEC = vector('ld vec', 'TR', 'slowLoadVec', (word) => `R[v + ${word}] = V.getInt32(q + ${word * 4}, true);`);
export const STORE_VEC = vector('st vec', 'TW', 'slowStoreVec', (word) => `V.setInt32(q + ${word * 4}, R[v + ${word}], true);`);

/** Inside the state: by size. */
const perSize = (name: string, move: (word: number) => string): readonly number[] => [8, 16].map((bytes) =>
  step(`${name} ${bytes}`, 1, `v = w >>> 10 & 2047, a = w >>> 21; ${Array.from({ length: bytes / 4 }, (_, word) => move(word)).join(' ')}`));
export const MOV_VEC = perSize('mov vec', (word) => `R[v + ${word}] = R[a + ${word}];`), ZERO_VEC = perSize('zero vec', (word) => `R[v + ${word}] = 0;`);

/**
 * [w with the output in d, helper | mask of immediate inputs << 16, inputs: slots or immediates]. By number of inputs * 2,
 * + 1 if there is an output.
 */
export const CALL: readonly number[] = Array.from({ length: (MAX_CALL_ARGS + 1) * 2 }, (_, i) => {
  const count = i >> 1, returns = (i & 1) !== 0;
  const inputs = Array.from({ length: count }, (_, k) => `(m & ${1 << k} ? C[p + ${k + 2}] : R[C[p + ${k + 2}]])`);
  return step(`call ${count}${returns ? ' returns' : ''}`, 2 + count, `
    R[$currentOp] = p; ${count > 0 ? `m = ${W1} >>> 16;` : ''}
    ${returns ? 'v = ' : ''}F[${W1} & 65535](${inputs.join(', ')})${returns ? ' | 0' : ''};
    if ((t = R[$pendingExit]) !== 0) { R[$pendingExit] = 0; return t; }
    ${returns ? `${D} = v;` : ''}`);
});

/** All forms, by number. */
export const FORMS: readonly Form[] = table;
