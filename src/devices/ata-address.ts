/** Sector addresses in the task file: CHS in the current translation, or LBA28. Source: ATA-2 (X3T10/948D) §7.1. */

import type { AtaRegisters } from './ata-commands.ts';
import { DEVICE_LBA } from './ata-registers.ts';

/** The sector that the registers address; -1 if its head or sector number does not exist in the translation. */
export function sectorOf(registers: AtaRegisters): number {
  const { device, cylinderHigh, cylinderLow, sector, heads, sectors } = registers;
  const head = device & 15;
  if ((device & DEVICE_LBA) !== 0) return (head << 24) | (cylinderHigh << 16) | (cylinderLow << 8) | sector;
  if (sector === 0 || sector > sectors || head >= heads) return -1;
  return (((cylinderHigh << 8) | cylinderLow) * heads + head) * sectors + sector - 1;
}

/** Sets the registers to a sector's address, in the form that the device/head register asks for. */
export function showSector(registers: AtaRegisters, lba: number): void {
  if ((registers.device & DEVICE_LBA) !== 0) {
    registers.sector = lba & 0xff;
    registers.cylinderLow = (lba >> 8) & 0xff;
    registers.cylinderHigh = (lba >> 16) & 0xff;
    registers.device = (registers.device & 0xf0) | ((lba >> 24) & 15);
    return;
  }
  const track = Math.floor(lba / registers.sectors);
  const cylinder = Math.floor(track / registers.heads);
  registers.sector = (lba % registers.sectors) + 1;
  registers.cylinderLow = cylinder & 0xff;
  registers.cylinderHigh = (cylinder >> 8) & 0xff;
  registers.device = (registers.device & 0xf0) | (track % registers.heads);
}
