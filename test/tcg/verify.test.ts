import { describe, expect, it } from 'vitest';
import { Builder } from '../../src/tcg/builder.ts';
import { ADD, DEPOSIT, MOV } from '../../src/tcg/ops.ts';
import { parseBlock } from '../../src/tcg/text.ts';
import { VerifyError, verify } from '../../src/tcg/verify.ts';
import { EAX, ECX, GLOBALS, TestMachine } from './machine.ts';

const check = (text: string): void => verify(parseBlock(text, GLOBALS, TestMachine.HELPERS));

describe('the verifier accepts', () => {
  it.each([
    ['a load whose output is a register, then more writes', '---- 1000\nqemu_ld_i32 eax,ecx,leul\nmov_i32 ecx,$1\nexit_tb $2'],
    ['leaving in the next instruction', '---- 1000\nmov_i32 eax,$1\n---- 1001\nqemu_ld_i32 ebx,eax,ub\nexit_tb $2'],
    ['a side effect on another path', '---- 1000\nbrcond_i32 eax,$0,eq,$L0\nmov_i32 ecx,$1\nexit_tb $2\nset_label $L0\nqemu_ld_i32 tmp0,eax,ub\nexit_tb $2'],
    ['a temporary written on both paths', 'brcond_i32 eax,$0,eq,$L0\nmov_i32 tmp0,$1\nbr $L1\nset_label $L0\nmov_i32 tmp0,$2\nset_label $L1\nmov_i32 eax,tmp0\nexit_tb $2'],
    ['a loop', 'mov_i32 tmp0,$9\nset_label $L0\nsub_i32 tmp0,tmp0,$1\nbrcond_i32 tmp0,$0,ne,$L0\nexit_tb $2'],
    ['a faulting helper as the only effect', '---- 1000\ncall fault\nexit_tb $2'],
  ])('%s', (_, text) => expect(() => check(text)).not.toThrow());
});

describe('the verifier refuses', () => {
  it.each([
    ['an empty block', '', 'does not end'],
    ['a block that does not end', 'mov_i32 eax,ecx', 'does not end'],
    ['a temporary that is not written', 'mov_i32 eax,tmp0\nexit_tb $2', 'read before it is written'],
    ['one written on one path only', 'brcond_i32 eax,$0,eq,$L0\nmov_i32 tmp0,$1\nset_label $L0\nmov_i32 eax,tmp0\nexit_tb $2', 'read before it is written'],
    ['one read after its discard', 'mov_i32 tmp0,$1\ndiscard tmp0\nmov_i32 eax,tmp0\nexit_tb $2', 'read before it is written'],
    ['one not yet written on the way round a loop',
      'mov_i32 tmp0,$1\nset_label $L0\nmov_i32 eax,tmp0\ndiscard tmp0\nbrcond_i32 eax,$0,ne,$L0\nexit_tb $2', 'read before it is written'],
    ['a constant as output', 'mov_i32 $1,eax\nexit_tb $2', 'output is a constant'],
    ['a wide input', 'mulu_i32_i64 wide0,eax,ecx\nmov_i32 eax,wide0\nexit_tb $2', 'input is not i32'],
    ['a narrow output', 'mulu_i32_i64 tmp0,eax,ecx\nexit_tb $2', 'output is not i64'],
    ['a label set twice', 'set_label $L0\nset_label $L0\nexit_tb $2', 'label set twice'],
    ['a label that is not set', 'br $L0', 'label never set'],
    ['a load after a register write', '---- 1000\nmov_i32 ecx,$1\nqemu_ld_i32 eax,ecx,leul\nexit_tb $2', 'may leave after a side effect'],
    ['a trap after a state write', '---- 1000\nst_i32 eax,env,$20\ntrapcond_i32 eax,$0,eq,$13\nexit_tb $2', 'may leave after a side effect'],
    ['a second store', '---- 1000\nqemu_st_i32 eax,ecx,ub\nqemu_st_i32 eax,ecx,ub\nexit_tb $2', 'may leave after a side effect'],
    ['a faulting helper after a helper that writes globals', '---- 1000\ncall set_eax,ecx\ncall fault\nexit_tb $2', 'may leave after a side effect'],
    ['a load after a side effect on one path', '---- 1000\nbrcond_i32 eax,$0,eq,$L0\nmov_i32 ecx,$1\nset_label $L0\nqemu_ld_i32 eax,edx,ub\nexit_tb $2', 'may leave after a side effect'],
    ['a load after a side effect on the way round a loop', '---- 1000\nset_label $L0\nqemu_ld_i32 tmp0,edx,ub\nmov_i32 edx,tmp0\nbrcond_i32 tmp0,$0,ne,$L0\nexit_tb $2', 'may leave after a side effect'],
    ['a slot of goto_tb used twice', 'goto_tb $0\ngoto_tb $0\nexit_tb $0', 'goto_tb slot used twice'],
    ['a third slot', 'goto_tb $2\nexit_tb $0', 'out of range'],
    ['a wrong number of helper inputs', 'call note\nexit_tb $2', 'takes 0 outputs and 1 inputs'],
  ])('%s', (_, text, why) => expect(() => check(text)).toThrow(why));

  it('operands that no text can express', () => {
    const broken = (def: typeof ADD, args: number[]): (() => void) => () => {
      const b = new Builder(GLOBALS, []);
      b.ops.push({ def, args });
      b.exitTb(2);
      verify(b);
    };
    expect(broken(ADD, [EAX, ECX])).toThrow('takes 3 operands');
    expect(broken(MOV, [EAX, 99])).toThrow('is no value');
    expect(broken(DEPOSIT, [EAX, EAX, ECX, 20, 16])).toThrow('field out of range');
  });

  it('and shows the block with the op marked', () => {
    const text = '---- 1000\nmov_i32 ecx,$1\nqemu_ld_i32 eax,ecx,leul\nexit_tb $2';
    expect(() => check(text)).toThrow(VerifyError);
    expect(() => check(text)).toThrow(/ mov_i32 ecx,\$0x1\n>qemu_ld_i32 eax,ecx,leul {4}<-- may leave[^\n]*\n exit_tb \$0x2$/);
  });
});
