/** The PC without PCI: what a guest finds there, and that a reset brings the ROMs back. */
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { startGuest } from './guest.ts';

describe('-M isapc', () => {
  it('has a 486, no PCI, and ROMs in RAM', async () => {
    const { machine, close } = startGuest(`
        mov eax, 0x80000000
        mov dx, 0xcf8
        out dx, eax
        in eax, dx
        call say_word
        mov ax, 0xb101
        int 0x1a
        setc al
        call say_hex
        mov ax, 0xf000
        mov es, ax
        mov word [es:0], 0x1234
        mov ax, [es:0]
        call say_word
        xor eax, eax
        inc eax
        db 0x0f, 0xa2
        shr ax, 8
        and al, 15
        call say_hex
        mov dx, 0x501
        out dx, al
`, { machine: 'isapc', debugExit: { iobase: 0x501, iosize: 1 } });
    await machine.run();
    expect(machine.transcript.text).toContain('FFFF01123404');
    expect(machine.board.devices.some(({ name }) => /pci|piix|i440/i.test(name))).toBe(false);
    machine.board.reset();
    expect(machine.board.space.read(0xf0000, 2)).not.toBe(0x1234);
    close();
  });

  it('takes no PCI card', () => {
    expect(() => Machine.open({ machine: 'isapc', rngs: 1 })).toThrow('an ISA PC takes no PCI cards');
  });
});
