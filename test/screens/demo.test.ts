/** The picture that the demo shows in mode 13h, compared to a stored one (TCG86_UPDATE=1 writes it anew), and in a terminal. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodePng } from '../../src/backends/png.ts';
import { TerminalPicture } from '../../src/backends/terminal-picture.ts';
import { Machine } from '../../src/index.ts';
import { difference, pictureFile, stored } from './guest.ts';

const NAME = 'demo-picture';
const HOST_SECONDS = 60;

it("the demo's picture is drawn as it is stored", async () => {
  const machine = Machine.open({ fda: join(import.meta.dirname, '../../dist/bios/demo.img'), boot: 'a', snapshot: true, timeout: HOST_SECONDS, icount: { shift: 4 } });
  try {
    await machine.expect(/tcg86> $/m);
    await machine.type('picture\n');
    // 16 ns an instruction: it has long been drawn then, however slow the host is.
    // At 16 ns an instruction it has long been drawn then, however slow the host is.
    await machine.wait(3);
    expect(machine.board.textScreen()).toBeNull();
    const picture = machine.board.picture();
    if (process.env['TCG86_UPDATE'] === '1') writeFileSync(pictureFile(NAME), encodePng(picture));
    expect(difference(picture, stored(NAME))).toBe(0);
    for (const [columns, rows] of [[80, 25], [200, 60]] as const) {
      const cells = new TerminalPicture().draw(picture, columns, rows).match(/[▀▄ ]/g)!.length;
      expect(cells).toBe(Math.min(columns, Math.round(rows * 2 * 4 / 3)) * rows);
    }
  } finally {
    machine.close();
  }
}, HOST_SECONDS * 1000);
