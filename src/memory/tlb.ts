/**
 * The fast tables: for each view (supervisor, user) a read and a write table of 2^20 words, one a page of VA.
 * `table[va >>> 12] ^ va` is the MA of va when it is plain memory that this view may access, and negative otherwise.
 * An invalid entry has the sign opposite to its VA. Entries are filled one by one by the slow path, and each view
 * keeps a list of those it filled, so that a flush undoes only these.
 *
 * In lockstep (src/cpu/lockstep.ts) stores must be seen before they happen: then the write table has only what expose() put
 * there, of the pages that are `granted`; and a journal of changes lets the views go back to where they were.
 */

const PAGES = 1 << 20;
/** Entries a view remembers; past that it is flushed whole. */
const LIST_SIZE = 1 << 16;

const invalidEntry = (page: number): number => (page < PAGES / 2 ? 0x80000000 | 0 : 0);

/** Address check of a fast-table access, used wherever code is emitted: one place for its text. */
export const fastAddressJs = (table: string, address: string): string => `${table}[${address} >>> 12] ^ ${address}`;

export class TlbView {
  readonly read = new Int32Array(PAGES);
  readonly write = new Int32Array(PAGES);
  /** Pages that may be written: the write table itself, but in lockstep. */
  readonly granted: Int32Array;
  /** Old entries of pages that have changed: page, read, granted, … */
  journal: number[] | null = null;
  #spare: number[] = [];
  readonly #exposed: number[] = [];
  readonly #filled = new Int32Array(LIST_SIZE);
  #count = 0;

  /** @param lockstep stores go through the slow path until expose() */
  constructor(lockstep = false) {
    this.granted = lockstep ? new Int32Array(PAGES) : this.write;
    for (const table of [this.read, this.write, this.granted]) table.fill(invalidEntry(0), 0, PAGES / 2);
  }

  /** Lets reads (and writes) of va's page go to the page of `ma`. */
  fill(va: number, ma: number, writable: boolean): void {
    if (this.#count === LIST_SIZE) this.flush();
    const page = va >>> 12;
    const entry = (va & ~4095) ^ (ma & ~4095);
    this.#filled[this.#count++] = page;
    this.#set(page, entry, writable ? entry : this.granted[page]!);
  }

  flush(): void {
    for (let i = 0; i < this.#count; i++) {
      const page = this.#filled[i]!;
      this.#set(page, invalidEntry(page), invalidEntry(page));
    }
    this.#count = 0;
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
      if (this.#count < LIST_SIZE) this.#filled[this.#count++] = page;
      else this.flushPage(page << 12);
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
  /** VA pages with a write entry, by MA page: what to revoke when that page becomes code. */
  readonly #writers = new Map<number, number[]>();

  constructor(lockstep = false) {
    this.supervisor = new TlbView(lockstep);
    this.user = new TlbView(lockstep);
  }

  view(user: boolean): TlbView {
    return user ? this.user : this.supervisor;
  }

  fill(user: boolean, va: number, ma: number, writable: boolean): void {
    this.view(user).fill(va, ma, writable);
    if (writable) this.#addWriter(va >>> 12, ma >>> 12);
  }

  #addWriter(page: number, maPage: number): void {
    const writers = this.#writers.get(maPage);
    if (writers === undefined) this.#writers.set(maPage, [page]);
    else if (!writers.includes(page)) writers.push(page);
  }

  /** Lockstep: starts to note all changes. */
  startJournal(): void {
    this.supervisor.startJournal();
    this.user.startJournal();
  }

  /** Undoes all changes since startJournal(), and notes them no more. */
  undo(): void {
    for (const view of [this.supervisor, this.user]) {
      view.undo((page, ma) => this.#addWriter(page, ma >>> 12));
      view.journal = null;
    }
  }

  /** Forgets the journal, with the changes as they are. */
  endJournal(): void {
    for (const view of [this.supervisor, this.user]) view.journal = null;
  }

  /** Lockstep: all stores go through the slow path again. */
  conceal(): void {
    this.supervisor.conceal();
    this.user.conceal();
  }

  flush(): void {
    this.supervisor.flush();
    this.user.flush();
    this.#writers.clear();
  }

  flushPage(va: number): void {
    this.supervisor.flushPage(va);
    this.user.flushPage(va);
  }

  /** No view may write to this MA page through the fast tables any more. */
  revokeWrites(maPage: number): void {
    for (const page of this.#writers.get(maPage) ?? []) {
      this.supervisor.revokeWrite(page);
      this.user.revokeWrite(page);
    }
    this.#writers.delete(maPage);
  }
}
