/** A 32-bit x86 ELF program: what is loaded where, and its entry. Source: System V ABI, chapters 4 and 5 (gabi). */

export interface ElfImage {
  readonly entry: number;
  /** Physical address of `bytes`. */
  readonly address: number;
  /** All segments, in one piece, with their zeros between and behind. */
  readonly bytes: Uint8Array;
}

const MAGIC = 0x464c457f, CLASS_32 = 1, CLASS_64 = 2, LITTLE_ENDIAN = 1, MACHINE_386 = 3, PT_LOAD = 1;
const HEADER_SIZE = 52, PROGRAM_HEADER_SIZE = 32;

export const isElf = (file: Uint8Array): boolean => file.length >= HEADER_SIZE && viewOf(file).getUint32(0, true) === MAGIC;

const viewOf = (file: Uint8Array): DataView => new DataView(file.buffer, file.byteOffset, file.byteLength);

/** No machine has RAM from here on. Linkers put notes (a build ID) at such addresses where a script for the higher half forgets them. */
const RAM_LIMIT = 2 ** 31;

/**
 * What lies where no machine has RAM is left out: nobody can read it.
 * @param most bytes that the image may have
 * @throws Error with what is wrong
 */
export function readElf(file: Uint8Array, most: number): ElfImage {
  const view = viewOf(file);
  if (file[4] === CLASS_64) throw new Error('a 64-bit ELF file; this is a 32-bit processor');
  if (file[4] !== CLASS_32 || file[5] !== LITTLE_ENDIAN || view.getUint16(18, true) !== MACHINE_386) throw new Error('an ELF file, but not for 32-bit x86');
  const table = view.getUint32(28, true), entrySize = view.getUint16(42, true), count = view.getUint16(44, true);
  if (entrySize < PROGRAM_HEADER_SIZE || table + entrySize * count > file.length) throw new Error('an ELF file whose program headers are damaged');
  const segments = Array.from({ length: count }, (_, i) => table + i * entrySize).filter((at) => view.getUint32(at, true) === PT_LOAD).map((at) => ({
    offset: view.getUint32(at + 4, true), address: view.getUint32(at + 12, true), fileSize: view.getUint32(at + 16, true), size: view.getUint32(at + 20, true),
  })).filter(({ address, size }) => size > 0 && address < RAM_LIMIT);
  if (segments.length === 0) throw new Error('an ELF file with nothing to load');
  if (segments.some(({ offset, fileSize, size }) => offset + fileSize > file.length || fileSize > size)) throw new Error('an ELF file that ends too early');
  const address = Math.min(...segments.map((segment) => segment.address)), end = Math.max(...segments.map((segment) => segment.address + segment.size));
  if (end - address > most) throw new Error(`an ELF file that takes ${end - address} bytes of memory, and there are ${most}`);
  const bytes = new Uint8Array(end - address);
  for (const segment of segments) bytes.set(file.subarray(segment.offset, segment.offset + segment.fileSize), segment.address - address);
  return { entry: view.getUint32(24, true), address, bytes };
}
