/**
 * Where a 386 and later differ from the processor that a suite was recorded on, by design: data, with reasons. Tests that fall
 * under a rule are counted apart, never as passed.
 */

import { Decoder } from '../../src/cpu/decode/decoder.ts';
import { DECODE_OK, DECODE_UD } from '../../src/cpu/decode/insn.ts';
import type { MooTest } from './moo.ts';

export interface Difference {
  /** Names as the files have (`F7.4`), or all. */
  readonly forms: readonly string[] | 'all';
  /** Which tests of these forms. */
  readonly applies: (test: MooTest) => boolean;
  readonly reason: string;
}

const STACK_SEGMENT = 2;

const decoder = new Decoder();

/** Decodes as our processor does, in 16-bit code. */
function decode(test: MooTest): { outcome: number; insn: Decoder['insn'] } {
  const outcome = decoder.decode({ byte: (eip) => test.bytes[eip] ?? 0xF4 }, 0, false);
  return { outcome, insn: decoder.insn };
}

const raised = (vector: number) => (test: MooTest): boolean => test.exception?.vector === vector;

/** A LOCK prefix that a 286 ignores. */
const ignoredLock = (test: MooTest): boolean => {
  const { outcome, insn } = decode(test);
  return outcome === DECODE_UD && insn.lock && test.exception?.vector !== 6;
};

const usesFsOrGs = (test: MooTest): boolean => {
  const { outcome, insn } = decode(test);
  return outcome === DECODE_OK && (insn.reg === 4 || insn.reg === 5);
};

/** A word at SS:FFFF, by ModRM. */
const overrunsStackSegment = (test: MooTest): boolean => {
  const { outcome, insn } = decode(test);
  return raised(13)(test) && outcome === DECODE_OK && insn.modrm >= 0 && insn.mod !== 3 && insn.seg === STACK_SEGMENT;
};

/** Suites of the 80286 (metadata.json: cpu 286). */
export const DIFFERENCES_286: readonly Difference[] = [
  { forms: 'all', applies: ignoredLock, reason: 'LOCK before what cannot be locked is #UD since the 386 (SDM vol. 2, LOCK); a 286 ignores it' },
  { forms: ['8C', '8E'], applies: usesFsOrGs, reason: 'FS and GS are new with the 386' },
  { forms: 'all', applies: overrunsStackSegment, reason: 'an operand that leaves SS is #SS (12) since the 386; on a 286 it is interrupt 13' },
  { forms: ['8F', 'C2', 'C3', 'C9', 'CB'], applies: raised(13), reason: 'a POP at SP = FFFF is #SS (12) since the 386; on a 286 it is interrupt 13' },
  { forms: ['6D'], applies: raised(13), reason: 'a 286 has moved DI already when INS faults' },
];

/** The rule that a test falls under, if any. */
export function differenceOf(differences: readonly Difference[], form: string, test: MooTest): Difference | undefined {
  return differences.find(({ forms, applies }) => (forms === 'all' || forms.includes(form)) && applies(test));
}
