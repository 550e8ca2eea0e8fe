/** The drives of PcOptions and their images. */
import { openImage } from '../backends/block/open.ts';
import type { OpenImage } from '../backends/block/open.ts';
import { floppySectors } from '../devices/fdc-media.ts';
import type { FloppyDriveOptions, FloppyDriveType } from '../devices/fdc-media.ts';
import type { BlockBackend } from '../devices/host.ts';
import type { DriveOptions, PcOptions } from '../index.ts';

export const DISK_LETTERS = ['hda', 'hdb', 'hdc', 'hdd'] as const;
/** Where a PC has its CD-ROM drive: the secondary master. */
const CDROM_INDEX = 2;
/** Positions of virtio drives. */
const VIRTIO_DRIVES = 24;
export const FLOPPY_LETTERS = ['fda', 'fdb'] as const;

function drivesOf(options: PcOptions): DriveOptions[] {
  const short = (kind: 'ide' | 'floppy', names: readonly (typeof DISK_LETTERS[number] | typeof FLOPPY_LETTERS[number])[]): DriveOptions[] =>
    names.flatMap((name, index) => (options[name] === undefined ? [] : [{ file: options[name], interface: kind, index }]));
  const given = [...short('floppy', FLOPPY_LETTERS), ...short('ide', DISK_LETTERS), ...options.drives ?? []];
  const hasCdrom = options.cdrom !== null && (options.cdrom !== undefined || !given.some((drive) => drive.interface === 'ide' && drive.index === CDROM_INDEX));
  return hasCdrom ? [...given, { file: options.cdrom ?? '', interface: 'ide', index: CDROM_INDEX, media: 'cdrom' }] : given;
}

/** What is said of the drive at a place; null: there is none. */
export const driveAt = (options: PcOptions, kind: DriveOptions['interface'], index: number): DriveOptions | null =>
  drivesOf(options).find((drive) => drive.interface === kind && drive.index === index) ?? null;

/** A PC has drive A even when it is empty; drive B only if something is in it, or is said of it. */
export function floppyDrive(medium: BlockBackend | null, type: FloppyDriveType | 'auto' | 'none' | null, unit: number): FloppyDriveOptions | null {
  if (type === 'none' || (medium === null && type === null && unit > 0)) return null;
  return { medium, type: type === null || type === 'auto' ? undefined : type };
}

/** Opens the image for a drive while `others` are in other drives. @throws Error, with the image closed again */
export function openDrive({ file, interface: kind, media, readOnly, snapshot, format, cache, detectZeroes, discard }: DriveOptions, options: PcOptions, others: readonly OpenImage[]): OpenImage {
  const image = openImage(file, {
    format, cache, detectZeroes, discard, readOnly: readOnly === true || media === 'cdrom', snapshot: options.snapshot === true || snapshot === true, ...(kind === 'floppy' ? { present: floppySectors } : {}),
  });
  if (others.some((other) => other.identity === image.identity && (other.writes || image.writes))) {
    image.close();
    throw new Error(`disk image ${file} is in another drive already, and is not a snapshot`);
  }
  if (image.warning !== null) options.notify?.(image.warning);
  return image;
}

/** Opens the images of all drives; those of an interface by position. @throws Error, with all images closed again */
export function openDrives(options: PcOptions): { floppies: (OpenImage | null)[]; disks: (OpenImage | null)[]; virtio: (OpenImage | null)[]; all: OpenImage[] } {
  const all: OpenImage[] = [];
  const open = (drive: DriveOptions): OpenImage => {
    const image = openDrive(drive, options, all);
    all.push(image);
    return image;
  };
  const place = (kind: DriveOptions['interface'], count: number): (OpenImage | null)[] => Array.from({ length: count }, (_, index) => {
    const [drive, second] = drivesOf(options).filter((one) => one.interface === kind && one.index === index);
    if (second !== undefined) throw new Error(`drive ${index} (${kind}) is given twice`);
    return drive === undefined || (drive.media === 'cdrom' && drive.file === '') ? null : open(drive);
  });
  try {
    return { floppies: place('floppy', FLOPPY_LETTERS.length), disks: place('ide', DISK_LETTERS.length), virtio: place('virtio', VIRTIO_DRIVES), all };
  } catch (error) {
    for (const image of all) image.close();
    throw error;
  }
}

/** The same image, with its first error also given to options.warn. */
export function reporting({ backend }: OpenImage, { warn }: PcOptions): BlockBackend {
  let told = false;
  const tell = (done: (error?: Error) => void) => (error?: Error): void => {
    if (error !== undefined && !told) {
      told = true;
      warn?.(error.message);
    }
    done(error);
  };
  return {
    sectors: backend.sectors, readOnly: backend.readOnly,
    read: (sector, data, done) => backend.read(sector, data, tell(done)),
    write: (sector, data, done) => backend.write(sector, data, tell(done)),
    flush: (done) => backend.flush(tell(done)),
    ...(backend.writeZeroes === undefined ? {} : { writeZeroes: (sector, count, done) => backend.writeZeroes?.(sector, count, tell(done)) }),
    ...(backend.discard === undefined ? {} : { discard: (sector, count, done) => backend.discard?.(sector, count, tell(done)) }),
  };
}
