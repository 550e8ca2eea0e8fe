/** bootindex and strict: the list of what boots first, on our firmware, on SeaBIOS, and with our firmware on QEMU; the list's text as QEMU 7.2 has it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { parseArguments } from '../../src/cli/options.ts';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { bootOrderOf } from '../../src/library/boot-order.ts';
import { hasQemu, startQemu } from '../boot/qemu.ts';
import { makeIso } from '../iso.ts';
import { LIBRARY } from './guest.ts';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const folder = mkdtempSync(join(tmpdir(), 'tcg86-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A boot sector that says a letter on COM1. */
const says = (letter: string): Uint8Array => assemble(`cpu 386\norg 0x7c00\njmp guest\n${LIBRARY}\nguest: mov al, '${letter}'\ncall say\nmov al, ';'\ncall say\nhlt\njmp $-1\ntimes 510 - ($ - $$) db 0\ndw 0xaa55\n`, { file: 'guest' }).bytes;
const file = (name: string): string => join(folder, name);
beforeAll(() => {
  for (const name of ['a', 'b', 'c', 'f', 'blank', 'blank2']) {
    const image = new Uint8Array(name === 'f' ? 1_474_560 : 1 << 20);
    if (!name.startsWith('blank')) image.set(says(name));
    writeFileSync(file(name), image);
  }
  writeFileSync(file('cd'), makeIso({}, { media: 0, image: says('d') }));
});

type Drive = NonNullable<PcOptions['drives']>[number];
const disk = (name: string, index: number, bootIndex?: number): Drive => ({ file: file(name), format: 'raw', interface: 'ide', index, ...(bootIndex === undefined ? {} : { bootIndex }) });
const cd = (index: number, bootIndex?: number): Drive => ({ ...disk('cd', index, bootIndex), media: 'cdrom' });
const virtio = (name: string, index: number, bootIndex?: number): Drive => ({ ...disk(name, index, bootIndex), interface: 'virtio' });
const list = (options: PcOptions): string | undefined => bootOrderOf(options).map(([, bytes]) => new TextDecoder().decode(bytes))[0];

describe('the list', () => {
  it('has paths in the order of their numbers, and an end', () => {
    expect(list({ drives: [disk('a', 0), cd(2)], bootStrict: true })).toBe(undefined);
    expect(list({ drives: [disk('a', 2, 3), disk('b', 3, 2), virtio('c', 0, 1)], nics: [{ network: null }] })).toBe('/pci@i0cf8/scsi@4/disk@0,0\n/pci@i0cf8/ide@1,1/drive@1/disk@1\n/pci@i0cf8/ide@1,1/drive@1/disk@0\0');
    expect(list({ drives: [disk('a', 3, 3), cd(0, 0)], bootStrict: true })).toBe('/pci@i0cf8/ide@1,1/drive@0/disk@0\n/pci@i0cf8/ide@1,1/drive@1/disk@1\nHALT\0');
    expect(list({ machine: 'isapc', drives: [disk('a', 2, 1)] })).toBe('/isa/ide@0170/drive@0/disk@0\0');
    expect(list({ drives: [{ ...disk('f', 0, 3), interface: 'floppy' }], kernel: 'x' })).toBe('/rom@genroms/kernelboot.bin\n/pci@i0cf8/isa@1/fdc@03f0/floppy@0\0');
    expect(list({ nics: [{ network: null, bootIndex: 5 }, { network: null, model: 'ne2k_isa', bootIndex: 1 }, { network: null, model: 'rtl8139', bootIndex: 4 }] })).toBe('/pci@i0cf8/ethernet@4/ethernet-phy@0\n/pci@i0cf8/ethernet@3/ethernet-phy@0\0');
    expect(list({ drives: [disk('a', 0, -1)] })).toBe(undefined);
    expect(() => list({ drives: [disk('a', 0, 1), disk('b', 1, 1)] })).toThrow('The bootindex 1 has already been used');
  });

  it('comes from -device and -boot', () => {
    const drive = (id: string): string[] => ['-drive', `file=${id},format=raw,if=none,id=${id}`];
    const { drives, nics, boot } = parseArguments([
      ...drive('x'), ...drive('y'), ...drive('z'), '-device', 'ide-hd,drive=x,bootindex=2', '-device', 'ide-cd,drive=y,bootindex=0', '-device', 'virtio-blk-pci,drive=z,bootindex=-1', '-device', 'e1000,bootindex=7', '-boot', 'strict=on',
    ]);
    expect([drives.map(({ id, bootIndex }) => [id, bootIndex]), nics.map(({ bootIndex }) => bootIndex), boot.strict]).toEqual([[['x', 2], ['y', 0], ['z', undefined]], [7], true]);
    expect(() => parseArguments([...drive('x'), '-device', 'ide-hd,drive=x,bootindex=7', '-device', 'e1000,bootindex=7'])).toThrow('-device e1000: The bootindex 7 has already been used');
    for (const text of ['x', '2147483648', '-2147483649', '1.5', '-']) expect(() => parseArguments(['-device', `e1000,bootindex=${text}`])).toThrow('bootindex');
    expect(() => parseArguments(['-device', 'VGA,bootindex=1'])).toThrow("Property 'VGA.bootindex' not found");
  });
});

/** Letters that came on COM1 up to the first semicolon, or what the screen says in the end. */
async function booted(options: PcOptions): Promise<string> {
  const machine = Machine.open({ memory: 4, icount: { shift: 6, sleep: false }, rtcClock: 'vm', timeout: 60, cdrom: null, ...options });
  try {
    await machine.expect(/[a-df];|No bootable device/);
    return /[a-df];|No bootable device/.exec(machine.transcript.text)![0];
  } finally {
    machine.close();
  }
}

const CASES: readonly (readonly [string, PcOptions, string])[] = [
  ['a disk that is not the first', { drives: [disk('a', 0), disk('b', 3, 1)] }, 'b;'],
  ['before what -boot says', { drives: [disk('a', 0), cd(2, 1)], boot: 'c' }, 'd;'],
  ['the least number', { drives: [disk('a', 0, 5), disk('b', 1, 4), disk('c', 2, 3), cd(3, 6)] }, 'c;'],
  ['after one that does not boot, the next', { drives: [{ ...cd(3, 1), file: '' }, disk('a', 0), disk('b', 1, 9)] }, 'b;'],
  ['after all of them, what -boot says', { drives: [disk('a', 0), { ...cd(2, 1), file: '' }] }, 'a;'],
  ['not so with strict', { drives: [disk('a', 0), { ...cd(2, 1), file: '' }], bootStrict: true }, 'No bootable device'],
  ['strict without a number is nothing', { drives: [disk('a', 0)], bootStrict: true }, 'a;'],
  ['a floppy', { drives: [{ ...disk('f', 0, 1), interface: 'floppy' }, disk('a', 0, 2)] }, 'f;'],
  ['on an ISA PC', { machine: 'isapc', drives: [disk('a', 0), disk('b', 2, 1)] }, 'b;'],
];

describe('boots first', () => {
  it.each(CASES)('%s', async (_name, options, letter) => {
    expect(await booted(options)).toBe(letter);
  }, 60_000);

  it('what a path names stays the same when another disk has become the first', async () => {
    expect(await booted({ drives: [disk('blank', 0, 2), disk('blank2', 1, 1), disk('c', 2, 3), cd(3)] })).toBe('c;');
  }, 60_000);

  it.skipIf(!existsSync(SEABIOS)).each(CASES.filter(([, { machine }]) => machine === undefined))('%s, with SeaBIOS', async (_name, options, letter) => {
    expect(await booted({ memory: 16, bios: SEABIOS, ...options })).toBe(letter);
  }, 60_000);

  it.skipIf(!hasQemu)('our firmware on QEMU', async () => {
    const scratch = mkdtempSync(join(folder, 'qemu-')), serial = join(scratch, 'serial');
    const drive = (name: string): string[] => ['-drive', `file=${file(name)},format=raw,if=none,id=${name}`];
    const qemu = startQemu(['-bios', join(import.meta.dirname, '../../dist/bios/firmware.bin'), ...drive('a'), ...drive('b'), '-device', 'ide-hd,drive=a', '-device', 'ide-hd,drive=b,bootindex=3', '-serial', `file:${serial}`], scratch);
    try {
      await qemu.expect(/Booting from hard disk/, 30);
      for (let i = 0; i < 200 && !readFileSync(serial, 'latin1').includes(';'); i++) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(readFileSync(serial, 'latin1')).toBe('b;');
    } finally {
      await qemu.close();
    }
  }, 60_000);
});
