/**
 * A CD or DVD as its drive sees it: one session with one data track of mode 1, made of an image's 2048-byte sectors.
 * What an image has beyond its last whole sector is not on the disc (QEMU's rule).
 * Addresses as minute, second, frame: 75 frames a second, and sector 0 is 00:02:00. Source: ECMA-130 §14, §22; MMC-3 (T10/1363D) §4.2.
 */
import { SECTOR_SIZE } from './host.ts';
import type { BlockBackend } from './host.ts';

export const CD_SECTOR = 2048;
const PER_SECTOR = CD_SECTOR / SECTOR_SIZE;
const FRAMES = 75, SECONDS = 60;
/** Frames of the pause before sector 0. */
const PAUSE = 150;
/** What fits on a CD of 80 minutes. */
const CD_SECTORS = 80 * SECONDS * FRAMES;

/** Minute, second, frame. */
export function msf(lba: number): readonly [number, number, number] {
  const frame = lba + PAUSE;
  return [Math.floor(frame / FRAMES / SECONDS), Math.floor(frame / FRAMES) % SECONDS, frame % FRAMES];
}

export const fromMsf = (minute: number, second: number, frame: number): number => (minute * SECONDS + second) * FRAMES + frame - PAUSE;

export class CdMedium {
  readonly sectors: number;
  readonly #backend: BlockBackend;

  constructor(backend: BlockBackend) {
    this.#backend = backend;
    this.sectors = Math.floor(backend.sectors / PER_SECTOR);
  }

  /** It is too large for a CD. */
  get isDvd(): boolean {
    return this.sectors > CD_SECTORS;
  }

  /** Reads data.length / 2048 sectors. The drive has checked the range. */
  read(lba: number, data: Uint8Array, done: (error?: Error) => void): void {
    this.#backend.read(lba * PER_SECTOR, data, done);
  }
}

/** The medium in an image; null if it has no whole sector. */
export function cdMedium(backend: BlockBackend | null): CdMedium | null {
  const medium = backend && new CdMedium(backend);
  return medium !== null && medium.sectors > 0 ? medium : null;
}
