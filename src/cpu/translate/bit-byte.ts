/** Bit and byte instructions: BT, BTS, BTR, BTC, BSF, BSR, SETcc (SDM vol. 1, 5.1.6). */
import { EQ } from '../../tcg/conditions.ts';
import { CF } from '../state.ts';
import { ANY, SIGN, ZERO } from './context.ts';
import type { Context } from './context.ts';
import type { Emit, Family } from './emitter.ts';
import { LOGIC } from './lazy-flags.ts';
import { access, load, loadToModify, store, wrapAddress } from './memory.ts';
import { operandOffset, read, registerOf, sizeOf, write } from './operands.ts';

type Change = (ctx: Context, out: number, value: number, mask: number) => void;

/** BT and relatives; `change` computes the new value, undefined for BT. CF is the bit, other flags stay. */
function bitTest(change: Change | undefined): Emit {
  return (ctx) => {
    const { b, cc } = ctx;
    const size = sizeOf(ctx, 0), bits = size * 8;
    const selector = read(ctx, 1, size === 4 ? ANY : SIGN);
    let value: number, linear = -1;
    if (registerOf(ctx, 0) >= 0) value = read(ctx, 0, ANY);
    else {
      linear = bitAddress(ctx, selector, change !== undefined);
      value = change === undefined ? load(ctx, linear, size) : loadToModify(ctx, linear, size);
    }
    const position = b.temp(), carry = b.temp();
    b.andi(position, selector, bits - 1);
    if (change !== undefined) {
      const mask = b.temp(), result = b.temp();
      b.shl(mask, b.const(1), position);
      change(ctx, result, value, mask);
      if (linear >= 0) store(ctx, linear, size, result);
      else write(ctx, 0, result);
    }
    b.shr(carry, value, position);
    const flags = cc.allBut(CF);
    b.deposit(flags, flags, carry, 0, 1);
    cc.setAll(flags);
  };
}

/** A bit offset in a register reaches beyond the operand, signed; an immediate one does not (SDM, BT). */
function bitAddress(ctx: Context, selector: number, writes: boolean): number {
  const { b, insn } = ctx;
  const size = sizeOf(ctx, 0);
  let offset = operandOffset(ctx);
  if (!b.isConst(selector)) {
    const units = b.temp(), sum = b.temp();
    b.sari(units, selector, size === 4 ? 5 : 4);
    b.shli(units, units, size >> 1);
    b.add(sum, offset, units);
    offset = wrapAddress(ctx, sum, insn.addrSize);
  }
  return access(ctx, insn.seg, offset, size, writes);
}

/** BSF, BSR: a source of 0 sets ZF and leaves the destination alone. The other flags are undefined. */
function scan(forward: boolean): Emit {
  return (ctx) => {
    const { b, cc } = ctx;
    const size = sizeOf(ctx, 0);
    const source = read(ctx, 1, ZERO), old = read(ctx, 0, ANY);
    const zero = b.const(0), found = b.temp(), result = b.temp();
    if (forward) b.ctz(found, source, zero);
    else {
      b.clz(found, source, zero);
      b.xori(found, found, 31);
    }
    b.movcond(EQ, result, source, zero, old, found);
    write(ctx, 0, result);
    cc.set(LOGIC, size, source);
  };
}

function setcc(ctx: Context): void {
  const { b, cc } = ctx;
  const value = b.temp();
  const { condition, a, b: other } = cc.condition(ctx.insn.row.opcode & 15);
  b.setcond(condition, value, a, other);
  write(ctx, 0, value);
}

/** ZF by the source, all other flags clear. */
function popcnt(ctx: Context): void {
  const { b, cc } = ctx;
  const source = read(ctx, 1, ZERO), flags = b.temp();
  write(ctx, 0, ctx.callFor('popcount', source));
  b.setcond(EQ, flags, source, b.const(0));
  b.shli(flags, flags, 6);
  cc.setAll(flags);
}

/** RDRAND, RDSEED: there is always a number, so CF is set and the other flags are clear. */
function random(ctx: Context): void {
  write(ctx, 0, ctx.callFor('random'));
  ctx.cc.setAll(ctx.const(CF));
}

export const bitByte: Family = {
  BSF: scan(true),
  BSR: scan(false),
  BT: bitTest(undefined),
  BTC: bitTest((ctx, out, value, mask) => ctx.b.xor(out, value, mask)),
  BTR: bitTest((ctx, out, value, mask) => ctx.b.andc(out, value, mask)),
  BTS: bitTest((ctx, out, value, mask) => ctx.b.or(out, value, mask)),
  POPCNT: popcnt,
  RDRAND: random,
  RDSEED: random,
  SETcc: setcc,
};
