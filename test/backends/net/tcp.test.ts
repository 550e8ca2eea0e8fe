import { describe, expect, it } from 'vitest';
import { ACK, FIN, PSH, RST, SYN } from '../../../src/backends/net/tcp-segment.ts';
import { FakeStream, GATEWAY, GUEST, Guest, address } from './guest.ts';

const SECOND = 1e9, MSS = 1460;
const FAR = address('192.0.2.7');
const MSS_OPTION = [2, 4, MSS >> 8, MSS & 255], SCALE_OPTION = [1, 3, 3, 2];

/** A guest that has connected to port 80 of a remote: its next number is 1001. */
function connected({ window = 8192, options = MSS_OPTION, to = FAR } = {}): { guest: Guest; stream: FakeStream; first: number; say: (segment: Parameters<Guest['tcp']>[1]) => void } {
  const guest = new Guest();
  guest.tcp(to, { sequence: 1000, flags: SYN, options, window });
  const stream = guest.streams[0]!;
  expect(guest.segments()).toEqual([]);
  stream.events!.connected();
  const [answer] = guest.segments();
  expect(answer).toMatchObject({ flags: SYN | ACK, acknowledged: 1001, sourcePort: 80, destinationPort: 1025, mss: MSS });
  const first = (answer!.sequence + 1) | 0;
  const say = (segment: Parameters<Guest['tcp']>[1]): void => guest.tcp(to, { acknowledged: first, sequence: 1001, flags: ACK, window, ...segment });
  say({});
  expect(guest.segments()).toEqual([]);
  return { guest, stream, first, say };
}

const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i * 7);

describe('TCP of the user network', () => {
  it('connects to the host; the gateway is the loopback', () => {
    expect(connected().stream.target).toBe('192.0.2.7:80');
    expect(connected({ to: GATEWAY }).stream.target).toBe('127.0.0.1:80');
  });

  it('refuses as the host does, and where there is nothing', () => {
    const guest = new Guest();
    guest.tcp(FAR, { sequence: 1000, flags: SYN });
    guest.streams[0]!.events!.failed('refused');
    expect(guest.segments()).toMatchObject([{ flags: RST | ACK, acknowledged: 1001 }]);
    guest.tcp(FAR, { sequence: 1000, flags: SYN });
    guest.streams[1]!.events!.failed('unreachable');
    expect([...guest.packets()[0]!.data.subarray(0, 2)]).toEqual([3, 1]);
    guest.tcp(address('10.0.2.77'), { sequence: 1000, flags: SYN });
    expect(guest.segments()).toMatchObject([{ flags: RST | ACK }]);
    guest.tcp(FAR, { sequence: 500, acknowledged: 77, flags: ACK });
    expect(guest.segments()).toMatchObject([{ flags: RST, sequence: 77 }]);
    guest.tcp(address('127.0.0.1'), { sequence: 1000, flags: SYN });
    expect(guest.segments()).toMatchObject([{ flags: RST | ACK }]);
    expect(guest.streams).toHaveLength(2);
  });

  it('passes on what the guest sends, acknowledges late or every second segment, and answers a repeated one', () => {
    const { guest, stream, say } = connected();
    say({ data: [1, 2, 3] });
    expect(stream.written).toEqual([1, 2, 3]);
    expect(guest.segments()).toEqual([]);
    guest.clock.step(SECOND / 1000);
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledged: 1004 }]);
    say({ data: [1, 2, 3] });
    expect(guest.segments()).toMatchObject([{ acknowledged: 1004 }]);
    // Half old, half new; then a hole.
    say({ sequence: 1003, data: [3, 4] });
    say({ sequence: 2000, data: [9] });
    expect(guest.segments()).toMatchObject([{ acknowledged: 1005 }]);
    for (let i = 0; i < 2; i++) say({ sequence: 1005 + i * MSS, data: [...bytes(MSS)] });
    expect(guest.segments()).toMatchObject([{ acknowledged: 1005 + 2 * MSS }]);
    expect(stream.written).toEqual([1, 2, 3, 4, ...bytes(MSS), ...bytes(MSS)]);
  });

  it('shrinks its window while the host does not take data, and tells when there is room', () => {
    const { guest, stream, say } = connected();
    stream.stuck = true;
    let sequence = 1001;
    for (let i = 0; i < 60; i++) {
      say({ sequence, data: [...bytes(MSS)] });
      const last = guest.segments().at(-1);
      sequence += MSS;
      if (last?.window === 0) break;
    }
    // Not a byte more than was promised.
    expect(stream.written.length).toBe(65535);
    stream.pending = 0;
    stream.stuck = false;
    stream.events!.drained();
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledged: (1001 + 65535) | 0, window: 65535 }]);
  });

  it('sends in pieces that the guest takes, within its window, and stops the host while much waits', () => {
    const { guest, stream, first, say } = connected({ window: 4000 });
    stream.events!.data(bytes(10_000));
    const sent = guest.segments();
    expect(sent.map(({ data }) => data.length)).toEqual([MSS, MSS]);
    expect(sent[1]!.sequence).toBe((first + MSS) | 0);
    say({ acknowledged: first + 2 * MSS, window: 20_000 });
    const rest = guest.segments();
    expect([...sent, ...rest].flatMap(({ data }) => [...data])).toEqual([...bytes(10_000)]);
    expect(rest.at(-1)!.flags).toBe(ACK | PSH);
    stream.events!.data(bytes(300_000));
    expect(stream.paused).toBe(true);
    let next = first + 10_000;
    for (let i = 0; i < 300 && stream.paused; i++) {
      for (const { sequence, data } of guest.segments()) next = Math.max(next, sequence + data.length);
      say({ acknowledged: next, window: 65535 });
    }
    expect(stream.paused).toBe(false);
  });

  it('scales windows where both sides do', () => {
    const { guest, stream, say } = connected({ options: [...MSS_OPTION, ...SCALE_OPTION], window: 20_000 });
    stream.events!.data(bytes(70_000));
    const sent = guest.segments();
    expect(sent.reduce((sum, { data }) => sum + data.length, 0)).toBe(70_000);
    expect(sent[0]!.window).toBe(262144 >> 3);
    say({ data: [1] });
    guest.clock.step(SECOND / 1000);
    expect(guest.segments()).toMatchObject([{ window: 262144 >> 3 }]);
  });

  it('sends again what is not acknowledged, ever more seldom, and gives up', () => {
    const { guest, stream, first } = connected();
    stream.events!.data(bytes(100));
    expect(guest.segments()).toHaveLength(1);
    guest.clock.step(SECOND);
    expect(guest.segments()).toMatchObject([{ sequence: first, flags: ACK | PSH }]);
    guest.clock.step(SECOND);
    expect(guest.segments()).toEqual([]);
    guest.clock.step(SECOND);
    expect(guest.segments()).toHaveLength(1);
    guest.clock.step(900 * SECOND);
    expect(guest.segments().at(-1)!.flags).toBe(RST | ACK);
    expect(stream.log).toEqual(['destroy']);
  });

  it('sends again after three acknowledgements of the same byte', () => {
    const { guest, stream, first, say } = connected();
    stream.events!.data(bytes(3 * MSS));
    expect(guest.segments()).toHaveLength(3);
    for (let i = 0; i < 3; i++) say({});
    expect(guest.segments().map(({ sequence }) => sequence)).toEqual([first, first + MSS, first + 2 * MSS]);
  });

  it('asks a guest whose window is closed', () => {
    const { guest, stream, first, say } = connected({ window: 0 });
    stream.events!.data(bytes(10));
    expect(guest.segments()).toEqual([]);
    guest.clock.step(SECOND);
    expect(guest.segments()).toMatchObject([{ sequence: first, data: bytes(1) }]);
    guest.clock.step(1000 * SECOND);
    expect(stream.log).toEqual([]);
    guest.segments();
    say({ acknowledged: first + 1, window: 100 });
    expect(guest.segments()).toMatchObject([{ sequence: first + 1, data: bytes(10).subarray(1) }]);
  });

  it('ends when the guest ends first', () => {
    const { guest, stream, first, say } = connected();
    say({ flags: FIN | ACK, data: [5] });
    expect(stream.written).toEqual([5]);
    expect(stream.log).toEqual(['end']);
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledged: 1003 }]);
    // The host still sends.
    stream.events!.data(bytes(3));
    stream.events!.end();
    expect(guest.segments()).toMatchObject([{ data: bytes(3) }, { flags: FIN | ACK, sequence: first + 3 }]);
    say({ sequence: 1003, acknowledged: first + 4 });
    // Gone: whatever comes now meets no connection.
    say({ sequence: 1003, acknowledged: first + 4 });
    expect(guest.segments()).toMatchObject([{ flags: RST }]);
  });

  it('ends when the host ends first, and repeats its FIN until that is acknowledged', () => {
    const { guest, stream, first, say } = connected();
    stream.events!.end();
    expect(guest.segments()).toMatchObject([{ flags: FIN | ACK, sequence: first }]);
    guest.clock.step(SECOND);
    expect(guest.segments()).toMatchObject([{ flags: FIN | ACK, sequence: first }]);
    say({ acknowledged: first + 1, data: [1, 2] });
    guest.clock.step(10 * SECOND);
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledged: 1003 }]);
    say({ sequence: 1003, acknowledged: first + 1, flags: FIN | ACK });
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledged: 1004 }]);
    expect(stream.log).toEqual(['end']);
  });

  it('passes resets on, both ways', () => {
    const one = connected();
    one.say({ flags: RST, sequence: 5_000_000 });
    expect(one.stream.log).toEqual([]);
    one.say({ flags: RST });
    expect(one.stream.log).toEqual(['destroy']);
    const two = connected();
    two.stream.events!.failed('reset');
    expect(two.guest.segments()).toMatchObject([{ flags: RST | ACK, sequence: two.first }]);
  });

  it('takes a port again for a guest that started anew', () => {
    const { guest, stream } = connected();
    guest.tcp(FAR, { sequence: 777_000, flags: SYN });
    expect(stream.log).toEqual(['destroy']);
    expect(guest.streams).toHaveLength(2);
    guest.tcp(FAR, { sequence: 777_000, flags: SYN });
    expect(guest.streams).toHaveLength(2);
  });

  it('opens forwarded connections to the guest, after asking for its hardware address', () => {
    const guest = new Guest(), stream = new FakeStream('', null);
    guest.network.accept(stream, { address: '127.0.0.1', port: 40000 }, GUEST, 22);
    expect(stream.paused).toBe(true);
    expect(guest.take()).toHaveLength(1);
    guest.arp(GATEWAY);
    const [syn] = guest.segments();
    expect(syn).toMatchObject({ flags: SYN, sourcePort: 40000, destinationPort: 22, mss: MSS });
    guest.tcp(GATEWAY, { sourcePort: 22, destinationPort: 40000, flags: SYN | ACK, sequence: 9, acknowledged: syn!.sequence + 1, options: MSS_OPTION });
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledged: 10 }]);
    expect(stream.paused).toBe(false);
    stream.events!.data(bytes(4));
    expect(guest.segments()).toMatchObject([{ data: bytes(4) }]);
    guest.tcp(GATEWAY, { sourcePort: 22, destinationPort: 40000, flags: ACK, sequence: 10, acknowledged: syn!.sequence + 5, data: [8] });
    expect(stream.written).toEqual([8]);
  });

  it('resets a forwarded connection that the guest refuses, and lets go of all when it closes', () => {
    const guest = new Guest(), refused = new FakeStream('', null), other = new FakeStream('', null);
    guest.arp(GATEWAY);
    guest.take();
    guest.network.accept(refused, { address: '127.0.0.1', port: 40000 }, GUEST, 23);
    const [syn] = guest.segments();
    guest.tcp(GATEWAY, { sourcePort: 23, destinationPort: 40000, flags: RST | ACK, acknowledged: syn!.sequence + 1 });
    expect(refused.log).toEqual(['destroy']);
    guest.network.accept(other, { address: '198.51.100.9', port: 40000 }, GUEST, 23);
    expect(guest.packets()[0]!.source).toBe(address('198.51.100.9'));
    guest.network.close();
    expect(other.log).toEqual(['finish']);
  });
});
