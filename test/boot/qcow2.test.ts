/** Linux 0.11's disk as a qcow2 image: it boots, and what is written to it is what a raw image gets. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { hasQemuImg, qemuImg, tcg86Img } from '../backends/block/support.ts';
import { copyTo, image, missing, scratchFolder, titled, unpacked } from './images.ts';

const QCOW2 = 'linux-0.11/hdc-0.11.qcow2', RAW = 'linux-0.11/hdc-0.11.img.gz', BOOT = 'linux-0.11/bootimage-0.11-hd';
const PROMPT = /\[\/usr\/root\]# $/m;
const HOST_SECONDS = 240;

/** A copy that can be written to. */
function writable(folder: string, path: string): string {
  const copy = copyTo(folder, path);
  chmodSync(copy, 0o644);
  return copy;
}

const lacking = missing(QCOW2);
describe.skipIf(lacking.length > 0)(titled('Linux 0.11 on qcow2', lacking), () => {
  let scratch: string;
  beforeAll(() => { scratch = scratchFolder(); });
  afterAll(() => rmSync(scratch, { recursive: true }));

  it("boots ShoeLace's shell from the disk alone, its format guessed", () => {
    const disk = writable(scratch, image(QCOW2));
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      join(import.meta.dirname, '../../dist/tcg86.js'), '-hda', disk, '-no-reboot', '-m', '16M', '--expect', 'WiniBoot', '--key', '1', '--expect', '^>', '--screen', '--timeout', '120',
    ], { encoding: 'utf8', timeout: 150_000 });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Minix ShoeLace v1\.0[^]*^>/m);
    expect(tcg86Img(['check', disk]).status).toBe(0);
  }, HOST_SECONDS * 1000);

  const lackingRun = missing(RAW, BOOT);
  it.skipIf(lackingRun.length > 0)(titled('keeps a file, and is clean and equal to a raw image after the same steps', lackingRun), async () => {
    const disks = [writable(scratch, image(QCOW2)), writable(scratch, await unpacked(RAW))];
    const start = (file: string): Machine => Machine.open({
      memory: 16, drives: [{ file: image(BOOT), interface: 'floppy', index: 0, snapshot: true }, { file, interface: 'ide', index: 0, format: file.endsWith('.qcow2') ? 'qcow2' : 'raw' }], boot: 'a', timeout: HOST_SECONDS,
      // Time stamps are on the disk too.
      icount: { shift: 8 }, rtcBase: new Date('2026-01-01T12:00:00Z'), rtcClock: 'vm',
    });
    for (const disk of disks) {
      const machine = start(disk);
      await machine.expect(PROMPT);
      await machine.type('echo kept since 1991 > note; ls -l / >> note; sync; sync\n');
      await machine.expect(PROMPT);
      machine.close();
    }
    const [qcow2, raw] = disks as [string, string];
    expect(tcg86Img(['check', qcow2]).stdout).toMatch(/^No errors were found on the image\./);
    expect(tcg86Img(['compare', '-F', 'raw', qcow2, raw]).stdout).toBe('Images are identical.\n');
    if (hasQemuImg) {
      expect(qemuImg(['check', qcow2]).stdout).toMatch(/^No errors were found on the image\./);
      expect(qemuImg(['compare', '-F', 'raw', qcow2, raw]).stdout).toBe('Images are identical.\n');
    }
    const again = start(qcow2);
    await again.expect(PROMPT);
    await again.type('cat note\n');
    await again.expect(/^kept since 1991\ntotal [^]*usr\n[^]*# $/m);
    again.close();
  }, 2 * HOST_SECONDS * 1000);
});
