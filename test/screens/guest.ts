/** The guest that draws a screen in every mode (guest.asm), as a floppy image, and what it says on its serial line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleFile } from '../../bios/assembler/files.ts';
import { diskImage } from '../../bios/build-images.ts';

/** Writes the guest's boot floppy into a folder. */
export function guestFloppy(folder: string): string {
  const path = join(folder, 'screens.img');
  writeFileSync(path, diskImage(assembleFile(join(import.meta.dirname, 'guest.asm')).bytes));
  return path;
}

const END = 'screens: all';

/** Follows the serial line: which screen is drawn, and what the guest found wrong. */
export class Progress {
  readonly wrong: string[] = [];
  #seen = 0;

  /** The next screen's name in all that the line has said so far; null: not yet; '': that was the last one. */
  next(text: string): string | null {
    const lines = text.split('\r\n').slice(0, -1);
    while (this.#seen < lines.length) {
      const line = lines[this.#seen++];
      if (line.includes(': wrong')) this.wrong.push(line);
      else return line === END ? '' : line;
    }
    return null;
  }
}
