/**
 * Emits ops: one method per op, named like it, output first. Inputs are value numbers (globals, temp(), const());
 * the `...i` forms take a number for the last input. Translators use this and nothing else of the tcg room.
 */
import { Block } from './ir.ts';
import type { Helper } from './env.ts';
import * as O from './ops.ts';
import type { MemOp, OpDef } from './ops.ts';

export type { Op } from './ir.ts';

export class Builder extends Block {
  private readonly helperNumbers = new Map<Helper, number>();

  /** Globals by name, numbered from 0; helpers in the order of ExecEnv.helpers; scratch: see Block. */
  constructor(globalNames: readonly string[], helpers: readonly Helper[], scratch?: readonly [from: number, end: number]) {
    super(globalNames, helpers, scratch);
    helpers.forEach((helper, number) => this.helperNumbers.set(helper, number));
  }

  private emit(def: OpDef, args: number[]): void {
    this.ops.push({ def, args });
  }

  // Moves and arithmetic.
  mov(d: number, a: number): void { if (d !== a) this.emit(O.MOV, [d, a]); }
  movi(d: number, n: number): void { this.emit(O.MOV, [d, this.const(n)]); }
  add(d: number, a: number, b: number): void { this.emit(O.ADD, [d, a, b]); }
  addi(d: number, a: number, n: number): void { this.emit(O.ADD, [d, a, this.const(n)]); }
  sub(d: number, a: number, b: number): void { this.emit(O.SUB, [d, a, b]); }
  subi(d: number, a: number, n: number): void { this.emit(O.SUB, [d, a, this.const(n)]); }
  neg(d: number, a: number): void { this.emit(O.NEG, [d, a]); }
  mul(d: number, a: number, b: number): void { this.emit(O.MUL, [d, a, b]); }
  muli(d: number, a: number, n: number): void { this.emit(O.MUL, [d, a, this.const(n)]); }
  muluh(d: number, a: number, b: number): void { this.emit(O.MULUH, [d, a, b]); }
  mulsh(d: number, a: number, b: number): void { this.emit(O.MULSH, [d, a, b]); }

  // Logic.
  and(d: number, a: number, b: number): void { this.emit(O.AND, [d, a, b]); }
  andi(d: number, a: number, n: number): void { this.emit(O.AND, [d, a, this.const(n)]); }
  or(d: number, a: number, b: number): void { this.emit(O.OR, [d, a, b]); }
  ori(d: number, a: number, n: number): void { this.emit(O.OR, [d, a, this.const(n)]); }
  xor(d: number, a: number, b: number): void { this.emit(O.XOR, [d, a, b]); }
  xori(d: number, a: number, n: number): void { this.emit(O.XOR, [d, a, this.const(n)]); }
  not(d: number, a: number): void { this.emit(O.NOT, [d, a]); }
  andc(d: number, a: number, b: number): void { this.emit(O.ANDC, [d, a, b]); }

  // Shifts and rotates: counts are 0-31.
  shl(d: number, a: number, b: number): void { this.emit(O.SHL, [d, a, b]); }
  shli(d: number, a: number, n: number): void { this.emit(O.SHL, [d, a, this.const(n)]); }
  shr(d: number, a: number, b: number): void { this.emit(O.SHR, [d, a, b]); }
  shri(d: number, a: number, n: number): void { this.emit(O.SHR, [d, a, this.const(n)]); }
  sar(d: number, a: number, b: number): void { this.emit(O.SAR, [d, a, b]); }
  sari(d: number, a: number, n: number): void { this.emit(O.SAR, [d, a, this.const(n)]); }
  rotl(d: number, a: number, b: number): void { this.emit(O.ROTL, [d, a, b]); }
  rotli(d: number, a: number, n: number): void { this.emit(O.ROTL, [d, a, this.const(n)]); }
  rotr(d: number, a: number, b: number): void { this.emit(O.ROTR, [d, a, b]); }
  rotri(d: number, a: number, n: number): void { this.emit(O.ROTR, [d, a, this.const(n)]); }

  // Parts of words.
  ext8s(d: number, a: number): void { this.emit(O.EXT8S, [d, a]); }
  ext8u(d: number, a: number): void { this.emit(O.EXT8U, [d, a]); }
  ext16s(d: number, a: number): void { this.emit(O.EXT16S, [d, a]); }
  ext16u(d: number, a: number): void { this.emit(O.EXT16U, [d, a]); }
  bswap(d: number, a: number): void { this.emit(O.BSWAP, [d, a]); }
  /** Leading zeros of a; b if a is 0. */
  clz(d: number, a: number, b: number): void { this.emit(O.CLZ, [d, a, b]); }
  /** Trailing zeros of a; b if a is 0. */
  ctz(d: number, a: number, b: number): void { this.emit(O.CTZ, [d, a, b]); }
  /** a with its field (position, length) replaced by the low bits of b. */
  deposit(d: number, a: number, b: number, position: number, length: number): void { this.emit(O.DEPOSIT, [d, a, b, position, length]); }
  extract(d: number, a: number, position: number, length: number): void { this.emit(O.EXTRACT, [d, a, position, length]); }
  sextract(d: number, a: number, position: number, length: number): void { this.emit(O.SEXTRACT, [d, a, position, length]); }

  // Comparisons; conditions are those of conditions.ts.
  setcond(condition: number, d: number, a: number, b: number): void { this.emit(O.SETCOND, [d, a, b, condition]); }
  setcondi(condition: number, d: number, a: number, n: number): void { this.emit(O.SETCOND, [d, a, this.const(n), condition]); }
  negsetcond(condition: number, d: number, a: number, b: number): void { this.emit(O.NEGSETCOND, [d, a, b, condition]); }
  negsetcondi(condition: number, d: number, a: number, n: number): void { this.emit(O.NEGSETCOND, [d, a, this.const(n), condition]); }
  /** d = a cond b ? x : y */
  movcond(condition: number, d: number, a: number, b: number, x: number, y: number): void { this.emit(O.MOVCOND, [d, a, b, x, y, condition]); }

  // Control inside the block.
  brcond(condition: number, a: number, b: number, label: number): void { this.emit(O.BRCOND, [a, b, condition, label]); }
  brcondi(condition: number, a: number, n: number, label: number): void { this.emit(O.BRCOND, [a, this.const(n), condition, label]); }
  br(label: number): void { this.emit(O.BR, [label]); }
  setLabel(label: number): void { this.emit(O.SET_LABEL, [label]); }

  // State words that are no globals.
  ldEnv(d: number, slot: number): void { this.emit(O.LD_ENV, [d, slot]); }
  stEnv(a: number, slot: number): void { this.emit(O.ST_ENV, [a, slot]); }
  sti(slot: number, n: number): void { this.emit(O.ST_ENV, [this.const(n), slot]); }
  movVec(to: number, from: number, bytes: 8 | 16): void { if (to !== from) this.emit(O.MOV_VEC, [to, from, bytes]); }
  zeroVec(slot: number, bytes: 8 | 16): void { this.emit(O.ZERO_VEC, [slot, bytes]); }

  // Guest memory, traps, helpers.
  load(d: number, address: number, memop: MemOp): void { this.emit(O.GUEST_LD, [d, address, memop]); }
  store(value: number, address: number, memop: MemOp): void { this.emit(O.GUEST_ST, [value, address, memop]); }
  /** State words from `slot` on, of 8 or 16 bytes. */
  loadVec(slot: number, address: number, bytes: 8 | 16): void { this.emit(O.GUEST_LD_VEC, [address, slot, bytes]); }
  storeVec(slot: number, address: number, bytes: 8 | 16): void { this.emit(O.GUEST_ST_VEC, [address, slot, bytes]); }
  /** Leaves with exception `code` (error code 0) if a cond b. */
  trap(condition: number, a: number, b: number, code: number): void { this.emit(O.TRAP, [a, b, condition, code]); }
  trapi(condition: number, a: number, n: number, code: number): void { this.emit(O.TRAP, [a, this.const(n), condition, code]); }
  /** Calls a registered helper. `out` is -1 if it returns nothing or the result is not wanted. Throws on a wrong number of inputs. */
  call(helper: Helper, out: number, ...ins: number[]): void {
    const number = this.helperNumbers.get(helper);
    if (number === undefined) throw new Error(`helper ${helper.name} is not registered`);
    if (ins.length !== helper.args) throw new Error(`helper ${helper.name} takes ${helper.args} inputs, not ${ins.length}`);
    if (!helper.returns && out >= 0) throw new Error(`helper ${helper.name} returns nothing`);
    this.emit(O.CALL, helper.returns ? [number, out < 0 ? this.temp() : out, ...ins] : [number, ...ins]);
  }

  // Instruction and block boundaries.
  /** `ccOp`: 0 if not known. */
  insnStart(eip: number, ccOp: number): void { this.emit(O.INSN_START, [eip | 0, ccOp]); }
  gotoTb(n: 0 | 1): void { this.emit(O.GOTO_TB, [n]); }
  exitTb(n: 0 | 1 | 2): void { this.emit(O.EXIT_TB, [n]); }
  lookupAndGotoPtr(): void { this.emit(O.LOOKUP_AND_GOTO_PTR, []); }
  discard(d: number): void { this.emit(O.DISCARD, [d]); }

  // 64-bit ops: values from temp64(), except where the name says i32.
  mov64(d: number, a: number): void { this.emit(O.MOV64, [d, a]); }
  add64(d: number, a: number, b: number): void { this.emit(O.ADD64, [d, a, b]); }
  sub64(d: number, a: number, b: number): void { this.emit(O.SUB64, [d, a, b]); }
  and64(d: number, a: number, b: number): void { this.emit(O.AND64, [d, a, b]); }
  or64(d: number, a: number, b: number): void { this.emit(O.OR64, [d, a, b]); }
  xor64(d: number, a: number, b: number): void { this.emit(O.XOR64, [d, a, b]); }
  /** 64-bit product of two 32-bit values. */
  mulu64(d: number, a: number, b: number): void { this.emit(O.MULU64, [d, a, b]); }
  muls64(d: number, a: number, b: number): void { this.emit(O.MULS64, [d, a, b]); }
  /** Low and high word of a 64-bit value. */
  extrl(d: number, a: number): void { this.emit(O.EXTRL, [d, a]); }
  extrh(d: number, a: number): void { this.emit(O.EXTRH, [d, a]); }
  concat(d: number, low: number, high: number): void { this.emit(O.CONCAT, [d, low, high]); }
}
