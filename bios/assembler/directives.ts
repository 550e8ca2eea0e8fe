/** Assembler directives: what they change in the state of a pass (NASM manual, chapter 7 and 8.1). */
import { LineError } from './errors.ts';
import { evaluateNumber, parseExpression } from './expression.ts';
import type { Cursor, Scope } from './expression.ts';
import { createSection } from './sections.ts';
import type { Section } from './sections.ts';

/** The state that directives may change. */
export interface PassState {
  /** 16 or 32. */
  bits: number;
  /** What cpu allows: 286 means 286 and older. */
  processor: 286 | 386;
  origin: number;
  readonly sections: Map<string, Section>;
  /** null inside an absolute part. */
  section: Section | null;
  /** Start of the absolute part and position in it. */
  absoluteStart: number;
  absoluteOffset: number;
}

const BEFORE_386: ReadonlySet<string> = new Set(['8086', '186', '80186', 'i186', '286', '80286', 'i286']);

const FROM_386: ReadonlySet<string> = new Set(
  ('386 80386 i386 486 80486 i486 586 pentium 686 p6 pentiumpro p2 p3 katmai p4 willamette prescott ' +
    'x64 x86-64 any all default').split(' '),
);

type Handler = (cursor: Cursor, state: PassState, scope: Scope) => void;

const number = (cursor: Cursor, scope: Scope, what: string): number => Number(evaluateNumber(parseExpression(cursor), scope, what));

function setBits(cursor: Cursor, state: PassState, scope: Scope): void {
  const bits = number(cursor, scope, 'bits');
  if (bits !== 16 && bits !== 32) throw new LineError(`bits ${bits}: only 16 and 32`);
  state.bits = bits;
}

function powerOfTwo(value: number): number {
  if (value < 1 || (value & (value - 1)) !== 0) throw new LineError(`section alignment ${value} is not a power of two`);
  return value;
}

function applyAttribute(section: Section, name: string, cursor: Cursor, scope: Scope): void {
  if (name === 'progbits' || name === 'nobits') {
    section.nobits = name === 'nobits';
    return;
  }
  if (!cursor.accept('=')) return;
  if (name === 'follows' || name === 'vfollows') {
    const target = cursor.token?.text ?? '';
    cursor.at++;
    if (name === 'follows') section.follows = target;
    else section.virtualFollows = target;
    return;
  }
  const value = number(cursor, scope, `section attribute ${name}`);
  if (name === 'start') section.start = value;
  else if (name === 'vstart') section.virtualStart = value;
  else if (name === 'align') section.alignment = powerOfTwo(value);
  else if (name === 'valign') section.virtualAlignment = powerOfTwo(value);
  else throw new LineError(`unknown section attribute ${name}`);
}

function openSection(cursor: Cursor, state: PassState, scope: Scope): void {
  const name = cursor.token?.text;
  if (name === undefined) throw new LineError('section needs a name');
  cursor.at++;
  let section = state.sections.get(name);
  if (section === undefined) {
    section = createSection(name);
    state.sections.set(name, section);
  }
  while (!cursor.done) {
    const attribute = cursor.keyword;
    if (attribute === '') throw new LineError(`section attribute expected${cursor.found()}`);
    cursor.at++;
    applyAttribute(section, attribute, cursor, scope);
  }
  state.section = section;
}

const ignore: Handler = (cursor) => {
  cursor.at = cursor.tokens.length;
};

const refuse = (what: string): Handler => () => {
  throw new LineError(`${what}: flat binary output has no external symbols`);
};

const HANDLERS: Readonly<Record<string, Handler | undefined>> = {
  bits: setBits,
  use16: (_cursor, state) => {
    state.bits = 16;
  },
  use32: (_cursor, state) => {
    state.bits = 32;
  },
  org: (cursor, state, scope) => {
    state.origin = number(cursor, scope, 'org');
  },
  cpu: (cursor, state) => {
    const name = cursor.tokens.map((token) => token.text).join('').toLowerCase();
    cursor.at = cursor.tokens.length;
    if (!BEFORE_386.has(name) && !FROM_386.has(name)) throw new LineError(`unknown processor: ${name}`);
    state.processor = BEFORE_386.has(name) ? 286 : 386;
  },
  section: openSection,
  segment: openSection,
  absolute: (cursor, state, scope) => {
    state.section = null;
    state.absoluteStart = number(cursor, scope, 'absolute');
    state.absoluteOffset = state.absoluteStart;
  },
  sectalign: (cursor, state, scope) => {
    const alignment = number(cursor, scope, 'alignment');
    if (state.section !== null) state.section.alignment = Math.max(state.section.alignment, powerOfTwo(alignment));
  },
  default: ignore,
  float: ignore,
  warning: ignore,
  map: ignore,
  global: ignore,
  static: ignore,
  extern: refuse('extern'),
  common: refuse('common'),
};

/** Carries out a directive. Throws LineError. */
export function runDirective(name: string, cursor: Cursor, state: PassState, scope: Scope): void {
  const handler = HANDLERS[name];
  if (handler === undefined) throw new LineError(`unknown directive [${name}]`);
  cursor.at = 0;
  handler(cursor, state, scope);
  cursor.expectEnd();
}
