/**
 * Packed instructions that move lanes between words, shift whole registers, or add across lanes. All take slots of the state: destination,
 * source, then an immediate where there is one; the two may be the same. SDM vol. 2.
 */
import { mulUnsignedHigh } from '../../tcg/arith.ts';

type Move = (d: number, s: number, imm: number) => void;

const saturate = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** `count`: words of a register, 2 (MMX) or 4 (SSE). By mnemonic. */
export function createShuffles(R: Int32Array, count: 2 | 4): Readonly<Record<string, Move>> {
  const bytes = new Uint8Array(R.buffer, R.byteOffset), words = new Uint16Array(R.buffer, R.byteOffset), signedWords = new Int16Array(R.buffer, R.byteOffset);
  const size = count * 4;
  // Copies of the operands: what is written must not be read again.
  const a = new Int32Array(8), b = a.subarray(4);
  const aBytes = new Uint8Array(a.buffer), aWords = new Uint16Array(a.buffer), aSigned = new Int16Array(a.buffer);
  const bBytes = new Uint8Array(a.buffer, 16), bWords = new Uint16Array(a.buffer, 16), bSigned = new Int16Array(a.buffer, 16);

  function take(d: number, s: number): void {
    for (let i = 0; i < count; i++) {
      a[i] = R[d + i]!;
      b[i] = R[s + i]!;
    }
  }

  /** Alternates lanes of the low (from 0) or high (from 1) halves of both. */
  function unpackBytes(d: number, s: number, half: 0 | 1): void {
    take(d, s);
    const from = half * size / 2;
    for (let i = 0; i < size / 2; i++) {
      bytes[d * 4 + 2 * i] = aBytes[from + i]!;
      bytes[d * 4 + 2 * i + 1] = bBytes[from + i]!;
    }
  }
  function unpackWords(d: number, s: number, half: 0 | 1): void {
    take(d, s);
    const from = half * count;
    for (let i = 0; i < count; i++) {
      words[d * 2 + 2 * i] = aWords[from + i]!;
      words[d * 2 + 2 * i + 1] = bWords[from + i]!;
    }
  }
  function unpackDwords(d: number, s: number, half: 0 | 1): void {
    take(d, s);
    const from = half * count / 2;
    for (let i = 0; i < count / 2; i++) {
      R[d + 2 * i] = a[from + i]!;
      R[d + 2 * i + 1] = b[from + i]!;
    }
  }
  function unpackQwords(d: number, s: number, half: 0 | 1): void {
    take(d, s);
    for (let i = 0; i < 2; i++) {
      R[d + i] = a[2 * half + i]!;
      R[d + 2 + i] = b[2 * half + i]!;
    }
  }

  function packWords(d: number, s: number, low: number, high: number): void {
    take(d, s);
    for (let i = 0; i < size / 2; i++) {
      bytes[d * 4 + i] = saturate(aSigned[i]!, low, high);
      bytes[d * 4 + size / 2 + i] = saturate(bSigned[i]!, low, high);
    }
  }
  function packDwords(d: number, s: number): void {
    take(d, s);
    for (let i = 0; i < count; i++) {
      signedWords[d * 2 + i] = saturate(a[i]!, -32768, 32767);
      signedWords[d * 2 + count + i] = saturate(b[i]!, -32768, 32767);
    }
  }

  /** Words `from` to `from` + 3 of the source by two bits each of the immediate; the rest is copied. */
  function shuffleWords(d: number, s: number, imm: number, from: number): void {
    take(d, s);
    for (let i = 0; i < count; i++) R[d + i] = b[i]!;
    for (let i = 0; i < 4; i++) words[d * 2 + from + i] = bWords[from + (imm >> 2 * i & 3)]!;
  }

  /** Shifts each lane of `bits` by the number in the source's low 64 bits. */
  function shiftCount(s: number, bits: number): number {
    return R[s + 1] !== 0 || R[s]! >>> 0 >= bits ? bits : R[s]!;
  }
  const shift = (bits: number, each: (d: number, n: number) => void) => ({
    bySource: (d: number, s: number): void => each(d, shiftCount(s, bits)),
    byImmediate: (d: number, _s: number, imm: number): void => each(d, Math.min(imm, bits)),
  });
  const eachWord = (f: (value: number, n: number) => number) => shift(16, (d, n) => {
    for (let i = 0; i < 2 * count; i++) words[d * 2 + i] = f(signedWords[d * 2 + i]!, n);
  });
  const eachDword = (f: (value: number, n: number) => number) => shift(32, (d, n) => {
    for (let i = 0; i < count; i++) R[d + i] = f(R[d + i]!, n);
  });
  const left = shift(64, (d, n) => {
    for (let i = d; i < d + count; i += 2) {
      const low = R[i]!, high = R[i + 1]!;
      R[i + 1] = n > 31 ? (n > 63 ? 0 : low << n - 32) : n === 0 ? high : high << n | low >>> 32 - n;
      R[i] = n > 31 ? 0 : low << n;
    }
  });
  const right = shift(64, (d, n) => {
    for (let i = d; i < d + count; i += 2) {
      const low = R[i]!, high = R[i + 1]!;
      R[i] = n > 31 ? (n > 63 ? 0 : high >>> n - 32) : n === 0 ? low : low >>> n | high << 32 - n;
      R[i + 1] = n > 31 ? 0 : high >>> n;
    }
  });
  const leftWord = eachWord((value, n) => (n > 15 ? 0 : value << n)), leftDword = eachDword((value, n) => (n > 31 ? 0 : value << n));
  const rightWord = eachWord((value, n) => (n > 15 ? 0 : (value & 0xffff) >>> n)), rightDword = eachDword((value, n) => (n > 31 ? 0 : value >>> n));
  const arithmeticWord = eachWord((value, n) => value >> Math.min(n, 15)), arithmeticDword = eachDword((value, n) => value >> Math.min(n, 31));

  function add64(d: number, s: number, subtract: boolean): void {
    take(d, s);
    for (let i = 0; i < count; i += 2) {
      const low = a[i]! >>> 0, other = b[i]! >>> 0;
      R[d + i] = subtract ? low - other : low + other;
      const carry = subtract ? (low < other ? -1 : 0) : low + other > 0xffff_ffff ? 1 : 0;
      R[d + i + 1] = (subtract ? a[i + 1]! - b[i + 1]! : a[i + 1]! + b[i + 1]!) + carry;
    }
  }

  return {
    PUNPCKLBW: (d, s) => unpackBytes(d, s, 0), PUNPCKHBW: (d, s) => unpackBytes(d, s, 1),
    PUNPCKLWD: (d, s) => unpackWords(d, s, 0), PUNPCKHWD: (d, s) => unpackWords(d, s, 1),
    PUNPCKLDQ: (d, s) => unpackDwords(d, s, 0), PUNPCKHDQ: (d, s) => unpackDwords(d, s, 1),
    PUNPCKLQDQ: (d, s) => unpackQwords(d, s, 0), PUNPCKHQDQ: (d, s) => unpackQwords(d, s, 1),
    PACKSSWB: (d, s) => packWords(d, s, -128, 127), PACKUSWB: (d, s) => packWords(d, s, 0, 255), PACKSSDW: packDwords,
    PSHUFW: (d, s, imm) => shuffleWords(d, s, imm, 0), PSHUFLW: (d, s, imm) => shuffleWords(d, s, imm, 0), PSHUFHW: (d, s, imm) => shuffleWords(d, s, imm, 4),
    PSHUFD: (d, s, imm) => {
      take(d, s);
      for (let i = 0; i < 4; i++) R[d + i] = b[imm >> 2 * i & 3]!;
    },
    SHUFPS: (d, s, imm) => {
      take(d, s);
      for (let i = 0; i < 4; i++) R[d + i] = (i < 2 ? a : b)[imm >> 2 * i & 3]!;
    },
    SHUFPD: (d, s, imm) => {
      take(d, s);
      for (let i = 0; i < 2; i++) {
        R[d + i] = a[2 * (imm & 1) + i]!;
        R[d + 2 + i] = b[(imm & 2) + i]!;
      }
    },
    PSLLW: leftWord.bySource, 'PSLLW Ib': leftWord.byImmediate, PSLLD: leftDword.bySource, 'PSLLD Ib': leftDword.byImmediate,
    PSLLQ: left.bySource, 'PSLLQ Ib': left.byImmediate,
    PSRLW: rightWord.bySource, 'PSRLW Ib': rightWord.byImmediate, PSRLD: rightDword.bySource, 'PSRLD Ib': rightDword.byImmediate,
    PSRLQ: right.bySource, 'PSRLQ Ib': right.byImmediate,
    PSRAW: arithmeticWord.bySource, 'PSRAW Ib': arithmeticWord.byImmediate, PSRAD: arithmeticDword.bySource, 'PSRAD Ib': arithmeticDword.byImmediate,
    'PSLLDQ Ib': (d, _s, imm) => {
      take(d, d);
      for (let i = 0; i < 16; i++) bytes[d * 4 + i] = i < imm ? 0 : aBytes[i - imm]!;
    },
    'PSRLDQ Ib': (d, _s, imm) => {
      take(d, d);
      for (let i = 0; i < 16; i++) bytes[d * 4 + i] = i + imm > 15 ? 0 : aBytes[i + imm]!;
    },
    PADDQ: (d, s) => add64(d, s, false), PSUBQ: (d, s) => add64(d, s, true),
    PMULUDQ: (d, s) => {
      take(d, s);
      for (let i = 0; i < count; i += 2) {
        R[d + i] = Math.imul(a[i]!, b[i]!);
        R[d + i + 1] = mulUnsignedHigh(a[i]!, b[i]!);
      }
    },
    PSADBW: (d, s) => {
      take(d, s);
      for (let i = 0; i < count; i += 2) {
        let sum = 0;
        for (let k = 4 * i; k < 4 * i + 8; k++) sum += Math.abs(aBytes[k]! - bBytes[k]!);
        R[d + i] = sum;
        R[d + i + 1] = 0;
      }
    },
  };
}

/** Results that go to a general register: PMOVMSKB, MOVMSKPS, MOVMSKPD, PEXTRW; and PINSRW. */
export function createMasks(R: Int32Array): Readonly<Record<string, (...args: number[]) => number>> {
  const bytes = new Uint8Array(R.buffer, R.byteOffset), words = new Uint16Array(R.buffer, R.byteOffset);
  return {
    pmovmskb: (s, size) => {
      let mask = 0;
      for (let i = 0; i < size!; i++) mask |= bytes[s! * 4 + i]! >> 7 << i;
      return mask;
    },
    movmskps: (s) => R[s!]! >>> 31 | R[s! + 1]! >>> 31 << 1 | R[s! + 2]! >>> 31 << 2 | R[s! + 3]! >>> 31 << 3,
    movmskpd: (s) => R[s! + 1]! >>> 31 | R[s! + 3]! >>> 31 << 1,
    pextrw: (s, at) => words[s! * 2 + at!]!,
    pinsrw: (d, at, value) => words[d! * 2 + at!] = value!,
  };
}
