/** Debian's Linux mounts a CD by DMA, and its test lists it. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { makeIso } from '../iso.ts';
import { image, missing, scratchFolder, titled } from './images.ts';

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const HOST_SECONDS = 300;
const lacking = missing(KERNEL, INITRD);

describe.skipIf(lacking.length > 0)(titled('Debian and a CD', lacking), () => {
  it('mounts it and lists its files', async () => {
    const scratch = scratchFolder(), cdrom = join(scratch, 'test.iso');
    writeFileSync(cdrom, makeIso({ 'HELLO.TXT': new TextEncoder().encode('Hello from a CD\n'), 'BIG.BIN': new Uint8Array(500_000) }));
    const machine = Machine.open({ kernel: image(KERNEL), initrd: image(INITRD), append: 'console=ttyS0 quiet guest.run=cdrom', cdrom, timeout: HOST_SECONDS });
    try {
      await machine.expect(/@RUN cdrom[^]*big.bin +hello.txt[^]*@PASS cdrom/);
      expect(await machine.run()).toEqual({ reason: 'poweroff' });
    } finally {
      machine.close();
      rmSync(scratch, { recursive: true });
    }
  }, HOST_SECONDS * 1000);
});
