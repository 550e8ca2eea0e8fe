/** Sector addresses in the task file: CHS in the current translation, LBA28, or LBA48. Source: ATA-2 (X3T10/948D) §7.1, ATA-6 (T13/1410D) §6.2. */

import type { AtaRegisters } from './ata-commands.ts';
import { DEVICE_LBA } from './ata-registers.ts';

/** The sector that the registers address; -1 if its head or sector number does not exist in the translation, or a 48-bit command has no LBA. */
export function sectorOf(registers: AtaRegisters, extended: boolean): number {
  const { device, cylinderHigh, cylinderLow, sector, heads, sectors } = registers;
  if (extended) {
    if ((device & DEVICE_LBA) === 0) return -1;
    const low = (cylinderHigh << 16) | (cylinderLow << 8) | sector;
    return (registers.cylinderHighBefore * 0x1_0000 + (registers.cylinderLowBefore << 8) + registers.sectorBefore) * 0x100_0000 + low;
  }
  const head = device & 15;
  if ((device & DEVICE_LBA) !== 0) return (head << 24) | (cylinderHigh << 16) | (cylinderLow << 8) | sector;
  if (sector === 0 || sector > sectors || head >= heads) return -1;
  return (((cylinderHigh << 8) | cylinderLow) * heads + head) * sectors + sector - 1;
}

/** Sets the registers to a sector's address, in the form that the command and the device/head register ask for. */
export function showSector(registers: AtaRegisters, lba: number, extended: boolean): void {
  if ((registers.device & DEVICE_LBA) !== 0) {
    registers.sector = lba & 0xff;
    registers.cylinderLow = (lba >> 8) & 0xff;
    registers.cylinderHigh = (lba >> 16) & 0xff;
    const high = Math.floor(lba / 0x100_0000);
    if (extended) {
      registers.sectorBefore = high & 0xff;
      registers.cylinderLowBefore = (high >> 8) & 0xff;
      registers.cylinderHighBefore = (high >> 16) & 0xff;
    } else registers.device = (registers.device & 0xf0) | (high & 15);
    return;
  }
  const track = Math.floor(lba / registers.sectors);
  const cylinder = Math.floor(track / registers.heads);
  registers.sector = (lba % registers.sectors) + 1;
  registers.cylinderLow = cylinder & 0xff;
  registers.cylinderHigh = (cylinder >> 8) & 0xff;
  registers.device = (registers.device & 0xf0) | (track % registers.heads);
}
