/** The guest's side of a virtio device: rings in guest memory and the registers of version 1.0, for tests. */
import { AddressSpace, readIo, writeIo } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import type { AccessSize, IoRegion } from '../../src/memory/io-region.ts';
import type { PciSlot } from '../../src/devices/pci-slot.ts';
import type { VirtioDevice } from '../../src/devices/virtio.ts';
import { VirtioPci } from '../../src/devices/virtio-pci.ts';
import { SteppedClock } from './stepped-clock.ts';

const RAM = 4 << 20;
export const COMMON = 0, ISR = 0x1000, DEVICE_CONFIG = 0x2000, NOTIFY = 0x3000;
const RINGS = 0x10000, RING_STEP = 0x4000, DATA = 0x100000;
/** A buffer for the device to write. */
export const WRITE = 2;
const NEXT = 1, INDIRECT = 4;

export class VirtioBench<T extends VirtioDevice> {
  readonly clock = new SteppedClock();
  readonly space: AddressSpace;
  readonly device: T;
  readonly pci: VirtioPci;
  readonly messages: { address: number; data: number }[] = [];
  /** INTA#. */
  line = false;
  legacy: IoRegion | null = null;
  readonly #memory: IoRegion[] = [];
  readonly #slots: number[] = [];
  readonly #used: number[] = [];
  #data = DATA;

  /** @param messages the board takes message-signalled interrupts */
  constructor(make: (slot: PciSlot) => T, messages = false) {
    const memory = new HostMemory(RAM);
    this.space = new AddressSpace(memory);
    this.space.add({ kind: 'ram', ma: memory.allocate(RAM), size: RAM }, 0);
    const slot: PciSlot = {
      clock: this.clock, space: this.space, intA: { set: (level) => (this.line = level) },
      ports: (region) => {
        this.legacy = region;
        return () => {};
      },
      memory: (region) => {
        this.#memory.push(region);
        return () => {};
      },
      message: messages ? (address, data) => this.messages.push({ address, data }) : null,
    };
    this.device = make(slot);
    this.pci = new VirtioPci('card', this.device, slot);
  }

  get modern(): IoRegion {
    return this.#memory.at(-1)!;
  }

  /** The MSI-X table. */
  get table(): IoRegion {
    return this.#memory[0]!;
  }

  get(offset: number, size: AccessSize): number {
    const value = readIo(this.modern, offset, size);
    return size === 4 ? value >>> 0 : value;
  }

  put(offset: number, value: number, size: AccessSize): void {
    writeIo(this.modern, offset, value, size);
  }

  /** Brings the device up as a driver of version 1.0 does. @returns the device's features, low word */
  start(features: number | null = null): number {
    this.put(20, 0, 1);
    this.put(20, 1, 1);
    this.put(20, 3, 1);
    this.put(0, 0, 4);
    const offered = this.get(4, 4);
    this.put(8, 0, 4);
    this.put(12, features ?? offered, 4);
    this.put(8, 1, 4);
    this.put(12, 1, 4);
    this.put(20, 11, 1);
    if (this.get(20, 1) !== 11) throw new Error('the device refuses the features');
    for (let queue = 0; queue < this.get(18, 2); queue++) {
      this.put(22, queue, 2);
      const at = RINGS + RING_STEP * queue;
      this.space.writeBytes(at, new Uint8Array(RING_STEP));
      this.put(32, at, 4);
      this.put(40, at + 0x2000, 4);
      this.put(48, at + 0x3000, 4);
      this.put(28, 1, 2);
      this.#slots[queue] = 0;
      this.#used[queue] = 0;
    }
    this.put(20, 15, 1);
    return offered;
  }

  /** Memory that nobody else has. */
  allocate(bytes: Uint8Array | number): number {
    const at = this.#data, length = typeof bytes === 'number' ? bytes : bytes.length;
    this.#data += Math.ceil(length / 16) * 16;
    if (typeof bytes !== 'number') this.space.writeBytes(at, bytes);
    return at;
  }

  bytes(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.space.readBytes(address, bytes);
    return bytes;
  }

  descriptor(at: number, address: number, length: number, flags: number, next: number): void {
    this.space.write(at, address, 4);
    this.space.write(at + 4, 0, 4);
    this.space.write(at + 8, length, 4);
    this.space.write(at + 12, flags, 2);
    this.space.write(at + 14, next, 2);
  }

  /**
   * Makes a request available: buffers for the device to read, then room for it to write. Descriptors are used in turns.
   * @returns addresses of the rooms
   */
  offer(queue: number, out: readonly Uint8Array[], into: readonly number[], indirect = false): number[] {
    const parts = [...out, ...into], addresses = parts.map((part) => this.allocate(part));
    this.offerAt(queue, parts.map((part, i) => (typeof part === 'number' ? [addresses[i]!, part, WRITE] : [addresses[i]!, part.length, 0])), indirect);
    return addresses.slice(out.length);
  }

  /** The same with buffers that are there already: address, length, and 0 or WRITE. */
  offerAt(queue: number, buffers: readonly (readonly [address: number, length: number, flags: number])[], indirect: boolean): void {
    const table = RINGS + RING_STEP * queue, size = this.#size(queue), first = this.#slots[queue]!;
    const place = indirect ? this.allocate(16 * buffers.length) : table;
    buffers.forEach(([address, length, flags], i) => {
      const index = indirect ? i : (first + i) % size, last = i === buffers.length - 1;
      this.descriptor(place + 16 * index, address, length, flags | (last ? 0 : NEXT), last ? 0 : indirect ? i + 1 : (index + 1) % size);
    });
    if (indirect) this.descriptor(table + 16 * first, place, 16 * buffers.length, INDIRECT, 0);
    this.#slots[queue] = (first + (indirect ? 1 : buffers.length)) % size;
    this.available(queue, first);
  }

  /** Puts a head into the available ring. */
  available(queue: number, head: number): void {
    const ring = RINGS + RING_STEP * queue + 0x2000, index = this.space.read(ring + 2, 2);
    this.space.write(ring + 4 + 2 * (index % this.#size(queue)), head, 2);
    this.space.write(ring + 2, (index + 1) & 0xffff, 2);
  }

  kick(queue: number): void {
    this.put(NOTIFY + 4 * queue, queue, 2);
  }

  /** Bytes written of each request that came back since the last call. */
  used(queue: number): number[] {
    const ring = RINGS + RING_STEP * queue + 0x3000, lengths: number[] = [];
    for (; this.#used[queue] !== this.space.read(ring + 2, 2); this.#used[queue] = (this.#used[queue]! + 1) & 0xffff) {
      lengths.push(this.space.read(ring + 8 + 8 * (this.#used[queue]! % this.#size(queue)), 4) >>> 0);
    }
    return lengths;
  }

  /** The driver wants the interrupt that follows used index `event`. */
  usedEvent(queue: number, event: number): void {
    this.space.write(RINGS + RING_STEP * queue + 0x2000 + 4 + 2 * this.#size(queue), event, 2);
  }

  #size(queue: number): number {
    this.put(22, queue, 2);
    return this.get(24, 2);
  }
}
