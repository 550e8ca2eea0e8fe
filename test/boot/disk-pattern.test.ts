/**
 * Debian's Linux writes a fixed pattern to its disks, by DMA, programmed I/O and virtio: raw and qcow2 images then hold just that, and what
 * QEMU makes of it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { tcg86Img } from '../backends/block/support.ts';
import { image, missing, scratchFolder, titled } from './images.ts';
import { withTests } from './initrd.ts';
import { hasQemu } from './qemu.ts';

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const HOST_SECONDS = 400;
const SIZE = 8 << 20;

/** Whole blocks, then three sectors near the end of the first half, one more at the very end. */
const write = `
for d in "$@"; do
  seq 1 300000 | dd of=/dev/$d bs=64k seek=1 conv=notrunc 2>/dev/null
  seq 5000000 5001000 | dd of=/dev/$d bs=512 seek=8191 count=3 conv=notrunc 2>/dev/null
  seq 7000000 7001000 | dd of=/dev/$d bs=512 seek=16383 count=1 conv=notrunc 2>/dev/null
done
sync`;
const MODE = '/sys/class/ata_device/dev1.0/xfer_mode';
const TESTS = {
  dma: `#!/bin/sh\nmodprobe ata_piix; modprobe sd_mod; modprobe virtio_pci; modprobe virtio_blk; sleep 2\nset -- sda sdb vda vdb${write}\ngrep DMA ${MODE}`,
  pio: `#!/bin/sh\nmodprobe libata dma=0; modprobe ata_piix; modprobe sd_mod; sleep 2\nset -- sda sdb${write}\ngrep PIO ${MODE}`,
};

/** Lines of numbers, from one to another. */
function numbers(from: number, to: number, bytes?: number): Buffer {
  const text = Buffer.from(Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join(''));
  return bytes === undefined ? text : text.subarray(0, bytes);
}

function expected(): Buffer {
  const disk = Buffer.alloc(SIZE);
  numbers(1, 300_000).copy(disk, 65_536);
  numbers(5_000_000, 5_001_000, 1536).copy(disk, 8191 * 512);
  numbers(7_000_000, 7_001_000, 512).copy(disk, 16_383 * 512);
  return disk;
}

const WAYS = [
  { test: 'dma', disks: [['ide', 0, 'raw'], ['ide', 1, 'qcow2'], ['virtio', 0, 'raw'], ['virtio', 1, 'qcow2']] },
  { test: 'pio', disks: [['ide', 0, 'raw'], ['ide', 1, 'qcow2']] },
] as const;

const lacking = missing(KERNEL, INITRD);
describe.skipIf(lacking.length > 0)(titled('Debian writes a pattern', lacking), () => {
  let scratch: string, initrd: string;
  const pattern = expected();
  beforeAll(() => {
    scratch = scratchFolder();
    initrd = withTests(image(INITRD), scratch, TESTS);
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  /** New, empty images for a way, in a folder of their own. */
  function images(folder: string, { disks }: (typeof WAYS)[number]): string[] {
    mkdirSync(join(scratch, folder));
    return disks.map(([bus, index, format]) => {
      const file = join(scratch, folder, `${bus}${index}.${format}`);
      expect(tcg86Img(['create', '-f', format, file, `${SIZE}`]).status).toBe(0);
      return file;
    });
  }

  function check(files: readonly string[]): void {
    const wanted = join(scratch, 'wanted');
    writeFileSync(wanted, pattern);
    for (const file of files) {
      if (file.endsWith('.raw')) expect(readFileSync(file).equals(pattern), file).toBe(true);
      else expect(tcg86Img(['compare', '-F', 'raw', file, wanted]).stdout, file).toBe('Images are identical.\n');
    }
  }

  it.each(WAYS)('by $test', async (way) => {
    const files = images(way.test, way);
    const machine = Machine.open({
      kernel: image(KERNEL), initrd, append: `console=ttyS0 quiet guest.run=${way.test}`, timeout: HOST_SECONDS,
      drives: way.disks.map(([bus, index, format], i) => ({ file: files[i]!, interface: bus, index, format })),
    });
    await machine.expect(new RegExp(`@PASS ${way.test}`));
    expect(await machine.run()).toEqual({ reason: 'poweroff' });
    machine.close();
    check(files);
  }, HOST_SECONDS * 1000);

  it.skipIf(!hasQemu).each(WAYS)(hasQemu ? 'and QEMU makes the same of it, by $test' : 'and QEMU makes the same of it, by $test (no qemu-system-i386)', (way) => {
    const files = images(`qemu-${way.test}`, way);
    const drives = way.disks.flatMap(([bus, index, format], i) => ['-drive', `if=${bus},index=${index},format=${format},file=${files[i]}`]);
    const { stdout } = spawnSync('qemu-system-i386', [
      '-m', '128', '-display', 'none', '-nic', 'none', '-serial', 'stdio', '-monitor', 'none', '-kernel', image(KERNEL), '-initrd', initrd,
      '-append', `console=ttyS0 quiet guest.run=${way.test}`, ...drives,
    ], { encoding: 'utf8', timeout: HOST_SECONDS * 1000 });
    expect(stdout).toContain(`@PASS ${way.test}`);
    check(files);
  }, HOST_SECONDS * 1000);
});
