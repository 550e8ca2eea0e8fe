/**
 * The Linux 0.11 and 0.12 images whose root is a floppy: in drive B, or changed for the boot floppy in drive A. Virtual time is made of
 * instructions, at about the pace of a 486, so that what these drivers wait for comes after as many instructions as it did then.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { image, missing, titled } from './images.ts';

const HOST_SECONDS = 240;
const ROOT = 'linux-0.11/rootimage-0.11', ROOT_ON_B = 'linux-0.11/bootimage-0.11-fd';
const COUNTED: PcOptions = { icount: { shift: 7, sleep: false }, rtcBase: new Date('1991-12-01T12:00:00Z'), rtcClock: 'vm' };
const SEABIOS = '/usr/share/seabios';
const seabios: PcOptions = { bios: join(SEABIOS, 'bios-256k.bin'), vgaBios: join(SEABIOS, 'vgabios-stdvga.bin') };

async function toPrompt(machine: Machine, asksForMode: boolean, insert: () => void): Promise<void> {
  if (asksForMode) {
    await machine.expect(/any other key to continue/);
    await machine.key('spc');
  }
  await machine.expect(/Insert root floppy and press ENTER/);
  insert();
  await machine.key('ret');
  await machine.expect(/^37\/1440 free blocks\n410\/480 free inodes$[^]*# $/m);
  await machine.type('ls /bin; echo rc=$?\n');
  await machine.expect(/\bsh\b[^]*^rc=0\n[^]*# $/m);
}

const change = (machine: Machine) => (): void => machine.change('fda', image(ROOT));
const cases: [boot: string, asksForMode: boolean][] = [['linux-0.11/bootimage-0.11', false], ['linux-0.11/bootimage-0.12-fd', true]];
for (const [boot, asksForMode] of cases) {
  const lacking = missing(boot, ROOT);
  describe.skipIf(lacking.length > 0)(titled(`${boot}, changed for its root floppy`, lacking), () => {
    const open = (options: PcOptions): Machine => Machine.open({ memory: 16, fda: image(boot), boot: 'a', snapshot: true, timeout: HOST_SECONDS, ...options });

    it('reaches its shell', async () => {
      const machine = open(COUNTED);
      await toPrompt(machine, asksForMode, change(machine));
      machine.close();
    }, HOST_SECONDS * 1000);

    const there = existsSync(seabios.bios!);
    it.skipIf(!there)(there ? 'reaches its shell on SeaBIOS, interpreted' : 'on SeaBIOS (not installed: package seabios)', async () => {
      const machine = open({ ...COUNTED, ...seabios, jit: false });
      await toPrompt(machine, asksForMode, change(machine));
      machine.close();
    }, HOST_SECONDS * 1000);
  });
}

const lackingB = missing(ROOT_ON_B, ROOT);
describe.skipIf(lackingB.length > 0)(titled('Linux 0.11 from two floppies', lackingB), () => {
  const open = (options: PcOptions): Machine =>
    Machine.open({ memory: 16, fda: image(ROOT_ON_B), fdb: image(ROOT), boot: 'a', snapshot: true, timeout: HOST_SECONDS, ...options });
  const ways: [title: string, options: PcOptions][] = [['by the host clock', {}], ['in counted time, all compiled', { ...COUNTED, jitThreshold: 0 }]];
  for (const [title, options] of ways) {
    it(`mounts its root in drive B and reaches its shell ${title}`, async () => {
      const machine = open(options);
      await toPrompt(machine, false, () => {});
      machine.close();
    }, HOST_SECONDS * 1000);
  }
});
