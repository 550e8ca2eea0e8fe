/** Helpers of the decoder's tests: decode a list of bytes. */

import { Decoder } from '../../../src/cpu/decode/decoder.ts';
import type { Insn, Row } from '../../../src/cpu/decode/insn.ts';

const decoder = new Decoder();

/** Decodes `bytes` (zeros follow); returns the outcome, the fields are in `insn`. */
export function decode(bytes: readonly number[], mode32 = false, eip = 0x1000): number {
  return decoder.decode({ byte: (at) => bytes[at - eip] ?? 0 }, eip, mode32);
}

/** What the last decode() gave; the same object every time. */
export const insn: Insn = decoder.insn;

/** `66 b8` to bytes. */
export function hex(text: string): number[] {
  return text.split(' ').map((byte) => parseInt(byte, 16));
}

/** A ModRM byte for a row: its own, or a memory operand (DI, EDI) if the row takes one. */
export function sampleModrm(row: Row, registers = false): number {
  if (row.modrm >= 0) return row.modrm;
  return Math.max(row.group, 0) << 3 | (registers || row.operands.includes('Rv') ? 0xC7 : 7);
}
