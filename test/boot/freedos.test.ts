/** FreeDOS on our firmware and on SeaBIOS, with our VGA BIOS and with SeaVGABIOS; and on QEMU with our firmware. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { image, missing, scratchFolder, titled } from './images.ts';
import { hasQemu, startQemu } from './qemu.ts';

const FLOPPY = 'freedos722.img';
const PROMPT = /A:\\>$/m;
const HOST_SECONDS = 120;
const SEABIOS = '/usr/share/seabios';
const firmware = join(import.meta.dirname, '../../dist/bios/firmware.bin');

const open = (options: PcOptions = {}): Machine => Machine.open({ fda: image(FLOPPY), snapshot: true, timeout: HOST_SECONDS, ...options });
const lacking = missing(FLOPPY);
const installed = (...names: string[]): boolean => names.every((name) => existsSync(join(SEABIOS, name)));

describe.skipIf(lacking.length > 0)(titled('FreeDOS without PCI', lacking), () => {
  it.each(['ours', ...(installed('bios.bin') ? ['bios.bin'] : [])])('boots to its prompt: %s', async (bios) => {
    const machine = open({ machine: 'isapc', ...(bios === 'ours' ? {} : { bios: join(SEABIOS, bios) }) });
    await machine.expect(PROMPT);
    machine.close();
  }, HOST_SECONDS * 1000);
});

describe.skipIf(lacking.length > 0)(titled('FreeDOS on our firmware', lacking), () => {
  let machine: Machine;
  beforeAll(() => { machine = open(); });
  afterAll(() => machine.close());

  it('boots to its prompt', async () => {
    await machine.expect(PROMPT);
    expect(machine.screen()).toContain('Welcome to FreeDOS');
  }, HOST_SECONDS * 1000);

  it('lists its floppy', async () => {
    await machine.type('dir\n');
    await machine.expect(/18 file\(s\) +401,541 bytes\n +3 dir\(s\) +46,080 bytes free\n[^]*A:\\>$/m);
    expect(machine.screen()).toMatch(/^COMMAND +COM +66,090 +12-10-03/m);
  }, HOST_SECONDS * 1000);

  it('finds the prompt on a cleared screen', async () => {
    await machine.type('cls\n');
    await machine.expect(PROMPT);
    expect(machine.screen().trim()).toBe('A:\\>');
    await machine.type('cls\n');
    await machine.expect(PROMPT);
  }, HOST_SECONDS * 1000);

  it('loses no key, however long the line and however busy the program', async () => {
    const line = 'the quick brown fox jumps over the lazy dog 0123456789 again and again until the line is full';
    await machine.type(`dir /s fdos\ndir /s games\necho ${line.replaceAll(' ', '_')}\n`);
    await machine.expect(new RegExp(`^${line.replaceAll(' ', '_').slice(0, 79)}`, 'm'));
    await machine.expect(PROMPT);
    expect(machine.screen().replaceAll('\n', '')).toContain(`echo ${line.replaceAll(' ', '_')}`);
  }, HOST_SECONDS * 1000);

  it('writes files', async () => {
    await machine.type('copy readme copy.txt\n');
    await machine.expect(PROMPT);
    await machine.type('dir copy.txt\n');
    await machine.expect(/COPY +TXT +1,546/);
  }, HOST_SECONDS * 1000);

  it('reads function keys and combinations', async () => {
    await machine.type('echo again\n');
    await machine.expect(/^again$/m);
    // DOS: F3 brings the line before back.
    await machine.key('f3');
    await machine.type('st\n');
    await machine.expect(/^against$/m);
    await machine.type('pause{ret}');
    await machine.expect(/any key|continue/i);
    await machine.key('ctrl-c');
    await machine.expect(PROMPT);
  }, HOST_SECONDS * 1000);
});

describe.skipIf(lacking.length > 0)(titled('FreeDOS on other firmware', lacking), () => {
  const roms = (bios: string | null, vga: string | null): PcOptions => ({
    ...(bios === null ? {} : { bios: join(SEABIOS, bios) }), ...(vga === null ? {} : { vgaBios: join(SEABIOS, vga) }),
  });
  const cases: [title: string, bios: string | null, vga: string | null][] = [
    ['SeaBIOS and its VGA BIOS', 'bios-256k.bin', 'vgabios-stdvga.bin'],
    ['SeaBIOS and our VGA BIOS', 'bios-256k.bin', null],
    // SeaBIOS takes an ISA VGA BIOS from QEMU's fw_cfg only; ours runs what it finds at C0000h.
    ['our firmware and an ISA VGA BIOS', null, 'vgabios-isavga.bin'],
  ];
  for (const [title, bios, vga] of cases) {
    const there = installed(...[bios, vga].filter((name) => name !== null));
    it.skipIf(!there)(there ? title : `${title} (not installed: package seabios)`, async () => {
      const machine = open(roms(bios, vga));
      await machine.expect(PROMPT);
      await machine.type('dir\n');
      await machine.expect(/18 file\(s\) +401,541 bytes[^]*A:\\>$/m);
      machine.close();
    }, HOST_SECONDS * 1000);
  }
});

const lackingQemu = hasQemu ? lacking : [...lacking, 'qemu-system-i386'];
describe.skipIf(lackingQemu.length > 0)(titled('FreeDOS on QEMU with our firmware', lackingQemu), () => {
  let scratch: string;
  beforeAll(() => { scratch = scratchFolder(); });
  afterAll(() => rmSync(scratch, { recursive: true }));

  it('boots and lists its floppy', async () => {
    const qemu = startQemu(['-bios', firmware, '-drive', `if=floppy,format=raw,file=${image(FLOPPY)}`, '-snapshot', '-boot', 'a'], scratch);
    try {
      await qemu.expect(/A:\\>$/, HOST_SECONDS);
      for (const key of ['d', 'i', 'r', 'ret']) await qemu.key(key);
      await qemu.expect(/18 file\(s\) +401,541 bytes[^]*A:\\>$/, HOST_SECONDS);
    } finally {
      await qemu.close();
    }
  }, 2 * HOST_SECONDS * 1000);
});
