/**
 * Every opcode with every ModRM byte in every combination of operand and address size, against a length model of its own.
 * The grids below were derived from the lengths that LLVM's disassembler (capstone 4) gives, not from the rows.
 */

import { describe, expect, test } from 'vitest';
import { DECODE_OK, DECODE_UD } from '../../../src/cpu/decode/insn.ts';
import { ROWS } from '../../../src/cpu/decode/table.ts';
import { decode, insn } from './bytes.ts';
import { simdKind } from './simd-grid.ts';

/**
 * What follows an opcode: `.` undefined, `p` it is a prefix, `n` nothing, `b` byte, `w` word, `e` word and byte, `z` word or dword
 * by operand size, `o` by address size, `f` far pointer. With ModRM: `M` alone, `B` and a byte, `Z` and z, `g` and a byte for /0 and
 * /1, `G` likewise z, `R` mod is ignored, `P` is M with an F3 prefix.
 */
const ONE_BYTE_GRID = `
  MMMMbznnMMMMbznp MMMMbznnMMMMbznn MMMMbzpnMMMMbzpn MMMMbzpnMMMMbzpn
  nnnnnnnnnnnnnnnn nnnnnnnnnnnnnnnn nnMMppppzZbBnnnn bbbbbbbbbbbbbbbb
  BZBBMMMMMMMMMMMM nnnnnnnnnnfnnnnn oooonnnnbznnnnnn bbbbbbbbzzzzzzzz
  BBwnMMBZenwnnbnn MMMMbbnnMMMMMMMM bbbbbbbbzzfbnnnn pnppnngGnnnnnnMM`.replace(/\s/g, '');
const TWO_BYTE_GRID = `
  MMMM..n.nn.n.... ........MMMMMMMM RRRR............ nnnnnn..........
  MMMMMMMMMMMMMMMM ................ ................ ................
  zzzzzzzzzzzzzzzz MMMMMMMMMMMMMMMM nnnMBM..nn.MBM.M MMMMMMMMPMBMMMMM
  MM.....Mnnnnnnnn ................ ................ ...............M`.replace(/\s/g, '');

/** Values of ModRM.reg that are undefined, by opcode (0F xx = 1xx). */
const UNDEFINED_REGS: Readonly<Record<number, readonly number[]>> = {
  0x8C: [6, 7], 0x8E: [1, 6, 7], 0x8F: [1, 2, 3, 4, 5, 6, 7], 0xC6: [1, 2, 3, 4, 5, 6, 7], 0xC7: [1, 2, 3, 4, 5, 6, 7],
  0xFE: [2, 3, 4, 5, 6, 7], 0xFF: [7], 0x100: [6, 7], 0x101: [5], 0x120: [1, 5, 6, 7], 0x122: [1, 5, 6, 7], 0x1BA: [0, 1, 2, 3], 0x1C7: [0, 2, 3, 4, 5],
};
/** Values of ModRM.reg for which a register form is undefined. */
const ALL = [0, 1, 2, 3, 4, 5, 6, 7];
const MEMORY_REGS: Readonly<Record<number, readonly number[]>> = {
  0x62: ALL, 0x8D: ALL, 0xC4: ALL, 0xC5: ALL, 0xFF: [3, 5], 0x101: [0, 1, 2, 3, 7], 0x1B2: ALL, 0x1B4: ALL, 0x1B5: ALL, 0x1C7: [1],
};
/** Values of ModRM.reg for which a memory form is undefined, and whole ModRM bytes that are defined. */
const REGISTER_REGS: Readonly<Record<number, readonly number[]>> = { 0x1C7: [6, 7] };
const EXACT: Readonly<Record<number, readonly number[]>> = { 0x101: [0xCA, 0xCB, 0xF9] };

/** Bytes of SIB and displacement. */
function addressLength(addrSize: number, modrm: number, sib: number): number {
  const mod = modrm >> 6, rm = modrm & 7;
  if (mod === 3) return 0;
  if (addrSize === 2) return mod === 0 ? (rm === 6 ? 2 : 0) : mod;
  const base = rm === 4 ? sib & 7 : rm;
  const disp = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
  return (rm === 4 ? 1 : 0) + disp;
}

/** Bytes after the opcode. */
function tailLength(kind: string, opSize: number, addrSize: number, modrm: number, sib: number): number {
  const withModrm = 1 + addressLength(addrSize, modrm, sib);
  const testForm = (modrm >> 3 & 7) < 2;
  switch (kind) {
    case 'n': return 0;
    case 'b': return 1;
    case 'w': return 2;
    case 'e': return 3;
    case 'z': return opSize;
    case 'o': return addrSize;
    case 'f': return opSize + 2;
    case 'M': case 'P': case 'm': case 'r': return withModrm;
    case 'B': case 's': return withModrm + 1;
    case 'Z': return withModrm + opSize;
    case 'g': return withModrm + (testForm ? 1 : 0);
    case 'G': return withModrm + (testForm ? opSize : 0);
    case 'R': return 1;
    default: throw new Error(`grid: ${kind}`);
  }
}

const MODES = [false, true].flatMap((mode32) => [[], [0x66], [0x67], [0x66, 0x67], [0xF3], [0xF2], [0x66, 0xF3]].map((prefixes) => ({ mode32, prefixes })));

const mandatory = (prefixes: readonly number[]): string => (prefixes.includes(0xF3) ? 'F3' : prefixes.includes(0xF2) ? 'F2' : prefixes.includes(0x66) ? '66' : 'NP');

/** What the MMX and SSE grid says, or else the others. */
function kindOf(opcode: number, prefixes: readonly number[], modrm: number): string {
  const general = (opcode < 0x100 ? ONE_BYTE_GRID : TWO_BYTE_GRID)[opcode & 0xFF]!;
  if (opcode < 0x100) return general;
  const kind = simdKind(mandatory(prefixes), opcode & 0xFF, modrm >> 3 & 7);
  return kind === '_' ? general : kind === 'm' && modrm >= 0xC0 || 'rs'.includes(kind) && modrm < 0xC0 ? '.' : kind;
}

describe('every encoding', () => {
  test.each(MODES)('has the length that its opcode says, or is #UD: 32-bit $mode32, prefixes $prefixes', ({ mode32, prefixes }) => {
    const opSize = mode32 !== prefixes.includes(0x66) ? 4 : 2;
    const addrSize = mode32 !== prefixes.includes(0x67) ? 4 : 2;
    const wrong: string[] = [];
    for (let opcode = 0; opcode < 0x200; opcode++) {
      if (kindOf(opcode, prefixes, 0) === 'p') continue;
      const start = opcode < 0x100 ? [...prefixes, opcode] : [...prefixes, 0x0F, opcode & 0xFF];
      for (let modrm = 0; modrm < 0x100; modrm++) {
        const kind = kindOf(opcode, prefixes, modrm);
        for (const sib of [0x00, 0x25, 0x65, 0x9C, 0xF6]) {
          const outcome = decode([...start, modrm, sib], mode32);
          const reg = modrm >> 3 & 7;
          const hasModrm = /[A-ZgGmrs]/.test(kind);
          const undefinedForm = kind === '.' || (kind === 'P' && !prefixes.includes(0xF3)) || hasModrm && EXACT[opcode]?.includes(modrm) !== true
            && (UNDEFINED_REGS[opcode]?.includes(reg) || (modrm >= 0xC0 ? MEMORY_REGS : REGISTER_REGS)[opcode]?.includes(reg));
          const expected = undefinedForm ? DECODE_UD : DECODE_OK;
          const length = start.length + (undefinedForm ? 0 : tailLength(kind, opSize, addrSize, modrm, sib));
          const { opSize: gotOpSize, addrSize: gotAddrSize } = insn;
          const good = outcome === expected && gotOpSize === opSize && gotAddrSize === addrSize
            && (undefinedForm || insn.length === length && insn.modrm === (hasModrm ? modrm : -1));
          if (!good) wrong.push(`${opcode.toString(16)} ${modrm.toString(16)} ${sib.toString(16)}: ${outcome}, ${insn.length} bytes`);
        }
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
  });

  test('no row is unreachable', () => {
    const reached = new Set<number>();
    for (let opcode = 0; opcode < 0x200; opcode++) {
      for (let modrm = 0; modrm < 0x100; modrm++) {
        for (const prefixes of [[], [0x66], [0xF3], [0xF2]]) {
          if (decode([...prefixes, ...(opcode < 0x100 ? [opcode] : [0x0F, opcode & 0xFF]), modrm]) === DECODE_OK) reached.add(insn.row.index);
        }
      }
    }
    const lost = ROWS.filter((row) => !reached.has(row.index));
    expect(lost).toEqual([]);
  });
});
