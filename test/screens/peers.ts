/**
 * The screens of guest.asm on others, compared to the stored pictures: QEMU with our firmware, and our machine with SeaBIOS and its
 * VGA BIOS. Says what differs, but for what QEMU does in another way than hardware; exit code 1 if anything does.
 *
 *   npm run screens:peers
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Picture } from '../../src/devices/host.ts';
import { scratchFolder } from '../boot/images.ts';
import { hasQemu, startQemu } from '../boot/qemu.ts';
import { difference, guestFloppy, Progress, runGuest, stored } from './guest.ts';

const HOST_SECONDS = 280;
const FIRMWARE = join(import.meta.dirname, '../../dist/bios/firmware.bin');
const SEABIOS = '/usr/share/seabios';

type Counts = (x: number, y: number) => boolean;
/** The ninth dot is the eighth for C0h-DFh on hardware, for B0h-DFh on QEMU. */
const notNinth: Counts = (x) => x % 9 !== 8;
const CHAIN = 'what it took for a mode before (chain 4) stays on in modes with planes';
/** What QEMU 7.2 does not draw as hardware does: nothing is compared (null), or only some dots. */
const QEMU_DIFFERS: Readonly<Record<string, { readonly why: string; readonly counts: Counts | null }>> = {
  'text-00': { why: '9 dots of half the clock are drawn 16 wide', counts: null },
  'text-split': { why: 'no split screen, panning or preset row scan in text modes', counts: null },
  'text-07': { why: 'no underline', counts: (x, y) => y % 16 !== 15 && notNinth(x, y) },
  'text-07-350': { why: 'no underline', counts: (x, y) => y % 14 !== 13 && notNinth(x, y) },
  'text-00-200': { why: 'no doubled scan lines in text modes', counts: null }, 'text-02-200': { why: 'no doubled scan lines in text modes', counts: null },
  planes: { why: 'no panning', counts: (_x, y) => y >= 200 },
  'vbe-102': { why: CHAIN, counts: null }, 'vbe-104': { why: CHAIN, counts: null }, 'vbe-106': { why: CHAIN, counts: null },
};

/** A PPM file (P6), as QEMU's screendump writes it. */
function readPpm(file: string): Picture {
  const bytes = readFileSync(file);
  const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString('latin1', 0, 40))!;
  const width = Number(header[1]), height = Number(header[2]);
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = bytes[header[0].length + 3 * i + c]!;
  return { width, height, rgba };
}

function compareQemu(name: string, picture: Picture): number {
  const expected = stored(name);
  const { counts } = QEMU_DIFFERS[name] ?? { counts: name.startsWith('text-') && expected.width === 720 ? notNinth : () => true };
  // QEMU makes 8 bits of 6 by repeating the lowest one, and of 5 (in 15-bit modes) by zeros; hardware's levels are even.
  return counts === null ? 0 : difference(picture, expected, 7, counts);
}

async function onQemu(floppy: string, scratch: string): Promise<string[]> {
  const serial = join(scratch, 'serial.txt'), dump = join(scratch, 'screen.ppm');
  const qemu = startQemu(['-bios', FIRMWARE, '-drive', `if=floppy,format=raw,file=${floppy}`, '-snapshot', '-boot', 'a', '-m', '16', '-serial', `file:${serial}`], scratch);
  const progress = new Progress(), different: string[] = [];
  try {
    for (const end = Date.now() + HOST_SECONDS * 1000; Date.now() < end; ) {
      const name = existsSync(serial) ? progress.next(readFileSync(serial, 'latin1')) : null;
      if (name === '') return [...progress.wrong.filter((line) => QEMU_DIFFERS[line.split(':')[0]!] === undefined), ...different];
      if (name === null) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      await qemu.command(`screendump "${dump}"`);
      const count = compareQemu(name, readPpm(dump));
      if (count !== 0) different.push(`${name}: ${count < 0 ? 'another size' : `${count} dots differ`}`);
      await qemu.key('spc');
    }
    return [...different, 'QEMU does not go on'];
  } finally {
    await qemu.close();
  }
}

/** Its fonts are others, and so are its colours where a mode has fewer: what is below the characters in modes of the VBE is the same. */
async function onSeabios(floppy: string): Promise<string[]> {
  const different: string[] = [];
  const [bios, vgaBios] = ['bios-256k.bin', 'vgabios-stdvga.bin'].map((name) => join(SEABIOS, name)) as [string, string];
  await runGuest({ fda: floppy, timeout: HOST_SECONDS, bios, vgaBios }, (name, picture) => {
    if (!/^vbe-4?1/.test(name)) return;
    const count = difference(picture, stored(name), 0, (x, y) => y >= 224 && x > 0 && x < picture.width - 1 && y < picture.height - 1);
    if (count !== 0) different.push(`${name}: ${count < 0 ? 'another size' : `${count} dots differ`}`);
  });
  return different;
}

const scratch = scratchFolder();
try {
  const floppy = guestFloppy(scratch);
  const runs: [string, boolean, () => Promise<string[]>][] = [
    ['QEMU with our firmware', hasQemu, () => onQemu(floppy, scratch)],
    ['SeaBIOS on our machine', existsSync(SEABIOS), () => onSeabios(floppy)],
  ];
  for (const [title, there, run] of runs) {
    const different = there ? await run() : [];
    console.log(`${title}: ${!there ? 'not installed' : different.length === 0 ? 'the same' : `\n  ${different.join('\n  ')}`}`);
    if (different.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true });
}
