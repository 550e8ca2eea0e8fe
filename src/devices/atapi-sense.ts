/** What a CD-ROM drive says of its failures: sense key, additional code and its qualifier. Source: MMC-3 (T10/1363D) annex A, SPC-2 §7.20. */

/** Key, additional sense code, qualifier. */
export type Sense = readonly [key: number, code: number, qualifier: number];

export const NO_SENSE: Sense = [0, 0, 0];
export const NO_MEDIUM: Sense = [2, 0x3a, 0x01]; // tray closed
export const TRAY_OPEN: Sense = [2, 0x3a, 0x02];
export const READ_ERROR: Sense = [3, 0x11, 0x00];
export const INVALID_OPCODE: Sense = [5, 0x20, 0x00];
export const OUT_OF_RANGE: Sense = [5, 0x21, 0x00];
export const INVALID_FIELD: Sense = [5, 0x24, 0x00];
export const INVALID_PARAMETER: Sense = [5, 0x26, 0x00];
export const LIST_TOO_SHORT: Sense = [5, 0x1a, 0x00];
export const NOT_PLAYING: Sense = [5, 0x2c, 0x00];
export const NOT_SAVED: Sense = [5, 0x39, 0x00];
export const LOCKED: Sense = [5, 0x53, 0x02];
export const WRONG_TRACK_MODE: Sense = [5, 0x64, 0x00];
export const MEDIUM_CHANGED: Sense = [6, 0x28, 0x00];
export const RESET_OCCURRED: Sense = [6, 0x29, 0x00];

/** The answer of REQUEST SENSE. */
export function senseData([key, code, qualifier]: Sense): Uint8Array {
  const data = new Uint8Array(18);
  data[0] = 0x70; // current error, fixed format
  data[2] = key;
  data[7] = data.length - 8;
  data[12] = code;
  data[13] = qualifier;
  return data;
}
