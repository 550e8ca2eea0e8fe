/** -device for virtio devices. */
import { INPUT_KINDS } from '../devices/virtio-input.ts';
import type { Config } from './config.ts';
import type { DeviceModel, DeviceModels, DeviceValues } from './device-model.ts';
import { UsageError } from './errors.ts';

/** Ports of a card: QEMU's limit. */
const MOST_PORTS = 30;

const PORT_PROPERTIES = { chardev: { type: 'str', text: 'ID of a chardev to use as a backend' }, name: { type: 'str' } } as const;

export const VIRTIO_DEVICES: DeviceModels = {
  'virtio-serial-pci': {
    category: 'Input', bus: 'PCI', alias: 'virtio-serial', description: 'card for virtconsole and virtserialport', properties: {},
    add: (config, _values, option) => {
      if (config.virtioSerial) throw new UsageError(`${option}: the board takes one such card`);
      config.virtioSerial = true;
    },
  },
  virtconsole: {
    category: 'Input', bus: 'virtio-serial-bus', description: 'console, /dev/hvc0', properties: PORT_PROPERTIES,
    add: (config, values, option) => addPort(config, values, option, true),
  },
  virtserialport: {
    category: 'Input', bus: 'virtio-serial-bus', description: 'port for programs', properties: PORT_PROPERTIES,
    add: (config, values, option) => addPort(config, values, option, false),
  },
  'virtio-balloon-pci': {
    category: 'Misc', bus: 'PCI', alias: 'virtio-balloon', description: 'memory that the guest gives back',
    properties: {
      'deflate-on-oom': { type: 'bool', text: 'on/off', default: false },
      'guest-stats-polling-interval': { type: 'uint32', text: 'seconds', default: 0 },
    },
    add: (config, values, option) => {
      if (config.balloon !== null) throw new UsageError(`${option}: the board takes one such card`);
      config.balloon = { deflateOnOom: values.on('deflate-on-oom'), statisticsInterval: values.number('guest-stats-polling-interval')! };
    },
  },
  ...Object.fromEntries(INPUT_KINDS.map((kind): [string, DeviceModel] => [`virtio-${kind}-pci`, {
    category: 'Input', bus: 'PCI', alias: `virtio-${kind}`, properties: {}, add: (config) => { config.inputs.push(kind); },
  }])),
  'virtio-rng-pci': {
    category: 'Misc', bus: 'PCI', alias: 'virtio-rng', description: 'random numbers of the host', properties: {}, add: (config) => { config.rngs++; },
  },
};

function addPort(config: Config, values: DeviceValues, option: string, console: boolean): void {
  const chardev = values.text('chardev'), name = values.text('name');
  if (chardev === undefined) throw new UsageError(`${option}: chardev=ID is missing`);
  if (config.virtioPorts.length >= MOST_PORTS) throw new UsageError(`${option}: the card takes ${MOST_PORTS} ports`);
  config.virtioPorts.push({ console, chardev, option, ...(name === undefined ? {} : { name }) });
}

/** @throws UsageError for ports without a card */
export function checkPorts(config: Config): void {
  const [first] = config.virtioPorts;
  if (first !== undefined && !config.virtioSerial) throw new UsageError(`${first.option}: No 'virtio-serial-bus' bus found for it (-device virtio-serial-pci)`);
}
