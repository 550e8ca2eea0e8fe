/** INT 15h/C2h with a guest that prints what its handler is called with. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startGuest } from './guest.ts';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';

/** Prints the equipment word's mouse bit, then what each function answers, then reports: status, X, Y, the fourth word. */
const GUEST = `
        int 0x11
        and al, 4
        call say_hex
        mov ax, 0xc200          ; no handler yet
        mov bh, 1
        int 0x15
        call result
        mov ax, 0xc205
        mov bh, 3
        int 0x15
        call result
        mov ax, 0xc204
        int 0x15
        call result
        mov ax, 0xc202
        mov bh, 6
        int 0x15
        mov ax, 0xc203
        mov bh, 3
        int 0x15
        mov ax, 0xc206
        mov bh, 2
        int 0x15
        mov ax, 0xc206
        mov bh, 1
        int 0x15
        mov ax, 0xc206
        mov bh, 0
        int 0x15
        call result
        mov ax, cx
        call say_hex
        mov ax, dx
        call say_hex
        mov ax, 0xc203          ; bad input
        mov bh, 4
        int 0x15
        call result
        mov bx, handler
        mov ax, 0xc207
        int 0x15
        mov ax, 0xc200
        mov bh, 1
        int 0x15
        call result
        mov al, '>'
        call say
forever:
        hlt
        jmp forever

; AH, and BX if there was no error
result:
        pushf
        push ax
        mov al, ' '
        call say
        pop ax
        mov al, ah
        call say_hex
        popf
        jc .done
        mov al, ':'
        call say
        mov ax, bx
        call say_word
.done:  ret

handler:
        push bp
        mov bp, sp
        pusha
        mov al, '['
        call say
        mov si, 12
.next:  mov al, [bp + si]
        call say_hex
        sub si, 2
        cmp si, 6
        jae .next
        mov al, ']'
        call say
        popa
        pop bp
        retf
`;

describe.each([['our firmware', {}], ...(existsSync(SEABIOS) ? [['SeaBIOS', { bios: SEABIOS }] as const] : [])] as const)('INT 15h/C2h on %s', (_name, options) => {
  it('answers, and calls the handler with reports', async () => {
    const { machine, close } = startGuest(GUEST, options);
    try {
      await machine.expect(/>/);
      // Status: 1:1, off; 200 reports a second, resolution 3.
      expect(machine.transcript.text).toMatch(/^04 05 00:00AA 00:00\w\w 00:000003C8 02 00:\w+>/);
      await machine.mouse(3, -5);
      await machine.expect(/\[08030500\]/);
      await machine.mouse(-1, 2, 'left');
      await machine.expect(/\[39FFFE00\]/);
      await machine.mouse(0, 0, 'left+right');
      await machine.expect(/\[0B000000\]/);
      await machine.mouse(300, 0, '4');
      await machine.expect(/\[0A7F0000\]\[0A7F0000\]\[0A2E0000\]/);
      await machine.mouse(0, 0);
      await machine.expect(/\[08000000\]/);
    } finally {
      close();
    }
  }, 60_000);
});
