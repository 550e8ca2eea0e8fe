/**
 * virtio memory balloon: the guest lends pages to the host, as many as the host asks for. Source: VIRTIO 1.1, section 5.5 (OASIS).
 *
 * Queues: 0 inflate and 1 deflate bring page frame numbers (4 bytes, pages of 4 KB), 2 statistics: a buffer of the guest that stays here until the
 * host wants new ones; entries of 10 bytes (tag, value). Configuration: pages wanted (4), pages that the guest has given (4, written by the guest).
 *
 * The pages stay where they are: a JavaScript buffer cannot give a part of itself back to the host. A page that the guest takes back reads
 * as it did before.
 */
import { DeviceState } from './device.ts';
import type { Clock, Timer } from './device.ts';
import { virtioConfig } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';
import type { AccessSize } from '../memory/io-region.ts';

const F_STATISTICS = 1 << 1, F_DEFLATE_ON_OOM = 1 << 2;
const STATISTICS = 2;
const QUEUE_SIZE = 128, CONFIG_SIZE = 8, ACTUAL = 4;
export const BALLOON_PAGE = 4096;
const ENTRY_SIZE = 10;
/** Statistics by their tags: QEMU's names. */
const NAMES = ['swapIn', 'swapOut', 'majorFaults', 'minorFaults', 'freeMemory', 'totalMemory', 'availableMemory', 'diskCaches', 'hugePagesMade', 'hugePagesFailed'] as const;
export type BalloonStatistics = Partial<Record<(typeof NAMES)[number], number>>;
const UNKNOWN = -1, NOTHING = -1;
const NS_PER_SECOND = 1_000_000_000;

export interface BalloonOptions {
  /** The guest takes pages back by itself before it ends programs for want of memory. */
  deflateOnOom?: boolean;
  /** Seconds after which the guest is asked for statistics anew; 0 (default): only when it offers them first. */
  statisticsInterval?: number;
}

export class VirtioBalloon implements VirtioDevice {
  readonly name = 'virtio-balloon';
  readonly state = new DeviceState(1, {
    /** Pages wanted and given; the request that brought statistics, and when they will be asked for again. */
    wanted: 0, given: 0, head: NOTHING, askAt: 0,
    statistics: new Float64Array(NAMES.length).fill(UNKNOWN),
  });
  readonly id = 5;
  readonly classCode = 0x00ff00;
  readonly features: number;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE];
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #timer: Timer;
  #transport: VirtioTransport | null = null;

  constructor(clock: Clock, { deflateOnOom = false, statisticsInterval = 0 }: BalloonOptions = {}) {
    this.#clock = clock;
    this.#interval = Math.round(statisticsInterval * NS_PER_SECOND);
    this.features = F_STATISTICS | (deflateOnOom ? F_DEFLATE_ON_OOM : 0);
    this.#timer = clock.timer('virtio-balloon', () => this.#ask());
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  config(): Uint8Array {
    const { wanted, given } = this.state.fields;
    return virtioConfig(CONFIG_SIZE, [0, 4, wanted], [ACTUAL, 4, given]);
  }

  writeConfig(offset: number, value: number, size: AccessSize): void {
    const config = this.config();
    for (let i = 0; i < size; i++) if (offset + i >= ACTUAL && offset + i < CONFIG_SIZE) config[offset + i] = value >>> (8 * i);
    this.state.fields.given = new DataView(config.buffer).getUint32(ACTUAL, true);
  }

  /** Bytes that the guest has given. */
  get given(): number {
    return this.state.fields.given * BALLOON_PAGE;
  }

  /** Bytes that it is asked to give from now on. */
  get wanted(): number {
    return this.state.fields.wanted * BALLOON_PAGE;
  }

  set wanted(bytes: number) {
    this.state.fields.wanted = Math.floor(bytes / BALLOON_PAGE);
    this.#transport?.configChanged();
  }

  /** What the guest said of its memory last: bytes, or counts since it started. */
  get statistics(): BalloonStatistics {
    const { statistics } = this.state.fields;
    return Object.fromEntries(NAMES.map((name, tag) => [name, statistics[tag]!] as const).filter(([, value]) => value !== UNKNOWN));
  }

  notified(index: number): void {
    const queue = this.#transport?.queues[index];
    if (queue === undefined) return;
    if (index === STATISTICS) {
      this.#take();
      return;
    }
    // Which pages they are changes nothing here; how many the guest writes into the configuration.
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) queue.push(chain, 0);
    queue.notify();
  }

  /** A driver that starts anew has all of its memory; what is wanted of it stays. */
  reset(): void {
    const { wanted } = this.state.fields;
    this.#timer.cancel();
    this.state.reset();
    this.state.fields.wanted = wanted;
  }

  restored(): void {
    const { head, askAt } = this.state.fields;
    this.#timer.cancel();
    if (head !== NOTHING && this.#interval > 0) this.#timer.arm(askAt);
  }

  /** New statistics: the buffer is kept until they are asked for again. */
  #take(): void {
    const queue = this.#transport?.queues[STATISTICS], { fields: f } = this.state;
    const chain = queue?.pop() ?? null;
    if (queue === undefined || chain === null) return;
    // A driver has one buffer; of a second one the first comes back.
    this.#giveBack();
    const bytes = chain.read(0, ENTRY_SIZE * QUEUE_SIZE), view = new DataView(bytes.buffer);
    for (let at = 0; at + ENTRY_SIZE <= bytes.length; at += ENTRY_SIZE) {
      const tag = view.getUint16(at, true);
      if (tag < NAMES.length) f.statistics[tag] = Number(view.getBigUint64(at + 2, true));
    }
    f.head = chain.head;
    if (this.#interval === 0) return;
    f.askAt = this.#clock.now() + this.#interval;
    this.#timer.arm(f.askAt);
  }

  #ask(): void {
    if (this.#transport?.running === true) this.#giveBack();
  }

  #giveBack(): void {
    const queue = this.#transport?.queues[STATISTICS], { fields: f } = this.state;
    if (queue === undefined || f.head === NOTHING) return;
    const chain = queue.chainAt(f.head);
    f.head = NOTHING;
    if (chain === null) return;
    queue.push(chain, 0);
    queue.notify();
  }
}
