/**
 * `-kernel`: what the boot ROM (bios/kernelboot.asm) finds in the firmware configuration device to start a kernel without a disk.
 * A setup size of 0 tells it that the kernel is a multiboot one, whose information structure then stands in the initrd's place.
 */
import {
  FW_CMDLINE_ADDR, FW_CMDLINE_DATA, FW_CMDLINE_SIZE, FW_INITRD_ADDR, FW_INITRD_DATA, FW_INITRD_SIZE, FW_KERNEL_ADDR, FW_KERNEL_DATA, FW_KERNEL_ENTRY,
  FW_KERNEL_SIZE, FW_SETUP_ADDR, FW_SETUP_DATA, FW_SETUP_SIZE, fwNumber,
} from '../../devices/fw-cfg.ts';
import { isLinux, layOutLinux } from './linux.ts';
import { findMultiboot, layOutMultiboot } from './multiboot.ts';
import type { BootModule } from './multiboot.ts';

export interface KernelOptions {
  /** Name and contents of the kernel's file. */
  readonly name: string;
  readonly file: Uint8Array;
  /** The initrd as one file, or several modules of a multiboot kernel. */
  readonly modules: readonly BootModule[];
  readonly append: string;
  /** Bytes of RAM. */
  readonly memory: number;
}

const number = (value: number): Uint8Array => fwNumber(value, 4);

/** @throws Error with what is wrong with the kernel, in one line */
export function kernelItems({ name, file, modules, append, memory }: KernelOptions): Map<number, Uint8Array> {
  const header = findMultiboot(file);
  if (header >= 0 && !isLinux(file)) {
    const { entry, address, bytes, infoAddress, info } = layOutMultiboot(file, header, modules, append === '' ? name : `${name} ${append}`, memory);
    return new Map([
      [FW_KERNEL_ENTRY, number(entry)], [FW_KERNEL_ADDR, number(address)], [FW_KERNEL_SIZE, number(bytes.length)], [FW_KERNEL_DATA, bytes],
      [FW_INITRD_ADDR, number(infoAddress)], [FW_INITRD_SIZE, number(info.length)], [FW_INITRD_DATA, info],
    ]);
  }
  if (!isLinux(file)) throw new Error('neither a Linux nor a multiboot kernel');
  if (modules.length > 1) throw new Error('several modules are for multiboot kernels; Linux takes one initrd');
  const linux = layOutLinux(file, modules[0]?.bytes ?? new Uint8Array(0), append, memory);
  return new Map([
    [FW_SETUP_ADDR, number(linux.setupAddress)], [FW_SETUP_SIZE, number(linux.setup.length)], [FW_SETUP_DATA, linux.setup],
    [FW_KERNEL_ADDR, number(linux.kernelAddress)], [FW_KERNEL_SIZE, number(linux.kernel.length)], [FW_KERNEL_DATA, linux.kernel],
    [FW_CMDLINE_ADDR, number(linux.commandLineAddress)], [FW_CMDLINE_SIZE, number(linux.commandLine.length)], [FW_CMDLINE_DATA, linux.commandLine],
    [FW_INITRD_ADDR, number(linux.initrdAddress)], [FW_INITRD_SIZE, number(linux.initrd.length)], [FW_INITRD_DATA, linux.initrd],
  ]);
}
