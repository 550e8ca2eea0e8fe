/**
 * Addresses and guest memory: effective addresses, segment ranges, loads and stores.
 *
 * A segment's range check (SDM vol. 3, 5.3) compares the first and last byte's offset with the lowest and highest offset
 * that the segment allows for reading or writing (state slots SEG_RLO ... SEG_WHI). Flat segments, known from the block's
 * key, need neither check nor base; for those that start at 0 one comparison does.
 */
import { GTU, LTU, TSTNE } from '../../tcg/conditions.ts';
import { MO_RMW, MO_SIGN, memOpOfSize } from '../../tcg/ops.ts';
import { CS, ESP, EXC_AC, EXC_GP, EXC_SS, HF_AC, SEG_BASE, SEG_RHI, SEG_RLO, SEG_WHI, SEG_WLO, SS } from '../state.ts';
import { ZERO } from './context.ts';
import type { Context, Size } from './context.ts';

/** Wraps an offset to the address size. */
export function wrapAddress(ctx: Context, offset: number, addrSize: 2 | 4): number {
  return addrSize === 4 ? offset : ctx.extend(offset, 2, ZERO);
}

/** The offset of the instruction's memory operand, `displacement` bytes on: base + index * scale + disp, in its address size. */
export function effectiveAddress(ctx: Context, displacement = 0): number {
  const { b, insn } = ctx;
  const disp = insn.disp + displacement | 0;
  if (insn.base < 0 && insn.index < 0) return b.const(insn.addrSize === 4 ? disp : disp & 0xffff);
  let offset = -1;
  if (insn.base >= 0) offset = insn.base === ESP ? ctx.stackPointer : insn.base;
  if (insn.index >= 0) {
    let index = insn.index;
    if (insn.scale !== 0) b.shli(index = b.temp(), insn.index, insn.scale);
    if (offset < 0) offset = index;
    else {
      const sum = b.temp();
      b.add(sum, offset, index);
      offset = sum;
    }
  }
  if (disp !== 0) {
    const sum = b.temp();
    b.addi(sum, offset, disp);
    offset = sum;
  }
  return wrapAddress(ctx, offset, insn.addrSize);
}

/** Traps unless [offset, offset + size) may be read, or written, through the segment. */
export function checkRange(ctx: Context, seg: number, offset: number, size: number, write: boolean): void {
  const { b } = ctx;
  // Protected-mode code is never writable, flat or not.
  if (ctx.isFlat(seg) && !(write && seg === CS)) return;
  const vector = seg === SS ? EXC_SS : EXC_GP;
  if (size <= 4 && ctx.isFromZero(seg)) {
    b.trap(GTU, offset, highestStart(ctx, seg, size, write), vector);
    return;
  }
  const low = b.temp();
  b.ldEnv(low, (write ? SEG_WLO : SEG_RLO) + seg);
  b.trap(LTU, offset, low, vector);
  let last = offset;
  if (size > 1) {
    if (b.isConst(offset)) last = b.const(b.constValue(offset) + size - 1);
    else b.addi(last = b.temp(), offset, size - 1);
    // Only 32-bit offsets can wrap.
    if (ctx.insn.addrSize === 4 || ctx.stack32) b.trap(LTU, last, offset, vector);
  }
  const high = b.temp();
  b.ldEnv(high, (write ? SEG_WHI : SEG_RHI) + seg);
  b.trap(GTU, last, high, vector);
}

/** The highest offset where an access of 1-4 bytes may begin, in a segment that starts at 0: computed once in a block. */
function highestStart(ctx: Context, seg: number, size: number, write: boolean): number {
  const key = seg << 4 | (write ? 8 : 0) | size;
  let highest = ctx.limits.get(key);
  if (highest === undefined) {
    const limit = ctx.b.temp();
    ctx.b.ldEnv(limit, (write ? SEG_WHI : SEG_RHI) + seg);
    highest = limit;
    // A temporary of its own: the packer then names the state word itself instead of a copy.
    if (size > 1) ctx.b.subi(highest = ctx.b.temp(), limit, size - 1);
    ctx.limits.set(key, highest);
  }
  return highest;
}

/** The linear address of an offset; the range has been checked. */
export function linearAddress(ctx: Context, seg: number, offset: number): number {
  if (ctx.isFlat(seg)) return offset;
  const linear = ctx.b.temp();
  ctx.b.add(linear, SEG_BASE + seg, offset);
  return linear;
}

/**
 * Checks [offset, offset + size) in a segment and gives its linear address. `alignment`, a power of two, is what alignment check demands
 * (SDM vol. 3, table 6-7).
 */
export function access(ctx: Context, seg: number, offset: number, size: number, write: boolean, alignment = size): number {
  checkRange(ctx, seg, offset, size, write);
  const linear = linearAddress(ctx, seg, offset);
  if ((ctx.key.flags & HF_AC) !== 0 && alignment > 1) ctx.b.trapi(TSTNE, linear, alignment - 1, EXC_AC);
  return linear;
}

/** Loads what the instruction will write back: zero-extended, and faulting as a store. */
export function loadToModify(ctx: Context, linear: number, size: Size): number {
  const value = ctx.b.temp();
  ctx.b.load(value, linear, memOpOfSize(size) | MO_RMW);
  return value;
}

/** Loads from a linear address; zero-extended, or sign-extended if asked. */
export function load(ctx: Context, linear: number, size: Size, signed = false): number {
  const value = ctx.b.temp();
  ctx.b.load(value, linear, memOpOfSize(size) | (signed && size < 4 ? MO_SIGN : 0));
  return value;
}

export function store(ctx: Context, linear: number, size: Size, value: number): void {
  ctx.b.store(value, linear, memOpOfSize(size));
}

/** `n` bytes after an address (linear, or an offset that cannot wrap). */
export function plus(ctx: Context, address: number, n: number): number {
  if (n === 0) return address;
  if (ctx.b.isConst(address)) return ctx.b.const(ctx.b.constValue(address) + n);
  const sum = ctx.b.temp();
  ctx.b.addi(sum, address, n);
  return sum;
}
