/** A ring of bytes whose storage belongs to a device's declared state. */
export class ByteQueue {
  readonly #data: Uint8Array;
  /** [head, count] */
  readonly #ends: Uint8Array;

  /**
   * @param data storage; its length (at most 255) is the capacity
   * @param ends two bytes that hold head and count
   */
  constructor(data: Uint8Array, ends: Uint8Array) {
    this.#data = data;
    this.#ends = ends;
  }

  get length(): number {
    return this.#ends[1];
  }

  get free(): number {
    return this.#data.length - this.#ends[1];
  }

  /** @returns false if the queue is full; the byte is then lost */
  push(byte: number): boolean {
    if (this.free === 0) return false;
    this.#data[(this.#ends[0] + this.#ends[1]) % this.#data.length] = byte;
    this.#ends[1]++;
    return true;
  }

  /** The oldest byte, -1 if there is none. */
  shift(): number {
    if (this.#ends[1] === 0) return -1;
    const byte = this.#data[this.#ends[0]];
    this.#ends[0] = (this.#ends[0] + 1) % this.#data.length;
    this.#ends[1]--;
    return byte;
  }

  /** The byte `index` places behind the oldest. */
  at(index: number): number {
    return this.#data[(this.#ends[0] + index) % this.#data.length];
  }

  clear(): void {
    this.#ends.fill(0);
  }
}
