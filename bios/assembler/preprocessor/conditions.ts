/** The %if family: which test a directive name means, and its outcome (NASM manual, 4.4). */
import { LineError } from '../errors.ts';
import { splitAtCommas, tokensToText } from '../lexer.ts';
import type { Token } from '../lexer.ts';
import { stringText } from '../literals.ts';

/** What the tests look at. */
export interface ConditionScope {
  expand(tokens: readonly Token[]): readonly Token[];
  number(tokens: readonly Token[]): bigint;
  isDefined(name: string): boolean;
  hasMacro(tokens: readonly Token[]): boolean;
  inContext(name: string): boolean;
}

type Test = (tokens: readonly Token[], scope: ConditionScope) => boolean;

const spelling = (tokens: readonly Token[]): string => tokens.map((token) => (token.kind === 'str' ? `'${stringText(token.text)}` : token.text)).join('\0');

function identical(tokens: readonly Token[], scope: ConditionScope, anyCase: boolean): boolean {
  const parts = splitAtCommas(scope.expand(tokens));
  if (parts.length !== 2 && tokens.length > 0) throw new LineError('%ifidn needs two operands');
  const [a, b] = parts.map(spelling);
  return anyCase ? a?.toLowerCase() === b?.toLowerCase() : a === b;
}

const firstKind = (tokens: readonly Token[], scope: ConditionScope): string => scope.expand(tokens)[0]?.kind ?? '';

const TESTS: Readonly<Record<string, Test>> = {
  '': (tokens, scope) => scope.number(tokens) !== 0n,
  def: (tokens, scope) => tokens.some((token) => scope.isDefined(token.text)),
  macro: (tokens, scope) => scope.hasMacro(tokens),
  ctx: (tokens, scope) => tokens.some((token) => scope.inContext(token.text)),
  idn: (tokens, scope) => identical(tokens, scope, false),
  idni: (tokens, scope) => identical(tokens, scope, true),
  id: (tokens, scope) => firstKind(tokens, scope) === 'id',
  num: (tokens, scope) => {
    const expanded = scope.expand(tokens);
    return expanded[expanded[0]?.text === '-' || expanded[0]?.text === '+' ? 1 : 0]?.kind === 'num';
  },
  str: (tokens, scope) => firstKind(tokens, scope) === 'str',
  token: (tokens, scope) => scope.expand(tokens).length === 1,
  empty: (tokens, scope) => scope.expand(tokens).length === 0,
  env: () => false,
};

export interface ConditionDirective {
  /** %elif rather than %if. */
  readonly isElse: boolean;
  readonly negated: boolean;
  readonly test: Test;
}

const DIRECTIVES = new Map<string, ConditionDirective>();
for (const [name, test] of Object.entries(TESTS)) {
  for (const isElse of [false, true]) {
    for (const negated of [false, true]) DIRECTIVES.set(`${isElse ? 'el' : ''}if${negated ? 'n' : ''}${name}`, { isElse, negated, test });
  }
}

/** `ifndef`, `elifidn`, ...: the directive, or undefined. */
export const conditionDirective = (name: string): ConditionDirective | undefined => DIRECTIVES.get(name);

/** For messages in %ifidn and %error. */
export const describe = (tokens: readonly Token[]): string =>
  tokens.length === 1 && tokens[0]!.kind === 'str' ? stringText(tokens[0]!.text) : tokensToText(tokens);
