/**
 * What each value is known to equal at a point of a forward walk: another value that holds the same word, or a constant.
 * Redefinition is O(1): every value has a version, and a copy counts only while its source still has the version it had.
 */
import { GLOBAL, TEMP, type Block } from '../ir.ts';

export class Values {
  private block!: Block;
  private size = 0;
  private source = new Int32Array(1024);
  private sourceVersion = new Int32Array(1024);
  private version = new Int32Array(1024);

  /** Starts a walk over a block: nothing is known. The walk may create one value per op. */
  begin(block: Block): void {
    this.block = block;
    this.size = block.values + block.ops.length;
    if (this.size > this.source.length) {
      this.source = new Int32Array(this.size * 2);
      this.sourceVersion = new Int32Array(this.size * 2);
      this.version = new Int32Array(this.size * 2);
    }
    this.forget();
  }

  /** Paths join: nothing is known any more. */
  forget(): void {
    this.source.fill(-1, 0, this.size);
  }

  /** The best value that holds the same word: a constant, the source of a copy, or the value itself. */
  resolve(value: number): number {
    const source = this.source[value]!;
    return source >= 0 && this.version[source] === this.sourceVersion[value] ? source : value;
  }

  /** `value` is written with something new. */
  define(value: number): void {
    this.source[value] = -1;
    this.version[value] = this.version[value]! + 1;
  }

  /** A helper may have written any of them. */
  defineGlobals(): void {
    for (let global = 0; global < this.block.globals.length; global++) this.define(global);
  }

  /** `value` (just defined) holds the same word as `from` (resolved). */
  copy(value: number, from: number): void {
    if (value === from) return;
    const { kinds } = this.block;
    // Later readers should use the register: then the temporary dies early and can be merged into it.
    if (kinds[value] === GLOBAL && kinds[from] === TEMP) this.link(from, value);
    else this.link(value, from);
  }

  private link(value: number, to: number): void {
    this.source[value] = to;
    this.sourceVersion[value] = this.version[to]!;
  }
}
