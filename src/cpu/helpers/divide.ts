/**
 * DIV and IDIV. #DE where the divisor is 0 or the quotient does not fit; the flags, undefined by the manual, stay as they
 * are. Intel SDM vol. 2, DIV and IDIV.
 */
import type { CpuContext } from './context.ts';
import { EAX, EDX, EXC_DE } from '../state.ts';

/** AX / divisor: AL quotient, AH remainder. */
export function divb(cpu: CpuContext, divisor: number): void {
  const R = cpu.R;
  const ax = R[EAX]! & 0xffff, by = divisor & 0xff;
  const quotient = Math.trunc(ax / by);
  if (by === 0 || quotient > 0xff) cpu.raise(EXC_DE);
  R[EAX] = R[EAX]! & 0xffff0000 | ax % by << 8 | quotient;
}

export function idivb(cpu: CpuContext, divisor: number): void {
  const R = cpu.R;
  const ax = R[EAX]! << 16 >> 16, by = divisor << 24 >> 24;
  const quotient = Math.trunc(ax / by);
  if (by === 0 || quotient > 0x7f || quotient < -0x80) cpu.raise(EXC_DE);
  R[EAX] = R[EAX]! & 0xffff0000 | (ax % by & 0xff) << 8 | quotient & 0xff;
}

/** DX:AX / divisor: AX quotient, DX remainder. */
export function divw(cpu: CpuContext, divisor: number): void {
  const R = cpu.R;
  const dividend = (R[EDX]! << 16 | R[EAX]! & 0xffff) >>> 0, by = divisor & 0xffff;
  const quotient = Math.floor(dividend / by);
  if (by === 0 || quotient > 0xffff) cpu.raise(EXC_DE);
  R[EAX] = R[EAX]! & 0xffff0000 | quotient;
  R[EDX] = R[EDX]! & 0xffff0000 | dividend - quotient * by;
}

export function idivw(cpu: CpuContext, divisor: number): void {
  const R = cpu.R;
  const dividend = R[EDX]! << 16 | R[EAX]! & 0xffff, by = divisor << 16 >> 16;
  const quotient = Math.trunc(dividend / by);
  if (by === 0 || quotient > 0x7fff || quotient < -0x8000) cpu.raise(EXC_DE);
  R[EAX] = R[EAX]! & 0xffff0000 | quotient & 0xffff;
  R[EDX] = R[EDX]! & 0xffff0000 | dividend - quotient * by & 0xffff;
}

/**
 * high:low / divisor, all unsigned, with high < divisor; [quotient, remainder] as doubles.
 * Two steps of 16 bits: each dividend stays below 2^48, where doubles divide exactly enough for floor().
 */
function divideUnsigned(high: number, low: number, divisor: number): [quotient: number, remainder: number] {
  const upper = high * 0x10000 + (low >>> 16);
  const upperQuotient = Math.floor(upper / divisor);
  const lower = (upper - upperQuotient * divisor) * 0x10000 + (low & 0xffff);
  const lowerQuotient = Math.floor(lower / divisor);
  return [upperQuotient * 0x10000 + lowerQuotient, lower - lowerQuotient * divisor];
}

/** EDX:EAX / divisor: EAX quotient, EDX remainder. */
export function divl(cpu: CpuContext, divisor: number): void {
  const R = cpu.R;
  const high = R[EDX]! >>> 0, low = R[EAX]! >>> 0, by = divisor >>> 0;
  if (high >= by) cpu.raise(EXC_DE);
  if (high === 0) {
    R[EAX] = low / by;
    R[EDX] = low % by;
    return;
  }
  const [quotient, remainder] = divideUnsigned(high, low, by);
  R[EAX] = quotient;
  R[EDX] = remainder;
}

export function idivl(cpu: CpuContext, divisor: number): void {
  const R = cpu.R;
  const high = R[EDX]!, low = R[EAX]!;
  if (high === low >> 31 && divisor !== 0 && divisor !== -1) {
    R[EAX] = low / divisor;
    R[EDX] = low % divisor;
    return;
  }
  // Magnitudes: the remainder takes the dividend's sign.
  const negative = high < 0, opposite = negative !== divisor < 0;
  const lowPart = negative ? -low >>> 0 : low >>> 0;
  const highPart = negative ? (~high + (low === 0 ? 1 : 0)) >>> 0 : high;
  const by = Math.abs(divisor);
  if (highPart >= by) cpu.raise(EXC_DE);
  const [quotient, remainder] = divideUnsigned(highPart, lowPart, by);
  if (quotient > (opposite ? 0x80000000 : 0x7fffffff)) cpu.raise(EXC_DE);
  R[EAX] = opposite ? -quotient : quotient;
  R[EDX] = negative ? -remainder : remainder;
}
