/**
 * Chain 4 (mode 13h) as plain memory. Its pixels lie in every fourth byte of the planes: pixel n in plane n mod 4. While nothing
 * stands between processor and planes (no write mode, function or mask), the 64 KB that it sees are kept in a row, so that it reaches
 * them without the adapter; they are put where they belong when that ends, and before the planes are looked at.
 * Source: IBM PS/2 Video Subsystems (1992), memory mode register, bit 3.
 *
 * What differs: a read does not fill the latches. Nothing in a mode like this uses them.
 */

import {
  GR_BIT_MASK, GR_ENABLE_SET_RESET, GR_MISC, GR_MODE, GR_ROTATE, MEMORY_CHAIN4, MISC_GRAPHICS, OUTPUT_RAM, SEQ_MAP_MASK, SEQ_MEMORY_MODE,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';

export const CHAIN_SIZE = 0x10000;
/** Graphics mode register: write mode and read mode. */
const MODES = 0x0b;
/** Miscellaneous register: graphics, and the window of 64 KB at A0000. */
const WINDOW_MASK = 0x0c | MISC_GRAPHICS, WINDOW = 0x04 | MISC_GRAPHICS;

/** What the processor writes is what the memory holds. */
export const chainIsPlain = ({ misc, enable, sequencer, graphics }: VgaFields): boolean =>
  (sequencer[SEQ_MEMORY_MODE] & MEMORY_CHAIN4) !== 0 && (sequencer[SEQ_MAP_MASK] & 15) === 15 && (graphics[GR_MISC] & WINDOW_MASK) === WINDOW &&
  (graphics[GR_MODE] & MODES) === 0 && graphics[GR_ROTATE] === 0 && graphics[GR_BIT_MASK] === 0xff && (graphics[GR_ENABLE_SET_RESET] & 15) === 0 &&
  (misc & OUTPUT_RAM) !== 0 && enable !== 0;

/** Where four pixels lie in the planes, the first of them being number `pixel`. */
const placeOf = (pixel: number): number => ((pixel & 0xfffc) | (pixel >> 14)) * 4;

/** Takes the pixels out of the planes. */
export function gather(planes: Uint8Array, chain: Uint8Array): void {
  for (let pixel = 0; pixel < CHAIN_SIZE; pixel += 4) for (let i = 0, at = placeOf(pixel); i < 4; i++) chain[pixel + i] = planes[at + i];
}

/** Puts them back. */
export function scatter(chain: Uint8Array, planes: Uint8Array): void {
  for (let pixel = 0; pixel < CHAIN_SIZE; pixel += 4) for (let i = 0, at = placeOf(pixel); i < 4; i++) planes[at + i] = chain[pixel + i];
}
