/** One pass over the statements: positions, symbols, and in the last pass the bytes. */
import { emitData } from './data.ts';
import type { DataContext } from './data.ts';
import { runDirective } from './directives.ts';
import type { PassState } from './directives.ts';
import { encodeInstruction } from './encode.ts';
import type { EncodeContext } from './encode.ts';
import { LineError } from './errors.ts';
import type { Location } from './errors.ts';
import { evaluate, evaluateNumber } from './expression.ts';
import type { Expression } from './expression.ts';
import { evaluateOperand } from './operands.ts';
import { createSection } from './sections.ts';
import type { Section } from './sections.ts';
import type { InstructionAction, Statement } from './statement.ts';
import type { SymbolTable } from './symbols.ts';
import { isUnknown, scalar, termValue } from './value.ts';
import type { Value } from './value.ts';

export interface PassOptions {
  readonly final: boolean;
  readonly symbols: SymbolTable;
  readonly sections: Map<string, Section>;
  readonly readBinary: (path: string) => Uint8Array;
  readonly warn: (at: Location, message: string) => void;
}

const NOTHING: readonly number[] = [];

/** Repetitions above this are a mistake. */
const MAX_TIMES = 1 << 28;

export class Pass implements DataContext, EncodeContext {
  readonly final: boolean;
  readonly state: PassState;
  readonly #options: PassOptions;
  readonly #symbols: SymbolTable;
  /** Position of the line, the value of `$`. */
  #lineStart = 0;
  #location: Location = { file: '', line: 0, note: '' };
  #wasTruncated = false;

  constructor(options: PassOptions) {
    this.#options = options;
    this.#symbols = options.symbols;
    this.final = options.final;
    const { sections } = options;
    if (sections.size === 0) for (const name of ['.text', '.data', '.bss']) sections.set(name, createSection(name));
    for (const section of sections.values()) section.offset = 0;
    this.state = { bits: 16, processor: 386, origin: 0, sections, section: sections.get('.text')!, absoluteStart: 0, absoluteOffset: 0 };
    this.#symbols.startPass();
  }

  // What expressions and encoders ask.

  get bits(): number {
    return this.state.bits;
  }

  get processor(): 286 | 386 {
    return this.state.processor;
  }

  get section(): Section | null {
    return this.state.section;
  }

  get offset(): number {
    return this.state.section === null ? this.state.absoluteOffset : this.state.section.offset;
  }

  symbol(name: string): Value {
    return this.#symbols.lookup(name);
  }

  #position(offset: number): Value {
    return this.state.section === null ? scalar(BigInt(offset)) : termValue(this.state.section, BigInt(offset));
  }

  here(): Value {
    return this.#position(this.#lineStart);
  }

  sectionStart(): Value {
    return this.#position(this.state.section === null ? this.state.absoluteStart : 0);
  }

  resolve(value: Value): bigint {
    let number = value.number;
    if (!this.final) return number;
    for (const term of value.terms) {
      if (term.of.kind !== 'section') throw new LineError(`${term.of.kind} ${term.of.name} not allowed here`);
      number += BigInt(term.of.base) * term.factor;
    }
    return BigInt.asIntN(64, number);
  }

  truncated(what: string): void {
    this.#wasTruncated = true;
    if (this.final) this.#options.warn(this.#location, `${what} does not fit and is cut off`);
  }

  // Statements.

  /** Forgets where the line before stood: `$` in a preprocessor expression is the position now. */
  startLine(): void {
    this.#lineStart = this.offset;
  }

  /** Throws LineError. */
  run(statement: Statement): void {
    this.startLine();
    this.#location = statement.location;
    const { action, label } = statement;
    if (action.kind === 'equ') {
      if (label === null) throw new LineError('equ without a name');
      this.#symbols.define(label, evaluate(action.value, this));
      return;
    }
    if (label !== null) this.#symbols.define(label, this.here());
    const times = statement.times === null ? 1 : this.#times(statement.times);
    switch (action.kind) {
      case 'none':
        return;
      case 'instruction':
        this.#instruction(action, times);
        return;
      case 'data':
        for (let i = 0; i < times; i++) emitData(action.items, this, (bytes) => this.#emit(bytes));
        return;
      case 'reserve':
        this.#reserve(this.#count(action.count, 'resb') * action.size * times);
        return;
      case 'incbin':
        for (let i = 0; i < times; i++) this.#emit(this.#binary(action.path, action.skip, action.length));
        return;
      case 'directive':
        runDirective(action.name, action.cursor, this.state, this);
        return;
    }
  }

  #times(expression: Expression): number {
    const count = evaluateNumber(expression, this, 'times count');
    if (count < 0n) {
      if (this.final) throw new LineError(`times count is negative: ${count}`);
      return 0;
    }
    if (count > MAX_TIMES) throw new LineError(`times count is too large: ${count}`);
    return Number(count);
  }

  /** A count that may depend on later symbols: it is zero until they are known. */
  #count(expression: Expression, what: string): number {
    const value = evaluate(expression, this);
    if (isUnknown(value)) return 0;
    if (value.terms.length > 0) throw new LineError(`${what} needs a plain number`);
    if (value.number < 0n) throw new LineError(`${what}: negative count ${value.number}`);
    return Number(value.number);
  }

  #instruction(action: InstructionAction, times: number): void {
    if (action.fixed && action.cache?.bits === this.bits) {
      for (let i = 0; i < times; i++) this.#emit(action.cache.bytes);
      return;
    }
    const operands = action.operands.map((operand) => evaluateOperand(operand, this));
    for (let i = 0; i < times; i++) {
      const bytes: number[] = [];
      this.#wasTruncated = false;
      encodeInstruction(action.candidates, operands, action.prefixes, this, bytes);
      this.#emit(bytes);
      // What has to be warned about in the last pass is encoded in each.
      if (action.fixed && !this.#wasTruncated) action.cache = { bits: this.bits, bytes };
    }
  }

  #binary(path: string, skip: Expression | null, length: Expression | null): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = this.#options.readBinary(path);
    } catch (error) {
      throw new LineError(`cannot read '${path}': ${error instanceof Error ? error.message : String(error)}`);
    }
    const start = skip === null ? 0 : this.#count(skip, 'incbin');
    return bytes.subarray(start, length === null ? bytes.length : start + this.#count(length, 'incbin'));
  }

  #emit(bytes: ArrayLike<number>): void {
    const { section } = this.state;
    if (section === null) {
      if (bytes.length > 0) throw new LineError('no code or data in an absolute part');
      return;
    }
    if (this.final && !section.nobits) section.append(bytes);
    else section.offset += bytes.length;
  }

  #reserve(length: number): void {
    const { section } = this.state;
    if (section === null) this.state.absoluteOffset += length;
    else if (this.final && !section.nobits) section.append(new Uint8Array(length));
    else section.offset += length;
  }

  /** Bytes that a line made, for the listing. */
  bytesSince(section: Section | null, offset: number): ArrayLike<number> {
    return section === null || section.nobits || section !== this.state.section ? NOTHING : section.bytes.subarray(offset, section.offset);
  }
}
