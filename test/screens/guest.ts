/** The guest that draws a screen in every mode (guest.asm): as a floppy, as a run, and its stored pictures. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleFile } from '../../bios/assembler/files.ts';
import { diskImage } from '../../bios/build-images.ts';
import type { Picture } from '../../src/devices/host.ts';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { decodePng } from '../backends/png-decode.ts';

const END = 'screens: all';

export const pictureFile = (name: string): string => join(import.meta.dirname, 'pictures', `${name}.png`);
export const stored = (name: string): Picture => decodePng(readFileSync(pictureFile(name)));

/** Writes the guest's boot floppy into a folder. */
export function guestFloppy(folder: string): string {
  const path = join(folder, 'screens.img');
  writeFileSync(path, diskImage(assembleFile(join(import.meta.dirname, 'guest.asm')).bytes));
  return path;
}

/** Follows the guest's serial line: which screen is drawn, and what it found wrong. */
export class Progress {
  readonly wrong: string[] = [];
  #seen = 0;

  /** The next screen's name in all that the line has said so far; null: not yet; '': that was the last one. */
  next(text: string): string | null {
    const lines = text.split('\r\n').slice(0, -1);
    while (this.#seen < lines.length) {
      const line = lines[this.#seen++]!;
      if (line.includes(': wrong')) this.wrong.push(line);
      else return line === END ? '' : line;
    }
    return null;
  }
}

/** Runs the guest; calls `drawn` for each screen. Returns the complaints of the guest. */
export async function runGuest(options: PcOptions, drawn: (name: string, picture: Picture) => void): Promise<string[]> {
  let said = '';
  const serial = { receive: null, write: (byte: number) => { said += String.fromCharCode(byte); } };
  const machine = Machine.open({ snapshot: true, boot: 'a', memory: '16M', serials: [serial], ...options });
  const progress = new Progress();
  try {
    for (;;) {
      let name: string | null;
      while ((name = progress.next(said)) === null) await machine.wait(0.005);
      if (name === '') return progress.wrong;
      drawn(name, machine.board.picture());
      await machine.key('spc');
    }
  } finally {
    machine.close();
  }
}

/** How many dots differ by more than `tolerance` in a component, of those that count; -1: the sizes differ. */
export function difference(one: Picture, other: Picture, tolerance = 0, counts: (x: number, y: number) => boolean = () => true): number {
  if (one.width !== other.width || one.height !== other.height) return -1;
  const a = new Uint32Array(one.rgba.buffer, one.rgba.byteOffset, one.width * one.height);
  const b = new Uint32Array(other.rgba.buffer, other.rgba.byteOffset, one.width * one.height);
  let different = 0;
  for (let at = 0; at < a.length; at++) {
    if (a[at] === b[at]) continue;
    const far = [0, 8, 16].some((shift) => Math.abs((a[at]! >> shift & 255) - (b[at]! >> shift & 255)) > tolerance);
    if (far && counts(at % one.width, Math.floor(at / one.width))) different++;
  }
  return different;
}
