/** -device for virtio devices, and -chardev for what is behind their ports. */
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseProperties } from './properties.ts';

/** Ports of a card: QEMU's limit. */
const MOST_PORTS = 30;

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

/** `stdio,id=ID`, `file,id=ID,path=PATH`, `null,id=ID`. */
export function setChardev(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'backend'), backend = properties.get('backend') ?? '', id = properties.get('id'), path = properties.get('path');
  if (backend !== 'stdio' && backend !== 'file' && backend !== 'null') throw new UsageError(`${option}: '${backend}' is not a valid char driver name (stdio, file, null)`);
  checkProperties(option, properties, backend === 'file' ? ['backend', 'id', 'path'] : ['backend', 'id']);
  if (id === undefined) throw new UsageError(`${option} ${value}: id=ID is missing`);
  if (config.chardevs.some((one) => one.id === id)) throw new UsageError(`${option}: Duplicate ID '${id}' for chardev`);
  if (backend === 'file' && !path) throw new UsageError(`${option}: path=PATH is missing`);
  config.chardevs.push({ id, spec: backend === 'file' ? `file:${path}` : backend, option });
}

/** @throws UsageError for ports without a card, and names that do not fit */
export function checkPorts(config: Config): void {
  const [first] = config.virtioPorts;
  if (first !== undefined && !config.virtioSerial) throw new UsageError(`${first.option}: No 'virtio-serial-bus' bus found for it (-device virtio-serial-pci)`);
  const used = new Set<string>();
  for (const { chardev, option } of config.virtioPorts) {
    if (!config.chardevs.some(({ id }) => id === chardev)) throw new UsageError(`${option}: Property 'chardev' can't find value '${chardev}'`);
    if (used.has(chardev)) throw new UsageError(`${option}: Property 'chardev' can't take value '${chardev}', it's in use`);
    used.add(chardev);
  }
  const terminals = [...config.serial, config.debugcon, ...config.chardevs.map(({ spec }) => spec)].filter((spec) => spec === 'stdio');
  if (terminals.length > 1) throw new UsageError('-chardev stdio: cannot use stdio by multiple character devices');
}
