/**
 * A hub: what comes in at one port goes out at all others. Cards and networks plug in; `-netdev hubport`, and hub 0 for QEMU's old `-net`.
 * A network takes its time from the first card, so without one nothing passes.
 */
import type { Clock } from '../../devices/device.ts';
import type { NetPort } from '../../devices/host.ts';
import type { OpenNetwork } from './user.ts';

interface Port {
  /** Sends a frame on, and leaves the array alone after it; false: it is lost. */
  readonly out: (frame: Uint8Array) => boolean;
}

export class Hub {
  readonly #ports: Port[] = [];
  #clock: Clock | null = null;
  /** Networks that wait for the first card. */
  #waiting: ((clock: Clock) => void)[] = [];

  /** A port for a card: the network that it finds there is everything else. To close it does nothing. */
  port(): OpenNetwork {
    let card: NetPort | null = null;
    const own: Port = { out: (frame) => card?.deliver(frame.slice()) ?? false };
    this.#ports.push(own);
    return {
      plug: (port) => {
        card = port;
        this.#begin(port.clock);
      },
      send: (frame) => { this.#spread(own, frame); },
      close: () => {},
    };
  }

  /** Joins a network to the hub. Its owner closes it. */
  connect(network: OpenNetwork): void {
    const own: Port = { out: (frame) => (network.send(frame), true) };
    const plug = (clock: Clock): void => {
      this.#ports.push(own);
      network.plug({ clock, deliver: (frame) => this.#spread(own, frame) });
    };
    if (this.#clock === null) this.#waiting.push(plug);
    else plug(this.#clock);
  }

  #begin(clock: Clock): void {
    if (this.#clock !== null) return;
    this.#clock = clock;
    for (const plug of this.#waiting) plug(clock);
    this.#waiting = [];
  }

  /** False if nobody took the frame. */
  #spread(from: Port, frame: Uint8Array): boolean {
    return this.#ports.filter((port) => port !== from).map((port) => port.out(frame)).includes(true);
  }
}
