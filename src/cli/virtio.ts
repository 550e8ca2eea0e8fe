/** -device for virtio devices. */
import type { Config } from './config.ts';
import { checkProperties } from './properties.ts';

export const VIRTIO_DEVICES: Readonly<Record<string, { readonly help: string; readonly set: (config: Config, properties: Map<string, string>, option: string) => void }>> = {
  'virtio-rng-pci': { help: 'name "virtio-rng-pci", bus PCI (random numbers of the host)', set: (config, properties, option) => {
    checkProperties(option, properties, ['driver', 'id']);
    config.rngs++;
  } },
};
