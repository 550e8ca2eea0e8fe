/**
 * Characters to tokens, for the preprocessor and the parser alike (NASM manual, chapter 3.1 "Layout of a NASM Source Line" and 4).
 * A token remembers whether white space stood before it: macro calls, pasting and stringification need that.
 */
import { LineError } from './errors.ts';
import { parseInteger } from './literals.ts';

/**
 * id: identifiers, register and instruction names, `$name` (escaped), `$` and `$$`;  num, float, str: literals;
 * partial: digits that are no number, which pasting may complete (`0x%1`);
 * op: punctuation;  pp: whatever starts with `%` and means something to the preprocessor (`%define`, `%1`, `%{2}`, `%%local`, `%+`, `%[`).
 */
export type TokenKind = 'id' | 'num' | 'partial' | 'float' | 'str' | 'op' | 'pp';

export interface Token {
  readonly kind: TokenKind;
  /** As written; strings with their quotes. */
  readonly text: string;
  /** White space before it. */
  readonly space: boolean;
  /** Of `num`. */
  readonly value: bigint;
}

const IDENTIFIER = /[A-Za-z_.?@\u0080-\uffff][\w.$#@~?\u0080-\uffff]*/y;
const HEX_FLOAT = /0[xXhH][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][+-]?\d+|0[xXhH][0-9a-fA-F_]+\.[0-9a-fA-F_]*/y;
const DECIMAL_FLOAT = /\d[\d_]*\.[\d_]*(?:[eE][+-]?\d[\d_]*)?(?!\w)|\d[\d_]*[eE](?:[+-]\d[\d_]*|\d[\d_]*(?!\w))/y;
const NUMBER = /\$?\d\w*/y;
const DIRECTIVE = /%(?:%[A-Za-z_.?@][\w.$#@~?]*|\$+[A-Za-z_.?@][\w.$#@~?]*|![\w]+|[+-]\d+|\*?\?\??|\*?\d+|[A-Za-z_][\w]*|\+|\[)/y;
const OPERATOR = /<<<|>>>|<=>|<<|>>|<=|>=|==|!=|<>|&&|\|\||\^\^|\/\/|%%|[-+*/%&|^~!<>=?:,()[\]{}\\#]/y;
const SPACE = /[ \t\r\f\v]+/y;

const NO_VALUE = 0n;

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null ? null : found[0];
}

/** Where the quoted string that starts at `at` ends (after the closing quote). */
function endOfString(text: string, at: number): number {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i++) {
    if (quote === '`' && text[i] === '\\') i++;
    else if (text[i] === quote) return i + 1;
  }
  throw new LineError(`unterminated string: ${text.slice(at)}`);
}

/** `%{...}` with its closing brace. */
function endOfBrace(text: string, at: number): number {
  const end = text.indexOf('}', at);
  if (end < 0) throw new LineError('%{ without }');
  return end + 1;
}

/** Tokens of one logical line; a comment ends it. Throws LineError at a character that has no meaning. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let space = false;
  const take = (kind: TokenKind, word: string, value: bigint = NO_VALUE): void => {
    tokens.push({ kind, text: word, space, value });
    at += word.length;
    space = false;
  };
  while (at < text.length) {
    const c = text[at]!;
    const blank = match(SPACE, text, at);
    if (blank !== null) {
      at += blank.length;
      space = true;
      continue;
    }
    if (c === ';') break;
    if (c === '"' || c === "'" || c === '`') {
      take('str', text.slice(at, endOfString(text, at)));
      continue;
    }
    if (c === '%') {
      const word = text[at + 1] === '{' ? text.slice(at, endOfBrace(text, at)) : match(DIRECTIVE, text, at);
      if (word !== null) {
        take('pp', word);
        continue;
      }
    }
    if ((c >= '0' && c <= '9') || c === '$') {
      const float = match(HEX_FLOAT, text, at) ?? match(DECIMAL_FLOAT, text, at);
      if (float !== null) {
        take('float', float);
        continue;
      }
      const number = match(NUMBER, text, at);
      if (number !== null) {
        const value = parseInteger(number);
        if (value === null) take('partial', number);
        else take('num', number, value);
        continue;
      }
      if (text[at + 1] === '$') take('id', '$$');
      else take('id', `$${match(IDENTIFIER, text, at + 1) ?? ''}`);
      continue;
    }
    const word = match(IDENTIFIER, text, at);
    if (word !== null) {
      // A lone `?` is the conditional operator or uninitialised data; the parser tells which.
      take(word === '?' ? 'op' : 'id', word);
      continue;
    }
    const operator = match(OPERATOR, text, at);
    if (operator === null) throw new LineError(`unexpected character '${c}'`);
    take('op', operator);
  }
  return tokens;
}

/** The same token with other white space before it. */
export const withSpace = (token: Token, space: boolean): Token => (token.space === space ? token : { ...token, space });

export const makeNumber = (value: bigint, space = true): Token => ({ kind: 'num', text: value.toString(), space, value });

/** Text of a token list, with single blanks where there was white space. */
export function tokensToText(tokens: readonly Token[]): string {
  let text = '';
  for (const [i, token] of tokens.entries()) text += (i > 0 && token.space ? ' ' : '') + token.text;
  return text;
}

/** Splits a token list at top-level commas (not inside parentheses, brackets or braces). No tokens: no parts. */
export function splitAtCommas(tokens: readonly Token[]): Token[][] {
  if (tokens.length === 0) return [];
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'op' && token.text === ',' && depth === 0) {
      parts.push([]);
      continue;
    }
    if (token.kind === 'op' && (token.text === '(' || token.text === '[' || token.text === '{')) depth++;
    else if (token.kind === 'op' && (token.text === ')' || token.text === ']' || token.text === '}')) depth--;
    parts[parts.length - 1]!.push(token);
  }
  return parts;
}
