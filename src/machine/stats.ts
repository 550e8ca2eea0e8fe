/** All counters of a machine, as --stats writes them. */
import type { Cpu } from '../cpu/cpu.ts';
import { EXIT_NAMES } from '../tcg/env.ts';

export type Stats = Record<string, unknown>;

export function collectStats(cpu: Cpu, retired: number): Stats {
  const { exec } = cpu;
  const tb = exec.tbCounters;
  const compiled = exec.regionRetired;
  const { counters: made, size: live } = exec.regions, { entries, events, budget, faults, sites } = exec.counters.regions;
  const { translating, compiling, longestPause } = exec.compileTime;
  return {
    retiredInstructions: retired,
    // Guest instructions by the tier that retired them: op interpreter, compiled JavaScript.
    tiers: { interpreted: retired - compiled, compiled, compiledShare: retired === 0 ? 0 : compiled / retired },
    // Blocks beyond those translated were made of others from the same bytes, for another address.
    translation: {
      blocks: tb.blocks, relocated: tb.relocated, guestInstructions: tb.guestInsns, guestBytes: tb.guestBytes, opsBefore: tb.opsIn, opsAfter: tb.opsOut, codeWords: tb.words,
      cachedBlocks: exec.cache.size, cacheBytesUsed: exec.cache.bytesUsed,
    },
    regions: {
      compiled: made.compiled, live, dropped: made.dropped, recompiledForMisses: made.recompiledForMisses, guestInstructions: made.guestInsns, sourceBytes: made.sourceBytes,
      entries, exits: { lookup: entries - events - budget - faults - Object.values(sites).reduce((sum, count) => sum + count, 0), events, budget, faults, ...sites },
    },
    // Host milliseconds. A pause is what one slice spent on both; other processes of the host are not counted where it says how long they ran.
    compileTime: { translating, compiling, longestPause },
    lookup: { hashLookups: tb.lookups, hashHits: tb.hits, jumpCacheHits: tb.jumpCacheHits },
    execution: {
      blocks: tb.executions, entries: tb.entries, chainedTransitions: tb.chained, linksMade: tb.links,
      exits: Object.fromEntries(EXIT_NAMES.flatMap((name, reason) => (name === '' ? [] : [[name, exec.counters.exits[reason]]]))),
    },
    invalidation: { blocks: tb.invalidations, flushes: tb.flushes, replays: exec.counters.singles },
    // Runs of regions that were checked against the op interpreter.
    ...(exec.lockstep === null ? {} : { lockstep: { ...exec.lockstep.counters } }),
    events: { interrupts: exec.counters.interrupts, exceptions: exec.counters.exceptions },
  };
}
