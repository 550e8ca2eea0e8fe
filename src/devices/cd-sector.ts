/**
 * A raw sector of mode 1, 2352 bytes, made from its 2048 bytes of data.
 *
 *     0 synchronization (12)   12 address as minute, second, frame in BCD, and mode (4)   16 data (2048)
 *     2064 error detection code (4)   2068 zeros (8)   2076 P parity (172)   2248 Q parity (104)
 *
 * Source: ECMA-130 §14, annexes A (parity: a Reed-Solomon product code over GF(2^8)) and B (EDC).
 */
import { CD_SECTOR, msf } from './cd-medium.ts';

export const RAW_SECTOR = 2352;
const HEADER = 12, DATA = 16, EDC = DATA + CD_SECTOR, P_PARITY = 2076, Q_PARITY = 2248;
/** x^32 + x^31 + x^16 + x^15 + x^4 + x^3 + x + 1, bits reversed. */
const EDC_POLYNOMIAL = 0xd801_8001;

/** Parts of a sector that READ CD asks for: bits 7–3 of its byte 9. */
const WANT_SYNC = 0x80, WANT_HEADER = 0x20, WANT_DATA = 0x10, WANT_PARITY = 0x08;

/** [first byte, bytes] of each part, in the sector's order. */
const PARTS = [[WANT_SYNC, 0, HEADER], [WANT_HEADER, HEADER, 4], [WANT_DATA, DATA, CD_SECTOR], [WANT_PARITY, EDC, RAW_SECTOR - EDC]] as const;

/** Bytes of a sector that READ CD with these flags returns. */
export function partsSize(flags: number): number {
  return PARTS.reduce((sum, [flag, , bytes]) => sum + ((flags & flag) !== 0 ? bytes : 0), 0);
}

/** Puts the wanted parts of sector `lba` to `target`. @param data its 2048 bytes */
export function writeParts(flags: number, lba: number, data: Uint8Array, target: Uint8Array): void {
  if ((flags & ~WANT_DATA & 0xf8) === 0) {
    if ((flags & WANT_DATA) !== 0) target.set(data);
    return;
  }
  const raw = rawSector(lba, data);
  let at = 0;
  for (const [flag, first, bytes] of PARTS) {
    if ((flags & flag) === 0) continue;
    target.set(raw.subarray(first, first + bytes), at);
    at += bytes;
  }
}

export function rawSector(lba: number, data: Uint8Array): Uint8Array {
  const raw = new Uint8Array(RAW_SECTOR);
  raw.fill(0xff, 1, HEADER - 1);
  msf(lba).forEach((value, i) => { raw[HEADER + i] = (Math.floor(value / 10) << 4) | value % 10; });
  raw[HEADER + 3] = 1;
  raw.set(data, DATA);
  new DataView(raw.buffer).setUint32(EDC, edc(raw.subarray(0, EDC)), true);
  // P runs down 86 columns of 24 bytes, Q along 52 diagonals of 43, over the bytes from the header on; both byte by byte of 16-bit words.
  parity(raw, P_PARITY, 86, 24, (column, row) => column + 86 * row);
  parity(raw, Q_PARITY, 52, 43, (diagonal, i) => ((diagonal >> 1) * 86 + i * 88) % 2236 + (diagonal & 1));
  return raw;
}

function edc(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ EDC_POLYNOMIAL : crc >>> 1;
  }
  return crc >>> 0;
}

/** Times α in GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1. */
const double = (value: number): number => ((value << 1) ^ ((value & 0x80) !== 0 ? 0x11d : 0)) & 0xff;

/** 1 / (α + 1) times each value. */
const UNDO = ((): Uint8Array => {
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value++) table[value ^ double(value)] = value;
  return table;
})();

/** Two check bytes for each of `count` code words, so that the sums of c(i) and of c(i) α^(n - 1 - i) are zero. */
function parity(raw: Uint8Array, target: number, count: number, length: number, place: (word: number, i: number) => number): void {
  for (let word = 0; word < count; word++) {
    let sum = 0, weighted = 0;
    for (let i = 0; i < length; i++) {
      const byte = raw[HEADER + place(word, i)]!;
      sum ^= byte;
      weighted = double(weighted ^ byte);
    }
    // first α + second = weighted α, first + second = sum.
    const first = UNDO[double(weighted) ^ sum]!;
    raw[target + word] = first;
    raw[target + count + word] = first ^ sum;
  }
}
