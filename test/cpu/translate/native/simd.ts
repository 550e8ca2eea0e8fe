/**
 * Every MMX and SSE row, with a register and with memory as its source: registers are loaded from the data at EBX, the instruction runs,
 * and they are stored behind it, with MXCSR and the x87 status word.
 */
import { ROWS, opcodeBytes } from '../../../../src/cpu/decode/table.ts';
import type { Row } from '../../../../src/cpu/decode/insn.ts';

/** [EBX + displacement] with this ModRM.reg. */
const memory = (reg: number, displacement: number): number[] => (displacement < 128 ? [0x43 | reg << 3, displacement] : [0x83 | reg << 3, displacement & 255, displacement >> 8, 0, 0]);
const LOAD = [
  // PUSH 1F80h; LDMXCSR [ESP]; LEA ESP,[ESP+4]; FNINIT
  0x68, 0x80, 0x1f, 0, 0, 0x0f, 0xae, 0x14, 0x24, 0x8d, 0x64, 0x24, 4, 0xdb, 0xe3, 0xf3, 0x0f, 0x6f, ...memory(1, 0), 0xf3, 0x0f, 0x6f, ...memory(2, 16), 0x0f, 0x6f, ...memory(1, 32), 0x0f, 0x6f, ...memory(2, 40),
];
const save = (at: number): number[] => [
  0xf3, 0x0f, 0x7f, ...memory(1, at), 0xf3, 0x0f, 0x7f, ...memory(2, at + 16), 0xdd, ...memory(7, at + 48), 0x0f, 0xae, ...memory(3, at + 52),
  0x0f, 0x7f, ...memory(1, at + 32), 0x0f, 0x7f, ...memory(2, at + 40),
];
const FIRST_RESULT = 0x60, SECOND_RESULT = 0xa0, SOURCE = 48;

/** Approximate, or what it saves tells where the code was; FXRSTOR and LDMXCSR refuse what is in the data. */
const LEFT_OUT = ['RCPPS', 'RCPSS', 'RSQRTPS', 'RSQRTSS', 'FXSAVE', 'FXRSTOR', 'LDMXCSR'];
const IMMEDIATE = 0x1d;

/** Prefix, opcode and ModRM with reg 1 (or the group's) and rm 2, or memory. */
function instruction(row: Row, modrm: (reg: number) => number[]): number[] {
  const reg = row.group >= 0 ? row.group : 1;
  const hasModrm = row.operands.length > 0 || row.group >= 0;
  return [...opcodeBytes(row), ...(hasModrm ? modrm(reg) : []), ...(row.operands.includes('Ib') ? [IMMEDIATE] : [])];
}

const isMemoryOnly = ({ operands }: Row): boolean => operands.some((operand) => operand.startsWith('M'));
const isRegisterOnly = ({ operands }: Row): boolean => operands.length === 0 || operands.some((operand) => /^[NU]|^Rv$/.test(operand));

/** Name and code; EDI, where MASKMOV writes, is for the caller. */
export const SIMD_CASES: readonly (readonly [name: string, code: number[]])[] = ROWS.filter(({ feature, mnemonic }) => /^(mmx|sse\d?)$/.test(feature) && !LEFT_OUT.includes(mnemonic)).map((row) => {
  const register = isMemoryOnly(row) ? [] : [...instruction(row, (reg) => [0xc2 | reg << 3]), ...save(FIRST_RESULT)];
  const inMemory = isRegisterOnly(row) ? [] : [...instruction(row, (reg) => memory(reg, SOURCE)), ...save(SECOND_RESULT)];
  return [`simd ${row.mnemonic} ${row.operands.join(',')}`, [...LOAD, ...register, ...inMemory, 0x0f, 0x77]] as const;
});
