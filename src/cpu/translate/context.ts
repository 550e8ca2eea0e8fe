/**
 * What the emitters of one block share: the builder, the instruction being translated, what the block's key says about
 * the processor, the static knowledge of the lazy flags, and register access.
 *
 * Order within an instruction (the verifier insists): whatever may leave (loads, traps, stores, helpers that fault) comes
 * before the first write to a register, flag or state word, so that a fault or a replay finds the instruction not begun.
 * Register writes asked for by `write` (operands.ts) therefore wait until the emitter is done; until then a register's
 * value number still means its old value.
 */
import type { Builder } from '../../tcg/builder.ts';
import type { Helper } from '../../tcg/env.ts';
import type { Insn } from '../decode/insn.ts';
import type { FeatureSet } from '../features.ts';
import {
  ESP, GLOBALS, HF_CPL_MASK, HF_CS32, HF_DEBUG, HF_FLAT, HF_FROM_ZERO, HF_INHIBIT_IRQ, HF_IOPL_MASK, HF_IOPL_SHIFT, HF_PE, HF_RF, HF_SS32, HF_TF, HF_VM,
} from '../state.ts';
import { LazyFlags } from './lazy-flags.ts';

/** Operand sizes in bytes. */
export type Size = 1 | 2 | 4;

/** What a block is translated for: equal keys, equal code. */
export interface BlockKey {
  /** Linear address of the first instruction: csBase + eip. */
  readonly pc: number;
  readonly eip: number;
  readonly csBase: number;
  readonly csLimit: number;
  /** HF_* bits. */
  readonly flags: number;
}

/** What is above the bits of interest of a value: anything, zeros, or copies of the sign. */
export const ANY = 0, ZERO = 1, SIGN = 2;
export type Extension = typeof ANY | typeof ZERO | typeof SIGN;

/** Helpers by name (src/cpu/helpers/index.ts). */
export type Helpers = Readonly<Record<string, Helper>>;

export class Context {
  readonly b: Builder;
  readonly cc: LazyFlags;
  readonly helpers: Helpers;
  readonly features: FeatureSet;
  insn!: Insn;
  key!: BlockKey;
  /** The last op so far ends the block. */
  ended = false;
  /** A segment register was loaded: HFLAGS may differ from the key, so the block may not link to its successor. */
  hflagsChanged = false;
  /** Value that stands for ESP in addresses: POP computes its destination's address with ESP already incremented. */
  stackPointer = ESP;
  /** Offset and checked linear address of the memory operand, or -1; see operands.ts. */
  offset = -1;
  linear = -1;
  linearIsWritable = false;
  /** Highest offsets at which an access may begin, by segment, direction and size: values computed earlier in the block (memory.ts). */
  readonly limits = new Map<number, number>();
  // Register writes that wait for the end of the instruction.
  private readonly waiting: number[] = [];

  /** Values are those of `builder`; its globals are the first state slots. */
  constructor(builder: Builder, helpers: Helpers, features: FeatureSet) {
    this.b = builder;
    this.helpers = helpers;
    this.features = features;
    this.cc = new LazyFlags(builder, (name) => this.helper(name));
  }

  startBlock(key: BlockKey): void {
    this.b.reset();
    this.key = key;
    this.cc.start();
    this.ended = this.hflagsChanged = false;
    this.limits.clear();
  }

  startInsn(insn: Insn): void {
    this.insn = insn;
    this.stackPointer = ESP;
    this.offset = this.linear = -1;
    this.linearIsWritable = false;
    this.waiting.length = 0;
  }

  // What the key says.
  get cpl(): number { return this.key.flags & HF_CPL_MASK; }
  get iopl(): number { return (this.key.flags & HF_IOPL_MASK) >> HF_IOPL_SHIFT; }
  /** Protected mode proper: PE and not virtual-8086. */
  get protectedMode(): boolean { return (this.key.flags & (HF_PE | HF_VM)) === HF_PE; }
  get v86(): boolean { return (this.key.flags & HF_VM) !== 0; }
  get code32(): boolean { return (this.key.flags & HF_CS32) !== 0; }
  get stack32(): boolean { return (this.key.flags & HF_SS32) !== 0; }
  isFlat(seg: number): boolean { return (this.key.flags & HF_FLAT << seg) !== 0; }
  /** The segment's range starts at 0 and holds 4 bytes at least. In real and virtual-8086 mode it does so whatever is loaded. */
  isFromZero(seg: number): boolean { return !this.protectedMode || (this.key.flags & HF_FROM_ZERO << seg) !== 0; }
  /** The block holds one instruction, after which the run loop must look at the state. */
  get stepping(): boolean { return (this.key.flags & (HF_TF | HF_RF | HF_INHIBIT_IRQ | HF_DEBUG)) !== 0; }

  /** Emits what a label may skip: the values that it computes first are not there behind the label. */
  skippable(emit: () => void): void {
    const known = new Set(this.limits.keys());
    emit();
    for (const key of this.limits.keys()) if (!known.has(key)) this.limits.delete(key);
  }

  /** EIP of the following instruction, not truncated. */
  get nextEip(): number { return this.insn.eip + this.insn.length | 0; }

  const(value: number): number { return this.b.const(value); }

  /** Throws if the name is unknown: a mistake in this room. */
  helper(name: string): Helper {
    const helper = this.helpers[name];
    if (helper === undefined) throw new Error(`no helper ${name}`);
    return helper;
  }

  /** Calls a helper for its effect. */
  call(name: string, ...ins: number[]): void {
    this.callInto(-1, name, ins);
  }

  /** Calls a helper for its result. */
  callFor(name: string, ...ins: number[]): number {
    const out = this.b.temp();
    this.callInto(out, name, ins);
    return out;
  }

  private callInto(out: number, name: string, ins: number[]): void {
    const helper = this.helper(name);
    this.b.call(helper, out, ...ins);
    if (helper.globals === 'write') this.cc.forgetFirst();
  }

  // Registers. Byte registers 4-7 are AH CH DH BH.

  /** The value of a register; the register's own value number where possible. */
  register(size: Size, reg: number, extension: Extension): number {
    const { b } = this;
    if (size === 4) return reg;
    const high = size === 1 && reg >= 4;
    if (extension === ANY && !high) return reg;
    const value = b.temp();
    const position = high ? 8 : 0;
    if (extension === SIGN) b.sextract(value, high ? reg - 4 : reg, position, size * 8);
    else b.extract(value, high ? reg - 4 : reg, position, size * 8);
    return value;
  }

  /** Writes a register now: only when nothing that may leave follows in this instruction. */
  setRegister(size: Size, reg: number, value: number): void {
    const { b } = this;
    const high = size === 1 && reg >= 4;
    const slot = high ? reg - 4 : reg;
    this.cc.forgetFirst(slot);
    if (size === 4) b.mov(slot, value);
    else b.deposit(slot, slot, value, high ? 8 : 0, size * 8);
  }

  /** Writes a register when the emitter is done; later writes win. */
  setRegisterLater(size: Size, reg: number, value: number): void {
    this.waiting.push(size, reg, value);
  }

  /** Does the waiting register writes. */
  flushRegisters(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    // Two writes (XCHG): the second value may be that of the first one's register.
    for (let i = 3; i < waiting.length; i += 3) {
      if (waiting[i + 2]! >= GLOBALS) continue;
      const copy = this.b.temp();
      this.b.mov(copy, waiting[i + 2]!);
      waiting[i + 2] = copy;
    }
    for (let i = 0; i < waiting.length; i += 3) this.setRegister(waiting[i] as Size, waiting[i + 1]!, waiting[i + 2]!);
    waiting.length = 0;
  }

  // Parts of values.

  /** The low `size` bytes of a value, extended. */
  extend(value: number, size: Size, extension: Extension): number {
    const { b } = this;
    if (size === 4 || extension === ANY) return value;
    if (b.isConst(value)) {
      const shift = 32 - size * 8, n = b.constValue(value) << shift;
      return b.const(extension === SIGN ? n >> shift : n >>> shift);
    }
    const out = b.temp();
    if (extension === SIGN) b.sextract(out, value, 0, size * 8);
    else b.extract(out, value, 0, size * 8);
    return out;
  }
}
