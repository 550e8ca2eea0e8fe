/** Labels and constants across passes. */
import { LineError } from './errors.ts';
import { UNKNOWN } from './value.ts';
import type { Value } from './value.ts';

interface Entry {
  value: Value;
  /** Pass in which it was defined last. */
  pass: number;
}

function sameValue(a: Value, b: Value): boolean {
  if (a.number !== b.number || a.terms.length !== b.terms.length) return false;
  return a.terms.every((term, i) => term.of === b.terms[i]!.of && term.factor === b.terms[i]!.factor);
}

export class SymbolTable {
  readonly #entries = new Map<string, Entry>();
  #pass = 0;
  /** A symbol is worth something else than in the pass before. */
  changed = false;

  startPass(): void {
    this.#pass++;
    this.changed = false;
  }

  define(name: string, expression: Value): void {
    // A symbol is one number in the expressions that use it, however it came about.
    const value = expression.summed ? { ...expression, summed: false } : expression;
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      this.#entries.set(name, { value, pass: this.#pass });
      this.changed = true;
      return;
    }
    if (entry.pass === this.#pass) {
      if (!sameValue(entry.value, value)) throw new LineError(`symbol '${name}' is defined twice`);
      return;
    }
    if (!sameValue(entry.value, value)) this.changed = true;
    entry.value = value;
    entry.pass = this.#pass;
  }

  /** UNKNOWN for a name not seen yet in the first pass; LineError for one that no pass has seen. */
  lookup(name: string): Value {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry.value;
    if (this.#pass > 1) throw new LineError(`symbol '${name}' is not defined`);
    return UNKNOWN;
  }

  /** Defined earlier in this pass: what %if and TIMES may rely on. */
  isDefinedNow(name: string): boolean {
    return this.#entries.get(name)?.pass === this.#pass;
  }

  *entries(): Generator<[name: string, value: Value]> {
    for (const [name, entry] of this.#entries) yield [name, entry.value];
  }
}
