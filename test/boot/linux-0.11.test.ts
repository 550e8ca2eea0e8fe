/** Linux 0.11 as it was: QEMU 7.2 and v86 panic on its hard-disk image. The lines are those that Bochs shows. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { copyTo, image, missing, scratchFolder, sha256, titled, unpacked } from './images.ts';

const BOOT_HD = 'linux-0.11/bootimage-0.11-hd', DISK = 'linux-0.11/hdc-0.11.img.gz';
const PROMPT = /\[\/usr\/root\]# $/m;
const HOST_SECONDS = 240;

const open = (disk: string, snapshot: boolean, boot = BOOT_HD): Machine =>
  Machine.open({ memory: '16M', fda: image(boot), hda: disk, boot: 'a', snapshot, timeout: HOST_SECONDS });

/** The guest's screen holds these lines, in this order. */
function expectLines(screen: string, lines: readonly string[]): void {
  let from = 0;
  for (const line of lines) {
    const at = screen.indexOf(line, from);
    expect(at, `${JSON.stringify(line)} is in order on\n${screen}`).toBeGreaterThanOrEqual(0);
    from = at + line.length;
  }
}

const lacking = missing(BOOT_HD, DISK);
describe.skipIf(lacking.length > 0)(titled('Linux 0.11 from its hard disk', lacking), () => {
  let disk: string, before: string, machine: Machine;

  beforeAll(async () => {
    disk = await unpacked(DISK);
    before = await sha256(disk);
    machine = open(disk, true);
  }, HOST_SECONDS * 1000);
  afterAll(() => machine.close());

  it('boots to its shell', async () => {
    await machine.expect(PROMPT);
    expectLines(machine.screen(), [
      'Partition table ok.', '52676/62000 free blocks', '20386/20666 free inodes', '3466 buffers = 3549184 bytes buffer space',
      'Free mem: 12582912 bytes', ' Ok.', '[/usr/root]#',
    ]);
  }, HOST_SECONDS * 1000);

  it('compiles a program that is typed, with gcc 1.40, and runs it', async () => {
    await machine.type('cat > primes.c\n#include <stdio.h>\n'
      + 'int main()\n{\n  int n, d, count = 0, sum = 0;\n  for (n = 2; n < 10000; n++) {\n    for (d = 2; d * d <= n; d++) if (n % d == 0) break;\n'
      + '    if (d * d > n) { count++; sum += n; }\n  }\n  printf("%d primes, sum %d, %08x\\\\n", count, sum, -sum * 31);\n  return 0;\n}\n{ctrl-d}');
    await machine.expect(PROMPT);
    await machine.type('gcc -O -o primes primes.c && ./primes\n');
    // -5736396 * 31 = -177828276
    await machine.expect(/^1229 primes, sum 5736396, f5668e4c$/m);
    await machine.expect(PROMPT);
  }, HOST_SECONDS * 1000);

  it('lists the whole disk, and its prompt is found behind thousands of lines', async () => {
    await machine.type('ls -lR /\n');
    await machine.expect(PROMPT);
    expect(machine.screen()).toMatch(/^\/var:\ntotal 0\n\[\/usr\/root\]#$/m);
    // Typed at a prompt that came too early, this would stand among the listing.
    await machine.type('echo rc=$?\n');
    await machine.expect(/rc=0\n\[\/usr\/root\]# $/);
  }, HOST_SECONDS * 1000);

  it('finds the prompt again on a screen full of prompts', async () => {
    for (let line = 0; line < 40; line++) {
      await machine.type('\n');
      await machine.expect(PROMPT);
    }
  }, HOST_SECONDS * 1000);

  it('does not change an image behind -snapshot', async () => {
    await machine.type('cp primes.c other.c; sync\n');
    await machine.expect(PROMPT);
    expect(await sha256(disk)).toBe(before);
  }, HOST_SECONDS * 1000);
});

describe.skipIf(lacking.length > 0)(titled('Linux 0.11 and its own copy of the disk', lacking), () => {
  let scratch: string;
  beforeAll(() => { scratch = scratchFolder(); });
  afterAll(() => rmSync(scratch, { recursive: true }));

  it('finds after a boot what was written and synced before it', async () => {
    const disk = copyTo(scratch, await unpacked(DISK));
    const first = open(disk, false);
    await first.expect(PROMPT);
    await first.type('echo kept since 1991 > note; ls -l / >> note; sync; sync\n');
    await first.expect(PROMPT);
    first.close();
    const second = open(disk, false);
    await second.expect(PROMPT);
    await second.type('cat note\n');
    await second.expect(/^kept since 1991\ntotal [^]*usr\n[^]*# $/m);
    second.close();
  }, HOST_SECONDS * 1000);
});

const BOOT_12 = 'linux-0.11/bootimage-0.12-hd';
const lacking12 = missing(BOOT_12, DISK);
describe.skipIf(lacking12.length > 0)(titled('Linux 0.12 from the same disk', lacking12), () => {
  it('boots to its shell', async () => {
    const machine = open(await unpacked(DISK), true, BOOT_12);
    await machine.expect(/any other key to continue/);
    await machine.key('spc');
    await machine.expect(PROMPT);
    expectLines(machine.screen(), ['8 virtual consoles', 'Partition table ok.', '52676/62000 free blocks', ' Ok.']);
    machine.close();
  }, HOST_SECONDS * 1000);
});
