/** A program for Linux guests that have no other: it sends each datagram on UDP port 5000 back to where it came from. */
import { assemble } from '../../bios/assembler/assemble.ts';

export const UDP_ECHO_PORT = 5000;

/** A static ELF32 executable: its headers (System V ABI, chapter 4), the program, and room for a datagram in memory. */
const SOURCE = `
cpu 386
bits 32
org 0x8048000
elf:    db 0x7f, "ELF", 1, 1, 1
        times 9 db 0
        dw 2, 3
        dd 1, start, program - elf, 0, 0
        dw 52, 32, 1, 0, 0, 0
program: dd 1, 0, elf, elf, end - elf, end - elf + 0x10000, 7, 0x1000

; socketcall(2): EBX is the call, ECX its arguments.
%macro socketcall 2
        mov eax, 102
        mov ebx, %1
        mov ecx, %2
        int 0x80
%endmacro

start:  socketcall 1, socket
        mov [bind], eax
        mov [receive], eax
        mov [send], eax
        socketcall 2, bind
next:   mov dword [length], 16
        socketcall 12, receive
        mov [count], eax
        test eax, eax
        js next
        socketcall 11, send
        jmp next

socket: dd 2, 2, 0
bind:   dd 0, address, 16
receive: dd 0, end, 0xffff, 0, peer, length
send:   dd 0, end
count:  dd 0, 0, peer, 16
address: dw 2
        db ${UDP_ECHO_PORT >> 8}, ${UDP_ECHO_PORT & 255}
        dd 0, 0, 0
length: dd 0
peer:   dd 0, 0, 0, 0
end:
`;

export const udpEcho = (): Uint8Array => assemble(SOURCE, { file: 'udp-echo.asm' }).bytes;
