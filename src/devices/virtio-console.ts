/**
 * virtio console with several ports. Source: VIRTIO 1.1, section 5.3 (OASIS).
 *
 * Queues: 0 and 1 receive and transmit for port 0, 2 and 3 the same for control messages, 4 and 5 port 1, and so on. A control message is a port
 * number (4 bytes), an event (2) and a value (2): 0 driver ready, 1 port added, 3 port ready, 4 console, 6 open, 7 name (which follows).
 * What the host sends waits until the guest gives room for it. A driver without the multiport feature sees port 0 alone.
 */
import { DeviceState } from './device.ts';
import type { CharBackend } from './host.ts';
import { virtioConfig } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';

const F_MULTIPORT = 1;
const QUEUE_SIZE = 128, CONFIG_SIZE = 12;
const CONTROL_RECEIVE = 2, CONTROL_TRANSMIT = 3;
const DEVICE_READY = 0, PORT_ADD = 1, PORT_READY = 3, CONSOLE_PORT = 4, PORT_OPEN = 6, PORT_NAME = 7;
const MESSAGE_SIZE = 8;
/** Bytes that are taken of one request: drivers send far fewer. Bytes from the host that may wait; more are lost, as on a line without handshake. */
const LONGEST = 1 << 20, INPUT_SIZE = 1 << 16;

export interface ConsolePort {
  readonly backend: CharBackend;
  /** A console (/dev/hvc0); else a port that programs open by its name. */
  readonly console: boolean;
  readonly name?: string;
}

export class VirtioConsole implements VirtioDevice {
  readonly name: string;
  readonly state;
  readonly id = 3;
  readonly classCode = 0x078000;
  readonly features = 1 << F_MULTIPORT;
  readonly queueSizes: readonly number[];
  readonly #ports: readonly (ConsolePort | null)[];
  #transport: VirtioTransport | null = null;

  /** @param ports by number; null: there is no such port. Port 0 is for a console. */
  constructor(name: string, ports: readonly (ConsolePort | null)[]) {
    this.name = name;
    this.#ports = ports;
    this.queueSizes = new Array<number>(2 * (ports.length + 1)).fill(QUEUE_SIZE);
    this.state = new DeviceState(1, {
      /** Events that each port has to tell of, as bits. */
      events: new Uint32Array(ports.length),
      /** Bytes from the host, in rings: where they begin, and how many. */
      input: new Uint8Array(ports.length * INPUT_SIZE), first: new Uint32Array(ports.length), count: new Uint32Array(ports.length),
    });
    ports.forEach((port, number) => {
      if (port === null) return;
      port.backend.receive = (byte) => this.#receive(number, byte);
      port.backend.room = () => INPUT_SIZE - this.state.fields.count[number]!;
    });
  }

  attach(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  config(): Uint8Array {
    return virtioConfig(CONFIG_SIZE, [0, 2, 80], [2, 2, 25], [4, 4, this.#ports.length]);
  }

  notified(index: number): void {
    if (index === CONTROL_TRANSMIT) this.#control();
    else if (index === CONTROL_RECEIVE) this.#tell();
    else if (index % 2 === 1) this.#transmit(index);
    else this.#refill(portOf(index));
  }

  reset(): void {
    this.state.reset();
  }

  /** The guest's bytes go to the host. */
  #transmit(index: number): void {
    const queue = this.#transport?.queues[index], port = this.#ports[portOf(index)];
    if (queue === undefined) return;
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
      for (const byte of chain.read(0, LONGEST)) port?.backend.write(byte);
      queue.push(chain, 0);
    }
    queue.notify();
  }

  #receive(number: number, byte: number): void {
    const { fields: f } = this.state;
    if (f.count[number]! >= INPUT_SIZE) return;
    f.input[number * INPUT_SIZE + (f.first[number]! + f.count[number]!) % INPUT_SIZE] = byte;
    f.count[number]!++;
    this.#fill(number);
  }

  /** The guest has given room: also for what the other end keeps back. */
  #refill(number: number): void {
    this.#fill(number);
    this.#ports[number]?.backend.more?.();
  }

  /** Gives the guest what waits for it. */
  #fill(number: number): void {
    const { fields: f } = this.state, queue = this.#transport?.queues[receiveQueue(number)];
    if (queue === undefined || this.#transport?.running !== true || this.#ports[number] === undefined) return;
    while (f.count[number]! > 0 && queue.hasBuffers) {
      const chain = queue.pop();
      if (chain === null) return;
      const bytes = Uint8Array.from({ length: Math.min(f.count[number]!, chain.writable) }, (_, i) => f.input[number * INPUT_SIZE + (f.first[number]! + i) % INPUT_SIZE]!);
      queue.push(chain, chain.write(0, bytes));
      f.first[number] = (f.first[number]! + bytes.length) % INPUT_SIZE;
      f.count[number]! -= bytes.length;
    }
    queue.notify();
  }

  /** Messages of the driver. */
  #control(): void {
    const queue = this.#transport?.queues[CONTROL_TRANSMIT], { events } = this.state.fields;
    if (queue === undefined) return;
    for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
      const message = new DataView(chain.read(0, MESSAGE_SIZE).buffer);
      queue.push(chain, 0);
      if (message.byteLength < MESSAGE_SIZE || message.getUint16(6, true) === 0) continue;
      const number = message.getUint32(0, true), event = message.getUint16(4, true), port = this.#ports[number];
      if (event === DEVICE_READY) this.#ports.forEach((one, i) => { if (one !== null) events[i]! |= 1 << PORT_ADD; });
      else if (event === PORT_READY && port) {
        events[number]! |= (port.console ? 1 << CONSOLE_PORT : 0) | (1 << PORT_OPEN) | (port.name === undefined ? 0 : 1 << PORT_NAME);
      }
    }
    queue.notify();
    this.#tell();
  }

  /** Sends what ports have to tell, as far as there is room. */
  #tell(): void {
    const queue = this.#transport?.queues[CONTROL_RECEIVE], { events } = this.state.fields;
    if (queue === undefined) return;
    for (let number = 0; number < events.length; number++) {
      for (const event of [PORT_ADD, CONSOLE_PORT, PORT_OPEN, PORT_NAME]) {
        if ((events[number]! & (1 << event)) === 0) continue;
        const chain = queue.pop();
        if (chain === null) return queue.notify();
        events[number]! &= ~(1 << event);
        queue.push(chain, chain.write(0, this.#message(number, event)));
      }
    }
    queue.notify();
  }

  #message(number: number, event: number): Uint8Array {
    const name = event === PORT_NAME ? this.#ports[number]?.name ?? '' : '';
    const bytes = virtioConfig(MESSAGE_SIZE + name.length, [0, 4, number], [4, 2, event], [6, 2, 1]);
    bytes.set(Uint8Array.from(name, (char) => char.charCodeAt(0)), MESSAGE_SIZE);
    return bytes;
  }
}

const receiveQueue = (port: number): number => (port === 0 ? 0 : 2 * port + 2);
const portOf = (queue: number): number => (queue < 2 ? 0 : (queue >> 1) - 1);
