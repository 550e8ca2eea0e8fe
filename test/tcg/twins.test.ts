import { describe, expect, it } from 'vitest';
import { EXIT_CHAIN_0, EXIT_LOOKUP } from '../../src/tcg/env.ts';
import type { TranslationBlock } from '../../src/tcg/tb-cache.ts';
import { parseBlock } from '../../src/tcg/text.ts';
import { EAX, EIP, GLOBALS, LAYOUT, TestMachine } from './machine.ts';

const MA = 0x1000, KEY = { csBase: 0, csLimit: -1, flags: 0 };
const MAY_MOVE = (): boolean => true;

/** A block translated at `pc`: adds `n` to eax, and the second time jumps on within its page; in between it looks up pc + 0x20. */
function add(machine: TestMachine, pc: number, { n = 3, ma = MA, csLimit = -1 } = {}): TranslationBlock {
  const block = machine.add(parseBlock(`---- ${pc.toString(16)} 3
    add_i32 eax,eax,$${n}
    ---- ${(pc + 5).toString(16)} 4
    brcond_i32 eax,$${n * 2},eq,$L0
    mov_i32 eip,$${pc + 0x20}
    lookup_and_goto_ptr
    set_label $L0
    goto_tb $0
    mov_i32 eip,$${pc + 0x10}
    exit_tb $0`, GLOBALS, machine.helpers), pc, { ma, csLimit });
  block.successors = [pc + 0x20, pc + 0x10];
  machine.cache.twins.add(block);
  return block;
}

function check(machine: TestMachine, block: TranslationBlock, pc: number): void {
  const { regs, cache } = machine;
  expect(block.pc).toBe(pc);
  expect(block.successors).toEqual([pc + 0x20, pc + 0x10]);
  regs[EAX] = 0;
  expect(machine.run(block)).toBe(EXIT_LOOKUP);
  expect([regs[EAX], regs[EIP]]).toEqual([3, pc + 0x20]);
  expect(machine.run(block)).toBe(EXIT_CHAIN_0);
  expect([regs[EAX], regs[EIP]]).toEqual([6, pc + 0x10]);
  const at = regs[LAYOUT.currentOp]!;
  expect(cache.blockAt(at)).toBe(block);
  expect(cache.insnAt(block, at)).toEqual({ eip: pc + 5, ccOp: 4, index: 1 });
  expect(cache.lookup(pc, 0, -1, 0, MA, () => -1)).toBe(block);
}

describe('twins', () => {
  it('are copied to another address', () => {
    const machine = new TestMachine(), { cache } = machine;
    const a = add(machine, 0x10_1000);
    expect(cache.twins.find(KEY, MA)).toBeUndefined();
    const b = add(machine, 0x20_2000);
    // A linked word is not taken for one that depends on the address, and the copy's is not linked.
    cache.link(a, 0, add(machine, 0x10_1010, { ma: MA + 16 }));
    expect(cache.twins.find(KEY, MA)).toBe(b);
    expect(cache.twins.find({ ...KEY, flags: 1 }, MA)).toBeUndefined();
    for (const pc of [0x30_3000, 0x30_4000, -0x7000]) check(machine, cache.copy(a, pc)!, pc);
    check(machine, b, 0x20_2000);
    expect(cache.counters).toMatchObject({ blocks: 3, relocated: 3 });
  });

  it.each([
    ['they lie too close or too regularly to tell addresses', 0x10_1000, 0x10_2000, {}],
    ['they lie at the same place of 64 KB', 0x10_1000, 0x20_1000, {}],
    ['something else differs', 0x10_1000, 0x20_2000, { n: 4 }],
    ['CS has a limit', 0x10_1000, 0x20_2000, { csLimit: 0xffffff }],
  ])('are not copied if %s', (_why, first, second, other) => {
    const machine = new TestMachine();
    add(machine, first, 'csLimit' in other ? other : {});
    expect(add(machine, second, other).relocations).toBeNull();
  });

  it('take the place of that which ran least, if they are many', () => {
    const machine = new TestMachine(), { cache, regs } = machine;
    const executions = (block: TranslationBlock): number => cache.executionsOf(block);
    const a = add(machine, 0x10_1000), all = [a, add(machine, 0x20_2000)];
    while (all.length < 4) {
      expect(cache.twins.spare(a, MAY_MOVE, executions)).toBeUndefined();
      all.push(cache.copy(a, 0x30_3000 + all.length * 0x1000)!);
    }
    expect(cache.twins.spare(a, MAY_MOVE, executions)).toBe(a);
    for (const block of all) if (block !== all[1] && block !== all[2]) machine.run(block);
    expect(cache.twins.spare(a, (block) => block !== all[1], executions)).toBe(all[2]);
    // What ran before was counted already.
    for (const block of all) if (block !== a) machine.run(block);
    expect(cache.twins.spare(a, MAY_MOVE, executions)).toBe(a);
    expect(cache.twins.spare(a, () => false, executions)).toBeUndefined();

    const before = add(machine, 0x10_1020, { ma: MA + 0x20 });
    cache.link(before, 0, a);
    cache.link(a, 0, before);
    cache.move(a, 0x77_7000);
    check(machine, a, 0x77_7000);
    expect(cache.lookup(0x10_1000, 0, -1, 0, MA, () => -1)).toBeUndefined();
    regs[EAX] = 3;
    expect(machine.run(before)).toBe(EXIT_CHAIN_0);
    expect(cache.blockAt(regs[LAYOUT.currentOp]!)).toBe(before);
  });

  it('are forgotten when they are dropped', () => {
    const machine = new TestMachine(), { cache } = machine;
    const a = add(machine, 0x10_1000), b = add(machine, 0x20_2000), c = cache.copy(a, 0x30_3000)!;
    cache.invalidate(b);
    expect(cache.twins.find(KEY, MA)).toBe(c);
    cache.invalidate(c);
    expect(cache.twins.find(KEY, MA)).toBe(a);
    cache.flush();
    expect(cache.twins.find(KEY, MA)).toBeUndefined();
  });

  it('are not copied beyond the end of the buffer', () => {
    const machine = new TestMachine({ codeBytes: 1 << 18 }), { cache } = machine;
    const a = add(machine, 0x10_1000);
    add(machine, 0x20_2000);
    let copies = 0;
    while (cache.copy(a, 0x100_0000 + copies * 0x1000) !== undefined) copies++;
    expect(copies).toBeGreaterThan(1000);
    expect(cache.bytesUsed).toBeLessThanOrEqual(1 << 18);
  });
});
