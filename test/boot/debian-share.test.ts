/** Debian's Linux mounts a folder of the host, and its test reads and writes there. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { image, missing, scratchFolder, titled } from './images.ts';

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const HOST_SECONDS = 300;
const lacking = missing(KERNEL, INITRD);

describe.skipIf(lacking.length > 0)(titled('Debian and a shared folder', lacking), () => {
  let scratch: string, machine: Machine;
  beforeAll(() => {
    scratch = scratchFolder();
    mkdirSync(join(scratch, 'share'));
    writeFileSync(join(scratch, 'share/of-the-host'), 'hello');
    machine = Machine.open({
      kernel: image(KERNEL), initrd: image(INITRD), append: 'console=ttyS0 quiet guest.run=9p', shares: [{ path: join(scratch, 'share'), tag: 'host0' }], timeout: HOST_SECONDS,
    });
  });
  afterAll(() => {
    machine.close();
    rmSync(scratch, { recursive: true });
  });

  it('mounts it, lists it, writes to it', async () => {
    await machine.expect(/of-the-host[^]*written by the guest[^]*@PASS 9p/);
    expect(readFileSync(join(scratch, 'share/from-guest'), 'utf8')).toBe('written by the guest\n');
    expect(existsSync(join(scratch, 'from-guest'))).toBe(false);
    expect(await machine.run()).toEqual({ reason: 'poweroff' });
  }, HOST_SECONDS * 1000);
});
