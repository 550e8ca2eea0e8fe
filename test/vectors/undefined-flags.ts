/** Which flags an instruction leaves undefined: Intel SDM vol. 1, appendix A, and the pages of vol. 2. */

import { AF, CF, OF, PF, SF, ZF } from '../../src/cpu/state.ts';

/** By mnemonic, where the operands do not matter. */
export const UNDEFINED_FLAGS: Readonly<Record<string, number>> = {
  AAA: OF | SF | ZF | PF, AAS: OF | SF | ZF | PF, DAA: OF, DAS: OF, AAM: OF | AF | CF, AAD: OF | AF | CF,
  AND: AF, OR: AF, XOR: AF, TEST: AF,
  MUL: SF | ZF | AF | PF, IMUL: SF | ZF | AF | PF, DIV: OF | SF | ZF | AF | PF | CF, IDIV: OF | SF | ZF | AF | PF | CF,
  BT: OF | SF | AF | PF, BTS: OF | SF | AF | PF, BTR: OF | SF | AF | PF, BTC: OF | SF | AF | PF,
  BSF: OF | SF | AF | PF | CF, BSR: OF | SF | AF | PF | CF,
};

/** Shifts and double shifts of `bits` bits by `count` (already modulo 32). */
export function undefinedByShift(count: number, bits: number): number {
  if (count === 0) return 0;
  return AF | (count === 1 ? 0 : OF) | (count >= bits ? CF : 0);
}

/** Rotates: AF and the rest are unaffected. */
export const undefinedByRotate = (count: number): number => (count <= 1 ? 0 : OF);
