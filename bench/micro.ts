/** Micro benchmarks of the translator, with the `benchmark` package: blocks of a program that has run are translated once more. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type BenchmarkType from 'benchmark';
import type { Cpu } from '../src/cpu/cpu.ts';
import { Decoder } from '../src/cpu/decode/decoder.ts';
import { createHelpers } from '../src/cpu/helpers/index.ts';
import { HF_CS32 } from '../src/cpu/state.ts';
import { Translator, createBuilder } from '../src/cpu/translate/translate.ts';
import { createPipeline } from '../src/tcg/passes/pipeline.ts';
import type { TranslationBlock } from '../src/tcg/tb-cache.ts';

/** Host time for all blocks: mean (s) and relative margin of error (%). */
export interface Timing { readonly seconds: number; readonly error: number }

export interface MicroResult {
  readonly blocks: number;
  readonly insns: number;
  /** Each stage with all before it. */
  readonly stages: Record<'decode' | 'translate' | 'optimize' | 'pack', Timing>;
}

/** The benchmark package finds its own dependencies at run time, so it is not bundled. */
function loadBenchmark(root: string): typeof BenchmarkType {
  return createRequire(join(root, 'package.json'))('benchmark') as typeof BenchmarkType;
}

function time(root: string, work: () => void): Timing {
  const Benchmark = loadBenchmark(root);
  const run = new Benchmark('', work, { maxTime: 2 });
  run.run();
  return { seconds: run.stats.mean, error: run.stats.rme };
}

/** The valid blocks of a cache, in the order in which they were translated. */
function blocksOf({ cache }: Cpu['exec']): TranslationBlock[] {
  const blocks: TranslationBlock[] = [];
  for (let position = 0; position * 4 < cache.bytesUsed;) {
    const block = cache.blockAt(position);
    if (block?.valid === true) blocks.push(block);
    position = block?.end ?? position + 1;
  }
  return blocks;
}

/** Translates up to `most` of the blocks that a processor has in its cache. The processor cannot go on afterwards: its cache is used up. */
export function measureTranslation(root: string, cpu: Cpu, most: number): MicroResult {
  const all = blocksOf(cpu.exec);
  const step = Math.max(1, all.length / most);
  const blocks = Array.from({ length: Math.floor(all.length / step) }, (_, index) => all[Math.floor(index * step)]!);
  const keys = blocks.map((block) => ({ ...block, eip: block.pc - block.csBase | 0 }));
  const { bytes } = cpu;
  const readers = blocks.map(({ pc, ma, length, ma1 }) => (linear: number): number => {
    const at = linear - pc | 0;
    return bytes[at < length ? ma + at : ma1 + at - length]!;
  });

  const decoder = new Decoder();
  const decode = (): void => blocks.forEach(({ csBase, flags, icount }, index) => {
    const fetch = readers[index]!;
    const reader = { byte: (eip: number): number => fetch(csBase + eip | 0) };
    let { eip } = keys[index]!;
    for (let insn = 0; insn < icount; insn++) {
      decoder.decode(reader, eip, (flags & HF_CS32) !== 0);
      eip = eip + decoder.insn.length | 0;
    }
  });
  const helpers = createHelpers(cpu);
  const translator = new Translator(createBuilder(helpers.list), helpers.byName, cpu.model.features);
  const optimize = createPipeline();
  const each = (after: (index: number) => void) => (): void => blocks.forEach(({ icount }, index) => {
    translator.translate(keys[index]!, readers[index]!, icount);
    after(index);
  });
  const { cache } = cpu.exec;
  const pack = each((index) => {
    optimize(translator.builder);
    cache.add(keys[index]!, translator.builder);
  });
  return {
    blocks: blocks.length, insns: blocks.reduce((sum, { icount }) => sum + icount, 0),
    stages: {
      decode: time(root, decode),
      translate: time(root, each(() => {})),
      optimize: time(root, each(() => optimize(translator.builder))),
      pack: time(root, () => {
        cache.flush();
        pack();
      }),
    },
  };
}
