/**
 * Direct links between blocks (goto_tb): the linking word in the code of the one block holds the position of the other.
 * Each block lists who jumps to it, so that dropping it unlinks exactly those.
 */
import type { TranslationBlock } from './tb-cache.ts';

/** Linkage of one block; apart from its identity, which lookups compare. */
export class Linkage {
  /** Positions of the words for goto_tb 0 and 1; 0 = none. */
  readonly words: readonly [number, number];
  /** Where they lead. */
  readonly targets: [TranslationBlock | undefined, TranslationBlock | undefined] = [undefined, undefined];
  /** Who leads here, and by which slot. */
  readonly incoming: { from: TranslationBlock; slot: 0 | 1 }[] = [];

  constructor(words: readonly [number, number]) {
    this.words = words;
  }
}

/**
 * Whether goto_tb may lead from one block to the other: same page, so that both have the same physical page; same assumptions
 * about the processor; and the target lies in one page, since the mapping of a second one may have changed.
 */
export function canLink(from: TranslationBlock, slot: 0 | 1, to: TranslationBlock): boolean {
  return from.valid && to.valid && from.linkage.words[slot] !== 0 && from.linkage.targets[slot] === undefined
    && to.page1 < 0 && to.page0 === from.page0 && ((from.pc ^ to.pc) & ~0xfff) === 0
    && to.csBase === from.csBase && to.csLimit === from.csLimit && to.flags === from.flags;
}

/** Links a slot. The caller has asked canLink(). */
export function link(code: Int32Array, from: TranslationBlock, slot: 0 | 1, to: TranslationBlock): void {
  code[from.linkage.words[slot]] = to.position;
  from.linkage.targets[slot] = to;
  to.linkage.incoming.push({ from, slot });
}

/** Takes a block out of all chains. */
export function unlink(code: Int32Array, block: TranslationBlock): void {
  const { incoming, targets, words } = block.linkage;
  for (const { from, slot } of incoming) {
    code[from.linkage.words[slot]] = 0;
    from.linkage.targets[slot] = undefined;
  }
  incoming.length = 0;
  for (const slot of [0, 1] as const) {
    const target = targets[slot];
    if (target === undefined) continue;
    code[words[slot]] = 0;
    targets[slot] = undefined;
    const list = target.linkage.incoming;
    const at = list.findIndex((entry) => entry.from === block && entry.slot === slot);
    list[at] = list[list.length - 1]!;
    list.pop();
  }
}
