/**
 * Linux kernels (bzImage, zImage and older): where setup code, kernel, command line and initrd go, and what the header is told.
 * Source: Linux, Documentation/arch/x86/boot.rst (boot protocol 2.15 and before); the places are QEMU's.
 */

export interface LinuxLayout {
  readonly setupAddress: number;
  readonly setup: Uint8Array;
  readonly kernelAddress: number;
  readonly kernel: Uint8Array;
  readonly commandLineAddress: number;
  /** With its final zero. */
  readonly commandLine: Uint8Array;
  readonly initrdAddress: number;
  readonly initrd: Uint8Array;
}

// Offsets in the setup code.
const SETUP_SECTS = 0x1f1, VIDEO_MODE = 0x1fa, BOOT_FLAG = 0x1fe, HEADER = 0x202, VERSION = 0x206, LOADER_TYPE = 0x210, LOAD_FLAGS = 0x211,
  RAMDISK_IMAGE = 0x218, RAMDISK_SIZE = 0x21c, HEAP_END = 0x224, COMMAND_LINE = 0x228, INITRD_MAX = 0x22c, COMMAND_LINE_MAX = 0x238;
const OLD_COMMAND_LINE_MAGIC = 0x20, OLD_COMMAND_LINE_OFFSET = 0x22;
const HDRS = 0x53726448, BOOT_SIGNATURE = 0xaa55, OLD_MAGIC = 0xa33f;
const LOADED_HIGH = 1, CAN_USE_HEAP = 0x80;
/** "Undefined loader". */
const UNKNOWN_LOADER = 0xff;
const LOW_SETUP = 0x90000, LOW_COMMAND_LINE_END = 0x9a000, LOW_KERNEL = 0x10000, HIGH_SETUP = 0x10000, HIGH_COMMAND_LINE = 0x20000, HIGH_KERNEL = 0x100000;
const DEFAULT_INITRD_MAX = 0x37ffffff;
const DEFAULT_COMMAND_LINE_MAX = 255, DEFAULT_SETUP_SECTS = 4, SECTOR = 512, PAGE = 4096;
/** Room for what firmware keeps at the end of memory. */
const RESERVED = 0x20000;
const VIDEO_MODES: Readonly<Record<string, number>> = { normal: 0xffff, ext: 0xfffe, ask: 0xfffd };

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A boot sector with Linux's header, or a kernel before 2.00 of the protocol: it starts with a boot sector, and is told by nothing else. */
export const isLinux = (file: Uint8Array): boolean => file.length > 0x264 && viewOf(file).getUint16(BOOT_FLAG, true) === BOOT_SIGNATURE;

/**
 * @param memory bytes of RAM
 * @throws Error with what is wrong
 */
export function layOutLinux(file: Uint8Array, initrd: Uint8Array, append: string, memory: number): LinuxLayout {
  const header = viewOf(file);
  const version = header.getUint32(HEADER, true) === HDRS ? header.getUint16(VERSION, true) : 0;
  const high = version >= 0x200 && (file[LOAD_FLAGS]! & LOADED_HIGH) !== 0;
  const setupSize = ((file[SETUP_SECTS]! || DEFAULT_SETUP_SECTS) + 1) * SECTOR;
  if (setupSize >= file.length) throw new Error('a Linux kernel that ends too early');

  const most = version >= 0x206 ? header.getUint32(COMMAND_LINE_MAX, true) : DEFAULT_COMMAND_LINE_MAX;
  const text = new TextEncoder().encode(append);
  if (text.length > most) throw new Error(`the command line has ${text.length} bytes, this kernel takes ${most}`);
  const commandLine = new Uint8Array(Math.ceil((text.length + 1) / 16) * 16);
  commandLine.set(text);

  const setup = file.slice(0, setupSize), kernel = file.subarray(setupSize), view = viewOf(setup);
  const recent = high && version >= 0x202;
  const setupAddress = recent ? HIGH_SETUP : LOW_SETUP, kernelAddress = high ? HIGH_KERNEL : LOW_KERNEL;
  const commandLineAddress = recent ? HIGH_COMMAND_LINE : LOW_COMMAND_LINE_END - commandLine.length;
  if (high ? kernelAddress + kernel.length > memory : kernel.length > LOW_SETUP - LOW_KERNEL) throw new Error('a Linux kernel that is larger than the memory');
  if (setupAddress + setup.length > commandLineAddress) throw new Error('a Linux kernel whose setup code is too large');

  const video = /(?:^|\s)vga=(\S+)/.exec(append)?.[1];
  if (video !== undefined) view.setUint16(VIDEO_MODE, VIDEO_MODES[video] ?? (Number(video) || 0), true);
  if (version >= 0x202) view.setUint32(COMMAND_LINE, commandLineAddress, true);
  else if (text.length > 0) {
    view.setUint16(OLD_COMMAND_LINE_MAGIC, OLD_MAGIC, true);
    view.setUint16(OLD_COMMAND_LINE_OFFSET, commandLineAddress - setupAddress, true);
  }
  if (version >= 0x200) setup[LOADER_TYPE] = UNKNOWN_LOADER;
  if (version >= 0x201) {
    setup[LOAD_FLAGS] = setup[LOAD_FLAGS]! | CAN_USE_HEAP;
    view.setUint16(HEAP_END, commandLineAddress - setupAddress - SECTOR, true);
  }

  let initrdAddress = 0;
  if (initrd.length > 0) {
    if (version < 0x200) throw new Error('this kernel is too old for an initrd');
    const highest = Math.min(version >= 0x203 ? header.getUint32(INITRD_MAX, true) : DEFAULT_INITRD_MAX, memory - RESERVED - 1);
    initrdAddress = Math.floor((highest + 1 - initrd.length) / PAGE) * PAGE;
    if (initrdAddress < kernelAddress + kernel.length) throw new Error(`the initrd has ${initrd.length} bytes: memory is too small for it and the kernel`);
    view.setUint32(RAMDISK_IMAGE, initrdAddress, true);
    view.setUint32(RAMDISK_SIZE, initrd.length, true);
  }
  return { setupAddress, setup, kernelAddress, kernel, commandLineAddress, commandLine, initrdAddress, initrd };
}
