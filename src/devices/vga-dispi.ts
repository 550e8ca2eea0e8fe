/**
 * Bochs VBE extensions ("DISPI"): modes with a linear frame buffer. Index at port 1CEh, data at 1CFh and 1D0h, all of 16 bits.
 * Source: QEMU's docs/specs/standard-vga and its standard VGA's behaviour; Bochs' VBE display API.
 *
 *     0  identity: B0C5h                        5     bank of 64 KB at A0000h
 *     1  width                                  6     width of a line in memory, in pixels
 *     2  height                                 7     R: lines that the memory holds
 *     3  bits a pixel: 4, 8, 15, 16, 24, 32     8, 9  first pixel shown: x, y
 *     4  1 enable, 2 read 1-3 as the largest    10    R: memory in units of 64 KB
 *        values, 20h 8-bit DAC, 40h linear
 *        frame buffer (always there), 80h keep memory
 *
 * Values that do not fit are changed to ones that do, as QEMU does: a guest that reads them back sees what it got.
 */

import {
  CLOCKING_HALF, CR_HORIZONTAL_END, CR_LINE_COMPARE, CR_MAX_SCAN, CR_MODE, CR_OFFSET, CR_OVERFLOW, CR_VERTICAL_END, CRT_ROW_BIT0, CRT_ROW_BIT1,
  DISPI_COUNT, DISPI_ID5, GR_MISC, GR_MODE, MEMORY_CHAIN4, MISC_GRAPHICS, MODE_SHIFT_256, MODE_SHIFT_CGA, SEQ_CLOCKING, SEQ_MAP_MASK, SEQ_MEMORY_MODE,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import type { IoRegion } from '../memory/io-region.ts';

const ID = 0, WIDTH = 1, HEIGHT = 2, BITS = 3, ENABLE = 4, BANK = 5, VIRTUAL_WIDTH = 6, VIRTUAL_HEIGHT = 7, X_OFFSET = 8, Y_OFFSET = 9, MEMORY = 10;
const DISPI_ID0 = 0xb0c0;
const ENABLED = 0x01, GET_CAPABILITIES = 0x02, WIDE_DAC = 0x20, KEEP_MEMORY = 0x80;
const MAX_WIDTH = 16000, MAX_HEIGHT = 12000, MAX_BITS = 32;
const BANK_SHIFT = 16;
/** Depths that there are, and bits that a pixel takes in memory. */
const STORED_BITS = new Map([[4, 4], [8, 8], [15, 16], [16, 16], [24, 24], [32, 32]]);

/** The mode that is on. */
export interface ExtendedMode {
  readonly width: number;
  readonly height: number;
  /** 4: in planes. */
  readonly bits: number;
  /** Bytes of a line, and of the first pixel in memory (4 bits a pixel: an eighth of a pixel's number times 4). */
  readonly pitch: number;
  readonly start: number;
}

const storedBits = (dispi: Uint16Array): number => STORED_BITS.get(dispi[BITS]) ?? 8;
const pitchOf = (dispi: Uint16Array): number => (dispi[VIRTUAL_WIDTH] * storedBits(dispi)) >> 3;
const startOf = (dispi: Uint16Array): number => ((dispi[X_OFFSET] * storedBits(dispi)) >> 3) + dispi[Y_OFFSET] * pitchOf(dispi);

/** The mode of the extensions, or null while they are off and the VGA is as it ever was. */
export function extendedMode({ dispi }: VgaFields): ExtendedMode | null {
  if ((dispi[ENABLE] & ENABLED) === 0) return null;
  return { width: dispi[WIDTH], height: dispi[HEIGHT], bits: dispi[BITS], pitch: pitchOf(dispi), start: startOf(dispi) };
}

/** The bank that the processor sees in a mode with planes. */
export const planarBank = ({ dispi }: VgaFields): number => ((dispi[ENABLE] & ENABLED) !== 0 && dispi[BITS] === 4 ? dispi[BANK] : 0);

/** Where in video memory the 64 KB at A0000h begin, if the processor sees it as it is; else null. */
export const linearWindow = ({ dispi }: VgaFields): number | null => ((dispi[ENABLE] & ENABLED) !== 0 && dispi[BITS] !== 4 ? dispi[BANK] << BANK_SHIFT : null);

export class Dispi {
  /** Port 1CEh. */
  readonly index: IoRegion;
  /** Port 1CFh, and 1D0h. */
  readonly data: IoRegion;
  readonly #fields: VgaFields;
  readonly #memory: Uint8Array;
  readonly #changed: () => void;

  /** @param changed mode or bank are different now */
  constructor(fields: VgaFields, memory: Uint8Array, changed: () => void) {
    this.#fields = fields;
    this.#memory = memory;
    this.#changed = changed;
    const port = (name: string, read: () => number, write: (value: number) => void): IoRegion =>
      ({ name, size: 2, minAccess: 2, maxAccess: 2, read, write: (_offset, value) => write(value) });
    this.index = port('dispi-index', () => fields.dispiIndex, (value) => { fields.dispiIndex = value; });
    this.data = port('dispi-data', () => this.read(fields.dispiIndex), (value) => this.write(fields.dispiIndex, value));
  }

  /** Register `index`; 0 for one that is not there. */
  read(index: number): number {
    const { dispi } = this.#fields;
    if (index === MEMORY) return this.#memory.length >> BANK_SHIFT;
    if ((dispi[ENABLE] & GET_CAPABILITIES) !== 0) {
      if (index === WIDTH) return MAX_WIDTH;
      if (index === HEIGHT) return MAX_HEIGHT;
      if (index === BITS) return MAX_BITS;
    }
    return index < DISPI_COUNT ? dispi[index] : 0;
  }

  write(index: number, value: number): void {
    const { dispi } = this.#fields;
    let clear = false;
    switch (index) {
      case ID:
        if (value >= DISPI_ID0 && value <= DISPI_ID5) dispi[ID] = value;
        return;
      case WIDTH: case HEIGHT: case BITS: case VIRTUAL_WIDTH: case X_OFFSET: case Y_OFFSET:
        dispi[index] = value;
        break;
      case BANK:
        dispi[BANK] = value & ((this.#memory.length >> BANK_SHIFT) - 1);
        break;
      case ENABLE:
        clear = this.#enable(value) && (value & KEEP_MEMORY) === 0;
        break;
      default: return;
    }
    if ((dispi[ENABLE] & ENABLED) !== 0) this.#fit();
    this.#changed();
    if (clear) this.#memory.fill(0, 0, dispi[HEIGHT] * pitchOf(dispi));
  }

  /** Returns whether the extensions were off and are on now. */
  #enable(value: number): boolean {
    const fields = this.#fields, { dispi } = fields;
    const starts = (value & ENABLED) !== 0 && (dispi[ENABLE] & ENABLED) === 0;
    if (starts) dispi[VIRTUAL_WIDTH] = dispi[X_OFFSET] = dispi[Y_OFFSET] = 0;
    if ((value & ENABLED) === 0) dispi[BANK] = 0;
    dispi[ENABLE] = value;
    fields.dacWide = (value & WIDE_DAC) !== 0 ? 1 : 0;
    return starts;
  }

  /** Brings the registers to values that fit in memory, and the VGA's registers to what the mode means for them. */
  #fit(): void {
    const { dispi } = this.#fields;
    if (!STORED_BITS.has(dispi[BITS])) dispi[BITS] = 8;
    const wide = (value: number): number => Math.min(value & ~7, MAX_WIDTH);
    dispi[WIDTH] = wide(dispi[WIDTH]) || 8;
    dispi[VIRTUAL_WIDTH] = Math.max(wide(dispi[VIRTUAL_WIDTH]), dispi[WIDTH]);
    const pitch = pitchOf(dispi), size = this.#memory.length, lines = Math.floor(size / pitch);
    dispi[HEIGHT] = Math.min(Math.max(dispi[HEIGHT], 1), MAX_HEIGHT, lines);
    dispi[X_OFFSET] = Math.min(dispi[X_OFFSET], MAX_WIDTH);
    dispi[Y_OFFSET] = Math.min(dispi[Y_OFFSET], MAX_HEIGHT);
    const fits = (): boolean => startOf(dispi) + dispi[HEIGHT] * pitch <= size;
    if (!fits()) dispi[Y_OFFSET] = 0;
    if (!fits()) dispi[X_OFFSET] = 0;
    dispi[VIRTUAL_HEIGHT] = Math.min(lines, 0xffff);
    programVga(this.#fields);
  }
}

/** The VGA's own registers follow the mode: graphics, no repeated lines, no split screen, window at A0000h. */
function programVga({ crtc, graphics, sequencer, dispi }: VgaFields): void {
  const lines = dispi[HEIGHT] - 1, planes = dispi[BITS] === 4;
  graphics[GR_MISC] = (graphics[GR_MISC] & ~0x0c) | 0x04 | MISC_GRAPHICS;
  graphics[GR_MODE] = (graphics[GR_MODE] & ~(MODE_SHIFT_256 | MODE_SHIFT_CGA)) | (planes ? 0 : MODE_SHIFT_256);
  crtc[CR_MODE] |= CRT_ROW_BIT0 | CRT_ROW_BIT1;
  crtc[CR_OFFSET] = pitchOf(dispi) >> 3;
  crtc[CR_HORIZONTAL_END] = (dispi[WIDTH] >> 3) - 1;
  crtc[CR_VERTICAL_END] = lines;
  crtc[CR_OVERFLOW] = (crtc[CR_OVERFLOW] & ~0x42) | 0x10 | ((lines >> 7) & 0x02) | ((lines >> 3) & 0x40);
  crtc[CR_LINE_COMPARE] = 0xff;
  crtc[CR_MAX_SCAN] = (crtc[CR_MAX_SCAN] & ~0x9f) | 0x40;
  if (planes) sequencer[SEQ_CLOCKING] &= ~CLOCKING_HALF;
  else {
    sequencer[SEQ_MEMORY_MODE] |= MEMORY_CHAIN4;
    sequencer[SEQ_MAP_MASK] |= 0x0f;
  }
}
