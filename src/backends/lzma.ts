/**
 * LZMA, decoding only, as LZMA2 chunks use it. All output lies in one array, which is the dictionary too.
 * Source: "LZMA specification (draft)" of the LZMA SDK: range coder, literal and match models.
 *
 * Probabilities, one array of 11-bit numbers:
 *     0 isMatch[12][16]   192 isRep[12]   204 isRepG0[12]   216 isRepG1[12]   228 isRepG2[12]   240 isRep0Long[12][16]
 *     432 position slots[4][64]   688 short distances[115]   803 aligned bits[16]   819 match lengths   1333 repeat lengths
 *     1847 literals[2^(lc + lp)][768]
 */
const IS_MATCH = 0, IS_REP = 192, IS_REP_G0 = 204, IS_REP_G1 = 216, IS_REP_G2 = 228, IS_REP0_LONG = 240;
const SLOTS = 432, DISTANCES = 688, ALIGNED = 803, MATCH_LENGTHS = 819, REPEAT_LENGTHS = 1333, LITERALS = 1847;
/** Within a model of lengths: two choices, 16 trees of 8 (short), 16 trees of 8 (middle), one of 256. */
const CHOICE_2 = 1, LENGTHS_SHORT = 2, LENGTHS_MIDDLE = 130, LENGTHS_LONG = 258;
const HALF = 1 << 10, MOVE = 5, MODEL_BITS = 11, TOP = 1 << 24;

export class LzmaError extends Error {
  override readonly name = 'LzmaError';
}

export class LzmaDecoder {
  readonly #out: Uint8Array;
  /** Bytes of output so far, and where the dictionary begins. */
  position = 0;
  #dictionary = 0;
  #probabilities: Uint16Array = new Uint16Array(0);
  #lc = 0;
  #lpMask = 0;
  #pbMask = 0;
  #state = 0;
  #distances: [number, number, number, number] = [0, 0, 0, 0];
  #in: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** The range coder's words, unsigned 32 bits as int32. */
  #range = 0;
  #code = 0;

  /** @param out room for all that will be decoded */
  constructor(out: Uint8Array) {
    this.#out = out;
  }

  resetDictionary(): void {
    this.#dictionary = this.position;
  }

  /** @param properties (pb * 5 + lp) * 9 + lc. @throws LzmaError if there are none such in LZMA2 */
  setProperties(properties: number): void {
    const lc = properties % 9, lp = Math.floor(properties / 9) % 5, pb = Math.floor(properties / 45);
    if (pb > 4 || lc + lp > 4) throw new LzmaError('bad properties');
    this.#lc = lc;
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << pb) - 1;
    this.#probabilities = new Uint16Array(LITERALS + (0x300 << (lc + lp)));
  }

  resetState(): void {
    this.#probabilities.fill(HALF);
    this.#state = 0;
    this.#distances = [0, 0, 0, 0];
  }

  /** Bytes that stand in the input as they are. @throws LzmaError if there is no room for them */
  copy(bytes: Uint8Array): void {
    if (this.position + bytes.length > this.#out.length) throw new LzmaError('more data than announced');
    this.#out.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Decodes `size` bytes from `input`, which holds one range-coded piece. @throws LzmaError for what no encoder writes */
  decode(input: Uint8Array, size: number): void {
    const limit = this.position + size;
    if (limit > this.#out.length) throw new LzmaError('more data than announced');
    if (this.#probabilities.length === 0) throw new LzmaError('no properties');
    this.#in = input;
    this.#end = input.length;
    this.#at = 5;
    this.#range = -1;
    this.#code = input[1]! << 24 | input[2]! << 16 | input[3]! << 8 | input[4]!;
    while (this.position < limit) {
      const positionState = this.position - this.#dictionary & this.#pbMask;
      if (this.#bit(IS_MATCH + (this.#state << 4) + positionState) === 0) this.#literal();
      else this.#match(positionState, limit);
    }
    if (this.#at > this.#end + 1) throw new LzmaError('cut off');
  }

  #literal(): void {
    const out = this.#out, at = this.position;
    const before = at > this.#dictionary ? out[at - 1]! : 0;
    const model = LITERALS + 0x300 * (((at - this.#dictionary & this.#lpMask) << this.#lc) + (before >> 8 - this.#lc));
    let symbol = 1;
    if (this.#state >= 7) {
      let expected = out[at - this.#distances[0] - 1]!, offset = 0x100;
      while (symbol < 0x100) {
        expected <<= 1;
        const hint = expected & offset;
        const bit = this.#bit(model + offset + hint + symbol);
        symbol = symbol << 1 | bit;
        offset &= bit === 1 ? hint : ~hint;
      }
    } else while (symbol < 0x100) symbol = symbol << 1 | this.#bit(model + symbol);
    out[at] = symbol;
    this.position = at + 1;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  #match(positionState: number, limit: number): void {
    const state = this.#state, [d0, d1, d2, d3] = this.#distances;
    let length: number;
    if (this.#bit(IS_REP + state) === 0) {
      length = this.#length(MATCH_LENGTHS, positionState);
      this.#distances = [this.#distance(length), d0, d1, d2];
      this.#state = state < 7 ? 7 : 10;
    } else {
      if (this.#bit(IS_REP_G0 + state) === 0) {
        if (this.#bit(IS_REP0_LONG + (state << 4) + positionState) === 0) {
          this.#state = state < 7 ? 9 : 11;
          this.#repeat(1, limit);
          return;
        }
      } else if (this.#bit(IS_REP_G1 + state) === 0) this.#distances = [d1, d0, d2, d3];
      else if (this.#bit(IS_REP_G2 + state) === 0) this.#distances = [d2, d0, d1, d3];
      else this.#distances = [d3, d0, d1, d2];
      length = this.#length(REPEAT_LENGTHS, positionState);
      this.#state = state < 7 ? 8 : 11;
    }
    this.#repeat(length + 2, limit);
  }

  #repeat(length: number, limit: number): void {
    const out = this.#out, distance = this.#distances[0] + 1;
    let at = this.position;
    if (distance > at - this.#dictionary || at + length > limit) throw new LzmaError('bad match');
    if (distance >= length) out.copyWithin(at, at - distance, at - distance + length);
    else for (const end = at + length; at < end; at++) out[at] = out[at - distance]!;
    this.position += length;
  }

  /** Length less 2. */
  #length(model: number, positionState: number): number {
    if (this.#bit(model) === 0) return this.#tree(model + LENGTHS_SHORT + (positionState << 3), 3);
    if (this.#bit(model + CHOICE_2) === 0) return 8 + this.#tree(model + LENGTHS_MIDDLE + (positionState << 3), 3);
    return 16 + this.#tree(model + LENGTHS_LONG, 8);
  }

  /** Distance less 1. */
  #distance(length: number): number {
    const slot = this.#tree(SLOTS + (Math.min(length, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | slot & 1) * 2 ** bits;
    if (slot < 14) return high + this.#reverseTree(DISTANCES + high - slot, bits);
    let direct = 0;
    for (let left = bits - 4; left > 0; left--) {
      this.#normalize();
      this.#range >>>= 1;
      const one = this.#code >>> 0 >= this.#range >>> 0;
      if (one) this.#code = this.#code - this.#range | 0;
      direct = direct * 2 + (one ? 1 : 0);
    }
    return high + direct * 16 + this.#reverseTree(ALIGNED, 4);
  }

  #tree(model: number, bits: number): number {
    let symbol = 1;
    for (let left = bits; left > 0; left--) symbol = symbol << 1 | this.#bit(model + symbol);
    return symbol - (1 << bits);
  }

  /** Lowest bit first. */
  #reverseTree(model: number, bits: number): number {
    let symbol = 1, value = 0;
    for (let index = 0; index < bits; index++) {
      const bit = this.#bit(model + symbol);
      symbol = symbol << 1 | bit;
      value |= bit << index;
    }
    return value;
  }

  #normalize(): void {
    if (this.#range >>> 0 >= TOP) return;
    this.#range <<= 8;
    // One byte behind the end may be asked for, and does not matter then.
    this.#code = this.#code << 8 | (this.#at < this.#end ? this.#in[this.#at]! : 0);
    this.#at++;
    if (this.#at > this.#end + 1) throw new LzmaError('cut off');
  }

  #bit(index: number): 0 | 1 {
    this.#normalize();
    const probability = this.#probabilities[index]!;
    const bound = Math.imul(this.#range >>> MODEL_BITS, probability);
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      this.#probabilities[index] = probability + ((1 << MODEL_BITS) - probability >> MOVE);
      return 0;
    }
    this.#range = this.#range - bound | 0;
    this.#code = this.#code - bound | 0;
    this.#probabilities[index] = probability - (probability >> MOVE);
    return 1;
  }
}
