/**
 * Doubles of the state as locals of a region's function, for helpers that are written out (InlineForm, env.ts).
 *
 * A double is a pair of state words that begins at an even slot. The local of such a pair is the number itself as long as that is
 * zero or normal, and then the words may be out of date. It is NaN where the words hold something else, or something newer: so a
 * result that follows from an operand of which nothing is known is NaN too, one comparison finds that, and no bits of a guest's NaN pass
 * through a JavaScript number.
 *
 * Which pairs a region keeps in locals is known when all its blocks have been added: text that depends on it is made by resolve().
 * At the start of each node the locals are up to date; within a node it is known here which of them are behind the words.
 */

const MIN = 2.2250738585072014e-308, MAX = Number.MAX_VALUE;
const OPEN = '\u0003', CLOSE = '\u0004';

/** The largest number that may be a result, and the smallest normal one, as JavaScript. */
const LARGEST = String(MAX), SMALLEST = String(MIN);
/** Local that is the smallest double as long as results need no look at modes and flags, else infinity. */
const LEAST = 'least';

export class Shadows {
  /** JavaScript expression of LEAST. */
  private readonly guard: string;
  /** Pairs that have a local. */
  private readonly used = new Set<number>();
  /** The words are newer than the local, which is NaN: these pairs; or, after a call, all but these. */
  private behind = new Set<number>();
  private allBehind = false;
  /** There are inline forms: LEAST is kept. */
  private forms = false;
  /** Pairs that take part in one copy. */
  private readonly moves: (readonly number[])[] = [];
  private readonly pieces: (() => string)[] = [];

  constructor(guard: string) {
    this.guard = guard;
  }

  /** The local of a pair; it is up to date. Text that must come first is given to `emit`. */
  read(slot: number, emit: (text: string) => void): string {
    this.used.add(slot);
    if (this.isBehind(slot)) {
      emit(this.reload(slot));
      this.setBehind(slot, false);
    }
    return local(slot);
  }

  /** The local of a pair that gets a new value. */
  write(slot: number): string {
    this.used.add(slot);
    this.setBehind(slot, false);
    return local(slot);
  }

  /** Words are about to be read, or written in part. */
  flush(slot: number, count: number): string {
    return this.flushPairs(pairs(slot, count).filter((pair) => !this.isBehind(pair)));
  }

  /** Words have been written; what of their pairs was not has been flushed. */
  overtake(slot: number, count: number): string {
    const ahead = pairs(slot, count).filter((pair) => !this.isBehind(pair));
    for (const pair of ahead) this.setBehind(pair, true);
    return this.later(() => this.ofUsed(ahead, (pair) => `${local(pair)} = NaN;`));
  }

  /** Any words may be read. */
  flushAll(): string {
    const ahead = this.ahead();
    return this.later(() => this.ofUsed([...this.used].filter(ahead), flushed));
  }

  /** Any words may have been written, and flags. */
  overtakeAll(): string {
    const ahead = this.ahead();
    this.allBehind = true;
    this.behind = new Set();
    return this.later(() => `${this.forms ? `${LEAST} = ${this.guard}; ` : ''}${this.ofUsed([...this.used].filter(ahead), (pair) => `${local(pair)} = NaN;`)}`);
  }

  /** A helper has run in place of its inline form: the pairs that it wrote, and what it did to flags. */
  afterSlow(written: readonly number[]): string {
    this.forms = true;
    return `${LEAST} = ${this.guard}; ${written.map((pair) => this.reload(pair)).join(' ')}`;
  }

  /** The node ends: every local is up to date again. */
  settle(): string {
    const { allBehind, behind } = this;
    this.allBehind = false;
    this.behind = new Set();
    if (!allBehind && behind.size === 0) return '';
    return this.later(() => this.ofUsed([...this.used].filter((pair) => behind.has(pair) !== allBehind), (pair) => this.reload(pair)));
  }

  /** Copies whole pairs. */
  move(to: number, from: number, bytes: number): string {
    this.moves.push([...pairs(from, bytes / 4), ...pairs(to, bytes / 4)]);
    return pairs(from, bytes / 4).map((source, i) => {
      const target = to + 2 * i, words = `R[${target}] = R[${source}]; R[${target + 1}] = R[${source + 1}];`;
      const unknown = this.isBehind(source);
      this.setBehind(target, unknown);
      return this.later(() => {
        if (!this.used.has(target)) return `${!unknown && this.used.has(source) ? flushed(source) : ''}${words}\n`;
        if (unknown) return `${words} ${local(target)} = NaN;\n`;
        if (!this.used.has(source)) return `${words} ${this.reload(target)}\n`;
        return `${local(target)} = ${local(source)}; if (${local(source)} !== ${local(source)}) { ${words} }\n`;
      });
    }).join('');
  }

  clear(slot: number, bytes: number): string {
    return pairs(slot, bytes / 4).map((pair) => {
      this.setBehind(pair, false);
      return this.later(() => (this.used.has(pair) ? `${local(pair)} = 0;\n` : `R[${pair}] = R[${pair + 1}] = 0;\n`));
    }).join('');
  }

  /** Loads from memory at p. */
  load(slot: number, bytes: number): string {
    return pairs(slot, bytes / 4).map((pair, i) => {
      this.setBehind(pair, false);
      const words = `R[${pair}] = V.getInt32(${place(8 * i)}, true); R[${pair + 1}] = V.getInt32(${place(8 * i + 4)}, true);`;
      return this.later(() => (this.used.has(pair)
        ? `${local(pair)} = V.getFloat64(${place(8 * i)}, true); m = Math.abs(${local(pair)}); if (!(m >= ${SMALLEST} && m <= ${LARGEST} || m === 0)) { ${local(pair)} = NaN; ${words} }`
        : words));
    }).join(' ');
  }

  /** Stores to memory at p. */
  store(slot: number, bytes: number): string {
    return pairs(slot, bytes / 4).map((pair, i) => {
      const words = `V.setInt32(${place(8 * i)}, R[${pair}], true); V.setInt32(${place(8 * i + 4)}, R[${pair + 1}], true);`, unknown = this.isBehind(pair);
      return this.later(() => (this.used.has(pair) && !unknown
        ? `if (${local(pair)} === ${local(pair)}) V.setFloat64(${place(8 * i)}, ${local(pair)}, true); else { ${words} }`
        : words));
    }).join(' ');
  }

  /** After a slow load: what it brought stands in the words. */
  loaded(slot: number, bytes: number): string {
    return this.later(() => this.ofUsed(pairs(slot, bytes / 4), (pair) => this.reload(pair)));
  }

  /** All blocks are there. What is copied together with a local is one too: mostly it is zero, and the copy then costs nothing. */
  complete(): void {
    for (let before = -1; before !== this.used.size;) {
      before = this.used.size;
      for (const all of this.moves) if (all.some((pair) => this.used.has(pair))) for (const pair of all) this.used.add(pair);
    }
  }

  /** Declarations of the function. */
  get locals(): string[] {
    return !this.forms ? [] : [`${LEAST} = ${this.guard}`, ...['r', 'r0', 'r1', 'm', 'm0', 'm1', 'w'].map((name) => `${name} = 0`), ...[...this.used].map((pair) => `${local(pair)} = NaN`)];
  }

  /** What the function begins with. */
  get prologue(): string {
    return this.ofUsed([...this.used], (pair) => this.reload(pair));
  }

  /** What the function ends with. */
  get epilogue(): string {
    return this.ofUsed([...this.used], flushed);
  }

  /** All text is there: makes what depended on it. */
  resolve(text: string): string {
    return text.replace(/\u0003(\d+)\u0004/g, (_, piece: string) => this.pieces[Number(piece)]!());
  }

  private isBehind(pair: number): boolean {
    return this.behind.has(pair) !== this.allBehind;
  }

  private setBehind(pair: number, is: boolean): void {
    if (is === this.allBehind) this.behind.delete(pair);
    else this.behind.add(pair);
  }

  /** Which pairs are not behind, as it is now. */
  private ahead(): (pair: number) => boolean {
    const { allBehind, behind } = this;
    const known = new Set(behind);
    return (pair) => known.has(pair) === allBehind;
  }

  private reload(pair: number): string {
    const name = local(pair);
    return `${name} = D[${pair >> 1}]; m = Math.abs(${name}); if (!(m >= ${SMALLEST} && m <= ${LARGEST} || m === 0)) ${name} = NaN;`;
  }

  private flushPairs(all: readonly number[]): string {
    return all.length === 0 ? '' : this.later(() => this.ofUsed(all, flushed));
  }

  private ofUsed(all: readonly number[], text: (pair: number) => string): string {
    return all.filter((pair) => this.used.has(pair)).map((pair) => `${text(pair)} `).join('');
  }

  private later(make: () => string): string {
    this.pieces.push(make);
    return `${OPEN}${this.pieces.length - 1}${CLOSE}`;
  }
}

const local = (pair: number): string => `x${pair}`;
const flushed = (pair: number): string => `if (${local(pair)} === ${local(pair)}) D[${pair >> 1}] = ${local(pair)};`;
const place = (bytes: number): string => (bytes === 0 ? 'p' : `p + ${bytes}`);

/** The pairs that words lie in. */
function pairs(slot: number, count: number): number[] {
  const first = slot & ~1;
  return Array.from({ length: (slot + count - first + 1) >> 1 }, (_, i) => first + 2 * i);
}
