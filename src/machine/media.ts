/**
 * The medium of a drive as options and steps name it: `fda=FILE[,readonly=on][,snapshot=on][,format=raw]`; an empty FILE is an empty drive.
 * Drives are called as in QEMU: fda and fdb, or floppy0 and floppy1; hda to hdd where they are CD-ROM drives, or ide0-cd0 to ide1-cd1; cdrom is hdc.
 */

/** Drives whose medium can be changed while the machine runs: the last four if they are CD-ROM drives. */
export type RemovableDrive = 'fda' | 'fdb' | 'hda' | 'hdb' | 'hdc' | 'hdd';

const NAMES: Readonly<Record<string, RemovableDrive>> = {
  fda: 'fda', fdb: 'fdb', floppy0: 'fda', floppy1: 'fdb',
  hda: 'hda', hdb: 'hdb', hdc: 'hdc', hdd: 'hdd', 'ide0-cd0': 'hda', 'ide0-cd1': 'hdb', 'ide1-cd0': 'hdc', 'ide1-cd1': 'hdd', cdrom: 'hdc',
};

export interface MediumOptions {
  /** The guest cannot write. */
  readOnly?: boolean;
  /** Writes stay in memory. */
  snapshot?: boolean;
  /** Of the image; not given: guessed from the file. */
  format?: string;
}

/** @throws Error for a drive without a removable medium */
export function removableDrive(name: string): RemovableDrive {
  const drive = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (drive === undefined) throw new Error(`'${name}' is no drive whose medium can be changed (fda, fdb, cdrom, hda-hdd)`);
  return drive;
}
