/** Which template an instruction means: the first whose operands all fit (NASM manual, 3.1 and 3.7; A.1 for the -Ox rules). */
import { LineError } from './errors.ts';
import type { OperandKind, Template } from './instructions/template.ts';
import type { Operand } from './operands.ts';
import { isScalar, isUnknown } from './value.ts';
import type { Value } from './value.ts';

/** What matching has to know beyond the operands. */
export interface MatchContext {
  /** 16 or 32. */
  readonly bits: number;
  /** The same, changed by o16 or o32. */
  readonly operandBits: number;
  /** Directive cpu: 286 means 286 and older. */
  readonly processor: 286 | 386;
  /** Whether a jump encoded by this template reaches the target with a byte. */
  reachesShort(template: Template, target: Value): boolean;
}

/** Fits; fits if only the memory operand were of that size; does not fit. */
type Fit = 'yes' | 'unsized' | 'no';

function fitsSignedByte(operand: Operand, bits: number): boolean {
  if (operand.syntax.strict) return false;
  // Passes begin with the hope that what is not known yet is small.
  if (isUnknown(operand.value)) return true;
  if (!isScalar(operand.value)) return false;
  const value = BigInt.asIntN(bits, operand.value.number);
  return value >= -128n && value <= 127n;
}

/** A size is written that is not the template's; none written means the mode's. */
const otherSize = (operand: Operand, kind: OperandKind, bits: number): boolean => (operand.size === 0 ? bits !== kind.size * 8 : operand.size !== kind.size);

function immediateFits(operand: Operand, kind: OperandKind, template: Template, context: MatchContext): boolean {
  const { syntax, size } = operand;
  const bits = template.operandSize || context.bits;
  if (kind.unsized && size !== 0) return false;
  switch (kind.immediate) {
    case '':
      return false;
    case 'plain':
      return !syntax.short && !syntax.near && (size === 0 || size === kind.size);
    case 'sized':
      return !syntax.short && !syntax.near && (kind.modeSize ? !otherSize(operand, kind, context.bits) : size === kind.size);
    case 'signed':
      if (kind.modeSize) return !otherSize(operand, kind, context.operandBits) && fitsSignedByte(operand, bits);
      return size === 1 || ((size === 0 || size * 8 === bits) && fitsSignedByte(operand, bits));
    case 'one':
      if (isUnknown(operand.value)) return size === 0 && !syntax.strict;
      return size === 0 && isScalar(operand.value) && operand.value.number === 1n;
    case 'onlyShort':
      return !syntax.near && !syntax.far;
    case 'short':
      if (syntax.short) return true;
      return !syntax.near && !syntax.far && !syntax.strict && size === 0 && context.reachesShort(template, operand.value);
    case 'near':
      return !syntax.short && !syntax.far && !otherSize(operand, kind, context.bits);
    case 'far':
      return false;
  }
}

function memoryFits(operand: Operand, kind: OperandKind, bits: number): Fit {
  if (!kind.memory) return 'no';
  if (kind.role === 'moff' && (operand.address.length > 0 || operand.syntax.displacement === 1)) return 'no';
  if ((kind.word === 'far') !== operand.syntax.far) return 'no';
  if (operand.syntax.near && !kind.modeSize) return 'no';
  if (kind.modeSize) return otherSize(operand, kind, bits) ? 'no' : 'yes';
  if (kind.size === 0) return kind.unsized && operand.size !== 0 ? 'no' : 'yes';
  if (operand.size === 0) return 'unsized';
  return operand.size === kind.size ? 'yes' : 'no';
}

function operandFits(operand: Operand, kind: OperandKind, template: Template, context: MatchContext): Fit {
  switch (operand.form) {
    case 'register': {
      const register = operand.register!;
      if (register.class !== kind.registerClass || (kind.number >= 0 && register.number !== kind.number)) return 'no';
      return operand.syntax.to === (kind.word === 'to') ? 'yes' : 'no';
    }
    case 'memory':
      return memoryFits(operand, kind, context.operandBits);
    case 'immediate':
      return immediateFits(operand, kind, template, context) ? 'yes' : 'no';
    case 'far':
      return kind.immediate === 'far' && !otherSize(operand, kind, context.bits) ? 'yes' : 'no';
  }
}

function templateFits(template: Template, operands: readonly Operand[], context: MatchContext): Fit {
  const kinds = template.operands;
  if (kinds.length !== operands.length || (template.processor !== 0 && template.processor !== context.processor)) return 'no';
  let unsized = -1;
  for (let i = 0; i < kinds.length; i++) {
    const fit = operandFits(operands[i]!, kinds[i]!, template, context);
    if (fit === 'no') return 'no';
    if (fit === 'unsized') unsized = i;
  }
  if (unsized < 0) return 'yes';
  const lent = kinds.some((kind, i) => i !== unsized && kind.lendsSize && operands[i]!.size === kinds[unsized]!.size);
  return lent ? 'yes' : 'unsized';
}

const memorySize = (template: Template): number => template.operands.find((kind) => kind.memory)?.size ?? 0;

/** Throws LineError if none fits, or if several do that differ in the size of a memory operand that does not say its size. */
export function matchTemplate(candidates: readonly Template[], operands: readonly Operand[], context: MatchContext): Template {
  let guess: Template | null = null;
  let ambiguous = false;
  for (const template of candidates) {
    const fit = templateFits(template, operands, context);
    if (fit === 'yes') return template;
    if (fit === 'no') continue;
    ambiguous ||= guess !== null && memorySize(guess) !== memorySize(template);
    guess ??= template;
  }
  if (ambiguous) throw new LineError('operation size not specified');
  if (guess !== null) return guess;
  throw new LineError(`invalid combination of opcode and operands: ${candidates[0]!.mnemonic}`);
}
