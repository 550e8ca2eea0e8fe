/**
 * Packets of the gdb remote serial protocol: `$DATA#CC`, CC being the sum of DATA's bytes in two hex digits; `+` and `-` acknowledge, a byte
 * of 03h interrupts. In DATA `}` is followed by a byte XOR 20h, and `*` by a count: 29 more than how often the byte before it comes again.
 * Text stands for bytes, one character each. Source: the gdb manual, appendix E.1 (Overview).
 */
const ESCAPE = '}', REPEAT = '*', ESCAPED = 0x20, REPEAT_BASE = 29;

/** What arrives: a packet's data, an acknowledgement, a wish that it be sent again, an interrupt, or a packet whose sum is wrong. */
export type Arrival =
  | { readonly kind: 'packet'; readonly data: string }
  | { readonly kind: 'ack' | 'nack' | 'interrupt' | 'damaged' };

export const ACK = '+', NACK = '-', INTERRUPT = '\x03';

const hex = (value: number): string => value.toString(16).padStart(2, '0');

function checksum(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = sum + text.charCodeAt(i) & 0xff;
  return hex(sum);
}

/** The packet of these data, which are escaped as need be. */
export function encodePacket(data: string): string {
  const escaped = data.replaceAll(/[#$*}]/g, (character) => ESCAPE + String.fromCharCode(character.charCodeAt(0) ^ ESCAPED));
  return `$${escaped}#${checksum(escaped)}`;
}

/** The data as meant: escapes and repetitions written out. */
function decode(data: string): string {
  let text = '';
  for (let i = 0; i < data.length; i++) {
    const character = data[i]!;
    if (character === ESCAPE) text += String.fromCharCode(data.charCodeAt(++i) ^ ESCAPED);
    else if (character === REPEAT) text += text.slice(-1).repeat(Math.max(0, data.charCodeAt(++i) - REPEAT_BASE));
    else text += character;
  }
  return text;
}

/** Takes a stream apart that comes in pieces. */
export class PacketReader {
  #rest = '';

  /** All that is complete with these bytes; what belongs to no packet is dropped, as the protocol says. */
  push(bytes: string): Arrival[] {
    const arrivals: Arrival[] = [];
    let text = this.#rest + bytes, at = 0;
    for (; at < text.length; at++) {
      const character = text[at]!;
      if (character === ACK) arrivals.push({ kind: 'ack' });
      else if (character === NACK) arrivals.push({ kind: 'nack' });
      else if (character === INTERRUPT) arrivals.push({ kind: 'interrupt' });
      if (character !== '$') continue;
      const end = text.indexOf('#', at);
      if (end < 0 || end + 2 >= text.length) break;
      const data = text.slice(at + 1, end);
      arrivals.push(text.slice(end + 1, end + 3).toLowerCase() === checksum(data) ? { kind: 'packet', data: decode(data) } : { kind: 'damaged' });
      at = end + 2;
    }
    text = text.slice(at);
    this.#rest = text;
    return arrivals;
  }
}

/** Two hex digits a byte. */
export const hexOfText = (text: string): string => Array.from(text, (character) => hex(character.charCodeAt(0))).join('');

export const textOfHex = (digits: string): string => (digits.match(/../g) ?? []).map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join('');
