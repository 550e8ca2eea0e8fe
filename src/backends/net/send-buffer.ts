/** Bytes that wait for the guest's acknowledgement: added at the end, read at any offset, dropped at the front. */
export class SendBuffer {
  readonly #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that are gone. */
  #skip = 0;
  length = 0;

  /** The buffer keeps `bytes`. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  /** Copies `length` bytes from `offset` on to `into` at `at`; they must be there. */
  copy(offset: number, into: Uint8Array, at: number, length: number): void {
    let from = offset + this.#skip;
    for (let index = 0; length > 0; index++) {
      const chunk = this.#chunks[index]!;
      if (from >= chunk.length) {
        from -= chunk.length;
        continue;
      }
      const part = Math.min(length, chunk.length - from);
      into.set(chunk.subarray(from, from + part), at);
      at += part;
      length -= part;
      from = 0;
    }
  }

  drop(count: number): void {
    this.length -= count;
    this.#skip += count;
    while (this.#chunks.length > 0 && this.#skip >= this.#chunks[0]!.length) this.#skip -= this.#chunks.shift()!.length;
  }
}
