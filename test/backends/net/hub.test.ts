import { expect, it } from 'vitest';
import { Hub } from '../../../src/backends/net/hub.ts';
import { PROTOCOL_UDP, udpDatagram } from '../../../src/backends/net/packet.ts';
import type { OpenNetwork } from '../../../src/backends/net/user.ts';
import type { NetPort } from '../../../src/devices/host.ts';
import { SteppedClock } from '../../devices/stepped-clock.ts';
import { GATEWAY, GUEST, Guest, address } from './guest.ts';

/** A card: what it got. */
class Card {
  readonly got: number[][] = [];
  readonly network: OpenNetwork;

  constructor(hub: Hub) {
    this.network = hub.port();
  }

  plug(): this {
    this.network.plug({ clock: new SteppedClock(), deliver: (frame) => this.got.push([...frame]) > 0 });
    return this;
  }
}

/** A network: what it was sent. */
class Network implements OpenNetwork {
  readonly sent: number[][] = [];
  port: NetPort | null = null;
  plug(port: NetPort): void { this.port = port; }
  send(frame: Uint8Array): void { this.sent.push([...frame]); }
  close(): void {}
}

it('what comes in at one port goes out at all others', () => {
  const hub = new Hub(), one = new Network(), two = new Network(), a = new Card(hub), b = new Card(hub), frame = Uint8Array.of(1, 2);
  hub.connect(one);
  // A network takes its time from the first card.
  expect(one.port).toBeNull();
  a.plug();
  b.plug();
  hub.connect(two);
  a.network.send(frame);
  expect([a.got, b.got, one.sent, two.sent]).toEqual([[], [[1, 2]], [[1, 2]], [[1, 2]]]);
  expect(one.port!.deliver(Uint8Array.of(3))).toBe(true);
  expect([a.got, b.got, one.sent, two.sent]).toEqual([[[3]], [[1, 2], [3]], [[1, 2]], [[1, 2], [3]]]);
  // The sender's array is its own again.
  frame.fill(9);
  expect(b.got[0]).toEqual([1, 2]);
});

it('says whether anybody took a frame', () => {
  const hub = new Hub(), network = new Network(), full = hub.port();
  hub.connect(network);
  full.plug({ clock: new SteppedClock(), deliver: () => false });
  expect(network.port!.deliver(Uint8Array.of(1))).toBe(false);
  new Card(hub).plug();
  expect(network.port!.deliver(Uint8Array.of(1))).toBe(true);
});

it('the user network leaves frames between others alone', () => {
  const guest = new Guest();
  guest.arp(GATEWAY);
  guest.take();
  guest.udp(1025, address('10.0.2.16'), 9, [1]);
  expect(guest.packets(), 'refused by the router').toHaveLength(1);
  guest.ip(address('10.0.2.16'), PROTOCOL_UDP, udpDatagram(GUEST, 1025, address('10.0.2.16'), 9, Uint8Array.of(1)), { to: new Uint8Array([0x52, 0x54, 0, 0x12, 0x34, 0x57]) });
  expect(guest.packets()).toHaveLength(0);
});
