/** Memory operands to ModRM, SIB and displacement (Intel SDM vol. 2, 2.1.5, tables 2-1 to 2-3), choosing among encodings as NASM does. */
import { LineError } from './errors.ts';
import type { Operand } from './operands.ts';
import type { Register } from './registers.ts';
import type { Term } from './value.ts';

export interface EncodedAddress {
  /** 16 or 32. */
  readonly bits: number;
  readonly mod: number;
  readonly rm: number;
  /** -1: none. */
  readonly sib: number;
  /** 0, 1, 2 or 4 bytes. */
  readonly displacementSize: number;
}

const BP = 5;
const SP = 4;

/** r/m of the 16-bit forms by the registers used, as a mask of register numbers. */
const FORMS_16 = new Map([
  [(1 << 3) | (1 << 6), 0], [(1 << 3) | (1 << 7), 1], [(1 << 5) | (1 << 6), 2], [(1 << 5) | (1 << 7), 3],
  [1 << 6, 4], [1 << 7, 5], [1 << 5, 6], [1 << 3, 7],
]);

const invalid = (): never => {
  throw new LineError('invalid effective address');
};

/** Address size in bits by registers, displacement keyword, prefix (0: none) and mode, in this order. */
export function addressBits(operand: Operand, prefix: number, mode: number): number {
  const sizes = new Set(operand.address.map((term) => (term.of as Register).size * 8));
  if (sizes.size > 1) invalid();
  const [fromRegisters] = sizes;
  if (fromRegisters !== undefined) {
    if (fromRegisters !== 16 && fromRegisters !== 32) invalid();
    if (prefix !== 0 && prefix !== fromRegisters) throw new LineError(`a${prefix} contradicts the address`);
    return fromRegisters;
  }
  const { displacement } = operand.syntax;
  if (prefix !== 0 && displacement > 1 && displacement * 8 !== prefix) throw new LineError(`a${prefix} contradicts the displacement's size`);
  if (prefix !== 0) return prefix;
  return displacement === 2 ? 16 : displacement === 4 ? 32 : mode;
}

/** Bytes of displacement: none, one or all; labels and values not known yet always get all. */
function displacementSize(operand: Operand, full: number, noneAllowed: boolean): number {
  const { displacement } = operand.syntax;
  if (displacement === 1) return 1;
  if (displacement === full) return full;
  if (operand.value.terms.length > 0) return full;
  const offset = Number(BigInt.asIntN(full * 8, operand.value.number));
  if (offset === 0 && noneAllowed) return 0;
  return offset >= -128 && offset <= 127 ? 1 : full;
}

const modOf = (size: number): number => (size === 0 ? 0 : size === 1 ? 1 : 2);

function encode16(operand: Operand): EncodedAddress {
  if (operand.address.length === 0) return { bits: 16, mod: 0, rm: 6, sib: -1, displacementSize: 2 };
  let mask = 0;
  for (const term of operand.address) {
    if (term.factor !== 1n) invalid();
    mask |= 1 << (term.of as Register).number;
  }
  const rm = FORMS_16.get(mask) ?? invalid();
  const size = displacementSize(operand, 2, rm !== 6);
  return { bits: 16, mod: modOf(size), rm, sib: -1, displacementSize: size };
}

interface Parts {
  /** Register numbers, -1: none. */
  base: number;
  index: number;
  scale: number;
}

function splitSingle(term: Term, nosplit: boolean): Parts {
  const number = (term.of as Register).number;
  const factor = Number(term.factor);
  switch (factor) {
    case 1:
      return nosplit && term.scaled && number !== SP ? { base: -1, index: number, scale: 1 } : { base: number, index: -1, scale: 1 };
    case 2:
      return nosplit ? { base: -1, index: number, scale: 2 } : { base: number, index: number, scale: 1 };
    case 3:
    case 5:
    case 9:
      return { base: number, index: number, scale: factor - 1 };
    default:
      return { base: -1, index: number, scale: factor };
  }
}

function splitPair(first: Term, second: Term): Parts {
  let [base, index] = [first, second];
  const mustSwap = base.factor !== 1n || (index.of as Register).number === SP;
  // `eax*1` first says that eax is the index, where it can be.
  const hinted = index.factor === 1n && base.scaled && (base.of as Register).number !== SP;
  if (mustSwap || hinted) [base, index] = [index, base];
  if (base.factor !== 1n) invalid();
  return { base: (base.of as Register).number, index: (index.of as Register).number, scale: Number(index.factor) };
}

const forgetScaling = (term: Term): Term => ({ ...term, scaled: false });

const byName = (a: Term, b: Term): number => (a.of.name < b.of.name ? -1 : 1);

function encode32(operand: Operand): EncodedAddress {
  const { syntax, value } = operand;
  // Without a first register to go by, nasm takes them in the order of their names.
  const address = value.summed ? operand.address.map(forgetScaling).sort(byName) : operand.address;
  if (address.length === 0) return { bits: 32, mod: 0, rm: 5, sib: -1, displacementSize: 4 };
  if (address.length > 2) invalid();
  const { base, index, scale } = address.length === 1 ? splitSingle(address[0]!, syntax.nosplit && !value.summed) : splitPair(address[0]!, address[1]!);
  const scaleBits = [1, 2, 4, 8].indexOf(scale);
  if (index === SP || scaleBits < 0) invalid();
  if (base < 0) return { bits: 32, mod: 0, rm: 4, sib: (scaleBits << 6) | (index << 3) | 5, displacementSize: 4 };
  const size = displacementSize(operand, 4, base !== BP);
  const mod = modOf(size);
  if (index < 0 && base !== SP) return { bits: 32, mod, rm: base, sib: -1, displacementSize: size };
  return { bits: 32, mod, rm: 4, sib: (scaleBits << 6) | ((index < 0 ? 4 : index) << 3) | base, displacementSize: size };
}

/** Encodes a memory operand for an address size of 16 or 32 bits. Throws LineError if no form holds it. */
export function encodeAddress(operand: Operand, bits: number): EncodedAddress {
  const { displacement } = operand.syntax;
  if (displacement > 1 && displacement * 8 !== bits) throw new LineError('displacement size does not fit the address size');
  return bits === 16 ? encode16(operand) : encode32(operand);
}
