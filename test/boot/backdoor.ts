/** A program for Linux guests: it asks the VMware port for its version, with an argument after iopl(3), and ends with what EAX has then. */
import { linuxProgram } from './linux-program.ts';

const SOURCE = `
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
        int 0x80`;

export const backdoor = (): Uint8Array => linuxProgram('backdoor.asm', SOURCE);
