/**
 * TCP segments as bytes. Source: RFC 9293, section 3.1; RFC 7323 (window scale).
 *
 *     0 source port  2 destination port  4 sequence  8 acknowledgement  12 header length, flags  14 window  16 checksum  18 urgent  20 options
 */
import { get16, get32, put16, put32 } from './packet.ts';

export const TCP_HEADER = 20;
export const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16;
const OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_SCALE = 3;
/** RFC 9293, 3.7.1: of a side that does not say. */
const DEFAULT_MSS = 536;
export const SCALE_MAX = 14;

export interface Segment {
  sourcePort: number;
  destinationPort: number;
  /** Sequence numbers are int32: only their differences have a meaning. */
  sequence: number;
  acknowledged: number;
  flags: number;
  /** As it stands in the header, not scaled. */
  window: number;
  data: Uint8Array;
  mss: number;
  /** null: the other side does not scale windows. */
  scale: number | null;
}

/** The segment in a packet's data, whose checksum is right already; null if it is damaged. */
export function parseSegment(bytes: Uint8Array): Segment | null {
  if (bytes.length < TCP_HEADER) return null;
  const header = (bytes[12]! >> 4) * 4;
  if (header < TCP_HEADER || header > bytes.length) return null;
  const segment: Segment = {
    sourcePort: get16(bytes, 0), destinationPort: get16(bytes, 2), sequence: get32(bytes, 4) | 0, acknowledged: get32(bytes, 8) | 0,
    flags: bytes[13]!, window: get16(bytes, 14), data: bytes.subarray(header), mss: DEFAULT_MSS, scale: null,
  };
  if (segment.flags & SYN) parseOptions(bytes.subarray(TCP_HEADER, header), segment);
  return segment;
}

function parseOptions(options: Uint8Array, segment: Segment): void {
  for (let at = 0; at < options.length && options[at] !== OPTION_END;) {
    if (options[at] === OPTION_NOP) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) return;
    if (options[at] === OPTION_MSS && length === 4) segment.mss = Math.max(get16(options, at + 2), 64);
    if (options[at] === OPTION_SCALE && length === 3) segment.scale = Math.min(options[at + 2]!, SCALE_MAX);
    at += length;
  }
}

/** Writes a header at `at`; its checksum is left to whoever knows the addresses. @param options must fill whole words */
export function writeHeader(bytes: Uint8Array, at: number, segment: Omit<Segment, 'data' | 'mss' | 'scale'>, options: readonly number[] = []): void {
  put16(bytes, at, segment.sourcePort);
  put16(bytes, at + 2, segment.destinationPort);
  put32(bytes, at + 4, segment.sequence);
  put32(bytes, at + 8, segment.acknowledged);
  bytes[at + 12] = (TCP_HEADER + options.length) << 2;
  bytes[at + 13] = segment.flags;
  put16(bytes, at + 14, segment.window);
  bytes.set(options, at + TCP_HEADER);
}

/** The options of a SYN. */
export function synOptions(mss: number, scale: number | null): number[] {
  const options = [OPTION_MSS, 4, mss >> 8, mss & 255];
  return scale === null ? options : [...options, OPTION_NOP, OPTION_SCALE, 3, scale];
}
