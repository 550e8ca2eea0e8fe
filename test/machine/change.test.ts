/** Changing media while a machine is open: what the drive's change line and the images see of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';
import { Machine, StepError } from '../../src/index.ts';

const DOR = 0x3f2, DIR = 0x3f7;
const MOTOR_A = 0x1c;

let folder: string, machine: Machine;
const floppy = (name: string, kilobytes: number): string => {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(kilobytes * 1024, name));
  return path;
};
const changed = (): boolean => {
  machine.board.io.write(DOR, MOTOR_A, 1);
  return (machine.board.io.read(DIR, 1) & 0x80) !== 0;
};

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'tcg86-test-')); });
afterEach(() => {
  machine.close();
  rmSync(folder, { recursive: true });
});

describe('change', () => {
  it('puts media of other sizes into a drive, and takes them out', () => {
    machine = Machine.open({ fda: floppy('first', 1440), floppyDrives: ['2.88M'] });
    const [drive] = machine.board.fdc.drives;
    machine.change('fda', floppy('small', 720));
    expect(drive!.format).toMatchObject({ cylinders: 80, heads: 2, sectors: 9 });
    machine.change('fda', floppy('large', 2880));
    expect(drive!.format).toMatchObject({ sectors: 36 });
    machine.change('fda', null);
    expect(drive!.medium).toBeNull();
    expect(changed()).toBe(true);
  });

  it('changes the CD, and leaves a drive that the guest holds shut', () => {
    machine = Machine.open({ cdrom: floppy('first', 4) });
    const drive = machine.board.cdrom(2)!;
    expect(drive.medium!.sectors).toBe(2);
    machine.change('hdc', floppy('second', 6));
    expect(drive.medium!.sectors).toBe(3);
    drive.fields.locked = 1;
    expect(() => machine.change('hdc', null)).toThrow("drive 'hdc' is locked by the guest, which has been asked to open it: try again");
    expect(drive.takeEvent()).toBe(1);
    drive.moveTray(true);
    machine.change('hdc', null);
    expect([drive.medium, drive.fields.trayOpen]).toEqual([null, 1]);
    expect(() => machine.change('hda', null)).toThrow("'hda' is no CD-ROM drive");
  });

  it('a PC has an empty CD-ROM drive, unless something else has its place', () => {
    machine = Machine.open();
    expect(machine.board.cdrom(2)).toMatchObject({ medium: null, fields: { trayOpen: 0 } });
    machine.close();
    machine = Machine.open({ hdc: floppy('disk', 1024) });
    expect(machine.board.cdrom(2)).toBeNull();
  });

  it('gives the image before back, and keeps writes apart with snapshot', () => {
    const first = floppy('first', 1440), second = floppy('second', 1440);
    machine = Machine.open({ fda: first, fdb: floppy('other', 1440), snapshot: true });
    expect(() => machine.change('fda', second)).not.toThrow();
    machine.board.fdc.drives[0]!.medium!.write(0, new Uint8Array(512), () => {});
    machine.change('fdb', second);
    machine.change('fda', first);
    expect(readFileSync(second).subarray(0, 6).toString()).toBe('second');
  });

  it('writes to an image that is no snapshot, unless it is read-only', () => {
    const first = floppy('first', 1440), second = floppy('second', 1440);
    machine = Machine.open({ fda: first });
    machine.change('fda', second, { readOnly: true });
    expect(machine.board.fdc.drives[0]!.medium!.readOnly).toBe(true);
    machine.change('fda', first);
    machine.board.fdc.drives[0]!.medium!.write(1, new Uint8Array(512), () => {});
    expect(readFileSync(first)[512]).toBe(0);
  });

  it('says what cannot be, and changes nothing then', () => {
    const first = floppy('first', 1440);
    machine = Machine.open({ fda: first });
    const { medium } = machine.board.fdc.drives[0]!;
    expect(() => machine.change('fda', join(folder, 'none'))).toThrow(/no such file/);
    expect(() => machine.change('fda', floppy('huge', 4000))).toThrow('no floppy format has 8000 sectors');
    expect(() => machine.change('fda', floppy('large', 2880))).toThrow('a floppy of 2880 KB does not go into a drive for 1.44MB');
    expect(() => machine.change('fdb', floppy('other', 1440))).toThrow('there is no floppy drive B');
    expect(machine.board.fdc.drives[0]!.medium).toBe(medium);
    const shared = floppy('disk', 1440);
    machine.close();
    machine = Machine.open({ fda: first, hda: shared });
    expect(() => machine.change('fda', shared)).toThrow('is in another drive already');
  });

  it('is a step, whose errors name it', async () => {
    machine = Machine.open({ fda: floppy('first', 1440) });
    const { steps } = parseArguments(['--change', `fda=${floppy('a,b', 720).replace(',', ',,')},readonly=on`, '--change', 'floppy0=', '--change', 'fda=missing']);
    await machine.run(steps.slice(0, 1));
    expect(machine.board.fdc.drives[0]!.medium).toMatchObject({ sectors: 1440, readOnly: true });
    await machine.run(steps.slice(1, 2));
    expect(machine.board.fdc.drives[0]!.medium).toBeNull();
    await expect(machine.run(steps.slice(2))).rejects.toThrow(new StepError('--change fda=missing: cannot use disk image missing: no such file'));
  });

  it('needs a drive B, which -device floppy makes', () => {
    machine = Machine.open({ floppyDrives: parseArguments(['-device', 'floppy,unit=1,drive-type=120']).floppyDrives });
    machine.change('fdb', floppy('other', 360));
    expect(machine.board.fdc.drives.map((drive) => drive?.type)).toEqual(['2.88M', '1.2M']);
    expect(() => parseArguments(['-device', 'floppy,drive-type=999'])).toThrow("parameter 'drive-type' expects 120, 144, 288, 360, 720 or auto, not '999'");
  });

  it('takes no other drives and properties', () => {
    machine = Machine.open();
    expect(() => parseArguments(['--change', 'scsi0=x'])).toThrow("--change: 'scsi0' is no drive whose medium can be changed (fda, fdb, cdrom, hda-hdd)");
    expect(() => parseArguments(['--change', 'x'])).toThrow('--change x: expected DRIVE=FILE');
    expect(() => parseArguments(['--change', 'fda=x,colour=red'])).toThrow("invalid parameter 'colour'");
  });
});
