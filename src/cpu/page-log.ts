/**
 * Lockstep: what pages of memory held before a region wrote to them, so that its writes can be taken back, and compared with
 * those of the op interpreter.
 */
const PAGE_WORDS = 1024;

interface KeptPage {
  page: number;
  readonly before: Int32Array;
  /** What the region left. */
  readonly after: Int32Array;
}

export class PageLog {
  readonly #words: Int32Array;
  /** By MA page: its place in the list, from 1; 0 = none. */
  readonly #places: Int32Array;
  /** The first `count` are in use. */
  readonly #kept: KeptPage[] = [];
  #count = 0;
  #active = false;
  #rolledBack = false;

  /** @param bytes the MA space; its buffer is whole pages */
  constructor(bytes: Uint8Array) {
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    this.#places = new Int32Array(bytes.length >>> 12);
  }

  begin(): void {
    this.#active = true;
    this.#rolledBack = false;
  }

  /** The page of this MA is about to be written. */
  keep(ma: number): void {
    const page = ma >>> 12;
    if (!this.#active || this.#places[page] !== 0) return;
    let kept = this.#kept[this.#count];
    if (kept === undefined) this.#kept.push(kept = { page, before: new Int32Array(PAGE_WORDS), after: new Int32Array(PAGE_WORDS) });
    kept.page = page;
    this.#places[page] = ++this.#count;
    const now = this.#page(page);
    kept.before.set(now);
    // The region left it as it was.
    if (this.#rolledBack) kept.after.set(now);
  }

  /** Puts back what was there, and remembers what the region left. */
  rollBack(): void {
    this.#rolledBack = true;
    for (let i = 0; i < this.#count; i++) {
      const { page, before, after } = this.#kept[i]!, now = this.#page(page);
      after.set(now);
      now.set(before);
    }
  }

  /** Nothing in these pages is otherwise than the region left it. */
  get same(): boolean {
    const words = this.#words;
    let different = 0;
    for (let i = 0; i < this.#count; i++) {
      const { page, after } = this.#kept[i]!;
      // Four at a time: this loop is most of the cost of a check.
      for (let at = 0, word = page * PAGE_WORDS; at < PAGE_WORDS; at += 4, word += 4) {
        different |= after[at]! ^ words[word]! | after[at + 1]! ^ words[word + 1]! | after[at + 2]! ^ words[word + 2]! | after[at + 3]! ^ words[word + 3]!;
      }
    }
    return different === 0;
  }

  /** Words that the region left otherwise than they are now. */
  differences(): { ma: number; region: number; interpreter: number }[] {
    const found: { ma: number; region: number; interpreter: number }[] = [];
    for (let i = 0; i < this.#count; i++) {
      const { page, after } = this.#kept[i]!, words = this.#words, start = page * PAGE_WORDS;
      for (let at = 0; at < PAGE_WORDS; at++) {
        if (after[at] !== words[start + at]) found.push({ ma: (start + at) * 4, region: after[at]!, interpreter: words[start + at]! });
      }
    }
    return found;
  }

  end(): void {
    for (let i = 0; i < this.#count; i++) this.#places[this.#kept[i]!.page] = 0;
    this.#count = 0;
    this.#active = false;
  }

  #page(page: number): Int32Array {
    return this.#words.subarray(page * PAGE_WORDS, (page + 1) * PAGE_WORDS);
  }
}
