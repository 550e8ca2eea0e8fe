/**
 * The assembler: NASM syntax in, the bytes of `nasm -f bin` out.
 *
 * Passes repeat until no symbol moves, then one more writes the bytes. A jump is taken to be short until a pass finds it too far, as in
 * nasm's -Ox. Statements are parsed once and kept, unless a preprocessor expression looked at an address: then every pass preprocesses anew.
 *
 * Where it departs from nasm 2.16 on purpose: floating-point literals exactly half-way between two values go to the even one; `<=>` gives -1;
 * `retw n` in 32-bit code has its prefix; a size prefix that contradicts the operands, a short jump to a number out of reach and
 * `lea reg,number` are errors; a macro may occur in its own arguments; `call far seg:offset` is `call seg:offset`.
 * Not there: 64-bit code, AVX, %use packages, listing and map directives, output formats other than bin.
 */
import { AssemblyError, FatalError, formatMessage, LineError } from './errors.ts';
import type { Location } from './errors.ts';
import { Cursor, evaluateNumber, parseExpression } from './expression.ts';
import type { Scope } from './expression.ts';
import type { Token } from './lexer.ts';
import { Pass } from './pass.ts';
import { Preprocessor } from './preprocessor/preprocessor.ts';
import { joinSections, layOut } from './sections.ts';
import type { Section } from './sections.ts';
import { StatementParser } from './statement.ts';
import type { Statement } from './statement.ts';
import { SymbolTable } from './symbols.ts';

export { AssemblyError } from './errors.ts';

export interface AssembleOptions {
  /** Name of the source in messages. */
  readonly file: string;
  /** Text of an included file; throws if there is none. */
  readonly readFile?: (path: string) => string;
  /** Bytes of a file named by incbin; throws if there is none. */
  readonly readBinary?: (path: string) => Uint8Array;
  /** Single-line macros defined beforehand, as -D does. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Make a listing. */
  readonly listing?: boolean;
}

export interface Assembly {
  readonly bytes: Uint8Array;
  /** Address, bytes and source of every line; only if asked for. */
  readonly listing?: string;
  /** Labels and constants with their final values; locals by their full names. */
  readonly symbols: Map<string, number>;
  /** `file:line: text` each; the program is usable all the same. */
  readonly warnings: readonly string[];
}

/** More passes than any program needs that has a solution. */
const MAX_PASSES = 200;
const MAX_ERRORS = 50;

const missing = (): never => {
  throw new Error('no file access');
};

class Assembler {
  readonly #source: string;
  readonly #options: AssembleOptions;
  readonly #symbols = new SymbolTable();
  readonly #sections = new Map<string, Section>();
  readonly #binaries = new Map<string, Uint8Array>();
  readonly #files = new Map<string, string>();
  #errors: string[] = [];
  #warnings: string[] = [];
  readonly #listing: string[] = [];
  /** Kept statements; null if the preprocessor has to run in each pass. */
  #statements: Statement[] | null = null;

  constructor(source: string, options: AssembleOptions) {
    this.#source = source;
    this.#options = options;
  }

  run(): Assembly {
    for (let count = 1; ; count++) {
      this.#pass(false);
      if (!this.#symbols.changed && count > 1) break;
      if (count > MAX_PASSES) throw new AssemblyError([`${this.#options.file}: symbols do not settle after ${count} passes`]);
    }
    const origin = this.#layOut();
    this.#pass(true);
    if (this.#symbols.changed) throw new AssemblyError([`${this.#options.file}: symbols moved in the last pass`]);
    for (const section of this.#sections.values()) section.length = section.offset;
    const bytes = this.#guard(() => joinSections(layOut([...this.#sections.values()], origin), origin));
    const listing = this.#options.listing === true ? { listing: `${this.#listing.join('\n')}\n` } : {};
    return { bytes, symbols: this.#finalSymbols(), warnings: this.#warnings, ...listing };
  }

  #origin = 0;

  #layOut(): number {
    for (const section of this.#sections.values()) section.length = section.offset;
    this.#guard(() => layOut([...this.#sections.values()], this.#origin));
    return this.#origin;
  }

  /** Errors without a line. */
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof LineError) throw new AssemblyError([`${this.#options.file}: ${error.message}`]);
      throw error;
    }
  }

  #pass(final: boolean): void {
    this.#errors = [];
    this.#warnings = [];
    const pass = new Pass({
      final,
      symbols: this.#symbols,
      sections: this.#sections,
      readBinary: (path) => this.#readBinary(path),
      warn: (at, message) => this.#warnings.push(formatMessage(at, message)),
    });
    if (this.#statements === null) this.#preprocessAndRun(pass);
    else for (const statement of this.#statements) this.#run(pass, statement);
    this.#origin = pass.state.origin;
    if (this.#errors.length > 0) throw new AssemblyError(this.#errors);
  }

  #fail(at: Location, error: unknown): void {
    if (!(error instanceof LineError)) throw error;
    this.#errors.push(formatMessage(at, error.message));
    if (error instanceof FatalError || this.#errors.length >= MAX_ERRORS) throw new AssemblyError(this.#errors);
  }

  #run(pass: Pass, statement: Statement): void {
    const { section } = pass;
    const { offset } = pass;
    try {
      pass.run(statement);
    } catch (error) {
      this.#fail(statement.location, error);
    }
    if (pass.final && this.#options.listing === true) this.#list(offset, pass.bytesSince(section, offset), statement.text);
  }

  #list(offset: number, bytes: ArrayLike<number>, text: string): void {
    const hex = Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
    const shown = hex.length > 12 ? `${hex.slice(0, 11).join('')}..` : hex.join('');
    this.#listing.push(`${offset.toString(16).toUpperCase().padStart(8, '0')} ${shown.padEnd(24)} ${text}`);
  }

  /** Preprocesses, parses and runs line by line; keeps the statements if they cannot differ in the next pass. */
  #preprocessAndRun(pass: Pass): void {
    const parser = new StatementParser();
    let positional = false;
    const scope = this.#criticalScope(pass, () => {
      positional = true;
    });
    const warnings: string[] = [];
    const preprocessor = new Preprocessor(
      {
        readFile: (path) => this.#readFile(path),
        bits: () => pass.bits,
        warn: (at, message) => warnings.push(formatMessage(at, message)),
        number: (tokens) => this.#number(tokens, parser, scope, pass),
      },
      this.#options.defines ?? {},
    );
    preprocessor.start(this.#options.file, this.#source);
    const statements: Statement[] = [];
    for (;;) {
      try {
        const line = preprocessor.next();
        if (line === null) break;
        const statement = parser.parse(line.tokens, line.location, line.text);
        statements.push(statement);
        this.#run(pass, statement);
      } catch (error) {
        if (error instanceof AssemblyError) throw error;
        this.#fail(preprocessor.location, error);
      }
    }
    if (!positional) this.#statements = statements;
    this.#preprocessorWarnings = warnings;
  }

  #preprocessorWarnings: readonly string[] = [];

  /** Value of a preprocessor expression. */
  #number(tokens: readonly Token[], parser: StatementParser, scope: Scope, pass: Pass): bigint {
    pass.startLine();
    const cursor = new Cursor(tokens, parser.qualify);
    const expression = parseExpression(cursor);
    cursor.expectEnd();
    return evaluateNumber(expression, scope, 'preprocessor expression');
  }

  /** Names as the preprocessor may use them: only what stands before. */
  #criticalScope(pass: Pass, used: () => void): Scope {
    return {
      symbol: (name) => {
        used();
        if (!this.#symbols.isDefinedNow(name)) throw new LineError(`symbol '${name}' is not defined before its use here`);
        return this.#symbols.lookup(name);
      },
      here: () => {
        used();
        return pass.here();
      },
      sectionStart: () => {
        used();
        return pass.sectionStart();
      },
    };
  }

  #readFile(path: string): string {
    const text = this.#files.get(path) ?? (this.#options.readFile ?? missing)(path);
    this.#files.set(path, text);
    return text;
  }

  #readBinary(path: string): Uint8Array {
    const bytes = this.#binaries.get(path) ?? (this.#options.readBinary ?? missing)(path);
    this.#binaries.set(path, bytes);
    return bytes;
  }

  #finalSymbols(): Map<string, number> {
    const symbols = new Map<string, number>();
    for (const [name, value] of this.#symbols.entries()) {
      let number = value.number;
      for (const term of value.terms) if (term.of.kind === 'section') number += BigInt(term.of.base) * term.factor;
      symbols.set(name, Number(number));
    }
    this.#warnings.unshift(...this.#preprocessorWarnings);
    return symbols;
  }
}

/** Assembles a program to a flat binary. Throws AssemblyError. */
export function assemble(source: string, options: AssembleOptions): Assembly {
  return new Assembler(source, options).run();
}
