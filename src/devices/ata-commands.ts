/**
 * The ATA command set as a table: what a command's code means and by which protocol it runs. What is not listed is
 * aborted. Source: ATA-2 (X3T10/948D) §8, ATA-4 (T13/1153D) §8.
 */

import { MAX_HEADS } from './ata-geometry.ts';
import { ATA_ABRT, ATA_IDNF, DEVICE_LBA, MAX_MULTIPLE } from './ata-registers.ts';

/** The registers and settings of a drive that commands work on. */
export interface AtaRegisters {
  features: number;
  count: number;
  sector: number;
  cylinderLow: number;
  cylinderHigh: number;
  device: number;
  /** Heads of the current translation. */
  heads: number;
  /** Sectors per track of the current translation. */
  sectors: number;
  /** Sectors per block of READ/WRITE MULTIPLE, 0 = disabled. */
  multiple: number;
  /** 1 in standby or sleep. */
  standby: number;
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
 * - `read`, `write`: sectors, one interrupt for each block of one, or of as many as SET MULTIPLE says
 * - `verify`: as `read`, without data
 * - `identify`: one block that the drive makes up
 * - `flush`: `non-data`, once the host has stored everything
 */
export type AtaProtocol =
  | { readonly kind: 'non-data'; readonly finish: (drive: AtaDrive) => number }
  | { readonly kind: 'read' | 'write'; readonly multiple: boolean }
  | { readonly kind: 'verify' | 'identify' | 'flush' };

export type AtaCommand = AtaProtocol & { readonly name: string };

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
  0x02, // enable write cache
  0x55, // disable read look-ahead
  0x66, // keep settings over a software reset
  0x82, // disable write cache
  0xaa, // enable read look-ahead
  0xcc, // revert to defaults at a software reset
]);
const SET_TRANSFER_MODE = 0x03;

function setFeatures({ fields }: AtaDrive): number {
  if (fields.features !== SET_TRANSFER_MODE) return FEATURES.has(fields.features) ? 0 : ATA_ABRT;
  const mode = fields.count;
  // 00 and 01: default PIO; 08–0C: PIO modes 0–4 with IORDY. DMA modes are not offered by IDENTIFY.
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

function readNativeMaxAddress(drive: AtaDrive): number {
  if ((drive.fields.device & DEVICE_LBA) === 0) return ATA_ABRT;
  drive.show(drive.capacity - 1);
  return 0;
}

const nonData = (finish: (drive: AtaDrive) => number): AtaProtocol => ({ kind: 'non-data', finish });

/** First and last code, name, protocol. */
const ROWS: readonly (readonly [number, number, string, AtaProtocol])[] = [
  [0x00, 0x00, 'NOP', nonData(() => ATA_ABRT)],
  [0x10, 0x1f, 'RECALIBRATE', nonData(() => 0)],
  [0x20, 0x21, 'READ SECTORS', { kind: 'read', multiple: false }],
  [0x30, 0x31, 'WRITE SECTORS', { kind: 'write', multiple: false }],
  [0x40, 0x41, 'READ VERIFY SECTORS', { kind: 'verify' }],
  [0x70, 0x7f, 'SEEK', nonData(seek)],
  [0x91, 0x91, 'INITIALIZE DEVICE PARAMETERS', nonData(initializeDeviceParameters)],
  [0x94, 0x94, 'STANDBY IMMEDIATE', nonData(power(1))],
  [0x95, 0x95, 'IDLE IMMEDIATE', nonData(power(0))],
  [0x96, 0x96, 'STANDBY', nonData(power(1))],
  [0x97, 0x97, 'IDLE', nonData(power(0))],
  [0x98, 0x98, 'CHECK POWER MODE', nonData(checkPowerMode)],
  [0x99, 0x99, 'SLEEP', nonData(power(1))],
  [0xc4, 0xc4, 'READ MULTIPLE', { kind: 'read', multiple: true }],
  [0xc5, 0xc5, 'WRITE MULTIPLE', { kind: 'write', multiple: true }],
  [0xc6, 0xc6, 'SET MULTIPLE MODE', nonData(setMultipleMode)],
  [0xe0, 0xe0, 'STANDBY IMMEDIATE', nonData(power(1))],
  [0xe1, 0xe1, 'IDLE IMMEDIATE', nonData(power(0))],
  [0xe2, 0xe2, 'STANDBY', nonData(power(1))],
  [0xe3, 0xe3, 'IDLE', nonData(power(0))],
  [0xe5, 0xe5, 'CHECK POWER MODE', nonData(checkPowerMode)],
  [0xe6, 0xe6, 'SLEEP', nonData(power(1))],
  [0xe7, 0xe7, 'FLUSH CACHE', { kind: 'flush' }],
  [0xec, 0xec, 'IDENTIFY DEVICE', { kind: 'identify' }],
  [0xef, 0xef, 'SET FEATURES', nonData(setFeatures)],
  [0xf8, 0xf8, 'READ NATIVE MAX ADDRESS', nonData(readNativeMaxAddress)],
];

/** EXECUTE DEVICE DIAGNOSTIC goes to both drives of a channel, so that the channel runs it. */
export const EXECUTE_DEVICE_DIAGNOSTIC = 0x90;

const ABORTED: AtaCommand = { name: 'unknown', ...nonData(() => ATA_ABRT) };

/** The command of every code. */
export const ATA_COMMANDS: readonly AtaCommand[] = Array.from({ length: 256 }, (_, code) => {
  const row = ROWS.find(([first, last]) => code >= first && code <= last);
  return row === undefined ? ABORTED : { name: row[2], ...row[3] };
});
