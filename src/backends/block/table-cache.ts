/**
 * Tables of one size (L2 tables, blocks of reference counts) in memory: the least recently used are given up, and
 * what has changed is written when its owner says so. The owner's `evict` decides what has to be written before.
 */

import type { HostFile } from './host-file.ts';

export interface Table {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  dirty: boolean;
}

export class TableCache {
  readonly #file: HostFile;
  readonly #bytes: number;
  readonly #limit: number;
  readonly #what: string;
  /** Called before a changed table is given up: it must not be changed any more afterwards. */
  readonly #evict: () => void;
  /** By offset, the least recently used first. */
  readonly #tables = new Map<number, Table>();
  #dirty = 0;

  /** @param bytes of a table; `limit`: tables to keep */
  constructor(file: HostFile, bytes: number, limit: number, what: string, evict: () => void) {
    this.#file = file;
    this.#bytes = bytes;
    this.#limit = limit;
    this.#what = what;
    this.#evict = evict;
  }

  get dirty(): boolean {
    return this.#dirty > 0;
  }

  /** The table at an offset. It may be given up by the next call: fetch it anew before changing it. @throws ImageError */
  get(offset: number): Table {
    const known = this.#tables.get(offset);
    if (known !== undefined) {
      this.#tables.delete(offset);
      this.#tables.set(offset, known);
      return known;
    }
    this.#file.require(offset, this.#bytes, this.#what);
    const bytes = new Uint8Array(this.#bytes);
    this.#file.readFully(offset, bytes, this.#what);
    return this.#add(offset, bytes, false);
  }

  /** A table that is not in the file yet, or whose contents there do not matter. */
  create(offset: number, bytes: Uint8Array = new Uint8Array(this.#bytes)): Table {
    this.drop(offset);
    return this.#add(offset, bytes, true);
  }

  changed(table: Table): void {
    if (table.dirty) return;
    table.dirty = true;
    this.#dirty++;
  }

  /** Forgets a table without writing it. */
  drop(offset: number): void {
    const table = this.#tables.get(offset);
    if (table === undefined) return;
    if (table.dirty) this.#dirty--;
    this.#tables.delete(offset);
  }

  /** Forgets all tables without writing them. */
  clear(): void {
    this.#tables.clear();
    this.#dirty = 0;
  }

  /** Writes all tables that have changed. @param also called for each of them: a second copy */
  write(also?: (table: Table) => void): void {
    if (this.#dirty === 0) return;
    for (const table of this.#tables.values()) {
      if (!table.dirty) continue;
      this.#file.write(table.offset, table.bytes);
      also?.(table);
      table.dirty = false;
      this.#dirty--;
    }
  }

  #add(offset: number, bytes: Uint8Array, dirty: boolean): Table {
    while (this.#tables.size >= this.#limit) {
      const [oldest] = this.#tables.values();
      if (oldest!.dirty) this.#evict();
      this.#tables.delete(oldest!.offset);
    }
    const table = { offset, bytes, view: new DataView(bytes.buffer), dirty };
    this.#tables.set(offset, table);
    if (dirty) this.#dirty++;
    return table;
  }
}
