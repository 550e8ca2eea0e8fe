/** A program for Linux guests that have no other: it sends each datagram on UDP port 5000 back to where it came from. */
import { linuxProgram } from './linux-program.ts';

export const UDP_ECHO_PORT = 5000;

const SOURCE = `
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
peer:   dd 0, 0, 0, 0`;

export const udpEcho = (): Uint8Array => linuxProgram('udp-echo.asm', SOURCE, 0x10000);
