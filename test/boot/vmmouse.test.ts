/**
 * Linux' own driver for the pointer behind the VMware port. It asks the port if Linux takes the machine for VMware's, which goes by the serial number in
 * SMBIOS. What is expected is what QEMU 7.2 gave (`-cpu qemu32,-hypervisor -smbios type=1,serial=VMware-1`) for the same places and buttons.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import type { CharBackend } from '../../src/index.ts';
import { backdoor } from './backdoor.ts';
import { image, missing, scratchFolder, titled } from './images.ts';
import { withTests } from './initrd.ts';

const KERNEL = 'debian-686/vmlinuz', INITRD = 'debian-686/initrd.cpio.gz';
const HOST_SECONDS = 800;
/** Shows packets of the devices that Linux makes of it: places, and what is counted. */
const SCRIPT = `#!/bin/sh
/tests/backdoor; echo "closed $?"
/tests/backdoor x; echo "open $?"
modprobe psmouse
sleep 2
grep Name /proc/bus/input/devices
exec 3</dev/input/mouse0 4</dev/input/mouse1
for fd in 3 4; do
  while n=$(dd bs=3 count=1 <&$fd 2>/dev/null | od -An -tx1); do echo "mouse$((fd - 3))$n"; done &
done
sleep 1
echo READY
sleep 1000
`;
const lacking = missing(KERNEL, INITRD);

describe.skipIf(lacking.length > 0)(titled("Debian's vmmouse", lacking), () => {
  let scratch: string, machine: Machine, serial = '';
  beforeAll(() => {
    scratch = scratchFolder();
    const line: CharBackend = { receive: null, write: (byte) => { serial += String.fromCharCode(byte); } };
    machine = Machine.open({
      kernel: image(KERNEL), initrd: withTests(image(INITRD), scratch, { vm: SCRIPT, backdoor: backdoor() }), append: 'console=ttyS0 quiet guest.run=vm', serials: [line],
      smbios: { 1: { serial: 'VMware-1' } }, timeout: HOST_SECONDS,
    });
  });
  afterAll(() => {
    machine.close();
    rmSync(scratch, { recursive: true });
  });

  it('is found, and the port is closed to programs', async () => {
    await machine.expect(/READY/);
    expect(serial).toMatch(/Segmentation fault\r?\nclosed 139\r?\nopen 6/);
    expect(serial.match(/Name=".*"/g)).toEqual(['Name="AT Translated Set 2 keyboard"', 'Name="VirtualPS/2 VMware VMMouse"', 'Name="VirtualPS/2 VMware VMMouse"']);
  }, HOST_SECONDS * 1000);

  it('takes places, buttons and the wheel', async () => {
    /** What comes of an action; by the end of it, this. */
    const told = async (action: () => Promise<void>, ...lines: string[]): Promise<void> => {
      const from = serial.length, now = (): string[] => serial.slice(from).match(/mouse\d( \w\w)+/g) ?? [];
      await action();
      for (let patience = 100; patience > 0 && now().length < lines.length; patience--) await machine.wait(0.1);
      expect(now()).toEqual(lines);
    };
    const point = (x: number, y: number, buttons = ''): (() => Promise<void>) => () => machine.point(x / 0x7fff, y / 0x7fff, buttons);
    await told(point(8192, 8192), 'mouse0 18 81 7f', 'mouse0 18 81 41', 'mouse0 18 fe 00');
    await told(point(8192 + 1600, 8192), 'mouse0 08 32 00');
    await told(point(8192 + 1600, 8192 - 1600), 'mouse0 08 00 26');
    await told(point(8192 + 1600, 8192 - 1600, 'left'), 'mouse0 09 00 00');
    // Counts have no place in it: Linux drops what the PS/2 mouse says.
    await told(() => machine.mouse(5, 5, 'left'));
    await told(() => machine.mouse(0, 0), 'mouse0 08 00 00');
    await told(() => machine.mouse(0, 0, '', 1), 'mouse1 08 00 00');
  }, HOST_SECONDS * 1000);
});
