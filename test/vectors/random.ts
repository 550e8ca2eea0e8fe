/** Deterministic random numbers and the values that instructions trip over. */

/** Xorshift of 32 bits (Marsaglia, "Xorshift RNGs", 2003): the same seed gives the same corpus. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  /** An int32. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor((this.next() >>> 0) / 0x1_0000_0000 * limit);
  }

  chance(probability: number): boolean {
    return this.below(1000) < probability * 1000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** An operand of `size` bytes: one of the special values as often as a random one. Not masked to its size. */
  operand(size: number): number {
    if (this.chance(0.4)) return this.next();
    const sign = size === 4 ? 0x8000_0000 : size === 2 ? 0x8000 : 0x80;
    return this.pick([0, 1, 2, -1, -2, sign, sign - 1, sign + 1, 0x0F, 0x10, 0x7F, 0x80, 0xFF, 0x100, 0x99, 0x9A, 0x55555555, -0x55555556, sign >>> 1]) | 0;
  }
}
