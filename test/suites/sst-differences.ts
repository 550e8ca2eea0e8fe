/**
 * Where a 386 and later differ from the processor that a suite was recorded on, by design: data, with reasons and with what a 386 does
 * instead. A test that falls under a rule must show just that; then it is counted apart, never as passed.
 */

import { Decoder } from '../../src/cpu/decode/decoder.ts';
import { DECODE_OK, DECODE_UD } from '../../src/cpu/decode/insn.ts';
import type { MooTest } from './moo.ts';

/** What a 386 does instead of what was recorded. */
export type Instead =
  /** It raises this exception as a fault: the instruction has done nothing. */
  | { readonly fault: number }
  /** It raises #UD for the LOCK prefix; without it the test is judged again. */
  | { readonly refusesLock: true }
  /** It raises the exception that was recorded, but SI, DI and CX stand before the element that faults. */
  | { readonly restartsElement: true }
  /** It carries the instruction out. */
  | { readonly completes: true };

export interface Difference {
  readonly applies: (test: MooTest) => boolean;
  readonly instead: Instead;
  readonly reason: string;
}

const STACK_SEGMENT = 2;
export const UNDEFINED_OPCODE = 6;
const STACK_FAULT = 12, PROTECTION_FAULT = 13;
const INSTRUCTION_LIMIT_286 = 10;
const POPS: readonly string[] = ['LEAVE', 'POP', 'POPA', 'POPF', 'RET', 'RETF', 'IRET'];
const WORD_STRINGS: readonly string[] = ['CMPS', 'INS', 'LODS', 'MOVS', 'OUTS', 'SCAS', 'STOS'];

const decoder = new Decoder();

/** Decodes as our processor does, in 16-bit code. */
function decode(test: MooTest): { outcome: number; insn: Decoder['insn'] } {
  const outcome = decoder.decode({ byte: (eip) => test.bytes[eip] ?? 0xF4 }, 0, false);
  return { outcome, insn: decoder.insn };
}

/** The instruction, if it is one of a 386, and the 286 raised this exception. */
function raised(vector: number, test: MooTest): Decoder['insn'] | undefined {
  const { outcome, insn } = decode(test);
  return outcome === DECODE_OK && test.exception?.vector === vector ? insn : undefined;
}

/** A LOCK prefix that a 286 ignores. */
function hasIgnoredLock(test: MooTest): boolean {
  const { outcome, insn } = decode(test);
  return outcome === DECODE_UD && insn.lock && test.exception?.vector !== UNDEFINED_OPCODE;
}

/** MOV between a general register or memory and segment register 4 or 5. */
function usesFsOrGs(test: MooTest): boolean {
  const insn = raised(UNDEFINED_OPCODE, test);
  return insn !== undefined && insn.row.operands.some((operand) => operand[0] === 'S') && (insn.reg === 4 || insn.reg === 5);
}

/** A word at SS:FFFF: popped, or an operand by ModRM. */
function overrunsStackSegment(test: MooTest): boolean {
  const insn = raised(PROTECTION_FAULT, test);
  if (insn === undefined) return false;
  return POPS.includes(insn.row.mnemonic.split(' ')[0]) || (insn.modrm >= 0 && insn.mod !== 3 && insn.seg === STACK_SEGMENT);
}

const isWordString = (test: MooTest): boolean => WORD_STRINGS.includes(raised(PROTECTION_FAULT, test)?.row.mnemonic ?? '');

const isTooLongFor286 = (test: MooTest): boolean => (raised(PROTECTION_FAULT, test)?.length ?? 0) > INSTRUCTION_LIMIT_286;

/** Suites of the 80286 (metadata.json: cpu 286). The first rule that applies counts. */
export const DIFFERENCES_286: readonly Difference[] = [
  {
    applies: hasIgnoredLock, instead: { refusesLock: true },
    reason: 'LOCK before what cannot be locked is #UD since the 386 (80386 manual, 14.8; SDM vol. 2, LOCK); a 286 ignores it',
  },
  {
    applies: usesFsOrGs, instead: { completes: true },
    reason: 'FS and GS came with the 386; a 286 raises #UD',
  },
  {
    applies: isTooLongFor286, instead: { completes: true },
    reason: 'an instruction may have 15 bytes since the 386 (80386 manual, 14.7); a 286 raises interrupt 13 beyond 10',
  },
  {
    applies: overrunsStackSegment, instead: { fault: STACK_FAULT },
    reason: 'a word at SS:FFFF is #SS (12) since the 386 (SDM vol. 2, real-address mode exceptions); on a 286 it is interrupt 13',
  },
  {
    applies: isWordString, instead: { restartsElement: true },
    reason: 'a string instruction that faults can be restarted since the 386 (SDM vol. 3, 6.5); a 286 has moved SI, DI or CX already',
  },
];

/** The rule that a test falls under, if any. */
export function differenceOf(differences: readonly Difference[], test: MooTest): Difference | undefined {
  return differences.find(({ applies }) => applies(test));
}

const PREFIXES: readonly number[] = [0x26, 0x2E, 0x36, 0x3E, 0xF2, 0xF3];
const LOCK = 0xF0, DS_PREFIX = 0x3E, SS_PREFIX = 0x36;

/** The same test without LOCK, and as long: other prefixes are repeated, or the segment is named that the instruction uses anyway. */
export function withoutLock(test: MooTest): MooTest {
  const end = test.bytes.findIndex((byte) => byte !== LOCK && !PREFIXES.includes(byte));
  const others = [...test.bytes.subarray(0, end)].filter((byte) => byte !== LOCK);
  const first = others[0] ?? (decode(test).insn.seg === STACK_SEGMENT ? SS_PREFIX : DS_PREFIX);
  const prefixes = [...Array.from({ length: end - others.length }, () => first), ...others];
  const { cs = 0, ip = 0 } = test.initial.registers;
  const changed = new Map(prefixes.map((byte, index) => [cs * 16 + (ip + index & 0xFFFF) & 0xFF_FFFF, byte]));
  const replaced = (ram: MooTest['initial']['ram']): MooTest['initial']['ram'] => ram.map(([address, value]) => [address, changed.get(address) ?? value]);
  return { ...test, bytes: Uint8Array.from([...prefixes, ...test.bytes.subarray(end)]), initial: { ...test.initial, ram: replaced(test.initial.ram) } };
}
