/**
 * Direct links between blocks (goto_tb): the linking word in the code of the one block holds the position of the other.
 * Each block lists who jumps to it, so that dropping it unlinks exactly those. There are a hundred thousand blocks: what one
 * keeps of its links is fields of its own and an object for each link that there is, no arrays.
 */
import type { TranslationBlock } from './tb-cache.ts';

/** That a goto_tb of one block leads to another. */
export interface Jump {
  readonly from: TranslationBlock;
  readonly to: TranslationBlock;
  readonly slot: 0 | 1;
  /** Another one that leads to the same block. */
  next: Jump | undefined;
}

/**
 * Whether goto_tb may lead from one block to the other: same page, so that both have the same physical page; same assumptions
 * about the processor; and the target lies in one page, since the mapping of a second one may have changed.
 */
export function canLink(from: TranslationBlock, slot: 0 | 1, to: TranslationBlock): boolean {
  return from.valid && to.valid && wordOf(from, slot) !== 0 && (slot === 0 ? from.jump0 : from.jump1) === undefined
    && to.page1 < 0 && to.page0 === from.page0 && ((from.pc ^ to.pc) & ~0xfff) === 0
    && to.csBase === from.csBase && to.csLimit === from.csLimit && to.flags === from.flags;
}

/** Links a slot. The caller has asked canLink(). */
export function link(code: Int32Array, from: TranslationBlock, slot: 0 | 1, to: TranslationBlock): void {
  code[wordOf(from, slot)] = to.position;
  const jump = { from, to, slot, next: to.incoming };
  setJump(from, slot, jump);
  to.incoming = jump;
}

/** Takes a block out of all chains. */
export function unlink(code: Int32Array, block: TranslationBlock): void {
  for (let jump = block.incoming; jump !== undefined; jump = jump.next) take(code, jump);
  block.incoming = undefined;
  for (const jump of [block.jump0, block.jump1]) {
    if (jump === undefined) continue;
    take(code, jump);
    const { to } = jump;
    if (to.incoming === jump) {
      to.incoming = jump.next;
      continue;
    }
    let before = to.incoming!;
    while (before.next !== jump) before = before.next!;
    before.next = jump.next;
  }
}

/** Position of the word for goto_tb `slot`; 0 = none. */
function wordOf(block: TranslationBlock, slot: 0 | 1): number {
  return slot === 0 ? block.word0 : block.word1;
}

function setJump(block: TranslationBlock, slot: 0 | 1, jump: Jump | undefined): void {
  if (slot === 0) block.jump0 = jump;
  else block.jump1 = jump;
}

/** The block leads nowhere by this slot any more. */
function take(code: Int32Array, { from, slot }: Jump): void {
  code[wordOf(from, slot)] = 0;
  setJump(from, slot, undefined);
}
