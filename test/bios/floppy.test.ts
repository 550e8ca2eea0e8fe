/** INT 13h on floppies of every format: the last sector of the disk, read, written and read back. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PcOptions } from '../../src/index.ts';
import { startGuest } from './guest.ts';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const FORMATS: [kilobytes: number, cylinders: number, heads: number, sectors: number][] = [
  [160, 40, 1, 8], [180, 40, 1, 9], [320, 40, 2, 8], [360, 40, 2, 9], [720, 80, 2, 9], [1200, 80, 2, 15], [1440, 80, 2, 18], [2880, 80, 2, 36],
];

/** Reads the last sector twice if the first try says that the disk was changed; says AH and the sector's first word; writes it, reads it back. */
const guest = (cylinders: number, heads: number, sectors: number): string => `
        mov bp, 3
again:  mov bx, 0x8000
        mov ax, 0x0201
        call disk
        jnc done
        dec bp
        jnz again
done:   call report
        mov word [0x8000], 0xbeef
        mov ax, 0x0301
        call disk
        call report
        mov word [0x8000], 0
        mov ax, 0x0201
        call disk
        call report
        mov al, '.'
        call say
        hlt
disk:   mov bx, 0x8000
        mov cx, ${((cylinders - 1) << 8) | sectors}
        mov dx, ${(heads - 1) << 8}
        int 0x13
        ret
report: mov al, ah
        call say_hex
        mov al, ':'
        call say
        mov ax, [0x8000]
        call say_word
        mov al, ' '
        jmp say
`;

const firmwares: [name: string, formats: typeof FORMATS, options: PcOptions][] = [['our firmware', FORMATS, {}]];
if (existsSync(SEABIOS)) firmwares.push(['SeaBIOS', FORMATS.filter(([kilobytes]) => [360, 1200, 2880].includes(kilobytes)), { bios: SEABIOS }]);

describe.each(firmwares)('floppies on %s', (_name, formats, options) => {
  it.each(formats)('%i KB', async (kilobytes, cylinders, heads, sectors) => {
    const { machine, close } = startGuest(guest(cylinders, heads, sectors), options, (floppy) => {
      const image = new Uint8Array(kilobytes * 1024);
      image.set(floppy.subarray(0, 512));
      image.set([0x34, 0x12], image.length - 512);
      return image;
    });
    try {
      await machine.expect(/ \.$/m);
      expect(machine.transcript.text).toMatch(/^00:1234 00:BEEF 00:BEEF \.$/m);
    } finally {
      close();
    }
  }, 60_000);
});
