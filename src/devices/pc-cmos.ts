/**
 * What a PC's CMOS memory tells the firmware about the machine: the layout of the IBM AT, with the extensions that QEMU's board
 * has and that firmware for it (SeaBIOS) reads.
 *
 *     10 floppy drive types   12 disk types   14 equipment   15-16 base memory (KB)   17-18, 30-31 extended memory (KB)
 *     19, 1A extended disk types   1B-23, 24-2C disk geometries   2E-2F sum of 10-2D   34-35 memory above 16 MB (64 KB)
 *     38 boot device 3 (7-4), no floppy signature check (0)   39-3A disk translation   3D boot devices 2 (7-4) and 1 (3-0)
 *     5F processors - 1
 */
import type { Geometry } from './ata-geometry.ts';
import { CMOS_DRIVE_TYPE } from './fdc-media.ts';
import type { FloppyDriveType } from './fdc-media.ts';

const BASE_MEMORY_KB = 640;
const KB = 1024;
const SEGMENT = 64 * KB;
const SIXTEEN_MB = 16 << 20;
const EQUIPMENT_FPU = 0x02;
const EQUIPMENT_MOUSE = 0x04;
/** Type 47 and neighbours: the geometry is in CMOS. */
const USER_TYPE = 0x2f;
/** In 12h: the type is in 19h or 1Ah. */
const EXTENDED_TYPE = 0x0f;
const TRANSLATE_NONE = 0;
const TRANSLATE_LBA = 1;
/** Precompensation: none. */
const NO_CYLINDER = 0xffff;

/** Letters of QEMU's -boot, as the boot device numbers of 38h and 3Dh. */
const BOOT_DEVICES: Readonly<Record<string, number>> = { a: 1, b: 1, c: 2, d: 3, n: 4 };

export interface PcCmosOptions {
  /** Bytes of RAM. */
  memory: number;
  /** Drives A and B. */
  floppies: readonly (FloppyDriveType | null)[];
  /** The four IDE places, primary master first: what disks are there. */
  disks: readonly (Geometry | null)[];
  /** Letters a, b, c, d, n: up to three. */
  bootOrder: string;
}

/** Fills the memory through `set`. @throws RangeError for a letter that is no boot device */
export function fillCmos(set: (index: number, value: number) => void, { memory, floppies, disks, bootOrder }: PcCmosOptions): void {
  let sum = 0;
  const put = (index: number, value: number): void => {
    set(index, value & 0xff);
    if (index >= 0x10 && index <= 0x2d) sum += value & 0xff;
  };
  const putWord = (index: number, value: number): void => {
    put(index, value);
    put(index + 1, value >> 8);
  };

  const types = [0, 1].map((drive) => (floppies[drive] ? CMOS_DRIVE_TYPE[floppies[drive]] : 0));
  put(0x10, (types[0] << 4) | types[1]);
  const count = types.filter((type) => type !== 0).length;
  put(0x14, EQUIPMENT_FPU | EQUIPMENT_MOUSE | (count > 0 ? 0x01 | ((count - 1) << 6) : 0));

  const extended = Math.min(memory / KB - 1024, 0xffff);
  putWord(0x15, BASE_MEMORY_KB);
  putWord(0x17, extended);
  putWord(0x30, extended);
  putWord(0x34, Math.min(Math.max(0, memory - SIXTEEN_MB) / SEGMENT, 0xffff));

  put(0x12, (disks[0] ? EXTENDED_TYPE << 4 : 0) | (disks[1] ? EXTENDED_TYPE : 0));
  putDisk(disks[0] ?? null, 0x19, 0x1b);
  putDisk(disks[1] ?? null, 0x1a, 0x24);
  function putDisk(disk: Geometry | null, type: number, at: number): void {
    if (!disk) return;
    put(type, USER_TYPE);
    putWord(at, disk.cylinders);
    put(at + 2, disk.heads);
    putWord(at + 3, NO_CYLINDER);
    // Control byte: no retries, and more than eight heads.
    put(at + 5, 0xc0 | (disk.heads > 8 ? 0x08 : 0));
    putWord(at + 6, disk.cylinders);
    put(at + 8, disk.sectors);
  }
  const translations = disks.reduce((bits, disk, i) => bits | ((disk && disk.cylinders > 1024 ? TRANSLATE_LBA : TRANSLATE_NONE) << (2 * i)), 0);
  put(0x39, translations);

  setBootOrder(put, bootOrder);
  put(0x5f, 0);
  set(0x2e, (sum >> 8) & 0xff);
  set(0x2f, sum & 0xff);
}

/** @throws RangeError for an order that there is not */
export function setBootOrder(set: (index: number, value: number) => void, order: string): void {
  if (order.length > 3) throw new RangeError('too many boot devices for a PC: it has room for three');
  const boot = [0, 1, 2].map((i) => bootDevice(order[i]));
  set(0x3d, boot[0] | (boot[1] << 4));
  set(0x38, boot[2] << 4);
}

function bootDevice(letter: string | undefined): number {
  if (letter === undefined) return 0;
  const device = BOOT_DEVICES[letter];
  if (device === undefined) throw new RangeError(`no boot device '${letter}'`);
  return device;
}
