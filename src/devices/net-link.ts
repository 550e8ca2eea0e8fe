/**
 * The cable between a network card and what is behind it. Frames for the card wait here until it has room: a wire would lose them, and
 * the other end would send them again. They arrive by a timer, never within an access of the guest, so a card is not called while it sends.
 */
import type { Clock, Timer } from './device.ts';
import type { NetBackend, NetPort } from './host.ts';

/** Shortest frame without its FCS; IEEE 802.3, 4A.4.2. */
const SHORTEST = 60;
/** Longest frame that a card here takes or sends: 1500 bytes with header and VLAN tag. */
export const LONGEST_FRAME = 1518;
/** Virtual time that a frame takes (ns), and how many may wait. */
const TRAVEL = 10_000, MOST = 2000;

export class NetLink implements NetPort {
  readonly clock: Clock;
  readonly #backend: NetBackend | null;
  readonly #timer: Timer;
  readonly #receive: (frame: Uint8Array) => boolean;
  #frames: Uint8Array[] = [];

  /**
   * @param backend null: the cable is not plugged in
   * @param receive gives a frame (60 bytes or more, without FCS) to the card; false: it has no room until it calls ready()
   */
  constructor(clock: Clock, name: string, backend: NetBackend | null, receive: (frame: Uint8Array) => boolean) {
    this.clock = clock;
    this.#backend = backend;
    this.#receive = receive;
    this.#timer = clock.timer(name, () => this.#arrive());
    backend?.plug(this);
  }

  deliver(frame: Uint8Array): boolean {
    if (this.#frames.length >= MOST) return false;
    this.#frames.push(frame);
    if (this.#frames.length === 1) this.#timer.arm(this.clock.now() + TRAVEL);
    return true;
  }

  /** The card sends. */
  send(frame: Uint8Array): void {
    if (frame.length <= LONGEST_FRAME) this.#backend?.send(frame);
  }

  /** The card has room again. */
  ready(): void {
    if (this.#frames.length > 0 && !this.#timer.armed) this.#timer.arm(this.clock.now());
  }

  #arrive(): void {
    let taken = 0;
    while (taken < this.#frames.length && this.#receive(padded(this.#frames[taken]!))) taken++;
    this.#frames = this.#frames.slice(taken);
  }
}

function padded(frame: Uint8Array): Uint8Array {
  if (frame.length >= SHORTEST) return frame;
  const longer = new Uint8Array(SHORTEST);
  longer.set(frame);
  return longer;
}
