/** The x87 instructions that there are, as rows of their own: the opcode tables have one row for each of D8 to DF. */
import { disassembleX87 } from '../../src/cpu/decode/disasm-x87.ts';
import { Insn } from '../../src/cpu/decode/insn.ts';
import type { Row } from '../../src/cpu/decode/insn.ts';
import { memoryInstruction, operandSize } from '../../src/cpu/fpu/memory.ts';

export interface X87Form {
  /** With a ModRM byte if it has no memory operand, and with ModRM.reg. */
  readonly row: Row;
  /** `D8 fadd %st(i)`, `D9 fldenv m`. */
  readonly form: string;
  /** The name alone. */
  readonly name: string;
  readonly memory: boolean;
  /** Bytes of the memory operand. */
  readonly size: (wide: boolean) => number;
}

function nameOf(row: Row, modrm: number): string {
  const insn = Object.assign(new Insn(), { row, modrm, mod: modrm >> 6, reg: modrm >> 3 & 7, rm: modrm & 7 });
  return disassembleX87(insn, () => 'm').replace(`%st(${insn.rm})`, '%st(i)');
}

/** Of D8 to DF. */
export function x87Forms(row: Row): X87Form[] {
  const bytes = [...Array.from({ length: 8 }, (_, reg) => reg << 3), ...Array.from({ length: 64 }, (_, i) => 0xc0 + i)];
  return bytes.flatMap((modrm): X87Form[] => {
    const text = nameOf(row, modrm), memory = modrm < 0xc0;
    if (text.includes('(bad)')) return [];
    const instruction = memory ? memoryInstruction(row.opcode & 7, modrm >> 3) : null;
    return [{
      row: { ...row, group: modrm >> 3 & 7, modrm: memory ? -1 : modrm }, form: `${row.opcode.toString(16).toUpperCase()} ${text}`, name: text.split(' ')[0]!, memory,
      size: (wide) => (instruction === null ? 0 : operandSize(instruction, wide)),
    }];
  });
}
