/**
 * Parses the rows and packs them into typed arrays, once, when the module is loaded; nothing here changes afterwards.
 *
 *     ROW_AT[prefix << 12 | map << 11 | opcode << 3 | ModRM.reg]   index of the row, or -1 (#UD); prefix: PREFIX_CLASS
 *     ROW_EXACT[map << 16 | opcode << 8 | ModRM]                   the same for rows that name the whole ModRM byte
 *     OPCODE_FORM[map << 8 | opcode]                OPCODE_NONE, OPCODE_PLAIN, OPCODE_MODRM
 *     ROW_FORM[row]                                 the FORM_* bits below: all that the decoder needs to know of a row
 */

import { featureNumber } from '../features.ts';
import type { Row } from './insn.ts';
import { ONE_BYTE_ROWS } from './rows.ts';
import { TWO_BYTE_ROWS } from './rows-0f.ts';
import { SIMD_ROWS } from './rows-simd.ts';

export const OPCODE_NONE = 0, OPCODE_PLAIN = 1, OPCODE_MODRM = 2;

/** First immediate of a row: none, Ib, sIb, Iw, Iz or Iv, Jb, Jz, moffs, far pointer. Bits 0-3 of ROW_FORM. */
export const IMM_NONE = 0, IMM_BYTE = 1, IMM_SIGNED_BYTE = 2, IMM_WORD = 3, IMM_V = 4, IMM_REL_BYTE = 5, IMM_REL_V = 6, IMM_MOFFS = 7,
  IMM_FAR = 8;
export const FORM_IMM_MASK = 15;
/** A second immediate, a byte (ENTER). */
export const FORM_IMM2 = 1 << 4;
/** A register form is #UD. */
export const FORM_MEMORY = 1 << 5;
/** ModRM.mod is ignored: always a register (MOV CR, MOV DR). */
export const FORM_REGISTER = 1 << 6;
export const FORM_LOCK = 1 << 7;
/** Bits 8-15: which values of ModRM.reg are defined. */
export const FORM_REGS_SHIFT = 8;
/** A memory form is #UD. */
export const FORM_REGISTER_ONLY = 1 << 16;

/** Which mandatory prefix an instruction has, for ROW_AT: REP and REPNE count before 66h. */
export const CLASS_NONE = 0, CLASS_66 = 1, CLASS_F3 = 2, CLASS_F2 = 3;
const CLASSES: Readonly<Record<string, readonly number[]>> = {
  NP: [CLASS_NONE], 66: [CLASS_66], F3: [CLASS_F3], F2: [CLASS_F2],
};
const ANY_PREFIX: readonly number[] = [CLASS_NONE, CLASS_66, CLASS_F3, CLASS_F2];

const SEGMENT_REGISTERS = 0b00111111, LOADABLE_SEGMENTS = 0b00111101, CONTROL_REGISTERS = 0b00011101;

const ROW_SYNTAX = /^(?:(NP|66|F2|F3)\.)?([0-9A-F]{2})(?:-([0-9A-F]{2}))?(?: \/([0-7]))?(?: ([0-9A-F]{2}))? ([A-Z][A-Za-z0-9]*)(?: (?!lock|@)(\S+))?( lock)?(?: @(\w+))?$/;

function parseRows(map: number, text: string, rows: Row[]): void {
  for (const line of text.trim().split('\n')) {
    const match = ROW_SYNTAX.exec(line);
    if (match === null) throw new Error(`opcode table: cannot parse "${line}"`);
    const [, prefix = '', first, last = first, group = '-1', modrm, mnemonic, operands = '', lock, feature] = match;
    for (let opcode = parseInt(first, 16); opcode <= parseInt(last, 16); opcode++) {
      rows.push({
        mnemonic,
        operands: operands === '' ? [] : operands.split(','),
        lock: lock !== undefined,
        map,
        opcode,
        group: modrm === undefined ? Number(group) : parseInt(modrm, 16) >> 3 & 7,
        modrm: modrm === undefined ? -1 : parseInt(modrm, 16),
        prefix,
        feature: feature ?? '',
        index: rows.length,
      });
    }
  }
}

function allRows(): Row[] {
  const rows: Row[] = [];
  parseRows(0, ONE_BYTE_ROWS, rows);
  parseRows(1, TWO_BYTE_ROWS, rows);
  parseRows(1, SIMD_ROWS, rows);
  return rows;
}

/** The bytes up to and with the opcode: mandatory prefix, map, opcode. */
export function opcodeBytes({ prefix, map, opcode }: Row): number[] {
  return [...(prefix === '' || prefix === 'NP' ? [] : [parseInt(prefix, 16)]), ...(map === 1 ? [0x0f] : []), opcode];
}

/** All rows, in the order of their index. */
export const ROWS: readonly Row[] = allRows();

const IMMEDIATES: Readonly<Record<string, number>> = {
  Ib: IMM_BYTE, sIb: IMM_SIGNED_BYTE, Iw: IMM_WORD, Iz: IMM_V, Iv: IMM_V, Jb: IMM_REL_BYTE, Jz: IMM_REL_V, Ob: IMM_MOFFS, Ov: IMM_MOFFS,
  Ap: IMM_FAR,
};

function definedRegisters(operands: readonly string[]): number {
  if (operands[0] === 'Sw') return LOADABLE_SEGMENTS;
  if (operands[1] === 'Sw') return SEGMENT_REGISTERS;
  return operands.includes('Cd') ? CONTROL_REGISTERS : 0xFF;
}

function rowForm(row: Row): number {
  const immediates = row.operands.flatMap((operand) => IMMEDIATES[operand] ?? []);
  let form = immediates[0] ?? IMM_NONE;
  if (immediates.length > 1) form |= FORM_IMM2;
  if (row.operands.some((operand) => operand.startsWith('M'))) form |= FORM_MEMORY;
  if (row.operands.includes('Rd')) form |= FORM_REGISTER;
  if (row.operands.some((operand) => operand === 'Rv' || /^[NU]/.test(operand))) form |= FORM_REGISTER_ONLY;
  if (row.lock) form |= FORM_LOCK;
  return form | definedRegisters(row.operands) << FORM_REGS_SHIFT;
}

const usesModrm = (row: Row): boolean => row.group >= 0 || row.operands.some((operand) => /^[EGMRSCDPQNVWU][a-z/]|^M$/.test(operand));

export const ROW_FORM = Int32Array.from(ROWS, rowForm);
/** By row: the number of the feature that it needs, or -1. */
export const ROW_FEATURE = Int8Array.from(ROWS, ({ feature }) => (feature === '' ? -1 : featureNumber(feature)));
export const ROW_AT = new Int16Array(4 << 12).fill(-1);
export const ROW_EXACT = new Int16Array(2 << 16).fill(-1);
export const OPCODE_FORM = new Uint8Array(2 << 8);

function enter(table: Int16Array, at: number, row: Row): void {
  if (table[at] !== -1) throw new Error(`opcode table: two rows for ${row.map} ${row.opcode.toString(16)} /${row.group}`);
  table[at] = row.index;
}

for (const row of ROWS) {
  if (row.modrm >= 0) enter(ROW_EXACT, row.map << 16 | row.opcode << 8 | row.modrm, row);
  else {
    const [from, to] = row.group < 0 ? [0, 7] : [row.group, row.group];
    for (const prefix of CLASSES[row.prefix] ?? ANY_PREFIX) {
      for (let reg = from; reg <= to; reg++) enter(ROW_AT, prefix << 12 | row.map << 11 | row.opcode << 3 | reg, row);
    }
  }
  OPCODE_FORM[row.map << 8 | row.opcode] = usesModrm(row) ? OPCODE_MODRM : OPCODE_PLAIN;
}
