/**
 * Names for guest addresses: the table that `nm` prints (System.map), and the symbols of an ELF32 file.
 * Source: System V ABI, Intel386 supplement, chapter 4 (ELF header, section headers, symbol table).
 */
export interface Symbol {
  readonly address: number;
  readonly name: string;
}

const ELF_MAGIC = 0x464c457f, CLASS_32 = 1, LITTLE_ENDIAN = 1, SHT_SYMTAB = 2;
const HEADER_SIZE = 52, SECTION_SIZE = 40, SYMBOL_SIZE = 16;
/** Symbol types: none, object, function; sections and files are no places in code. */
const STT_FUNC = 2;
/** Farther than this behind a symbol an address is no part of it. */
const REACH = 1 << 16;

/** Addresses of code and data, in order. @throws Error in a few words for a file of neither kind, or without symbols */
export function parseSymbols(bytes: Uint8Array): Symbol[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = bytes.length >= 4 && view.getUint32(0, true) === ELF_MAGIC ? elfSymbols(view, bytes) : mapSymbols(new TextDecoder('latin1').decode(bytes));
  if (found.length === 0) throw new Error('no symbols in it');
  return found;
}

function mapSymbols(text: string): Symbol[] {
  return text.split('\n').filter((line) => line.trim() !== '').map((line, index) => {
    const match = /^([0-9a-f]{1,16}) [a-zA-Z?] (\S+)/.exec(line);
    if (match === null) throw new Error(`line ${index + 1} is not 'address type name', and it is no ELF file`);
    return { address: Number(`0x${match[1]!.slice(-8)}`), name: match[2]! };
  });
}

function elfSymbols(view: DataView, bytes: Uint8Array): Symbol[] {
  if (bytes.length < HEADER_SIZE || bytes[4] !== CLASS_32 || bytes[5] !== LITTLE_ENDIAN) throw new Error('not a 32-bit little-endian ELF file');
  const start = view.getUint32(32, true), count = view.getUint16(48, true);
  const section = (index: number): { type: number; offset: number; size: number; link: number } => {
    const at = start + index * SECTION_SIZE;
    if (index >= count || at + SECTION_SIZE > bytes.length) throw new Error('a damaged ELF file');
    return { type: view.getUint32(at + 4, true), offset: view.getUint32(at + 16, true), size: view.getUint32(at + 20, true), link: view.getUint32(at + 24, true) };
  };
  const found: Symbol[] = [];
  for (let index = 0; index < count; index++) {
    const table = section(index);
    if (table.type !== SHT_SYMTAB) continue;
    const names = section(table.link);
    if (table.offset + table.size > bytes.length || names.offset + names.size > bytes.length) throw new Error('a damaged ELF file');
    for (let at = table.offset; at + SYMBOL_SIZE <= table.offset + table.size; at += SYMBOL_SIZE) {
      const name = names.offset + view.getUint32(at, true), end = bytes.indexOf(0, name);
      // Section 0: undefined here.
      if (view.getUint16(at + 14, true) === 0 || (view.getUint8(at + 12) & 15) > STT_FUNC || end <= name) continue;
      found.push({ address: view.getUint32(at + 4, true), name: new TextDecoder('latin1').decode(bytes.subarray(name, end)) });
    }
  }
  return found;
}

/** Finds names: of several files the nearest symbol counts. */
export class SymbolTable {
  #symbols: Symbol[] = [];

  /** @param offset added to all addresses: where a program was loaded */
  add(symbols: readonly Symbol[], offset = 0): void {
    this.#symbols.push(...symbols.map(({ address, name }) => ({ address: address + offset >>> 0, name })));
    this.#symbols.sort((a, b) => a.address - b.address);
  }

  /** The address of a name, the lowest if several have it; null if none has. */
  addressOf(name: string): number | null {
    return this.#symbols.find((symbol) => symbol.name === name)?.address ?? null;
  }

  /** `name`, `name+0x12`, or nothing. */
  nameOf(address: number): string {
    let low = 0, high = this.#symbols.length;
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.#symbols[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.#symbols[low - 1];
    if (symbol === undefined || address - symbol.address >= REACH) return '';
    return address === symbol.address ? symbol.name : `${symbol.name}+0x${(address - symbol.address).toString(16)}`;
  }
}
