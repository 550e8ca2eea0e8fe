/**
 * What stands behind a device on the host, as the device sees it. src/backends implements these
 * (files, sockets, terminals); tests implement them with arrays.
 */

export const SECTOR_SIZE = 512;

/** A disk image. `done` may be called at once or later (a device stays busy until then); an error is an I/O error of the host. */
export interface BlockBackend {
  /** Size in sectors of 512 bytes. */
  readonly sectors: number;
  readonly readOnly: boolean;
  /** Reads data.length / 512 sectors from `sector` on. The device has checked the range. */
  read(sector: number, data: Uint8Array, done: (error?: Error) => void): void;
  write(sector: number, data: Uint8Array, done: (error?: Error) => void): void;
  /** Everything written before is on stable storage when `done` is called. */
  flush(done: (error?: Error) => void): void;
}

/** A byte stream: a serial line's other end, a debug console. */
export interface CharBackend {
  write(byte: number): void;
  /** Set by the device: a byte has arrived from the host. */
  receive: ((byte: number) => void) | null;
}

/** A text screen as one sees it: what `--screen`, `--expect` and the terminal display read. */
export interface TextScreen {
  readonly columns: number;
  readonly rows: number;
  /** columns × rows cells, row by row: character code in bits 0–7, attribute (VGA: blink/bg 7–4, fg 3–0) in bits 8–15. */
  readonly cells: Uint16Array;
  readonly cursor: { readonly x: number; readonly y: number; readonly visible: boolean };
  /** 16 colours as 0xRRGGBB, after palette and DAC. */
  readonly colors: Uint32Array;
  /** Attribute bit 7 means blinking (else bright background). */
  readonly blink: boolean;
}

/** A picture of the screen, 4 bytes a pixel (R, G, B, 255). */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}
