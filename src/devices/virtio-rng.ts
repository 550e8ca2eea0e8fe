/** virtio entropy source: fills what the driver gives with random bytes. Source: VIRTIO 1.1, section 5.4 (OASIS). */
import { DeviceState } from './device.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';

const QUEUE_SIZE = 8;
/** Bytes for one request at most: it may get fewer than it asked for. */
const MOST = 4096;

export class VirtioRng implements VirtioDevice {
  readonly name: string;
  readonly state = new DeviceState(1, {});
  readonly id = 4;
  readonly classCode = 0x00ff00;
  readonly features = 0;
  readonly queueSizes = [QUEUE_SIZE];
  readonly #random: () => number;
  #transport: VirtioTransport | null = null;

  /** @param random gives 32 random bits */
  constructor(name: string, random: () => number) {
    this.name = name;
    this.#random = random;
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  config(): Uint8Array {
    return new Uint8Array(0);
  }

  notified(): void {
    const queue = this.#transport?.queues[0];
    if (queue === undefined) return;
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
      const bytes = Uint8Array.from({ length: Math.min(chain.writable, MOST) }, () => this.#random());
      queue.push(chain, chain.write(0, bytes));
    }
    queue.notify();
  }

  reset(): void {}
}
