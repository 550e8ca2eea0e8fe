/** What PcOptions tells the firmware: how to boot, and the kernel that is started without a disk. */
import { ownImage, readKernelFile, readOptionRom } from '../backends/firmware.ts';
import { LEAF_1_EDX } from '../cpu/features.ts';
import type { CpuModel } from '../cpu/models.ts';
import { FW_BOOT_MENU, fwNumber } from '../devices/fw-cfg.ts';
import type { PcConfig } from '../devices/pc.ts';
import type { PcOptions } from '../index.ts';
import { bootOrderOf } from './boot-order.ts';
import { parseModules } from '../machine/boot/initrd.ts';
import { uuidBytes } from '../machine/boot/smbios-fields.ts';
import { smbiosFiles } from '../machine/boot/smbios.ts';
import { kernelItems } from '../machine/boot/kernel.ts';

/** What the firmware is told of how to boot. @throws Error with a one-line message */
export function bootOf(options: PcOptions, memory: number, { signature, features }: CpuModel): Pick<PcConfig, 'firmwareItems' | 'firmwareFiles'> {
  const kernel = kernelOf(options, memory), { bootMenu, bootMenuWait, rebootTimeout } = options;
  const files: [string, Uint8Array][] = [];
  if (bootMenuWait !== undefined) files.push(['etc/boot-menu-wait', fwNumber(bootMenuWait, 2)]);
  if (rebootTimeout !== undefined) files.push(['etc/boot-fail-wait', fwNumber(rebootTimeout, 4)]);
  // Without PCI this is how a firmware that sets up memory by itself finds the VGA BIOS.
  if (options.machine === 'isapc' && options.vga !== 'none') files.push(['vgaroms/vgabios.bin', readOptionRom(options.vgaBios ?? ownImage('vgabios.bin'))]);
  return {
    firmwareItems: new Map([...bootMenu === true ? [[FW_BOOT_MENU, fwNumber(1, 2)] as const] : [], ...kernel.firmwareItems ?? []]),
    firmwareFiles: new Map([...smbiosFiles(options.smbios ?? {}, { memory, machine: options.machine ?? 'pc', firmware: options.bios === undefined ? 'tcg86 BIOS' : null, cpuid: [signature, features.words[LEAF_1_EDX]!] }), ...bootOrderOf(options), ...files, ...kernel.firmwareFiles ?? []]),
  };
}

/** The machine's UUID, if it has one. @throws Error */
export function uuidOf({ smbios }: PcOptions): Pick<PcConfig, 'uuid'> {
  const text = smbios?.[1]?.uuid;
  return text === undefined ? {} : { uuid: uuidBytes(text) };
}

/** What -kernel brings to the board. @throws Error with a one-line message */
function kernelOf({ kernel, initrd, append }: PcOptions, memory: number): Pick<PcConfig, 'firmwareItems' | 'firmwareFiles'> {
  if (kernel === undefined) {
    if (initrd !== undefined) throw new Error('an initrd needs a kernel');
    if (append !== undefined) throw new Error('a kernel command line needs a kernel');
    return {};
  }
  const file = readKernelFile('kernel', kernel);
  const modules = initrd === undefined ? [] : parseModules(initrd).map((module) => ({ name: module.name, bytes: readKernelFile('initrd', module.file) }));
  try {
    return {
      firmwareItems: kernelItems({ name: kernel, file, modules, append: append ?? '', memory }),
      firmwareFiles: new Map([['genroms/kernelboot.bin', readOptionRom(ownImage('kernelboot.bin'))]]),
    };
  } catch (error) {
    throw new Error(`could not load kernel '${kernel}': ${(error as Error).message}`);
  }
}
