/**
 * `-netdev socket` without connections, as QEMU does it: each frame is a UDP datagram. `udp` leads to one other machine, `mcast` joins all that
 * are in a multicast group: an Ethernet without a switch.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { NetPort } from '../../devices/host.ts';
import { bindDatagrams } from '../bind-datagrams.ts';
import type { OpenNetwork } from './user.ts';

interface Place {
  readonly address: string;
  readonly port: number;
}

export interface DatagramOptions {
  readonly mode: 'udp' | 'mcast';
  /** The other machine, or the group. */
  readonly target: Place;
  /** udp: where it sends to us. mcast: `address` is the interface of the host; null: the host chooses. */
  readonly local: Place | null;
}

const ANY = '0.0.0.0';

export class DatagramNetwork implements OpenNetwork {
  readonly #target: Place;
  readonly #sockets: Socket[] = [];
  #sender: Socket | null = null;
  #port: NetPort | null = null;

  private constructor(target: Place) {
    this.#target = target;
  }

  /** @throws Error of the host: an address that is taken or not its own */
  static async open({ mode, target, local }: DatagramOptions): Promise<DatagramNetwork> {
    const network = new DatagramNetwork(target);
    try {
      if (mode === 'udp') await network.#pair(local!);
      else await network.#join(local?.address ?? null);
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  plug(port: NetPort): void {
    this.#port = port;
  }

  send(frame: Uint8Array): void {
    // The card keeps its array, and Node sends later.
    this.#sender?.send(frame.slice(), this.#target.port, this.#target.address, () => {});
  }

  close(): void {
    this.#sender = null;
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  #socket(reuse: boolean): Socket {
    const socket = createSocket({ type: 'udp4', reuseAddr: reuse });
    this.#sockets.push(socket);
    return socket;
  }

  async #pair(local: Place): Promise<void> {
    const socket = this.#socket(true);
    await bindDatagrams(socket, local.address, local.port);
    socket.on('message', (frame) => this.#port?.deliver(frame));
    this.#sender = socket;
  }

  /** Sends from a port of its own, so that what comes back from the group of one's own frames can be told from others'. */
  async #join(local: string | null): Promise<void> {
    const receiver = this.#socket(true), sender = this.#socket(false), { address, port } = this.#target;
    // Windows binds to no group.
    await bindDatagrams(receiver, process.platform === 'win32' ? ANY : address, port);
    receiver.addMembership(address, local ?? undefined);
    await bindDatagrams(sender, ANY, 0);
    if (local !== null) sender.setMulticastInterface(local);
    sender.setMulticastLoopback(true);
    const own = sender.address().port, addresses = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address)));
    receiver.on('message', (frame, from) => {
      if (from.port !== own || !addresses.has(from.address)) this.#port?.deliver(frame);
    });
    this.#sender = sender;
  }
}
