/**
 * A guest draws a screen in each VGA and VBE mode by INT 10h (guest.asm). The screens are compared to stored pictures, dot by dot; and
 * what QEMU draws for the same guest is compared to these too, but for what QEMU does in another way than hardware.
 *
 * TCG86_UPDATE=1 writes the pictures anew. Look at them before they are committed.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src/backends/png.ts';
import type { Picture } from '../../src/devices/host.ts';
import { Machine } from '../../src/index.ts';
import { decodePng } from '../backends/png-decode.ts';
import { scratchFolder } from '../boot/images.ts';
import { hasQemu, startQemu } from '../boot/qemu.ts';
import { guestFloppy, Progress } from './guest.ts';

const PICTURES = join(import.meta.dirname, 'pictures');
const FIRMWARE = join(import.meta.dirname, '../../dist/bios/firmware.bin');
const SEABIOS = ['bios-256k.bin', 'vgabios-stdvga.bin'].map((name) => join('/usr/share/seabios', name));
const update = process.env['TCG86_UPDATE'] === '1';
const HOST_SECONDS = 240;

const pictureFile = (name: string): string => join(PICTURES, `${name}.png`);
const stored = (name: string): Picture => decodePng(readFileSync(pictureFile(name)));

let scratch: string;
let floppy: string;
beforeAll(() => {
  scratch = scratchFolder();
  floppy = guestFloppy(scratch);
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs the guest; calls `drawn` for each screen. Returns the complaints of the guest. */
async function run(options: Parameters<typeof Machine.open>[0], drawn: (name: string, picture: Picture) => void): Promise<string[]> {
  let said = '';
  const serial = { receive: null, write: (byte: number) => { said += String.fromCharCode(byte); } };
  const machine = Machine.open({ fda: floppy, snapshot: true, boot: 'a', memory: '16M', serials: [serial], timeout: HOST_SECONDS, ...options });
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
function difference(one: Picture, other: Picture, tolerance = 0, counts: (x: number, y: number) => boolean = () => true): number {
  if (one.width !== other.width || one.height !== other.height) return -1;
  let different = 0;
  for (let at = 0; at < one.rgba.length; at += 4) {
    const differs = [0, 1, 2].some((i) => Math.abs(one.rgba[at + i] - other.rgba[at + i]) > tolerance);
    if (differs && counts((at >> 2) % one.width, Math.floor((at >> 2) / one.width))) different++;
  }
  return different;
}

it('each mode is drawn as it is stored', async () => {
  const different: string[] = [];
  const names: string[] = [];
  const wrong = await run({}, (name, picture) => {
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
  // The frame buffer shows what the banks show, and nothing of a mode's state is lost by saving it.
  for (const [one, other] of [['vbe-101', 'vbe-4101'], ['vbe-111', 'vbe-4111'], ['vbe-10f', 'vbe-410f'], ['vbe-147', 'vbe-4147'], ['text-03', 'text-state']]) {
    expect(difference(stored(one), stored(other)), `${one} and ${other}`).toBe(0);
  }
}, HOST_SECONDS * 1000);

const hasSeabios = SEABIOS.every((file) => existsSync(file));
it.skipIf(!hasSeabios)(hasSeabios ? 'SeaBIOS and its VGA BIOS draw the same squares' : 'SeaBIOS and its VGA BIOS (not installed: package seabios)', async () => {
  const different: string[] = [];
  await run({ bios: SEABIOS[0]!, vgaBios: SEABIOS[1]! }, (name, picture) => {
    // Its fonts are others, and it has a frame of its own for some colours: below the characters the modes of the VBE are the same.
    if (!name.startsWith('vbe-') || name === 'vbe-state') return;
    const count = difference(picture, stored(name), 0, (x, y) => y >= 224 && x > 0 && x < picture.width - 1 && y < picture.height - 1);
    if (count !== 0) different.push(`${name}: ${count}`);
  });
  expect(different).toEqual([]);
}, HOST_SECONDS * 1000);

/** What QEMU 7.2 does not draw as hardware does: nothing is compared, or only some dots. */
const QEMU_DIFFERS: Readonly<Record<string, { why: string; counts: (x: number, y: number) => boolean }>> = {
  'text-00': { why: '9 dots of half the clock are drawn 16 wide', counts: () => false },
  'text-split': { why: 'no split screen, panning or preset row scan in text modes', counts: () => false },
  'text-07': { why: 'no underline', counts: (x, y) => y % 16 !== 15 && x % 9 !== 8 },
  'text-07-350': { why: 'no underline', counts: (x, y) => y % 14 !== 13 && x % 9 !== 8 },
  planes: { why: 'no panning', counts: (_x, y) => y >= 200 },
};
/** The ninth dot is the eighth for C0h-DFh on hardware, for B0h-DFh on QEMU. */
const notNinth = (x: number): boolean => x % 9 !== 8;

/** A PPM file (P6), as QEMU's screendump writes it. */
function readPpm(file: string): Picture {
  const bytes = readFileSync(file);
  const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString('latin1', 0, 40))!;
  const width = Number(header[1]), height = Number(header[2]);
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = bytes[header[0].length + 3 * i + c]!;
  return { width, height, rgba };
}

describe.skipIf(!hasQemu)(hasQemu ? 'QEMU with our firmware' : 'QEMU with our firmware (not installed)', () => {
  it('draws the same', async () => {
    const serial = join(scratch, 'serial.txt'), dump = join(scratch, 'screen.ppm');
    const qemu = startQemu(['-bios', FIRMWARE, '-drive', `if=floppy,format=raw,file=${floppy}`, '-snapshot', '-boot', 'a', '-m', '16', '-serial', `file:${serial}`], scratch);
    const progress = new Progress();
    const different: string[] = [];
    try {
      for (const end = Date.now() + HOST_SECONDS * 1000; ;) {
        const name = existsSync(serial) ? progress.next(readFileSync(serial, 'latin1')) : null;
        if (name === '') break;
        if (Date.now() > end) throw new Error('QEMU does not go on');
        if (name === null) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        await qemu.command(`screendump "${dump}"`);
        const { counts } = QEMU_DIFFERS[name] ?? { counts: name.startsWith('text-') && stored(name).width === 720 ? notNinth : () => true };
        // QEMU makes 8 bits of 6 by repeating the lowest one, not the highest.
        const count = counts(0, 0) || counts(0, 300) ? difference(readPpm(dump), stored(name), name.startsWith('vbe') ? 0 : 3, counts) : 0;
        if (count !== 0) different.push(`${name}: ${count < 0 ? 'another size' : count}`);
        await qemu.key('spc');
      }
    } finally {
      await qemu.close();
    }
    expect([progress.wrong, different]).toEqual([[], []]);
  }, HOST_SECONDS * 1000);
});
