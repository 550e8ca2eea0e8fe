/**
 * Which lines of memory hold translated code: 32 lines of 128 bytes a page, one bit each, and the blocks on each page.
 * A page with any bit set is not writable through the fast tables, so every write to it comes by here.
 */
import { PAGE_SIZE } from './host-memory.ts';

const LINE_SHIFT = 7;

/** A stretch of MA that an item (a translation block) was made from; within one page. */
interface Span<T> {
  readonly item: T;
  readonly start: number;
  readonly end: number;
}

export class CodeLines<T> {
  /** Bitmap of lines that hold code, by MA page number. */
  readonly lines: Int32Array;
  readonly #spans = new Map<number, Span<T>[]>();
  readonly #pageBecameCode: (page: number) => void;

  /** @param pageBecameCode called when a page without code gets its first block. */
  constructor(memorySize: number, pageBecameCode: (page: number) => void) {
    this.lines = new Int32Array(Math.ceil(memorySize / PAGE_SIZE));
    this.#pageBecameCode = pageBecameCode;
  }

  /** Records that `item` covers [ma, ma + length), which lies within one page. */
  add(item: T, ma: number, length: number): void {
    const page = ma >>> 12;
    let spans = this.#spans.get(page);
    if (spans === undefined) this.#spans.set(page, (spans = []));
    spans.push({ item, start: ma, end: ma + length });
    const before = this.lines[page]!;
    this.lines[page] = before | maskOf(ma, length);
    if (before === 0) this.#pageBecameCode(page);
  }

  /** Forgets `item` on the page of `ma`. */
  remove(item: T, ma: number): void {
    const page = ma >>> 12;
    const rest = (this.#spans.get(page) ?? []).filter((span) => span.item !== item);
    if (rest.length === 0) this.#spans.delete(page);
    else this.#spans.set(page, rest);
    let mask = 0;
    for (const span of rest) mask |= maskOf(span.start, span.end - span.start);
    this.lines[page] = mask;
  }

  clear(): void {
    for (const page of this.#spans.keys()) this.lines[page] = 0;
    this.#spans.clear();
  }

  /** True if a write to [ma, ma + length), within one page, touches a line with code. Cheap. */
  touches(ma: number, length: number): boolean {
    const mask = this.lines[ma >>> 12]!;
    return mask !== 0 && (mask & maskOf(ma, length)) !== 0;
  }

  /** The items whose bytes overlap [ma, ma + length), within one page. */
  overlapping(ma: number, length: number): T[] {
    if (!this.touches(ma, length)) return [];
    const found: T[] = [];
    for (const span of this.#spans.get(ma >>> 12) ?? []) {
      if (span.start < ma + length && span.end > ma) found.push(span.item);
    }
    return found;
  }
}

function maskOf(ma: number, length: number): number {
  const first = (ma & (PAGE_SIZE - 1)) >>> LINE_SHIFT;
  const last = Math.min((ma & (PAGE_SIZE - 1)) + length - 1, PAGE_SIZE - 1) >>> LINE_SHIFT;
  return last - first === 31 ? -1 : ((1 << (last - first + 1)) - 1) << first;
}
