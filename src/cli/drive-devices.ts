/** -device for drives: each takes what a -drive with if=none holds, and has its place when all options are read, behind the drives of -drive. */
import type { FloppyDriveType } from '../devices/fdc-media.ts';
import type { Config, DriveOption } from './config.ts';
import { BOOT_INDEX, bootIndexOf } from './device-model.ts';
import type { DeviceModels, DeviceProperty, DeviceValues } from './device-model.ts';
import { addDrive } from './drives.ts';
import { UsageError } from './errors.ts';

export interface DriveDevice {
  readonly kind: DriveOption['interface'];
  readonly media?: 'cdrom';
  /** Which -drive; null: none, which a drive for removable media can do without. */
  readonly drive: string | null;
  /** ide: on which channel; null: wherever there is room. */
  readonly bus: number | null;
  readonly unit: number | null;
  readonly floppyType?: FloppyDriveType | 'auto';
  readonly identity: Pick<DriveOption, 'serial' | 'model' | 'firmware' | 'bootIndex'>;
  readonly option: string;
}

export const IDE_BUSES = ['ide.0', 'ide.1'] as const;
/** drive-type of -device floppy: QEMU's names, and two for the drives that it does not have. */
const DRIVE_TYPES: Readonly<Record<string, FloppyDriveType>> = { 144: '1.44M', 288: '2.88M', 120: '1.2M', 720: '720K', 360: '360K' };
const UNITS = 2, VIRTIO_PLACES = 24;

const DRIVE: DeviceProperty = { type: 'str', text: 'ID of a -drive with if=none' };
const SERIAL: DeviceProperty = { type: 'str', text: 'serial number, 20 characters at most' };
const IDE_PROPERTIES = {
  drive: DRIVE, serial: SERIAL, model: { type: 'str', text: 'what it calls itself, 40 characters at most' }, ver: { type: 'str', text: 'version of its firmware, 8 characters at most' },
  unit: { type: 'uint32', max: UNITS - 1, text: 'first (0) or second (1) drive of its bus' }, ...BOOT_INDEX,
} as const satisfies Record<string, DeviceProperty>;

export const DRIVE_DEVICES: DeviceModels = {
  floppy: {
    category: 'Storage', bus: 'floppy-bus', description: 'virtual floppy drive',
    properties: {
      drive: DRIVE,
      unit: { type: 'uint32', max: UNITS - 1, text: 'drive A (0) or B (1)' },
      'drive-type': { type: 'str', typeName: 'FdcDriveType', choices: [...Object.keys(DRIVE_TYPES), 'auto'], text: `FDC drive type, ${Object.keys(DRIVE_TYPES).join('/')}/auto`, default: 'auto' },
    },
    add: (config, values, option) => {
      const name = values.text('drive-type')!, type = name === 'auto' ? 'auto' : DRIVE_TYPES[name]!, drive = values.text('drive');
      // Without a drive of its own it says what the one in that place is.
      if (drive === undefined) config.floppyDrives[values.number('unit') ?? 0] = type;
      else addDevice(config, values, option, { kind: 'floppy', floppyType: type });
    },
  },
  'ide-hd': {
    category: 'Storage', bus: 'IDE', description: 'virtual IDE disk', properties: IDE_PROPERTIES,
    add: (config, values, option, bus) => {
      if (values.text('drive') === undefined) throw new UsageError(`${option}: No drive specified`);
      addDevice(config, values, option, { kind: 'ide', bus });
    },
  },
  'ide-cd': {
    category: 'Storage', bus: 'IDE', description: 'virtual IDE CD-ROM', properties: IDE_PROPERTIES,
    add: (config, values, option, bus) => addDevice(config, values, option, { kind: 'ide', bus, media: 'cdrom' }),
  },
  'virtio-blk-pci': {
    category: 'Storage', bus: 'PCI', alias: 'virtio-blk', properties: { drive: DRIVE, serial: SERIAL, ...BOOT_INDEX },
    add: (config, values, option) => {
      if (values.text('drive') === undefined) throw new UsageError(`${option}: drive property not set`);
      addDevice(config, values, option, { kind: 'virtio' });
    },
  },
};

function addDevice(config: Config, values: DeviceValues, option: string, place: { kind: DriveDevice['kind']; bus?: string | null; media?: 'cdrom'; floppyType?: FloppyDriveType | 'auto' }): void {
  const { kind, bus = null, media, floppyType } = place, serial = values.text('serial'), model = values.text('model'), firmware = values.text('ver');
  for (const text of [serial, model, firmware]) if (text !== undefined && !/^[\x20-\x7e]*$/.test(text)) throw new UsageError(`${option}: '${text}' is not ASCII text`);
  config.driveDevices.push({
    kind, drive: values.text('drive') ?? null, bus: bus === null ? null : IDE_BUSES.findIndex((name) => name === bus), unit: values.number('unit') ?? null, option,
    identity: { ...(serial === undefined ? {} : { serial }), ...(model === undefined ? {} : { model }), ...(firmware === undefined ? {} : { firmware }), ...bootIndexOf(config, values, option) },
    ...(media === undefined ? {} : { media }), ...(floppyType === undefined ? {} : { floppyType }),
  });
}

/** Puts the drives of -device in their places. @throws UsageError for one without a place, a name without a drive, a drive without a device */
export function attachDrives(config: Config): void {
  for (const device of config.driveDevices) {
    const { kind, media, identity, option } = device, index = placeOf(config, device);
    const held = device.drive === null ? null : takeDrive(config, device.drive, option);
    if (held?.file === '' && media !== 'cdrom' && kind !== 'floppy') throw new UsageError(`${option}: Device needs media, but drive is empty`);
    if (kind === 'floppy' && device.floppyType !== undefined) config.floppyDrives[index] = device.floppyType;
    const { media: _, ...others } = held ?? { file: '', readOnly: true, snapshot: false, option };
    if (kind === 'floppy' && others.file === '') continue;
    addDrive(config, { ...others, interface: kind, index, ...identity, ...(media === undefined ? {} : { media, readOnly: true }) });
  }
  const [unused] = config.looseDrives;
  if (unused !== undefined) throw new UsageError(`${unused.option}: no -device has drive=${unused.id}`);
}

/** The PC has a CD-ROM drive without being told; not where -device has IDE drives, as in QEMU. */
export const hasDefaultCdrom = ({ defaults, driveDevices }: Config): boolean => defaults && !driveDevices.some(({ kind }) => kind === 'ide');

/** What the floppy drives are; drive A is there without being told, unless -nodefaults is. */
export function floppiesOf({ defaults, drives, floppyDrives: [a, b] }: Config): Config['floppyDrives'] {
  return [a ?? (defaults || drives.some((drive) => drive.interface === 'floppy' && drive.index === 0) ? null : 'none'), b];
}

function takeDrive(config: Config, id: string, option: string): DriveOption {
  const at = config.looseDrives.findIndex((drive) => drive.id === id);
  if (at >= 0) return config.looseDrives.splice(at, 1)[0]!;
  if (config.drives.some((drive) => drive.id === id)) throw new UsageError(`${option}: Drive '${id}' is already in use (its -drive needs if=none, and one -device)`);
  throw new UsageError(`${option}: Property 'drive' can't find value '${id}' (a -drive with if=none,id=${id})`);
}

/** @throws UsageError if the place is taken, or there is none */
function placeOf({ drives }: Config, { kind, bus, unit, option }: DriveDevice): number {
  const isFree = (index: number): boolean => !drives.some((drive) => drive.interface === kind && drive.index === index && drive.image === undefined);
  const places = kind === 'virtio' ? Array.from({ length: VIRTIO_PLACES }, (_, index) => index)
    : (kind === 'floppy' ? [0] : bus === null ? [0, 1] : [bus]).filter((number) => isFree(UNITS * number) || isFree(UNITS * number + 1)).flatMap((number) => [UNITS * number, UNITS * number + 1]);
  if (places.length === 0) throw new UsageError(`${option}: ${kind === 'ide' ? bus === null ? 'No IDE bus has room' : `Bus '${IDE_BUSES[bus]}' is full` : 'both floppy drives are taken'}`);
  const place = unit === null ? places.find(isFree) : places[unit];
  if (place === undefined) throw new UsageError(`${option}: there is no room for more drives`);
  if (!isFree(place)) throw new UsageError(`${option}: ${kind === 'ide' ? 'IDE' : 'Floppy'} unit ${place % UNITS} is in use`);
  return place;
}
