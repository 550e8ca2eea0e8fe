/** -device: all models. Those of drives, virtio, folders and networks are rows of their own files. */
import { DEBUG_PORT } from '../devices/debug-port.ts';
import { PVPANIC_EVENTS, PVPANIC_PORT } from '../devices/pvpanic.ts';
import type { Config } from './config.ts';
import { DeviceValues, listDevices, listProperties } from './device-model.ts';
import type { DeviceModel, DeviceModels } from './device-model.ts';
import { DRIVE_DEVICES, IDE_BUSES } from './drive-devices.ts';
import { Information, UsageError } from './errors.ts';
import { NIC_DEVICES } from './network.ts';
import { parseProperties } from './properties.ts';
import { SHARING_DEVICES } from './sharing.ts';
import { VIRTIO_DEVICES } from './virtio.ts';

/** Most video memory in MiB, as QEMU has it. */
const VIDEO_MEMORY_MAX = 256;
/** The devices that -device takes: those that can be added, and those of the board that can be changed. */
export const DEVICES: DeviceModels = {
  ...DRIVE_DEVICES,
  VGA: {
    category: 'Display', bus: 'PCI',
    properties: {
      romfile: { type: 'str', text: 'another VGA BIOS' },
      vgamem_mb: { type: 'uint32', min: 1, max: VIDEO_MEMORY_MAX, text: 'MiB of video memory (16 if not given)' },
    },
    add: (config, values, option) => {
      if (config.vgaDevice !== null) throw new UsageError(`${option}: the board takes one VGA adapter`);
      const memory = values.number('vgamem_mb');
      // Rounded up to a power of two, as QEMU does.
      config.vgaDevice = { rom: values.text('romfile') ?? null, memory: memory === undefined ? null : 2 ** Math.ceil(Math.log2(memory)) };
    },
  },
  'isa-debug-exit': {
    category: 'Misc', bus: 'ISA', description: 'a write ends the machine with code (value << 1) | 1',
    properties: { iobase: { type: 'uint32', max: 0xffff, default: 0x501 }, iosize: { type: 'uint32', min: 1, max: 4, default: 2 } },
    add: (config, values, option) => {
      const iobase = values.number('iobase')!, iosize = values.number('iosize')!;
      if (iobase + iosize > 0x10000) throw new UsageError(`${option} iobase: ${iobase} is not between 0 and ${0x10000 - iosize}`);
      config.debugExit = { iobase, iosize };
    },
  },
  'isa-debugcon': {
    category: 'Misc', bus: 'ISA', description: 'bytes written to its port go to a chardev',
    properties: {
      chardev: { type: 'str', text: 'ID of a chardev to use as a backend' }, iobase: { type: 'uint32', max: 0xffff, default: DEBUG_PORT },
      readback: { type: 'uint32', max: 0xff, text: 'what the port reads as', default: DEBUG_PORT },
    },
    add: (config, values, option) => {
      const chardev = values.text('chardev');
      if (chardev === undefined) throw new UsageError(`${option}: Can't create isa debug console, empty char device (chardev=ID)`);
      if (config.debugcon !== null) throw new UsageError(`${option}: the board takes one debug console`);
      config.debugcon = { option, end: chardev };
      config.debugPort = { iobase: values.number('iobase')!, readback: values.number('readback')! };
    },
  },
  pvpanic: {
    category: 'Misc', bus: 'ISA', description: 'by which a guest says that it panicked',
    properties: { events: { type: 'uint8', max: PVPANIC_EVENTS, text: 'bits that it knows: 1 panicked, 2 crash-loaded', default: PVPANIC_EVENTS }, ioport: { type: 'uint16', default: PVPANIC_PORT } },
    add: (config, values, option) => {
      if (config.pvpanic !== null) throw new UsageError(`${option}: the board takes one such device`);
      config.pvpanic = { ioport: values.number('ioport')!, events: values.number('events')! };
    },
  },
  vmmouse: {
    category: 'Input', bus: 'ISA', description: 'pointer behind the VMware port, which the board has (-M pc,vmport=off: it has not)', properties: {},
    add: (_config, _values, option) => { throw new UsageError(`${option}: the board has it already, with the VMware port (-M pc,vmport=on, the default)`); },
  },
  'pc-testdev': {
    category: 'Misc', bus: 'ISA', description: 'what kvm-unit-tests write to', properties: {},
    add: (config) => { config.testDevice = true; },
  },
  ...VIRTIO_DEVICES,
  ...SHARING_DEVICES,
  ...NIC_DEVICES,
};

export function setDevice(config: Config, value: string, option: string): void {
  const given = parseProperties(option, value, 'driver'), driver = given.get('driver') ?? '';
  if (driver === 'help' || driver === '?') throw new Information(listDevices(DEVICES));
  const [name, model] = Object.entries(DEVICES).find(([one, { alias }]) => driver === one || driver === alias) ?? [];
  if (name === undefined || model === undefined) throw new UsageError(`${option} ${value}: '${driver}' is not a valid device model name (-device help lists them)`);
  if (given.has('help') || given.has('?')) throw new Information(listProperties(name, model));
  const id = given.get('id'), place = given.get('bus') ?? null;
  for (const key of ['driver', 'id', 'bus']) given.delete(key);
  const values = new DeviceValues(name, model, given, `${option} ${driver}`);
  if (id !== undefined && config.deviceIds.includes(id)) throw new UsageError(`${option} ${value}: Duplicate device ID '${id}'`);
  if (id !== undefined) config.deviceIds.push(id);
  config.deviceBuses.push({ bus: model.bus, place, option: `${option} ${driver}`, name });
  model.add(config, values, `${option} ${driver}`, place);
}

/** The names of buses: QEMU's. A virtio-serial card has its own, `ID.0`. */
const BUSES: Readonly<Record<Exclude<DeviceModel['bus'], 'virtio-serial-bus'>, readonly string[]>> = { ISA: ['isa.0'], PCI: ['pci.0'], IDE: IDE_BUSES, 'floppy-bus': ['floppy-bus.0'] };

/** Once all options are read. @throws UsageError for devices on a bus that is not there, or not theirs */
export function checkBuses({ machine, deviceBuses, deviceIds }: Config): void {
  const stray = machine === 'isapc' ? deviceBuses.find(({ bus }) => bus === 'PCI') : undefined;
  if (stray !== undefined) throw new UsageError(`${stray.option}: No 'PCI' bus found for device '${stray.name}'`);
  for (const { bus, place, option } of deviceBuses) {
    if (place === null) continue;
    const names = bus === 'virtio-serial-bus' ? [...deviceIds, 'virtio-serial-bus'].map((id) => `${id}.0`) : BUSES[bus];
    if (!names.includes(place)) throw new UsageError(`${option}: Bus '${place}' not found (${names.join(', ')})`);
  }
}
