import { describe, expect, it } from 'vitest';
import { BROADCAST, PROTOCOL_ICMP, PROTOCOL_UDP, get16, get32, icmpMessage, udpDatagram } from '../../../src/backends/net/packet.ts';
import { userSettings } from '../../../src/backends/net/user.ts';
import { DNS, GATEWAY, GUEST, Guest, MAC, address } from './guest.ts';

const FAR = address('192.0.2.7');

/** A DHCP message of the guest. */
function dhcp(type: number | null, options: readonly number[] = [], client = 0): number[] {
  const message = new Array<number>(240).fill(0);
  message.splice(0, 8, 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef);
  message.splice(12, 4, client >>> 24, (client >>> 16) & 255, (client >>> 8) & 255, client & 255);
  message.splice(28, 6, ...MAC);
  message.splice(236, 4, 0x63, 0x82, 0x53, 0x63);
  return [...message, ...(type === null ? [] : [53, 1, type]), ...options, 255];
}

/** What a DHCP answer says. */
function answers(guest: Guest): { your: number; options: Map<number, number[]>; destination: number }[] {
  return guest.packets().map(({ data, destination }) => {
    expect([get16(data, 0), get16(data, 2)]).toEqual([67, 68]);
    const message = data.subarray(8), options = new Map<number, number[]>();
    expect(get32(message, 4)).toBe(0xdeadbeef);
    for (let at = 240; message[at] !== 255; at += 2 + message[at + 1]!) options.set(message[at]!, [...message.subarray(at + 2, at + 2 + message[at + 1]!)]);
    return { your: get32(message, 16), options, destination };
  });
}

const ask = (guest: Guest, message: readonly number[]): ReturnType<typeof answers> => {
  guest.udp(68, BROADCAST, 67, message, 0);
  return answers(guest);
};

describe('the user network', () => {
  it('answers ARP for the gateway and the DNS server', () => {
    const guest = new Guest();
    guest.arp(GATEWAY);
    guest.arp(DNS);
    guest.arp(address('10.0.2.9'));
    const frames = guest.take();
    expect(frames.map((frame) => [get16(frame, 20), get32(frame, 28), get32(frame, 38)])).toEqual([[2, GATEWAY, GUEST], [2, DNS, GUEST]]);
    expect([...frames[0]!.subarray(0, 12)]).toEqual([...MAC, 0x52, 0x55, 10, 0, 2, 2]);
  });

  it('gives 10.0.2.15 by DHCP, with router, DNS and mask', () => {
    const guest = new Guest();
    const [offer] = ask(guest, dhcp(1));
    expect(offer).toMatchObject({ your: GUEST, destination: BROADCAST });
    expect(offer!.options.get(53)).toEqual([2]);
    const [ack] = ask(guest, dhcp(3, [50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2]));
    expect(ack!.your).toBe(GUEST);
    expect(Object.fromEntries(ack!.options)).toEqual({ 1: [255, 255, 255, 0], 3: [10, 0, 2, 2], 6: [10, 0, 2, 3], 51: [0, 1, 0x51, 0x80], 53: [5], 54: [10, 0, 2, 2] });
    const [nak] = ask(guest, dhcp(3, [50, 4, 10, 0, 2, 99]));
    expect([nak!.your, nak!.options.get(53)]).toEqual([0, [6]]);
    // For another server; a message that is no request; INFORM; BOOTP.
    expect(ask(guest, dhcp(3, [54, 4, 10, 0, 2, 77]))).toEqual([]);
    expect(ask(guest, dhcp(7))).toEqual([]);
    guest.udp(68, GATEWAY, 67, dhcp(8, [], GUEST));
    expect(answers(guest)).toMatchObject([{ your: 0, destination: GUEST }]);
    const [bootp] = ask(guest, dhcp(null));
    expect([bootp!.your, bootp!.options.has(53)]).toEqual([GUEST, false]);
  });

  it('lives where it is told to', () => {
    const guest = new Guest({ net: '192.168.76.0/24', hostName: 'box', restrict: true });
    const [offer] = ask(guest, dhcp(1));
    expect(offer!.your).toBe(address('192.168.76.15'));
    expect(offer!.options.has(3) || offer!.options.has(6)).toBe(false);
    expect(offer!.options.get(12)).toEqual([...'box'].map((letter) => letter.charCodeAt(0)));
    expect(userSettings({ net: '172.16.0.0/255.255.0.0', host: '172.16.9.9' })).toMatchObject({ gateway: address('172.16.9.9'), mask: 0xffff0000 });
  });

  it.each([
    [{ net: 'x' }, /net=x is no network/], [{ net: '10.0.2.0/33' }, /no network/], [{ net: '10.0.2.0/255.0.255.0' }, /no network/],
    [{ dns: '1.2.3.4' }, /dns=1\.2\.3\.4 is not in/], [{ host: '10.0.2.3' }, /must differ/],
  ])('refuses %j', (options, message) => {
    expect(() => userSettings(options)).toThrow(message);
  });

  it('answers pings to itself, and says that others cannot be pinged', () => {
    const guest = new Guest();
    guest.arp(GATEWAY);
    guest.take();
    guest.ip(GATEWAY, PROTOCOL_ICMP, icmpMessage(8, 0, 0x00010002, Uint8Array.of(1, 2, 3)));
    guest.ip(FAR, PROTOCOL_ICMP, icmpMessage(8, 0, 0x00010002, Uint8Array.of(1, 2, 3)));
    const [reply, refusal] = guest.packets();
    expect([reply!.source, ...reply!.data]).toEqual([GATEWAY, ...icmpMessage(0, 0, 0x00010002, Uint8Array.of(1, 2, 3))]);
    expect([...refusal!.data.subarray(0, 2)]).toEqual([3, 13]);
    // A damaged one has no answer.
    const bad = icmpMessage(8, 0, 1, Uint8Array.of(1));
    bad[8]! ^= 1;
    guest.ip(GATEWAY, PROTOCOL_ICMP, bad);
    expect(guest.packets()).toEqual([]);
  });

  it('passes UDP both ways; the gateway stands for the loopback', () => {
    const guest = new Guest();
    guest.udp(5000, GATEWAY, 7, [1, 2]);
    guest.udp(5000, FAR, 9, [3]);
    expect(guest.datagramsSent.map(({ bytes, address: to, port }) => [bytes, to, port])).toEqual([[[1, 2], '127.0.0.1', 7], [[3], '192.0.2.7', 9]]);
    const { received } = guest.datagramsSent[0]!;
    received(Uint8Array.of(8), '127.0.0.1', 7);
    received(Uint8Array.of(9), '192.0.2.7', 9);
    expect(guest.packets().map(({ source, data }) => [source, ...data])).toEqual([
      [GATEWAY, ...udpDatagram(GATEWAY, 7, GUEST, 5000, Uint8Array.of(8))], [FAR, ...udpDatagram(FAR, 9, GUEST, 5000, Uint8Array.of(9))],
    ]);
    // A host's port that is not used is given back.
    guest.clock.step(300e9);
    expect(guest.closedDatagrams).toBe(1);
  });

  it('asks the resolver of the host for names, and answers as its own', () => {
    const guest = new Guest();
    guest.udp(5000, DNS, 53, [1]);
    const [{ address: to, port, received }] = guest.datagramsSent as [Guest['datagramsSent'][0]];
    expect([to, port]).toEqual(['127.0.0.53', 5353]);
    received(Uint8Array.of(2), '127.0.0.53', 5353);
    expect(guest.packets()).toMatchObject([{ source: DNS }]);
    guest.udp(5000, DNS, 54, [1]);
    expect(guest.datagramsSent).toHaveLength(1);
    expect([...guest.packets()[0]!.data.subarray(0, 2)]).toEqual([3, 3]);
  });

  it('puts fragments together, and makes some', () => {
    const guest = new Guest();
    const data = Uint8Array.from({ length: 3000 }, (_, i) => i), datagram = udpDatagram(GUEST, 5000, GATEWAY, 7, data);
    guest.ip(GATEWAY, PROTOCOL_UDP, datagram.subarray(1480, 2960), { fragment: 0x2000 | (1480 / 8) });
    guest.ip(GATEWAY, PROTOCOL_UDP, datagram.subarray(2960), { fragment: 2960 / 8 });
    expect(guest.datagramsSent).toEqual([]);
    guest.ip(GATEWAY, PROTOCOL_UDP, datagram.subarray(0, 1480), { fragment: 0x2000 });
    expect(guest.datagramsSent.map(({ bytes }) => bytes)).toEqual([[...data]]);
    guest.datagramsSent[0]!.received(data, '127.0.0.1', 7);
    const parts = guest.packets();
    expect(parts.map(({ offset, moreFragments }) => [offset, moreFragments])).toEqual([[0, true], [1480, true], [2960, false]]);
    expect(parts.flatMap((part) => [...part.data])).toEqual([...udpDatagram(GATEWAY, 7, GUEST, 5000, data)]);
    // A piece that is never followed does no harm.
    for (let id = 0; id < 100; id++) guest.ip(GATEWAY, PROTOCOL_UDP, datagram.subarray(0, 1480), { fragment: 0x2000, id });
  });

  it('restrict: the gateway answers, nothing leaves, forwarded ports work', () => {
    const guest = new Guest({ restrict: true });
    guest.udp(5000, FAR, 7, [1]);
    guest.udp(5000, DNS, 53, [1]);
    guest.tcp(FAR, { flags: 2 });
    expect([guest.datagramsSent.length, guest.streams.length]).toEqual([0, 0]);
    expect(guest.segments()).toMatchObject([{ flags: 0x14 }]);
    guest.ip(GATEWAY, PROTOCOL_ICMP, icmpMessage(8, 0, 1, new Uint8Array(0)));
    expect(guest.packets()).toHaveLength(1);
    const answered: number[][] = [];
    guest.network.forwardDatagrams(GUEST, 69, { send: (bytes) => answered.push([...bytes]), close: () => {} });
    guest.network.receiveDatagram(GUEST, 69, Uint8Array.of(1), '127.0.0.1', 40000);
    expect(guest.packets()).toMatchObject([{ source: GATEWAY }]);
    guest.udp(69, GATEWAY, 40000, [2]);
    expect(answered).toEqual([[2]]);
  });

  it('bears frames of any kind', () => {
    const guest = new Guest();
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
    for (let i = 0; i < 5000; i++) {
      const frame = Uint8Array.from({ length: random() % 100 }, random);
      if (frame.length > 40 && i % 2 === 0) frame.set([8, 0, 0x45, 0, 0, frame.length - 14], 12);
      guest.network.send(frame);
    }
    expect(guest.take().length).toBeLessThan(5000);
  });
});
