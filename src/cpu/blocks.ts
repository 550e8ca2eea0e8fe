/**
 * Translation blocks of a processor: finds the one for the state as it is, or translates it, and keeps record of the memory
 * that blocks were made from. A processor in lockstep has a second set, of which nothing is compiled.
 */
import { successorsOf } from '../tcg/backend/successors.ts';
import type { EnvLayout } from '../tcg/env.ts';
import { printBlock } from '../tcg/text.ts';
import { TbCache } from '../tcg/tb-cache.ts';
import type { TranslationBlock } from '../tcg/tb-cache.ts';
import type { createPipeline } from '../tcg/passes/pipeline.ts';
import type { CompileTime } from './compile-time.ts';
import type { Cpu } from './cpu.ts';
import { Decoder } from './decode/decoder.ts';
import { disassemble, formatInAsm } from './decode/disasm.ts';
import { GUEST_FAULT } from './fault.ts';
import type { Log } from './log.ts';
import { CR2, CS, EIP, HF_CS32, HF_ONE_INSN, HFLAGS, PENDING_EXIT, SEG_BASE, SEG_LIMIT } from './state.ts';
import type { Translator } from './translate/translate.ts';
import type { BlockInfo, BlockKey } from './translate/translate.ts';

export interface BlocksOptions {
  readonly layout: EnvLayout;
  /** Bytes of packed op code that are kept. */
  readonly bytes: number;
  /** Most instructions in a block. */
  readonly maxInsns: number;
  readonly log: Log | null;
  /** Called for each new block that may stay, and for each that is dropped. */
  readonly onAdd: (block: TranslationBlock) => void;
  readonly onDrop: (block: TranslationBlock) => void;
  /** Whether a block may be given another address. */
  readonly mayMove: (block: TranslationBlock) => boolean;
  readonly time: CompileTime;
}

export class Blocks {
  readonly cache: TbCache;
  /** Guest instructions translated in this run(). */
  work = 0;
  readonly #cpu: Cpu;
  readonly #translator: Translator;
  readonly #optimize: ReturnType<typeof createPipeline>;
  readonly #options: BlocksOptions;

  constructor(cpu: Cpu, translator: Translator, optimize: ReturnType<typeof createPipeline>, options: BlocksOptions) {
    this.#cpu = cpu;
    this.#translator = translator;
    this.#optimize = optimize;
    this.#options = options;
    this.cache = new TbCache({ layout: options.layout, bytes: options.bytes, onDrop: (block) => this.#dropped(block) });
  }

  /** The block for the state as it is, translated if need be. `extra`: HF_ONE_INSN or 0. Throws GUEST_FAULT on a code fetch fault. */
  find(extra: number): TranslationBlock {
    const cpu = this.#cpu, R = cpu.R;
    const eip = R[EIP]!, csBase = R[SEG_BASE + CS]!, csLimit = R[SEG_LIMIT + CS]!;
    const pc = csBase + eip | 0;
    const ma = cpu.codeAddress(pc);
    if (ma < 0) return this.#timed({ pc, eip, csBase, csLimit, flags: R[HFLAGS]! | HF_ONE_INSN }, -1);
    const flags = R[HFLAGS]! | extra;
    const known = this.cache.lookup(pc, csBase, csLimit, flags, ma, () => this.#secondPage(pc), cpu.isGlobalCode(pc));
    if (known !== undefined) return known;
    const key = { pc, eip, csBase, csLimit, flags };
    return this.#fromTwin(key, ma) ?? this.#timed(key, ma);
  }

  /** A block made of one that was translated from the same bytes for another address, or undefined. What is translated is logged, so not with a log. */
  #fromTwin(key: BlockKey, ma: number): TranslationBlock | undefined {
    const { cache } = this, { mayMove, onAdd, onDrop } = this.#options;
    if (this.#options.log !== null) return undefined;
    const twin = cache.twins.find(key, ma);
    if (twin === undefined) return undefined;
    let block = cache.twins.spare(twin, mayMove, (other) => cache.executionsOf(other));
    if (block !== undefined) {
      onDrop(block);
      cache.move(block, key.pc);
    } else {
      block = cache.copy(twin, key.pc);
      if (block === undefined) return undefined;
      this.#cpu.codeLines.add(block, ma, block.length);
    }
    onAdd(block);
    return block;
  }

  /** `-d in_asm` of a block's code. */
  disassembly(block: TranslationBlock): string {
    const bytes = this.#cpu.bytes;
    const fetch = (linear: number): number => bytes[linear - block.pc < block.length ? block.ma + (linear - block.pc) : block.ma1 + (linear - block.pc - block.length)]!;
    const { pc, csBase, csLimit, flags } = block;
    return formatCode({ pc, eip: pc - csBase | 0, csBase, csLimit, flags }, block.length + block.length1, fetch);
  }

  /** MA of the page after pc's, or negative if it cannot be executed now. */
  #secondPage(pc: number): number {
    const R = this.#cpu.R, cr2 = R[CR2]!;
    try {
      return this.#cpu.codeAddress((pc & ~4095) + 4096 | 0);
    } catch (thrown) {
      if (thrown !== GUEST_FAULT) throw thrown;
      R[PENDING_EXIT] = 0;
      R[CR2] = cr2;
      return -1;
    }
  }

  #timed(key: BlockKey, ma: number): TranslationBlock {
    const block = this.#options.time.time('translating', () => this.#translate(key, ma));
    this.work += block.icount;
    return block;
  }

  #translate(key: BlockKey, ma: number): TranslationBlock {
    const cpu = this.#cpu, { cache } = this, builder = this.#translator.builder, { maxInsns } = this.#options;
    const fetch = (linear: number): number => {
      const at = cpu.codeAddress(linear);
      return at < 0 ? cpu.codeByteSlow(linear) : cpu.bytes[at]!;
    };
    const cr2 = cpu.R[CR2]!;
    const info = this.#translator.translate(key, fetch, maxInsns);
    // A fetch that failed past the first instruction ended the block there; the guest has not seen that fault.
    cpu.R[PENDING_EXIT] = 0;
    cpu.R[CR2] = cr2;
    const log = this.#options.log?.wants(key.pc) === true ? this.#options.log : null;
    if (log?.has('in_asm') === true) log.write(`----------------\nIN: \n${formatCode(key, info.length, fetch)}\n`);
    if (log?.has('op') === true) log.write(`OP:\n${printBlock(builder)}\n`);
    cache.counters.opsIn += builder.ops.length;
    this.#optimize(builder);
    if (log?.has('op_opt') === true) log.write(`OP after optimization and liveness analysis:\n${printBlock(builder)}\n`);
    return this.#add(key, ma, info);
  }

  /** Packs the builder's ops and enters the block. */
  #add(key: BlockKey, ma: number, info: BlockInfo): TranslationBlock {
    const cpu = this.#cpu, { cache } = this;
    // Code in a device's memory is run once and forgotten: nobody would tell if it changed.
    const first = ma < 0 ? 0 : Math.min(info.length, 4096 - (key.pc & 4095));
    const crosses = ma >= 0 && info.length > first;
    const second = crosses ? this.#secondPage(key.pc) : -1;
    const block = cache.add({ ...key, ma: Math.max(ma, 0), length: first, ma1: second, length1: crosses && second >= 0 ? info.length - first : 0 }, this.#translator.builder);
    if (ma < 0 || (crosses && second < 0)) {
      cache.invalidate(block);
      return block;
    }
    cpu.codeLines.add(block, ma, first);
    if (crosses) cpu.codeLines.add(block, second, info.length - first);
    block.returnEip = info.returnEip;
    block.successors = successorsOf(this.#translator.builder, EIP);
    cache.twins.add(block);
    this.#options.onAdd(block);
    return block;
  }

  #dropped(block: TranslationBlock): void {
    this.#options.onDrop(block);
    this.#cpu.codeLines.remove(block, block.ma);
    if (block.page1 >= 0) this.#cpu.codeLines.remove(block, block.ma1);
  }
}

/** The instructions from key.eip on, one a line. */
function formatCode(key: BlockKey, length: number, fetch: (linear: number) => number): string {
  const decoder = new Decoder();
  let text = '', eip = key.eip;
  while (eip < key.eip + length) {
    const start = eip;
    if (decoder.decode({ byte: (at) => fetch(key.csBase + at | 0) }, eip, (key.flags & HF_CS32) !== 0) === 0) {
      eip += decoder.insn.length;
      text += `${formatInAsm(key.csBase + start | 0, decoder.insn.bytes.subarray(0, decoder.insn.length), disassemble(decoder.insn, key.csBase))}\n`;
    } else {
      text += `${formatInAsm(key.csBase + start | 0, Uint8Array.of(fetch(key.csBase + start | 0)), '(bad)')}\n`;
      break;
    }
  }
  return text;
}
