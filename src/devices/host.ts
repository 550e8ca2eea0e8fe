/**
 * What stands behind a device on the host, as the device sees it. src/backends implements these
 * (files, sockets, terminals); tests implement them with arrays.
 */
import type { Clock } from './device.ts';

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
  /** Makes `count` sectors zero; may be missing, as may the next. */
  writeZeroes?(sector: number, count: number, done: (error?: Error) => void): void;
  /** The guest needs these sectors no more: they read as zeros or as they were. */
  discard?(sector: number, count: number, done: (error?: Error) => void): void;
}

/** A byte stream: a serial line's other end, a debug console. */
export interface CharBackend {
  write(byte: number): void;
  /** Set by the device: a byte has arrived from the host. */
  receive: ((byte: number) => void) | null;
  /** Set by a device that can say it: how many bytes it keeps for the guest now. Without it as many as come. */
  room?: (() => number) | null;
  /** Called by such a device: it has room again. */
  more?(): void;
}

/** Sound of one voice: 16-bit samples, as many a second as it says. */
export interface AudioBackend {
  readonly rate: number;
  /** The array is the caller's again after the call. */
  samples(samples: Int16Array): void;
}

/** A network card's end of its cable, as the other end sees it. */
export interface NetPort {
  /** The card's time, which stands still while the machine does. */
  readonly clock: Clock;
  /** A frame for the card: an Ethernet header and data, without FCS. The port keeps it; false if too many wait, and it is lost. */
  deliver(frame: Uint8Array): boolean;
}

/** What a network card's cable leads to: a network of our own, another machine. */
export interface NetBackend {
  /** Called once, before anything is sent. */
  plug(port: NetPort): void;
  /** A frame of the guest, as deliver() takes them. The array is the caller's again after the call. */
  send(frame: Uint8Array): void;
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
