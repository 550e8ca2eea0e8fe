/** The names by which the corpus knows the rows of the opcode tables, and what no row stands for. */

import type { Row } from '../../src/cpu/decode/insn.ts';

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

/** `81 /3 SBB Ev,Iz`, `0F AF IMUL Gv,Ev`. */
export const formOf = ({ prefix, map, opcode, group, modrm, mnemonic, operands }: Row): string =>
  `${prefix === '' ? '' : `${prefix}.`}${map === 1 ? '0F ' : ''}${hex(opcode)}${modrm >= 0 ? ` ${hex(modrm)}` : group < 0 ? '' : ` /${group}`} ${mnemonic}${operands.length === 0 ? '' : ` ${operands.join(',')}`}`;

/** Rows of x87, MMX and SSE. */
export const isFloatRow = ({ mnemonic, feature }: Row): boolean => /^(?:mmx|sse\d?|fxsr)$/.test(feature) || /^ESC\d$|^WAIT$/.test(mnemonic);

export const UNDEFINED_FORM = 'undefined encoding', LENGTH_FORM = 'length limit';

/** #UD on a 486 and on every processor since: holes in groups, registers where only memory will do, LOCK where it is not allowed. */
export const UNDEFINED_ENCODINGS: readonly (readonly number[])[] = [
  [0xFE, 0xD0], [0xFE, 0x10], [0xFE, 0xFA], [0xFF, 0xF8], [0xFF, 0x38], [0xC6, 0xC9], [0xC6, 0x10, 0x55], [0xC7, 0xD0], [0x8D, 0xC1],
  [0xFF, 0xD8], [0xFF, 0xE8], [0x8E, 0xC8], [0x8E, 0xF0], [0x8E, 0x38], [0x8C, 0xF1], [0x8C, 0xF9],
  [0x0F, 0x0B], [0x0F, 0x04], [0x0F, 0x0A], [0x0F, 0x24, 0xC0], [0x0F, 0x26, 0xC0], [0x0F, 0x36], [0x0F, 0x39],
  [0x0F, 0xBA, 0xC0, 1], [0x0F, 0xBA, 0x18, 1], [0x0F, 0xB2, 0xC0], [0x0F, 0xB4, 0xC8], [0x0F, 0x20, 0xC8],
  [0xF0, 0x90], [0xF0, 0x40], [0xF0, 0x01, 0xC8], [0xF0, 0x39, 0x06], [0xF0, 0x8B, 0x06], [0xF0, 0xA4], [0xF0, 0xE9, 0, 0, 0, 0], [0xF0, 0x0F, 0xA3, 0x06],
];

/** 15 bytes run, 16 are #GP (SDM vol. 2, 2.3.11). */
export const LENGTH_ENCODINGS: readonly (readonly number[])[] = [
  [...Array<number>(14).fill(0x66), 0x90], [...Array<number>(15).fill(0x66), 0x90], [...Array<number>(13).fill(0x3E), 0x89, 0xC8],
  [...Array<number>(14).fill(0x3E), 0x89, 0xC8], [...Array<number>(10).fill(0x2E), 0xB8, 1, 2, 3, 4], [...Array<number>(11).fill(0x2E), 0xB8, 1, 2, 3, 4],
];
