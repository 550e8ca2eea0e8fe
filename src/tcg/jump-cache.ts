/** The jump cache: positions of block heads, direct-mapped by linear pc; 0 = empty. Probed by the interpreter itself. */

const BITS = 14;

/** Entries of a jump cache. */
export const JUMP_CACHE_SIZE = 1 << BITS;

/** Where the block for a linear pc is looked for. */
export const jumpHash = (pc: number): number => (pc ^ pc >>> BITS) & JUMP_CACHE_SIZE - 1;

/** The same as JavaScript text over an int32 variable. */
export const jumpHashJs = (pc: string): string => `((${pc} ^ ${pc} >>> ${BITS}) & ${JUMP_CACHE_SIZE - 1})`;
