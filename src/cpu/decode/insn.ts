/**
 * A decoded instruction, and the row of the opcode tables that it came from.
 * Operand notation is that of the Intel SDM, vol. 2, appendix A.2; deviations are explained at the head of rows.ts.
 */

/** Which bytes reach a row and what the instruction is, in the manual's notation. */
export interface Row {
  /** `ADD`, `MOVZX`, ... the manual's mnemonic in capitals; also names the emitter. */
  readonly mnemonic: string;
  /** `Eb`, `Gv`, `Iz`, `sIb`, `Jb`, `Ma`, `Ov`, `Xb`, `Yv`, `eAX`, `AL`, `1`, ...: destination first; at most three. */
  readonly operands: readonly string[];
  /** LOCK is legal when the destination is memory. */
  readonly lock: boolean;
  /** Map (0 = one byte, 1 = 0F), opcode byte, and ModRM.reg or -1, as in the manual: for logs, docs and tests. */
  readonly map: number;
  readonly opcode: number;
  readonly group: number;
  /** The whole ModRM byte where the row names it (0F 01 CA), or -1. */
  readonly modrm: number;
  /** Mandatory prefix: `66`, `F2`, `F3`, `NP` (none of them), or empty: any. */
  readonly prefix: string;
  /** Name of the processor feature that it needs (src/cpu/features.ts), or empty. */
  readonly feature: string;
  /** Position in the list of all rows: rows are numbered from 0, so tables of emitters can be arrays. */
  readonly index: number;
}

/** One per decoder, filled anew by each decode(). Plain ints only. */
export class Insn {
  row!: Row;
  /** EIP of the first byte, and of the byte after the last (not masked to 16 bits). */
  eip = 0;
  length = 0;
  readonly bytes = new Uint8Array(16);
  /** Operand and address size in bytes: 2 or 4. Byte forms are told by the operand's notation. */
  opSize: 2 | 4 = 2;
  addrSize: 2 | 4 = 2;
  /** 0, 0xF2 or 0xF3: the last of them. */
  rep = 0;
  lock = false;
  /** There is a 66h prefix. */
  operandSizePrefix = false;
  /** Segment override: 0-5, or -1. */
  override = -1;
  /** -1 where the row has no ModRM. */
  modrm = -1;
  mod = 0;
  reg = 0;
  rm = 0;
  /** Memory operand (mod != 3, and moffs): register numbers or -1, scale as a shift, displacement sign-extended to 32 bits. */
  base = -1;
  index = -1;
  scale = 0;
  disp = 0;
  /** Segment of the memory operand: the override, or SS for BP/ESP/EBP bases, or DS. For string sources (X): the override or DS. */
  seg = 3;
  /** First immediate as int32 (sign-extended where the notation says so, else zero-extended), relative jumps: the displacement. */
  imm = 0;
  /** Second immediate: ENTER's level, the selector of Ap. */
  imm2 = 0;
}

/** Why decode() gave no instruction. */
export const DECODE_OK = 0, DECODE_UD = 6, DECODE_GP = 13;
