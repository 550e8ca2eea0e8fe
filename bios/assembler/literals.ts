/** Integer and string literals (NASM manual, 3.4 "Constants"). */
import { LineError } from './errors.ts';

const PREFIX_RADIX: Readonly<Record<string, number>> = { x: 16, h: 16, d: 10, t: 10, o: 8, q: 8, b: 2, y: 2 };

const DIGITS: Readonly<Record<number, RegExp>> = { 2: /^[01]+$/, 8: /^[0-7]+$/, 10: /^\d+$/, 16: /^[\da-f]+$/ };

function digitsToValue(digits: string, radix: number): bigint | null {
  if (!DIGITS[radix]!.test(digits)) return null;
  if (radix === 10) return BigInt(digits);
  return BigInt((radix === 16 ? '0x' : radix === 8 ? '0o' : '0b') + digits);
}

/** `0x1f`, `1fh`, `$1f`, `0b1010`, `1010b`, `0o17`, `17q`, `0d10`, `10`, with `_` anywhere; null if it is none of these. */
export function parseInteger(text: string): bigint | null {
  const bare = text.toLowerCase().replaceAll('_', '');
  let value: bigint | null = null;
  if (bare[0] === '$') value = digitsToValue(bare.slice(1), 16);
  else if (/^\d+$/.test(bare)) value = BigInt(bare);
  else {
    // A suffix wins over a prefix that is itself a digit of the radix, as in 0bh (hexadecimal 0B).
    const suffix = PREFIX_RADIX[bare[bare.length - 1]!];
    const prefix = bare[0] === '0' ? PREFIX_RADIX[bare[1]!] : undefined;
    if (suffix !== undefined && !(prefix === 16 && bare[1] === 'x')) value = digitsToValue(bare.slice(0, -1), suffix);
    if (value === null && prefix !== undefined) value = digitsToValue(bare.slice(2), prefix);
  }
  return value;
}

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  "'": 39, '"': 34, '`': 96, '\\': 92, '?': 63, a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, e: 27,
};

const encoder = new TextEncoder();

function unescape(body: string): Uint8Array {
  const bytes: number[] = [];
  let at = 0;
  while (at < body.length) {
    if (body[at] !== '\\') {
      const end = body.indexOf('\\', at);
      const run = body.slice(at, end < 0 ? body.length : end);
      bytes.push(...encoder.encode(run));
      at += run.length;
      continue;
    }
    const rest = body.slice(at + 1);
    const numeric = /^([0-7]{1,3})|^x([\da-fA-F]{1,2})|^u([\da-fA-F]{4})|^U([\da-fA-F]{8})/.exec(rest);
    if (numeric !== null) {
      if (numeric[1] !== undefined) bytes.push(parseInt(numeric[1], 8) & 255);
      else if (numeric[2] !== undefined) bytes.push(parseInt(numeric[2], 16));
      else bytes.push(...encoder.encode(String.fromCodePoint(parseInt((numeric[3] ?? numeric[4])!, 16))));
      at += 1 + numeric[0].length;
      continue;
    }
    const simple = SIMPLE_ESCAPES[rest[0] ?? ''];
    if (simple === undefined) throw new LineError(`bad escape in string: \\${rest[0] ?? ''}`);
    bytes.push(simple);
    at += 2;
  }
  return Uint8Array.from(bytes);
}

/** Bytes of a quoted string: '' and "" as they stand (UTF-8), `` with C escapes. */
export function stringBytes(quoted: string): Uint8Array {
  const body = quoted.slice(1, -1);
  return quoted[0] === '`' ? unescape(body) : encoder.encode(body);
}

/** A string used as a number: first character in the low byte, at most eight. */
export function stringValue(bytes: Uint8Array): bigint {
  if (bytes.length > 8) throw new LineError('character constant too long');
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** Text of a quoted string, for file names and messages. */
export const stringText = (quoted: string): string => new TextDecoder().decode(stringBytes(quoted));

/** A string literal for the given text, whatever quotes it holds. */
export function quoteText(text: string): string {
  if (!text.includes("'")) return `'${text}'`;
  if (!text.includes('"')) return `"${text}"`;
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
