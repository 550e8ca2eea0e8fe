/**
 * MMX and SSE operations and their operands, for record.ts (which runs them on a real processor) and recorded.test.ts. Operands and
 * MXCSR come from a seed, so that only results are recorded.
 */
import { double, single } from '../../vectors/float-values.ts';
import { Random } from '../../vectors/random.ts';

/** float: XMM and MXCSR change; xmm, mmx: a register changes; the others give a number in EAX: flags, an integer, a mask. */
export type Kind = 'float' | 'xmm' | 'mmx' | 'flags' | 'integer' | 'from-integer' | 'mask';

export interface Operation {
  readonly mnemonic: string;
  readonly kind: Kind;
  /** Or -1. */
  readonly imm: number;
  /** The immediate is a count: there is no source. */
  readonly counted: boolean;
}

const words = (text: string): string[] => text.split(' ');
const shapes = (names: string): string[] => words(names).flatMap((name) => ['PS', 'PD', 'SS', 'SD'].map((shape) => name + shape));
const plain = (mnemonics: readonly string[], kind: Kind): Operation[] => mnemonics.map((mnemonic) => ({ mnemonic, kind, imm: -1, counted: false }));
const withImmediates = (mnemonics: readonly string[], kind: Kind, immediates: readonly number[], counted = false): Operation[] =>
  mnemonics.flatMap((mnemonic) => immediates.map((imm) => ({ mnemonic, kind, imm, counted })));

const FLOATS = [...shapes('ADD SUB MUL DIV MIN MAX SQRT'), ...words('ADDSUBPS ADDSUBPD HADDPS HADDPD HSUBPS HSUBPD')];
const CONVERSIONS = words('CVTDQ2PS CVTDQ2PD CVTPS2DQ CVTTPS2DQ CVTPD2DQ CVTTPD2DQ CVTPS2PD CVTPD2PS CVTSS2SD CVTSD2SS');
const INTEGERS = words('PADDB PADDW PADDD PADDQ PSUBB PSUBW PSUBD PSUBQ PADDSB PADDSW PADDUSB PADDUSW PSUBSB PSUBSW PSUBUSB PSUBUSW PCMPEQB PCMPEQW PCMPEQD PCMPGTB PCMPGTW '
  + 'PCMPGTD PMAXUB PMINUB PMAXSW PMINSW PAVGB PAVGW PMULLW PMULHW PMULHUW PMULUDQ PMADDWD PSADBW PUNPCKLBW PUNPCKHBW PUNPCKLWD PUNPCKHWD PUNPCKLDQ PUNPCKHDQ PACKSSWB '
  + 'PACKUSWB PACKSSDW PSLLW PSLLD PSLLQ PSRLW PSRLD PSRLQ PSRAW PSRAD');
const SHIFTS = words('PSLLW PSLLD PSLLQ PSRLW PSRLD PSRLQ PSRAW PSRAD'), COUNTS = [0, 1, 15, 16, 31, 32, 33, 63, 64, 255];
const SHUFFLES = [0, 0x1b, 0xe4, 0x93];

export const OPERATIONS: readonly Operation[] = [
  ...plain([...FLOATS, ...CONVERSIONS], 'float'), ...withImmediates(shapes('CMP'), 'float', [0, 1, 2, 3, 4, 5, 6, 7]),
  ...plain([...INTEGERS, 'PUNPCKLQDQ', 'PUNPCKHQDQ'], 'xmm'), ...withImmediates(words('PSHUFD PSHUFLW PSHUFHW SHUFPS SHUFPD'), 'xmm', SHUFFLES),
  ...plain(INTEGERS, 'mmx'), ...withImmediates(['PSHUFW'], 'mmx', SHUFFLES),
  ...withImmediates(SHIFTS, 'xmm', COUNTS, true), ...withImmediates(SHIFTS, 'mmx', COUNTS, true), ...withImmediates(['PSLLDQ', 'PSRLDQ'], 'xmm', [0, 1, 7, 15, 16], true),
  ...plain(words('COMISS COMISD UCOMISS UCOMISD'), 'flags'), ...plain(words('CVTSS2SI CVTTSS2SI CVTSD2SI CVTTSD2SI'), 'integer'),
  ...plain(words('CVTSI2SS CVTSI2SD'), 'from-integer'), ...plain(words('PMOVMSKB MOVMSKPS MOVMSKPD'), 'mask'),
];

const CASES = 24;
/** Words of a case's input (operation, two operands of four words, MXCSR) and result (register, EAX, MXCSR). */
export const INPUT_WORDS = 10, RESULT_WORDS = 6;

const INTEGER_WORDS = [0x80007fff, 0x7f80ff00, 0xffffffff, 0, 1];

function operand(random: Random, { mnemonic, kind }: Operation): number[] {
  const integers = kind === 'xmm' || kind === 'mmx' || kind === 'mask' || kind === 'from-integer' || mnemonic.startsWith('CVTDQ');
  if (integers && SHIFTS.includes(mnemonic) && random.below(2) === 0) return [random.below(70), random.below(8) === 0 ? 1 : 0, random.next(), random.next()];
  if (integers) return [0, 1, 2, 3].map(() => (random.below(2) === 0 ? random.next() : random.pick(INTEGER_WORDS)));
  const from = /^CVTT?(PD|SD)/.test(mnemonic) || (!mnemonic.startsWith('CVT') && mnemonic.endsWith('D'));
  return from ? [...double(random), ...double(random)] : [0, 1, 2, 3].map(() => single(random));
}

/** Exceptions are masked; the rest of MXCSR varies. */
const mxcsr = (random: Random): number => 0x1f80 | (random.below(3) > 0 ? 0 : random.below(4) << 13) | (random.below(4) > 0 ? 0 : 0x8000) | (random.below(4) > 0 ? 0 : 0x40) | random.below(2) << 5;

/** All cases, INPUT_WORDS words each. */
export function makeInputs(): Int32Array {
  const random = new Random(1999);
  return Int32Array.from(OPERATIONS.flatMap((operation, index) => Array.from({ length: CASES }, () => {
    const first = operand(random, operation), second = random.below(12) === 0 ? first : operand(random, operation);
    return [index, ...first, ...second, mxcsr(random)].map((word) => word | 0);
  }).flat()));
}
