/**
 * Prints decoded instructions in AT&T syntax, with the look of QEMU's `-d in_asm` (capstone): sizes as suffixes, operands in
 * reverse order, numbers up to 9 in decimal and hexadecimal from there.
 */

import { disassembleX87 } from './disasm-x87.ts';
import type { Insn } from './insn.ts';

const REGISTERS_8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const REGISTERS_16 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

/** Names that are not the manual's in small letters plus the operand's size: one for both operand sizes, or 16- and 32-bit. */
const NAMES: Readonly<Record<string, string | readonly [string, string]>> = {
  AAD: 'aad', AAM: 'aam', ARPL: 'arpl', BOUND: 'bound', CALLF: ['lcallw', 'lcalll'], CBW: ['cbtw', 'cwtl'], CWD: ['cwtd', 'cltd'],
  ENTER: 'enter', INT: 'int', INVLPG: 'invlpg', IRET: ['iretw', 'iretl'], JMPF: ['ljmpw', 'ljmpl'], LGDT: ['lgdtw', 'lgdtl'],
  LIDT: ['lidtw', 'lidtl'], LOOP: 'loop', LOOPE: 'loope', LOOPNE: 'loopne', POPA: ['popaw', 'popal'], POPF: ['popfw', 'popfl'],
  PUSHA: ['pushaw', 'pushal'], PUSHF: ['pushfw', 'pushfl'], RET: ['retw', 'retl'], RETF: ['lretw', 'lretl'], SGDT: ['sgdtw', 'sgdtl'],
  SIDT: ['sidtw', 'sidtl'], VERR: 'verr', VERW: 'verw', XLAT: 'xlatb',
};

const STRING_INSNS = new Set(['MOVS', 'CMPS', 'STOS', 'LODS', 'SCAS', 'INS', 'OUTS']);
const COMPARING = new Set(['CMPS', 'SCAS']);
/** Their sign-extended immediates read better as masks. */
const BITWISE = new Set(['AND', 'OR', 'XOR']);

/** -9 to 9 in decimal, else hexadecimal. */
function number(value: number): string {
  const magnitude = Math.abs(value);
  return `${value < 0 ? '-' : ''}${magnitude > 9 ? `0x${magnitude.toString(16)}` : magnitude}`;
}

const unsigned = (value: number, size: number): number => (size === 4 ? value >>> 0 : value & 0xFFFF);

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

function register(n: number, size: number): string {
  if (size === 1) return `%${REGISTERS_8[n]}`;
  return size === 2 ? `%${REGISTERS_16[n]}` : `%e${REGISTERS_16[n]}`;
}

function override(insn: Insn): string {
  return insn.override < 0 ? '' : `%${SEGMENTS[insn.override]}:`;
}

function memory(insn: Insn): string {
  const { base, index, scale, disp, addrSize } = insn;
  if (base < 0 && index < 0) return override(insn) + number(unsigned(disp, addrSize));
  const parts = [base < 0 ? '' : register(base, addrSize)];
  if (index >= 0) parts.push(register(index, addrSize));
  if (scale > 0) parts.push(`${1 << scale}`);
  return `${override(insn)}${disp === 0 ? '' : number(disp)}(${parts.join(', ')})`;
}

/** Bytes of an operand by its notation, 0 where the notation has no size. */
function operandSize(insn: Insn, operand: string): number {
  switch (operand) {
    case 'AL': case 'CL': return 1;
    case 'eAX': case 'ES': case 'CS': case 'SS': case 'DS': case 'FS': case 'GS': return insn.opSize;
    case 'Rv/Mw': return insn.mod === 3 ? insn.opSize : 2;
    case 'DX': case 'Sw': return 0;
  }
  switch (operand.at(-1)) {
    case 'b': return operand === 'sIb' ? insn.opSize : 1;
    case 'w': return 2;
    case 'd': return 4;
    case 'v': case 'z': case 'p': return insn.opSize;
    default: return 0;
  }
}

/** Operands as AT&T sees them: a register of full size where the instruction uses 16 bits of it but the text shows all. */
function operandsOf(insn: Insn): readonly string[] {
  const { mnemonic, operands } = insn.row;
  const wide = operands[0] === 'Sw' || mnemonic === 'LAR' || mnemonic === 'LSL';
  return wide ? operands.map((operand) => (operand === 'Ew' ? 'Rv/Mw' : operand)) : operands;
}

function sizeSuffix(insn: Insn, operands: readonly string[]): string {
  for (const operand of operands) {
    const size = operand === 'Ib' && operands.length > 1 ? 0 : operandSize(insn, operand);
    if (size > 0) return ['', 'b', 'w', '', 'l'][size];
  }
  return '';
}

function name(insn: Insn, operands: readonly string[]): string {
  const { mnemonic, opcode } = insn.row;
  switch (mnemonic) {
    case 'Jcc': return `j${CONDITIONS[opcode & 15]}`;
    case 'SETcc': return `set${CONDITIONS[opcode & 15]}`;
    case 'JCXZ': return insn.addrSize === 4 ? 'jecxz' : 'jcxz';
    case 'JMP': if (operands[0] !== 'Ev') return 'jmp'; break;
    case 'CALL': return insn.opSize === 4 ? 'calll' : 'callw';
    case 'MOVZX': case 'MOVSX': return `${mnemonic.slice(0, 4).toLowerCase()}${operands[1].slice(1)}${sizeSuffix(insn, operands)}`;
  }
  if (operands.some((operand) => /^[PQNVWU]/.test(operand))) return simdName(insn);
  const special = NAMES[mnemonic];
  if (typeof special === 'string') return special;
  if (special !== undefined) return special[insn.opSize === 4 ? 1 : 0];
  return mnemonic.toLowerCase() + sizeSuffix(insn, operands);
}

/** MMX and SSE have their operands' sizes in their names, but for integers from memory. */
function simdName(insn: Insn): string {
  const { mnemonic, operands } = insn.row, name = mnemonic.toLowerCase();
  if (mnemonic === 'MOVLPS' && insn.mod === 3) return 'movhlps';
  if (mnemonic === 'MOVHPS' && insn.mod === 3) return 'movlhps';
  return operands[1] === 'Ed' && mnemonic.startsWith('CVT') ? `${name}l` : name;
}

function relativeTarget(insn: Insn, csBase: number): string {
  const target = insn.eip + insn.length + insn.imm;
  return hex(csBase + (insn.opSize === 2 ? target & 0xFFFF : target));
}

function operandText(insn: Insn, operand: string, csBase: number): string {
  const size = operandSize(insn, operand);
  switch (operand) {
    case 'AL': case 'CL': return `%${operand.toLowerCase()}`;
    case 'eAX': return register(0, size);
    case 'DX': return '%dx';
    case '1': return '$1';
    case 'ES': case 'CS': case 'SS': case 'DS': case 'FS': case 'GS': return `%${operand.toLowerCase()}`;
    case 'Ap': return `$${hex(insn.imm2)}, $${hex(insn.imm)}`;
    case 'sIb': return `$${number(BITWISE.has(insn.row.mnemonic) ? unsigned(insn.imm, insn.opSize) : insn.imm)}`;
  }
  switch (operand[0]) {
    case 'E': case 'R': case 'M': return insn.mod === 3 ? register(insn.rm, size) : memory(insn);
    case 'G': return register(insn.reg, size);
    case 'P': return `%mm${insn.reg}`;
    case 'V': return `%xmm${insn.reg}`;
    case 'Q': case 'N': return insn.mod === 3 ? `%mm${insn.rm}` : memory(insn);
    case 'W': case 'U': return insn.mod === 3 ? `%xmm${insn.rm}` : memory(insn);
    case 'Z': return register(insn.row.opcode & 7, size);
    case 'S': return `%${SEGMENTS[insn.reg]}`;
    case 'C': return `%cr${insn.reg}`;
    case 'D': return `%dr${insn.reg}`;
    case 'O': return memory(insn);
    case 'I': return `$${number(insn.imm >>> 0)}`;
    case 'J': return relativeTarget(insn, csBase);
    case 'X': return `${override(insn)}(${register(6, insn.addrSize)})`;
    case 'Y': return `%es:(${register(7, insn.addrSize)})`;
    default: throw new Error(`disasm: operand ${operand}`);
  }
}

function operandsText(insn: Insn, operands: readonly string[], csBase: number): string {
  const { mnemonic } = insn.row;
  // A default base of ten is not printed.
  if ((mnemonic === 'AAM' || mnemonic === 'AAD') && insn.imm === 10) return '';
  if (mnemonic === 'ENTER') return `$${number(insn.imm)}, $${number(insn.imm2)}`;
  const texts = operands.map((operand) => operandText(insn, operand, csBase)).reverse();
  const indirect = insn.modrm >= 0 && /^(CALL|JMP)F?$/.test(mnemonic);
  return (indirect ? '*' : '') + texts.join(', ');
}

function prefixes(insn: Insn): string {
  if (insn.lock) return 'lock ';
  const { mnemonic } = insn.row;
  if (insn.rep === 0 || !STRING_INSNS.has(mnemonic)) return '';
  if (insn.rep === 0xF2) return 'repne ';
  return COMPARING.has(mnemonic) ? 'repe ' : 'rep ';
}

/**
 * The instruction in AT&T syntax: `rep movsw (%si), %es:(%di)`. Targets of relative jumps are `csBase` plus the offset, so
 * with the segment's base they are linear addresses. `insn` must be a successful decode.
 */
export function disassemble(insn: Insn, csBase = 0): string {
  if (insn.row.mnemonic.startsWith('ESC')) return disassembleX87(insn, memory);
  const operands = operandsOf(insn);
  const text = operandsText(insn, operands, csBase);
  return prefixes(insn) + name(insn, operands) + (text === '' ? '' : ` ${text}`);
}

/** Bytes that one line of the log has room for; the rest goes to lines of their own. */
const BYTES_PER_LINE = 8;
const MNEMONIC_AND_OPERANDS = /^((?:(?:rep|repe|repne|lock) )?\S+) ?(.*)$/;

/**
 * QEMU's line for `-d in_asm`, without a newline at the end: `0x000fe05b:  ea 5b e0 00 f0           ljmpw    $0xf000, $0xe05b`;
 * more than eight bytes go on in a second line. `address` is linear, `text` what disassemble() gave.
 */
export function formatInAsm(address: number, bytes: ArrayLike<number>, text: string): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const dump = Array.from(bytes).slice(at, at + BYTES_PER_LINE).map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    lines.push(`0x${(address + at >>> 0).toString(16).padStart(8, '0')}:  ${dump}`);
  }
  const [, mnemonic = text, operands = ''] = MNEMONIC_AND_OPERANDS.exec(text) ?? [];
  lines[0] = `${lines[0].padEnd(13 + 3 * BYTES_PER_LINE - 1)}  ${mnemonic.padEnd(8)} ${operands}`;
  return lines.join('\n');
}
