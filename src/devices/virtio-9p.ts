/**
 * virtio 9P transport: a folder of the host by its mount tag. Source: Linux' net/9p documentation ("v9fs", virtio transport); VIRTIO 1.2, section 5.12.
 *
 * Configuration: length of the tag (2 bytes), then the tag. One queue; a request is a 9P message, and room for its answer. The protocol is in
 * the folder 9p. What the guest has mounted is the host's open files: a restored machine has to mount it again.
 */
import { DeviceState } from './device.ts';
import type { SharedFolder } from './9p/folder.ts';
import { NinePServer } from './9p/server.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';

const F_MOUNT_TAG = 1 << 0;
const QUEUE_SIZE = 128;
/** Longest tag (bytes), as QEMU has it. */
export const LONGEST_TAG = 32;

export class Virtio9p implements VirtioDevice {
  readonly name: string;
  readonly state = new DeviceState(1, {});
  readonly id = 9;
  readonly classCode = 0x000200;
  readonly features = F_MOUNT_TAG;
  readonly queueSizes = [QUEUE_SIZE];
  readonly #config: Uint8Array;
  readonly #server: NinePServer;
  #transport: VirtioTransport | null = null;

  /** @param tag what the guest mounts: 1 to LONGEST_TAG ASCII characters */
  constructor(name: string, tag: string, folder: SharedFolder) {
    this.name = name;
    this.#config = Uint8Array.of(tag.length, 0, ...Array.from(tag, (char) => char.charCodeAt(0)));
    this.#server = new NinePServer(folder);
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  config(): Uint8Array {
    return this.#config;
  }

  notified(): void {
    const queue = this.#transport?.queues[0];
    if (queue === undefined) return;
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
      // A byte more than a message may have, so that one that is too long is seen as such.
      const answer = this.#server.handle(chain.read(0, this.#server.longest + 1), chain.writable);
      queue.push(chain, chain.write(0, answer));
    }
    queue.notify();
  }

  reset(): void {
    this.#server.reset();
  }
}
