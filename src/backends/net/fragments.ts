/** IPv4 fragments: packets that came in pieces are put together. Source: RFC 791, section 3.2; RFC 815. */
import type { Clock } from '../../devices/device.ts';
import type { IpPacket } from './packet.ts';

const LARGEST = 65535;
/** How many packets may be incomplete at once, and how long one may be (ns). */
const MOST = 16, PATIENCE = 30_000_000_000;

interface Partial {
  readonly since: number;
  readonly pieces: { offset: number; data: Uint8Array }[];
  /** Length of the whole, once its last piece is there. */
  length: number | null;
}

export class Fragments {
  readonly #clock: Clock;
  readonly #partial = new Map<string, Partial>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The whole packet if this is one, or the piece that was missing; else null. */
  add(packet: IpPacket): IpPacket | null {
    if (packet.offset === 0 && !packet.moreFragments) return packet;
    const { source, destination, protocol, id, offset, data } = packet, key = `${source} ${destination} ${protocol} ${id}`;
    if (offset + data.length > LARGEST) return null;
    let partial = this.#partial.get(key);
    if (partial === undefined || this.#clock.now() - partial.since > PATIENCE) {
      partial = { since: this.#clock.now(), pieces: [], length: null };
      this.#partial.delete(key);
      this.#partial.set(key, partial);
      // The oldest gives way.
      if (this.#partial.size > MOST) this.#partial.delete(this.#partial.keys().next().value!);
    }
    if (!partial.pieces.some((piece) => piece.offset === offset)) partial.pieces.push({ offset, data: data.slice() });
    if (!packet.moreFragments) partial.length = offset + data.length;
    const whole = assembled(partial);
    if (whole === null) return null;
    this.#partial.delete(key);
    return { ...packet, data: whole, offset: 0, moreFragments: false };
  }
}

function assembled({ pieces, length }: Partial): Uint8Array | null {
  if (length === null) return null;
  const whole = new Uint8Array(length);
  let end = 0;
  for (const { offset, data } of pieces.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > end) return null;
    if (offset + data.length > length) return null;
    whole.set(data, offset);
    end = Math.max(end, offset + data.length);
  }
  return end === length ? whole : null;
}
