/** Expressions: tokens to trees, trees to values (NASM manual, 3.5). Trees are kept between passes; constant parts are folded once. */
import { LineError } from './errors.ts';
import { floatBits } from './float.ts';
import type { Token } from './lexer.ts';
import { stringBytes, stringValue } from './literals.ts';
import { findRegister } from './registers.ts';
import { applyBinary, applyUnary, isScalar, isUnknown, scalar, termValue } from './value.ts';
import type { Value } from './value.ts';

export type Expression =
  | { readonly op: 'constant'; readonly value: Value }
  | { readonly op: 'symbol'; readonly name: string }
  | { readonly op: 'here' }
  | { readonly op: 'sectionStart' }
  | { readonly op: 'unary'; readonly operator: string; readonly a: Expression }
  | { readonly op: 'binary'; readonly operator: string; readonly a: Expression; readonly b: Expression }
  | { readonly op: 'choose'; readonly condition: Expression; readonly a: Expression; readonly b: Expression };

/** What names mean where an expression is evaluated. */
export interface Scope {
  /** Value of a fully qualified symbol; UNKNOWN while no pass has seen it. Throws LineError if there is none. */
  symbol(name: string): Value;
  /** `$` */
  here(): Value;
  /** `$$` */
  sectionStart(): Value;
}

/** A position in a token list, shared by all parsers of a line. */
export class Cursor {
  readonly tokens: readonly Token[];
  at = 0;
  /** Turns `.local` into its full name. */
  readonly qualify: (name: string) => string;

  constructor(tokens: readonly Token[], qualify: (name: string) => string) {
    this.tokens = tokens;
    this.qualify = qualify;
  }

  get token(): Token | undefined {
    return this.tokens[this.at];
  }

  get done(): boolean {
    return this.at >= this.tokens.length;
  }

  /** The next token is this punctuation. */
  is(text: string): boolean {
    const token = this.tokens[this.at];
    return token !== undefined && token.text === text && token.kind === 'op';
  }

  /** Steps over this punctuation if it is next. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw new LineError(`expected '${text}'${this.found()}`);
  }

  /** The next token as a lower-case keyword, '' if it is no identifier. */
  get keyword(): string {
    const token = this.tokens[this.at];
    return token !== undefined && token.kind === 'id' ? token.text.toLowerCase() : '';
  }

  acceptKeyword(word: string): boolean {
    if (this.keyword !== word) return false;
    this.at++;
    return true;
  }

  /** ` but found ...`, for messages. */
  found(): string {
    return this.token === undefined ? ' at end of line' : `, found '${this.token.text}'`;
  }

  expectEnd(): void {
    if (!this.done) throw new LineError(`unexpected '${this.token!.text}'`);
  }
}

/** Binary operators from loosest to tightest binding. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['^^'],
  ['&&'],
  ['=', '==', '!=', '<>', '<', '<=', '>', '>=', '<=>'],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>', '<<<', '>>>'],
  ['+', '-'],
  ['*', '/', '//', '%', '%%'],
];
const LEVEL_OF = new Map(LEVELS.flatMap((operators, level) => operators.map((operator) => [operator, level] as const)));

/** `__float32__(1.5)` and the like: bytes of the format, and the shift of the part that is asked for. */
const FLOAT_FUNCTIONS: Readonly<Record<string, readonly [bytes: number, shift: bigint]>> = {
  float16: [2, 0n],
  float32: [4, 0n],
  float64: [8, 0n],
  float80m: [10, 0n],
  float80e: [10, 64n],
};

const constant = (value: Value): Expression => ({ op: 'constant', value });

function unary(operator: string, a: Expression): Expression {
  return a.op === 'constant' ? constant(applyUnary(operator, a.value)) : { op: 'unary', operator, a };
}

function binary(operator: string, a: Expression, b: Expression): Expression {
  return a.op === 'constant' && b.op === 'constant' ? constant(applyBinary(operator, a.value, b.value)) : { op: 'binary', operator, a, b };
}

function parseFloatFunction(cursor: Cursor, name: string): Expression {
  const [bytes, shift] = FLOAT_FUNCTIONS[name]!;
  cursor.expect('(');
  const negative = cursor.accept('-');
  if (!negative) cursor.accept('+');
  const token = cursor.token;
  if (token === undefined) throw new LineError('expected a floating-point number');
  cursor.at++;
  cursor.expect(')');
  return constant(scalar(floatBits(token.text, negative, bytes) >> shift));
}

function parseName(cursor: Cursor, text: string): Expression {
  if (text === '$') return { op: 'here' };
  if (text === '$$') return { op: 'sectionStart' };
  if (text[0] === '$') return { op: 'symbol', name: cursor.qualify(text.slice(1)) };
  const register = findRegister(text);
  if (register !== undefined) return constant(termValue(register));
  const float = /^__\??(float\w+?)\??__$/.exec(text);
  if (float !== null && FLOAT_FUNCTIONS[float[1]!] !== undefined) return parseFloatFunction(cursor, float[1]!);
  if (text.toLowerCase() === 'seg' || text.toLowerCase() === 'wrt') throw new LineError('flat binary output has no segment bases');
  return { op: 'symbol', name: cursor.qualify(text) };
}

function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.token;
  if (token === undefined) throw new LineError('expression expected at end of line');
  cursor.at++;
  switch (token.kind) {
    case 'num':
      return constant(scalar(token.value));
    case 'str':
      return constant(scalar(stringValue(stringBytes(token.text))));
    case 'id':
      return parseName(cursor, token.text);
    case 'op':
      if (token.text === '(') {
        const inner = parseExpression(cursor);
        cursor.expect(')');
        return inner;
      }
      if (token.text === '-' || token.text === '+' || token.text === '~' || token.text === '!') return unary(token.text, parsePrimary(cursor));
      break;
    case 'partial':
      throw new LineError(`bad number: ${token.text}`);
    case 'float':
      throw new LineError(`floating-point number ${token.text} not allowed here`);
    case 'pp':
      throw new LineError(`'${token.text}' means nothing here`);
  }
  throw new LineError(`expression expected, found '${token.text}'`);
}

function parseLevel(cursor: Cursor, level: number): Expression {
  let left = level < LEVELS.length ? parseLevel(cursor, level + 1) : parsePrimary(cursor);
  if (level >= LEVELS.length) return left;
  for (let token = cursor.token; token !== undefined && token.kind === 'op' && LEVEL_OF.get(token.text) === level; token = cursor.token) {
    cursor.at++;
    left = binary(token.text, left, parseLevel(cursor, level + 1));
  }
  return left;
}

/** Parses one expression and leaves the cursor behind it. */
export function parseExpression(cursor: Cursor): Expression {
  const token = cursor.token;
  const next = cursor.tokens[cursor.at + 1];
  // A lone number is the common case by far: font and table bytes.
  if (token !== undefined && token.kind === 'num' && (next === undefined || next.text === ',')) {
    cursor.at++;
    return constant(scalar(token.value));
  }
  const condition = parseLevel(cursor, 0);
  if (!cursor.accept('?')) return condition;
  const a = parseExpression(cursor);
  cursor.expect(':');
  const b = parseExpression(cursor);
  return { op: 'choose', condition, a, b };
}

export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.op) {
    case 'constant':
      return expression.value;
    case 'symbol':
      return scope.symbol(expression.name);
    case 'here':
      return scope.here();
    case 'sectionStart':
      return scope.sectionStart();
    case 'unary':
      return applyUnary(expression.operator, evaluate(expression.a, scope));
    case 'binary':
      return applyBinary(expression.operator, evaluate(expression.a, scope), evaluate(expression.b, scope));
    case 'choose': {
      const condition = evaluate(expression.condition, scope);
      if (isUnknown(condition)) return condition;
      if (!isScalar(condition)) throw new LineError('`?\' needs a plain number');
      return evaluate(condition.number !== 0n ? expression.a : expression.b, scope);
    }
  }
}

/** The value as a plain number. Throws LineError naming `what` if it depends on a label or a later symbol. */
export function evaluateNumber(expression: Expression, scope: Scope, what: string): bigint {
  const value = evaluate(expression, scope);
  if (isUnknown(value)) throw new LineError(`${what} depends on a symbol defined later`);
  if (value.terms.length > 0) throw new LineError(`${what} must be a plain number`);
  return value.number;
}
