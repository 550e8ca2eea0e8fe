/**
 * The preprocessor: a stack of frames (files, macro calls, repetitions) that yields one expanded line at a time (NASM manual, chapter 4).
 * It runs hand in hand with the assembler, because %if and %assign may look at `$` and at labels already passed.
 */
import { FatalError, LineError } from '../errors.ts';
import type { Location } from '../errors.ts';
import { makeNumber, tokenize } from '../lexer.ts';
import type { Token } from '../lexer.ts';
import { quoteText } from '../literals.ts';
import { conditionDirective } from './conditions.ts';
import type { ConditionScope } from './conditions.ts';
import { DIRECTIVE_HANDLERS } from './directives.ts';
import { splitLines } from './lines.ts';
import type { SourceLine } from './lines.ts';
import { MultiLineMacros, parseMacroHead, substituteParameters } from './multi-line.ts';
import type { MacroCall, MultiLineMacro } from './multi-line.ts';
import { joinAdjacent, SingleLineMacros } from './single-line.ts';
import { STANDARD_FILE, STANDARD_MACROS } from './standard.ts';

/** What the preprocessor asks of the assembler. */
export interface PreprocessorHost {
  readFile(path: string): string;
  /** Value of an expression now; throws LineError if it cannot be known yet. */
  number(tokens: readonly Token[]): bigint;
  /** 16 or 32, for __BITS__. */
  bits(): number;
  warn(at: Location, message: string): void;
}

export interface ExpandedLine {
  readonly tokens: readonly Token[];
  readonly location: Location;
  /** Source text, for listings. */
  readonly text: string;
}

interface Condition {
  /** Lines are passed on; none yet but a later branch may be; nothing more until %endif. */
  state: 'active' | 'waiting' | 'finished';
  sawElse: boolean;
}

interface Frame {
  readonly kind: 'file' | 'macro' | 'rep';
  readonly lines: readonly SourceLine[];
  at: number;
  /** The macro call whose parameters apply here. */
  readonly call: MacroCall | null;
  /** Of a repetition: rounds left, this one included. */
  rounds: number;
  /** Condition stack height at the frame's start. */
  readonly conditions: number;
}

interface Context {
  readonly name: string;
  readonly id: number;
}

/** Frames deep: a macro that includes itself ends here. */
const MAX_DEPTH = 1000;
const MAX_ROUNDS = 1 << 20;

/** NASM's own spellings of built-in names: `__NAME__` and `__?NAME?__`. */
const BUILTIN = /^__\??([A-Z_0-9]+?)\??__$/;
const CONSTANT_BUILTINS: Readonly<Record<string, string>> = {
  OUTPUT_FORMAT: 'bin', NASM_MAJOR: '2', NASM_MINOR: '16', NASM_SUBMINOR: '1', PASS: '2',
};

export class Preprocessor implements ConditionScope {
  readonly macros: SingleLineMacros;
  readonly multiLine = new MultiLineMacros();
  readonly host: PreprocessorHost;
  readonly #frames: Frame[] = [];
  readonly #conditions: Condition[] = [];
  readonly contexts: Context[] = [];
  readonly #files = new Map<string, SourceLine[]>();
  #unique = 0;
  #location: Location = { file: '', line: 0, note: '' };
  /** Number of the line itself in its file: of a macro's line, where the macro is defined. */
  #sourceLine = 0;
  /** Output that waits: a label before a macro call. */
  #pending: ExpandedLine | null = null;

  constructor(host: PreprocessorHost, defines: Readonly<Record<string, string>>) {
    this.host = host;
    this.macros = new SingleLineMacros(
      (name) => this.#builtin(name),
      (tokens) => [makeNumber(host.number(tokens), false)],
    );
    for (const [name, body] of Object.entries(defines)) this.macros.define(name, null, tokenize(body));
  }

  /** Starts with the standard macros and then the main file. */
  start(file: string, source: string): void {
    this.#pushFile(file, splitLines(file, source));
    this.#pushFile(STANDARD_FILE, splitLines(STANDARD_FILE, STANDARD_MACROS));
  }

  /** Of the line being worked on. */
  get location(): Location {
    return this.#location;
  }

  /** The next line for the assembler, or null at the end. Throws LineError; the next call goes on behind the bad line. */
  next(): ExpandedLine | null {
    if (this.#pending !== null) {
      const line = this.#pending;
      this.#pending = null;
      return line;
    }
    for (let line = this.#fetch(); line !== null; line = this.#fetch()) {
      const directive = line.directive;
      if (directive !== '' && this.#directive(directive, line)) continue;
      if (!this.#active) continue;
      const tokens = this.macros.expand(this.#prepare(line.tokens));
      if (tokens.length === 0) continue;
      if (this.#callMacro(tokens, line.text)) {
        if (this.#pending !== null) return this.next();
        continue;
      }
      return { tokens, location: this.#location, text: line.text };
    }
    return null;
  }

  get #active(): boolean {
    const top = this.#conditions[this.#conditions.length - 1];
    return top === undefined || top.state === 'active';
  }

  get #frame(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  #pushFile(file: string, lines: SourceLine[]): void {
    this.#files.set(file, lines);
    this.#push({ kind: 'file', lines, at: 0, call: null, rounds: 1, conditions: this.#conditions.length });
  }

  #push(frame: Frame): void {
    if (this.#frames.length >= MAX_DEPTH) throw new FatalError('macros or includes nested too deeply');
    this.#frames.push(frame);
  }

  /** The next raw line; ends frames that are through. */
  #fetch(): SourceLine | null {
    for (;;) {
      const frame = this.#frames[this.#frames.length - 1];
      if (frame === undefined) return null;
      if (frame.at < frame.lines.length) {
        const line = frame.lines[frame.at++]!;
        this.#location = this.#locate(frame, line);
        this.#sourceLine = line.line;
        return line;
      }
      if (--frame.rounds > 0) {
        frame.at = 0;
        continue;
      }
      this.#frames.pop();
      if (this.#conditions.length > frame.conditions) {
        this.#conditions.length = frame.conditions;
        throw new LineError('%if without %endif');
      }
    }
  }

  #locate(frame: Frame, line: SourceLine): Location {
    if (frame.call === null) return { file: line.file, line: line.line, note: '' };
    const { site, macro } = frame.call;
    if (line.file === STANDARD_FILE || site.note !== '') return site;
    return { file: site.file, line: site.line, note: ` (macro ${macro.name}, ${line.file}:${line.line})` };
  }

  /** Macro parameters, `%$local` names and `%[...]` of a raw line. */
  #prepare(raw: readonly Token[]): readonly Token[] {
    if (!raw.some((token) => token.kind === 'pp')) return raw;
    let tokens = substituteParameters(raw, this.#frame.call);
    if (tokens.some((token) => token.kind === 'pp' && token.text[1] === '$')) tokens = tokens.map((token) => this.#contextLocal(token));
    return this.#expandBracketed(tokens);
  }

  #contextLocal(token: Token): Token {
    const found = token.kind === 'pp' ? /^%(\$+)(.*)$/.exec(token.text) : null;
    if (found === null) return token;
    const context = this.contexts[this.contexts.length - found[1]!.length];
    if (context === undefined) throw new LineError(`'${token.text}': no such context`);
    return { ...token, kind: 'id', text: `..@${context.id}.${found[2]}` };
  }

  #expandBracketed(tokens: readonly Token[]): readonly Token[] {
    const start = tokens.findIndex((token) => token.kind === 'pp' && token.text === '%[');
    if (start < 0) return tokens;
    let end = start + 1;
    for (let depth = 1; ; end++) {
      const token = tokens[end];
      if (token === undefined) throw new LineError('%[ without ]');
      if (token.text === '[' || token.text === '%[') depth++;
      else if (token.text === ']' && --depth === 0) break;
    }
    const made = this.macros.expand(this.#expandBracketed(tokens.slice(start + 1, end)));
    const spaced = made.map((token, i) => (i === 0 ? { ...token, space: tokens[start]!.space } : token));
    return this.#expandBracketed(joinAdjacent([...tokens.slice(0, start), ...spaced, ...tokens.slice(end + 1)]));
  }

  #builtin(name: string): readonly Token[] | null {
    if (!name.startsWith('__')) return null;
    const found = BUILTIN.exec(name);
    if (found === null) return null;
    const constant = CONSTANT_BUILTINS[found[1]!];
    if (constant !== undefined) return tokenize(constant);
    if (found[1] === 'LINE') return [makeNumber(BigInt(this.#sourceLine))];
    if (found[1] === 'FILE') return tokenize(quoteText(this.#location.file));
    if (found[1] === 'BITS') return [makeNumber(BigInt(this.host.bits()))];
    return null;
  }

  // Directives that steer the stream; the others are in directives.ts.

  /** Handles a directive; false if the name is none of ours. */
  #directive(name: string, line: SourceLine): boolean {
    const condition = conditionDirective(name);
    if (condition !== undefined) {
      if (condition.isElse) this.#elseIf(line, () => condition.test(this.#operands(line), this) !== condition.negated);
      else this.#if(() => condition.test(this.#operands(line), this) !== condition.negated);
      return true;
    }
    if (name === 'else') {
      this.#elseIf(line, () => true);
      this.#conditions[this.#conditions.length - 1]!.sawElse = true;
      return true;
    }
    if (name === 'endif') {
      if (this.#conditions.length <= this.#frame.conditions) throw new LineError('%endif without %if');
      this.#conditions.pop();
      return true;
    }
    if (!this.#active) return true;
    const stream = this.#streamDirective(name, line);
    if (stream) return true;
    const handler = DIRECTIVE_HANDLERS[name];
    if (handler === undefined) throw new LineError(`unknown directive %${name}`);
    handler(this, this.#operands(line), name);
    return true;
  }

  #operands(line: SourceLine): readonly Token[] {
    return this.#prepare(line.tokens).slice(1);
  }

  #if(holds: () => boolean): void {
    const condition: Condition = { state: 'finished', sawElse: false };
    const active = this.#active;
    this.#conditions.push(condition);
    if (active) condition.state = holds() ? 'active' : 'waiting';
  }

  #elseIf(line: SourceLine, holds: () => boolean): void {
    const condition = this.#conditions[this.#conditions.length - 1];
    if (condition === undefined || this.#conditions.length <= this.#frame.conditions) throw new LineError(`%${line.directive} without %if`);
    if (condition.sawElse) throw new LineError(`%${line.directive} after %else`);
    if (condition.state === 'active') condition.state = 'finished';
    else if (condition.state === 'waiting') {
      // A mistake in the condition must not let the other branches through.
      condition.state = 'finished';
      condition.state = holds() ? 'active' : 'waiting';
    }
  }

  #streamDirective(name: string, line: SourceLine): boolean {
    switch (name) {
      case 'macro':
      case 'imacro':
      case 'rmacro':
      case 'irmacro':
        this.#defineMacro(line, name.startsWith('i'), name.endsWith('rmacro'));
        return true;
      case 'rep':
        this.#repeat(line);
        return true;
      case 'exitrep':
        this.#leave('rep');
        return true;
      case 'exitmacro':
        this.#leave('macro');
        return true;
      case 'endrep':
      case 'endmacro':
      case 'endm':
        throw new LineError(`%${name} without its beginning`);
      default:
        return false;
    }
  }

  /** Takes the raw lines up to the matching end. */
  #collect(opens: readonly string[], closes: readonly string[]): SourceLine[] {
    const { lines } = this.#frame;
    const body: SourceLine[] = [];
    for (let depth = 1; ; ) {
      const line = lines[this.#frame.at++];
      if (line === undefined) throw new FatalError(`%${opens[0]} without %${closes[0]}`);
      if (opens.includes(line.directive)) depth++;
      else if (closes.includes(line.directive) && --depth === 0) return body;
      body.push(line);
    }
  }

  #defineMacro(line: SourceLine, anyCase: boolean, recursive: boolean): void {
    // The body first: a mistake in the head must not let it run.
    const body = this.#collect(['macro', 'imacro', 'rmacro', 'irmacro'], ['endmacro', 'endm']);
    const macro = parseMacroHead(this.#operands(line), { anyCase, recursive, defined: `${line.file}:${line.line}` });
    macro.body.push(...body);
    macro.takesLabel = body.some((inner) => inner.text.includes('%00'));
    this.multiLine.define(macro);
  }

  #repeat(line: SourceLine): void {
    const body = this.#collect(['rep'], ['endrep']);
    const operands = this.#operands(line).filter((token) => token.text !== '.nolist');
    const rounds = Number(this.number(operands));
    if (rounds > MAX_ROUNDS) throw new LineError(`%rep ${rounds}: too many`);
    if (rounds <= 0) return;
    const { call } = this.#frame;
    this.#push({ kind: 'rep', lines: body, at: 0, call, rounds, conditions: this.#conditions.length });
  }

  #leave(kind: Frame['kind']): void {
    const index = this.#frames.findLastIndex((frame) => frame.kind === kind);
    if (index < 0) throw new LineError(`%exit${kind} outside %${kind}`);
    this.#conditions.length = this.#frames[index]!.conditions;
    this.#frames.length = index;
  }

  /** If the line calls a multi-line macro, opens a frame for it. */
  #callMacro(tokens: readonly Token[], text: string): boolean {
    let at = 0;
    if (!this.#mayCall(tokens[0]!)) {
      at = tokens[1]?.text === ':' ? 2 : 1;
      if (tokens[0]!.kind !== 'id' || tokens[at] === undefined || !this.#mayCall(tokens[at]!)) return false;
    }
    const found = this.multiLine.match(tokens[at]!.text, tokens.slice(at + 1));
    if (found === null) return false;
    const { macro } = found;
    const label = tokens.slice(0, at);
    const site = this.#location;
    const call: MacroCall = { macro, arguments: found.arguments, label: label.slice(0, 1), id: ++this.#unique, rotation: 0, site };
    this.#push({ kind: 'macro', lines: macro.body, at: 0, call, rounds: 1, conditions: this.#conditions.length });
    if (label.length > 0 && !macro.takesLabel) this.#pending = { tokens: label.length === 2 ? label : [...label, COLON], location: site, text };
    return true;
  }

  #mayCall(token: Token): boolean {
    return token.kind === 'id' && this.multiLine.find(token.text).some((macro) => macro.recursive || !this.#inProgress(macro));
  }

  #inProgress(macro: MultiLineMacro): boolean {
    return this.#frames.some((frame) => frame.kind === 'macro' && frame.call?.macro === macro);
  }

  // For directives.ts and conditions.ts.

  expand(tokens: readonly Token[]): readonly Token[] {
    return this.macros.expand(tokens);
  }

  number(tokens: readonly Token[]): bigint {
    return this.host.number(this.expand(tokens));
  }

  isDefined(name: string): boolean {
    return this.macros.isDefined(name);
  }

  hasMacro(tokens: readonly Token[]): boolean {
    if (tokens.length <= 1) return tokens[0] !== undefined && this.multiLine.find(tokens[0].text).length > 0;
    const head = parseMacroHead(tokens, { anyCase: false, recursive: false, defined: '' });
    return this.multiLine.find(head.name).some((macro) => macro.min <= head.max && macro.max >= head.min);
  }

  inContext(name: string): boolean {
    return this.contexts[this.contexts.length - 1]?.name === name;
  }

  include(path: string): void {
    let lines = this.#files.get(path);
    if (lines === undefined) {
      let source: string;
      try {
        source = this.host.readFile(path);
      } catch (error) {
        throw new FatalError(`cannot read include file '${path}': ${error instanceof Error ? error.message : String(error)}`);
      }
      lines = splitLines(path, source);
    }
    this.#pushFile(path, lines);
  }

  /** %rotate */
  rotate(by: number): void {
    const { call } = this.#frame;
    if (call === null) throw new LineError('%rotate outside a macro');
    const count = call.arguments.length;
    if (count > 0) call.rotation = (((call.rotation + by) % count) + count) % count;
  }

  pushContext(name: string): void {
    this.contexts.push({ name, id: ++this.#unique });
  }
}

const COLON: Token = { kind: 'op', text: ':', space: false, value: 0n };
