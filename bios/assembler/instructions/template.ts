/**
 * Instruction templates: the notation of the tables beside this file, compiled for matching and encoding.
 *
 *   `ADD rmv,s8 : 83 /0 ib`      mnemonic, operands, encoding; of several templates that fit, the first is used.
 *
 * Operands
 *   r8 r16 r32          any general register          al cl ax cx dx eax ecx es cs ss ds fs gs  that register
 *   R16 R32 mmR xmmR    register in the r/m field
 *   rm8 rm16 rm32       register or memory            sreg creg dreg treg st0 sti mm xmm        register of that class
 *   m m8 m16 m32 m64 m80 m128  memory (m: any size, mu: none may be written)
 *   mm/m32 mm/m64 xmm/m8..xmm/m128  register or memory of that size
 *   i8 i16 i32          immediate                     s8     byte that is sign-extended to the operand size: taken where it fits
 *   ub uw               immediate that says nothing about the operation's size (shift counts, ports);  nb  and may not be given one
 *   one                 the constant 1                x8 x16 x32  immediate with the size written out, or that of the mode
 *   sx16 sx32           as x16 and x32, but a byte that is sign-extended: taken where it fits
 *   jm16 jm32           register or memory; memory without a size has that of the mode
 *   moff8 moff16 moff32 memory without registers      far16 far32  selector:offset;  mfar16 mfar32  memory, `far` written
 *   rel8                short jump target: taken if `short` is written or where it fits;  srel8: always short
 *   rel16 rel32         near jump target (nrel16 nrel32: no size may be written)              tosti   `to stN`
 * A `v` in place of a size (rv rmv iv av jmv relv farv mfarv moffv) makes two templates, one for 16 bits with o16 and one for 32 with o32.
 *
 * Encoding
 *   hex bytes;  o16 o32 operation size (a prefix where the mode differs);  a16 a32 address size, likewise
 *   /r  ModRM with the register operand;  /0 to /7  ModRM with that digit;  +r  register number added to the last byte
 *   ib iw id  next immediate;  rel8 relv  jump distance;  off  offset and selector;  moff  displacement of the address size
 *   286- 386+  only for these processors (directive cpu): told apart only where nasm encodes differently
 *   wait  9B before all prefixes;  /same  ModRM with the first operand as both reg and r/m
 */
import type { RegisterClass } from '../registers.ts';

export type OperandKind = {
  /** Register class and number (-1: any), '' if no register fits. */
  readonly registerClass: RegisterClass | '';
  readonly number: number;
  readonly memory: boolean;
  /** What an immediate must be; '' if none fits. */
  readonly immediate: '' | 'plain' | 'sized' | 'signed' | 'one' | 'short' | 'onlyShort' | 'near' | 'far';
  /** In bytes; 0: any. */
  readonly size: number;
  /** Tells the size of a memory operand that says none. */
  readonly lendsSize: boolean;
  /** Without a size of its own it takes the mode's (jumps, pushes). */
  readonly modeSize: boolean;
  /** No size may be written. */
  readonly unsized: boolean;
  /** Which part of the encoding it goes to. */
  readonly role: 'reg' | 'rm' | 'moff' | 'implied' | 'immediate' | 'relative' | 'far';
  /** `far`, `to` has to be written. */
  readonly word: '' | 'far' | 'to';
};

export type Step =
  | { readonly op: 'byte'; readonly value: number }
  | { readonly op: 'plusRegister' | 'modrm' | 'same' | 'moff' | 'far' }
  | { readonly op: 'digit'; readonly value: number }
  | { readonly op: 'immediate' | 'relative'; readonly value: number };

export interface Template {
  readonly mnemonic: string;
  readonly operands: readonly OperandKind[];
  readonly steps: readonly Step[];
  /** 0, 16 or 32. */
  readonly operandSize: number;
  readonly addressSize: number;
  readonly wait: boolean;
  /** 0: any; 286: up to it; 386: from it on. */
  readonly processor: 0 | 286 | 386;
  /** As written, for messages and tests. */
  readonly text: string;
}

const NOTHING: OperandKind = { registerClass: '', number: -1, memory: false, immediate: '', size: 0, lendsSize: false, modeSize: false, unsized: false, role: 'implied', word: '' };

const GENERAL: Readonly<Record<number, RegisterClass>> = { 1: 'gp8', 2: 'gp16', 4: 'gp32' };

const kinds = new Map<string, OperandKind>();
const define = (name: string, kind: Partial<OperandKind>): void => {
  kinds.set(name, { ...NOTHING, ...kind });
};

for (const size of [1, 2, 4]) {
  const bits = size * 8;
  define(`r${bits}`, { registerClass: GENERAL[size]!, size, lendsSize: true, role: 'reg' });
  define(`R${bits}`, { registerClass: GENERAL[size]!, size, lendsSize: true, role: 'rm' });
  define(`rm${bits}`, { registerClass: GENERAL[size]!, memory: true, size, role: 'rm', lendsSize: true });
  define(`i${bits}`, { immediate: 'plain', size, lendsSize: true, role: 'immediate' });
  define(`x${bits}`, { immediate: 'sized', size, modeSize: size > 1, role: 'immediate' });
  define(`sx${bits}`, { immediate: 'signed', size, modeSize: true, role: 'immediate' });
  define(`jm${bits}`, { registerClass: GENERAL[size]!, memory: true, size, modeSize: true, role: 'rm' });
  define(`moff${bits}`, { memory: true, size, role: 'moff' });
}
for (const [name, size] of [['', 0], ['8', 1], ['16', 2], ['32', 4], ['64', 8], ['80', 10], ['128', 16]] as const) {
  define(`m${name}`, { memory: true, size, role: 'rm' });
  define(`xmm/m${name}`, { registerClass: 'xmm', memory: true, size, role: 'rm' });
  define(`mm/m${name}`, { registerClass: 'mm', memory: true, size, role: 'rm' });
}
define('mu', { memory: true, unsized: true, role: 'rm' });
define('mfar16', { memory: true, size: 2, modeSize: true, role: 'rm', word: 'far' });
define('mfar32', { memory: true, size: 4, modeSize: true, role: 'rm', word: 'far' });
for (const [number, names] of [['al', 'ax', 'eax'], ['cl', 'cx', 'ecx'], ['', 'dx', '']].entries()) {
  for (const [at, name] of names.entries()) {
    if (name !== '') define(name, { registerClass: GENERAL[1 << at]!, number, size: 1 << at, lendsSize: name[name.length - 2] === 'a' });
  }
}
// Explicit counts and ports do not say how wide the operation is.
for (const name of ['cl', 'dx']) kinds.set(name, { ...kinds.get(name)!, lendsSize: false });
for (const [number, name] of ['es', 'cs', 'ss', 'ds', 'fs', 'gs'].entries()) define(name, { registerClass: 'sreg', number });
for (const name of ['sreg', 'creg', 'dreg', 'treg'] as const) define(name, { registerClass: name, role: 'reg' });
define('st0', { registerClass: 'st', number: 0 });
define('sti', { registerClass: 'st', role: 'reg' });
define('tosti', { registerClass: 'st', role: 'reg', word: 'to' });
define('mm', { registerClass: 'mm', role: 'reg' });
define('xmm', { registerClass: 'xmm', role: 'reg' });
define('mmR', { registerClass: 'mm', role: 'rm' });
define('xmmR', { registerClass: 'xmm', role: 'rm' });
define('s8', { immediate: 'signed', size: 1, lendsSize: true, role: 'immediate' });
define('ub', { immediate: 'plain', size: 1, role: 'immediate' });
define('uw', { immediate: 'plain', size: 2, role: 'immediate' });
define('nb', { immediate: 'plain', size: 1, unsized: true, role: 'immediate' });
define('one', { immediate: 'one' });
define('rel8', { immediate: 'short', size: 1, role: 'relative' });
define('srel8', { immediate: 'onlyShort', size: 1, role: 'relative' });
define('rel16', { immediate: 'near', size: 2, modeSize: true, role: 'relative' });
define('rel32', { immediate: 'near', size: 4, modeSize: true, role: 'relative' });
define('nrel16', { immediate: 'near', size: 2, modeSize: true, unsized: true, role: 'relative' });
define('nrel32', { immediate: 'near', size: 4, modeSize: true, unsized: true, role: 'relative' });
define('far16', { immediate: 'far', size: 2, modeSize: true, role: 'far' });
define('far32', { immediate: 'far', size: 4, modeSize: true, role: 'far' });

const IMMEDIATE_BYTES: Readonly<Record<string, number>> = { ib: 1, iw: 2, id: 4 };
const RELATIVE_BYTES: Readonly<Record<string, number>> = { rel8: 1, rel16: 2, rel32: 4 };

function compileStep(word: string): Step {
  if (/^[0-9A-F]{2}$/.test(word)) return { op: 'byte', value: parseInt(word, 16) };
  if (/^\/[0-7]$/.test(word)) return { op: 'digit', value: Number(word[1]) };
  if (word in IMMEDIATE_BYTES) return { op: 'immediate', value: IMMEDIATE_BYTES[word]! };
  if (word in RELATIVE_BYTES) return { op: 'relative', value: RELATIVE_BYTES[word]! };
  switch (word) {
    case '/r':
      return { op: 'modrm' };
    case '/same':
      return { op: 'same' };
    case '+r':
      return { op: 'plusRegister' };
    case 'moff':
      return { op: 'moff' };
    case 'off':
      return { op: 'far' };
    default:
      throw new Error(`template notation: ${word}`);
  }
}

/** One template without `v` to its compiled form. Throws Error for notation that does not exist. */
function compile(text: string): Template {
  const [head, encoding] = text.split(' : ');
  const [mnemonic, operandList] = head!.trim().split(/\s+/);
  const operands = (operandList ?? '').split(',').filter((name) => name !== '').map((name) => {
    const kind = kinds.get(name);
    if (kind === undefined) throw new Error(`template operand ${name} in ${text}`);
    return kind;
  });
  let operandSize = 0;
  let addressSize = 0;
  let wait = false;
  let processor: Template['processor'] = 0;
  const steps: Step[] = [];
  for (const word of encoding!.trim().split(/\s+/)) {
    if (word === 'o16' || word === 'o32') operandSize = Number(word.slice(1));
    else if (word === 'a16' || word === 'a32') addressSize = Number(word.slice(1));
    else if (word === 'wait') wait = true;
    else if (word === '286-') processor = 286;
    else if (word === '386+') processor = 386;
    else steps.push(compileStep(word));
  }
  return { mnemonic: mnemonic!.toLowerCase(), operands, steps, operandSize, addressSize, wait, processor, text };
}

const VARIABLE = /\b(r|R|rm|i|jm|n?rel|far|mfar|moff)v\b/g;

/** One line of a table to its templates. */
function expandLine(line: string): Template[] {
  const [head, encoding] = line.split(' : ');
  if (head === undefined || encoding === undefined) throw new Error(`template line: ${line}`);
  if (!/\b(?:r|R|rm|i|jm|n?rel|far|mfar|moff)v\b/.test(line)) return [compile(line)];
  return [16, 32].map((bits) => {
    const immediate = bits === 16 ? 'iw' : 'id';
    const accumulator = bits === 16 ? 'ax' : 'eax';
    const operands = head.replace(VARIABLE, `$1${bits}`).replace(/\bav\b/g, accumulator);
    const steps = encoding.replace(/\biv\b/g, immediate).replace(/\brelv\b/g, `rel${bits}`);
    return compile(`${operands} : o${bits} ${steps}`);
  });
}

/** Compiles the lines of a table; blank lines are skipped. */
export const templates = (table: string): Template[] =>
  table.split('\n').map((line) => line.trim()).filter((line) => line !== '').flatMap(expandLine);

/** Condition codes of Jcc, SETcc and CMOVcc with their numbers (Intel SDM vol. 2, appendix B.1.4.7). */
export const CONDITIONS: readonly (readonly [name: string, code: number])[] = [
  ['o', 0], ['no', 1], ['b', 2], ['c', 2], ['nae', 2], ['ae', 3], ['nb', 3], ['nc', 3], ['e', 4], ['z', 4], ['ne', 5], ['nz', 5],
  ['be', 6], ['na', 6], ['a', 7], ['nbe', 7], ['s', 8], ['ns', 9], ['p', 10], ['pe', 10], ['np', 11], ['po', 11],
  ['l', 12], ['nge', 12], ['ge', 13], ['nl', 13], ['le', 14], ['ng', 14], ['g', 15], ['nle', 15],
];

/** Two hex digits in capitals. */
export const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
