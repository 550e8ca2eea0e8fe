/**
 * Translates guest code into the ops of one block: decode, insn_start, emit, until something ends the block.
 *
 * A block starts in one page and may reach into the next with its last instruction only. Bytes beyond the limit of CS, and
 * instructions that do not decode, raise when they are executed: as the first instruction of a block of their own.
 */
import { CC_OP_DYNAMIC } from '../flags.ts';
import { FPU_BYTES, FPU_BYTES_WORDS } from '../fpu/state.ts';
import { EXC_UD, GLOBAL_NAMES, HF_DEBUG, HF_INHIBIT_IRQ, HF_ONE_INSN, HF_RF } from '../state.ts';
import { Decoder } from '../decode/decoder.ts';
import type { CodeFetch } from '../decode/decoder.ts';
import { DECODE_OK, DECODE_UD } from '../decode/insn.ts';
import { ROW_FEATURE } from '../decode/table.ts';
import type { FeatureSet } from '../features.ts';
import { jumpTo, raise, raiseProtection } from './block-end.ts';
import { Context } from './context.ts';
import type { BlockKey, Helpers } from './context.ts';
import { EMITTERS } from './emitters.ts';
import { Builder } from '../../tcg/builder.ts';
import type { Helper } from '../../tcg/env.ts';

export type { BlockKey, Helpers } from './context.ts';

/** Most instructions in a block. */
export const MAX_BLOCK_INSNS = 128;

/** Reads the code byte at a linear address, 0-255. May throw a guest fault. */
export type FetchCode = (linear: number) => number;

/** What was translated. */
export interface BlockInfo {
  /** Guest instructions, 1 or more. */
  readonly icount: number;
  /** Bytes of guest code from the key's pc on; more than one page is touched if pc's page offset + length exceeds 4096. */
  readonly length: number;
  /** Where a near call at the block's end returns to, or -1. */
  readonly returnEip: number;
}

/** Thrown by the code reader at the limit of CS. */
const BEYOND_LIMIT = Symbol('beyond the limit of CS');

/** Reads code through CS: checks the limit of each byte. */
class CodeReader implements CodeFetch {
  fetch!: FetchCode;
  base = 0;
  limit = 0;
  /** Bytes read since it was set to 0. */
  count = 0;

  byte(eip: number): number {
    if (eip >>> 0 > this.limit >>> 0) throw BEYOND_LIMIT;
    this.count++;
    return this.fetch(this.base + eip | 0);
  }
}

/** What a translator builds with: the globals are the processor's. */
export const createBuilder = (helpers: readonly Helper[]): Builder => new Builder(GLOBAL_NAMES, helpers, [FPU_BYTES, FPU_BYTES + FPU_BYTES_WORDS]);

/** One per processor: reused for every block. */
export class Translator {
  readonly builder: Builder;
  private readonly context: Context;
  private readonly decoder = new Decoder();
  private readonly reader = new CodeReader();

  private readonly present: Uint8Array;

  /** The builder's globals are the processor's (state.ts), its helpers those of `helpers`. Rows of other features are #UD. */
  constructor(builder: Builder, helpers: Helpers, features: FeatureSet) {
    this.present = features.present;
    this.builder = builder;
    this.context = new Context(builder, helpers, features);
  }

  /**
   * Fills the builder with the block for `key`. `maxInsns` is 1 to MAX_BLOCK_INSNS.
   * A fault of `fetch` at the first instruction is thrown on; at a later one it ends the block before that instruction.
   */
  translate(key: BlockKey, fetch: FetchCode, maxInsns = MAX_BLOCK_INSNS): BlockInfo {
    const { context: ctx, decoder, reader } = this;
    reader.fetch = fetch;
    reader.base = key.csBase;
    reader.limit = key.csLimit;
    ctx.startBlock(key);
    const most = ctx.stepping || (key.flags & HF_ONE_INSN) !== 0 ? 1 : maxInsns;
    let eip = key.eip, icount = 0;
    do {
      const outcome = this.decode(eip, icount === 0);
      if (outcome !== DECODE_OK && icount > 0) break;
      icount++;
      ctx.startInsn(decoder.insn);
      if (outcome === DECODE_OK) this.emit();
      else this.emitFault(outcome);
      eip = ctx.nextEip;
    } while (!ctx.ended && icount < most && ((key.csBase + eip ^ key.pc) & ~0xfff) === 0);
    if (!ctx.ended) jumpTo(ctx, 0, eip);
    const calls = decoder.insn.row?.mnemonic === 'CALL';
    return { icount, length: eip - key.eip, returnEip: calls ? eip : -1 };
  }

  /** Decodes; a fault while fetching the first instruction is thrown on, later it is told as a failure to decode. */
  private decode(eip: number, first: boolean): number {
    this.reader.count = 0;
    try {
      const outcome = this.decoder.decode(this.reader, eip, this.context.code32);
      const feature = outcome === DECODE_OK ? ROW_FEATURE[this.decoder.insn.row.index]! : -1;
      return feature >= 0 && this.present[feature] === 0 ? DECODE_UD : outcome;
    } catch (fault) {
      if (fault !== BEYOND_LIMIT && first) throw fault;
      return BEYOND_CODE;
    }
  }

  private emit(): void {
    const { context: ctx, builder } = this;
    const { insn, cc } = ctx;
    const { emit, syncFlags } = EMITTERS[insn.row.index]!;
    // Before the instruction starts, so that it is no write of it; a fault then leaves the flags as the helper left them.
    if (syncFlags) cc.sync();
    builder.insnStart(insn.eip, syncFlags ? CC_OP_DYNAMIC : cc.op);
    const { key: { flags, pc } } = ctx;
    if ((flags & (HF_DEBUG | HF_RF)) === HF_DEBUG) ctx.call('code_breakpoint', ctx.const(pc), ctx.const(flags & HF_INHIBIT_IRQ));
    emit(ctx);
    if (!ctx.ended) ctx.flushRegisters();
  }

  /** The first instruction does not decode, or lies beyond the limit: it is executed, so it faults. */
  private emitFault(outcome: number): void {
    const { context: ctx, builder } = this;
    ctx.insn.length = Math.max(1, this.reader.count);
    builder.insnStart(ctx.insn.eip, CC_OP_DYNAMIC);
    if (outcome === DECODE_UD) raise(ctx, EXC_UD);
    else raiseProtection(ctx);
  }
}

/** decode(): the instruction's bytes cannot be fetched. Not a value of DECODE_*. */
const BEYOND_CODE = -1;
