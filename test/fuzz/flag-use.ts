/** Which flags an instruction reads, writes, and leaves undefined: to know which are defined along a run. Intel SDM vol. 1, appendix A and B. */
import type { Insn } from '../../src/cpu/decode/insn.ts';
import { AF, CF, ECX, OF, PF, SF, STATUS_FLAGS, ZF } from '../../src/cpu/state.ts';
import { UNDEFINED_FLAGS, undefinedByRotate, undefinedByShift } from '../vectors/undefined-flags.ts';

/** By condition code without its lowest bit: O B Z BE S P L LE. */
const CONDITIONS: readonly number[] = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF];
const CONDITIONAL: readonly string[] = ['Jcc', 'SETcc', 'CMOVcc'];

const READS: Readonly<Record<string, number>> = {
  AAA: AF, AAS: AF, ADC: CF, CMC: CF, DAA: AF | CF, DAS: AF | CF, INTO: OF, LAHF: SF | ZF | AF | PF | CF, LOOPE: ZF, LOOPNE: ZF, PUSHF: STATUS_FLAGS, RCL: CF, RCR: CF, SALC: CF, SBB: CF,
};

/** Written, be it with something undefined. What is not here writes none. */
const WRITES: Readonly<Record<string, number>> = {
  AAA: STATUS_FLAGS, AAD: STATUS_FLAGS, AAM: STATUS_FLAGS, AAS: STATUS_FLAGS, ADC: STATUS_FLAGS, ADD: STATUS_FLAGS, AND: STATUS_FLAGS, ARPL: ZF, BSF: STATUS_FLAGS, BSR: STATUS_FLAGS,
  BT: CF, BTC: CF, BTR: CF, BTS: CF, CLC: CF, CMC: CF, CMP: STATUS_FLAGS, CMPS: STATUS_FLAGS, CMPXCHG: STATUS_FLAGS, CMPXCHG8B: ZF, COMISD: STATUS_FLAGS, COMISS: STATUS_FLAGS, DAA: STATUS_FLAGS, DAS: STATUS_FLAGS, DEC: STATUS_FLAGS & ~CF,
  DIV: STATUS_FLAGS, IDIV: STATUS_FLAGS, IMUL: STATUS_FLAGS, INC: STATUS_FLAGS & ~CF, IRET: STATUS_FLAGS, LAR: ZF, LSL: ZF, MUL: STATUS_FLAGS, NEG: STATUS_FLAGS, OR: STATUS_FLAGS, POPF: STATUS_FLAGS,
  SAHF: SF | ZF | AF | PF | CF, SBB: STATUS_FLAGS, SCAS: STATUS_FLAGS, STC: CF, SUB: STATUS_FLAGS, TEST: STATUS_FLAGS, UCOMISD: STATUS_FLAGS, UCOMISS: STATUS_FLAGS, VERR: ZF, VERW: ZF, XADD: STATUS_FLAGS, XOR: STATUS_FLAGS,
};
const SHIFTS: readonly string[] = ['SHL', 'SHR', 'SAR', 'SHLD', 'SHRD'], ROTATES: readonly string[] = ['ROL', 'ROR', 'RCL', 'RCR'];

/** Number of the low 5 bits by which a shift or rotate goes. */
export function shiftCount({ row: { operands }, imm }: Insn, R: Int32Array): number {
  const last = operands.at(-1);
  return last === '1' ? 1 : (last === 'CL' ? R[ECX]! : imm) & 31;
}

const bitsOf = ({ row: { operands }, opSize }: Insn): number => (operands[0]!.endsWith('b') ? 8 : 8 * opSize);

/** Flags that decide what the instruction does. */
export function flagsRead({ row: { mnemonic, opcode }, mod, reg }: Insn): number {
  // FCMOVcc.
  if ((mnemonic === 'ESC2' || mnemonic === 'ESC3') && mod === 3 && reg < 4) return CF | ZF | PF;
  return CONDITIONAL.includes(mnemonic) ? CONDITIONS[opcode >> 1 & 7]! : READS[mnemonic] ?? 0;
}

/** Which flags are undefined after the instruction has completed. `R`: the state before it. */
export function undefinedAfter(insn: Insn, R: Int32Array, before: number): number {
  const { row: { mnemonic }, rep, addrSize } = insn;
  if (SHIFTS.includes(mnemonic)) {
    const count = shiftCount(insn, R);
    return count === 0 ? before : undefinedByShift(count, bitsOf(insn));
  }
  if (ROTATES.includes(mnemonic)) {
    const count = shiftCount(insn, R);
    return count === 0 ? before : before & ~(CF | OF) | undefinedByRotate(count);
  }
  if (rep !== 0 && (mnemonic === 'CMPS' || mnemonic === 'SCAS') && (addrSize === 4 ? R[ECX]! : R[ECX]! & 0xffff) === 0) return before;
  return before & ~(WRITES[mnemonic] ?? 0) | (UNDEFINED_FLAGS[mnemonic] ?? 0);
}
