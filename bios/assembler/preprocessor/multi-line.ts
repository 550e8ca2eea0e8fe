/** Multi-line macros: %macro definitions, choice of an overload, and what %1, %0, %%local stand for in a call (NASM manual, 4.3). */
import { LineError } from '../errors.ts';
import { makeNumber, withSpace } from '../lexer.ts';
import type { Token } from '../lexer.ts';
import type { Location } from '../errors.ts';
import type { SourceLine } from './lines.ts';
import { joinAdjacent, retokenize, stripBraces } from './single-line.ts';

export interface MultiLineMacro {
  readonly name: string;
  readonly anyCase: boolean;
  /** Parameter counts; max is Infinity for `*`. */
  readonly min: number;
  readonly max: number;
  /** The last parameter takes the rest of the line. */
  readonly greedy: boolean;
  readonly defaults: readonly Token[][];
  readonly body: SourceLine[];
  readonly recursive: boolean;
  /** Uses %00, so the label before a call is the macro's business. */
  takesLabel: boolean;
  /** Line of its %macro, for messages. */
  readonly defined: string;
}

/** One expansion in progress. */
export interface MacroCall {
  readonly macro: MultiLineMacro;
  readonly arguments: readonly Token[][];
  readonly label: readonly Token[];
  /** Makes `%%name` unique. */
  readonly id: number;
  rotation: number;
  readonly site: Location;
}

/** `name 1-3+.nolist defaults...` after %macro. */
export function parseMacroHead(tokens: readonly Token[], options: { anyCase: boolean; recursive: boolean; defined: string }): MultiLineMacro {
  const name = tokens[0];
  if (name === undefined || name.kind !== 'id') throw new LineError('%macro needs a name');
  let at = 1;
  const count = (): number => {
    const token = tokens[at++];
    if (token?.kind !== 'num') throw new LineError(`%macro ${name.text}: parameter count expected`);
    return Number(token.value);
  };
  const accept = (text: string): boolean => tokens[at]?.text === text && ++at > 0;
  const min = tokens.length > 1 ? count() : 0;
  const max = accept('-') ? (accept('*') ? Infinity : count()) : min;
  if (max < min) throw new LineError(`%macro ${name.text}: at least ${min} but at most ${max} parameters`);
  const greedy = accept('+');
  accept('.nolist');
  const { anyCase, recursive, defined } = options;
  const defaults = splitArguments(tokens.slice(at)).map((part) => stripBraces(part.tokens));
  return { name: name.text, anyCase, min, max, greedy, defaults, body: [], recursive, takesLabel: false, defined };
}

interface Part {
  readonly tokens: Token[];
  /** Where it starts in the list. */
  readonly start: number;
}

/** Commas outside braces separate the arguments of a macro; parentheses do not protect them. */
function splitArguments(tokens: readonly Token[]): Part[] {
  if (tokens.length === 0) return [];
  const parts: Part[] = [{ tokens: [], start: 0 }];
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'op') {
      if (token.text === '{') depth++;
      else if (token.text === '}') depth--;
      else if (token.text === ',' && depth === 0) {
        parts.push({ tokens: [], start: i + 1 });
        continue;
      }
    }
    parts[parts.length - 1]!.tokens.push(token);
  }
  return parts;
}

export class MultiLineMacros {
  readonly #macros = new Map<string, MultiLineMacro[]>();

  define(macro: MultiLineMacro): void {
    const key = macro.name.toLowerCase();
    const others = (this.#macros.get(key) ?? []).filter((other) => !(other.name === macro.name && other.min === macro.min && other.max === macro.max));
    this.#macros.set(key, [macro, ...others]);
  }

  undefine(head: MultiLineMacro): void {
    const key = head.name.toLowerCase();
    this.#macros.set(key, (this.#macros.get(key) ?? []).filter((other) => !(other.name === head.name && other.min === head.min && other.max === head.max)));
  }

  /** All overloads that a name may mean. */
  find(name: string): readonly MultiLineMacro[] {
    const found = this.#macros.get(name.toLowerCase());
    if (found === undefined) return [];
    return found.filter((macro) => macro.anyCase || macro.name === name);
  }

  /** The overload for these argument tokens and its arguments, or null. */
  match(name: string, tokens: readonly Token[]): { macro: MultiLineMacro; arguments: Token[][] } | null {
    const candidates = this.find(name);
    if (candidates.length === 0) return null;
    const parts = splitArguments(tokens);
    for (const macro of candidates) {
      if (parts.length < macro.min || (parts.length > macro.max && !macro.greedy)) continue;
      const values = parts.map((part) => stripBraces(part.tokens));
      if (macro.greedy && parts.length > macro.max) {
        values.length = macro.max;
        values[macro.max - 1] = tokens.slice(parts[macro.max - 1]!.start);
      }
      for (let n = values.length; n < Math.min(macro.max, macro.min + macro.defaults.length); n++) values.push(macro.defaults[n - macro.min] ?? []);
      return { macro, arguments: values };
    }
    return null;
  }
}

const CONDITION_INVERSES: Readonly<Record<string, string>> = {
  a: 'na', ae: 'nae', b: 'nb', be: 'nbe', c: 'nc', e: 'ne', g: 'ng', ge: 'nge', l: 'nl', le: 'nle', o: 'no', p: 'np', s: 'ns', z: 'nz',
  na: 'a', nae: 'ae', nb: 'b', nbe: 'be', nc: 'c', ne: 'e', ng: 'g', nge: 'ge', nl: 'l', nle: 'le', no: 'o', np: 'p', ns: 's', nz: 'z',
  pe: 'po', po: 'pe',
};

function argument(call: MacroCall, number: number): readonly Token[] {
  const count = call.arguments.length;
  if (number < 0) return call.arguments[(count + number + call.rotation) % count] ?? [];
  if (number < 1 || number > count) return [];
  return call.arguments[(number - 1 + call.rotation) % count]!;
}

function conditionOf(call: MacroCall, number: number, invert: boolean): string {
  const tokens = argument(call, number);
  const name = tokens.length === 1 ? tokens[0]!.text.toLowerCase() : '';
  const inverse = CONDITION_INVERSES[name];
  if (inverse === undefined) throw new LineError(`macro parameter ${number} is not a condition code`);
  return invert ? inverse : name;
}

/** `%{2:-1}`: a range of arguments with their commas, backwards too. */
function range(call: MacroCall, from: number, to: number): Token[] {
  const count = call.arguments.length;
  const absolute = (n: number): number => (n < 0 ? count + 1 + n : n);
  const [first, last] = [absolute(from), absolute(to)];
  const step = first <= last ? 1 : -1;
  const result: Token[] = [];
  for (let n = first; n !== last + step; n += step) {
    if (n !== first) result.push({ kind: 'op', text: ',', space: false, value: 0n });
    result.push(...argument(call, n));
  }
  return result;
}

/** What a `%` token stands for inside a call, or null if it is none of the macro's. */
function replacement(token: Token, call: MacroCall | null): readonly Token[] | null {
  const inner = token.text[1] === '{' ? token.text.slice(2, -1).trim() : token.text.slice(1);
  const isLocal = inner.startsWith('%');
  if (!isLocal && !/^(?:[+-]?\d+|\*\d+|-?\d+:-?\d+)$/.test(inner)) return null;
  if (call === null) throw new LineError(`'${token.text}' outside a macro`);
  if (isLocal) return retokenize(`..@${call.id}.${inner.slice(1)}`, token.space);
  if (inner.includes(':')) {
    const [from, to] = inner.split(':').map(Number);
    return range(call, from!, to!);
  }
  if (inner === '0') return [makeNumber(BigInt(call.arguments.length), token.space)];
  if (inner === '00') return call.label;
  if (inner[0] === '*') return argument(call, Number(inner.slice(1)));
  if ((inner[0] === '-' && token.text[1] !== '{') || inner[0] === '+') {
    return retokenize(conditionOf(call, Number(inner.slice(1)), inner[0] === '-'), token.space);
  }
  return argument(call, Number(inner));
}

/** Replaces the parameters of a macro in one of its lines. */
export function substituteParameters(tokens: readonly Token[], call: MacroCall | null): readonly Token[] {
  let result: Token[] | null = null;
  // White space of a parameter that turned out empty: it still keeps its neighbours apart.
  let owed = false;
  for (const [i, token] of tokens.entries()) {
    const made = token.kind === 'pp' ? replacement(token, call) : null;
    if (made === null) {
      result?.push(owed ? withSpace(token, true) : token);
      owed = false;
      continue;
    }
    result ??= tokens.slice(0, i);
    if (made.length === 0) owed ||= token.space;
    for (const [n, part] of made.entries()) result.push(n === 0 ? withSpace(part, token.space || owed) : part);
    if (made.length > 0) owed = false;
  }
  return result === null ? tokens : joinAdjacent(result);
}
