import { describe, expect, it } from 'vitest';
import { EXIT_BUDGET, EXIT_CHAIN_0, EXIT_CHAIN_1, EXIT_LOOKUP } from '../../src/tcg/env.ts';
import { jumpHash, jumpHashJs } from '../../src/tcg/jump-cache.ts';
import type { TbKey, TranslationBlock } from '../../src/tcg/tb-cache.ts';
import { parseBlock } from '../../src/tcg/text.ts';
import { EAX, EIP, GLOBALS, LAYOUT, TestMachine } from './machine.ts';

const NO_PAGE = (): number => -1;

/** A block of one instruction that counts in eax and jumps to `next` (0: by the jump cache, to what is in edx). */
function counting(machine: TestMachine, pc: number, next: number, key: Partial<TbKey> = {}): TranslationBlock {
  const end = next === 0
    ? 'mov_i32 eip,edx\nlookup_and_goto_ptr'
    : `goto_tb $0\nmov_i32 eip,$${next}\nexit_tb $0`;
  return machine.add(parseBlock(`---- ${pc.toString(16)} 3\nadd_i32 eax,eax,$1\n${end}`, GLOBALS, machine.helpers), pc, key);
}

const find = (machine: TestMachine, pc: number, ma = pc, nextPage = NO_PAGE): TranslationBlock | undefined =>
  machine.cache.lookup(pc, 0, -1, 0, ma, nextPage);

describe('goto_tb', () => {
  it('goes on by itself once linked, and stops when the budget is used up', () => {
    const machine = new TestMachine();
    const { cache, regs } = machine;
    const a = counting(machine, 0x1000, 0x1010), b = counting(machine, 0x1010, 0x1000);
    expect(machine.run(a)).toBe(EXIT_CHAIN_0);
    expect(regs[EIP]).toBe(0x1010);
    expect(cache.blockAt(regs[LAYOUT.currentOp]!)).toBe(a);
    expect(cache.link(a, 0, b)).toBe(true);
    expect(cache.link(a, 0, b)).toBe(false);
    expect(machine.run(a)).toBe(EXIT_CHAIN_0);
    expect(cache.blockAt(regs[LAYOUT.currentOp]!)).toBe(b);
    expect(cache.link(b, 0, a)).toBe(true);
    regs[EAX] = 0;
    regs[LAYOUT.budget] = 11;
    expect(machine.run(a)).toBe(EXIT_BUDGET);
    expect(regs[EAX]).toBe(11);
    expect(regs[LAYOUT.budget]).toBe(0);
    expect(regs[EIP]).toBe(0x1010);
    cache.counters.entries = 3;
    cache.collect();
    expect(cache.counters).toMatchObject({ executions: 14, links: 2, chained: 11, blocks: 2 });
    cache.collect();
    expect(cache.counters.executions).toBe(14);
  });

  it('links both ways of a conditional branch', () => {
    const machine = new TestMachine();
    const { cache, regs } = machine;
    const fork = machine.add(parseBlock(`---- 1000 0
      brcond_i32 eax,$0,eq,$L0
      goto_tb $0
      mov_i32 eip,$0x1020
      exit_tb $0
      set_label $L0
      goto_tb $1
      mov_i32 eip,$0x1040
      exit_tb $1`, GLOBALS, machine.helpers), 0x1000);
    expect(machine.run(fork)).toBe(EXIT_CHAIN_1);
    expect(regs[EIP]).toBe(0x1040);
    regs[EAX] = 1;
    expect(machine.run(fork)).toBe(EXIT_CHAIN_0);
    expect(regs[EIP]).toBe(0x1020);
    const not = counting(machine, 0x1020, 0x1060), taken = counting(machine, 0x1040, 0x1070);
    expect(cache.link(fork, 0, not)).toBe(true);
    expect(cache.link(fork, 1, taken)).toBe(true);
    machine.run(fork);
    expect(regs[EIP]).toBe(0x1060);
    regs[EAX] = 0;
    machine.run(fork);
    expect(regs[EIP]).toBe(0x1070);
    cache.invalidate(taken);
    regs[EAX] = 0;
    expect(machine.run(fork)).toBe(EXIT_CHAIN_1);
    regs[EAX] = 1;
    machine.run(fork);
    expect(regs[EIP]).toBe(0x1060);
  });

  it('does not link other pages, other assumptions, or blocks that cross a page', () => {
    const machine = new TestMachine();
    const { cache } = machine;
    const a = counting(machine, 0x1000, 0x1010);
    expect(cache.link(a, 0, counting(machine, 0x2010, 0x2000))).toBe(false);
    expect(cache.link(a, 0, counting(machine, 0x1010, 0x1000, { flags: 4 }))).toBe(false);
    expect(cache.link(a, 0, counting(machine, 0x1010, 0x1000, { csLimit: 0xffff }))).toBe(false);
    expect(cache.link(a, 0, counting(machine, 0x1ffe, 0x1000, { length: 2, ma1: 0x5000, length1: 3 }))).toBe(false);
    expect(cache.link(a, 1, counting(machine, 0x1010, 0x1000))).toBe(false);
    expect(cache.counters.links).toBe(0);
  });
});

describe('invalidation', () => {
  it('unlinks exactly those that lead to the block', () => {
    const machine = new TestMachine();
    const { cache, regs } = machine;
    const a = counting(machine, 0x1000, 0x1010), b = counting(machine, 0x1010, 0x1020), c = counting(machine, 0x1020, 0x1030);
    const other = counting(machine, 0x1040, 0x1020);
    cache.link(a, 0, b);
    cache.link(b, 0, c);
    cache.link(other, 0, c);
    cache.invalidate(b);
    expect(b.valid).toBe(false);
    expect(find(machine, 0x1010)).toBeUndefined();
    machine.run(a);
    expect([regs[EAX], regs[EIP]]).toEqual([1, 0x1010]);
    machine.run(other);
    expect([regs[EAX], regs[EIP]]).toEqual([3, 0x1030]);
    expect(c.incoming).toBe(other.jump0);
    expect(other.jump0).toMatchObject({ to: c, next: undefined });
    expect([a.jump0, b.jump0]).toEqual([undefined, undefined]);
    expect(cache.counters.invalidations).toBe(1);
    cache.invalidate(b);
    expect(cache.counters.invalidations).toBe(1);
    const again = counting(machine, 0x1010, 0x1020);
    expect(cache.link(b, 0, c)).toBe(false);
    expect(cache.link(a, 0, again)).toBe(true);
    expect(cache.size).toBe(4);
  });

  it('handles a block that is linked to itself', () => {
    const machine = new TestMachine();
    const a = counting(machine, 0x1000, 0x1000);
    machine.cache.link(a, 0, a);
    machine.regs[LAYOUT.budget] = 5;
    expect(machine.run(a)).toBe(EXIT_BUDGET);
    machine.cache.invalidate(a);
    expect([a.incoming, a.jump0]).toEqual([undefined, undefined]);
    machine.regs[LAYOUT.budget] = 5;
    expect(machine.run(a)).toBe(EXIT_CHAIN_0);
  });
});

describe('the jump cache', () => {
  it('is probed with the whole key', () => {
    const machine = new TestMachine();
    const { cache, regs } = machine;
    const a = counting(machine, 0x1000, 0), b = counting(machine, 0x5000, 0x5010);
    regs[2] = 0x5000;
    expect(machine.run(a)).toBe(EXIT_CHAIN_0);
    expect(regs[EAX]).toBe(2);
    for (const slot of [LAYOUT.flags, LAYOUT.csBase, LAYOUT.csLimit]) {
      const saved = regs[slot]!;
      regs[slot] = saved ^ 16;
      expect(machine.run(a), `slot ${slot}`).toBe(EXIT_LOOKUP);
      regs[slot] = saved;
    }
    cache.counters.entries = 4;
    cache.collect();
    expect(cache.counters).toMatchObject({ executions: 5, jumpCacheHits: 1, chained: 0 });
    cache.clearJumpCache();
    expect(machine.run(a)).toBe(EXIT_LOOKUP);
    expect(find(machine, 0x5000)).toBe(b);
    expect(machine.run(a)).toBe(EXIT_CHAIN_0);
    cache.invalidate(b);
    expect(machine.run(a)).toBe(EXIT_LOOKUP);
  });

  it('keeps what was found in lasting pages when the address space changes, unless it crosses into another', () => {
    const machine = new TestMachine();
    const { cache } = machine;
    const blocks = [0x1000, 0x2000, 0x3000, 0x4000, 0x5ff0].map((pc) => counting(machine, pc, 0, pc === 0x5ff0 ? { length: 16, ma1: 0x6000, length1: 4 } : {}));
    const kept = (): boolean[] => blocks.map((block) => cache.jumpCache[jumpHash(block.pc)] === block.position);
    cache.clearJumpCache();
    for (const [i, { pc }] of blocks.entries()) cache.lookup(pc, 0, -1, 0, pc, () => 0x6000, i !== 1);
    expect(kept()).toEqual([true, true, true, true, true]);
    cache.clearJumpCache(true);
    expect(kept()).toEqual([true, false, true, true, false]);
    // So many others that they are not listed: then all go.
    for (let i = 0; i < 5000; i++) find(machine, 0x2000);
    cache.clearJumpCache(true);
    expect(kept()).toEqual([false, false, false, false, false]);
  });

  it('drops what begins in a page or the one before', () => {
    const machine = new TestMachine();
    const { cache } = machine;
    const blocks = [0x3ff0, 0x4000, 0x4fff, 0x5000].map((pc) => counting(machine, pc, 0));
    cache.clearJumpCachePage(0x4123);
    expect(blocks.map((block) => cache.jumpCache[jumpHash(block.pc)] === block.position)).toEqual([false, false, false, true]);
  });

  it('hashes alike in code and text', () => {
    const fromText = new Function('pc', `return ${jumpHashJs('pc')};`) as (pc: number) => number;
    for (const pc of [0, 1, 0x1234, 0x7fffffff, -1, -0x80000000, 0xc0100000 | 0]) expect(fromText(pc)).toBe(jumpHash(pc));
  });
});

describe('the table', () => {
  it('tells blocks of the same address by page, second page, flags and code segment', () => {
    const machine = new TestMachine();
    const { cache } = machine;
    const plain = counting(machine, 0x1000, 0), elsewhere = counting(machine, 0x1000, 0, { ma: 0x9000 });
    const user = counting(machine, 0x1000, 0, { flags: 3 }), based = counting(machine, 0x1000, 0, { csBase: 0x1000 });
    expect(find(machine, 0x1000)).toBe(plain);
    expect(find(machine, 0x1000, 0x9000)).toBe(elsewhere);
    expect(cache.lookup(0x1000, 0, -1, 3, 0x1000, NO_PAGE)).toBe(user);
    expect(cache.lookup(0x1000, 0x1000, -1, 0, 0x1000, NO_PAGE)).toBe(based);
    expect(cache.lookup(0x1000, 0, 0xffff, 0, 0x1000, NO_PAGE)).toBeUndefined();
    const crossing = counting(machine, 0x1ffe, 0, { length: 2, ma1: 0x7000, length1: 3 });
    expect(find(machine, 0x1ffe)).toBeUndefined();
    expect(find(machine, 0x1ffe, 0x1ffe, () => 0x8000)).toBeUndefined();
    expect(find(machine, 0x1ffe, 0x1ffe, () => 0x7000)).toBe(crossing);
    expect(cache.counters).toMatchObject({ lookups: 8, hits: 5, blocks: 5 });
  });

  it('drops everything when the buffer is full, and tells about each block', () => {
    const machine = new TestMachine({ codeBytes: 1 });
    const blocks: TranslationBlock[] = [];
    for (let pc = 0; machine.cache.counters.flushes === 0; pc += 16) blocks.push(counting(machine, pc, pc + 16));
    expect(blocks.length).toBeGreaterThan(1000);
    expect(machine.cache.size).toBe(1);
    expect(blocks.filter((block) => block.valid)).toEqual([blocks.at(-1)]);
    expect(find(machine, 0)).toBeUndefined();
    expect(machine.run(blocks.at(-1)!)).toBe(EXIT_CHAIN_0);
    expect(machine.cache.link(blocks[0]!, 0, blocks.at(-1)!)).toBe(false);
  });

  it('finds blocks and instructions by position', () => {
    const machine = new TestMachine();
    const blocks = Array.from({ length: 50 }, (_, i) => counting(machine, 0x1000 + i * 16, 0));
    for (const block of blocks) {
      expect(machine.cache.blockAt(block.position)).toBe(block);
      expect(machine.cache.blockAt(block.end - 1)).toBe(block);
      expect(machine.cache.insnAt(block, block.position + 9)).toEqual({ eip: block.pc, ccOp: 3, index: 0 });
    }
    expect(machine.cache.blockAt(0)).toBeUndefined();
    expect(machine.cache.blockAt(blocks.at(-1)!.end)).toBeUndefined();
  });
});
