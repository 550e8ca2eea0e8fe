/** Preprocessor directives that define, compute and report; those that steer the line stream are in preprocessor.ts. */
import { FatalError, LineError } from '../errors.ts';
import { makeNumber, splitAtCommas, tokenize, tokensToText } from '../lexer.ts';
import type { Token } from '../lexer.ts';
import { quoteText, stringBytes, stringText } from '../literals.ts';
import { describe } from './conditions.ts';
import { parseMacroHead } from './multi-line.ts';
import type { Preprocessor } from './preprocessor.ts';
import type { Parameter } from './single-line.ts';

/** `name` is the directive's, without the per cent sign. */
export type DirectiveHandler = (preprocessor: Preprocessor, operands: readonly Token[], name: string) => void;

function nameOf(operands: readonly Token[], directive: string): string {
  const token = operands[0];
  if (token === undefined || token.kind !== 'id') throw new LineError(`%${directive} needs a name`);
  return token.text;
}

function parseParameters(tokens: readonly Token[]): Parameter[] {
  return splitAtCommas(tokens).map((part) => {
    const flags = part.filter((token) => token.kind === 'op').map((token) => token.text);
    const name = part.find((token) => token.kind === 'id');
    if (name === undefined) throw new LineError('macro parameter name expected');
    return { name: name.text, evaluate: flags.includes('='), stringify: flags.includes('&'), greedy: flags.includes('+') };
  });
}

/** %define, %xdefine, %idefine, %ixdefine */
const define: DirectiveHandler = (preprocessor, operands, name) => {
  const macro = nameOf(operands, name);
  let parameters: Parameter[] | null = null;
  let body = operands.slice(1);
  if (body[0]?.text === '(' && !body[0].space) {
    const close = body.findIndex((token) => token.text === ')');
    if (close < 0) throw new LineError(`%${name} ${macro}: parameter list without )`);
    parameters = parseParameters(body.slice(1, close));
    body = body.slice(close + 1);
  }
  if (name.includes('x')) body = [...preprocessor.expand(body)];
  preprocessor.macros.define(macro, parameters, body, name.startsWith('i'));
};

const undefine: DirectiveHandler = (preprocessor, operands, name) => preprocessor.macros.undefine(nameOf(operands, name));

/** A number as tokens: the sign is an operator. */
function numberTokens(value: bigint): Token[] {
  return value >= 0n ? [makeNumber(value)] : [{ kind: 'op', text: '-', space: true, value: 0n }, makeNumber(-value, false)];
}

const assign: DirectiveHandler = (preprocessor, operands, name) => {
  preprocessor.macros.define(nameOf(operands, name), null, numberTokens(preprocessor.number(operands.slice(1))), name.startsWith('i'));
};

const stringToken = (text: string): Token[] => tokenize(quoteText(text));

const definedString: DirectiveHandler = (preprocessor, operands, name) => {
  preprocessor.macros.define(nameOf(operands, name), null, stringToken(tokensToText(preprocessor.expand(operands.slice(1)))), name.startsWith('i'));
};

function oneString(tokens: readonly Token[], directive: string): Token {
  const token = tokens[0];
  if (token === undefined || token.kind !== 'str') throw new LineError(`%${directive} needs a string`);
  return token;
}

const tokensFromString: DirectiveHandler = (preprocessor, operands, name) => {
  const text = stringText(oneString(preprocessor.expand(operands.slice(1)), name).text);
  preprocessor.macros.define(nameOf(operands, name), null, tokenize(text), name.startsWith('i'));
};

const stringLength: DirectiveHandler = (preprocessor, operands, name) => {
  const bytes = stringBytes(oneString(preprocessor.expand(operands.slice(1)), name).text);
  preprocessor.macros.define(nameOf(operands, name), null, [makeNumber(BigInt(bytes.length))]);
};

const concatenate: DirectiveHandler = (preprocessor, operands, name) => {
  const parts = preprocessor.expand(operands.slice(1)).filter((token) => token.text !== ',');
  const text = parts.map((token) => stringText(oneString([token], name).text)).join('');
  preprocessor.macros.define(nameOf(operands, name), null, stringToken(text));
};

/** %substr name 'text' first[,count]: positions from 1; a negative count leaves that many less one off the end. */
const substring: DirectiveHandler = (preprocessor, operands, name) => {
  const expanded = preprocessor.expand(operands.slice(1));
  const text = stringText(oneString(expanded, name).text);
  const [first, count] = splitAtCommas(expanded[1]?.text === ',' ? expanded.slice(2) : expanded.slice(1)).map((part) => Number(preprocessor.number(part)));
  if (first === undefined) throw new LineError('%substr needs a position');
  const length = count ?? 1;
  const end = length < 0 ? text.length + length + 1 : first - 1 + length;
  preprocessor.macros.define(nameOf(operands, name), null, stringToken(first < 1 ? '' : text.slice(first - 1, Math.max(end, first - 1))));
};

const fail: DirectiveHandler = (preprocessor, operands) => {
  throw new LineError(describe(preprocessor.expand(operands)));
};

const failHard: DirectiveHandler = (preprocessor, operands) => {
  throw new FatalError(describe(preprocessor.expand(operands)));
};

const warn: DirectiveHandler = (preprocessor, operands) => preprocessor.host.warn(preprocessor.location, describe(preprocessor.expand(operands)));

const include: DirectiveHandler = (preprocessor, operands, name) => preprocessor.include(stringText(oneString(preprocessor.expand(operands), name).text));

const unmacro: DirectiveHandler = (preprocessor, operands) =>
  preprocessor.multiLine.undefine(parseMacroHead(operands, { anyCase: false, recursive: false, defined: '' }));

const pop: DirectiveHandler = (preprocessor, operands) => {
  if (operands[0] !== undefined && !preprocessor.inContext(operands[0].text)) throw new LineError(`%pop ${operands[0].text}: another context is on top`);
  if (preprocessor.contexts.pop() === undefined) throw new LineError('%pop: no context');
};

const replaceContext: DirectiveHandler = (preprocessor, operands) => {
  const top = preprocessor.contexts.pop();
  if (top === undefined) throw new LineError('%repl: no context');
  preprocessor.contexts.push({ name: operands[0]?.text ?? '', id: top.id });
};

const ignore: DirectiveHandler = () => undefined;

const use: DirectiveHandler = (_preprocessor, operands) => {
  throw new LineError(`%use ${operands[0]?.text ?? ''}: packages are not supported`);
};

export const DIRECTIVE_HANDLERS: Readonly<Record<string, DirectiveHandler | undefined>> = {
  define, xdefine: define, idefine: define, ixdefine: define,
  undef: undefine,
  assign, iassign: assign,
  defstr: definedString, idefstr: definedString,
  deftok: tokensFromString, ideftok: tokensFromString,
  strlen: stringLength, strcat: concatenate, substr: substring,
  error: fail, fatal: failHard, warning: warn, note: warn,
  include,
  unmacro, unimacro: unmacro,
  rotate: (preprocessor, operands) => preprocessor.rotate(Number(preprocessor.number(operands))),
  push: (preprocessor, operands) => preprocessor.pushContext(operands[0]?.text ?? ''),
  pop, repl: replaceContext,
  line: ignore, pragma: ignore, clear: ignore,
  use,
};
