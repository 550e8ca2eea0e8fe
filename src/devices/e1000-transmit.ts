/**
 * What an 82540EM does with a packet before it is sent: checksums put in, TCP data cut into segments.
 * Source: Intel 317453, sections 3.3.6, 3.3.7 (context and data descriptors), 3.5 (TCP segmentation), 3.6 (checksums).
 */

/** A context descriptor's four words. */
export interface OffloadContext {
  readonly ipStart: number;
  readonly ipOffset: number;
  /** Last byte that is summed; 0: the packet's. */
  readonly ipEnd: number;
  readonly start: number;
  readonly offset: number;
  readonly end: number;
  readonly headerLength: number;
  readonly segmentSize: number;
  readonly isTcp: boolean;
  readonly isIpv4: boolean;
}

export const CONTEXT_TCP = 1, CONTEXT_IPV4 = 2;
/** POPTS of a data descriptor. */
export const INSERT_IP = 1, INSERT_TCP = 2;
const TCP_FIN_PSH = 0x09, TCP_CWR = 0x80;

export function parseContext(words: Int32Array): OffloadContext {
  const [ip, tcp, command, sizes] = words;
  return {
    ipStart: ip & 0xff, ipOffset: (ip >>> 8) & 0xff, ipEnd: ip >>> 16, start: tcp & 0xff, offset: (tcp >>> 8) & 0xff, end: tcp >>> 16,
    isTcp: ((command >>> 24) & CONTEXT_TCP) !== 0, isIpv4: ((command >>> 24) & CONTEXT_IPV4) !== 0, headerLength: (sizes >>> 8) & 0xff, segmentSize: sizes >>> 16,
  };
}

const get16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

function put16(bytes: Uint8Array, at: number, value: number): void {
  if (at + 1 >= bytes.length) return;
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** Puts in the checksum of the bytes from `start` on; what stands in its place is summed, too. */
export function insertChecksum(packet: Uint8Array, start: number, offset: number, end: number): void {
  const stop = end === 0 ? packet.length : Math.min(end + 1, packet.length);
  let sum = 0;
  for (let at = start; at < stop; at += 2) sum += at + 1 < stop ? get16(packet, at) : packet[at] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  put16(packet, offset, ~sum & 0xffff);
}

/** The frames that a packet becomes. @param segments cut it; else it is one frame */
export function offload(packet: Uint8Array, context: OffloadContext, options: number, segments: boolean): Uint8Array[] {
  const { headerLength, segmentSize } = context;
  const cut = segments && segmentSize > 0 && packet.length > headerLength;
  const frames: Uint8Array[] = [];
  if (!cut) frames.push(packet);
  else {
    for (let at = headerLength; at < packet.length; at += segmentSize) {
      const data = packet.subarray(at, at + segmentSize), frame = new Uint8Array(headerLength + data.length);
      frame.set(packet.subarray(0, headerLength));
      frame.set(data, headerLength);
      fillIn(frame, context, frames.length, at - headerLength, at + segmentSize >= packet.length);
      frames.push(frame);
    }
  }
  for (const frame of frames) {
    if (options & INSERT_TCP) insertChecksum(frame, context.start, context.offset, context.end);
    if (options & INSERT_IP) insertChecksum(frame, context.ipStart, context.ipOffset, context.ipEnd);
  }
  return frames;
}

/** The lengths and numbers of a segment. */
function fillIn(frame: Uint8Array, { ipStart, start, offset, isIpv4, isTcp }: OffloadContext, index: number, sent: number, last: boolean): void {
  const length = frame.length - start;
  if (isIpv4) {
    put16(frame, ipStart + 2, frame.length - ipStart);
    put16(frame, ipStart + 4, (get16(frame, ipStart + 4) + index) & 0xffff);
  } else put16(frame, ipStart + 4, frame.length - ipStart - 40);
  if (isTcp) {
    const sequence = get16(frame, start + 4) * 0x10000 + get16(frame, start + 6) + sent;
    put16(frame, start + 4, (sequence >>> 16) & 0xffff);
    put16(frame, start + 6, sequence & 0xffff);
    if (!last) frame[start + 13] &= ~TCP_FIN_PSH;
    if (index > 0) frame[start + 13] &= ~TCP_CWR;
  } else put16(frame, start + 4, length);
  // The driver left the sum of the pseudo header there, without the length.
  const sum = get16(frame, offset) + length;
  put16(frame, offset, (sum & 0xffff) + (sum >>> 16));
}
