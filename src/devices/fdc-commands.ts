/**
 * The 82077AA's command set as a table: which first bytes name a command, and how many bytes follow.
 * Source: Intel 82077AA data sheet (290166), table 5-1.
 *
 * PART ID (18h) is a command of the later 82078; the 82077AA answers 80h to it as to every code that is not here.
 */

export type FdcCommandName =
  | 'read track' | 'specify' | 'sense drive status' | 'write data' | 'read data' | 'recalibrate' | 'sense interrupt status'
  | 'write deleted data' | 'read id' | 'read deleted data' | 'format track' | 'dumpreg' | 'seek' | 'version'
  | 'perpendicular mode' | 'configure' | 'lock' | 'verify' | 'relative seek' | 'invalid';

export interface FdcCommand {
  readonly name: FdcCommandName;
  /** Bytes with the first one. */
  readonly length: number;
}

/** Code, bits of the first byte that must match it, length, name. */
const ROWS: readonly (readonly [number, number, number, FdcCommandName])[] = [
  [0x02, 0x9f, 9, 'read track'],
  [0x03, 0xff, 3, 'specify'],
  [0x04, 0xff, 2, 'sense drive status'],
  [0x05, 0x3f, 9, 'write data'],
  [0x06, 0x1f, 9, 'read data'],
  [0x07, 0xff, 2, 'recalibrate'],
  [0x08, 0xff, 1, 'sense interrupt status'],
  [0x09, 0x3f, 9, 'write deleted data'],
  [0x0a, 0xbf, 2, 'read id'],
  [0x0c, 0x1f, 9, 'read deleted data'],
  [0x0d, 0xbf, 6, 'format track'],
  [0x0e, 0xff, 1, 'dumpreg'],
  [0x0f, 0xff, 3, 'seek'],
  [0x10, 0xff, 1, 'version'],
  [0x12, 0xff, 2, 'perpendicular mode'],
  [0x13, 0xff, 4, 'configure'],
  [0x14, 0x7f, 1, 'lock'],
  [0x16, 0x1f, 9, 'verify'],
  [0x8f, 0xbf, 3, 'relative seek'],
];

/** The command that each first byte starts. */
export const FDC_COMMANDS: readonly FdcCommand[] = Array.from({ length: 256 }, (_, byte) => {
  const row = ROWS.find(([code, mask]) => (byte & mask) === code);
  return row === undefined ? { name: 'invalid', length: 1 } : { name: row[3], length: row[2] };
});
