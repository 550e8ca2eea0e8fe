/**
 * The optimizer's passes, in the order in which they run. Each can be switched off by name and has a dump point after it.
 */
import type { Block } from '../ir.ts';
import { verify } from '../verify.ts';
import { createConstantFolding } from './constant-folding.ts';
import { createCopyPropagation } from './copy-propagation.ts';
import { createDeadCode } from './dead-code.ts';
import { createDeadGlobals } from './dead-globals.ts';
import { hoistMoves } from './hoist-moves.ts';
import { lowerI64 } from './lower-i64.ts';
import { createMergeMoves } from './merge-moves.ts';

export interface Pass {
  readonly name: string;
  readonly doc: string;
  /** A new instance, with work space of its own. It changes the block in place. */
  readonly create: () => (block: Block) => void;
  /** The packer cannot do without it. */
  readonly required?: boolean;
}

export const PASSES: readonly Pass[] = [
  { name: 'lower-i64', doc: '64-bit ops become pairs of 32-bit ones', create: () => lowerI64, required: true },
  { name: 'constant-folding', doc: 'constants are evaluated, identities applied', create: createConstantFolding },
  { name: 'dead-globals', doc: 'writes of globals that nobody reads are dropped', create: createDeadGlobals },
  { name: 'copy-propagation', doc: 'copies are bypassed', create: createCopyPropagation },
  { name: 'merge-moves', doc: 'results are computed where they are moved to', create: createMergeMoves },
  { name: 'hoist-moves', doc: 'constants written on both ways of a branch are written before it', create: () => hoistMoves },
  { name: 'dead-code', doc: 'unreachable and unread ops are dropped', create: createDeadCode },
  { name: 'verify', doc: 'the result is checked', create: () => verify },
];

/** Names of the passes that can be switched off. */
export const PASS_NAMES: readonly string[] = PASSES.filter((pass) => !pass.required).map((pass) => pass.name);

export interface PipelineOptions {
  /** Names of passes to leave out. */
  readonly disabled?: readonly string[];
  /** Called after each pass that ran. */
  readonly dump?: (pass: string, block: Block) => void;
}

/** One optimizer: takes a block as the translator made it and leaves it ready for the packer. */
export function createPipeline(options: PipelineOptions = {}): (block: Block) => void {
  const { disabled = [], dump } = options;
  const wrong = disabled.find((name) => !PASS_NAMES.includes(name));
  if (wrong !== undefined) throw new Error(`no pass '${wrong}' (${PASS_NAMES.join(', ')})`);
  const steps = PASSES.filter((pass) => !disabled.includes(pass.name)).map(({ name, create }) => ({ name, run: create() }));
  return (block) => {
    for (const step of steps) {
      step.run(block);
      dump?.(step.name, block);
    }
  };
}
