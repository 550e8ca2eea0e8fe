/** Programs for Linux guests that have no compiler: static ELF32 executables (System V ABI, chapter 4). */
import { assemble } from '../../bios/assembler/assemble.ts';

/** From `start` on; behind its `end` there are `room` bytes of memory, and then it may be written. */
export const linuxProgram = (file: string, source: string, room = 0): Uint8Array => assemble(`
cpu 386
bits 32
org 0x8048000
elf:    db 0x7f, "ELF", 1, 1, 1
        times 9 db 0
        dw 2, 3
        dd 1, start, program - elf, 0, 0
        dw 52, 32, 1, 0, 0, 0
program: dd 1, 0, elf, elf, end - elf, end - elf + ${room}, ${room > 0 ? 7 : 5}, 0x1000
${source}
end:
`, { file }).bytes;
