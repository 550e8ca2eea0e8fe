/** APM by INT 15h AH=53h, and through its entry points for protected mode. APM BIOS Interface Specification 1.2. */
import { expect, it } from 'vitest';
import { inProtectedMode, sayWords, startGuest } from './guest.ts';

const SAY_STATUS = `
        mov ax, 0x530a
        mov bx, 1
        mov cx, 0
        mov dx, 0
        mov si, 0x1234
`;

/** Connects by INT 15h AX=53xx, and asks in the segments that it names for the power status by a far call. */
const PROTECTED = `
        mov ax, 0x5303
        xor bx, bx
        int 0x15
        jc failed
        mov [entry32], ebx
        ${sayWords('ax', 'cx', 'dx', 'si', 'di')}
        mov ax, 0x5304
        int 0x15
        mov ax, 0x5302
        xor bx, bx
        int 0x15
        jc failed
        mov [entry16], bx
${inProtectedMode(`
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
        ${sayWords('bx', 'cx', 'dx', 'si')}
        ret
entry16: dw 0, 0x10
entry32: dd 0
        dw 0x18
`)}`;

it('is there, and from protected mode it tells and switches off', async () => {
  const { machine, close } = startGuest(`
        mov ax, 0x5300
        xor bx, bx
        int 0x15
        jc failed
        ${sayWords('ax', 'bx', 'cx')}
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
