/**
 * The op table: the one place that says what TCG ops exist, what they take, what they do and what they mean.
 * Builder, verifier, printer, parser, passes, the op interpreter and the JavaScript backend all read it.
 *
 * Operands, in order: outputs, inputs, then immediates. An input is a global, a temporary or a constant.
 * `js` gives the value of a pure op as a JavaScript expression over int32 operand expressions; the result is an int32.
 * Operands are parenthesised where they need it (negative numbers); immediates may be expressions too, except conditions.
 * Constants are folded by evaluating the same text, so an op's meaning is written once.
 */
import { conditionJs } from './conditions.ts';

/** Kinds of operands. Immediates: `imm` a number, `cond` a condition, `memop` a MemOp, `label`, `helper` a helper's number, `slot` a state slot. */
export type OperandKind = 'out' | 'in' | 'imm' | 'cond' | 'memop' | 'label' | 'helper' | 'slot';

export interface OpDef {
  readonly name: string;
  readonly number: number;
  /** Operand kinds; a call's list is its fixed part (its outputs and inputs follow from the helper). */
  readonly operands: readonly OperandKind[];
  /** Numbers of outputs and inputs; of a call: 0 (see the helper). */
  readonly outs: number;
  readonly ins: number;
  /** Type of the op, and of its outputs and inputs. */
  readonly type: 'i32' | 'i64';
  readonly outType: 'i32' | 'i64';
  readonly inType: 'i32' | 'i64';
  /** No effect but its output: may be folded, moved, removed. */
  readonly pure: boolean;
  /** Ends the straight line: nothing after it runs unless a label follows. */
  readonly ends: boolean;
  /** May leave the block in the middle of an instruction (fault, slow path): reads all globals. */
  readonly mayExit: boolean;
  readonly doc: string;
  /** Pure ops: the output as a JavaScript expression. */
  readonly js: ((...operands: string[]) => string) | undefined;
}

const table: OpDef[] = [];
const byName = new Map<string, OpDef>();

interface Flags { ends?: boolean; mayExit?: boolean; type?: 'i64'; outType?: 'i32'; inType?: 'i32' }

/** Adds a row: operands are written like `o i i cond`. */
function op(name: string, operands: string, doc: string, js?: OpDef['js'], flags: Flags = {}): OpDef {
  const KINDS: Record<string, OperandKind> = { o: 'out', i: 'in' };
  const kinds = operands === '' ? [] : operands.split(' ').map((kind) => KINDS[kind] ?? (kind as OperandKind));
  const type = flags.type ?? 'i32';
  const def: OpDef = {
    name, number: table.length, doc, js, operands: kinds,
    outs: kinds.filter((kind) => kind === 'out').length, ins: kinds.filter((kind) => kind === 'in').length,
    type, outType: flags.outType ?? type, inType: flags.inType ?? type, pure: js !== undefined || flags.type === 'i64', ends: flags.ends ?? false, mayExit: flags.mayExit ?? false,
  };
  table.push(def);
  byName.set(name, def);
  return def;
}

const isNumber = (text: string | undefined): boolean => /^\d+$/.test(text ?? '');
/** Mask of a field, parenthesised. */
const fieldMask = (position: number, length: number): string => `(${(2 << length - 1) - 1 << position})`;

// Moves and arithmetic. Shift and rotate counts are 0-31 (the translator masks).
export const MOV = op('mov_i32', 'o i', 'o = i', (a) => a);
export const ADD = op('add_i32', 'o i i', 'o = a + b', (a, b) => `(${a} + ${b} | 0)`);
export const SUB = op('sub_i32', 'o i i', 'o = a - b', (a, b) => `(${a} - ${b} | 0)`);
export const NEG = op('neg_i32', 'o i', 'o = -a', (a) => `(-${a} | 0)`);
export const MUL = op('mul_i32', 'o i i', 'low word of a * b', (a, b) => `Math.imul(${a}, ${b})`);
export const MULUH = op('muluh_i32', 'o i i', 'high word of the unsigned product', (a, b) => `mulUnsignedHigh(${a}, ${b})`);
export const MULSH = op('mulsh_i32', 'o i i', 'high word of the signed product', (a, b) => `mulSignedHigh(${a}, ${b})`);
export const AND = op('and_i32', 'o i i', 'o = a & b', (a, b) => `(${a} & ${b})`);
export const OR = op('or_i32', 'o i i', 'o = a | b', (a, b) => `(${a} | ${b})`);
export const XOR = op('xor_i32', 'o i i', 'o = a ^ b', (a, b) => `(${a} ^ ${b})`);
export const NOT = op('not_i32', 'o i', 'o = ~a', (a) => `(~${a})`);
export const ANDC = op('andc_i32', 'o i i', 'o = a & ~b', (a, b) => `(${a} & ~${b})`);
export const SHL = op('shl_i32', 'o i i', 'o = a << b, b in 0-31', (a, b) => `(${a} << ${b})`);
export const SHR = op('shr_i32', 'o i i', 'o = a >> b unsigned, b in 0-31', (a, b) => `(${a} >>> ${b} | 0)`);
export const SAR = op('sar_i32', 'o i i', 'o = a >> b signed, b in 0-31', (a, b) => `(${a} >> ${b})`);
export const ROTL = op('rotl_i32', 'o i i', 'rotate left by b, b in 0-31', (a, b) => `(${a} << ${b} | ${a} >>> (32 - ${b} & 31))`);
export const ROTR = op('rotr_i32', 'o i i', 'rotate right by b, b in 0-31', (a, b) => `(${a} >>> ${b} | ${a} << (32 - ${b} & 31))`);
export const EXT8S = op('ext8s_i32', 'o i', 'sign-extend the low byte', (a) => `(${a} << 24 >> 24)`);
export const EXT8U = op('ext8u_i32', 'o i', 'zero-extend the low byte', (a) => `(${a} & 255)`);
export const EXT16S = op('ext16s_i32', 'o i', 'sign-extend the low 16 bits', (a) => `(${a} << 16 >> 16)`);
export const EXT16U = op('ext16u_i32', 'o i', 'zero-extend the low 16 bits', (a) => `(${a} & 65535)`);
export const BSWAP = op('bswap32_i32', 'o i', 'reverse the four bytes', (a) => `(${a} << 24 | (${a} & 65280) << 8 | ${a} >>> 8 & 65280 | ${a} >>> 24)`);
export const CLZ = op('clz_i32', 'o i i', 'leading zeros of a, or b if a is 0', (a, b) => `(${a} !== 0 ? Math.clz32(${a}) : ${b})`);
export const CTZ = op('ctz_i32', 'o i i', 'trailing zeros of a, or b if a is 0', (a, b) => `(${a} !== 0 ? 31 - Math.clz32(${a} & -${a}) : ${b})`);
export const DEPOSIT = op('deposit_i32', 'o i i imm imm', 'a with b in the field (position, length)', (a, b, position, length) => {
  const mask = isNumber(position) && isNumber(length) ? fieldMask(Number(position), Number(length)) : `((2 << ${length} - 1) - 1 << ${position})`;
  return `(${a} & ~${mask} | ${b} << ${position} & ${mask})`;
});
export const EXTRACT = op('extract_i32', 'o i imm imm', 'the field (position, length) of a, zero-extended', (a, position, length) =>
  `(${a} << 32 - ${position} - ${length} >>> 32 - ${length} | 0)`);
export const SEXTRACT = op('sextract_i32', 'o i imm imm', 'the field (position, length) of a, sign-extended', (a, position, length) =>
  `(${a} << 32 - ${position} - ${length} >> 32 - ${length})`);

// Comparisons.
export const SETCOND = op('setcond_i32', 'o i i cond', 'o = a cond b, as 0 or 1', (a, b, c) => `(${conditionJs(Number(c), a, b)} ? 1 : 0)`);
export const NEGSETCOND = op('negsetcond_i32', 'o i i cond', 'o = -(a cond b)', (a, b, c) => `(${conditionJs(Number(c), a, b)} ? -1 : 0)`);
export const MOVCOND = op('movcond_i32', 'o i i i i cond', 'o = a cond b ? c : d', (a, b, x, y, c) => `(${conditionJs(Number(c), a, b)} ? ${x} : ${y})`);

// Control inside the block.
export const BRCOND = op('brcond_i32', 'i i cond label', 'go to the label if a cond b');
export const BR = op('br', 'label', 'go to the label', undefined, { ends: true });
export const SET_LABEL = op('set_label', 'label', 'the label stands here');

// State that is no global, by slot: other parts of the guest's state.
export const LD_ENV = op('ld_i32', 'o slot', 'o = state word');
export const ST_ENV = op('st_i32', 'i slot', 'state word = a');
/** Whole vectors: the words from the two slots on are the same or do not overlap. */
export const MOV_VEC = op('mov_vec', 'slot slot imm', '8 or 16 bytes of state words from the first slot on = those from the second on');
export const ZERO_VEC = op('zero_vec', 'slot imm', '8 or 16 bytes of state words = 0');

// Guest memory, by guest virtual address in the current view.
export const GUEST_LD = op('qemu_ld_i32', 'o i memop', 'load; sub-words are extended as the memop says', undefined, { mayExit: true });
export const GUEST_ST = op('qemu_st_i32', 'i i memop', 'store a at address b', undefined, { mayExit: true });
/** Between memory and state words that are no globals, whole: operands of x87, MMX and SSE. Nothing is read or written if it leaves. */
export const GUEST_LD_VEC = op('qemu_ld_vec', 'i slot imm', 'load 8 or 16 bytes at address a into state words', undefined, { mayExit: true });
export const GUEST_ST_VEC = op('qemu_st_vec', 'i slot imm', 'store 8 or 16 bytes of state words at address a', undefined, { mayExit: true });
/** For checks that nearly never fire: limits, privileges. The code is an exception vector with error code 0 (see cpu/exec). */
export const TRAP = op('trapcond_i32', 'i i cond imm', 'leave with an exception if a cond b', undefined, { mayExit: true });
export const CALL = op('call', 'helper', 'call a registered helper; its outputs and inputs follow');

// Instruction and block boundaries.
export const INSN_START = op('insn_start', 'imm imm', 'a guest instruction starts: its EIP, and cc_op if the translator knows it (else 0)');
export const GOTO_TB = op('goto_tb', 'imm', 'jump to the block linked in slot 0 or 1; goes on here while there is none');
export const EXIT_TB = op('exit_tb', 'imm', 'leave; 0 or 1: and link that slot to what is found, 2: and look at pending events', undefined, { ends: true });
export const LOOKUP_AND_GOTO_PTR = op('lookup_and_goto_ptr', '', 'jump to the block for the state as it is now', undefined, { ends: true });
export const DISCARD = op('discard', 'o', 'the value is not needed any more');

// 64-bit ops work on pairs: lowered to i32 ops before the passes (tcg/passes/lower-i64.ts).
const wide: Flags = { type: 'i64' };
export const MOV64 = op('mov_i64', 'o i', 'o = a', undefined, wide);
export const ADD64 = op('add_i64', 'o i i', 'o = a + b', undefined, wide);
export const SUB64 = op('sub_i64', 'o i i', 'o = a - b', undefined, wide);
export const AND64 = op('and_i64', 'o i i', 'o = a & b', undefined, wide);
export const OR64 = op('or_i64', 'o i i', 'o = a | b', undefined, wide);
export const XOR64 = op('xor_i64', 'o i i', 'o = a ^ b', undefined, wide);
export const MULU64 = op('mulu_i32_i64', 'o i i', '64-bit unsigned product of two i32', undefined, { ...wide, inType: 'i32' });
export const MULS64 = op('muls_i32_i64', 'o i i', '64-bit signed product of two i32', undefined, { ...wide, inType: 'i32' });
export const EXTRL = op('extrl_i64_i32', 'o i', 'low word of an i64', undefined, { ...wide, outType: 'i32' });
export const EXTRH = op('extrh_i64_i32', 'o i', 'high word of an i64', undefined, { ...wide, outType: 'i32' });
export const CONCAT = op('concat_i32_i64', 'o i i', 'i64 of a low and a high word', undefined, { ...wide, inType: 'i32' });

/** All ops, by number. */
export const OPS: readonly OpDef[] = table;
export const opByName = (name: string): OpDef | undefined => byName.get(name);

/**
 * Memory operands: size 1, 2 or 4, and sign extension; in one int. MO_RMW: the load of a read-modify-write, without sign
 * extension; the address is checked, and faults, as for a store.
 */
export type MemOp = number;
export const MO_8 = 0, MO_16 = 1, MO_32 = 2, MO_SIGN = 4, MO_RMW = 8;
export const memOpBytes = (memop: MemOp): number => 1 << (memop & 3);
export const MEMOP_NAMES = ['ub', 'leuw', 'leul', undefined, 'sb', 'lesw', 'lesl', undefined, 'ub+w', 'leuw+w', 'leul+w'] as const;
export const memOpOfSize = (bytes: number): MemOp => (bytes === 1 ? MO_8 : bytes === 2 ? MO_16 : MO_32);
