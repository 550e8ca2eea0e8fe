/** -device for virtio devices. */
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties } from './properties.ts';

export const VIRTIO_DEVICES: Readonly<Record<string, { readonly help: string; readonly set: (config: Config, properties: Map<string, string>, option: string) => void }>> = {
  'virtio-blk-pci': { help: 'name "virtio-blk-pci", bus PCI (drive=ID of a -drive with if=none)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'drive', 'id']);
    const drive = properties.get('drive');
    if (drive === undefined) throw new UsageError(`${option}: drive property not set`);
    config.virtioDrives.push({ id: drive, option });
  } },
  'virtio-rng-pci': { help: 'name "virtio-rng-pci", bus PCI (random numbers of the host)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'id']);
    config.rngs++;
  } },
};
