/** What the benchmark guests compute, computed in plain JavaScript: the checksums that they must print. */
import { createHash } from 'node:crypto';
import type { GuestName } from '../../bench/guests.ts';
import { add, div, fromDouble, greater, mul, sqrt, sub, toInteger } from './extended.ts';

const SEED = 0x86;

/** Knuth's linear congruential numbers, as int32. */
function random(count: number): Int32Array {
  const values = new Int32Array(count);
  let x = SEED;
  for (let i = 0; i < count; i++) values[i] = x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return values;
}

const rotate5 = (h: number): number => (h << 5) | (h >>> 27);
const checksum = (values: Int32Array): number => values.reduce((h, value) => (rotate5(h) + value) | 0, 0);
const times31 = (h: number, value: number): number => (Math.imul(h, 31) + value) | 0;

function sieve(): number {
  let h = 0;
  const isPrime = (n: number): boolean => {
    for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
    return true;
  };
  for (let n = 2; n < 262144; n++) if (isPrime(n)) h = times31(h, n);
  return h;
}

function fib(): number {
  let a = 0, b = 1;
  for (let i = 0; i < 24; i++) [a, b] = [b, a + b];
  return a;
}

function sha256(): number {
  const digest = createHash('sha256').update(new Uint8Array(random(4096).buffer)).digest();
  let h = 0;
  for (let i = 0; i < 32; i += 4) h ^= digest.readInt32BE(i);
  return h;
}

function matrix(): number {
  const values = random(2 * 64 * 64), product = new Int32Array(64 * 64);
  for (let row = 0; row < 64; row++) {
    for (let column = 0; column < 64; column++) {
      let sum = 0n;
      for (let k = 0; k < 64; k++) sum += BigInt(values[row * 64 + k]!) * BigInt(values[4096 + k * 64 + column]!);
      product[row * 64 + column] = Number(BigInt.asIntN(32, sum));
    }
  }
  return checksum(product);
}

/** The last of 16 passes starts 15 dwords into the source, and its target 15 dwords further; the passes before left the first 15. */
function memcpyLoop(): number {
  const source = random(16384 + 16), target = new Int32Array(16384 + 16);
  for (let pass = 0; pass < 16; pass++) target.set(source.subarray(pass, pass + 16384), pass);
  return checksum(target.subarray(0, 16384));
}

function memcpyRep(): number {
  const source = random(65536), copied = new Uint8Array(65536 + 4);
  copied.set(new Uint8Array(source.buffer).subarray(1, 1 + 65532));
  const view = new DataView(copied.buffer);
  let h = 0;
  for (let i = 63; i >= 0; i--) h = (rotate5(h) + source[i * 1024]! + view.getInt32(i * 1024, true)) | 0;
  return h;
}

function x87(): number {
  const four = fromDouble(4), thousand = fromDouble(1000);
  let h = 0;
  for (let row = 0; row < 32; row++) {
    const cy = add(mul(fromDouble(row), fromDouble(0.0711)), fromDouble(-1.15));
    for (let column = 0; column < 48; column++) {
      const cx = add(mul(fromDouble(column), fromDouble(0.0635)), fromDouble(-2.1));
      let x = fromDouble(0), y = fromDouble(0), steps = 0;
      for (;;) {
        const x2 = mul(x, x), y2 = mul(y, y), size = add(y2, x2);
        if (greater(size, four) || steps === 100) {
          h = times31(h, steps) + toInteger(div(mul(sqrt(size), thousand), fromDouble(steps + 1))) | 0;
          break;
        }
        const xy = mul(x, y);
        x = add(sub(x2, y2), cx);
        y = add(add(xy, xy), cy);
        steps++;
      }
    }
  }
  return h;
}

function syscall(): number {
  let h = 0;
  for (let i = 20000; i > 0; i--) {
    const kind = i & 3;
    h = times31(h, kind === 1 ? 86 : kind === 2 ? i + 16 : (0x6c6c6163 + i + 0x86 + h) | 0);
  }
  return h;
}

/** The routine of the soak guests, called `calls` times, hot every `every`th time; `first`: what the patched instruction adds. */
function patched(calls: number, every: number, first: (call: number) => number): number {
  let h = 0;
  for (let call = calls; call > 0; call--) {
    h = (h + first(call)) | 0;
    for (let i = call % every === 0 ? 100_000 : 10; i > 0; i--) h = (Math.imul(h, 5) + call) | 0;
  }
  return h;
}

function sse2(): number {
  let h = 0;
  for (let row = 0; row < 32; row++) {
    const cy = row * 0.0711 + -1.15;
    for (let column = 0; column < 48; column++) {
      const cx = column * 0.0635 + -2.1;
      let x = 0, y = 0, steps = 0;
      for (;;) {
        const x2 = x * x, y2 = y * y, size = y2 + x2;
        if (size > 4 || steps === 100) {
          h = times31(h, steps) + Number(toInteger(fromDouble(Math.sqrt(size) * 1000 / (steps + 1)))) | 0;
          break;
        }
        const xy = y * x;
        x = x2 - y2 + cx;
        y = xy + xy + cy;
        steps++;
      }
    }
  }
  return h;
}

export const REFERENCE: Readonly<Record<GuestName, () => number>> = {
  sieve, fib, calls: fib, sha256, matrix, x87, sse2, syscall, 'memcpy-loop': memcpyLoop, 'memcpy-rep': memcpyRep,
  'self-writing': () => patched(1024, 64, (call) => (call << 24) >> 24), 'new-code': () => patched(256, 8, () => 0),
  sort: () => checksum(random(16384).sort()),
};
