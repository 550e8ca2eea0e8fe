/** The counters that --stats writes. */
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';

interface Retired {
  retiredInstructions: number;
  regions: { compiled: number; live: number; dropped: number; entries: number; exits: Record<string, number> };
  compileTime: { translating: number; compiling: number; longestPause: number };
  tiers: { interpreted: number; compiled: number; compiledShare: number };
}

/** The demo disk, to its prompt. */
async function demo(options: PcOptions): Promise<Retired> {
  const machine = Machine.open({ fda: 'dist/bios/demo.img', boot: 'a', snapshot: true, timeout: 50, ...options });
  await machine.expect(/^tcg86> $/m);
  const stats = machine.stats() as unknown as Retired;
  machine.close();
  return stats;
}

describe('retired instructions by tier', () => {
  it('are all interpreted without the compiler', async () => {
    const { retiredInstructions, tiers } = await demo({ jit: false });
    expect(retiredInstructions).toBeGreaterThan(100_000);
    expect(tiers).toEqual({ interpreted: retiredInstructions, compiled: 0, compiledShare: 0 });
  });

  it('are shared with it', async () => {
    const { retiredInstructions, tiers } = await demo({ jitThreshold: 0 });
    expect(tiers.interpreted + tiers.compiled).toBe(retiredInstructions);
    expect(tiers.interpreted).toBeGreaterThan(0);
    expect(tiers.compiledShare).toBeCloseTo(tiers.compiled / retiredInstructions);
    expect(tiers.compiledShare).toBeGreaterThan(0.5);
  });
});

describe('regions', () => {
  it('are left as often as they are entered', async () => {
    const { regions } = await demo({ jitThreshold: 0 });
    expect(regions.compiled).toBeGreaterThan(10);
    expect(regions.live).toBe(regions.compiled - regions.dropped);
    expect(Object.values(regions.exits).every((count) => count >= 0)).toBe(true);
    expect(Object.values(regions.exits).reduce((sum, count) => sum + count, 0)).toBe(regions.entries);
  });

  it('take time to compile', async () => {
    const { compileTime: { translating, compiling, longestPause } } = await demo({ jitThreshold: 0 });
    expect(translating).toBeGreaterThan(0);
    expect(compiling).toBeGreaterThan(0);
    expect(longestPause).toBeGreaterThan(0);
    expect(longestPause).toBeLessThanOrEqual(translating + compiling);
    expect((await demo({ jit: false })).compileTime.compiling).toBe(0);
  });
});
