/**
 * Kernels by the Multiboot Specification 0.6.96: where the kernel and its modules go, and the information structure.
 *
 * The boot ROM (bios/kernelboot.asm) loads what is named here, adds the memory map behind the structure, and enters the kernel.
 */
import { isElf, readElf } from './elf.ts';

/** A module: its bytes, and its name with arguments. */
export interface BootModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface MultibootLayout {
  readonly entry: number;
  /** Kernel, modules, strings, in one piece. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The information structure. */
  readonly infoAddress: number;
  readonly info: Uint8Array;
}

const MAGIC = 0x1badb002;
/** The header lies within the first 8 KB, at a multiple of 4. */
const SEARCH = 8192;
const PAGE_ALIGN = 1, MEMORY_INFO = 2, VIDEO_MODE = 4, HAS_ADDRESSES = 1 << 16;
/** Requirements that this loader knows: the low 16 bits must be met, the others may be ignored. */
const KNOWN = PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE;
const INFO_ADDRESS = 0x90000, INFO_SIZE = 88;
const INFO_MEMORY = 1, INFO_BOOT_DEVICE = 2, INFO_CMDLINE = 4, INFO_MODULES = 8, INFO_MEMORY_MAP = 64, INFO_LOADER = 512;
/** First hard disk, no partition. */
const BOOT_DEVICE = 0x8000ffff;
const BASE_MEMORY_KB = 640, MIB = 1 << 20;
const MODULE_ENTRY = 16, PAGE = 4096;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const pageUp = (address: number): number => Math.ceil(address / PAGE) * PAGE;

/** Offset of the header, or -1. */
export function findMultiboot(file: Uint8Array): number {
  const view = viewOf(file);
  for (let at = 0; at + 12 <= Math.min(file.length, SEARCH); at += 4) {
    if (view.getUint32(at, true) === MAGIC && ((MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)) >>> 0) === 0) return at;
  }
  return -1;
}

/** The kernel alone. */
function loadImage(file: Uint8Array, header: number, memory: number): { entry: number; address: number; bytes: Uint8Array } {
  const view = viewOf(file);
  const flags = view.getUint32(header + 4, true);
  if ((flags & 0xffff & ~KNOWN) !== 0) throw new Error(`a multiboot kernel with unknown requirements (flags ${(flags & 0xffff).toString(16)}h)`);
  if ((flags & HAS_ADDRESSES) === 0) {
    if (!isElf(file)) throw new Error('a multiboot kernel that is no ELF file and names no addresses');
    return readElf(file, memory);
  }
  if (header + 32 > file.length) throw new Error('a multiboot kernel whose header is cut off');
  const [headerAddress, load, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((offset) => view.getUint32(header + offset, true)) as [number, number, number, number, number];
  const start = header - (headerAddress - load);
  const size = loadEnd === 0 ? file.length - start : loadEnd - load;
  if (headerAddress < load || start < 0 || size < 0) throw new Error('a multiboot kernel whose addresses do not fit');
  if (start + size > file.length) throw new Error('a multiboot kernel that ends too early');
  const whole = Math.max(size, bssEnd === 0 ? size : bssEnd - load);
  if (whole > memory) throw new Error(`a multiboot kernel that takes ${whole} bytes of memory, and there are ${memory}`);
  const bytes = new Uint8Array(whole);
  bytes.set(file.subarray(start, start + size));
  return { entry, address: load, bytes };
}

/**
 * @param file the kernel, whose header is at `header`
 * @param memory bytes of RAM
 * @throws Error with what is wrong
 */
export function layOutMultiboot(file: Uint8Array, header: number, modules: readonly BootModule[], commandLine: string, memory: number): MultibootLayout {
  const kernel = loadImage(file, header, memory);
  // Behind the kernel: the modules' list and all strings, then the modules on pages of their own. Kernels map the memory near
  // themselves first, and take what lies behind the last module for free.
  const list = pageUp(kernel.address + kernel.bytes.length);
  let next = list + MODULE_ENTRY * modules.length;
  const strings: [address: number, text: Uint8Array][] = [];
  const addString = (text: string): number => {
    const address = next, bytes = new TextEncoder().encode(text);
    strings.push([address, bytes]);
    next += bytes.length + 1;
    return address;
  };
  const commandLineAt = addString(commandLine), loaderAt = addString('tcg86'), names = modules.map(({ name }) => addString(name));
  const places = modules.map(({ bytes }) => {
    const start = pageUp(next);
    next = start + bytes.length;
    return start;
  });
  if (next > memory) throw new Error(`kernel and modules end at ${next} bytes, and there are ${memory}`);

  const bytes = new Uint8Array(next - kernel.address), view = viewOf(bytes);
  const at = (address: number): number => address - kernel.address;
  bytes.set(kernel.bytes);
  modules.forEach((module, i) => {
    bytes.set(module.bytes, at(places[i]!));
    [places[i]!, places[i]! + module.bytes.length, names[i]!, 0].forEach((word, n) => view.setUint32(at(list) + MODULE_ENTRY * i + 4 * n, word, true));
  });
  for (const [address, text] of strings) bytes.set(text, at(address));

  const info = new Uint8Array(INFO_SIZE), words = viewOf(info);
  const put = (offset: number, value: number): void => words.setUint32(offset, value, true);
  put(0, INFO_MEMORY | INFO_BOOT_DEVICE | INFO_CMDLINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER);
  put(4, BASE_MEMORY_KB);
  put(8, Math.max(0, memory - MIB) / 1024);
  put(12, BOOT_DEVICE);
  put(16, commandLineAt);
  put(20, modules.length);
  put(24, list);
  put(64, loaderAt);
  return { entry: kernel.entry, address: kernel.address, bytes, infoAddress: INFO_ADDRESS, info };
}
