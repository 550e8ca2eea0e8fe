/**
 * The fast tables: for each view (supervisor, user) a read and a write table of 2^20 words, one a page of VA.
 * `table[va >>> 12] ^ va` is the MA of va when it is plain memory that this view may access, and negative otherwise.
 * An invalid entry has the sign opposite to its VA. Entries are filled one by one by the slow path, and each view
 * keeps a list of those it filled, so that a flush undoes only these.
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
  readonly #filled = new Int32Array(LIST_SIZE);
  #count = 0;

  constructor() {
    this.read.fill(invalidEntry(0), 0, PAGES / 2);
    this.write.fill(invalidEntry(0), 0, PAGES / 2);
  }

  /** Lets reads (and writes) of va's page go to the page of `ma`. */
  fill(va: number, ma: number, writable: boolean): void {
    if (this.#count === LIST_SIZE) this.flush();
    const page = va >>> 12;
    const entry = (va & ~4095) ^ (ma & ~4095);
    this.#filled[this.#count++] = page;
    this.read[page] = entry;
    if (writable) this.write[page] = entry;
  }

  flush(): void {
    for (let i = 0; i < this.#count; i++) {
      const page = this.#filled[i]!;
      this.read[page] = this.write[page] = invalidEntry(page);
    }
    this.#count = 0;
  }

  flushPage(va: number): void {
    const page = va >>> 12;
    this.read[page] = this.write[page] = invalidEntry(page);
  }

  revokeWrite(page: number): void {
    this.write[page] = invalidEntry(page);
  }
}

export class Tlb {
  readonly supervisor = new TlbView();
  readonly user = new TlbView();
  /** VA pages with a write entry, by MA page: what to revoke when that page becomes code. */
  readonly #writers = new Map<number, number[]>();

  view(user: boolean): TlbView {
    return user ? this.user : this.supervisor;
  }

  fill(user: boolean, va: number, ma: number, writable: boolean): void {
    this.view(user).fill(va, ma, writable);
    if (!writable) return;
    const page = ma >>> 12;
    const writers = this.#writers.get(page);
    if (writers === undefined) this.#writers.set(page, [va >>> 12]);
    else if (!writers.includes(va >>> 12)) writers.push(va >>> 12);
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
