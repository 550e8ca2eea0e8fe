/** The runner of suite:test386 on a ROM of our own that speaks in all the ways that test386.asm can. */
import { describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { runRom } from './test386-run.ts';

const ROM = `
    bits 16
    org 0
start:
    mov al, 0x08
    mov dx, 0x190
    out dx, al
    mov al, 'a'
    out 0xE9, al
    mov al, 'b'
    mov dx, 0x378
    out dx, al
    add dx, 2
    mov al, 0
    out dx, al
    mov al, 1                   ; the strobe
    out dx, al
    mov al, 'c'
    mov dx, 0x3F8
    out dx, al
    mov al, 0xFF
    mov dx, 0x190
    out dx, al
    cli
    hlt
    times 0xFFF0 - ($ - $$) db 0
    jmp 0xF000:start
    times 0x10000 - ($ - $$) db 0
`;

describe('suite:test386', () => {
  it('hears POST codes, a port, LPT and COM', () => {
    const { bytes } = assemble(ROM, { file: 'rom.asm' });
    const { posts, text, stopped } = runRom(bytes, { outPort: 0xe9, postPort: 0x190 });
    expect([posts, [...text].sort().join('')]).toEqual([[8, 0xff], 'abc']);
    expect(stopped).toMatch(/^halted at f000:/);
  });
});
