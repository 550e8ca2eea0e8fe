/**
 * A guest draws a screen in each VGA and VBE mode by INT 10h (guest.asm); the screens are compared to stored pictures, dot by dot.
 * `npm run screens:peers` compares them to QEMU's and SeaBIOS' for the same guest.
 *
 * TCG86_UPDATE=1 writes the pictures anew. Look at them before they are committed.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { encodePng } from '../../src/backends/png.ts';
import { scratchFolder } from '../boot/images.ts';
import { difference, guestFloppy, pictureFile, runGuest, stored } from './guest.ts';

const update = process.env['TCG86_UPDATE'] === '1';
const HOST_SECONDS = 240;
/** The frame buffer shows what the banks show, and nothing of a mode is lost by saving its state. */
const SAME = [['vbe-101', 'vbe-4101'], ['vbe-111', 'vbe-4111'], ['vbe-10f', 'vbe-410f'], ['vbe-147', 'vbe-4147'], ['text-03', 'text-state']] as const;

it('each mode is drawn as it is stored', async () => {
  const scratch = scratchFolder();
  const different: string[] = [], names: string[] = [];
  try {
    const wrong = await runGuest({ fda: guestFloppy(scratch), timeout: HOST_SECONDS }, (name, picture) => {
      names.push(name);
      if (update) writeFileSync(pictureFile(name), encodePng(picture));
      else if (!existsSync(pictureFile(name))) different.push(`${name}: no picture stored`);
      else {
        const count = difference(picture, stored(name));
        if (count !== 0) different.push(`${name}: ${count < 0 ? 'another size' : `${count} dots differ`}`);
      }
    });
    expect([wrong, different]).toEqual([[], []]);
    expect(names.length).toBeGreaterThan(60);
    for (const [one, other] of SAME) expect(difference(stored(one), stored(other)), `${one} and ${other}`).toBe(0);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}, HOST_SECONDS * 1000);
