/**
 * Bits of the ATA task file. Source: ATA-2 (X3T10/948D) §6.2, ATA-4 (T13/1153D) §7, ATA-6 (T13/1410D) §6.20 for 48-bit addresses.
 *
 *   offset  read              write
 *   0       data              data (16 bits; 32-bit accesses are two of them)
 *   1       error             features
 *   2       sector count      sector count
 *   3       sector number     sector number     LBA 7–0
 *   4       cylinder low      cylinder low      LBA 15–8
 *   5       cylinder high     cylinder high     LBA 23–16
 *   6       device/head       device/head       LBA 27–24 in bits 3–0
 *   7       status            command
 *   control block: alternate status / device control
 *
 * Offsets 2 to 5 are two bytes deep: a write moves the byte that was there to the high half, which 48-bit commands use too, and
 * which is read while HOB is set: count 15–8, LBA 31–24, 39–32, 47–40.
 */

export const REG_DATA = 0;
export const REG_ERROR = 1;
export const REG_FEATURES = 1;
export const REG_COUNT = 2;
export const REG_SECTOR = 3;
export const REG_CYLINDER_LOW = 4;
export const REG_CYLINDER_HIGH = 5;
export const REG_DEVICE = 6;
export const REG_STATUS = 7;
export const REG_COMMAND = 7;

/** Status: command in progress; no other bit means anything. */
export const ATA_BSY = 0x80;
/** Status: device ready. */
export const ATA_DRDY = 0x40;
/** Status: device fault. */
export const ATA_DF = 0x20;
/** Status: seek complete. */
export const ATA_DSC = 0x10;
/** Status: data request. */
export const ATA_DRQ = 0x08;
/** Status: the error register says why. */
export const ATA_ERR = 0x01;

/** Error: uncorrectable data. */
export const ATA_UNC = 0x40;
/** Error: sector not found. */
export const ATA_IDNF = 0x10;
/** Error: command aborted. */
export const ATA_ABRT = 0x04;
/** Error register after a reset or diagnostic: device 0 passed, device 1 passed or is absent. */
export const ATA_DIAGNOSTIC_PASSED = 0x01;

/** Device/head: device 1 is selected. */
export const DEVICE_SELECT = 0x10;
/** Device/head: the address is an LBA. */
export const DEVICE_LBA = 0x40;
/** Device/head: bits that read as ones up to ATA-3. */
export const DEVICE_ONES = 0xa0;

/** Device control: reads show the high halves of the registers, until the next write to one of them. */
export const CONTROL_HOB = 0x80;
/** Device control: no interrupts from the selected device. */
export const CONTROL_NIEN = 0x02;
/** Device control: software reset while set. */
export const CONTROL_SRST = 0x04;

/** Sectors in one READ/WRITE MULTIPLE block at most: IDENTIFY word 47. */
export const MAX_MULTIPLE = 16;
