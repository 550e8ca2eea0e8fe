/**
 * virtio network card: a queue for each way, whole frames behind a header that says nothing, since nothing is offloaded.
 * Source: Virtual I/O Device (VIRTIO) Version 1.1, section 5.1 (OASIS).
 *
 *     header, 10 bytes: flags (1) GSO type (1) header length (2) GSO size (2) checksum start (2) offset (2); version 1 adds buffers (2)
 *     configuration: MAC (6) status (2)
 */
import { DeviceState } from './device.ts';
import { MAC_SIZE } from './ethernet.ts';
import type { NicSettings } from './ne2000.ts';
import { LONGEST_FRAME, NetLink } from './net-link.ts';
import type { PciSlot } from './pci-slot.ts';
import { F_VERSION_1 } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';

const F_MAC = 5, F_STATUS = 16;
const LINK_UP = 1;
const RECEIVE = 0, TRANSMIT = 1, QUEUE_SIZE = 256;
const HEADER = 10, HEADER_1 = 12, BUFFERS = 10;

export class VirtioNet implements VirtioDevice {
  readonly name: string;
  readonly state = new DeviceState(1, {});
  readonly id = 1;
  readonly classCode = 0x020000;
  readonly features = (1 << F_MAC) | (1 << F_STATUS);
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly #config: Uint8Array;
  readonly #link: NetLink;
  #transport: VirtioTransport | null = null;

  constructor({ name, mac, backend }: NicSettings, { clock }: Pick<PciSlot, 'clock'>) {
    this.name = name;
    this.#link = new NetLink(clock, name, backend, (frame) => this.#receive(frame));
    this.#config = new Uint8Array(MAC_SIZE + 2);
    this.#config.set(mac);
    this.#config[MAC_SIZE] = backend === null ? 0 : LINK_UP;
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  config(): Uint8Array {
    return this.#config;
  }

  start(): void {
    this.#link.ready();
  }

  notified(index: number): void {
    const transport = this.#transport;
    if (transport === null || !transport.running) return;
    if (index === RECEIVE) this.#link.ready();
    if (index !== TRANSMIT) return;
    const queue = transport.queues[TRANSMIT], header = this.#headerSize(transport);
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
      this.#link.send(chain.read(header, LONGEST_FRAME + 1));
      queue.push(chain, 0);
    }
    queue.notify();
  }

  reset(): void {}

  #headerSize(transport: VirtioTransport): number {
    return transport.has(F_VERSION_1) ? HEADER_1 : HEADER;
  }

  #receive(frame: Uint8Array): boolean {
    const transport = this.#transport;
    if (transport === null || !transport.running) return true;
    const queue = transport.queues[RECEIVE];
    // A driver that has not made its queue ready yet takes no frames.
    if (!queue.enabled) return true;
    const chain = queue.pop();
    if (chain === null) return !transport.running;
    const header = this.#headerSize(transport), bytes = new Uint8Array(header + frame.length);
    if (header === HEADER_1) bytes[BUFFERS] = 1;
    bytes.set(frame, header);
    // What does not fit is lost; the buffer goes back empty.
    queue.push(chain, chain.writable < bytes.length ? 0 : chain.write(0, bytes));
    queue.notify();
    return true;
  }
}
