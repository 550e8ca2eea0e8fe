/**
 * The network behind `-netdev user`: a router with DHCP and DNS, whose connections are the host's own. Nothing here needs rights on the
 * host, and nobody outside can reach the guest but through forwarded ports.
 *
 *     gateway (10.0.2.2)  answers ARP, DHCP and pings; its TCP and UDP ports are those of the host's loopback
 *     DNS (10.0.2.3)      port 53: the host's resolver
 *     others              the host's connections to them
 *
 * Source: RFC 826 (ARP), RFC 1122 (3.2.2 ICMP), RFC 768; addresses as in qemu(1).
 */
import type { Timer } from '../../devices/device.ts';
import type { NetBackend, NetPort } from '../../devices/host.ts';
import { DhcpServer } from './dhcp.ts';
import { Fragments } from './fragments.ts';
import type { HostDatagrams, HostNetwork, HostStream, StreamEvents } from './host-network.ts';
import {
  BROADCAST, BROADCAST_MAC, ETHERNET_HEADER, IP_DATA, IP_HEADER, MTU, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, TYPE_ARP, TYPE_IPV4, UDP_HEADER,
  checksum, ethernetFrame, fillIpHeader, formatAddress, get16, get32, icmpMessage, parseAddress, parseIp, pseudoSum, put16, put32, sumWords, udpDatagram,
} from './packet.ts';
import type { IpPacket } from './packet.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { Endpoints, TcpPath } from './tcp-connection.ts';
import { ACK, RST, SYN, TCP_HEADER, parseSegment, writeHeader } from './tcp-segment.ts';
import type { Segment } from './tcp-segment.ts';

export interface UserSettings {
  /** The network's address and mask, and who is who in it. */
  readonly network: number;
  readonly mask: number;
  readonly gateway: number;
  readonly dns: number;
  readonly firstGuest: number;
  readonly hostName: string | null;
  /** The guest reaches nothing but the gateway's DHCP and pings. */
  readonly restrict: boolean;
}

const LOOPBACK = '127.0.0.1';
const DNS_PORT = 53, DHCP_SERVER = 67, DHCP_CLIENT = 68;
const ARP_REQUEST = 1, ARP_REPLY = 2, ARP_LENGTH = 28;
const ECHO_REPLY = 0, UNREACHABLE = 3, ECHO = 8;
const HOST_UNREACHABLE = 1, PORT_UNREACHABLE = 3, PROHIBITED = 13;
/** A UDP port that nobody used for so long (ns) is given back; how many there may be. */
const DATAGRAM_IDLE = 120_000_000_000, DATAGRAMS_MOST = 512;
/** How many TCP connections there may be. */
const CONNECTIONS_MOST = 1024;
const FIRST_EPHEMERAL = 49152;
/** How many guests may be known at once. */
const NEIGHBOURS_MOST = 256;

interface Datagrams {
  readonly socket: HostDatagrams;
  used: number;
  /** Forwarded by an option: stays. */
  readonly kept: boolean;
}

export class UserNetwork implements NetBackend {
  readonly #settings: UserSettings;
  readonly #host: HostNetwork;
  readonly #gatewayMac: Uint8Array;
  readonly #dhcp: DhcpServer;
  #port: NetPort | null = null;
  #path: TcpPath | null = null;
  #fragments: Fragments | null = null;
  #sweep: Timer | null = null;
  /** Hardware addresses by address, and the packet that waits for one. */
  readonly #neighbours = new Map<number, Uint8Array>();
  readonly #waiting = new Map<number, Uint8Array>();
  readonly #connections = new Map<string, TcpConnection>();
  readonly #datagrams = new Map<string, Datagrams>();
  #id = 0;
  #opened = 0;

  constructor(settings: UserSettings, host: HostNetwork) {
    this.#settings = settings;
    this.#host = host;
    const { gateway, mask, dns, firstGuest, hostName, restrict } = settings;
    this.#gatewayMac = new Uint8Array([0x52, 0x55, gateway >>> 24, gateway >>> 16, gateway >>> 8, gateway]);
    this.#dhcp = new DhcpServer({ server: gateway, mask, router: restrict ? null : gateway, dns: restrict ? null : dns, first: firstGuest, hostName });
  }

  plug(port: NetPort): void {
    this.#port = port;
    this.#path = {
      clock: port.clock,
      send: (endpoints, frame) => this.#sendTcp(endpoints, frame),
      unreachable: ({ guest, guestPort, remote, remotePort }) => {
        // The head of the packet that this is about, as far as a guest looks at it.
        const about = new Uint8Array(IP_HEADER + 8), frame = ethernetFrame(BROADCAST_MAC, BROADCAST_MAC, TYPE_IPV4, IP_HEADER);
        fillIpHeader(frame, guest, remote, PROTOCOL_TCP, 0);
        about.set(frame.subarray(ETHERNET_HEADER));
        put16(about, IP_HEADER, guestPort);
        put16(about, IP_HEADER + 2, remotePort);
        this.#icmp(this.#settings.gateway, guest, icmpMessage(UNREACHABLE, HOST_UNREACHABLE, 0, about));
      },
      closed: (connection) => {
        const key = keyOf(connection.endpoints);
        if (this.#connections.get(key) === connection) this.#connections.delete(key);
      },
    };
    this.#fragments = new Fragments(port.clock);
    this.#sweep = port.clock.timer('udp-idle', () => this.#sweepDatagrams());
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.finish();
    for (const { socket } of this.#datagrams.values()) socket.close();
    this.#datagrams.clear();
    this.#sweep?.cancel();
  }

  send(frame: Uint8Array): void {
    // On a hub there are frames for others.
    if (frame.length < ETHERNET_HEADER || ((frame[0]! & 1) === 0 && this.#gatewayMac.some((byte, i) => byte !== frame[i]))) return;
    const type = get16(frame, 12);
    if (type === TYPE_ARP) this.#arp(frame);
    else if (type === TYPE_IPV4) {
      const packet = parseIp(frame);
      if (packet === null) return;
      this.#learn(packet.source, frame.subarray(6, 12));
      const whole = this.#fragments!.add(packet);
      if (whole !== null) this.#ip(whole);
    }
  }

  /** A connection to a forwarded port of the host: to `guest`. */
  accept(stream: HostStream, peer: { address: string; port: number }, guest: number, guestPort: number): void {
    const address = parseAddress(peer.address.replace(/^::ffff:/, ''));
    const remote = address === null || address >>> 24 === 127 ? this.#settings.gateway : address;
    const endpoints: { -readonly [K in keyof Endpoints]: Endpoints[K] } = { guest, guestPort, remote, remotePort: peer.port };
    while (this.#connections.has(keyOf(endpoints))) endpoints.remotePort = FIRST_EPHEMERAL + (this.#opened++ & 0x3fff);
    if (this.#path === null || this.#connections.size >= CONNECTIONS_MOST) stream.destroy();
    else this.#open(endpoints, null, (events) => {
      stream.events = events;
      return stream;
    });
  }

  /** A forwarded UDP port of the host: what the guest sends from `guestPort` leaves by it. */
  forwardDatagrams(guest: number, guestPort: number, socket: HostDatagrams): void {
    this.#datagrams.set(`${guest} ${guestPort} ${false}`, { socket, used: 0, kept: true });
  }

  /** A datagram that came to a forwarded port, or the answer to one of the guest's. */
  receiveDatagram(guest: number, guestPort: number, bytes: Uint8Array, address: string, port: number): void {
    const source = parseAddress(address);
    this.#udpToGuest(source === null || source >>> 24 === 127 ? this.#settings.gateway : source, port, guest, guestPort, bytes);
  }

  // Ethernet and ARP.

  #learn(address: number, mac: Uint8Array): void {
    if (!this.#isInside(address) || this.#isOurs(address)) return;
    const known = this.#neighbours.get(address);
    if (this.#neighbours.size >= NEIGHBOURS_MOST && known === undefined) this.#neighbours.clear();
    if (known === undefined || known.some((byte, i) => byte !== mac[i])) this.#neighbours.set(address, mac.slice());
    const frame = this.#waiting.get(address);
    if (frame === undefined) return;
    this.#waiting.delete(address);
    frame.set(mac, 0);
    this.#port!.deliver(frame);
  }

  #isInside(address: number): boolean {
    const { network, mask } = this.#settings;
    return ((address & mask) >>> 0) === network && address !== network && address !== ((network | ~mask) >>> 0);
  }

  #isOurs(address: number): boolean {
    return address === this.#settings.gateway || address === this.#settings.dns;
  }

  #arp(frame: Uint8Array): void {
    // Ethernet (1), IPv4, lengths 6 and 4.
    if (frame.length < ETHERNET_HEADER + ARP_LENGTH || get32(frame, 14) !== 0x00010800 || get16(frame, 18) !== 0x0604) return;
    const operation = get16(frame, 20), sender = get32(frame, 28), target = get32(frame, 38);
    const mac = frame.slice(22, 28);
    this.#learn(sender, mac);
    if (operation === ARP_REQUEST && this.#isOurs(target)) this.#port!.deliver(this.#arpFrame(ARP_REPLY, target, mac, sender));
  }

  #arpFrame(operation: number, sender: number, mac: Uint8Array, target: number): Uint8Array {
    const frame = ethernetFrame(operation === ARP_REQUEST ? BROADCAST_MAC : mac, this.#gatewayMac, TYPE_ARP, ARP_LENGTH);
    put32(frame, 14, 0x00010800);
    put16(frame, 18, 0x0604);
    put16(frame, 20, operation);
    frame.set(this.#gatewayMac, 22);
    put32(frame, 28, sender);
    if (operation === ARP_REPLY) frame.set(mac, 32);
    put32(frame, 38, target);
    return frame;
  }

  /** Sends a frame with an IPv4 packet in it to a guest, once its hardware address is known. */
  #toGuest(frame: Uint8Array, guest: number): void {
    frame.set(this.#gatewayMac, 6);
    put16(frame, 12, TYPE_IPV4);
    const mac = guest === BROADCAST ? BROADCAST_MAC : this.#neighbours.get(guest);
    if (mac !== undefined) {
      frame.set(mac, 0);
      this.#port!.deliver(frame);
      return;
    }
    if (this.#waiting.size >= NEIGHBOURS_MOST) this.#waiting.clear();
    this.#waiting.set(guest, frame);
    this.#port!.deliver(this.#arpFrame(ARP_REQUEST, this.#settings.gateway, BROADCAST_MAC, guest));
  }

  // IPv4.

  #ip(packet: IpPacket): void {
    if (packet.protocol === PROTOCOL_UDP) this.#udp(packet);
    else if (packet.protocol === PROTOCOL_TCP) this.#tcp(packet);
    else if (packet.protocol === PROTOCOL_ICMP) this.#icmpFromGuest(packet);
  }

  /** Where the host sends what the guest sends there; null: nowhere. */
  #hostAddress(destination: number, port: number): { address: string; port: number } | null {
    const { gateway, dns } = this.#settings;
    if (destination === gateway) return { address: LOOPBACK, port };
    if (destination === dns && port === DNS_PORT) return this.#host.resolver();
    // The host's loopback is the gateway only; the rest of this network, and groups, are nowhere.
    const first = destination >>> 24;
    if (this.#isInside(destination) || first === 0 || first === 127 || first >= 224) return null;
    return { address: formatAddress(destination), port };
  }

  /** Sends an IPv4 packet, in fragments if it is large. */
  #sendIp(source: number, destination: number, protocol: number, data: Uint8Array): void {
    const most = (MTU - IP_HEADER) & ~7, id = (this.#id = (this.#id + 1) & 0xffff);
    for (let at = 0; at === 0 || at < data.length; at += most) {
      const part = data.subarray(at, at + most), frame = new Uint8Array(IP_DATA + part.length);
      frame.set(part, IP_DATA);
      fillIpHeader(frame, source, destination, protocol, id, (at / 8) | (at + most < data.length ? 0x2000 : 0));
      this.#toGuest(frame, destination);
    }
  }

  // ICMP.

  #icmp(source: number, guest: number, message: Uint8Array): void {
    this.#sendIp(source, guest, PROTOCOL_ICMP, message);
  }

  #icmpFromGuest(packet: IpPacket): void {
    const { data, source, destination } = packet;
    if (data.length < 8 || data[0] !== ECHO || checksum(sumWords(data, 0, data.length)) !== 0) return;
    if (this.#isOurs(destination)) this.#icmp(destination, source, icmpMessage(ECHO_REPLY, 0, get32(data, 4), data.subarray(8)));
    // Without rights on the host nobody can be pinged from here.
    else this.#refuse(packet, PROHIBITED);
  }

  #refuse({ source, bytes, destination }: IpPacket, code: number): void {
    if (destination !== BROADCAST && destination >>> 28 !== 14) this.#icmp(this.#settings.gateway, source, icmpMessage(UNREACHABLE, code, 0, bytes.slice(0, IP_HEADER + 8)));
  }

  // UDP.

  #udp(packet: IpPacket): void {
    const { data, source, destination } = packet;
    if (data.length < UDP_HEADER) return;
    const length = get16(data, 4), sourcePort = get16(data, 0), port = get16(data, 2);
    if (length < UDP_HEADER || length > data.length) return;
    if (get16(data, 6) !== 0 && checksum(sumWords(data, 0, length, pseudoSum(source, destination, PROTOCOL_UDP, length))) !== 0) return;
    const bytes = data.slice(UDP_HEADER, length);
    if (port === DHCP_SERVER && (destination === BROADCAST || destination === this.#settings.gateway)) {
      this.#dhcpFromGuest(bytes);
      return;
    }
    const known = this.#datagrams.get(`${source} ${sourcePort} ${false}`);
    if (this.#settings.restrict && known?.kept !== true) return;
    const target = this.#hostAddress(destination, port);
    if (target === null) return this.#refuse(packet, PORT_UNREACHABLE);
    this.#datagramsOf(source, sourcePort, destination === this.#settings.dns, target.address.includes(':')).send(bytes, target.address, target.port);
  }

  #dhcpFromGuest(message: Uint8Array): void {
    const reply = this.#dhcp.answer(message);
    if (reply === null) return;
    const { gateway } = this.#settings;
    if (reply.assigned !== 0) this.#neighbours.set(reply.assigned, reply.hardware);
    this.#udpToGuest(gateway, DHCP_SERVER, reply.client === 0 ? BROADCAST : reply.client, DHCP_CLIENT, reply.message);
  }

  #udpToGuest(source: number, sourcePort: number, guest: number, port: number, bytes: Uint8Array): void {
    if (this.#port !== null) this.#sendIp(source, guest, PROTOCOL_UDP, udpDatagram(source, sourcePort, guest, port, bytes));
  }

  /** The host's port that stands for one of the guest's. Answers of the resolver come from the network's DNS address. */
  #datagramsOf(guest: number, guestPort: number, isDns: boolean, ipv6: boolean): HostDatagrams {
    const key = `${guest} ${guestPort} ${isDns}`, now = this.#port!.clock.now();
    let datagrams = this.#datagrams.get(key);
    if (datagrams === undefined) {
      if (this.#datagrams.size >= DATAGRAMS_MOST) this.#dropOldest();
      datagrams = { used: now, kept: false, socket: this.#host.datagrams(ipv6, (bytes, address, port) => {
        if (isDns) this.#udpToGuest(this.#settings.dns, DNS_PORT, guest, guestPort, bytes);
        else this.receiveDatagram(guest, guestPort, bytes, address, port);
      }) };
      this.#datagrams.set(key, datagrams);
    }
    datagrams.used = now;
    if (!this.#sweep!.armed) this.#sweep!.arm(now + DATAGRAM_IDLE);
    return datagrams.socket;
  }

  #dropOldest(): void {
    const [oldest] = [...this.#datagrams].filter(([, { kept }]) => !kept).sort(([, a], [, b]) => a.used - b.used);
    if (oldest !== undefined) this.#dropDatagrams(oldest[0]);
  }

  #dropDatagrams(key: string): void {
    this.#datagrams.get(key)!.socket.close();
    this.#datagrams.delete(key);
  }

  #sweepDatagrams(): void {
    const now = this.#port!.clock.now();
    for (const [key, { used, kept }] of [...this.#datagrams]) if (!kept && now - used >= DATAGRAM_IDLE) this.#dropDatagrams(key);
    if ([...this.#datagrams.values()].some(({ kept }) => !kept)) this.#sweep!.arm(now + DATAGRAM_IDLE / 4);
  }

  // TCP.

  #tcp(packet: IpPacket): void {
    const { source, destination, data } = packet;
    if (checksum(sumWords(data, 0, data.length, pseudoSum(source, destination, PROTOCOL_TCP, data.length))) !== 0) return;
    const segment = parseSegment(data);
    if (segment === null) return;
    const endpoints: Endpoints = { guest: source, guestPort: segment.sourcePort, remote: destination, remotePort: segment.destinationPort };
    const known = this.#connections.get(keyOf(endpoints)), opens = (segment.flags & (SYN | ACK | RST)) === SYN;
    if (known !== undefined && (!opens || known.isRepeated(segment))) return known.receive(segment);
    // A guest that started anew takes the port again.
    known?.abort();
    if (!opens) return this.#reset(endpoints, segment);
    const target = this.#settings.restrict ? null : this.#hostAddress(destination, segment.destinationPort);
    if (target === null || this.#connections.size >= CONNECTIONS_MOST) return this.#reset(endpoints, segment);
    this.#open(endpoints, segment, (events) => this.#host.connect(target.address, target.port, events));
  }

  #open(endpoints: Endpoints, syn: Segment | null, open: (events: StreamEvents) => HostStream): void {
    // RFC 9293, 3.4.1: first numbers follow the clock, four microseconds each.
    const sequence = Math.floor(this.#path!.clock.now() / 4000) + 64000 * this.#opened++;
    this.#connections.set(keyOf(endpoints), new TcpConnection(this.#path!, endpoints, syn, sequence, open));
  }

  /** There is no such connection. RFC 9293, 3.5.2. */
  #reset(endpoints: Endpoints, { flags, sequence, acknowledged, data }: Segment): void {
    if (flags & RST) return;
    const frame = new Uint8Array(IP_DATA + TCP_HEADER), answers = (flags & ACK) !== 0;
    writeHeader(frame, IP_DATA, {
      sourcePort: endpoints.remotePort, destinationPort: endpoints.guestPort, window: 0, flags: answers ? RST : RST | ACK,
      sequence: answers ? acknowledged : 0, acknowledged: answers ? 0 : (sequence + data.length + (flags & SYN ? 1 : 0)) | 0,
    });
    this.#sendTcp(endpoints, frame);
  }

  #sendTcp({ guest, remote }: Endpoints, frame: Uint8Array): void {
    const length = frame.length - IP_DATA;
    put16(frame, IP_DATA + 16, checksum(sumWords(frame, IP_DATA, frame.length, pseudoSum(remote, guest, PROTOCOL_TCP, length))));
    // Don't fragment.
    fillIpHeader(frame, remote, guest, PROTOCOL_TCP, (this.#id = (this.#id + 1) & 0xffff), 0x4000);
    this.#toGuest(frame, guest);
  }
}

const keyOf = ({ guest, guestPort, remote, remotePort }: Endpoints): string => `${guest} ${guestPort} ${remote} ${remotePort}`;
