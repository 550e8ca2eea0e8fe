/**
 * Twins: blocks made from the same bytes for the same state at other linear addresses. Each process has its program and its libraries
 * elsewhere (address space layout randomization), and a guest that starts hundreds of processes would have them translated hundreds of
 * times. So the code of a new twin is taken from an older one, and the words that depend on the address are changed. QEMU makes its code
 * relative to the program counter instead (CF_PCREL); ours keeps its constants, which are faster.
 *
 * Which words those are is seen from two twins that were both translated: between them, a word that holds an address differs by the distance
 * of the two, one that holds a position of the code buffer by the distance of their code, and everything else is equal. Of blocks
 * that differ in any other way no copies are made.
 */
import { HEAD_WORDS } from './pack.ts';
import type { TbKey, TranslationBlock } from './tb-cache.ts';

/** Most twins that are kept: as many processes as take turns. More take the place of those that have run least. */
const MOST = 4;

/** What depends on where a block is: words by their offset from its head. */
export interface Relocations {
  /** Those that hold linear addresses or EIPs. */
  readonly addresses: readonly number[];
  /** Those that hold positions in the code buffer. */
  readonly positions: readonly number[];
}

export class Twins {
  /** The newest block by the MA of its first byte; `TranslationBlock.older` leads on. */
  readonly #newest = new Map<number, TranslationBlock>();
  readonly #code: Int32Array;

  constructor(code: Int32Array) {
    this.#code = code;
  }

  clear(): void {
    this.#newest.clear();
  }

  /** Enters a block that was translated, and learns what moving it takes if it has a twin. */
  add(block: TranslationBlock): void {
    const newest = this.#newest.get(block.ma);
    for (let other = newest; other !== undefined && block.relocations === null; other = other.older) {
      if (!areTwins(block, other)) continue;
      block.relocations = other.relocations ?? compare(this.#code, block, other);
      other.relocations ??= block.relocations;
      break;
    }
    block.older = newest;
    this.#newest.set(block.ma, block);
  }

  remove(block: TranslationBlock): void {
    let other = this.#newest.get(block.ma);
    if (other === block) {
      if (block.older === undefined) this.#newest.delete(block.ma);
      else this.#newest.set(block.ma, block.older);
    } else {
      while (other !== undefined && other.older !== block) other = other.older;
      if (other !== undefined) other.older = block.older;
    }
    block.older = undefined;
  }

  /** A block that can be copied for `key`, at another address. */
  find(key: Pick<TbKey, 'csBase' | 'csLimit' | 'flags'>, ma: number): TranslationBlock | undefined {
    let block = this.#newest.get(ma);
    while (block !== undefined && (block.relocations === null || !isFor(block, key))) block = block.older;
    return block;
  }

  /**
   * One of `block` and its twins that can be moved, if there are enough: of those that `mayMove`, that which has run least since this was last asked.
   * @param executions how often a block has run
   */
  spare(block: TranslationBlock, mayMove: (block: TranslationBlock) => boolean, executions: (block: TranslationBlock) => number): TranslationBlock | undefined {
    let twins = 0, least = Infinity, spare: TranslationBlock | undefined;
    for (let other = this.#newest.get(block.ma); other !== undefined; other = other.older) {
      if (other.relocations === null || !isFor(other, block)) continue;
      twins++;
      const runs = executions(other), more = runs - other.seen >>> 0;
      other.seen = runs;
      if (more > least || !mayMove(other)) continue;
      // Of equals the oldest.
      least = more;
      spare = other;
    }
    return twins < MOST ? undefined : spare;
  }
}

function isFor(block: TranslationBlock, { csBase, csLimit, flags }: Pick<TbKey, 'csBase' | 'csLimit' | 'flags'>): boolean {
  return block.flags === flags && block.csBase === csBase && block.csLimit === csLimit;
}

/** Only with a limit that no address is beyond: else addresses matter in other ways. */
const areTwins = (a: TranslationBlock, b: TranslationBlock): boolean =>
  isFor(a, b) && a.csLimit === -1 && a.page1 < 0 && b.page1 < 0 && a.length === b.length && a.icount === b.icount;

/** The words that differ between two twins as addresses and positions do; null if others differ, or if it cannot be told. */
function compare(code: Int32Array, a: TranslationBlock, b: TranslationBlock): Relocations | null {
  const distance = a.pc - b.pc | 0, apart = a.position - b.position | 0, end = a.end - a.position;
  // The low word of an address would look like an address, if the high ones were equal, or like neither, if the low ones were.
  if (distance >> 16 === 0 || distance >> 16 === -1 || (distance & 0xffff) === 0 || distance === apart || end !== b.end - b.position) return null;
  const addresses: number[] = [], positions: number[] = [];
  for (let offset = HEAD_WORDS; offset < end; offset++) {
    const at = a.position + offset, differ = code[at]! - code[b.position + offset]! | 0;
    if (differ === 0 || at === a.word0 || at === a.word1) continue;
    if (differ === distance) addresses.push(offset);
    else if (differ === apart && code[at]! >= a.position && code[at]! <= a.end) positions.push(offset);
    else return null;
  }
  const eips = (block: TranslationBlock): number[] => [...block.returnEip === -1 ? [] : [block.returnEip], ...block.successors];
  const others = eips(b), known = eips(a);
  return known.length === others.length && known.every((eip, i) => (eip - others[i]! | 0) === distance) ? { addresses, positions } : null;
}
