/**
 * The split virtqueue, seen from the device. Source: Virtual I/O Device (VIRTIO) Version 1.1, section 2.6 (OASIS).
 *
 *     descriptor table   16 bytes each: address (64 bits), length, flags (1 next, 2 the device writes, 4 indirect), next
 *     available ring     flags (1: no interrupts please), index, heads[size], used_event
 *     used ring          flags, index, (head, length)[size], avail_event
 *
 * How a device uses it:
 *
 *     for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
 *       const request = chain.read(0, chain.readable);          // what the driver gave
 *       const written = chain.write(0, answer);                 // into the room that it left
 *       queue.push(chain, written);                             // back to the driver, in any order
 *     }
 *     queue.notify();                                           // interrupts if the driver wants that
 *
 * A device may keep a chain as long as it likes; `chainAt(head)` makes it anew after a restore. `hasBuffers` says whether pop() would
 * give one. Rings that make no sense (an index that jumped, a loop, a driver's buffer behind a device's one, a buffer where there is no memory) break
 * the queue: it gives nothing any more until a reset, and the transport sets NEEDS_RESET.
 * All state is in the typed array that the queue is given, as part of the transport's declared state.
 */
import type { AddressSpace } from '../memory/address-space.ts';

const NEXT = 1, WRITE = 2, INDIRECT = 4;
const NO_INTERRUPT = 1;
const DESCRIPTOR_SIZE = 16;
/** Descriptors in a chain at most, those of an indirect table included: QEMU's limit, over any queue size here. */
const LONGEST_CHAIN = 1024;
/** Addresses above are not those of a machine with 32-bit buses; they read as ones. */
const ADDRESS_LIMIT = 2 ** 32;

/** Fields of a queue in its state array. */
const SIZE = 0, ENABLED = 1, DESCRIPTORS = 2, AVAILABLE = 3, USED = 4, NEXT_AVAILABLE = 5, NEXT_USED = 6, SIGNALLED = 7, SIGNALLED_VALID = 8, BROKEN = 9;
export const QUEUE_FIELDS = 10;

interface Buffer {
  readonly address: number;
  readonly length: number;
}

/** A request: the driver's buffers, then those for the device to fill. Offsets count through all buffers of a kind. */
export class VirtChain {
  readonly head: number;
  /** Bytes that the driver gave, and bytes that the device may write. */
  readonly readable: number;
  readonly writable: number;
  readonly #space: AddressSpace;
  readonly #out: readonly Buffer[];
  readonly #in: readonly Buffer[];

  constructor(space: AddressSpace, head: number, out: readonly Buffer[], into: readonly Buffer[]) {
    const total = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);
    this.head = head;
    this.#space = space;
    this.#out = out;
    this.#in = into;
    this.readable = total(out);
    this.writable = total(into);
  }

  /** Bytes of the driver, from `offset` on: fewer than `length` at the end. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.readable - offset)));
    each(this.#out, offset, bytes.length, (address, from, count) => this.#space.readBytes(address, bytes.subarray(from, from + count)));
    return bytes;
  }

  /** Fills the device's room from `offset` on. @returns bytes that there was room for */
  write(offset: number, bytes: Uint8Array): number {
    const length = Math.max(0, Math.min(bytes.length, this.writable - offset));
    each(this.#in, offset, length, (address, from, count) => this.#space.writeBytes(address, bytes.subarray(from, from + count)));
    return length;
  }
}

/** The pieces of [offset, offset + length) in buffers that follow each other. */
function each(buffers: readonly Buffer[], offset: number, length: number, piece: (address: number, from: number, count: number) => void): void {
  let done = 0;
  for (const buffer of buffers) {
    if (done >= length) return;
    if (offset >= buffer.length) {
      offset -= buffer.length;
      continue;
    }
    const count = Math.min(buffer.length - offset, length - done);
    piece(buffer.address + offset, done, count);
    done += count;
    offset = 0;
  }
}

export interface QueueOptions {
  space: AddressSpace;
  /** QUEUE_FIELDS numbers of the transport's state. */
  fields: Float64Array;
  /** Descriptors at most: a power of two, and what the driver finds at reset. */
  size: number;
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  eventIndex: () => boolean;
  /** Something was used, and the driver wants to know. */
  interrupt: () => void;
  /** The rings make no sense. */
  broken: () => void;
}

export class VirtQueue {
  /** Most descriptors. */
  readonly maximum: number;
  readonly #f: Float64Array;
  readonly #space: AddressSpace;
  readonly #options: QueueOptions;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#f = options.fields;
    this.#space = options.space;
    this.maximum = options.size;
    this.reset();
  }

  reset(): void {
    this.#f.fill(0);
    this.#f[SIZE] = this.maximum;
  }

  get size(): number {
    return this.#f[SIZE]!;
  }

  get enabled(): boolean {
    return this.#f[ENABLED] !== 0;
  }

  /** @returns false for a size that a queue cannot have: then nothing changes */
  resize(size: number): boolean {
    if (this.enabled || size === 0 || size > this.maximum || (size & (size - 1)) !== 0) return false;
    this.#f[SIZE] = size;
    return true;
  }

  /** Physical addresses of the three parts. */
  get places(): readonly [descriptors: number, available: number, used: number] {
    return [this.#f[DESCRIPTORS]!, this.#f[AVAILABLE]!, this.#f[USED]!];
  }

  set places([descriptors, available, used]: readonly [number, number, number]) {
    if (this.enabled) return;
    this.#f[DESCRIPTORS] = descriptors;
    this.#f[AVAILABLE] = available;
    this.#f[USED] = used;
  }

  enable(): void {
    this.#f[ENABLED] = 1;
  }

  /** The driver has made a buffer available. */
  get hasBuffers(): boolean {
    return this.enabled && this.#f[BROKEN] === 0 && this.#availableIndex() !== this.#f[NEXT_AVAILABLE];
  }

  /** The next request; null if there is none. */
  pop(): VirtChain | null {
    const f = this.#f;
    if (!this.enabled || f[BROKEN] !== 0) return null;
    const waiting = (this.#availableIndex() - f[NEXT_AVAILABLE]!) & 0xffff;
    if (waiting > this.size) return this.#break();
    if (waiting === 0) return null;
    const head = this.#read16(f[AVAILABLE]! + 4 + 2 * (f[NEXT_AVAILABLE]! % this.size));
    f[NEXT_AVAILABLE] = (f[NEXT_AVAILABLE]! + 1) & 0xffff;
    // avail_event: the driver is to tell us of the next buffer.
    if (this.#options.eventIndex()) this.#write16(f[USED]! + 4 + 8 * this.size, f[NEXT_AVAILABLE]!);
    return this.chainAt(head) ?? this.#break();
  }

  /** The request that starts at a descriptor; null if it makes no sense. */
  chainAt(head: number): VirtChain | null {
    const out: Buffer[] = [], into: Buffer[] = [];
    let table = this.#f[DESCRIPTORS]!, count = this.size, indirect = false, index = head;
    for (let seen = 0; seen < LONGEST_CHAIN; seen++) {
      if (index >= count) return null;
      const at = table + DESCRIPTOR_SIZE * index, address = this.#address(at), length = this.#space.read(at + 8, 4) >>> 0;
      const flags = this.#read16(at + 12);
      if ((flags & INDIRECT) !== 0) {
        if (indirect || (flags & NEXT) !== 0 || length === 0 || length % DESCRIPTOR_SIZE !== 0) return null;
        [table, count, indirect, index] = [address, length / DESCRIPTOR_SIZE, true, 0];
        continue;
      }
      if (!this.#space.isMapped(address, length)) return null;
      if ((flags & WRITE) !== 0) into.push({ address, length });
      else if (into.length > 0) return null;
      else out.push({ address, length });
      if ((flags & NEXT) === 0) return new VirtChain(this.#space, head, out, into);
      index = this.#read16(at + 14);
    }
    return null;
  }

  /** Puts the last request back: the next pop() gives it again. */
  unpop(): void {
    this.#f[NEXT_AVAILABLE] = (this.#f[NEXT_AVAILABLE]! - 1) & 0xffff;
  }

  /** Gives a request back. @param written bytes that the device wrote into it, from its first one on */
  push(chain: VirtChain, written: number): void {
    const f = this.#f;
    if (!this.enabled || f[BROKEN] !== 0) return;
    const at = f[USED]! + 4 + 8 * (f[NEXT_USED]! % this.size);
    this.#space.write(at, chain.head, 4);
    this.#space.write(at + 4, written | 0, 4);
    f[NEXT_USED] = (f[NEXT_USED]! + 1) & 0xffff;
    this.#write16(f[USED]! + 2, f[NEXT_USED]!);
  }

  /** Interrupts, if requests were given back and the driver wants to know of them. */
  notify(): void {
    const f = this.#f;
    if (!this.enabled || f[BROKEN] !== 0) return;
    const now = f[NEXT_USED]!, before = f[SIGNALLED]!, first = f[SIGNALLED_VALID] === 0;
    if (now === before && !first) return;
    f[SIGNALLED] = now;
    f[SIGNALLED_VALID] = 1;
    if (this.#options.eventIndex()) {
      const event = this.#read16(f[AVAILABLE]! + 4 + 2 * this.size);
      // The driver waits for used index event + 1: have we passed it since the last interrupt?
      if (!first && ((now - event - 1) & 0xffff) >= ((now - before) & 0xffff)) return;
    } else if ((this.#read16(f[AVAILABLE]!) & NO_INTERRUPT) !== 0) return;
    this.#options.interrupt();
  }

  /** Gives nothing any more until a reset. */
  close(): void {
    this.#f[BROKEN] = 1;
  }

  #break(): null {
    this.close();
    this.#options.broken();
    return null;
  }

  #availableIndex(): number {
    return this.#read16(this.#f[AVAILABLE]! + 2);
  }

  /** 64 bits; past what the bus reaches, an address where nothing is. */
  #address(at: number): number {
    const high = this.#space.read(at + 4, 4);
    return high === 0 ? this.#space.read(at, 4) >>> 0 : ADDRESS_LIMIT;
  }

  #read16(address: number): number {
    return this.#space.read(address, 2) & 0xffff;
  }

  #write16(address: number, value: number): void {
    this.#space.write(address, value, 2);
  }
}
