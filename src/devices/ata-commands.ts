/**
 * The ATA command set as a table: what a command's code means and by which protocol it runs. What is not listed is
 * aborted. Source: ATA-2 (X3T10/948D) §8, ATA-4 (T13/1153D) §8, ATA-6 (T13/1410D) §8.
 */

import { LBA28_SECTORS } from './ata-identify.ts';
import { MAX_HEADS } from './ata-geometry.ts';
import { ATA_ABRT, ATA_IDNF, DEVICE_LBA, MAX_MULTIPLE } from './ata-registers.ts';
import type { TaskFile } from './ata-task-file.ts';

/** The registers and settings of a drive that commands work on. */
export interface AtaRegisters extends TaskFile {
  /** Heads of the current translation. */
  heads: number;
  /** Sectors per track of the current translation. */
  sectors: number;
  /** Sectors per block of READ/WRITE MULTIPLE, 0 = disabled. */
  multiple: number;
  /** 1 in standby or sleep. */
  standby: number;
  /** 1: what is written may stay in the host's cache until FLUSH CACHE. */
  writeCache: number;
  /** The DMA mode, as SET FEATURES numbers them: 20–22 multiword, 40–45 Ultra. */
  dmaMode: number;
}

export interface AtaDrive {
  readonly fields: AtaRegisters;
  /** Capacity in sectors. */
  readonly capacity: number;
  /** The sector that the registers address, -1 if there is none such. */
  locate(): number;
  /** Sets the registers to a sector's address. */
  show(sector: number): void;
}

/**
 * - `non-data`: `finish` after a delay; it returns the error register, 0 for success
 * - `read`, `write`: sectors, one interrupt for each block of one, or of as many as SET MULTIPLE says; by DMA one interrupt at the end
 * - `verify`: as `read`, without data
 * - `identify`: one block that the drive makes up
 * - `flush`: `non-data`, once the host has stored everything
 */
export type AtaProtocol =
  | { readonly kind: 'non-data'; readonly finish: (drive: AtaDrive) => number }
  | { readonly kind: 'read' | 'write'; readonly by: 'sector' | 'multiple' | 'dma' }
  | { readonly kind: 'verify' | 'identify' | 'flush' };

/** `extended`: address and count have their high halves. */
export type AtaCommand = AtaProtocol & { readonly name: string; readonly extended: boolean };

function seek(drive: AtaDrive): number {
  const sector = drive.locate();
  return sector >= 0 && sector < drive.capacity ? 0 : ATA_IDNF;
}

function initializeDeviceParameters({ fields, capacity }: AtaDrive): number {
  const heads = (fields.device & (MAX_HEADS - 1)) + 1;
  if (fields.count === 0 || fields.count > 63 || heads * fields.count > capacity) return ATA_ABRT;
  fields.heads = heads;
  fields.sectors = fields.count;
  return 0;
}

function setMultipleMode({ fields }: AtaDrive): number {
  const { count } = fields;
  const allowed = count <= MAX_MULTIPLE && (count & (count - 1)) === 0;
  // ATA-2 §8.24: after a bad count the mode is disabled.
  fields.multiple = allowed ? count : 0;
  return allowed ? 0 : ATA_ABRT;
}

/** SET FEATURES subcommands that need no more than an answer. */
const FEATURES = new Set([
  0x55, // disable read look-ahead
  0x66, // keep settings over a software reset
  0xaa, // enable read look-ahead
  0xcc, // revert to defaults at a software reset
]);
export const SET_TRANSFER_MODE = 0x03;
const ENABLE_WRITE_CACHE = 0x02, DISABLE_WRITE_CACHE = 0x82;
/** The transfer modes that IDENTIFY offers: first and last. */
const MULTIWORD_MODES = [0x20, 0x22] as const, ULTRA_MODES = [0x40, 0x45] as const;

function setFeatures({ fields }: AtaDrive): number {
  const { features } = fields;
  if (features === ENABLE_WRITE_CACHE || features === DISABLE_WRITE_CACHE) {
    fields.writeCache = features === ENABLE_WRITE_CACHE ? 1 : 0;
    return 0;
  }
  if (features !== SET_TRANSFER_MODE) return FEATURES.has(features) ? 0 : ATA_ABRT;
  return setTransferMode(fields);
}

/** SET FEATURES 03h: the mode in the count register. @returns the error register */
export function setTransferMode(fields: { count: number; dmaMode: number }): number {
  const { count: mode } = fields;
  if ([MULTIWORD_MODES, ULTRA_MODES].some(([first, last]) => mode >= first && mode <= last)) {
    fields.dmaMode = mode;
    return 0;
  }
  // 00 and 01: default PIO; 08–0C: PIO modes 0–4 with IORDY.
  return mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c) ? 0 : ATA_ABRT;
}

const power = (standby: number) => ({ fields }: AtaDrive): number => {
  fields.standby = standby;
  return 0;
};

function checkPowerMode({ fields }: AtaDrive): number {
  fields.count = fields.standby !== 0 ? 0x00 : 0xff;
  return 0;
}

const readNativeMaxAddress = (most: number) => (drive: AtaDrive): number => {
  if ((drive.fields.device & DEVICE_LBA) === 0) return ATA_ABRT;
  drive.show(Math.min(drive.capacity, most) - 1);
  return 0;
};

const nonData = (finish: (drive: AtaDrive) => number): AtaProtocol => ({ kind: 'non-data', finish });

const EXTENDED = true;

/** First and last code, name, protocol, whether it is a 48-bit command. */
const ROWS: readonly (readonly [number, number, string, AtaProtocol, boolean?])[] = [
  [0x00, 0x00, 'NOP', nonData(() => ATA_ABRT)],
  [0x10, 0x1f, 'RECALIBRATE', nonData(() => 0)],
  [0x20, 0x21, 'READ SECTORS', { kind: 'read', by: 'sector' }],
  [0x24, 0x24, 'READ SECTORS EXT', { kind: 'read', by: 'sector' }, EXTENDED],
  [0x25, 0x25, 'READ DMA EXT', { kind: 'read', by: 'dma' }, EXTENDED],
  [0x27, 0x27, 'READ NATIVE MAX ADDRESS EXT', nonData(readNativeMaxAddress(Infinity)), EXTENDED],
  [0x29, 0x29, 'READ MULTIPLE EXT', { kind: 'read', by: 'multiple' }, EXTENDED],
  [0x30, 0x31, 'WRITE SECTORS', { kind: 'write', by: 'sector' }],
  [0x34, 0x34, 'WRITE SECTORS EXT', { kind: 'write', by: 'sector' }, EXTENDED],
  [0x35, 0x35, 'WRITE DMA EXT', { kind: 'write', by: 'dma' }, EXTENDED],
  [0x39, 0x39, 'WRITE MULTIPLE EXT', { kind: 'write', by: 'multiple' }, EXTENDED],
  [0x40, 0x41, 'READ VERIFY SECTORS', { kind: 'verify' }],
  [0x42, 0x42, 'READ VERIFY SECTORS EXT', { kind: 'verify' }, EXTENDED],
  [0x70, 0x7f, 'SEEK', nonData(seek)],
  [0x91, 0x91, 'INITIALIZE DEVICE PARAMETERS', nonData(initializeDeviceParameters)],
  [0x94, 0x94, 'STANDBY IMMEDIATE', nonData(power(1))],
  [0x95, 0x95, 'IDLE IMMEDIATE', nonData(power(0))],
  [0x96, 0x96, 'STANDBY', nonData(power(1))],
  [0x97, 0x97, 'IDLE', nonData(power(0))],
  [0x98, 0x98, 'CHECK POWER MODE', nonData(checkPowerMode)],
  [0x99, 0x99, 'SLEEP', nonData(power(1))],
  [0xc4, 0xc4, 'READ MULTIPLE', { kind: 'read', by: 'multiple' }],
  [0xc5, 0xc5, 'WRITE MULTIPLE', { kind: 'write', by: 'multiple' }],
  [0xc6, 0xc6, 'SET MULTIPLE MODE', nonData(setMultipleMode)],
  [0xc8, 0xc9, 'READ DMA', { kind: 'read', by: 'dma' }],
  [0xca, 0xcb, 'WRITE DMA', { kind: 'write', by: 'dma' }],
  [0xe0, 0xe0, 'STANDBY IMMEDIATE', nonData(power(1))],
  [0xe1, 0xe1, 'IDLE IMMEDIATE', nonData(power(0))],
  [0xe2, 0xe2, 'STANDBY', nonData(power(1))],
  [0xe3, 0xe3, 'IDLE', nonData(power(0))],
  [0xe5, 0xe5, 'CHECK POWER MODE', nonData(checkPowerMode)],
  [0xe6, 0xe6, 'SLEEP', nonData(power(1))],
  [0xe7, 0xe7, 'FLUSH CACHE', { kind: 'flush' }],
  [0xea, 0xea, 'FLUSH CACHE EXT', { kind: 'flush' }, EXTENDED],
  [0xec, 0xec, 'IDENTIFY DEVICE', { kind: 'identify' }],
  [0xef, 0xef, 'SET FEATURES', nonData(setFeatures)],
  [0xf8, 0xf8, 'READ NATIVE MAX ADDRESS', nonData(readNativeMaxAddress(LBA28_SECTORS))],
];

/** EXECUTE DEVICE DIAGNOSTIC goes to both drives of a channel, so that the channel runs it. */
export const EXECUTE_DEVICE_DIAGNOSTIC = 0x90;

const ABORTED: AtaCommand = { name: 'unknown', extended: false, ...nonData(() => ATA_ABRT) };

/** The command of every code. */
export const ATA_COMMANDS: readonly AtaCommand[] = Array.from({ length: 256 }, (_, code) => {
  const row = ROWS.find(([first, last]) => code >= first && code <= last);
  return row === undefined ? ABORTED : { name: row[2], extended: row[4] ?? false, ...row[3] };
});
