/** Single-line macros: %define and its relatives, their expansion, and token pasting (NASM manual, 4.1). */
import { LineError } from '../errors.ts';
import { quoteText } from '../literals.ts';
import { tokenize, tokensToText, withSpace } from '../lexer.ts';
import type { Token } from '../lexer.ts';

export interface Parameter {
  readonly name: string;
  /** `=name`: replaced by its value. */
  readonly evaluate: boolean;
  /** `&name`: replaced by its text as a string. */
  readonly stringify: boolean;
  /** `name+`: takes all that is left. */
  readonly greedy: boolean;
}

interface Definition {
  readonly name: string;
  /** null: no parameter list at all. */
  readonly parameters: readonly Parameter[] | null;
  readonly body: readonly Token[];
  readonly anyCase: boolean;
}

/** Rounds of expansion before a set of definitions counts as endless. */
const MAX_ROUNDS = 200;

const joinable = (token: Token): boolean => token.kind === 'id' || token.kind === 'num' || token.kind === 'partial' || token.kind === 'float' || (token.kind === 'pp' && token.text.startsWith('%%'));

/**
 * Joins names and numbers that stand side by side without white space: substitution is the only way they can come to do so.
 */
export function joinAdjacent(tokens: readonly Token[]): readonly Token[] {
  let result: Token[] | null = null;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const previous = result === null ? tokens[i - 1] : result[result.length - 1];
    if (i > 0 && !token.space && previous !== undefined && joinable(previous) && joinable(token)) {
      result ??= tokens.slice(0, i);
      result.pop();
      result.push(...retokenize(previous.text + token.text, previous.space));
    } else result?.push(token);
  }
  return result ?? tokens;
}

/** Tokens of a text, the first of them with the white space given. */
export const retokenize = (text: string, space: boolean): Token[] => tokenize(text).map((token, i) => (i === 0 ? withSpace(token, space) : token));

/** Carries out `a %+ b`. */
function paste(tokens: readonly Token[]): Token[] {
  const result: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== 'pp' || token.text !== '%+') {
      result.push(token);
      continue;
    }
    const left = result.pop();
    const right = tokens[++i];
    const text = (left?.text ?? '') + (right?.text ?? '');
    if (text !== '') result.push(...retokenize(text, left?.space ?? true));
  }
  return result;
}

export class SingleLineMacros {
  readonly #exact = new Map<string, Definition[]>();
  readonly #anyCase = new Map<string, Definition[]>();
  /** Value of a built-in name such as __LINE__, or null. */
  readonly #builtin: (name: string) => readonly Token[] | null;
  readonly #number: (tokens: readonly Token[]) => readonly Token[];

  constructor(builtin: (name: string) => readonly Token[] | null, number: (tokens: readonly Token[]) => readonly Token[]) {
    this.#builtin = builtin;
    this.#number = number;
  }

  define(name: string, parameters: readonly Parameter[] | null, body: readonly Token[], anyCase = false): void {
    const table = anyCase ? this.#anyCase : this.#exact;
    const key = anyCase ? name.toLowerCase() : name;
    const arity = parameters?.length ?? -1;
    const others = (table.get(key) ?? []).filter((other) => arity >= 0 && other.parameters !== null && other.parameters.length !== arity);
    table.set(key, [...others, { name, parameters, body, anyCase }]);
  }

  undefine(name: string): void {
    this.#exact.delete(name);
    this.#anyCase.delete(name.toLowerCase());
  }

  isDefined(name: string): boolean {
    return this.#find(name) !== undefined || this.#builtin(name) !== null;
  }

  #find(name: string): Definition[] | undefined {
    const exact = this.#exact.get(name);
    return exact !== undefined || this.#anyCase.size === 0 ? exact : this.#anyCase.get(name.toLowerCase());
  }

  /** Expands until nothing is left to expand or paste. */
  expand(tokens: readonly Token[]): readonly Token[] {
    let current = tokens;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const expanded = this.#expandOnce(current, []);
      if (!expanded.some((token) => token.kind === 'pp' && token.text === '%+')) return expanded;
      current = paste(expanded);
    }
    throw new LineError('macro expansion does not end');
  }

  #expandOnce(tokens: readonly Token[], busy: readonly Definition[]): readonly Token[] {
    let result: Token[] | null = null;
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      const replaced = token.kind === 'id' ? this.#expandAt(tokens, i, busy) : null;
      if (replaced === null) {
        result?.push(token);
        continue;
      }
      result ??= tokens.slice(0, i);
      for (const [n, made] of replaced.tokens.entries()) result.push(n === 0 ? withSpace(made, token.space) : made);
      i += replaced.used - 1;
    }
    return result ?? tokens;
  }

  #expandAt(tokens: readonly Token[], at: number, busy: readonly Definition[]): { tokens: readonly Token[]; used: number } | null {
    const name = tokens[at]!.text;
    const definitions = this.#find(name);
    if (definitions === undefined) {
      const builtin = this.#builtin(name);
      return builtin === null ? null : { tokens: builtin, used: 1 };
    }
    const plain = definitions.find((definition) => definition.parameters === null);
    if (plain !== undefined) {
      if (busy.includes(plain)) return null;
      return { tokens: this.#expandOnce(plain.body, [...busy, plain]), used: 1 };
    }
    const call = collectArguments(tokens, at + 1);
    if (call === null) return null;
    const definition = pickOverload(definitions, call.parts.length);
    if (definition === undefined || busy.includes(definition)) return null;
    const body = this.#substitute(definition, call.parts, busy);
    return { tokens: this.#expandOnce(joinAdjacent(body), [...busy, definition]), used: call.end - at };
  }

  #substitute(definition: Definition, parts: readonly Token[][], busy: readonly Definition[]): Token[] {
    const parameters = definition.parameters!;
    const values = parameters.map((parameter, i) => {
      const raw = parameter.greedy ? parts.slice(i).flatMap((part, n) => (n === 0 ? part : [COMMA, ...part])) : (parts[i] ?? []);
      if (parameter.stringify) return retokenize(quoteText(tokensToText(raw)), false);
      const expanded = this.#expandOnce(raw, busy);
      return parameter.evaluate ? this.#number(expanded) : expanded;
    });
    return definition.body.flatMap((token) => {
      const index = token.kind === 'id' ? parameters.findIndex((parameter) => parameter.name === token.text) : -1;
      return index < 0 ? [token] : values[index]!.map((made, n) => (n === 0 ? withSpace(made, token.space) : made));
    });
  }
}

const COMMA: Token = { kind: 'op', text: ',', space: false, value: 0n };

function pickOverload(definitions: readonly Definition[], count: number): Definition | undefined {
  return (
    definitions.find((definition) => definition.parameters!.length === count) ??
    definitions.find((definition) => definition.parameters!.at(-1)?.greedy === true && count >= definition.parameters!.length) ??
    definitions.find((definition) => count === 0 && definition.parameters!.length === 1)
  );
}

/** The parenthesised arguments that start at `at`: null if there is no list. Braces protect commas. */
function collectArguments(tokens: readonly Token[], at: number): { parts: Token[][]; end: number } | null {
  if (tokens[at]?.text !== '(') return null;
  const parts: Token[][] = [[]];
  let depth = 1;
  for (let i = at + 1; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === 'op') {
      if (token.text === '(' || token.text === '{') depth++;
      else if (token.text === ')' || token.text === '}') depth--;
      if (depth === 0) {
        const empty = parts.length === 1 && parts[0]!.length === 0;
        return { parts: empty ? [] : parts.map(stripBraces), end: i + 1 };
      }
      if (token.text === ',' && depth === 1) {
        parts.push([]);
        continue;
      }
    }
    parts[parts.length - 1]!.push(token);
  }
  throw new LineError('macro call without closing parenthesis');
}

/** `{a,b}` as an argument means `a,b`. */
export const stripBraces = (part: Token[]): Token[] => (part.length >= 2 && part[0]!.text === '{' && part[part.length - 1]!.text === '}' ? part.slice(1, -1) : part);
