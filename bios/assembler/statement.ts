/** One expanded line to a statement, kept between passes (NASM manual, 3.1 to 3.2.5 and chapter 7 for directives). */
import { LineError } from './errors.ts';
import type { Location } from './errors.ts';
import { Cursor, parseExpression } from './expression.ts';
import type { Expression } from './expression.ts';
import { parseDataItems } from './data.ts';
import type { DataItem } from './data.ts';
import { templatesOf } from './instructions/index.ts';
import type { Template } from './instructions/template.ts';
import type { Token } from './lexer.ts';
import { stringText } from './literals.ts';
import { isConstantOperand, parseOperand } from './operands.ts';
import type { OperandSyntax } from './operands.ts';
import type { Prefixes } from './encode.ts';
import { findRegister } from './registers.ts';

export type Action =
  | { readonly kind: 'none' }
  | InstructionAction
  | { readonly kind: 'data'; readonly size: number; readonly items: readonly DataItem[] }
  | { readonly kind: 'reserve'; readonly size: number; readonly count: Expression }
  | { readonly kind: 'incbin'; readonly path: string; readonly skip: Expression | null; readonly length: Expression | null }
  | { readonly kind: 'equ'; readonly value: Expression }
  | { readonly kind: 'directive'; readonly name: string; readonly cursor: Cursor };

export interface InstructionAction {
  readonly kind: 'instruction';
  readonly candidates: readonly Template[];
  readonly operands: readonly OperandSyntax[];
  readonly prefixes: Prefixes;
  /** Same bytes wherever it stands and whatever symbols are worth: encoded once per mode. */
  readonly fixed: boolean;
  cache: { bits: number; bytes: readonly number[] } | null;
}

export interface Statement {
  readonly location: Location;
  readonly text: string;
  /** Fully qualified, or null. */
  readonly label: string | null;
  readonly times: Expression | null;
  readonly action: Action;
}

const DATA_SIZES: Readonly<Record<string, number>> = { db: 1, dw: 2, dd: 4, dq: 8, dt: 10, do: 16 };
const RESERVE_SIZES: Readonly<Record<string, number>> = { resb: 1, resw: 2, resd: 4, resq: 8, rest: 10, reso: 16 };
const DIRECTIVES: ReadonlySet<string> = new Set(['bits', 'use16', 'use32', 'org', 'cpu', 'default', 'global', 'extern', 'static', 'common', 'float']);
const REP_PREFIXES: Readonly<Record<string, number>> = { rep: 0xf3, repe: 0xf3, repz: 0xf3, repne: 0xf2, repnz: 0xf2 };

function isPrefix(word: string): boolean {
  return (
    word in REP_PREFIXES || word === 'lock' || word === 'times' || word === 'o16' || word === 'o32' || word === 'a16' || word === 'a32' ||
    findRegister(word)?.class === 'sreg'
  );
}

/** A prefix of a kind may be given once. */
function once<T>(before: T, now: T): T {
  if (before !== 0 && before !== null && before !== now) throw new LineError('conflicting prefixes');
  return now;
}

const isKeyword = (word: string): boolean =>
  templatesOf(word) !== undefined || word in DATA_SIZES || word in RESERVE_SIZES || isPrefix(word) || DIRECTIVES.has(word) || word === 'incbin' || word === 'equ';

/** Parses lines one after the other: `.local` names belong to the last label before them. */
export class StatementParser {
  #lastLabel = '';

  /** Full name of a symbol as written. */
  readonly qualify = (name: string): string => (name[0] === '.' && name[1] !== '.' ? this.#lastLabel + name : name);

  /** Throws LineError. */
  parse(tokens: readonly Token[], location: Location, text: string): Statement {
    const cursor = new Cursor(tokens, this.qualify);
    if (cursor.accept('[')) return { location, text, label: null, times: null, action: this.#bracketed(cursor) };
    const label = this.#label(cursor);
    let times: Expression | null = null;
    while (cursor.acceptKeyword('times')) times = parseExpression(cursor);
    return { location, text, label, times, action: this.#action(cursor) };
  }

  #bracketed(cursor: Cursor): Action {
    const last = cursor.tokens[cursor.tokens.length - 1]!;
    if (last.text !== ']') throw new LineError('directive without ]');
    return this.#directive(new Cursor(cursor.tokens.slice(1, -1), this.qualify));
  }

  #directive(cursor: Cursor): Action {
    const name = cursor.keyword;
    cursor.at++;
    return { kind: 'directive', name, cursor: new Cursor(cursor.tokens.slice(cursor.at), cursor.qualify) };
  }

  #label(cursor: Cursor): string | null {
    const token = cursor.token;
    if (token === undefined || token.kind !== 'id') return null;
    const colon = cursor.tokens[cursor.at + 1]?.text === ':';
    if (!colon && isKeyword(token.text.toLowerCase())) return null;
    cursor.at += colon ? 2 : 1;
    const written = token.text[0] === '$' ? token.text.slice(1) : token.text;
    if (written === '' || written === '$') throw new LineError('label, instruction or directive expected');
    const label = this.qualify(written);
    // EQU names a value, not a place: it opens no new range of local labels.
    if (written[0] !== '.' && cursor.keyword !== 'equ') this.#lastLabel = written;
    return label;
  }

  #action(cursor: Cursor): Action {
    if (cursor.done) return { kind: 'none' };
    const word = cursor.keyword;
    if (word === 'equ') {
      cursor.at++;
      const value = parseExpression(cursor);
      cursor.expectEnd();
      return { kind: 'equ', value };
    }
    if (word in DATA_SIZES) {
      cursor.at++;
      return { kind: 'data', size: DATA_SIZES[word]!, items: parseDataItems(cursor, DATA_SIZES[word]!) };
    }
    if (word in RESERVE_SIZES) {
      cursor.at++;
      const count = parseExpression(cursor);
      cursor.expectEnd();
      return { kind: 'reserve', size: RESERVE_SIZES[word]!, count };
    }
    if (word === 'incbin') return this.#incbin(cursor);
    if (DIRECTIVES.has(word)) return this.#directive(cursor);
    return this.#instruction(cursor);
  }

  #incbin(cursor: Cursor): Action {
    cursor.at++;
    const token = cursor.token;
    if (token === undefined || token.kind !== 'str') throw new LineError('incbin needs a file name');
    cursor.at++;
    const skip = cursor.accept(',') ? parseExpression(cursor) : null;
    const length = cursor.accept(',') ? parseExpression(cursor) : null;
    cursor.expectEnd();
    return { kind: 'incbin', path: stringText(token.text), skip, length };
  }

  #prefixes(cursor: Cursor): Prefixes {
    const prefixes: Prefixes = { wait: false, rep: 0, lock: false, segment: null, operandSize: 0, addressSize: 0 };
    for (let word = cursor.keyword; word !== ''; word = cursor.keyword) {
      const register = findRegister(word);
      if (word in REP_PREFIXES) prefixes.rep = once(prefixes.rep, REP_PREFIXES[word]!);
      else if (word === 'lock') prefixes.lock = true;
      else if (word === 'o16' || word === 'o32') prefixes.operandSize = once(prefixes.operandSize, Number(word.slice(1)));
      else if (word === 'a16' || word === 'a32') prefixes.addressSize = once(prefixes.addressSize, Number(word.slice(1)));
      else if (word === 'wait' && cursor.at + 1 < cursor.tokens.length) prefixes.wait = true;
      else if (register?.class === 'sreg') prefixes.segment = once(prefixes.segment, register);
      else break;
      cursor.at++;
    }
    return prefixes;
  }

  #instruction(cursor: Cursor): Action {
    const prefixes = this.#prefixes(cursor);
    const word = cursor.keyword;
    const candidates = cursor.done ? BARE_PREFIXES : templatesOf(word);
    if (candidates === undefined) throw new LineError(`instruction expected${cursor.found()}`);
    cursor.at++;
    const operands: OperandSyntax[] = [];
    while (!cursor.done) {
      operands.push(parseOperand(cursor));
      if (!cursor.done) cursor.expect(',');
    }
    const fixed = operands.every(isConstantOperand) && !candidates.some((template) => template.operands.some((kind) => kind.role === 'relative'));
    return { kind: 'instruction', candidates, operands, prefixes, fixed, cache: null };
  }
}

/** `rep` or `es` alone on a line: only the prefix byte. */
const BARE_PREFIXES: readonly Template[] = [
  { mnemonic: '', operands: [], steps: [], operandSize: 0, addressSize: 0, wait: false, processor: 0, text: '' },
];
