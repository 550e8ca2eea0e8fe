/** Moves of MMX, SSE, SSE2 and SSE3 (SDM vol. 1, 5.4.1, 5.5.1.1, 5.6.1.1, 5.6.3, 5.7). */
import { ANY, ZERO } from './context.ts';
import type { Context } from './context.ts';
import type { Emit, Family } from './emitter.ts';
import { forAll } from './emitter.ts';
import { load, store } from './memory.ts';
import { read, write } from './operands.ts';
import { copyWords, enterMmx, inMemory, isMmx, registerSlot, simd, sizeInMemory, sourceSlot, vectorAddress } from './simd-operands.ts';

const wordsOf = (ctx: Context, n: number): number => (isMmx(ctx, n) ? 2 : 4);

function clearWords({ b }: Context, from: number, count: number): void {
  if ((count & 1) !== 0) b.sti(from, 0);
  if (count > 1) b.zeroVec(from + (count & 1), 8);
}

/** Stores register operand n (from its word `first` on) to memory operand 0. */
function storeRegister(ctx: Context, first = 0): void {
  const { b } = ctx, size = sizeInMemory(ctx, 0), slot = registerSlot(ctx, 1) + first, linear = vectorAddress(ctx, size, true);
  if (size === 4) {
    const value = b.temp();
    b.ldEnv(value, slot);
    store(ctx, linear, 4, value);
  } else b.storeVec(slot, linear, size);
}

/** Loads what operand 1 is in memory, 4 or 8 bytes, to the words from `to` on. */
function loadLow(ctx: Context, to: number): void {
  const size = sizeInMemory(ctx, 1), linear = vectorAddress(ctx, size, false);
  if (size === 4) ctx.b.stEnv(load(ctx, linear, 4), to);
  else ctx.b.loadVec(to, linear, 8);
}

/** The whole register, or all of it that is in memory. */
function moveAll(ctx: Context): void {
  const mmx = isMmx(ctx, 0);
  if (inMemory(ctx, 0)) {
    storeRegister(ctx);
    if (isMmx(ctx, 1)) enterMmx(ctx);
    return;
  }
  const to = registerSlot(ctx, 0);
  if (inMemory(ctx, 1) && sizeInMemory(ctx, 1) === 4 * wordsOf(ctx, 0)) ctx.b.loadVec(to, vectorAddress(ctx, sizeInMemory(ctx, 1), false), mmx ? 8 : 16);
  else copyWords(ctx, to, sourceSlot(ctx, 1), wordsOf(ctx, 0));
  if (mmx) enterMmx(ctx, 0);
}

/** The low words; those above stay if both are registers, and are cleared by a load. */
function moveScalar(ctx: Context): void {
  if (inMemory(ctx, 0)) {
    storeRegister(ctx);
    return;
  }
  const to = registerSlot(ctx, 0), count = sizeInMemory(ctx, 1) / 4;
  if (!inMemory(ctx, 1)) copyWords(ctx, to, registerSlot(ctx, 1), count);
  else {
    loadLow(ctx, to);
    clearWords(ctx, to + count, 4 - count);
  }
}

/** MOVQ between XMM registers and memory: the high words become 0. */
function moveQuadword(ctx: Context): void {
  if (inMemory(ctx, 0)) {
    storeRegister(ctx);
    return;
  }
  const to = registerSlot(ctx, 0);
  if (inMemory(ctx, 1)) loadLow(ctx, to);
  else copyWords(ctx, to, registerSlot(ctx, 1), 2);
  clearWords(ctx, to + 2, 2);
}

/** MOVLPS and MOVHPS: one half and memory, or the other half of another register. */
function moveHalf(half: 0 | 2): Emit {
  return (ctx) => {
    if (inMemory(ctx, 0)) storeRegister(ctx, half);
    else if (inMemory(ctx, 1)) ctx.b.loadVec(registerSlot(ctx, 0) + half, vectorAddress(ctx, 8, false), 8);
    else copyWords(ctx, registerSlot(ctx, 0) + half, registerSlot(ctx, 1) + (2 - half), 2);
  };
}

/** Each word of the result is a word of the source. */
function duplicate(from: readonly number[]): Emit {
  return (ctx) => {
    const { b } = ctx, source = sourceSlot(ctx, 1), to = registerSlot(ctx, 0);
    const words = from.map((word) => {
      const value = b.temp();
      b.ldEnv(value, source + word);
      return value;
    });
    words.forEach((value, i) => b.stEnv(value, to + i));
  };
}

/** MOVD from a general register or memory. */
function moveIn(ctx: Context): void {
  const to = registerSlot(ctx, 0);
  ctx.b.stEnv(read(ctx, 1, ANY), to);
  clearWords(ctx, to + 1, wordsOf(ctx, 0) - 1);
  if (isMmx(ctx, 0)) enterMmx(ctx, 0);
}

function moveOut(ctx: Context): void {
  const value = ctx.b.temp();
  ctx.b.ldEnv(value, registerSlot(ctx, 1));
  write(ctx, 0, value);
  if (isMmx(ctx, 1)) enterMmx(ctx);
}

function movq2dq(ctx: Context): void {
  copyWords(ctx, registerSlot(ctx, 0), registerSlot(ctx, 1), 2);
  clearWords(ctx, registerSlot(ctx, 0) + 2, 2);
  enterMmx(ctx);
}

function movdq2q(ctx: Context): void {
  copyWords(ctx, registerSlot(ctx, 0), registerSlot(ctx, 1), 2);
  enterMmx(ctx, 0);
}

function movnti(ctx: Context): void {
  write(ctx, 0, read(ctx, 1, ANY));
}

/** PMOVMSKB, MOVMSKPS, MOVMSKPD. */
function mask(name: string): Emit {
  return (ctx) => {
    const args = name === 'pmovmskb' ? [ctx.const(4 * wordsOf(ctx, 1))] : [];
    const value = ctx.callFor(name, ctx.const(registerSlot(ctx, 1)), ...args);
    if (isMmx(ctx, 1)) enterMmx(ctx);
    write(ctx, 0, value);
  };
}

function pextrw(ctx: Context): void {
  const mmx = isMmx(ctx, 1);
  const value = ctx.callFor('pextrw', ctx.const(registerSlot(ctx, 1)), ctx.const(ctx.insn.imm & (mmx ? 3 : 7)));
  if (mmx) enterMmx(ctx);
  write(ctx, 0, value);
}

function pinsrw(ctx: Context): void {
  const mmx = isMmx(ctx, 0), value = read(ctx, 1, ZERO);
  ctx.callFor('pinsrw', ctx.const(registerSlot(ctx, 0)), ctx.const(ctx.insn.imm & (mmx ? 3 : 7)), value);
  if (mmx) enterMmx(ctx, 0);
}

const PLAIN = ['MOVUPS', 'MOVUPD', 'MOVAPS', 'MOVAPD', 'MOVDQA', 'MOVDQU', 'MOVNTPS', 'MOVNTPD', 'MOVNTDQ', 'LDDQU'];

export const simdMove: Family = {
  ...forAll(PLAIN, simd(moveAll)), ...forAll(['MOVQ Pq,Qq', 'MOVQ Qq,Pq', 'MOVNTQ'], simd(moveAll)),
  'MOVQ Vq,Wq': simd(moveQuadword), 'MOVQ Wq,Vq': simd(moveQuadword), MOVSS: simd(moveScalar), MOVSD: simd(moveScalar),
  MOVLPS: simd(moveHalf(0)), MOVLPD: simd(moveHalf(0)), MOVHPS: simd(moveHalf(2)), MOVHPD: simd(moveHalf(2)),
  MOVDDUP: simd(duplicate([0, 1, 0, 1])), MOVSLDUP: simd(duplicate([0, 0, 2, 2])), MOVSHDUP: simd(duplicate([1, 1, 3, 3])),
  'MOVD Pd,Ed': simd(moveIn), 'MOVD Vd,Ed': simd(moveIn), 'MOVD Ed,Pd': simd(moveOut), 'MOVD Ed,Vd': simd(moveOut),
  MOVQ2DQ: simd(movq2dq), MOVDQ2Q: simd(movdq2q), MOVNTI: movnti, PEXTRW: simd(pextrw), PINSRW: simd(pinsrw),
  MOVMSKPS: simd(mask('movmskps')), MOVMSKPD: simd(mask('movmskpd')), PMOVMSKB: simd(mask('pmovmskb')),
};
