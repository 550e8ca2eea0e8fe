/**
 * The x87 register stack, control, status and tag words over the processor's state, and how an instruction completes:
 * stack faults, masked and unmasked exceptions (Intel SDM vol. 1, 8.1, 8.4, 8.5).
 */
import { Arithmetic, DE, IE, PE, ZE, isNaN80, isZero } from './float80.ts';
import type { Float80 } from './float80.ts';
import { FPU_CW, FPU_EXP, FPU_HIGH, FPU_LOW, FPU_SW, FPU_TW } from './state.ts';

export const SW_SF = 0x40, SW_ES = 0x80, SW_C0 = 0x100, SW_C1 = 0x200, SW_C2 = 0x400, SW_C3 = 0x4000, SW_BUSY = 0x8000;
const SW_TOP = 0x3800, SW_EXCEPTIONS = 0x3f;
const TAG_VALID = 0, TAG_ZERO = 1, TAG_SPECIAL = 2, TAG_EMPTY = 3;
/** Bits of precision for each value of CW.PC; 1 is reserved and acts as 64. */
const PRECISIONS = [24, 64, 53, 64];

export class FpuUnit {
  readonly #R: Int32Array;
  readonly arithmetic = new Arithmetic();

  constructor(R: Int32Array) {
    this.#R = R;
  }

  /** Before an operation: control from CW, no exceptions, C1 clear. */
  begin(): Arithmetic {
    const a = this.arithmetic, cw = this.#R[FPU_CW]!;
    a.rounding = cw >> 10 & 3;
    a.precision = PRECISIONS[cw >> 8 & 3]!;
    a.masks = cw & 63;
    a.clear();
    this.#R[FPU_SW] = this.#R[FPU_SW]! & ~SW_C1;
    return a;
  }

  get top(): number {
    return (this.#R[FPU_SW]! & SW_TOP) >> 11;
  }
  set top(top: number) {
    this.#R[FPU_SW] = this.#R[FPU_SW]! & ~SW_TOP | (top & 7) << 11;
  }

  isEmpty(i: number): boolean {
    const physical = this.top + i & 7;
    return (this.#R[FPU_TW]! >> physical * 2 & 3) === TAG_EMPTY;
  }

  /** ST(i), whatever its tag. */
  get(i: number): Float80 {
    return this.physical(this.top + i & 7);
  }

  physical(register: number): Float80 {
    const R = this.#R;
    const exponent = R[FPU_EXP + register]!;
    return {
      sign: (exponent >> 15 & 1) as 0 | 1, exponent: exponent & 0x7fff,
      significand: BigInt(R[FPU_HIGH + 2 * register]! >>> 0) << 32n | BigInt(R[FPU_LOW + 2 * register]! >>> 0),
    };
  }

  set(i: number, x: Float80): void {
    const register = this.top + i & 7;
    this.setPhysical(register, x);
    this.#tag(register, tagOf(x));
  }

  /** Writes the register without its tag (FRSTOR). */
  setPhysical(register: number, x: Float80): void {
    const R = this.#R;
    R[FPU_LOW + 2 * register] = Number(x.significand & 0xffffffffn) | 0;
    R[FPU_HIGH + 2 * register] = Number(x.significand >> 32n) | 0;
    R[FPU_EXP + register] = x.sign << 15 | x.exponent;
  }

  #tag(register: number, tag: number): void {
    this.#R[FPU_TW] = this.#R[FPU_TW]! & ~(3 << register * 2) | tag << register * 2;
  }

  free(i: number): void {
    this.#tag(this.top + i & 7, TAG_EMPTY);
  }

  pop(): void {
    this.free(0);
    this.top = this.top + 1;
  }

  /** Pushes; the caller has checked that ST(7) is empty. */
  push(x: Float80): void {
    this.top = this.top - 1;
    this.set(0, x);
  }

  /** The tag word as FSTENV stores it: contents decide between valid, zero and special. */
  get tagWord(): number {
    let word = 0;
    for (let register = 0; register < 8; register++) {
      const empty = (this.#R[FPU_TW]! >> register * 2 & 3) === TAG_EMPTY;
      word |= (empty ? TAG_EMPTY : tagOf(this.physical(register))) << register * 2;
    }
    return word;
  }
  set tagWord(word: number) {
    this.#R[FPU_TW] = word & 0xffff;
  }

  get status(): number {
    return this.#R[FPU_SW]!;
  }
  set status(word: number) {
    this.#R[FPU_SW] = word & 0xffff;
    this.#summarize();
  }

  get control(): number {
    return this.#R[FPU_CW]!;
  }
  set control(word: number) {
    this.#R[FPU_CW] = word & 0x1f3f | 0x40;
    this.#summarize();
  }

  setConditions(bits: number): void {
    this.#R[FPU_SW] = this.#R[FPU_SW]! & ~(SW_C0 | SW_C2 | SW_C3) | bits;
  }
  setC1(set: boolean): void {
    this.#R[FPU_SW] = this.#R[FPU_SW]! & ~SW_C1 | (set ? SW_C1 : 0);
  }

  /** A stack fault: IE and SF, C1 = overflow. True if it is masked (then the indefinite is the result). */
  stackFault(overflow: boolean): boolean {
    this.#R[FPU_SW] = this.#R[FPU_SW]! | IE | SW_SF;
    this.setC1(overflow);
    this.#summarize();
    return (this.#R[FPU_CW]! & IE) !== 0;
  }

  /** Takes over what the arithmetic raised; true if the result is to be stored (no unmasked IE, DE or ZE). */
  finish(): boolean {
    const a = this.arithmetic;
    const before = a.flags & ~a.masks & (IE | DE | ZE);
    // Exceptions before the operation keep those of its result from being seen.
    const flags = before !== 0 ? a.flags & (IE | DE | ZE) : a.flags;
    this.#R[FPU_SW] = this.#R[FPU_SW]! | flags;
    if (before === 0 && a.roundedUp) this.setC1(true);
    this.#summarize();
    return before === 0;
  }

  /** A stored memory result: with an unmasked IE, OE or UE nothing is stored and nothing popped. */
  finishStore(): boolean {
    const a = this.arithmetic, blocked = this.storeBlocked;
    // What is not stored was not rounded.
    this.#R[FPU_SW] = this.#R[FPU_SW]! | (blocked ? a.flags & ~PE : a.flags);
    if (a.roundedUp && !blocked) this.setC1(true);
    this.#summarize();
    return !blocked;
  }
  get storeBlocked(): boolean {
    return (this.arithmetic.flags & ~this.arithmetic.masks & ~0x20) !== 0;
  }

  clearExceptions(): void {
    this.#R[FPU_SW] = this.#R[FPU_SW]! & ~(SW_EXCEPTIONS | SW_SF | SW_ES | SW_BUSY);
  }

  get hasPending(): boolean {
    return (this.#R[FPU_SW]! & SW_ES) !== 0;
  }

  #summarize(): void {
    const sw = this.#R[FPU_SW]!;
    const pending = (sw & ~this.#R[FPU_CW]! & SW_EXCEPTIONS) !== 0;
    this.#R[FPU_SW] = pending ? sw | SW_ES | SW_BUSY : sw & ~(SW_ES | SW_BUSY);
  }
}

function tagOf(x: Float80): number {
  if (isZero(x)) return TAG_ZERO;
  return x.exponent === 0 || x.exponent === 0x7fff || x.significand >> 63n === 0n || isNaN80(x) ? TAG_SPECIAL : TAG_VALID;
}

