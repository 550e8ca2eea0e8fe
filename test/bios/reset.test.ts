/** The ways in which a guest resets the machine, by a firmware that does nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { LIBRARY, startGuest } from './guest.ts';

/**
 * Counts its starts in a byte of CMOS, says the count and what it finds: port 92h, the 8042's output port, whether RAM hides the firmware,
 * the 8259's mask, the command register of the IDE function. Then it changes all of these, and resets the machine: each time in another way.
 * It copies itself to RAM first: neither A20 nor PAM may take it away from itself.
 */
const FIRMWARE = `
cpu 386
org 0
COPY equ 0x100
        mov ax, COPY
        mov ss, ax
        mov sp, 0x8000
        mov es, ax
        xor si, si
        xor di, di
        mov cx, 0x200
        rep cs movsw
        jmp COPY:start
start:  mov al, 0xad
        out 0x64, al
        mov al, 0xa7
        out 0x64, al
        in al, 0x60                     ; what keyboard or mouse has sent already
        mov al, 0x70
        out 0x70, al
        in al, 0x71
        inc ax
        out 0x71, al
        mov bl, al
        add al, '0'
        call say
        in al, 0x92
        call say_hex
        mov al, 0xd0
        out 0x64, al
        in al, 0x60
        and al, 3
        call say_hex
        mov eax, 0x80000058
        call config
        mov dl, 0xfd
        in al, dx
        call say_hex
        in al, 0x21
        call say_hex
        mov eax, 0x80000904
        call config
        in ax, dx
        call say_word
        mov al, 10
        call say
        mov bh, 0
        shl bx, 1
        jmp [cs:ways - 2 + bx]
ways:   dw hard, soft, port92, pulse, output, triple, initialize, done

hard:   mov cx, 0x0602
        jmp cf9
soft:   mov cx, 0x0400
cf9:    call disturb
        mov dx, 0xcf9
        mov al, cl
        out dx, al
        mov al, ch
        out dx, al
        jmp $
port92: call disturb
        mov al, 1
        out 0x92, al
        jmp $
pulse:  call disturb
        mov al, 0xfe
        out 0x64, al
        jmp $
output: call disturb
        mov al, 0xd1
        out 0x64, al
        mov al, 0xfe
        out 0x60, al
        jmp $
triple: call disturb
        lidt [cs:nothing]
        int3
nothing: dw 0, 0, 0
; The local APIC sends INIT to itself: that resets the processor alone.
initialize:
        call disturb
        mov al, 2
        out 0x92, al
        lgdt [cs:table]
        mov eax, cr0
        inc ax
        mov cr0, eax
        mov bx, 8
        mov ds, bx
        mov dword [dword 0xfee00310], 0
        mov dword [dword 0xfee00300], 0x4500
        jmp $
done:   mov dx, 0x501
        out dx, al
        hlt

disturb:
        mov eax, 0x80000058
        call config
        mov dl, 0xfd
        mov al, 0x30
        out dx, al
        mov eax, 0x80000904
        call config
        mov ax, 5
        out dx, ax
        out 0x21, al
        mov al, 0xd1
        out 0x64, al
        mov al, 0xdd
        out 0x60, al
        mov al, 0
        out 0x92, al
        ret
; A register of configuration space, at port DX.
config: mov dx, 0xcf8
        out dx, eax
        mov dl, 0xfc
        ret
${LIBRARY}
table:  dw 15
        dd 16 * COPY + table
        dw 0
        dd 0x0000ffff, 0x00cf9300
times 0xfff0 - ($ - $$) db 0
        jmp 0
times 0x10000 - ($ - $$) db 0
`;

describe('a guest resets the machine', () => {
  let folder: string, bios: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tcg86-test-'));
    bios = join(folder, 'bios.bin');
    writeFileSync(bios, assemble(FIRMWARE, { file: 'firmware' }).bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const open = (options: PcOptions): Machine => Machine.open({ bios, memory: 4, debugExit: { iobase: 0x501, iosize: 1 }, timeout: 300, ...options });

  it('by every way that there is: its chips are as at power on, and INIT leaves them alone', async () => {
    const machine = open({});
    expect(await machine.run()).toMatchObject({ reason: 'exit' });
    const starts = machine.transcript.text.trim().split('\n');
    machine.close();
    expect(starts.map((line) => line[0]).join('')).toBe('12345678');
    expect(starts[0]!.slice(1)).toBe('000300FF0000');
    for (const line of starts.slice(1, 7)) expect(line.slice(1)).toBe(starts[0]!.slice(1));
    expect(starts[7]!.slice(1)).toBe('020130050005');
  });

  it('which ends it where it may not start again', async () => {
    const machine = open({ actions: { reboot: 'shutdown' } });
    expect(await machine.run()).toEqual({ reason: 'reset' });
    machine.close();
  });

  it.each(['pc', 'isapc'] as const)('by a jump to the firmware (%s)', async (type) => {
    const { machine, close } = startGuest('jmp 0xffff:0', { machine: type, actions: { reboot: 'shutdown' } });
    expect(await machine.run()).toEqual({ reason: 'reset' });
    close();
  });
});
