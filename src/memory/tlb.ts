/**
 * The fast tables: for each view (supervisor, user, supervisor without user pages) a read and a write table of 2^20 words, one a page of VA.
 * `table[va >>> 12] ^ va` is the MA of va when it is plain memory that this view may access, and negative otherwise.
 * An invalid entry has the sign opposite to its VA. Entries are filled one by one by the slow path, and each view
 * keeps a list of those it filled, global pages apart, so that a flush undoes only these.
 *
 * In lockstep (src/cpu/lockstep.ts) stores must be seen before they happen: then the write table has only what expose() put
 * there, of the pages that are `granted`; and a journal of changes lets the views go back to where they were.
 */

/** The views. The last one is what CR4.SMAP makes: the supervisor while EFLAGS.AC is clear. */
export const VIEW_SUPERVISOR = 0, VIEW_USER = 1, VIEW_SMAP = 2;

const PAGES = 1 << 20;
/** Small pages in 4 MB. */
const LARGE_PAGES = 1 << 10;
/** Entries a view remembers; past that it is flushed whole. */
const LIST_SIZE = 1 << 16;

const invalidEntry = (page: number): number => (page < PAGES / 2 ? 0x80000000 | 0 : 0);

/** Address check of a fast-table access, used wherever code is emitted: one place for its text. */
export const fastAddressJs = (table: string, address: string): string => `${table}[${address} >>> 12] ^ ${address}`;

/** Pages that were filled. */
class PageList {
  readonly pages = new Int32Array(LIST_SIZE);
  count = 0;
}

export class TlbView {
  readonly read = new Int32Array(PAGES);
  readonly write = new Int32Array(PAGES);
  /** For each page with an entry: 1 if it is global. */
  readonly #isGlobal = new Uint8Array(PAGES);
  /** Pages that may be written: the write table itself, but in lockstep. */
  readonly granted: Int32Array;
  /** Old entries of pages that have changed: page, read, granted, … */
  journal: number[] | null = null;
  #spare: number[] = [];
  readonly #exposed: number[] = [];
  readonly #filled = new PageList();
  readonly #filledGlobal = new PageList();

  /** @param lockstep stores go through the slow path until expose() */
  constructor(lockstep = false) {
    this.granted = lockstep ? new Int32Array(PAGES) : this.write;
    for (const table of [this.read, this.write, this.granted]) table.fill(invalidEntry(0), 0, PAGES / 2);
  }

  /** Lets reads (and writes) of va's page go to the page of `ma`. A global page stays at flush(true). */
  fill(va: number, ma: number, writable: boolean, global = false): void {
    const page = va >>> 12, entry = (va & ~4095) ^ (ma & ~4095);
    this.#note(page, global);
    this.#isGlobal[page] = global ? 1 : 0;
    this.#set(page, entry, writable ? entry : this.granted[page]!);
  }

  /** va's page is here, and stays at flush(true). */
  holdsGlobal(va: number): boolean {
    const page = va >>> 12;
    return (this.read[page]! ^ va) >= 0 && this.#isGlobal[page] === 1;
  }

  /** @param keepGlobal global pages stay */
  flush(keepGlobal = false): void {
    this.#empty(this.#filled);
    if (!keepGlobal) this.#empty(this.#filledGlobal);
  }

  #note(page: number, global: boolean): void {
    const list = global ? this.#filledGlobal : this.#filled;
    if (list.count === LIST_SIZE) this.#empty(list);
    list.pages[list.count++] = page;
  }

  #empty(list: PageList): void {
    for (let i = 0; i < list.count; i++) {
      const page = list.pages[i]!;
      this.#set(page, invalidEntry(page), invalidEntry(page));
    }
    list.count = 0;
  }

  flushPage(va: number): void {
    const page = va >>> 12;
    this.#set(page, invalidEntry(page), invalidEntry(page));
  }

  /** Lockstep: lets stores to va's page, which is granted, use the fast table until conceal(). */
  expose(va: number): void {
    const page = va >>> 12;
    this.write[page] = this.granted[page]!;
    this.#exposed.push(page);
  }

  /** Takes back what expose() gave. */
  conceal(): void {
    if (this.#exposed.length === 0) return;
    for (const page of this.#exposed) this.write[page] = invalidEntry(page);
    this.#exposed.length = 0;
  }

  startJournal(): void {
    if (this.#spare.length > 0) this.#spare = [];
    this.journal = this.#spare;
  }

  /** Undoes the changes in the journal, which is then empty. Calls `granted` for each page that may be written again, with its MA. */
  undo(granted: (page: number, ma: number) => void): void {
    const journal = this.journal!;
    if (journal.length === 0) return;
    for (let at = journal.length - 3; at >= 0; at -= 3) {
      const page = journal[at]!, entry = journal[at + 2]!;
      this.read[page] = journal[at + 1]!;
      this.granted[page] = entry;
      this.write[page] = invalidEntry(page);
      this.#note(page, false);
      if ((entry ^ page << 12) >= 0) granted(page, entry ^ page << 12);
    }
    journal.length = 0;
  }

  #set(page: number, read: number, granted: number): void {
    this.journal?.push(page, this.read[page]!, this.granted[page]!);
    this.read[page] = read;
    this.granted[page] = granted;
    if (this.write !== this.granted) this.write[page] = invalidEntry(page);
  }

  revokeWrite(page: number): void {
    this.#set(page, this.read[page]!, invalidEntry(page));
  }
}

export class Tlb {
  readonly supervisor: TlbView;
  readonly user: TlbView;
  /** By VIEW_*; the last one is made when it is first asked for. */
  readonly #views: TlbView[];
  readonly #lockstep: boolean;
  /** VA pages with a write entry, by MA page: what to revoke when that page becomes code. Global pages apart. */
  readonly #writers = new Map<number, number[]>();
  readonly #globalWriters = new Map<number, number[]>();
  /** 4 MB of VA in which a page of several megabytes was filled. */
  readonly #large = new Uint8Array(PAGES / LARGE_PAGES);

  constructor(lockstep = false) {
    this.#lockstep = lockstep;
    this.supervisor = new TlbView(lockstep);
    this.user = new TlbView(lockstep);
    this.#views = [this.supervisor, this.user];
  }

  /** @param view VIEW_* */
  view(view: number): TlbView {
    return this.#views[view] ?? (this.#views[view] = new TlbView(this.#lockstep));
  }

  fill(view: number, va: number, ma: number, writable: boolean, global = false, large = false): void {
    this.view(view).fill(va, ma, writable, global);
    if (large) this.#large[va >>> 22] = 1;
    if (writable) addWriter(global ? this.#globalWriters : this.#writers, va >>> 12, ma >>> 12);
  }

  /** Lockstep: starts to note all changes. */
  startJournal(): void {
    for (const view of this.#views) view.startJournal();
  }

  /** Undoes all changes since startJournal(), and notes them no more. */
  undo(): void {
    for (const view of this.#views) {
      if (view.journal === null) view.flush();
      else view.undo((page, ma) => addWriter(this.#writers, page, ma >>> 12));
      view.journal = null;
    }
  }

  /** Forgets the journal, with the changes as they are. */
  endJournal(): void {
    for (const view of this.#views) view.journal = null;
  }

  /** Lockstep: all stores go through the slow path again. */
  conceal(): void {
    for (const view of this.#views) view.conceal();
  }

  /** @param keepGlobal global pages stay */
  flush(keepGlobal = false): void {
    for (const view of this.#views) view.flush(keepGlobal);
    this.#writers.clear();
    if (keepGlobal) return;
    this.#globalWriters.clear();
    this.#large.fill(0);
  }

  /** What was filled of the page that holds va, of several megabytes or not. */
  flushPage(va: number): void {
    if (this.#large[va >>> 22] === 0) {
      for (const view of this.#views) view.flushPage(va);
      return;
    }
    for (let page = va >>> 22 << 10, end = page + LARGE_PAGES; page < end; page++) for (const view of this.#views) view.flushPage(page << 12);
  }

  /** No view may write to this MA page through the fast tables any more. */
  revokeWrites(maPage: number): void {
    for (const writers of [this.#writers, this.#globalWriters]) {
      for (const page of writers.get(maPage) ?? []) for (const view of this.#views) view.revokeWrite(page);
      writers.delete(maPage);
    }
  }
}

function addWriter(writers: Map<number, number[]>, page: number, maPage: number): void {
  const pages = writers.get(maPage);
  if (pages === undefined) writers.set(maPage, [page]);
  else if (!pages.includes(page)) pages.push(page);
}
