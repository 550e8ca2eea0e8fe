/** The 256 words of IDENTIFY DEVICE. Source: ATA-6 (T13/1410D) §8.15, words that ATA-1 to ATA-3 defined kept. */

import type { Geometry } from './ata-geometry.ts';
import { MAX_MULTIPLE } from './ata-registers.ts';

export interface IdentifyOptions {
  /** Capacity in sectors. */
  sectors: number;
  /** Default translation. */
  geometry: Geometry;
  /** Current translation, as INITIALIZE DEVICE PARAMETERS set it. */
  current: Geometry;
  /** Sectors per block of READ/WRITE MULTIPLE, 0 if disabled. */
  multiple: number;
  writeCache: boolean;
  /** As SET FEATURES numbers them. */
  dmaMode: number;
  /** Device 1 of its channel. */
  slave: boolean;
  /** Up to 20 ASCII characters. */
  serial: string;
  /** Up to 8 ASCII characters. */
  firmware: string;
  /** Up to 40 ASCII characters. */
  model: string;
}

/** What LBA28 can address. */
export const LBA28_SECTORS = 0x0fff_ffff;

const NOP_COMMAND = 0x4000;
const POWER_MANAGEMENT = 0x0008;
const WRITE_CACHE = 0x0020;
const FLUSH_CACHE = 0x1000;
const FLUSH_CACHE_EXT = 0x2000;
const ADDRESS_48 = 0x0400;
/** Bit 14 set, bit 15 clear: the word is valid. */
const VALID = 0x4000;

/** Writes a block of 512 bytes, zeros at first: words and double words little-endian, text with the first character of a pair in the word's high byte. */
export function identifyWriter(block: Uint8Array) {
  const view = new DataView(block.buffer, block.byteOffset, 512);
  block.fill(0, 0, 512);
  const word = (index: number, value: number): void => view.setUint16(index * 2, value, true);
  return {
    word,
    double: (index: number, value: number): void => view.setUint32(index * 2, value, true),
    text: (index: number, words: number, value: string): void => {
      const padded = value.padEnd(words * 2).slice(0, words * 2);
      for (let i = 0; i < words; i++) word(index + i, (padded.charCodeAt(2 * i) << 8) | padded.charCodeAt(2 * i + 1));
    },
  };
}

/** Words 53–68 and 88 of any drive: the transfer modes, and which of them is set. @param dmaMode as SET FEATURES numbers them */
export function identifyModes({ word }: ReturnType<typeof identifyWriter>, dmaMode: number): void {
  const [multiword, ultra] = [0x20, 0x40].map((first) => ((dmaMode & 0xf0) === first ? 0x100 << (dmaMode & 7) : 0));
  word(53, 0x0007); // words 54–58, 64–70 and 88 are valid
  word(63, 0x0007 | multiword!); // modes 0–2, and which one is selected
  word(64, 0x0003); // PIO modes 3 and 4
  word(65, 120); // ns per multiword DMA cycle
  word(66, 120);
  word(67, 120); // ns per PIO cycle
  word(68, 120);
  word(88, 0x003f | ultra!); // Ultra DMA modes 0–5
}

/** Word 93: a cable of 80 wires; the drive knows its place by a jumper. */
export const cableWord = (slave: boolean): number => (slave ? 0x6100 : 0x6001);

/** Fills `block` (512 bytes) with the identification. */
export function identify(block: Uint8Array, options: IdentifyOptions): void {
  const writer = identifyWriter(block), { word, double, text } = writer;
  const { geometry, current } = options;
  word(0, 0x0040); // ATA, fixed
  word(1, geometry.cylinders);
  word(3, geometry.heads);
  word(4, geometry.sectors * 512); // unformatted bytes per track, of old
  word(5, 512);
  word(6, geometry.sectors);
  text(10, 10, options.serial);
  word(20, 3); // dual ported, with look-ahead
  word(21, 512); // buffer, in sectors
  word(22, 4); // ECC bytes of READ/WRITE LONG, of old
  text(23, 4, options.firmware);
  text(27, 20, options.model);
  word(47, 0x8000 | MAX_MULTIPLE);
  word(48, 1); // 32-bit accesses of the data port
  word(49, 0x0b00); // IORDY, LBA, DMA
  word(51, 0x0200); // PIO timing mode 2 without IORDY
  identifyModes(writer, options.dmaMode);
  word(54, current.cylinders);
  word(55, current.heads);
  word(56, current.sectors);
  double(57, current.cylinders * current.heads * current.sectors);
  word(59, options.multiple === 0 ? 0 : 0x0100 | options.multiple);
  double(60, Math.min(options.sectors, LBA28_SECTORS));
  word(80, 0x007e); // ATA-1 to ATA-6
  word(82, NOP_COMMAND | WRITE_CACHE | POWER_MANAGEMENT);
  word(83, VALID | FLUSH_CACHE_EXT | FLUSH_CACHE | ADDRESS_48);
  word(84, VALID);
  word(85, NOP_COMMAND | (options.writeCache ? WRITE_CACHE : 0) | POWER_MANAGEMENT);
  word(86, FLUSH_CACHE_EXT | FLUSH_CACHE | ADDRESS_48);
  word(87, VALID);
  word(93, cableWord(options.slave));
  double(100, options.sectors >>> 0);
  double(102, Math.floor(options.sectors / 2 ** 32));
}
