import { describe, expect, it } from 'vitest';
import { EXIT_CHAIN_0, EXIT_CHAIN_1, EXIT_EVENT, EXIT_FAULT, EXIT_LOOKUP, EXIT_PRECISE, EXIT_TRAP } from '../../src/tcg/env.ts';
import { PASS_NAMES, createPipeline } from '../../src/tcg/passes/pipeline.ts';
import { parseBlock, printBlock } from '../../src/tcg/text.ts';
import { verify } from '../../src/tcg/verify.ts';
import { EAX, EDX, EIP, GLOBALS, LAYOUT, TestMachine, WORD } from './machine.ts';
import { INTERESTING, Random, evaluate } from './oracle.ts';
import { randomBlock } from './random-block.ts';

const EXITS: Record<number, string> = { [EXIT_CHAIN_0]: 'exit_tb 0', [EXIT_CHAIN_1]: 'exit_tb 1', [EXIT_EVENT]: 'exit_tb 2', [EXIT_LOOKUP]: 'lookup_and_goto_ptr' };

/** Runs random blocks through a pipeline, packer and interpreter, and directly, and compares registers, words, memory and exit. */
function compareRuns(seed: number, blocks: number, disabled: readonly string[]): void {
  const machine = new TestMachine();
  const pipeline = createPipeline({ disabled });
  const random = new Random(seed);
  for (let n = 0; n < blocks; n++) {
    const block = randomBlock(random, machine.helpers);
    verify(block);
    const text = printBlock(block);
    for (let i = 0; i < 12; i++) if (i !== EIP) machine.regs[i] = random.below(3) === 0 ? random.pick(INTERESTING) : random.next();
    machine.regs[EIP] = 0x1000;
    for (let i = 0; i < 4; i++) machine.regs[WORD + i] = random.next();
    for (let i = 0; i < machine.bytes.length; i += 97) machine.bytes[i] = random.next();
    const { regs } = machine;
    const before = regs.slice(0, 32), memory = machine.bytes.slice();

    const expected = evaluate(block, regs, memory);
    const expectedWords = regs.slice(WORD, WORD + 4);
    regs.set(before);
    pipeline(block);
    const tb = machine.add(block, 0x1000);
    const code = machine.run(tb);
    const exit = code === EXIT_TRAP ? `trap ${machine.interpreter.trapCode()}` : EXITS[code]!;
    const what = `seed ${seed}, block ${n}:\n${text}\n\noptimized:\n${printBlock(block)}\n`;
    expect({ exit, globals: [...regs.slice(0, GLOBALS.length)] }, what).toEqual({ exit: expected.exit, globals: expected.globals });
    expect([...regs.slice(WORD, WORD + 4)], what).toEqual([...expectedWords]);
    expect(Buffer.compare(machine.bytes, memory), what).toBe(0);
    machine.cache.invalidate(tb);
  }
}

describe('random blocks run as the oracle says', () => {
  it('with all passes', () => compareRuns(1, 2000, []));
  for (const pass of PASS_NAMES) it(`without ${pass}`, () => compareRuns(2, 250, [pass]));
  it('without any pass', () => compareRuns(3, 500, PASS_NAMES));
});

describe('memory', () => {
  const block = (machine: TestMachine, text: string): ReturnType<typeof machine.add> => {
    const ops = parseBlock(text, GLOBALS, machine.helpers);
    createPipeline()(ops);
    return machine.add(ops, 0x1000);
  };

  it('takes the slow path off the table, across pages, and leaves with the exit that it asks for', () => {
    const machine = new TestMachine();
    const { regs, log } = machine;
    const tb = block(machine, ` ---- 00001000 00000000
      qemu_ld_i32 tmp0,edx,leul
      mov_i32 eax,tmp0
      exit_tb $0x2`);
    machine.view.setInt32(0x2004, 0x11223344, true);
    regs[EDX] = 0x2004;
    expect(machine.run(tb)).toBe(EXIT_EVENT);
    expect(regs[EAX]).toBe(0x11223344);
    expect(log).toEqual([]);
    regs[EDX] = 0x1ffe;
    expect(machine.run(tb)).toBe(EXIT_EVENT);
    regs[EDX] = 0x80000000 | 0;
    expect(machine.run(tb)).toBe(EXIT_EVENT);
    expect(log).toEqual(['load 1ffe 4', 'load 80000000 4']);
    regs[EAX] = 77;
    machine.slowExit = EXIT_FAULT;
    expect(machine.run(tb)).toBe(EXIT_FAULT);
    expect(regs[EAX]).toBe(77);
    expect(regs[LAYOUT.pendingExit]).toBe(0);
    expect(machine.cache.blockAt(regs[LAYOUT.currentOp]!)).toBe(tb);
  });

  it('stores at page ends in the fast path where they fit', () => {
    const machine = new TestMachine();
    const { regs, log } = machine;
    const tb = block(machine, ` ---- 00001000 00000000
      qemu_st_i32 eax,edx,leuw
      exit_tb $0x2`);
    regs[EAX] = 0xabcd1234 | 0;
    regs[EDX] = 0x1ffe;
    machine.run(tb);
    expect(log).toEqual([]);
    expect([...machine.bytes.slice(0x1ffc, 0x2002)]).toEqual([0, 0, 0x34, 0x12, 0, 0]);
    regs[EDX] = 0x1fff;
    machine.slowExit = EXIT_PRECISE;
    expect(machine.run(tb)).toBe(EXIT_PRECISE);
    expect(log).toEqual(['store 1fff 2']);
    expect(machine.bytes[0x2000]).toBe(0);
  });

  it('uses base, index, scale and displacement forms', () => {
    const machine = new TestMachine();
    const tb = block(machine, ` ---- 00001000 00000000
      shl_i32 tmp0,ecx,$0x2
      add_i32 tmp1,edx,tmp0
      add_i32 tmp2,tmp1,$-16
      qemu_ld_i32 tmp3,tmp2,sb
      mov_i32 eax,tmp3
      exit_tb $0x2`);
    machine.regs[1] = 5;
    machine.regs[EDX] = 0x3000;
    machine.bytes[0x3004] = 0x80;
    machine.run(tb);
    expect(machine.regs[EAX]).toBe(-128);
    // The head, one load, exit.
    expect(tb.starts - tb.position).toBe(9 + 3 + 1);
  });
});

describe('helpers', () => {
  it('throw through the interpreter, with the position of the call', () => {
    const machine = new TestMachine();
    const ops = parseBlock(` ---- 00001000 00000000
      mov_i32 eax,$0x5
      ---- 00001005 00000007
      call fault
      exit_tb $0x2`, GLOBALS, machine.helpers);
    createPipeline()(ops);
    const tb = machine.add(ops, 0x1000);
    expect(() => machine.run(tb)).toThrow('guest fault');
    expect(machine.regs[EAX]).toBe(5);
    const position = machine.regs[LAYOUT.currentOp]!;
    expect(machine.cache.blockAt(position)).toBe(tb);
    expect(machine.cache.insnAt(tb, position)).toEqual({ eip: 0x1005, ccOp: 7, index: 1 });
  });
});

describe('several machines', () => {
  it('do not share anything', () => {
    const one = new TestMachine(), two = new TestMachine();
    const text = ` ---- 00001000 00000000
      add_i32 eax,eax,$0x1
      exit_tb $0x2`;
    const a = one.add(parseBlock(text, GLOBALS, one.helpers), 0x1000);
    const b = two.add(parseBlock(text, GLOBALS, two.helpers), 0x1000);
    one.run(a);
    one.run(a);
    two.run(b);
    expect([one.regs[EAX], two.regs[EAX]]).toEqual([2, 1]);
  });

  it('start with registers, code, memory and jump cache as they were', () => {
    const machine = new TestMachine();
    expect(machine.regs.slice(0, 16).every((word, i) => word === (i === 13 ? -1 : 0))).toBe(true);
    expect(machine.cache.code.every((word) => word === 0)).toBe(true);
    expect(machine.cache.jumpCache.every((word) => word === 0)).toBe(true);
    expect(machine.bytes.every((byte) => byte === 0)).toBe(true);
    expect(machine.log).toEqual([]);
  });
});
