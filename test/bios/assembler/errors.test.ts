/** Mistakes: one line each, with file and line; and what the assembler tells beside the bytes. */
import { describe, expect, it } from 'vitest';
import { assemble, AssemblyError } from '../../../bios/assembler/assemble.ts';

function errorsOf(source: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    assemble(source, {
      file: 'a.asm',
      readFile: (path) => {
        const text = files[path];
        if (text === undefined) throw new Error('no such file');
        return text;
      },
    });
  } catch (error) {
    if (error instanceof AssemblyError) return error.errors;
    throw error;
  }
  return [];
}

const CASES: readonly (readonly [name: string, source: string, error: string])[] = [
  ['undefined symbol', 'nop\nmov ax, [foo]', "a.asm:2: symbol 'foo' is not defined"],
  ['unknown instruction', 'foo: bar ax', "a.asm:1: instruction expected, found 'bar'"],
  ['wrong operands', 'mov ax, ebx', 'a.asm:1: invalid combination of opcode and operands: mov'],
  ['size missing', 'inc [bx]', 'a.asm:1: operation size not specified'],
  ['size mismatch', 'mov ax, byte [bx]', 'a.asm:1: invalid combination of opcode and operands: mov'],
  ['defined twice', 'x: nop\nx: nop', "a.asm:2: symbol 'x' is defined twice"],
  ['address', 'mov al, [ax]', 'a.asm:1: invalid effective address'],
  ['mixed address', 'mov al, [bx + eax]', 'a.asm:1: invalid effective address'],
  ['short jump', 'jmp short x\ntimes 200 nop\nx:', 'a.asm:1: short jump is out of range (200 bytes)'],
  ['negative times', 'times 600 db 0\ntimes 510 - ($ - $$) db 0', 'a.asm:2: times count is negative: -90'],
  ['times forward', 'times x nop\nx equ 3', 'a.asm:1: times count depends on a symbol defined later'],
  ['label arithmetic', 'x: dw x >> 4', "a.asm:1: `>>' needs plain numbers (a label's value is not known until the end)"],
  ['division', 'db 1 / 0', 'a.asm:1: division by zero'],
  ['number', 'db 12z', 'a.asm:1: bad number: 12z'],
  ['string', "db 'abc", "a.asm:1: unterminated string: 'abc"],
  ['character', 'db 5 !! 3', "a.asm:1: expected ',', found '!'"],
  ['end of line', 'db 5 +', 'a.asm:1: expression expected at end of line'],
  ['parenthesis', 'db (5', "a.asm:1: expected ')' at end of line"],
  ['directive', '[foo 5]', 'a.asm:1: unknown directive [foo]'],
  ['bits', 'bits 64', 'a.asm:1: bits 64: only 16 and 32'],
  ['cpu', 'cpu 8087', 'a.asm:1: unknown processor: 8087'],
  ['preprocessor', '%foo', 'a.asm:1: unknown directive %foo'],
  ['%if', '%if 1\nnop', 'a.asm:2: %if without %endif'],
  ['%endif', 'nop\n%endif', 'a.asm:2: %endif without %if'],
  ['%macro', '%macro m 0\nnop', 'a.asm:1: %macro without %endmacro'],
  ['%rep', '%rep 5\nnop', 'a.asm:1: %rep without %endrep'],
  ['%error', '%error "too big"', 'a.asm:1: too big'],
  ['%error text', '%error too big', 'a.asm:1: too big'],
  ['parameter', 'mov ax, %1', "a.asm:1: '%1' outside a macro"],
  ['include', 'nop\n%include "b.inc"', "a.asm:2: cannot read include file 'b.inc': no such file"],
  ['incbin', 'incbin "b.bin"', "a.asm:1: cannot read 'b.bin': no file access"],
  ['%if forward', '%if later\n%endif\nlater:', "a.asm:1: symbol 'later' is not defined before its use here"],
  ['prefixes', 'rep repne movsb', 'a.asm:1: conflicting prefixes'],
  ['size prefix', 'o32 mov ax, bx', 'a.asm:1: o32 contradicts the instruction'],
  ['absolute', 'absolute 0x400\nnop', 'a.asm:2: no code or data in an absolute part'],
  ['extern', 'extern foo', 'a.asm:1: extern: flat binary output has no external symbols'],
  ['sections', 'section a start=0x10\ntimes 32 db 0\nsection b start=0x20\ndb 0', 'a.asm: section b starts inside the one before it'],
  ['in a macro', '%macro m 1\nnop\nmov ax, %1\n%endmacro\nnop\nm ebx', 'a.asm:6: invalid combination of opcode and operands: mov (macro m, a.asm:3)'],
  ['dt integer', 'dt 5', 'a.asm:1: dt takes floating-point numbers and strings'],
  ['endless macro', '%rmacro m 0\nm\n%endmacro\nm', 'a.asm:4: macros or includes nested too deeply (macro m, a.asm:2)'],
];

describe('errors', () => {
  it.each(CASES)('%s', (_name, source, error) => {
    expect(errorsOf(source)[0]).toBe(error);
  });

  it('all of a pass are reported, in files where they are', () => {
    expect(errorsOf('foo x\nnop\n%include "b.inc"\nbar y', { 'b.inc': 'nop\nbaz z' })).toEqual([
      "a.asm:1: instruction expected, found 'x'",
      "b.inc:2: instruction expected, found 'z'",
      "a.asm:4: instruction expected, found 'y'",
    ]);
  });

  it('the message of the exception has a line for each', () => {
    expect(() => assemble('foo x\nbar y', { file: 'a.asm' })).toThrow("a.asm:1: instruction expected, found 'x'\na.asm:2: instruction expected, found 'y'");
  });
});

describe('beside the bytes', () => {
  it('warnings for what is cut off', () => {
    const { warnings, bytes } = assemble('mov al, 300\ndb 256, 5\n%warning careful', { file: 'a.asm' });
    expect([...bytes]).toEqual([0xb0, 300 & 255, 0, 5]);
    expect(warnings).toEqual(['a.asm:3: careful', 'a.asm:1: immediate 300 does not fit and is cut off', 'a.asm:2: data 256 does not fit and is cut off']);
  });

  it('symbols have their final values', () => {
    const { symbols } = assemble('org 0x7c00\nstart: nop\n.loop: jmp .loop\nsize equ $ - start', { file: 'a.asm' });
    expect(Object.fromEntries(symbols)).toEqual({ start: 0x7c00, 'start.loop': 0x7c01, size: 3 });
  });

  it('a listing', () => {
    const { listing } = assemble('org 5\nx: mov ax, 1\n  db "abcdefghijklmnop"', { file: 'a.asm', listing: true });
    expect(listing).toBe(
      '00000000                          org 5\n00000000 B80100                   x: mov ax, 1\n00000003 6162636465666768696A6B.. ' +
        '  db "abcdefghijklmnop"\n',
    );
  });

  it('defines from outside, includes and binaries', () => {
    const { bytes } = assemble('%include "b.inc"\ndb N, M\nincbin "c.bin", 1, 2', {
      file: 'a.asm', defines: { N: '5' }, readFile: () => '%define M N + 1', readBinary: () => Uint8Array.of(1, 2, 3, 4),
    });
    expect([...bytes]).toEqual([5, 6, 2, 3]);
  });

  it('macros of one name inside each other, which nasm 2.16 cannot', () => {
    expect([...assemble('%define twice(x) ((x) * 2)\ndb twice(twice(3))', { file: 'a.asm' }).bytes]).toEqual([12]);
  });
});
