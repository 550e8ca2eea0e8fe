/** Small guests for tests of the firmware: boot sectors in assembly that say what they find on COM1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';

/** say: prints AL; say_hex: prints AL in hex; say_word: AX in hex. All registers are kept. */
export const LIBRARY = `
say:
        push dx
        mov dx, 0x3f8
        out dx, al
        pop dx
        ret
say_word:
        xchg al, ah
        call say_hex
        xchg al, ah
say_hex:
        push ax
        shr al, 4
        call .digit
        pop ax
        push ax
        and al, 15
        call .digit
        pop ax
        ret
.digit: cmp al, 10
        sbb al, 0x69
        das
        jmp say
`;

/** Prints 16-bit registers in hex; AX, if it is one of them, first. */
export const sayWords = (...registers: readonly string[]): string => registers.map((register) => `${register === 'ax' ? '' : `mov ax, ${register}\n`}call say_word\n`).join('');

/**
 * Goes on in protected mode: DS, ES and SS reach all of memory. Selectors: 08h this code (16 bits), 10h and 18h the BIOS as 16-bit and 32-bit code,
 * 20h all of memory as data, 28h as 32-bit code.
 */
export const inProtectedMode = (source: string): string => `
        cli
        lgdt [gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 0x08:.protected
.protected:
        mov ax, 0x20
        mov ss, ax
        mov ds, ax
        mov es, ax
        movzx esp, sp
${source}
gdtr:   dw 0x2f
        dd gdt
gdt:    dq 0, 0x00009b000000ffff, 0x00009b0f0000ffff, 0x00409b0f0000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
`;

/** Starts a boot sector (origin 7C00h, DS = ES = SS = 0, SP = 7C00h) from a floppy of its own, which `prepare` may change. `close` also removes it. */
export function startGuest(source: string, options: PcOptions = {}, prepare = (floppy: Uint8Array): Uint8Array => floppy): { machine: Machine; close: () => void } {
  const { bytes } = assemble(`cpu 386\norg 0x7c00\nxor ax, ax\nmov ds, ax\nmov es, ax\nmov ss, ax\nmov sp, 0x7c00\ncld\njmp guest\n${LIBRARY}\nguest:\n${source}\ntimes 510 - ($ - $$) db 0\ndw 0xaa55\n`, { file: 'guest' });
  const folder = mkdtempSync(join(tmpdir(), 'tcg86-test-'));
  const floppy = join(folder, 'guest.img');
  const image = new Uint8Array(1440 * 1024);
  image.set(bytes);
  writeFileSync(floppy, prepare(image));
  const machine = Machine.open({ memory: 4, fda: floppy, boot: 'a', icount: { shift: 6, sleep: false }, rtcClock: 'vm', timeout: 60, ...options });
  return {
    machine,
    close: () => {
      machine.close();
      rmSync(folder, { recursive: true });
    },
  };
}
