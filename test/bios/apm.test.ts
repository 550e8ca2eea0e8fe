/** APM by INT 15h AH=53h, and through its entry points for protected mode. APM BIOS Interface Specification 1.2. */
import { expect, it } from 'vitest';
import { startGuest } from './guest.ts';

const SAY_STATUS = `
        mov ax, 0x530a
        mov bx, 1
        mov cx, 0
        mov dx, 0
        mov si, 0x1234
`;

/** Connects by INT 15h AX=53xx, makes the segments that it names and asks for the power status by a far call. */
const PROTECTED = `
        mov ax, 0x5303
        xor bx, bx
        int 0x15
        jc failed
        mov [entry32], ebx
        call say_word
        mov ax, cx
        call say_word
        mov ax, dx
        call say_word
        mov ax, si
        call say_word
        mov ax, di
        call say_word
        mov ax, 0x5304
        int 0x15
        mov ax, 0x5302
        xor bx, bx
        int 0x15
        jc failed
        mov [entry16], bx
        cli
        lgdt [gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 0x08:protected
protected:
        mov ax, 0x20
        mov ss, ax
        mov ds, ax
        ${SAY_STATUS}
        call far [entry16]
        call say_status
        ${SAY_STATUS}
        call far dword [entry32]
        call say_status
        mov ax, 0x5307
        mov bx, 1
        mov cx, 3
        call far dword [entry32]
failed: mov al, '!'
        call say
        hlt
say_status:
        jc failed
        mov ax, bx
        call say_word
        mov ax, cx
        call say_word
        mov ax, dx
        call say_word
        mov ax, si
        jmp say_word
entry16: dw 0, 0x10
entry32: dd 0
        dw 0x18
gdtr:   dw 0x27
        dd gdt
gdt:    dq 0
        dq 0x00009b000000ffff           ; 08 here, 16 bits
        dq 0x00009b0f0000ffff           ; 10 F0000h, 16 bits
        dq 0x00409b0f0000ffff           ; 18 F0000h, 32 bits
        dq 0x008f93000000ffff           ; 20 data
`;

it('is there, and from protected mode it tells and switches off', async () => {
  const { machine, close } = startGuest(`
        mov ax, 0x5300
        xor bx, bx
        int 0x15
        jc failed
        call say_word
        mov ax, bx
        call say_word
        mov ax, cx
        call say_word
        mov ax, 0x530b
        int 0x15
        jnc failed
        call say_word
        mov ax, 0x5307                  ; all disks off: OpenBSD's halt -p
        mov bx, 0x02ff
        mov cx, 3
        int 0x15
        jc failed
        ${PROTECTED}`);
  expect((await machine.run()).reason).toBe('poweroff');
  expect(machine.transcript.text).toMatch(new RegExp('0102504D0003800B[0-9A-F]{4}F000F000FFF0FFF0' + '01FF80FFFFFF0000'.repeat(2) + '$'));
  close();
});

it('is not there without the power management function', async () => {
  const { machine, close } = startGuest(`
        mov ax, 0x5300
        xor bx, bx
        int 0x15
        jnc .there
        call say_word
.there: mov al, '.'
        call say
        hlt`, { machine: 'isapc' });
  await machine.expect(/8600\./);
  close();
});
