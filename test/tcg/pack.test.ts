import { describe, expect, it } from 'vitest';
import { Builder } from '../../src/tcg/builder.ts';
import { FORMS, FORM_MASK } from '../../src/tcg/forms.ts';
import { HEAD_WORDS } from '../../src/tcg/pack.ts';
import { parseBlock } from '../../src/tcg/text.ts';
import { EAX, ECX, EDX, GLOBALS, TestMachine } from './machine.ts';

const machine = new TestMachine();

/** Names of the packed forms of a block. */
function packed(text: string): string[] {
  const block = machine.add(parseBlock(text, GLOBALS, machine.helpers), 0x1000);
  const forms: string[] = [];
  for (let p = block.position + HEAD_WORDS; p < block.starts; p += FORMS[machine.cache.code[p]! & FORM_MASK]!.words) {
    forms.push(FORMS[machine.cache.code[p]! & FORM_MASK]!.name);
  }
  return forms;
}

describe('the packer', () => {
  it('has room for the number of every form', () => expect(FORMS.length).toBeLessThanOrEqual(FORM_MASK + 1));

  it.each([
    ['constants second, conditions turned round', `
      add_i32 eax,$0x1,ecx
      setcond_i32 eax,$0x1,ecx,lt
      sub_i32 eax,$0x0,ecx
      exit_tb $2`, ['add_i32 ri', 'setcond_i32 gt ri', 'sub_i32 ir', 'exit_tb']],
    ['constants in slots where there is no form for them', `
      movcond_i32 eax,ecx,edx,$0x1,ebx,eq
      not_i32 eax,$0x5
      exit_tb $2`, ['movi', 'movcond_i32 eq rr', 'movi', 'not_i32', 'exit_tb']],
    ['moves in pairs', `
      mov_i32 eax,ecx
      mov_i32 edx,$0x1
      mov_i32 ebx,$0x2
      mov_i32 esi,edi
      exit_tb $2`, ['mov movi', 'movi mov', 'exit_tb']],
    ['addresses: base, index, displacement', `
      add_i32 tmp0,eax,$0x8
      qemu_ld_i32 ecx,tmp0,leul
      shl_i32 tmp1,edx,$0x3
      add_i32 tmp2,ebx,tmp1
      add_i32 tmp3,tmp2,$0x10
      qemu_ld_i32 ecx,tmp3,ub
      qemu_ld_i32 ecx,$0x1234,leuw
      exit_tb $2`, ['ld leul disp', 'ld ub sib', 'ld leuw abs', 'exit_tb']],
    ['an address used twice', `
      add_i32 tmp0,eax,$0x8
      qemu_ld_i32 tmp1,tmp0,leul
      add_i32 tmp2,tmp1,$0x1
      qemu_st_i32 tmp2,tmp0,leul
      exit_tb $2`, ['ld leul disp', 'add_i32 ri', 'st leul disp', 'exit_tb']],
    ['no address form if the base changes in between', `
      add_i32 tmp0,eax,$0x8
      mov_i32 eax,ecx
      qemu_ld_i32 ecx,tmp0,leul
      exit_tb $2`, ['add_i32 ri', 'mov', 'ld leul disp', 'exit_tb']],
    ['no address form if the sum is needed elsewhere', `
      add_i32 tmp0,eax,$0x8
      qemu_ld_i32 ecx,tmp0,leul
      mov_i32 eax,tmp0
      exit_tb $2`, ['add_i32 ri', 'ld leul disp', 'mov', 'exit_tb']],
    ['one index only', `
      shl_i32 tmp0,eax,$0x1
      shl_i32 tmp1,edx,$0x2
      add_i32 tmp2,tmp0,tmp1
      qemu_ld_i32 ecx,tmp2,leul
      exit_tb $2`, ['shl_i32 ri', 'ld leul sib', 'exit_tb']],
    ['range checks against state words', `
      ld_i32 tmp0,env,$0x14
      add_i32 tmp1,eax,$0x3
      trapcond_i32 tmp1,tmp0,gtu,$0xd
      qemu_ld_i32 ecx,eax,leul
      exit_tb $2`, ['trapcond_i32 gtu rr', 'ld leul disp', 'exit_tb']],
    ['a state word that is written before it is read', `
      ld_i32 tmp0,env,$0x14
      st_i32 eax,env,$0x14
      mov_i32 eax,tmp0
      exit_tb $2`, ['mov mov', 'mov', 'exit_tb']],
    ['the end of a block in one op, with the constant before it', `
      mov_i32 cc_op,$0x5
      brcond_i32 eax,$0x0,eq,$L0
      goto_tb $0x0
      exit_tb $0x0
      set_label $L0
      goto_tb $0x1
      exit_tb $0x1`, ['brcond_i32 eq ri goto_tb', 'exit_tb', 'exit_tb']],
    ['not if the branch reads what is written', `
      mov_i32 cc_op,$0x5
      brcond_i32 cc_op,$0x0,eq,$L0
      goto_tb $0x0
      exit_tb $0x0
      set_label $L0
      goto_tb $0x1
      exit_tb $0x1`, ['movi', 'brcond_i32 eq ri goto_tb', 'exit_tb', 'exit_tb']],
    ['bit fields', `
      deposit_i32 eax,eax,$0x5,$0x8,$0x8
      deposit_i32 eax,eax,ecx,$0x3,$0x2
      extract_i32 eax,ecx,$0x8,$0x8
      sextract_i32 eax,ecx,$0x1,$0x1
      exit_tb $2`, ['deposit_i32 8,8 ri', 'deposit_i32 any', 'extract_i32 8,8', 'sextract_i32 any', 'exit_tb']],
    ['nothing for discard, insn_start and labels', `
      ---- 1000
      discard eax
      set_label $L0
      exit_tb $2`, ['exit_tb']],
  ])('%s', (_, text, forms) => expect(packed(text)).toEqual(forms));

  it('uses few slots for many temporaries, and refuses what needs too many', () => {
    const many = (atOnce: number): Builder => {
      const b = new Builder(GLOBALS, machine.helpers);
      b.insnStart(0x1000, 0);
      const temps = Array.from({ length: atOnce }, (_, i) => {
        const temp = b.temp();
        b.addi(temp, EAX, i);
        return temp;
      });
      for (const temp of temps) b.add(ECX, ECX, temp);
      b.exitTb(2);
      return b;
    };
    const test = new TestMachine();
    for (const atOnce of [1, 10, 1000]) {
      test.regs[EAX] = 7;
      test.regs[ECX] = 0;
      test.run(test.add(many(atOnce), 0x1000));
      expect(test.regs[ECX]).toBe(7 * atOnce + atOnce * (atOnce - 1) / 2);
    }
    expect(() => test.add(many(1900), 0x1000)).toThrow('too many temporaries');
    const chain = new Builder(GLOBALS, machine.helpers);
    let last = EAX;
    for (let i = 0; i < 4000; i++) {
      const temp = chain.temp();
      chain.addi(temp, last, 1);
      last = temp;
    }
    chain.mov(EDX, last);
    chain.exitTb(2);
    test.regs[EAX] = 5;
    test.run(test.add(chain, 0x1000));
    expect(test.regs[EDX]).toBe(4005);
  });

  it('keeps temporaries apart in loops', () => {
    const test = new TestMachine();
    const block = parseBlock(`
      mov_i32 tmp0,$0xa
      mov_i32 tmp1,$0x0
      set_label $L0
      add_i32 tmp2,tmp0,$0x1
      add_i32 tmp1,tmp1,tmp2
      sub_i32 tmp0,tmp0,$0x1
      brcond_i32 tmp0,$0x0,ne,$L0
      mov_i32 eax,tmp1
      exit_tb $2`, GLOBALS, test.helpers);
    test.run(test.add(block, 0x1000));
    expect(test.regs[EAX]).toBe(65);
  });

  it('finds each instruction by the position of its ops', () => {
    const test = new TestMachine();
    const b = new Builder(GLOBALS, test.helpers);
    for (let i = 0; i < 128; i++) {
      b.insnStart(0x1000 + i * 2, i % 30);
      b.load(EAX, ECX, 2);
    }
    b.exitTb(2);
    const block = test.add(b, 0x1000);
    expect(block.icount).toBe(128);
    for (let i = 0; i < 128; i++) {
      const position = block.position + HEAD_WORDS + i * 2;
      expect(test.cache.insnAt(block, position)).toEqual({ eip: 0x1000 + i * 2, ccOp: i % 30, index: i });
    }
  });
});
