/** -device for virtio devices. */
import { INPUT_KINDS } from '../devices/virtio-input.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff } from './properties.ts';

/** Ports of a card: QEMU's limit. */
const MOST_PORTS = 30;
/** Seconds between statistics of a balloon. */
const LONGEST_INTERVAL = 0xffff_ffff;

export const VIRTIO_DEVICES: Readonly<Record<string, { readonly help: string; readonly set: (config: Config, properties: Map<string, string>, option: string) => void }>> = {
  'virtio-blk-pci': { help: 'name "virtio-blk-pci", bus PCI (drive=ID of a -drive with if=none)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'drive', 'id']);
    const drive = properties.get('drive');
    if (drive === undefined) throw new UsageError(`${option}: drive property not set`);
    config.virtioDrives.push({ id: drive, option });
  } },
  'virtio-serial-pci': { help: 'name "virtio-serial-pci", bus PCI (a card for virtconsole and virtserialport)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'id']);
    if (config.virtioSerial) throw new UsageError(`${option}: the board takes one such card`);
    config.virtioSerial = true;
  } },
  virtconsole: { help: 'name "virtconsole", bus virtio-serial-bus (chardev=ID: a console, /dev/hvc0)', set: (config, properties, option) => addPort(config, properties, option, true) },
  virtserialport: { help: 'name "virtserialport", bus virtio-serial-bus (chardev=ID, name=NAME: a port for programs)', set: (config, properties, option) => addPort(config, properties, option, false) },
  'virtio-balloon-pci': { help: 'name "virtio-balloon-pci", bus PCI (memory that the guest gives back; deflate-on-oom=on, guest-stats-polling-interval=SECONDS)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'id', 'deflate-on-oom', 'guest-stats-polling-interval']);
    if (config.balloon !== null) throw new UsageError(`${option}: the board takes one such card`);
    config.balloon = {
      deflateOnOom: parseOnOff(option, 'deflate-on-oom', properties.get('deflate-on-oom'), false),
      statisticsInterval: parseNumber(`${option} guest-stats-polling-interval`, properties.get('guest-stats-polling-interval') ?? '0', 0, LONGEST_INTERVAL),
    };
  } },
  ...Object.fromEntries(INPUT_KINDS.map((kind) => [`virtio-${kind}-pci`, { help: `name "virtio-${kind}-pci", bus PCI (a ${kind} that takes the place of the PS/2 one)`, set: (config: Config, properties: Map<string, string>, option: string) => {
    checkProperties(option, properties, ['driver', 'id']);
    config.inputs.push(kind);
  } }])),
  'virtio-rng-pci': { help: 'name "virtio-rng-pci", bus PCI (random numbers of the host)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'id']);
    config.rngs++;
  } },
};

function addPort(config: Config, properties: Map<string, string>, option: string, console: boolean): void {
  checkProperties(option, properties, ['driver', 'chardev', 'name', 'id']);
  const chardev = properties.get('chardev'), name = properties.get('name');
  if (chardev === undefined) throw new UsageError(`${option}: chardev=ID is missing`);
  if (config.virtioPorts.length >= MOST_PORTS) throw new UsageError(`${option}: the card takes ${MOST_PORTS} ports`);
  config.virtioPorts.push({ console, chardev, option, ...(name === undefined ? {} : { name }) });
}

/** @throws UsageError for ports without a card */
export function checkPorts(config: Config): void {
  const [first] = config.virtioPorts;
  if (first !== undefined && !config.virtioSerial) throw new UsageError(`${first.option}: No 'virtio-serial-bus' bus found for it (-device virtio-serial-pci)`);
}
