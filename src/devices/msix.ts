/**
 * MSI-X: a table of messages in a page of memory, each 16 bytes (address, its high half, data, control: bit 0 masks it), at 800h
 * the bits of messages that wait for being unmasked. Source: PCI Local Bus Specification 3.0, section 6.8.2.
 */
import type { IoRegion } from '../memory/io-region.ts';

const CAPABILITY = 0x11;
const ENABLE = 0x8000, MASK_ALL = 0x4000;
const ENTRY_WORDS = 4, ADDRESS = 0, DATA = 2, CONTROL = 3;
const MASKED = 1;
const PENDING = 0x800, PAGE = 0x1000;

export class MsixTable {
  static readonly CONTROL_WRITABLE = ENABLE | MASK_ALL;
  readonly vectors: number;
  readonly io: IoRegion;
  readonly #words: Uint32Array;
  readonly #send: (address: number, data: number) => void;
  #control = 0;

  /** The state of a table after a reset: its entries, all masked, and one word a vector for its pending bit. */
  static initial(vectors: number): Uint32Array {
    return Uint32Array.from({ length: vectors * (ENTRY_WORDS + 1) }, (_, i) => (i < vectors * ENTRY_WORDS && i % ENTRY_WORDS === CONTROL ? MASKED : 0));
  }

  /** Writes the capability, the last of its list, into a configuration space. */
  static capability(bytes: Uint8Array, at: number, vectors: number, bar: number): void {
    bytes.set([CAPABILITY, 0, (vectors - 1) & 0xff, (vectors - 1) >> 8], at);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(at + 4, bar, true);
    view.setUint32(at + 8, PENDING | bar, true);
  }

  /** @param words MsixTable.initial(vectors), as declared state */
  constructor(words: Uint32Array, vectors: number, send: (address: number, data: number) => void) {
    this.#words = words;
    this.vectors = vectors;
    this.#send = send;
    this.io = {
      name: 'msix', size: PAGE, minAccess: 4, maxAccess: 4,
      read: (offset) => this.#read(offset),
      write: (offset, value) => this.#write(offset, value),
    };
  }

  /** The control word of the capability, as it is now. */
  control(value: number): void {
    this.#control = value;
    for (let vector = 0; vector < this.vectors; vector++) this.#deliver(vector);
  }

  get enabled(): boolean {
    return (this.#control & ENABLE) !== 0;
  }

  raise(vector: number): void {
    this.#words[this.#pendingAt(vector)] = 1;
    this.#deliver(vector);
  }

  #pendingAt(vector: number): number {
    return this.vectors * ENTRY_WORDS + vector;
  }

  #deliver(vector: number): void {
    const words = this.#words, entry = vector * ENTRY_WORDS;
    if (words[this.#pendingAt(vector)] === 0 || (this.#control & (ENABLE | MASK_ALL)) !== ENABLE || (words[entry + CONTROL]! & MASKED) !== 0) return;
    words[this.#pendingAt(vector)] = 0;
    // A message above 4 GB reaches no APIC.
    if (words[entry + ADDRESS + 1] === 0) this.#send(words[entry + ADDRESS]!, words[entry + DATA]!);
  }

  #read(offset: number): number {
    const word = offset >> 2;
    if (offset < PENDING) return word < this.vectors * ENTRY_WORDS ? this.#words[word]! | 0 : 0;
    let bits = 0;
    for (let i = 0; i < 32; i++) {
      const vector = (offset - PENDING) * 8 + i;
      if (vector < this.vectors && this.#words[this.#pendingAt(vector)] !== 0) bits |= 1 << i;
    }
    return bits;
  }

  #write(offset: number, value: number): void {
    const word = offset >> 2;
    if (word >= this.vectors * ENTRY_WORDS) return;
    this.#words[word] = word % ENTRY_WORDS === CONTROL ? value & MASKED : value;
    this.#deliver(Math.floor(word / ENTRY_WORDS));
  }
}
