/** -drive and its short forms: keys, places, and what is said of wrong ones. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.ts';
import { parseArguments } from '../../src/cli/options.ts';
import { make, scratchFolder } from '../backends/block/support.ts';

const drives = (...args: string[]): unknown => parseArguments(args).drives.map(({ interface: kind, index, file }) => [kind, index, file]);

describe('-drive', () => {
  it('has places by index, by bus and unit, or the first that is free', () => {
    expect(drives('-drive', 'file=a', '-drive', 'file=b,index=2', '-drive', 'file=c', '-drive', 'file=d,bus=1,unit=1', '-drive', 'file=e,if=floppy,unit=1')).toEqual([
      ['ide', 0, 'a'], ['ide', 2, 'b'], ['ide', 1, 'c'], ['ide', 3, 'd'], ['floppy', 1, 'e'],
    ]);
    expect(drives('-hda', 'a', '-drive', 'file=b,bus=1', '-fda', 'c,d')).toEqual([['ide', 0, 'a'], ['ide', 2, 'b'], ['floppy', 0, 'c,d']]);
  });

  it('has the format, and how writes are treated', () => {
    const [drive] = parseArguments(['-drive', 'file=x,,y,format=qcow2,readonly=on,snapshot=on,cache=writethrough,discard=unmap,detect-zeroes=unmap,media=disk,id=disk0']).drives;
    expect(drive).toMatchObject({ file: 'x,y', format: 'qcow2', readOnly: true, snapshot: true, cache: 'writethrough', discard: true, detectZeroes: 'unmap', id: 'disk0' });
  });

  it.each([
    ["unsupported bus type 'scsi' (ide, floppy, virtio, none)", 'file=a,if=scsi'], ['if=none needs an id', 'file=a,if=none'], ["unknown driver 'vhs' (raw, qcow2, qed, vdi, vmdk, vpc)", 'file=a,format=vhs'], ["invalid media 'tape' (disk, cdrom)", 'file=a,media=tape'], ['media=cdrom is for if=ide and if=none', 'file=a,media=cdrom,if=floppy'],
    ["invalid cache option 'often'", 'file=a,cache=often'], ["invalid discard option 'maybe'", 'file=a,discard=maybe'], ['setting detect-zeroes to unmap is not allowed without', 'file=a,detect-zeroes=unmap'],
    ['index cannot be used with bus and unit', 'file=a,index=1,unit=1'], ['4 is not between 0 and 3', 'file=a,index=4'], ['2 is not between 0 and 1', 'file=a,unit=2'],
    ["invalid parameter 'werror'", 'file=a,werror=stop'], ['a file name is missing', 'format=raw'],
  ])('says: %s', (message, value) => {
    expect(() => parseArguments(['-drive', value])).toThrow(message);
  });

  it('has CD-ROM drives, with and without a medium', () => {
    const cd = { interface: 'ide', index: 2, media: 'cdrom' };
    expect(parseArguments(['-cdrom', 'a']).drives).toMatchObject([{ ...cd, file: 'a' }]);
    expect(parseArguments(['-drive', 'if=ide,media=cdrom,index=2']).drives).toMatchObject([{ ...cd, file: '' }]);
    expect(parseArguments(['--change', 'cdrom=b', '--change', 'ide1-cd0=']).steps).toMatchObject([{ drive: 'hdc', file: 'b' }, { drive: 'hdc', file: null }]);
    expect(() => parseArguments(['-cdrom', 'a', '-hdc', 'b'])).toThrow('-hdc b: drive with bus=1, unit=0 (ide) exists');
    expect(() => parseArguments(['-cdrom', ''])).toThrow('-cdrom: a file name is missing');
  });

  it('takes no place and no name twice', () => {
    expect(() => parseArguments(['-hdd', 'a', '-drive', 'file=b,bus=1,unit=1'])).toThrow('-drive b: drive with bus=1, unit=1 (ide) exists');
    expect(() => parseArguments(['-drive', 'file=a,id=x', '-drive', 'file=b,id=x'])).toThrow("Duplicate ID 'x' for drive");
  });
});

describe('-device for drives', () => {
  const none = (id: string, file = `file=${id},`): string[] => ['-drive', `${file}if=none,id=${id}`];
  const device = (value: string): string[] => ['-device', value];

  it('puts what -drive holds into places, behind the drives of -drive', () => {
    expect(drives(...none('a'), ...device('ide-hd,drive=a'), ...none('b'), ...device('ide-hd,drive=b,bus=ide.1,unit=1'), '-hda', 'c')).toEqual([['ide', 0, 'c'], ['ide', 1, 'a'], ['ide', 3, 'b']]);
    expect(drives('-hda', 'x', '-hdb', 'y', ...none('a'), ...device('ide-hd,drive=a,unit=0'))).toEqual([['ide', 0, 'x'], ['ide', 1, 'y'], ['ide', 2, 'a']]);
    expect(drives('-fda', 'x', ...none('a'), ...device('floppy,drive=a,drive-type=288'))).toEqual([['floppy', 0, 'x'], ['floppy', 1, 'a']]);
    expect(drives(...none('a'), ...none('b'), ...device('virtio-blk-pci,drive=b,bus=pci.0'), ...device('virtio-blk,drive=a'))).toEqual([['virtio', 0, 'b'], ['virtio', 1, 'a']]);
  });

  it('has CD-ROM drives, empty ones too', () => {
    expect(parseArguments([...none('cd'), ...device('ide-cd,drive=cd,bus=ide.1'), ...device('ide-cd')]).drives).toMatchObject([
      { interface: 'ide', index: 2, media: 'cdrom', readOnly: true, file: 'cd' }, { interface: 'ide', index: 0, media: 'cdrom', file: '' }]);
    expect(parseArguments(['-drive', 'if=none,id=e,media=cdrom', ...device('ide-cd,drive=e')]).drives).toMatchObject([{ index: 0, media: 'cdrom', file: '' }]);
  });

  it('says what they call themselves', () => {
    expect(parseArguments([...none('a'), ...device('ide-hd,drive=a,serial=S1,model=M,,1,ver=2.5'), ...none('b'), ...device('virtio-blk-pci,drive=b,serial=V1')]).drives).toMatchObject([
      { serial: 'S1', model: 'M,1', firmware: '2.5' }, { interface: 'virtio', serial: 'V1' }]);
  });

  it.each([
    ['-device ide-hd: No drive specified', device('ide-hd')], ["Property 'drive' can't find value 'z'", device('ide-hd,drive=z')], ['Device needs media, but drive is empty', ['-drive', 'if=none,id=a', ...device('ide-hd,drive=a')]],
    ["Drive 'a' is already in use", ['-drive', 'file=x,id=a', ...device('ide-hd,drive=a')]], ["Drive 'a' is already in use", [...none('a'), ...device('ide-hd,drive=a'), ...device('ide-hd,drive=a')]],
    ['-device ide-hd: IDE unit 0 is in use', ['-hda', 'x', ...none('a'), ...device('ide-hd,drive=a,bus=ide.0,unit=0')]], ["Bus 'ide.1' is full", ['-hdc', 'x', '-hdd', 'y', ...none('a'), ...device('ide-hd,drive=a,bus=ide.1')]],
    ["-device ide-cd: Bus 'ide.2' not found (ide.0, ide.1)", device('ide-cd,bus=ide.2')], ["-device pvpanic: Bus 'pci.0' not found (isa.0)", device('pvpanic,bus=pci.0')],
    ['No IDE bus has room', ['-hda', 'a', '-hdb', 'b', '-hdc', 'c', '-hdd', 'd', ...device('ide-cd')]], ['unit: 2 is not between 0 and 1', device('ide-cd,unit=2')], ["no -device has drive=a", none('a')],
    ['both floppy drives are taken', ['-fda', 'a', '-fdb', 'b', ...none('c'), ...device('floppy,drive=c')]],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });

  it('the machine has what they say, and no CD-ROM drive besides', () => {
    const folder = scratchFolder(), disk = join(folder, 'disk.img');
    writeFileSync(disk, Buffer.alloc(1 << 20));
    const machine = Machine.open({ memory: 2, cdrom: null, drives: [{ file: disk, format: 'raw', interface: 'ide', index: 3 }, { file: '', interface: 'ide', index: 0, media: 'cdrom' }] });
    expect(machine.board.ide.map(({ drives: both }) => both.map((drive) => drive?.name ?? null))).toEqual([['ide0-master', null], [null, 'ide1-slave']]);
    machine.close();
    rmSync(folder, { recursive: true });
  });
});

describe('-boot', () => {
  it('has orders, a menu and times', () => {
    expect(parseArguments(['-boot', 'dc'])).toMatchObject({ bootOrder: 'dc', boot: { once: '', menu: false, splashTime: null } });
    expect(parseArguments(['-boot', 'order=ca,once=d,menu=on,splash-time=3000,reboot-timeout=5000,strict=off'])).toMatchObject({
      bootOrder: 'ca', boot: { once: 'd', menu: true, splashTime: 3000, rebootTimeout: 5000, strict: false },
    });
  });

  it.each([
    ["invalid boot device 'x'", 'x'], ["a boot device is given twice in 'aa'", 'aa'], ["invalid boot device 'z'", 'once=z'], ["too many boot devices in 'acdn'", 'acdn'],
    ["splash-time: 70000 is not between 0 and 65535", 'menu=on,splash-time=70000'], ["'x' is not a number", 'splash-time=x'], ["expects 'on' or 'off', not 'perhaps'", 'menu=perhaps'],
    ["invalid parameter 'splash'", 'splash=a.jpg'],
  ])('says: %s', (message, value) => {
    expect(() => parseArguments(['-boot', value])).toThrow(message);
  });
});

describe('tcg86', () => {
  const folder = scratchFolder();
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../dist/tcg86.js'), '-display', 'none', '-m', '2M', '--wait', '0', ...args], { encoding: 'utf8', timeout: 60_000 });

  it('warns of a guessed raw image, in the words of QEMU, unless nothing is written to it', () => {
    const disk = join(folder, 'disk.img');
    writeFileSync(disk, Buffer.alloc(1_048_576));
    const { status, stderr } = run('-hda', disk);
    expect(stderr).toBe(`WARNING: Image format was not specified for '${disk}' and probing guessed raw.\n`
      + '         Automatically detecting the format is dangerous for raw images, write operations on block 0 will be restricted.\n'
      + "         Specify the 'raw' format explicitly to remove the restrictions.\n");
    expect(status).toBe(0);
    expect(run('-hda', disk, '-snapshot').stderr).toBe('');
    expect(run('-drive', `format=raw,file=${disk}`).stderr).toBe('');
  });

  it('says in one line what is wrong with an image', () => {
    const disk = make('qcow2', join(folder, 'disk.qcow2'), 1_048_576, { backing_file: 'gone.raw', backing_fmt: 'raw' });
    expect(run('-hda', disk)).toMatchObject({ status: 1, stderr: `tcg86: cannot use disk image ${join(folder, 'gone.raw')}: no such file\n` });
    const other = make('vdi', join(folder, 'disk.vdi'), 1_048_576);
    expect(run('-drive', `format=qcow2,file=${other}`)).toMatchObject({ status: 1, stderr: `tcg86: cannot use disk image ${other}: not a qcow2 image\n` });
    expect(run('-hda', other, '-hdb', other)).toMatchObject({ status: 1, stderr: `tcg86: cannot use disk image ${other}: it is in another drive already, and is not a snapshot\n` });
    expect(run('-hda', other, '-hdb', other, '-snapshot')).toMatchObject({ status: 0, stderr: '' });
  });
});
