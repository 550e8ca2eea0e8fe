/**
 * Makes small CD images for tests: ISO 9660 level 1 with files in the root directory, and an El Torito boot record.
 * Source: ECMA-119; El Torito Bootable CD-ROM Format Specification 1.0.
 *
 *     16 primary volume descriptor   17 boot record, or the terminator   18 terminator   19, 20 path tables   21 root directory
 *     22 boot catalog   23 onward the boot image, then the files
 */
export const SECTOR = 2048;
const PATH_LITTLE = 19, PATH_BIG = 20, ROOT = 21, CATALOG = 22, FIRST = 23;

export interface BootImage {
  /** 0 no emulation, 1–3 floppy of 1.2, 1.44, 2.88 MB, 4 hard disk. */
  media: 0 | 1 | 2 | 3 | 4;
  image: Uint8Array;
  /** 512-byte sectors that are loaded; default 1. */
  sectors?: number;
  /** Default 0: 07C0h. */
  segment?: number;
  /** 0 if it is not bootable. */
  indicator?: number;
}

const text = (value: string, length: number): number[] => [...value.padEnd(length)].map((char) => char.charCodeAt(0));
const little = (value: number, bytes: number): number[] => Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
/** Both byte orders, one after the other. */
const both = (value: number, bytes: 2 | 4): number[] => [...little(value, bytes), ...little(value, bytes).reverse()];

function record(name: number[], sector: number, size: number, folder: boolean): number[] {
  const length = 33 + name.length + (name.length + 1) % 2;
  const bytes = [length, 0, ...both(sector, 4), ...both(size, 4), 126, 1, 1, 0, 0, 0, 0, folder ? 2 : 0, 0, 0, ...both(1, 2), name.length, ...name];
  return [...bytes, ...new Array<number>(length - bytes.length).fill(0)];
}

/** @param files by names such as HELLO.TXT */
export function makeIso(files: Readonly<Record<string, Uint8Array>>, boot?: BootImage): Uint8Array {
  const chunks: [sector: number, data: ArrayLike<number>][] = [];
  let next = FIRST;
  const place = (data: Uint8Array): number => {
    const at = next;
    chunks.push([at, data]);
    next += Math.max(1, Math.ceil(data.length / SECTOR));
    return at;
  };
  const image = boot === undefined ? 0 : place(boot.image);
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, data]) => record(text(`${name};1`, 0), place(data), data.length, false));
  chunks.push([ROOT, [...record([0], ROOT, SECTOR, true), ...record([1], ROOT, SECTOR, true), ...entries.flat()]]);
  chunks.push([PATH_LITTLE, [1, 0, ...little(ROOT, 4), 1, 0, 0, 0]], [PATH_BIG, [1, 0, ...little(ROOT, 4).reverse(), 0, 1, 0, 0]]);
  const date = [...text('2026010100000000', 16), 0], none = [...text('0000000000000000', 16), 0];
  chunks.push([16, [
    1, ...text('CD001', 5), 1, 0, ...text('TCG86', 32), ...text('TEST', 32), ...new Array<number>(8).fill(0), ...both(next, 4), ...new Array<number>(32).fill(0),
    ...both(1, 2), ...both(1, 2), ...both(SECTOR, 2), ...both(10, 4), ...little(PATH_LITTLE, 4), 0, 0, 0, 0, ...little(PATH_BIG, 4).reverse(), 0, 0, 0, 0,
    ...record([0], ROOT, SECTOR, true), ...text('', 128 * 4 + 37 * 3), ...date, ...date, ...none, ...none, 1,
  ]]);
  if (boot !== undefined) {
    chunks.push([17, [0, ...text('CD001', 5), 1, ...text('EL TORITO SPECIFICATION', 23), ...new Array<number>(41).fill(0), ...little(CATALOG, 4)]]);
    const validation = [1, 0, 0, 0, ...text('TCG86', 24), 0, 0, 0x55, 0xaa];
    let sum = 0;
    for (let i = 0; i < 32; i += 2) sum += validation[i]! | validation[i + 1]! << 8;
    [validation[28], validation[29]] = little(-sum & 0xffff, 2) as [number, number];
    chunks.push([CATALOG, [...validation, boot.indicator ?? 0x88, boot.media, ...little(boot.segment ?? 0, 2), 0, 0, ...little(boot.sectors ?? 1, 2), ...little(image, 4)]]);
  }
  chunks.push([boot === undefined ? 17 : 18, [255, ...text('CD001', 5), 1]]);
  const iso = new Uint8Array(next * SECTOR);
  for (const [sector, data] of chunks) iso.set(data, sector * SECTOR);
  return iso;
}
