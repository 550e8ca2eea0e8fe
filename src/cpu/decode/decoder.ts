/**
 * Turns instruction bytes into an `Insn`: prefixes, opcode, ModRM and SIB, displacement, immediates.
 * Source: Intel SDM, vol. 2, chapter 2 (instruction format, tables 2-1 to 2-3); the rows say what each opcode takes.
 */

import { DECODE_GP, DECODE_OK, DECODE_UD, Insn } from './insn.ts';
import {
  CLASS_66, CLASS_F2, CLASS_F3, CLASS_NONE, FORM_IMM2, FORM_IMM_MASK, FORM_LOCK, FORM_MEMORY, FORM_REGISTER, FORM_REGISTER_ONLY, FORM_REGS_SHIFT, IMM_BYTE, IMM_FAR, IMM_MOFFS, IMM_NONE, IMM_REL_BYTE,
  IMM_REL_V, IMM_SIGNED_BYTE, IMM_V, IMM_WORD, OPCODE_FORM, OPCODE_MODRM, OPCODE_NONE, ROW_AT, ROW_EXACT, ROW_FORM, ROWS,
} from './table.ts';

/** Where instruction bytes come from. */
export interface CodeFetch {
  /** The byte at offset `eip` of the code segment (not wrapped to 16 bits), 0-255. May throw a guest fault; decode() lets it pass. */
  byte(eip: number): number;
}

/** More bytes than this are #GP(0) (SDM vol. 2, 2.3.11). */
export const MAX_INSN_LENGTH = 15;

const ESP = 4, EBP = 5;
const SS = 2, DS = 3;

// ModRM.rm of 16-bit addressing (table 2-1): BX+SI BX+DI BP+SI BP+DI SI DI BP BX.
const BASE_16 = Int8Array.of(3, 3, 5, 5, 6, 7, 5, 3);
const INDEX_16 = Int8Array.of(6, 7, 6, 7, -1, -1, -1, -1);

// What a byte does as a prefix: 0 nothing; else the kind, or 8 + segment number.
const PREFIX_OPERAND_SIZE = 1, PREFIX_ADDRESS_SIZE = 2, PREFIX_LOCK = 3, PREFIX_REP = 4, PREFIX_SEGMENT = 8;
const PREFIX = new Uint8Array(256);
[0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65].forEach((byte, segment) => { PREFIX[byte] = PREFIX_SEGMENT + segment; });
PREFIX[0x66] = PREFIX_OPERAND_SIZE;
PREFIX[0x67] = PREFIX_ADDRESS_SIZE;
PREFIX[0xF0] = PREFIX_LOCK;
PREFIX[0xF2] = PREFIX[0xF3] = PREFIX_REP;

export class Decoder {
  /** The result of the last decode(); overwritten by the next. */
  readonly insn = new Insn();
  private fetch!: CodeFetch;
  /** Bytes consumed; counts on beyond the limit without fetching, so that over-long instructions end in one place. */
  private length = 0;

  /**
   * Decodes the instruction at `eip` into `this.insn`. `mode32` is CS.D.
   * Returns DECODE_OK; DECODE_UD (no such instruction, or LOCK where it is not allowed) or DECODE_GP (longer than 15 bytes),
   * and then only `eip`, `bytes`, `length` and the prefixes of the instruction are meaningful.
   */
  decode(fetch: CodeFetch, eip: number, mode32: boolean): number {
    const { insn } = this;
    this.fetch = fetch;
    this.length = 0;
    insn.eip = eip;
    const outcome = this.decodeFields(insn, mode32);
    if (this.length > MAX_INSN_LENGTH) {
      insn.length = MAX_INSN_LENGTH;
      return DECODE_GP;
    }
    insn.length = this.length;
    return outcome;
  }

  private decodeFields(insn: Insn, mode32: boolean): number {
    insn.modrm = -1;
    insn.mod = insn.reg = insn.rm = 0;
    insn.base = insn.index = -1;
    insn.scale = insn.disp = 0;
    insn.imm = insn.imm2 = 0;

    let opcode = this.prefixes(insn, mode32);
    if (opcode === 0x0F) opcode = 0x100 | this.byte();
    const opcodeForm = OPCODE_FORM[opcode];
    if (opcodeForm === OPCODE_NONE) return DECODE_UD;
    if (opcodeForm === OPCODE_MODRM) {
      const modrm = this.byte();
      insn.modrm = modrm;
      insn.mod = modrm >> 6;
      insn.reg = modrm >> 3 & 7;
      insn.rm = modrm & 7;
    }
    let index = ROW_EXACT[opcode << 8 | insn.modrm & 0xff];
    if (index < 0) index = ROW_AT[this.prefixClass(insn) << 12 | opcode << 3 | insn.reg];
    if (index < 0) return DECODE_UD;
    insn.row = ROWS[index];
    const form = ROW_FORM[index];

    insn.seg = DS;
    if (opcodeForm === OPCODE_MODRM) {
      if ((form & FORM_REGISTER) !== 0) insn.mod = 3;
      if (insn.mod !== 3) {
        if (insn.addrSize === 4) this.memory32(insn);
        else this.memory16(insn);
      }
    }
    if (insn.override >= 0) insn.seg = insn.override;
    if ((form & FORM_IMM_MASK) !== IMM_NONE) this.immediates(insn, form);

    // Checked last: a fetch fault in the instruction's own bytes comes before #UD.
    if ((form >> FORM_REGS_SHIFT & 1 << insn.reg) === 0) return DECODE_UD;
    if ((form & (insn.mod === 3 ? FORM_MEMORY : FORM_REGISTER_ONLY)) !== 0) return DECODE_UD;
    if (insn.lock && ((form & FORM_LOCK) === 0 || insn.mod === 3)) return DECODE_UD;
    return DECODE_OK;
  }

  /** Reads prefixes up to the opcode, and returns that. */
  private prefixes(insn: Insn, mode32: boolean): number {
    insn.opSize = insn.addrSize = mode32 ? 4 : 2;
    insn.rep = 0;
    insn.operandSizePrefix = false;
    insn.lock = false;
    insn.override = -1;
    for (;;) {
      const byte = this.byte();
      const prefix = PREFIX[byte];
      switch (prefix) {
        case 0: return byte;
        case PREFIX_OPERAND_SIZE:
          insn.opSize = mode32 ? 2 : 4;
          insn.operandSizePrefix = true;
          break;
        case PREFIX_ADDRESS_SIZE: insn.addrSize = mode32 ? 2 : 4; break;
        case PREFIX_LOCK: insn.lock = true; break;
        case PREFIX_REP: insn.rep = byte; break;
        default: insn.override = prefix - PREFIX_SEGMENT;
      }
    }
  }

  /** REP and REPNE decide before the operand size. */
  private prefixClass(insn: Insn): number {
    if (insn.rep !== 0) return insn.rep === 0xF3 ? CLASS_F3 : CLASS_F2;
    return insn.operandSizePrefix ? CLASS_66 : CLASS_NONE;
  }

  /** 16-bit addressing (SDM vol. 2, table 2-1). */
  private memory16(insn: Insn): void {
    if (insn.mod === 0 && insn.rm === 6) {
      insn.disp = this.signedWord();
      return;
    }
    insn.base = BASE_16[insn.rm];
    insn.index = INDEX_16[insn.rm];
    if (insn.base === EBP) insn.seg = SS;
    if (insn.mod === 1) insn.disp = this.signedByte();
    else if (insn.mod === 2) insn.disp = this.signedWord();
  }

  /** 32-bit addressing with SIB (SDM vol. 2, tables 2-2 and 2-3). */
  private memory32(insn: Insn): void {
    let base = insn.rm;
    if (base === ESP) {
      const sib = this.byte();
      base = sib & 7;
      const index = sib >> 3 & 7;
      // Without an index the scale does nothing.
      if (index !== ESP) {
        insn.index = index;
        insn.scale = sib >> 6;
      }
    }
    if (insn.mod === 0 && base === EBP) {
      insn.disp = this.dword();
      return;
    }
    insn.base = base;
    if (base === ESP || base === EBP) insn.seg = SS;
    if (insn.mod === 1) insn.disp = this.signedByte();
    else if (insn.mod === 2) insn.disp = this.dword();
  }

  private immediates(insn: Insn, form: number): void {
    switch (form & FORM_IMM_MASK) {
      case IMM_BYTE: insn.imm = this.byte(); break;
      case IMM_SIGNED_BYTE:
      case IMM_REL_BYTE: insn.imm = this.signedByte(); break;
      case IMM_WORD: insn.imm = this.word(); break;
      case IMM_V: insn.imm = insn.opSize === 4 ? this.dword() : this.word(); break;
      case IMM_REL_V: insn.imm = insn.opSize === 4 ? this.dword() : this.signedWord(); break;
      case IMM_MOFFS: insn.disp = insn.addrSize === 4 ? this.dword() : this.signedWord(); break;
      case IMM_FAR:
        insn.imm = insn.opSize === 4 ? this.dword() : this.word();
        insn.imm2 = this.word();
        break;
    }
    if ((form & FORM_IMM2) !== 0) insn.imm2 = this.byte();
  }

  private byte(): number {
    const at = this.length++;
    if (at >= MAX_INSN_LENGTH) return 0;
    const { insn } = this;
    return insn.bytes[at] = this.fetch.byte(insn.eip + at | 0);
  }

  private signedByte(): number {
    return this.byte() << 24 >> 24;
  }

  private word(): number {
    const low = this.byte();
    return low | this.byte() << 8;
  }

  private signedWord(): number {
    return this.word() << 16 >> 16;
  }

  private dword(): number {
    const low = this.word();
    return low | this.word() << 16;
  }
}
