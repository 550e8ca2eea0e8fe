/**
 * Floppy media and drives: formats by image size, data rates, drive types as CMOS byte 10h names them.
 * Source: ECMA-125 and the media tables of the IBM AT and PS/2 BIOS interface references; rates as in the 82077AA's CCR.
 */

import type { BlockBackend } from './host.ts';

/** Data rate codes of CCR and DSR, in kbit/s for MFM. */
export const RATE_500 = 0;
export const RATE_300 = 1;
export const RATE_250 = 2;
export const RATE_1000 = 3;

export interface FloppyFormat {
  readonly cylinders: number;
  /** Sides. */
  readonly heads: number;
  /** Sectors of 512 bytes per track. */
  readonly sectors: number;
  readonly rate: number;
}

export type FloppyDriveType = '360K' | '1.2M' | '720K' | '1.44M' | '2.88M';

/** CMOS byte 10h has one such code in each half: drive A in bits 7–4. 0 = no drive. */
export const CMOS_DRIVE_TYPE: Readonly<Record<FloppyDriveType, number>> = { '360K': 1, '1.2M': 2, '720K': 3, '1.44M': 4, '2.88M': 5 };

/** Cylinders that the stepper reaches. */
const DRIVE_CYLINDERS: Readonly<Record<FloppyDriveType, number>> = { '360K': 42, '1.2M': 83, '720K': 83, '1.44M': 83, '2.88M': 83 };

/** Data rates of the media that each drive takes, and the width of their jackets in quarters of an inch. */
const ACCEPTS: Readonly<Record<FloppyDriveType, { readonly width: number; readonly rates: readonly number[] }>> = {
  '360K': { width: 21, rates: [RATE_250] },
  '1.2M': { width: 21, rates: [RATE_250, RATE_500] },
  '720K': { width: 14, rates: [RATE_250] },
  '1.44M': { width: 14, rates: [RATE_250, RATE_500] },
  '2.88M': { width: 14, rates: [RATE_250, RATE_500, RATE_1000] },
};

const format = (cylinders: number, heads: number, sectors: number, rate: number, type: FloppyDriveType) => ({
  cylinders, heads, sectors, rate, type,
});

/** Formats by exact size, and the drive that such a medium asks for: QEMU has no 360 KB drive, but its 1.2 MB drive does not step twice for one. */
const FORMATS: readonly (FloppyFormat & { readonly type: FloppyDriveType })[] = [
  format(40, 1, 8, RATE_250, '360K'), // 160 KB
  format(40, 1, 9, RATE_250, '360K'), // 180 KB
  format(40, 2, 8, RATE_250, '360K'), // 320 KB
  format(40, 2, 9, RATE_250, '360K'), // 360 KB
  format(80, 2, 8, RATE_250, '1.44M'), // 640 KB
  format(80, 2, 9, RATE_250, '1.44M'), // 720 KB
  format(80, 2, 10, RATE_250, '1.44M'), // 800 KB
  format(80, 2, 15, RATE_500, '1.2M'), // 1.2 MB
  format(80, 2, 18, RATE_500, '1.44M'), // 1.44 MB
  format(80, 2, 20, RATE_500, '1.44M'), // 1.6 MB
  format(80, 2, 21, RATE_500, '1.44M'), // 1.68 MB
  format(82, 2, 21, RATE_500, '1.44M'), // 1.72 MB
  format(80, 2, 36, RATE_1000, '2.88M'), // 2.88 MB
];

/** The drive that is chosen when nothing is in it: it takes all media of 3.5 inches. */
const EMPTY_DRIVE: FloppyDriveType = '2.88M';

const capacity = ({ cylinders, heads, sectors }: FloppyFormat): number => cylinders * heads * sectors;

/** What an image of another size is taken for: the first that holds it. */
const FALLBACKS = FORMATS.filter((row) => [2880, 5760].includes(capacity(row)));

function row(sectors: number): (typeof FORMATS)[number] | undefined {
  return FORMATS.find((candidate) => capacity(candidate) === sectors) ?? FALLBACKS.find((candidate) => capacity(candidate) >= sectors);
}

/** The format of an image of `sectors` sectors; null if it is larger than any floppy. */
export function floppyFormat(sectors: number): FloppyFormat | null {
  return row(sectors) ?? null;
}

/** Sectors of the medium that an image of `sectors` sectors stands for: what a block backend should present. */
export function floppySectors(sectors: number): number {
  const found = row(sectors);
  return found === undefined ? sectors : capacity(found);
}

/** The drive type that suits an image. */
export function floppyDriveType(sectors: number): FloppyDriveType {
  return row(sectors)?.type ?? EMPTY_DRIVE;
}

export interface FloppyDriveOptions {
  /** Default: what suits the medium, else 2.88M. */
  type?: FloppyDriveType | undefined;
  medium?: BlockBackend | null;
}

/** A drive and what is in it. Where its head stands is part of the controller's state. */
export class FloppyDrive {
  readonly type: FloppyDriveType;
  /** Cylinders that the head can reach. */
  readonly cylinders: number;
  #medium: BlockBackend | null = null;
  #format: FloppyFormat | null = null;

  constructor(options: FloppyDriveOptions) {
    const medium = options.medium ?? null;
    this.type = options.type ?? (medium === null ? EMPTY_DRIVE : floppyDriveType(medium.sectors));
    this.cylinders = DRIVE_CYLINDERS[this.type];
    this.insert(medium);
  }

  get medium(): BlockBackend | null {
    return this.#medium;
  }

  get format(): FloppyFormat | null {
    return this.#format;
  }

  /** @throws RangeError if the image is larger than any floppy format, or its medium is not for this drive */
  insert(medium: BlockBackend | null): void {
    const found = medium === null ? null : row(medium.sectors) ?? null;
    if (medium !== null && found === null) throw new RangeError(`no floppy format has ${medium.sectors} sectors`);
    if (found !== null) {
      const { width, rates } = ACCEPTS[this.type];
      if (width !== ACCEPTS[found.type].width || !rates.includes(found.rate)) {
        throw new RangeError(`a floppy of ${capacity(found) / 2} KB does not go into a drive for ${this.type}B`);
      }
    }
    this.#medium = medium;
    this.#format = found;
  }

  /** 40-cylinder medium in an 80-cylinder drive: every track is two steps wide. */
  get doubleStep(): boolean {
    return this.#format !== null && this.#format.cylinders <= 42 && this.cylinders > 42;
  }

  /** The data rate at which the medium can be read here. A 1.2 MB drive turns at 360 rpm, so that 250 kbit/s become 300. */
  get rate(): number {
    const rate = this.#format?.rate ?? RATE_500;
    return this.type === '1.2M' && rate === RATE_250 ? RATE_300 : rate;
  }

  /**
   * The format if a head at physical `cylinder` on side `head` would find sectors at this data rate, else null.
   * @param rate code of CCR
   */
  readable(cylinder: number, head: number, rate: number): FloppyFormat | null {
    const found = this.#format;
    if (found === null || rate !== this.rate || head >= found.heads) return null;
    return this.track(cylinder) < found.cylinders ? found : null;
  }

  /** The cylinder number recorded at a physical position. */
  track(cylinder: number): number {
    return this.doubleStep ? cylinder >> 1 : cylinder;
  }
}
