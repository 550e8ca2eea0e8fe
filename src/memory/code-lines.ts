/**
 * Which lines of memory hold translated code: 32 lines of 128 bytes a page, one bit each, and the blocks on each page.
 * A page with any bit set is not writable through the fast tables, so every write to it comes by here. DOS programs have their data beside
 * their code: a page of which a line was written, but no block, gets a finer record, so that the next writes need not ask each block.
 */
import { PAGE_SIZE } from './host-memory.ts';

const LINE_SHIFT = 7;
const LINES = PAGE_SIZE >>> LINE_SHIFT;

/** The stretch of a page that an item (a translation block) was made from: its end (up to 4096) above its start (13 bits each). One number, since there are as many as blocks. */
type Span = number;

const SPAN_BITS = 13;
const spanOf = (start: number, end: number): Span => end << SPAN_BITS | start;
const startOf = (span: Span): number => span & PAGE_SIZE - 1;
const endOf = (span: Span): number => span >> SPAN_BITS;

/** A page with code. Libraries have thousands of blocks on a page, since each process has them elsewhere: forgetting one asks no other. */
interface CodePage<T> {
  readonly spans: Map<T, Span>;
  /** Items on each of its lines. */
  readonly counts: Uint32Array;
  /** The finer record: items on each of its bytes; MANY stays. */
  bytes: Uint8Array | null;
}

const MANY = 255;

export class CodeLines<T> {
  /** Bitmap of lines that hold code, by MA page number. */
  readonly lines: Int32Array;
  readonly #pages = new Map<number, CodePage<T>>();
  readonly #pageBecameCode: (page: number) => void;

  /** @param pageBecameCode called when a page without code gets its first block. */
  constructor(memorySize: number, pageBecameCode: (page: number) => void) {
    this.lines = new Int32Array(Math.ceil(memorySize / PAGE_SIZE));
    this.#pageBecameCode = pageBecameCode;
  }

  /** Records that `item` covers [ma, ma + length), which lies within one page. */
  add(item: T, ma: number, length: number): void {
    const number = ma >>> 12;
    let page = this.#pages.get(number);
    if (page === undefined) this.#pages.set(number, (page = { spans: new Map(), counts: new Uint32Array(LINES), bytes: null }));
    const other = page.spans.get(item), start = ma & PAGE_SIZE - 1, end = start + length;
    // A block that crosses into another mapping of its own page has two stretches there: all between them counts too.
    const span = other === undefined ? spanOf(start, end) : spanOf(Math.min(start, startOf(other)), Math.max(end, endOf(other)));
    if (other !== undefined) {
      count(page.counts, other, -1);
      countBytes(page.bytes, other, -1);
    }
    page.spans.set(item, span);
    count(page.counts, span, 1);
    countBytes(page.bytes, span, 1);
    const before = this.lines[number]!;
    this.lines[number] = before | maskOf(startOf(span), endOf(span) - startOf(span));
    if (before === 0) this.#pageBecameCode(number);
  }

  /** Forgets `item` on the page of `ma`. */
  remove(item: T, ma: number): void {
    const number = ma >>> 12, page = this.#pages.get(number), span = page?.spans.get(item);
    if (page === undefined || span === undefined) return;
    page.spans.delete(item);
    countBytes(page.bytes, span, -1);
    this.lines[number] = this.lines[number]! & ~count(page.counts, span, -1);
    if (page.spans.size === 0) this.#pages.delete(number);
  }

  clear(): void {
    for (const page of this.#pages.keys()) this.lines[page] = 0;
    this.#pages.clear();
  }

  /** False if a write to [ma, ma + length), within one page, overlaps no item: as far as the record tells that. Cheap. */
  touches(ma: number, length: number): boolean {
    const mask = this.lines[ma >>> 12]!;
    if (mask === 0 || (mask & maskOf(ma, length)) === 0) return false;
    const { bytes } = this.#pages.get(ma >>> 12)!;
    if (bytes === null) return true;
    const first = ma & PAGE_SIZE - 1;
    for (let byte = first; byte < first + length; byte++) if (bytes[byte] !== 0) return true;
    return false;
  }

  /** The items whose bytes overlap [ma, ma + length), within one page. */
  overlapping(ma: number, length: number): T[] {
    const found: T[] = [];
    if (!this.touches(ma, length)) return found;
    const page = this.#pages.get(ma >>> 12)!, first = ma & PAGE_SIZE - 1;
    for (const [item, span] of page.spans) {
      if (startOf(span) < first + length && endOf(span) > first) found.push(item);
    }
    if (found.length === 0 && page.bytes === null) {
      page.bytes = new Uint8Array(PAGE_SIZE);
      for (const span of page.spans.values()) countBytes(page.bytes, span, 1);
    }
    return found;
  }
}

/** Counts an item in or out of the lines of its span; the mask of those that have none now. */
function count(counts: Uint32Array, span: Span, by: 1 | -1): number {
  const last = endOf(span) - 1 >>> LINE_SHIFT;
  let empty = 0;
  for (let line = startOf(span) >>> LINE_SHIFT; line <= last; line++) {
    counts[line] = counts[line]! + by;
    if (counts[line] === 0) empty |= 1 << line;
  }
  return empty;
}

function countBytes(bytes: Uint8Array | null, span: Span, by: 1 | -1): void {
  if (bytes === null) return;
  for (let byte = startOf(span); byte < endOf(span); byte++) if (bytes[byte] !== MANY) bytes[byte] = bytes[byte]! + by;
}

function maskOf(ma: number, length: number): number {
  const first = (ma & (PAGE_SIZE - 1)) >>> LINE_SHIFT;
  const last = Math.min((ma & (PAGE_SIZE - 1)) + length - 1, PAGE_SIZE - 1) >>> LINE_SHIFT;
  return last - first === 31 ? -1 : ((1 << (last - first + 1)) - 1) << first;
}
