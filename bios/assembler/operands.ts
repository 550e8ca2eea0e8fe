/** Operands of instructions: their syntax, kept between passes, and their value in one pass (NASM manual, 3.1, 3.3, 3.7). */
import { LineError } from './errors.ts';
import { evaluate, parseExpression } from './expression.ts';
import type { Cursor, Expression, Scope } from './expression.ts';
import { findRegister } from './registers.ts';
import type { Register } from './registers.ts';
import { subtract, termValue } from './value.ts';
import type { Term, Value } from './value.ts';

/** Sizes in bytes by keyword. */
export const SIZE_KEYWORDS: ReadonlyMap<string, number> = new Map([
  ['byte', 1], ['word', 2], ['dword', 4], ['qword', 8], ['tword', 10], ['oword', 16],
]);

export interface OperandSyntax {
  readonly form: 'value' | 'memory' | 'far';
  /** In bytes as written; 0: not said. */
  readonly size: number;
  readonly strict: boolean;
  readonly short: boolean;
  readonly near: boolean;
  readonly far: boolean;
  readonly to: boolean;
  readonly expression: Expression;
  /** Selector of `selector:offset`. */
  readonly selector: Expression | null;
  /** Segment override inside the brackets. */
  readonly segment: Register | null;
  /** `[byte bx+1]`, `[dword 5]`: size of the displacement in bytes, 0 if not said. */
  readonly displacement: number;
  /** `[nosplit eax*2]` */
  readonly nosplit: boolean;
}

/** An operand with its numbers filled in. */
export interface Operand {
  readonly syntax: OperandSyntax;
  readonly form: 'register' | 'memory' | 'immediate' | 'far';
  /** In bytes; of a register its own, else as written. 0: not said. */
  readonly size: number;
  readonly register: Register | null;
  /** Immediate, offset, or displacement with its section terms. */
  readonly value: Value;
  readonly selector: Value | null;
  /** Register terms of an address. */
  readonly address: readonly Term[];
}

const MODIFIERS: ReadonlySet<string> = new Set(['strict', 'short', 'near', 'far', 'to', 'nosplit', 'rel', 'abs']);

/** Size and modifier keywords in any order, lower case. */
function parseModifiers(cursor: Cursor): { size: number; words: Set<string> } {
  const words = new Set<string>();
  let size = 0;
  for (let word = cursor.keyword; word !== ''; word = cursor.keyword) {
    const bytes = SIZE_KEYWORDS.get(word);
    if (bytes !== undefined) size = bytes;
    else if (MODIFIERS.has(word)) words.add(word);
    else break;
    cursor.at++;
  }
  return { size, words };
}

/** `es:` where a segment register stands before a colon. */
function acceptSegment(cursor: Cursor): Register | null {
  const segment = findRegister(cursor.keyword);
  if (segment?.class !== 'sreg' || cursor.tokens[cursor.at + 1]?.text !== ':') return null;
  cursor.at += 2;
  return segment;
}

/** Parses one operand and leaves the cursor behind it. */
export function parseOperand(cursor: Cursor): OperandSyntax {
  const { size, words } = parseModifiers(cursor);
  const flags = {
    size, strict: words.has('strict'), short: words.has('short'), near: words.has('near'), far: words.has('far'), to: words.has('to'),
  };
  const outerSegment = cursor.tokens[cursor.at + 2]?.text === '[' ? acceptSegment(cursor) : null;
  if (cursor.accept('[')) {
    let segment = outerSegment ?? acceptSegment(cursor);
    const inner = parseModifiers(cursor);
    segment ??= acceptSegment(cursor);
    const expression = parseExpression(cursor);
    cursor.expect(']');
    return { ...flags, form: 'memory', expression, selector: null, segment, displacement: inner.size, nosplit: inner.words.has('nosplit') };
  }
  const expression = parseExpression(cursor);
  const plain = { ...flags, segment: null, displacement: 0, nosplit: false };
  if (!cursor.accept(':')) return { ...plain, form: 'value', expression, selector: null };
  return { ...plain, form: 'far', selector: expression, expression: parseExpression(cursor) };
}

const isRegisterTerm = (term: Term): boolean => term.of.kind === 'register';

function loneRegister(value: Value): Register | null {
  const term = value.terms[0];
  if (value.terms.length !== 1 || value.number !== 0n || term!.factor !== 1n || term!.of.kind !== 'register') return null;
  return term!.of;
}

/** Fills in the values of this pass. Throws LineError for register arithmetic outside brackets. */
export function evaluateOperand(syntax: OperandSyntax, scope: Scope): Operand {
  const value = evaluate(syntax.expression, scope);
  if (syntax.form === 'memory') {
    const address = value.terms.filter(isRegisterTerm);
    let rest = value;
    if (address.length > 0) rest = { ...value, terms: value.terms.filter((term) => !isRegisterTerm(term)) };
    return { syntax, form: 'memory', size: syntax.size, register: null, value: rest, selector: null, address };
  }
  if (syntax.form === 'far') {
    return { syntax, form: 'far', size: syntax.size, register: null, value, selector: evaluate(syntax.selector!, scope), address: [] };
  }
  const register = loneRegister(value);
  if (register !== null) return { syntax, form: 'register', size: register.size, register, value: subtract(value, termValue(register)), selector: null, address: [] };
  if (value.terms.some(isRegisterTerm)) throw new LineError('registers can be computed with only inside brackets');
  return { syntax, form: 'immediate', size: syntax.size, register: null, value, selector: null, address: [] };
}

/** No symbol and no `$` in it: the same in every pass. */
export const isConstantOperand = (syntax: OperandSyntax): boolean =>
  syntax.expression.op === 'constant' && (syntax.selector === null || syntax.selector.op === 'constant');
