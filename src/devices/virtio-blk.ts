/**
 * virtio block device. Source: VIRTIO 1.1, section 5.2 (OASIS).
 *
 * A request is a header (type, 4 bytes reserved, sector), data, and at its end a status byte that the device writes: 0 done, 1 error, 2 unknown.
 * Types: 0 read, 1 write, 4 flush, 8 name, 11 discard, 13 write zeroes; the last two bring ranges of 16 bytes (sector, count, flags).
 * One request at a time is under way, in the order in which they came.
 */
import { DeadlineWork } from './deadline.ts';
import type { Answer } from './deadline.ts';
import { DeviceState } from './device.ts';
import type { Clock } from './device.ts';
import { SECTOR_SIZE } from './host.ts';
import type { BlockBackend } from './host.ts';
import { virtioConfig } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';
import type { VirtChain } from './virtio-queue.ts';

const READ = 0, WRITE = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13;
const DONE = 0, FAILED = 1, UNKNOWN = 2;
const F_SEG_MAX = 1 << 2, F_READ_ONLY = 1 << 5, F_BLK_SIZE = 1 << 6, F_FLUSH = 1 << 9, F_DISCARD = 1 << 13, F_WRITE_ZEROES = 1 << 14;
const QUEUE_SIZE = 128;
const HEADER_SIZE = 16, RANGE_SIZE = 16, ID_SIZE = 20, CONFIG_SIZE = 60;
/** Bytes that go to the host in one piece. A request may have gigabytes: each piece has a deadline of its own, and the machine goes on in between. */
const PIECE = 1 << 20;
/** The same for sectors that become zero or are given back: hosts may have to write them. */
const RANGE_PIECE = 1 << 17;
/** Ranges of a discard or write-zeroes request, and sectors in each, at most. */
const MOST_RANGES = 16, MOST_SECTORS = 0x3f_ffff;
/** From a notification, or the request or piece before, to the answer (ns). */
const REQUEST_NS = 20_000;
const NOTHING = -1;

export class VirtioBlk implements VirtioDevice {
  readonly name: string;
  readonly state = new DeviceState(2, {
    head: NOTHING, deadline: 0,
    done: 0, // what has been done of the request: bytes, or sectors of its ranges
  });
  readonly id = 2;
  readonly classCode = 0x010000;
  readonly features: number;
  readonly queueSizes = [QUEUE_SIZE];
  readonly #clock: Clock;
  readonly #backend: BlockBackend;
  readonly #serial: string;
  readonly #work: DeadlineWork;
  #transport: VirtioTransport | null = null;
  #chain: VirtChain | null = null;
  #status = DONE;
  /** How much the piece that is under way adds to it, and those that follow. */
  #piece = 0;
  #left = 0;

  /** @param serial what the guest finds as its name: up to 20 ASCII characters */
  constructor(name: string, clock: Clock, backend: BlockBackend, serial = '') {
    this.name = name;
    this.#clock = clock;
    this.#backend = backend;
    this.#serial = serial;
    this.features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (backend.readOnly ? F_READ_ONLY : 0)
      | (backend.discard === undefined ? 0 : F_DISCARD) | (backend.writeZeroes === undefined ? 0 : F_WRITE_ZEROES);
    this.#work = new DeadlineWork(clock, name, (error) => this.#finish(error));
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  config(): Uint8Array {
    return virtioConfig(CONFIG_SIZE, [0, 8, this.#backend.sectors], [12, 4, QUEUE_SIZE - 2], [20, 4, SECTOR_SIZE],
      [36, 4, MOST_SECTORS], [40, 4, MOST_RANGES], [44, 4, 1], [48, 4, MOST_SECTORS], [52, 4, MOST_RANGES], [56, 1, 1]);
  }

  notified(): void {
    if (this.#chain === null) this.#next();
  }

  reset(): void {
    this.#work.cancel();
    this.#chain = null;
    this.state.reset();
  }

  restored(): void {
    const { head, deadline } = this.state.fields;
    this.#work.cancel();
    const chain = head === NOTHING ? null : this.#transport?.queues[0]?.chainAt(head) ?? null;
    this.#chain = chain !== null && isWhole(chain) ? chain : null;
    if (this.#chain !== null) this.#start(this.#chain, deadline);
  }

  #next(): void {
    const { fields: f } = this.state;
    const chain = this.#transport?.queues[0]?.pop() ?? null;
    this.#chain = chain !== null && isWhole(chain) ? chain : null;
    f.head = this.#chain?.head ?? NOTHING;
    if (this.#chain === null) {
      if (chain !== null) this.#transport?.fail();
      return;
    }
    f.done = 0;
    this.#go(this.#chain);
  }

  #go(chain: VirtChain): void {
    const { fields: f } = this.state;
    f.deadline = this.#clock.now() + REQUEST_NS;
    this.#start(chain, f.deadline);
  }

  #start(chain: VirtChain, deadline: number): void {
    const header = new DataView(chain.read(0, HEADER_SIZE).buffer);
    const type = header.getUint32(0, true), sector = header.getUint32(8, true) + header.getUint32(12, true) * 2 ** 32;
    this.#status = DONE;
    this.#piece = this.#left = 0;
    const ask = this.#request(chain, type, sector);
    if (typeof ask === 'number') this.#status = ask;
    this.#work.start(deadline, typeof ask === 'number' ? null : ask);
  }

  /** The host's part of a request; a status if it has none. */
  #request(chain: VirtChain, type: number, sector: number): ((answer: Answer) => void) | number {
    switch (type) {
      case READ: return this.#transfer(chain, sector, chain.writable - 1, false);
      case WRITE: return this.#transfer(chain, sector, chain.readable - HEADER_SIZE, true);
      case FLUSH: return (answer) => this.#backend.flush(answer);
      case GET_ID:
        chain.write(0, Uint8Array.from({ length: Math.min(ID_SIZE, chain.writable - 1) }, (_, i) => this.#serial.charCodeAt(i) || 0));
        return DONE;
      case DISCARD: return this.#ranges(chain, this.#backend.discard);
      case WRITE_ZEROES: return this.#ranges(chain, this.#backend.writeZeroes);
      default: return UNKNOWN;
    }
  }

  /** The next piece of `length` bytes of data. */
  #transfer(chain: VirtChain, sector: number, length: number, writes: boolean): ((answer: Answer) => void) | number {
    if (length % SECTOR_SIZE !== 0 || sector + length / SECTOR_SIZE > this.#backend.sectors || (writes && this.#backend.readOnly)) return FAILED;
    const { done } = this.state.fields, at = sector + done / SECTOR_SIZE, left = length - done;
    // A driver may have changed the header under a request.
    if (left <= 0) return DONE;
    this.#piece = Math.min(PIECE, left);
    this.#left = left - this.#piece;
    if (writes) {
      const data = chain.read(HEADER_SIZE + done, this.#piece);
      return (answer) => this.#backend.write(at, data, answer);
    }
    const data = new Uint8Array(this.#piece);
    return (answer) => this.#backend.read(at, data, (error) => {
      // After a reset this is nobody's request any more.
      if (error === undefined && this.#chain === chain) chain.write(done, data);
      answer(error);
    });
  }

  /** The next piece of ranges of sectors. */
  #ranges(chain: VirtChain, operation: BlockBackend['discard']): ((answer: Answer) => void) | number {
    const length = chain.readable - HEADER_SIZE, count = length / RANGE_SIZE;
    if (operation === undefined) return UNKNOWN;
    if (this.#backend.readOnly || length % RANGE_SIZE !== 0 || count > MOST_RANGES) return FAILED;
    const view = new DataView(chain.read(HEADER_SIZE, length).buffer);
    const ranges = Array.from({ length: count }, (_, i) => ({
      sector: view.getUint32(16 * i, true) + view.getUint32(16 * i + 4, true) * 2 ** 32, sectors: view.getUint32(16 * i + 8, true),
    }));
    if (ranges.some(({ sector, sectors }) => sectors > MOST_SECTORS || sector + sectors > this.#backend.sectors)) return FAILED;
    // The range in which the next piece lies, and where in it.
    let at = this.state.fields.done, index = 0;
    while (index < count && at >= ranges[index]!.sectors) at -= ranges[index++]!.sectors;
    const next = ranges[index];
    if (next === undefined) return DONE;
    this.#piece = Math.min(RANGE_PIECE, next.sectors - at);
    this.#left = ranges.slice(index).reduce((sum, { sectors }) => sum + sectors, -at) - this.#piece;
    return (answer) => operation.call(this.#backend, next.sector + at, this.#piece, answer);
  }

  #finish(error: Error | undefined): void {
    const chain = this.#chain, queue = this.#transport?.queues[0];
    if (chain === null || queue === undefined) return;
    if (error === undefined && this.#left > 0) {
      this.state.fields.done += this.#piece;
      this.#go(chain);
      return;
    }
    chain.write(chain.writable - 1, Uint8Array.of(error === undefined ? this.#status : FAILED));
    queue.push(chain, chain.writable);
    queue.notify();
    this.#next();
  }
}

/** It has a header, and room for its status. */
const isWhole = ({ readable, writable }: VirtChain): boolean => readable >= HEADER_SIZE && writable >= 1;
