/**
 * A drive's copy of the task file: registers that the host writes and reads, two bytes deep (ata-registers.ts).
 * Both drives of a channel take every write. Source: ATA-6 (T13/1410D) §6.20, §7.
 */
import {
  ATA_BSY, DEVICE_ONES, DEVICE_SELECT, REG_COUNT, REG_CYLINDER_HIGH, REG_CYLINDER_LOW, REG_DEVICE, REG_ERROR, REG_FEATURES, REG_SECTOR,
} from './ata-registers.ts';

export interface TaskFile {
  features: number;
  count: number;
  sector: number;
  cylinderLow: number;
  cylinderHigh: number;
  device: number;
  /** The high halves: what was written before. */
  countBefore: number;
  sectorBefore: number;
  cylinderLowBefore: number;
  cylinderHighBefore: number;
  status: number;
  error: number;
}

/**
 * A register other than data and status. What they show while the drive is busy is not defined: as on QEMU, and in the shadow registers of SATA, what was
 * written. There are drivers (szhou42/osdev) that look at them as soon as IDENTIFY DEVICE is given.
 * @param high HOB is set
 */
export function readTaskFile(file: TaskFile, offset: number, high: boolean): number {
  if (high) {
    switch (offset) {
      case REG_COUNT: return file.countBefore;
      case REG_SECTOR: return file.sectorBefore;
      case REG_CYLINDER_LOW: return file.cylinderLowBefore;
      case REG_CYLINDER_HIGH: return file.cylinderHighBefore;
    }
  }
  switch (offset) {
    case REG_ERROR: return file.error;
    case REG_COUNT: return file.count;
    case REG_SECTOR: return file.sector;
    case REG_CYLINDER_LOW: return file.cylinderLow;
    case REG_CYLINDER_HIGH: return file.cylinderHigh;
    case REG_DEVICE: return file.device | DEVICE_ONES;
    default: return file.status;
  }
}

/** A drive that is busy ignores it, but for the selection. */
export function writeTaskFile(file: TaskFile, offset: number, value: number): void {
  if ((file.status & ATA_BSY) !== 0) {
    if (offset === REG_DEVICE) file.device = (file.device & ~DEVICE_SELECT) | (value & DEVICE_SELECT);
    return;
  }
  switch (offset) {
    case REG_FEATURES: file.features = value; break;
    case REG_COUNT:
      file.countBefore = file.count;
      file.count = value;
      break;
    case REG_SECTOR:
      file.sectorBefore = file.sector;
      file.sector = value;
      break;
    case REG_CYLINDER_LOW:
      file.cylinderLowBefore = file.cylinderLow;
      file.cylinderLow = value;
      break;
    case REG_CYLINDER_HIGH:
      file.cylinderHighBefore = file.cylinderHigh;
      file.cylinderHigh = value;
      break;
    case REG_DEVICE: file.device = value; break;
  }
}

/** The registers after a reset or a diagnostic: drive 0 is selected, and the cylinder says what kind of drive this is. */
export function showSignature(file: TaskFile, cylinder: number): void {
  file.features = 0;
  file.count = 1;
  file.sector = 1;
  file.cylinderLow = cylinder & 0xff;
  file.cylinderHigh = cylinder >> 8;
  file.device = 0;
  file.countBefore = file.sectorBefore = file.cylinderLowBefore = file.cylinderHighBefore = 0;
}
