/** A program for Linux guests: it asks the VMware port for its version, with an argument after iopl(3), and ends with what EAX has then. */
import { assemble } from '../../bios/assembler/assemble.ts';

/** A static ELF32 executable: its headers (System V ABI, chapter 4), the program. */
const SOURCE = `
cpu 386
bits 32
org 0x8048000
elf:    db 0x7f, "ELF", 1, 1, 1
        times 9 db 0
        dw 2, 3
        dd 1, start, program - elf, 0, 0
        dw 52, 32, 1, 0, 0, 0
program: dd 1, 0, elf, elf, end - elf, end - elf, 5, 0x1000

start:  cmp dword [esp], 1
        je .ask
        mov eax, 110
        mov ebx, 3
        int 0x80
.ask:   mov eax, 0x564d5868
        mov ecx, 0x0a
        mov edx, 0x5658
        in eax, dx
        mov ebx, eax
        mov eax, 1
        int 0x80
end:
`;

export const backdoor = (): Uint8Array => assemble(SOURCE, { file: 'backdoor.asm' }).bytes;
