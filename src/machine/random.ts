/** Random numbers that are the same in every run, for machines whose time is made of instructions: xorshift (Marsaglia, 2003). Int32s. */

const SEED = 0x2545f491;

export function countedRandom(): () => number {
  let state = SEED;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
