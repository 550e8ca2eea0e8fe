import { describe, expect, it } from 'vitest';
import { Builder } from '../../src/tcg/builder.ts';
import { EQ } from '../../src/tcg/conditions.ts';
import { MO_16, MO_32, MO_SIGN } from '../../src/tcg/ops.ts';
import { parseBlock, printBlock } from '../../src/tcg/text.ts';
import { EAX, EBX, ECX, GLOBALS, TestMachine, WORD } from './machine.ts';
import { Random } from './oracle.ts';
import { randomBlock } from './random-block.ts';

const { HELPERS } = TestMachine;

describe('the text form', () => {
  it('looks like the logs of QEMU', () => {
    const b = new Builder(GLOBALS, HELPERS);
    const t = b.temp(), label = b.label(), wide = b.temp64();
    b.insnStart(0x1000, 9);
    b.addi(t, EAX, -4);
    b.load(EBX, t, MO_16 | MO_SIGN);
    b.store(ECX, t, MO_32);
    b.brcondi(EQ, t, 0, label);
    b.call(HELPERS[0]!, t, EAX, ECX, b.const(16));
    b.stEnv(t, WORD);
    b.mulu64(wide, EAX, ECX);
    b.deposit(EAX, EAX, t, 8, 8);
    b.setLabel(label);
    b.gotoTb(0);
    b.exitTb(0);
    b.lookupAndGotoPtr();
    expect(printBlock(b).split('\n')).toEqual([
      ' ---- 00001000 00000009',
      ' add_i32 tmp0,eax,$0xfffffffc',
      ' qemu_ld_i32 ebx,tmp0,lesw',
      ' qemu_st_i32 ecx,tmp0,leul',
      ' brcond_i32 tmp0,$0x0,eq,$L0',
      ' call cc_compute_all,tmp0,eax,ecx,$0x10',
      ' st_i32 tmp0,env,$0x14',
      ' mulu_i32_i64 wide1,eax,ecx',
      ' deposit_i32 eax,eax,tmp0,$0x8,$0x8',
      ' set_label $L0',
      ' goto_tb $0x0',
      ' exit_tb $0x0',
      ' lookup_and_goto_ptr',
    ]);
  });

  it('gives the same text after parsing', () => {
    const random = new Random(9);
    for (let n = 0; n < 300; n++) {
      const text = printBlock(randomBlock(random, HELPERS));
      expect(printBlock(parseBlock(text, GLOBALS, HELPERS))).toBe(text);
    }
  });

  it('skips comments and empty lines', () => {
    expect(parseBlock('# nothing\n\n  exit_tb $0\n', GLOBALS, HELPERS).ops).toHaveLength(1);
  });

  it('reads decimal and negative numbers', () => {
    expect(printBlock(parseBlock(' add_i32 eax,eax,$-1', GLOBALS, HELPERS))).toBe(' add_i32 eax,eax,$0xffffffff');
  });

  it.each([
    ['frob_i32 eax', 'no op frob_i32'],
    ['add_i32 eax,ebx', 'add_i32 takes 3 operands'],
    ['mov_i32 eax,rax', 'rax is no value'],
    ['mov_i32 eax,$zz', '$zz is no number'],
    ['brcond_i32 eax,ebx,zz,$L0', 'zz is no cond'],
    ['br L0', 'L0 is no label'],
    ['qemu_ld_i32 eax,ebx,quad', 'quad is no memop'],
    ['call nobody', 'nobody is no helper'],
  ])('refuses %s', (line, why) => {
    expect(() => parseBlock(`\n${line}`, GLOBALS, HELPERS)).toThrow(`line 2: ${why}`);
  });
});
