/**
 * Ethernet II, IPv4, UDP and ICMP as bytes. Addresses are unsigned 32-bit numbers, frames have no FCS.
 * Sources: RFC 894 (Ethernet), RFC 791 (IPv4), RFC 768 (UDP), RFC 792 (ICMP), RFC 1071 (checksum).
 *
 *     0  destination   6  source   12  type   | IPv4: 14 version, length  16 total  18 id  20 flags, offset  22 TTL  23 protocol
 *                                             |       24 checksum  26 source  30 destination  34 data
 */

export const ETHERNET_HEADER = 14;
export const IP_HEADER = 20;
export const UDP_HEADER = 8;
export const ICMP_HEADER = 8;
/** Where the data of an IPv4 frame that was built here begins. */
export const IP_DATA = ETHERNET_HEADER + IP_HEADER;
/** Largest IPv4 packet on Ethernet. */
export const MTU = 1500;

export const TYPE_IPV4 = 0x0800;
export const TYPE_ARP = 0x0806;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

export const BROADCAST_MAC = new Uint8Array(6).fill(0xff);
export const BROADCAST = 0xffffffff;

export const get16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
export const get32 = (bytes: Uint8Array, at: number): number => ((get16(bytes, at) << 16) | get16(bytes, at + 2)) >>> 0;

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

/** Sum of the big-endian words of a range, added to `sum`; an odd last byte is a high one. */
export function sumWords(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let at = start;
  for (; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  return at < end ? sum + (bytes[at]! << 8) : sum;
}

/** The checksum of such a sum (below 2^48). */
export function checksum(sum: number): number {
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The pseudo header's part of a UDP or TCP checksum. */
export function pseudoSum(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

/** `10.0.2.2` of a number. */
export const formatAddress = (address: number): string => `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

/** A number of `10.0.2.2`; null if it is no such text. */
export function parseAddress(text: string): number | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null;
  const parts = text.split('.').map(Number);
  return parts.some((part) => part > 255) ? null : parts.reduce((address, part) => address * 256 + part, 0);
}

/** An IPv4 packet, as parseIp() finds it in a frame. */
export interface IpPacket {
  source: number;
  destination: number;
  protocol: number;
  ttl: number;
  id: number;
  /** Of a fragment: its place in the packet, in bytes. */
  offset: number;
  moreFragments: boolean;
  /** The whole packet as it came, for ICMP errors. */
  bytes: Uint8Array;
  data: Uint8Array;
}

/** The IPv4 packet in a frame; null if it is damaged. */
export function parseIp(frame: Uint8Array): IpPacket | null {
  if (frame.length < IP_DATA || frame[ETHERNET_HEADER]! >> 4 !== 4) return null;
  const header = (frame[ETHERNET_HEADER]! & 15) * 4, total = get16(frame, 16);
  if (header < IP_HEADER || total < header || ETHERNET_HEADER + total > frame.length) return null;
  if (checksum(sumWords(frame, ETHERNET_HEADER, ETHERNET_HEADER + header)) !== 0) return null;
  const fragment = get16(frame, 20);
  return {
    source: get32(frame, 26), destination: get32(frame, 30), protocol: frame[23]!, ttl: frame[22]!, id: get16(frame, 18),
    offset: (fragment & 0x1fff) * 8, moreFragments: (fragment & 0x2000) !== 0,
    bytes: frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + total), data: frame.subarray(ETHERNET_HEADER + header, ETHERNET_HEADER + total),
  };
}

/** A frame with its Ethernet header, and room for `length` bytes behind it. */
export function ethernetFrame(destination: Uint8Array, source: Uint8Array, type: number, length: number): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + length);
  frame.set(destination, 0);
  frame.set(source, 6);
  put16(frame, 12, type);
  return frame;
}

/** Fills in the IPv4 header of a frame whose data begin at IP_DATA. @param fragment the word of flags and offset */
export function fillIpHeader(frame: Uint8Array, source: number, destination: number, protocol: number, id: number, fragment = 0): void {
  frame[14] = 0x45;
  put16(frame, 16, frame.length - ETHERNET_HEADER);
  put16(frame, 18, id);
  put16(frame, 20, fragment);
  frame[22] = 64;
  frame[23] = protocol;
  put16(frame, 24, 0);
  put32(frame, 26, source);
  put32(frame, 30, destination);
  put16(frame, 24, checksum(sumWords(frame, ETHERNET_HEADER, IP_DATA)));
}

/** A UDP datagram with its checksum, as data of an IPv4 packet. */
export function udpDatagram(source: number, sourcePort: number, destination: number, destinationPort: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(UDP_HEADER + data.length);
  put16(bytes, 0, sourcePort);
  put16(bytes, 2, destinationPort);
  put16(bytes, 4, bytes.length);
  bytes.set(data, UDP_HEADER);
  // Zero would say that there is no checksum.
  put16(bytes, 6, checksum(sumWords(bytes, 0, bytes.length, pseudoSum(source, destination, PROTOCOL_UDP, bytes.length))) || 0xffff);
  return bytes;
}

/** An ICMP message: `rest` is the header's second word. */
export function icmpMessage(type: number, code: number, rest: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ICMP_HEADER + data.length);
  bytes[0] = type;
  bytes[1] = code;
  put32(bytes, 4, rest);
  bytes.set(data, ICMP_HEADER);
  put16(bytes, 2, checksum(sumWords(bytes, 0, bytes.length)));
  return bytes;
}
