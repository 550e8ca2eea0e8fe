/** Expected texts are what QEMU 7.2 (capstone 4) logs, but for far pointers: `$selector, $offset`, as binutils and capstone 5. */

import { describe, expect, test } from 'vitest';
import { disassemble, formatInAsm } from '../../../src/cpu/decode/disasm.ts';
import { DECODE_OK } from '../../../src/cpu/decode/insn.ts';
import { ROWS, opcodeBytes } from '../../../src/cpu/decode/table.ts';
import { decode, hex, insn, sampleModrm } from './bytes.ts';

function text(bytes: string, mode32: boolean, csBase = 0): string {
  expect(decode(hex(bytes), mode32), bytes).toBe(DECODE_OK);
  return disassemble(insn, csBase);
}

describe('16-bit code', () => {
  test.each([
    ['ea 5b e0 00 f0', 'ljmpw $0xf000, $0xe05b'], ['2e 66 83 3e c8 61 00', 'cmpl $0, %cs:0x61c8'], ['f3 a5', 'rep movsw (%si), %es:(%di)'],
    ['01 40 10', 'addw %ax, 0x10(%bx, %si)'], ['8b 40 f0', 'movw -0x10(%bx, %si), %ax'], ['8b 16 ff ff', 'movw 0xffff, %dx'],
    ['66 bc 00 70 00 00', 'movl $0x7000, %esp'], ['26 a4', 'movsb %es:(%si), %es:(%di)'], ['8e d2', 'movw %dx, %ss'],
    ['0f 01 16 78 61', 'lgdtw 0x6178'], ['e8 fc ff', 'callw 0xfff'], ['f2 ae', 'repne scasb %es:(%di), %al'], ['e4 71', 'inb $0x71, %al'],
    ['66 0f b7 c0', 'movzwl %ax, %eax'], ['c8 10 00 03', 'enter $0x10, $3'], ['d4 0a', 'aam'], ['98', 'cbtw'], ['cf', 'iretw'],
    ['67 e3 fe', 'jecxz 0x1001'], ['f0 0f b1 0f', 'lock cmpxchgw %cx, (%bx)'],
  ])('%s', (bytes, expected) => {
    expect(text(bytes, false)).toBe(expected);
  });
});

describe('32-bit code', () => {
  test.each([
    ['b8 12 00 00 00', 'movl $0x12, %eax'], ['8b 44 b3 f0', 'movl -0x10(%ebx, %esi, 4), %eax'], ['83 c0 ff', 'addl $-1, %eax'],
    ['83 c8 ff', 'orl $0xffffffff, %eax'], ['8d 04 c5 ff ff ff ff', 'leal -1(, %eax, 8), %eax'], ['64 a1 78 56 34 12', 'movl %fs:0x12345678, %eax'],
    ['ff 18', 'lcalll *(%eax)'], ['ff e0', 'jmpl *%eax'], ['0f a4 c1 05', 'shldl $5, %eax, %ecx'], ['0f 20 c0', 'movl %cr0, %eax'],
    ['8c d8', 'movl %ds, %eax'], ['0f 94 c0', 'sete %al'], ['0f b6 00', 'movzbl (%eax), %eax'], ['69 c0 aa bb cc dd', 'imull $0xddccbbaa, %eax, %eax'],
    ['6e', 'outsb (%esi), %dx'], ['f3 a6', 'repe cmpsb %es:(%edi), (%esi)'], ['1e', 'pushl %ds'], ['c2 04 00', 'retl $4'], ['0f 00 c0', 'sldtl %eax'],
    ['0f 00 00', 'sldtw (%eax)'], ['d0 e0', 'shlb $1, %al'],
  ])('%s', (bytes, expected) => {
    expect(text(bytes, true)).toBe(expected);
  });

  test.each([
    ['d9 c1', 'fld %st(1)'], ['dc c1', 'fadd %st(0), %st(1)'], ['de c1', 'faddp %st(1)'], ['db 28', 'fldt (%eax)'], ['df e0', 'fnstsw %ax'],
    ['d9 fa', 'fsqrt'], ['dd 44 24 08', 'fldl 8(%esp)'], ['da e9', 'fucompp'], ['d9 d1', '(bad)'], ['d9 08', '(bad)'], ['da c1', 'fcmovb %st(1), %st(0)'], ['df f2', 'fcompi %st(2), %st(0)'], ['df 08', 'fisttps (%eax)'],
  ])('x87 %s', (bytes, expected) => {
    expect(text(bytes, true)).toBe(expected);
  });
});

test('targets of jumps are linear with the base of CS, and wrap within it', () => {
  expect(text('75 10', false, 0xF0000)).toBe('jne 0xf1012');
  expect(text('e9 00 f0', false, 0xF0000)).toBe('jmp 0xf0003');
});

test('every row can be printed', () => {
  for (const row of ROWS) {
    for (const mode32 of [false, true]) {
      decode([...opcodeBytes(row), sampleModrm(row)], mode32);
      expect(disassemble(insn), row.mnemonic).toMatch(/^[a-z(]/);
      expect(disassemble(insn), row.mnemonic).not.toMatch(/undefined|NaN/);
    }
  }
});

describe('lines of the log', () => {
  test('as QEMU prints them', () => {
    expect(formatInAsm(0xFE05B, hex('ea 5b e0 00 f0'), 'ljmpw $0xf000, $0xe05b')).toBe('0x000fe05b:  ea 5b e0 00 f0           ljmpw    $0xf000, $0xe05b');
    expect(formatInAsm(-16, hex('fa'), 'cli')).toBe('0xfffffff0:  fa                       cli      ');
    expect(formatInAsm(0x1000, hex('f3 a5'), 'rep movsl (%esi), %es:(%edi)')).toBe('0x00001000:  f3 a5                    rep movsl (%esi), %es:(%edi)');
  });

  test('more than eight bytes go on in the next line', () => {
    expect(formatInAsm(0xEA39E, hex('c7 05 c8 61 0f 00 01 00 00 00'), 'movl $1, 0xf61c8')).toBe(
      '0x000ea39e:  c7 05 c8 61 0f 00 01 00  movl     $1, 0xf61c8\n0x000ea3a6:  00 00');
  });
});
