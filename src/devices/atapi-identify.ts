/** The 256 words of IDENTIFY PACKET DEVICE for a CD-ROM drive. Source: ATA-6 (T13/1410D) §8.16. */
import type { DriveIdentity } from './ide-drive.ts';
import { cableWord, identifyModes, identifyWriter } from './ata-identify.ts';

const NOP_COMMAND = 0x4000, DEVICE_RESET = 0x0200, PACKET = 0x0010, POWER_MANAGEMENT = 0x0008;
/** Bit 14 set, bit 15 clear: the word is valid. */
const VALID = 0x4000;

/** Fills `block` (512 bytes). */
export function identifyCdrom(block: Uint8Array, options: DriveIdentity & { dmaMode: number; slave: boolean }): void {
  const writer = identifyWriter(block), { word, text } = writer;
  word(0, 0x85c0); // ATAPI, CD-ROM, removable, DRQ 50 µs after PACKET and without an interrupt, packets of 12 bytes
  text(10, 10, options.serial ?? '');
  text(23, 4, options.firmware ?? '0.1');
  text(27, 20, options.model ?? 'TCG86 CD-ROM');
  word(49, 0x0b00); // IORDY, LBA, DMA
  word(51, 0x0200); // PIO timing mode 2 without IORDY
  identifyModes(writer, options.dmaMode);
  word(80, 0x0070); // ATA/ATAPI-4 to 6
  const features = NOP_COMMAND | DEVICE_RESET | PACKET | POWER_MANAGEMENT;
  word(82, features);
  word(83, VALID);
  word(84, VALID);
  word(85, features);
  word(87, VALID);
  word(93, cableWord(options.slave));
}
