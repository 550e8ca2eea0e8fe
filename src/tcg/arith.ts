/** Arithmetic that JavaScript has no operator for, on int32. Ops name these functions in their `js` text. */

/** High word of the unsigned 64-bit product. */
export function mulUnsignedHigh(a: number, b: number): number {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  // Each partial product is below 2^32 and the sums below 2^34: exact in doubles.
  const middle = a1 * b0 + (a0 * b0 >>> 16);
  const cross = a0 * b1 + (middle % 0x10000);
  return a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000) | 0;
}

/** High word of the signed 64-bit product. */
export function mulSignedHigh(a: number, b: number): number {
  return mulUnsignedHigh(a, b) - (a >> 31 & b) - (b >> 31 & a) | 0;
}
