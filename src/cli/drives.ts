/** `-drive` and the options that are short for it. */
import { CACHE_MODES, DETECT_ZEROES } from '../backends/block/drive.ts';
import { FORMAT_NAMES } from '../backends/block/formats.ts';
import type { Config, DriveOption } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

const KNOWN = ['file', 'format', 'if', 'index', 'bus', 'unit', 'media', 'readonly', 'snapshot', 'cache', 'discard', 'detect-zeroes', 'id'] as const;
/** Positions on an interface, and how many of them a bus has. */
const SLOTS = { ide: { count: 4, perBus: 2 }, floppy: { count: 2, perBus: 2 }, virtio: { count: 24, perBus: 1 } } as const;

/** An option that is a drive's place, with a file name: `-hda`, `-fdb`. */
export function setImage(kind: 'ide' | 'floppy', index: number): (config: Config, file: string, option: string) => void {
  return (config, file, option) => addDrive(config, { file, interface: kind, index, readOnly: false, snapshot: false, option });
}

/** -cdrom: QEMU has it as the secondary master. */
export function setCdrom(config: Config, file: string, option: string): void {
  if (file === '') throw new UsageError(`${option}: a file name is missing`);
  addDrive(config, { file, interface: 'ide', index: 2, media: 'cdrom', readOnly: true, snapshot: false, option });
}

export function addDrive(config: Config, added: Config['drives'][number]): void {
  if (added.file === '' && added.media !== 'cdrom') throw new UsageError(`${added.option}: a file name is missing`);
  const same = config.drives.findIndex((one) => one.interface === added.interface && one.index === added.index);
  // What a machine's name brought gives way.
  if (same >= 0 && config.drives[same]!.image === undefined) {
    const { perBus } = SLOTS[added.interface];
    throw new UsageError(`${added.option} ${added.file}: drive with bus=${Math.floor(added.index / perBus)}, unit=${added.index % perBus} (${added.interface}) exists`);
  }
  if (same >= 0) config.drives.splice(same, 1);
  checkId(config, added);
  config.drives.push(added);
}

export function setDrive(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value);
  checkProperties(option, properties, KNOWN);
  const kind = properties.get('if') ?? 'ide';
  if (kind !== 'ide' && kind !== 'floppy' && kind !== 'virtio' && kind !== 'none') throw new UsageError(`${option}: unsupported bus type '${kind}' (ide, floppy, virtio, none)`);
  const format = properties.get('format'), id = properties.get('id');
  checkFormat(option, format);
  const media = properties.get('media') ?? 'disk';
  if (media !== 'disk' && media !== 'cdrom') throw new UsageError(`${option}: invalid media '${media}' (disk, cdrom)`);
  if (media === 'cdrom' && kind !== 'ide' && kind !== 'none') throw new UsageError(`${option}: media=cdrom is for if=ide and if=none`);
  const cache = oneOf(option, 'cache', properties.get('cache'), CACHE_MODES);
  const detectZeroes = oneOf(option, 'detect-zeroes', properties.get('detect-zeroes'), DETECT_ZEROES);
  const discard = oneOf(option, 'discard', properties.get('discard'), ['ignore', 'off', 'unmap', 'on'] as const);
  const unmaps = discard === 'unmap' || discard === 'on';
  if (detectZeroes === 'unmap' && !unmaps) throw new UsageError(`${option}: setting detect-zeroes to unmap is not allowed without setting discard operation to unmap`);
  const drive: DriveOption = {
    file: properties.get('file') ?? '', interface: kind === 'none' ? 'virtio' : kind, index: kind === 'none' ? -1 : slotOf(config, option, kind, properties),
    readOnly: parseOnOff(option, 'readonly', properties.get('readonly'), false), snapshot: parseOnOff(option, 'snapshot', properties.get('snapshot'), false), option,
    ...(format === undefined ? {} : { format }), ...(cache === undefined ? {} : { cache }), ...(detectZeroes === undefined ? {} : { detectZeroes }),
    ...(media === 'cdrom' ? { media } : {}), ...(unmaps ? { discard: true } : {}), ...(id === undefined ? {} : { id }),
  };
  if (kind !== 'none') return addDrive(config, drive);
  if (id === undefined) throw new UsageError(`${option}: if=none needs an id, for a -device that names it`);
  checkId(config, drive);
  config.looseDrives.push(drive);
}

export function checkId(config: Config, { id, option }: DriveOption): void {
  if (id !== undefined && [...config.drives, ...config.looseDrives].some((one) => one.id === id)) throw new UsageError(`${option}: Duplicate ID '${id}' for drive`);
}

/** @throws UsageError for an image format that there is not */
export function checkFormat(option: string, format: string | undefined): void {
  if (format !== undefined && !FORMAT_NAMES.includes(format)) throw new UsageError(`${option}: unknown driver '${format}' (${FORMAT_NAMES.join(', ')})`);
}

/** The place that `index`, or `bus` and `unit`, name; else the first that is free. */
function slotOf(config: Config, option: string, kind: DriveOption['interface'], properties: Map<string, string>): number {
  const { count, perBus } = SLOTS[kind];
  const index = properties.get('index'), bus = properties.get('bus'), unit = properties.get('unit');
  if (index !== undefined) {
    if (bus !== undefined || unit !== undefined) throw new UsageError(`${option}: index cannot be used with bus and unit`);
    return parseNumber(`${option} index`, index, 0, count - 1);
  }
  const busNumber = bus === undefined ? null : parseNumber(`${option} bus`, bus, 0, count / perBus - 1);
  if (unit !== undefined) return (busNumber ?? 0) * perBus + parseNumber(`${option} unit`, unit, 0, perBus - 1);
  const places = Array.from({ length: count }, (_, slot) => slot).filter((slot) => busNumber === null || Math.floor(slot / perBus) === busNumber);
  return places.find((slot) => !config.drives.some((one) => one.interface === kind && one.index === slot)) ?? places.at(-1)!;
}

function oneOf<T extends string>(option: string, key: string, value: string | undefined, values: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = values.find((one) => one === value);
  if (found === undefined) throw new UsageError(`${option}: invalid ${key} option '${value}' (${values.join(', ')})`);
  return found;
}
