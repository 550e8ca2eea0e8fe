/**
 * The processor's way to the four planes: address decoding, latches, read and write modes.
 * Source: IBM PS/2 Video Subsystems (1992), graphics controller and sequencer registers; memory map select for the windows.
 */

import {
  GR_BIT_MASK, GR_COLOR_COMPARE, GR_COLOR_DONT_CARE, GR_ENABLE_SET_RESET, GR_MISC, GR_MODE, GR_READ_MAP, GR_ROTATE, GR_SET_RESET,
  MEMORY_CHAIN4, MEMORY_SEQUENTIAL, MISC_CHAIN_ODD_EVEN, MODE_ODD_EVEN, OUTPUT_RAM, SEQ_MAP_MASK, SEQ_MEMORY_MODE,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import { planarBank } from './vga-dispi.ts';
import type { AccessSize, IoRegion } from '../memory/io-region.ts';

/** First and last offset from A0000 by memory map select: 128 KB, 64 KB, B0000 (mono), B8000 (colour). */
const WINDOWS = [[0, 0x1ffff], [0, 0xffff], [0x10000, 0x17fff], [0x18000, 0x1ffff]] as const;

const ALL_PLANES = 0x0f;

/** 128 KB at A0000. */
export class VgaMemory implements IoRegion {
  readonly name = 'vga-memory';
  readonly size = 0x20000;
  readonly minAccess = 1;
  readonly maxAccess = 4;
  /** Told of each byte of plane 0 that changes (in text modes: a character), by its offset in the plane. */
  onChange: ((offset: number) => void) | null = null;
  /** Counts what is written. */
  writes = 0;
  readonly #fields: VgaFields;
  readonly #memory: Uint8Array;

  /** @param memory the planes: byte `offset` of plane p is at 4 × offset + p */
  constructor(fields: VgaFields, memory: Uint8Array) {
    this.#fields = fields;
    this.#memory = memory;
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#readByte(offset + i) << (8 * i);
    return value;
  }

  write(offset: number, value: number, size: AccessSize): void {
    this.writes = (this.writes + 1) | 0;
    for (let i = 0; i < size; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff);
  }

  /** The offset within the selected window, or -1 if the adapter does not answer there. */
  #decode(offset: number): number {
    const { misc, enable, graphics } = this.#fields;
    const [first, last] = WINDOWS[(graphics[GR_MISC] >> 2) & 3];
    return (misc & OUTPUT_RAM) !== 0 && enable !== 0 && offset >= first && offset <= last ? offset - first : -1;
  }

  /** Byte offset in a plane. Chained modes use the low address bits to select planes, and higher ones in their place. */
  #planeOffset(address: number): number {
    const { sequencer, graphics } = this.#fields;
    if ((sequencer[SEQ_MEMORY_MODE] & MEMORY_CHAIN4) !== 0) return (address & 0xfffc) | ((address >> 14) & 3);
    if ((graphics[GR_MISC] & MISC_CHAIN_ODD_EVEN) !== 0) return (address & 0xfffe) | ((address >> 16) & 1);
    // The bank of a VBE mode with planes.
    return (address & 0xffff) + (planarBank(this.#fields) << 16);
  }

  #readByte(offset: number): number {
    const { sequencer, graphics, latch } = this.#fields, memory = this.#memory;
    const address = this.#decode(offset);
    if (address < 0) return 0xff;
    const at = this.#planeOffset(address) * 4;
    latch[0] = memory[at];
    latch[1] = memory[at + 1];
    latch[2] = memory[at + 2];
    latch[3] = memory[at + 3];
    if ((sequencer[SEQ_MEMORY_MODE] & MEMORY_CHAIN4) !== 0) return latch[address & 3];
    const mode = graphics[GR_MODE];
    if ((mode & 0x08) !== 0) return this.#compare();
    const map = graphics[GR_READ_MAP] & 3;
    return latch[(mode & MODE_ODD_EVEN) !== 0 ? (map & 2) | (address & 1) : map];
  }

  /** Read mode 1: a bit is 1 where the pixel has the compared colour in the planes that count. */
  #compare(): number {
    const { graphics, latch } = this.#fields;
    let different = 0;
    for (let plane = 0; plane < 4; plane++) {
      if (((graphics[GR_COLOR_DONT_CARE] >> plane) & 1) === 0) continue;
      different |= latch[plane] ^ (((graphics[GR_COLOR_COMPARE] >> plane) & 1) !== 0 ? 0xff : 0);
    }
    return ~different & 0xff;
  }

  #writeByte(offset: number, value: number): void {
    const { sequencer, graphics } = this.#fields, memory = this.#memory;
    const address = this.#decode(offset);
    if (address < 0) return;
    // Text and 256-colour modes leave the data as it is.
    const plain =
      (graphics[GR_MODE] & 3) === 0 && graphics[GR_ROTATE] === 0 && graphics[GR_BIT_MASK] === 0xff && (graphics[GR_ENABLE_SET_RESET] & ALL_PLANES) === 0;
    const memoryMode = sequencer[SEQ_MEMORY_MODE];
    let planes = sequencer[SEQ_MAP_MASK] & ALL_PLANES;
    if ((memoryMode & MEMORY_CHAIN4) !== 0) planes &= 1 << (address & 3);
    else if ((memoryMode & MEMORY_SEQUENTIAL) === 0) planes &= (address & 1) !== 0 ? 0b1010 : 0b0101;
    const at = this.#planeOffset(address) * 4;
    for (let plane = 0; plane < 4; plane++) {
      if (((planes >> plane) & 1) === 0) continue;
      const byte = plain ? value : this.#combine(plane, value);
      const changed = byte !== memory[at + plane];
      memory[at + plane] = byte;
      if (plane === 0 && changed) this.onChange?.(at >> 2);
    }
  }

  /** What a written byte becomes in one plane: write mode, set/reset, rotation, function and bit mask. */
  #combine(plane: number, value: number): number {
    const { graphics, latch } = this.#fields;
    const setReset = ((graphics[GR_SET_RESET] >> plane) & 1) !== 0 ? 0xff : 0;
    const count = graphics[GR_ROTATE] & 7;
    const rotated = ((value >> count) | (value << (8 - count))) & 0xff;
    const old = latch[plane];
    switch (graphics[GR_MODE] & 3) {
      case 0: {
        const data = ((graphics[GR_ENABLE_SET_RESET] >> plane) & 1) !== 0 ? setReset : rotated;
        return this.#masked(data, old, graphics[GR_BIT_MASK]);
      }
      case 1: return old;
      case 2: return this.#masked(((value >> plane) & 1) !== 0 ? 0xff : 0, old, graphics[GR_BIT_MASK]);
      default: return this.#masked(setReset, old, graphics[GR_BIT_MASK] & rotated);
    }
  }

  #masked(data: number, old: number, mask: number): number {
    let result = data;
    switch ((this.#fields.graphics[GR_ROTATE] >> 3) & 3) {
      case 1: result &= old; break;
      case 2: result |= old; break;
      case 3: result ^= old; break;
    }
    return (result & mask) | (old & ~mask);
  }
}
