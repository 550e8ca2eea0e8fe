/** The guest's side of a user network in tests: builds and reads frames, on a clock that is stepped. */
import { UserNetwork } from '../../../src/backends/net/user-network.ts';
import type { HostDatagrams, HostNetwork, HostStream, Received, StreamEvents } from '../../../src/backends/net/host-network.ts';
import {
  BROADCAST, ETHERNET_HEADER, IP_DATA, PROTOCOL_TCP, PROTOCOL_UDP, TYPE_ARP, TYPE_IPV4, checksum, ethernetFrame, fillIpHeader, get16, get32, parseAddress, parseIp,
  pseudoSum, put16, put32, sumWords, udpDatagram,
} from '../../../src/backends/net/packet.ts';
import type { IpPacket } from '../../../src/backends/net/packet.ts';
import { TCP_HEADER, parseSegment, writeHeader } from '../../../src/backends/net/tcp-segment.ts';
import type { Segment } from '../../../src/backends/net/tcp-segment.ts';
import { userSettings } from '../../../src/backends/net/user.ts';
import type { UserOptions } from '../../../src/backends/net/user.ts';
import { SteppedClock } from '../../devices/stepped-clock.ts';

export const address = (text: string): number => parseAddress(text)!;
export const GATEWAY = address('10.0.2.2'), DNS = address('10.0.2.3'), GUEST = address('10.0.2.15');
export const MAC = new Uint8Array([0x52, 0x54, 0, 0x12, 0x34, 0x56]);

export class FakeStream implements HostStream {
  events: StreamEvents | null;
  readonly target: string;
  written: number[] = [];
  /** Bytes that the host has not taken. */
  pending = 0;
  stuck = false;
  paused = false;
  log: string[] = [];

  constructor(target: string, events: StreamEvents | null) {
    this.target = target;
    this.events = events;
  }

  write(bytes: Uint8Array): void {
    this.written.push(...bytes);
    if (this.stuck) this.pending += bytes.length;
  }

  end(): void { this.log.push('end'); }
  destroy(): void { this.log.push('destroy'); }
  finish(): void { this.log.push('finish'); }
  pause(): void { this.paused = true; }
  resume(): void { this.paused = false; }
}

/** Datagrams that the guest's side of the host sent, and how to answer them. */
export interface SentDatagram { bytes: number[]; address: string; port: number; received: Received }

export class Guest implements HostNetwork {
  readonly clock = new SteppedClock();
  readonly network: UserNetwork;
  readonly routerMac = new Uint8Array([0x52, 0x55, 0, 0, 0, 0]);
  /** Frames that the network sent and no one has looked at. */
  frames: Uint8Array[] = [];
  streams: FakeStream[] = [];
  datagramsSent: SentDatagram[] = [];
  closedDatagrams = 0;

  constructor(options: UserOptions = {}) {
    const settings = userSettings(options);
    put32(this.routerMac, 2, settings.gateway);
    this.network = new UserNetwork(settings, this);
    this.network.plug({ clock: this.clock, deliver: (frame) => this.frames.push(frame) > 0 });
  }

  connect(to: string, port: number, events: StreamEvents): HostStream {
    const stream = new FakeStream(`${to}:${port}`, events);
    this.streams.push(stream);
    return stream;
  }

  datagrams(_ipv6: boolean, received: Received): HostDatagrams {
    return {
      send: (bytes, to, port) => this.datagramsSent.push({ bytes: [...bytes], address: to, port, received }),
      close: () => { this.closedDatagrams++; },
    };
  }

  resolver(): { address: string; port: number } {
    return { address: '127.0.0.53', port: 5353 };
  }

  /** All frames that came, which are then gone. */
  take(): Uint8Array[] {
    return this.frames.splice(0);
  }

  /** Asks by ARP, so that the network knows the guest. */
  arp(target: number, source = GUEST): void {
    const frame = ethernetFrame(new Uint8Array(6).fill(0xff), MAC, TYPE_ARP, 28);
    frame.set([0, 1, 8, 0, 6, 4, 0, 1, ...MAC], ETHERNET_HEADER);
    put32(frame, 28, source);
    put32(frame, 38, target);
    this.network.send(frame);
  }

  ip(destination: number, protocol: number, data: Uint8Array, { source = GUEST, fragment = 0, id = 7, to = this.routerMac } = {}): void {
    const frame = ethernetFrame(to, MAC, TYPE_IPV4, 20 + data.length);
    frame.set(data, IP_DATA);
    fillIpHeader(frame, source, destination, protocol, id, fragment);
    this.network.send(frame);
  }

  udp(port: number, destination: number, destinationPort: number, data: readonly number[], source = GUEST): void {
    this.ip(destination, PROTOCOL_UDP, udpDatagram(source, port, destination, destinationPort, Uint8Array.from(data)), { source });
  }

  tcp(destination: number, segment: Partial<Omit<Segment, 'data'>> & { data?: readonly number[]; options?: readonly number[] }): void {
    const { data = [], options = [] } = segment, bytes = new Uint8Array(TCP_HEADER + options.length + data.length);
    writeHeader(bytes, 0, { sourcePort: 1025, destinationPort: 80, sequence: 0, acknowledged: 0, flags: 0, window: 8192, ...segment }, options);
    bytes.set(data, TCP_HEADER + options.length);
    put16(bytes, 16, checksum(sumWords(bytes, 0, bytes.length, pseudoSum(GUEST, destination, PROTOCOL_TCP, bytes.length))));
    this.ip(destination, PROTOCOL_TCP, bytes);
  }

  /** The IPv4 packets that came; each is checked to be for this guest. */
  packets(): IpPacket[] {
    return this.take().filter((frame) => get16(frame, 12) === TYPE_IPV4).map((frame) => {
      const packet = parseIp(frame);
      if (packet === null) throw new Error('a damaged packet');
      if (packet.destination !== BROADCAST && get32(frame, 2) !== get32(MAC, 2)) throw new Error('a packet for someone else');
      return packet;
    });
  }

  /** The TCP segments that came, with right checksums. */
  segments(): Segment[] {
    return this.packets().filter(({ protocol }) => protocol === PROTOCOL_TCP).map(({ source, destination, data }) => {
      if (checksum(sumWords(data, 0, data.length, pseudoSum(source, destination, PROTOCOL_TCP, data.length))) !== 0) throw new Error('a bad TCP checksum');
      return parseSegment(data)!;
    });
  }
}
