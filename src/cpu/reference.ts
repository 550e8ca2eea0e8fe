/**
 * Lockstep: the op interpreter with blocks of its own, none of which is compiled. Runs exactly as many instructions as it is
 * told, without interrupts; it delivers no exception, but stops before the instruction that has one.
 */
import { EXIT_CHAIN_0, EXIT_CHAIN_1, EXIT_FAULT, EXIT_PRECISE, EXIT_TRAP } from '../tcg/env.ts';
import type { ExecEnv } from '../tcg/env.ts';
import { createInterpreter } from '../tcg/interp.ts';
import type { Interpreter } from '../tcg/interp.ts';
import type { TranslationBlock } from '../tcg/tb-cache.ts';
import type { Blocks } from './blocks.ts';
import type { Cpu } from './cpu.ts';
import { GUEST_FAULT } from './fault.ts';
import {
  BUDGET, BUDGET_PARKED, CC_OP, CUR_OP, EIP, EXC_ERROR, EXC_HAS_ERROR, EXC_VECTOR, HALTED, HF_ONE_INSN, PENDING_EXIT, REGION_SITE, RESET_REQUEST, VIEW,
} from './state.ts';

/** How a run ended: all instructions retired; an exception (in the state); HLT or a reset; the instruction asks to be run again. */
export type Outcome = 'done' | 'fault' | 'stopped' | 'replay';

export class Reference {
  readonly #cpu: Cpu;
  readonly #env: ExecEnv;
  readonly #blocks: Blocks;
  readonly #interpreter: Interpreter;
  #granted = 0;

  constructor(cpu: Cpu, env: ExecEnv, blocks: Blocks) {
    this.#cpu = cpu;
    this.#env = { ...env, regions: [] };
    this.#blocks = blocks;
    this.#interpreter = createInterpreter(this.#env, blocks.cache.jumpCache, blocks.cache.code);
  }

  /** Instructions retired since run() was called. */
  get total(): number {
    return this.#granted - this.#cpu.R[BUDGET]! - this.#cpu.R[BUDGET_PARKED]!;
  }

  /** The same in the middle of a block; the instruction that runs is not counted. */
  get retired(): number {
    const position = this.#cpu.R[CUR_OP]!, { cache } = this.#blocks;
    if (position < 0) return this.total;
    const block = cache.blockAt(position)!;
    return this.total - (block.icount - cache.insnAt(block, position).index);
  }

  /** Runs `count` instructions from the state as it is. */
  run(count: number): Outcome {
    this.#granted = 0;
    return this.#go(count);
  }

  /** Runs one instruction more. */
  runOne(): Outcome {
    return this.#go(1);
  }

  /** See Executor.mustReplay. */
  mustReplay(overlapping: readonly TranslationBlock[]): boolean {
    const position = this.#cpu.R[CUR_OP]!;
    return overlapping.some((block) => this.#blocks.cache.owns(block) && block.icount > 1 && position >= block.position && position < block.end);
  }

  invalidate(block: TranslationBlock): void {
    this.#blocks.cache.invalidate(block);
  }

  #go(count: number): Outcome {
    const { R } = this.#cpu, { cache } = this.#blocks;
    R[BUDGET] = R[BUDGET_PARKED] = 0;
    this.#granted += count;
    R[BUDGET] = count;
    R[REGION_SITE] = R[PENDING_EXIT] = 0;
    let from: TranslationBlock | undefined;
    let slot: 0 | 1 = 0;
    let single = false;
    for (;;) {
      R[BUDGET] = R[BUDGET]! + R[BUDGET_PARKED]!;
      R[BUDGET_PARKED] = 0;
      R[CUR_OP] = -1;
      if (R[BUDGET]! <= 0) return 'done';
      if (R[HALTED] !== 0 || R[RESET_REQUEST] !== 0) return 'stopped';
      let exit: number;
      try {
        let block = this.#blocks.find(single ? HF_ONE_INSN : 0);
        if (block.icount > R[BUDGET]!) block = this.#blocks.find(HF_ONE_INSN);
        if (from !== undefined) cache.link(from, slot, block);
        exit = this.#enter(block);
      } catch (thrown) {
        if (thrown !== GUEST_FAULT) throw thrown;
        exit = R[PENDING_EXIT]!;
        R[PENDING_EXIT] = 0;
      }
      from = undefined;
      switch (exit) {
        case EXIT_CHAIN_0:
        case EXIT_CHAIN_1:
          from = cache.blockAt(R[CUR_OP]!);
          slot = exit === EXIT_CHAIN_0 ? 0 : 1;
          break;
        case EXIT_FAULT:
          this.#putBack();
          return 'fault';
        case EXIT_TRAP:
          R[EXC_VECTOR] = this.#interpreter.trapCode();
          R[EXC_ERROR] = 0;
          R[EXC_HAS_ERROR] = 1;
          this.#putBack();
          return 'fault';
        case EXIT_PRECISE:
          this.#putBack();
          // Alone it cannot overlap others; then it waits for something else.
          if (single) return 'replay';
          single = true;
          continue;
      }
      single = false;
    }
  }

  #enter(block: TranslationBlock): number {
    const view = this.#cpu.tlb.view(this.#cpu.R[VIEW]!);
    this.#env.readTable = view.read;
    this.#env.writeTable = view.write;
    return this.#interpreter.run(block.position);
  }

  /** The state before the instruction that left. */
  #putBack(): void {
    const { R } = this.#cpu, { cache } = this.#blocks, position = R[CUR_OP]!;
    if (position < 0) return;
    const block = cache.blockAt(position)!, { eip, ccOp, index } = cache.insnAt(block, position);
    R[EIP] = eip;
    if (ccOp !== 0) R[CC_OP] = ccOp;
    R[BUDGET] = R[BUDGET]! + block.icount - index;
    R[CUR_OP] = -1;
  }
}
