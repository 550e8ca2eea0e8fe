/** All counters of a machine, as --stats writes them. */
import type { Cpu } from '../cpu/cpu.ts';
import { EXIT_NAMES } from '../tcg/env.ts';

export type Stats = Record<string, unknown>;

export function collectStats(cpu: Cpu, retired: number): Stats {
  const { exec } = cpu;
  const tb = exec.tbCounters;
  const compiled = exec.regionRetired;
  return {
    retiredInstructions: retired,
    // Guest instructions by the tier that retired them: op interpreter, compiled JavaScript.
    tiers: { interpreted: retired - compiled, compiled, compiledShare: retired === 0 ? 0 : compiled / retired },
    translation: {
      blocks: tb.blocks, guestInstructions: tb.guestInsns, guestBytes: tb.guestBytes, opsBefore: tb.opsIn, opsAfter: tb.opsOut, codeWords: tb.words,
      cachedBlocks: exec.cache.size, cacheBytesUsed: exec.cache.bytesUsed,
    },
    lookup: { hashLookups: tb.lookups, hashHits: tb.hits, jumpCacheHits: tb.jumpCacheHits },
    execution: {
      blocks: tb.executions, entries: tb.entries, chainedTransitions: tb.chained, linksMade: tb.links,
      exits: Object.fromEntries(EXIT_NAMES.flatMap((name, reason) => (name === '' ? [] : [[name, exec.counters.exits[reason]]]))),
    },
    invalidation: { blocks: tb.invalidations, flushes: tb.flushes, replays: exec.counters.singles },
    events: { interrupts: exec.counters.interrupts, exceptions: exec.counters.exceptions },
  };
}
