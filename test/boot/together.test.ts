/** Three machines run in one process at once: each gets on, none sees anything of the others. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { image, missing, titled } from './images.ts';

const HOST_SECONDS = 200;
const DEMO = join(import.meta.dirname, '../../dist/bios/demo.img');
const FREEDOS = 'freedos722.img', LINUX = 'linux-0.11/bootimage-0.11-fd', ROOT = 'linux-0.11/rootimage-0.11';
const lacking = missing(FREEDOS, LINUX, ROOT);

describe.skipIf(lacking.length > 0)(titled('three machines', lacking), () => {
  it('boot and answer at the same time', async () => {
    const common = { boot: 'a', snapshot: true, timeout: HOST_SECONDS };
    const freedos = Machine.open({ ...common, fda: image(FREEDOS) });
    const linux = Machine.open({ ...common, fda: image(LINUX), fdb: image(ROOT), memory: 16 });
    const demo = Machine.open({ ...common, fda: DEMO, memory: 16, keyboardLayout: 'de' });
    const machines = [freedos, linux, demo];
    /** Instructions that each had retired when the first one was at its prompt. */
    let early: number[] | null = null;
    const booted = (): void => { early ??= machines.map((machine) => machine.retired); };
    try {
      await Promise.all([
        freedos.expect(/A:\\>$/m).then(booted),
        (async () => {
          await linux.expect(/Insert root floppy and press ENTER/);
          await linux.key('ret');
          await linux.expect(/^37\/1440 free blocks\n410\/480 free inodes$[^]*# $/m);
          booted();
        })(),
        demo.expect(/^tcg86> $/m).then(booted),
      ]);
      for (const count of early!) expect(count).toBeGreaterThan(100_000);
      // Each types and answers while the others do; keys go to their own machine.
      await Promise.all([
        freedos.type('echo one of three\n').then(() => freedos.expect(/^one of three$[^]*A:\\>$/m)),
        linux.type('echo two of three\n').then(() => linux.expect(/^two of three$[^]*# $/m)),
        demo.type('help\n').then(() => demo.expect(/crash[^]*^tcg86> $/m)),
      ]);
      const screens = machines.map((machine) => machine.screen());
      const words = ['one of three', 'two of three', 'tcg86>'];
      for (const [of, screen] of screens.entries()) {
        for (const [word, text] of words.entries()) expect(screen.includes(text)).toBe(word === of);
      }
      // A machine that ends takes none of the others with it.
      freedos.close();
      const before = linux.retired;
      await Promise.all([linux.type('echo still here\n').then(() => linux.expect(/^still here$[^]*# $/m)), demo.type('ver\n').then(() => demo.expect(/^tcg86> $/m))]);
      expect(linux.retired).toBeGreaterThan(before);
    } finally {
      for (const machine of machines) machine.close();
    }
  }, HOST_SECONDS * 1000);
});
