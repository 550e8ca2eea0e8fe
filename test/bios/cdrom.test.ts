/** Booting from CDs by El Torito, and INT 13h for the drive, on our firmware, on SeaBIOS, and with our firmware on QEMU. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { hasQemu, startQemu } from '../boot/qemu.ts';
import { makeIso } from '../iso.ts';
import type { BootImage } from '../iso.ts';
import { LIBRARY } from './guest.ts';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const folder = mkdtempSync(join(tmpdir(), 'tcg86-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Boot code at 7C00h, of `sectors` sectors; it says what it finds on COM1. */
function code(source: string, sectors = 4): Uint8Array {
  const { bytes } = assemble(`cpu 386\norg 0x7c00\nxor ax, ax\nmov ds, ax\nmov es, ax\nmov ss, ax\nmov sp, 0x7c00\nmov [drive], dl\ncld\njmp guest\n${LIBRARY}\nguest:\n${source}\nhlt\njmp $-1\ndrive: db 0\ntimes ${sectors * 512} - ($ - $$) db 0\n`, { file: 'guest' });
  return bytes;
}

let count = 0;
function iso(boot: BootImage | undefined, files: Record<string, Uint8Array> = {}): string {
  const path = join(folder, `cd${count++}.iso`);
  writeFileSync(path, makeIso(files, boot));
  return path;
}

const open = (options: PcOptions): Machine => Machine.open({ memory: 4, icount: { shift: 6, sleep: false }, rtcClock: 'vm', timeout: 60, ...options });

/** Starts a machine and returns what came on COM1 up to a semicolon. */
async function said(options: PcOptions): Promise<string> {
  let serial = '';
  const machine = open({ ...options, serials: [{ receive: null, write: (byte) => { serial += String.fromCharCode(byte); } }] });
  try {
    await machine.expect(/;/);
    return serial;
  } finally {
    machine.close();
  }
}

const end = "mov al, ';'\ncall say\n";
const word = (at: string): string => `mov ax, ${at}\ncall say_word\nmov al, ' '\ncall say\n`;

/** Says the drive, what 41h, 48h, 42h and 4Bh give. */
const NO_EMULATION = `
        movzx ax, byte [drive]
        ${word('ax')}
        mov ah, 0x41
        mov bx, 0x55aa
        mov dl, [drive]
        int 0x13
        ${word('bx')}
        mov si, buffer
        mov word [si], 0x1a
        mov ah, 0x48
        mov dl, [drive]
        int 0x13
        ${word('[buffer + 24]')}
        mov si, packet
        mov ah, 0x42
        mov dl, [drive]
        int 0x13
        ${word('[packet + 2]')}
        ${word('[0x8000 + 1]')}
        ${word('[0x8800 + 1]')}
        mov si, buffer
        mov ax, 0x4b01
        mov dl, [drive]
        int 0x13
        ${word('[buffer]')}
        ${word('[buffer + 12]')}
        ${word('[buffer + 14]')}
        ${end}
        jmp over
packet: db 16, 0, 2, 0
        dw 0x8000, 0
        dd 16, 0
buffer: times 64 db 0
over:
`;
/** "CD" of sectors 16 and 17 at their second bytes; the packet: size 13h, no emulation; segment, sectors. */
const NO_EMULATION_SAYS = '00E0 AA55 0800 0002 4443 4443 0013 07C0 0004 ;';

const firmwares: [name: string, options: PcOptions][] = [['our firmware', {}]];
if (existsSync(SEABIOS)) firmwares.push(['SeaBIOS', { bios: SEABIOS }]);

describe.each(firmwares)('a CD on %s', (_name, firmware) => {
  it('boots without emulation, and is read by the extensions', async () => {
    const cdrom = iso({ media: 0, image: code(NO_EMULATION), sectors: 4 });
    expect((await said({ cdrom, boot: 'd', ...firmware })).replace(' 0000 0004', ' 07C0 0004')).toBe(NO_EMULATION_SAYS);
  }, 60_000);

  it.each([[1, 80, 15], [2, 80, 18], [3, 80, 36]] as const)('boots as a floppy: media type %i', async (media, cylinders, sectors) => {
    const image = new Uint8Array(cylinders * 2 * sectors * 512);
    image.set(code(`
        movzx ax, byte [drive]
        ${word('ax')}
        mov ax, 0x0205
        mov bx, 0x8000
        mov cx, 0x0200 + ${sectors - 2}
        mov dx, 0x0000
        int 0x13
        ${word('ax')}
        ${word('[0x8000]')}
        ${word('[0x8600]')}
        ${word('[0x8800]')}
        mov ax, 0x0301
        mov cx, 0x0001
        mov dx, 0x0000
        int 0x13
        ${word('ax')}
        mov ah, 8
        mov dl, 0
        int 0x13
        ${word('cx')}
        int 0x11
        ${word('ax')}
        ${end}`, 1));
    // Each sector begins with its number.
    for (let i = 1; i < image.length / 512; i++) image.set([i & 255, i >> 8], i * 512);
    const first = 2 * 2 * sectors + sectors - 3, hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
    const text = await said({ cdrom: iso({ media, image }), boot: 'd', ...firmware });
    const [drive, read, one, four, five, write, parameters, equipment] = text.split(' ');
    expect([drive, read!.slice(0, 2), one, four, five]).toEqual(['0000', '00', hex(first), hex(first + 3), hex(first + 4)]);
    expect(write!.slice(0, 2)).toBe('03');
    expect(parameters).toBe(hex((cylinders - 1) << 8 | sectors));
    expect(Number.parseInt(equipment!, 16) & 0xc1).toBe(0x41);
  }, 60_000);

  it('boots as a hard disk, which is then the first', async () => {
    const image = new Uint8Array(4 * 4 * 17 * 512);
    image.set(code(`
        mov ax, 0x0201
        mov bx, 0x8000
        mov cx, 0x0302
        mov dx, 0x0180
        int 0x13
        ${word('ax')}
        ${word('[0x8000]')}
        mov ah, 8
        mov dl, 0x80
        int 0x13
        ${word('dx')}
        mov ax, 0x0201
        mov bx, 0x8000
        mov cx, 0x0001
        mov dx, 0x0081
        int 0x13
        ${word('[0x8000]')}
        ${end}`, 1).subarray(0, 446));
    image.set([0x80, 0, 1, 0, 6, 3, 17, 3, 0, 0, 0, 0, 16, 1, 0, 0], 446);
    image.set([0x55, 0xaa], 510);
    const at = (3 * 4 + 1) * 17 + 1;
    image.set([0x78, 0x56], at * 512);
    const hda = join(folder, 'hda.img');
    writeFileSync(hda, Uint8Array.from({ length: 1 << 20 }, (_, i) => [0x34, 0x12][i] ?? 0));
    expect(await said({ cdrom: iso({ media: 4, image }), drives: [{ file: hda, format: 'raw', interface: 'ide', index: 0 }], boot: 'd', ...firmware })).toMatch(/^0001 5678 030[23] 1234 ;$/); // SeaBIOS counts the emulated disk twice;
  }, 60_000);
});

describe('our firmware', () => {
  it('says why a CD does not boot, and goes on', async () => {
    const start = async (options: PcOptions): Promise<string> => {
      const machine = open({ boot: 'd', ...options });
      try {
        await machine.expect(/No bootable device/);
        return machine.screen();
      } finally {
        machine.close();
      }
    };
    expect(await start({})).toContain('Booting from CD-ROM...\nThere is no CD in it.\n');
    expect(await start({ cdrom: iso(undefined) })).toContain('The CD has nothing to boot.\n');
    expect(await start({ cdrom: iso({ media: 0, image: code(''), indicator: 0 }) })).toContain('The CD has nothing to boot.\n');
    const damaged = iso({ media: 0, image: code('') }), bytes = readFileSync(damaged);
    bytes.writeUInt32LE(100_000, 22 * 2048 + 40);
    writeFileSync(damaged, bytes);
    expect(await start({ cdrom: damaged })).toContain('It cannot be read.\n');
  }, 60_000);

  it('loads an image of many sectors to where it belongs', async () => {
    const image = new Uint8Array(300 * 512);
    const relocated: Uint8Array = assemble(`cpu 386\norg 0\nmov ax, cs\nmov ds, ax\nxor bx, bx\nmov ss, bx\nmov sp, 0x7c00\njmp guest\n${LIBRARY}\nguest:\n${word('cs')}mov ax, 0x3000\nmov ds, ax\n${word('[150 * 1024 - 131072 - 2]')}${end}hlt\n`, { file: 'guest' }).bytes;
    image.set(relocated);
    image.set([0xcd, 0xab], image.length - 2);
    expect(await said({ cdrom: iso({ media: 0, image, sectors: 300, segment: 0x1000 }), boot: 'd' })).toBe('1000 ABCD ;');
  }, 60_000);

  it('has a menu of what there is', async () => {
    const says = (letter: string): Uint8Array => code(`mov al, '${letter}'\ncall say\n${end}`, 1);
    const disk = (letter: string): string => {
      const path = join(folder, `${letter}.img`), image = new Uint8Array(1 << 20);
      image.set(says(letter));
      image.set([0x55, 0xaa], 510);
      writeFileSync(path, image);
      return path;
    };
    const [a, b] = [disk('A'), disk('B')].map((file, index) => ({ file, format: 'raw', interface: 'ide' as const, index }));
    const cdrom = iso({ media: 0, image: says('C') });
    const choose = async (...keys: string[]): Promise<string> => {
      const machine = open({ drives: [a!, b!], cdrom, bootMenu: true, bootMenuWait: 3000, boot: 'c' });
      try {
        await machine.expect(/Press F12 for the boot menu/);
        for (const key of keys) await machine.key(key);
        await machine.expect(/[ABC];/);
        if (keys.length > 0) expect(machine.screen()).toContain('1. Floppy 0\n2. Hard disk 0\n3. Hard disk 1\n4. CD-ROM 0\nWhich one?');
        return /[ABC];/.exec(machine.transcript.text)![0];
      } finally {
        machine.close();
      }
    };
    expect(await choose()).toBe('A;');
    expect(await choose('f12', '9', '3')).toBe('B;');
    expect(await choose('esc', '4')).toBe('C;');
    expect(await choose('f12', 'esc')).toBe('A;');
  }, 60_000);

  it('boots by another order once, and starts again where it is told to', async () => {
    const machine = open({ cdrom: iso({ media: 0, image: code("mov al, 'C'\ncall say\nmov dx, 0xcf9\nmov al, 6\nout dx, al\n") }), boot: 'a', bootOnce: 'd', rebootTimeout: 1000 });
    try {
      await machine.expect(/^C/m);
      await machine.expect(/No bootable device/);
      await machine.expect(/Booting from floppy/);
    } finally {
      machine.close();
    }
  }, 60_000);

  it.skipIf(!hasQemu)('boots CDs on QEMU too', async () => {
    const scratch = mkdtempSync(join(folder, 'qemu-')), serial = join(scratch, 'serial');
    const cdrom = iso({ media: 0, image: code(NO_EMULATION), sectors: 4 });
    const qemu = startQemu(['-bios', join(import.meta.dirname, '../../dist/bios/firmware.bin'), '-cdrom', cdrom, '-boot', 'd', '-serial', `file:${serial}`], scratch);
    try {
      await qemu.expect(/Booting from CD-ROM/, 30);
      for (let i = 0; i < 200 && !readFileSync(serial, 'latin1').includes(';'); i++) await new Promise((resolve) => setTimeout(resolve, 100));
      expect(readFileSync(serial, 'latin1')).toBe(NO_EMULATION_SAYS);
    } finally {
      await qemu.close();
    }
  }, 60_000);
});
