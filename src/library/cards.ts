/** The cards of PcOptions: network, virtio and what is behind it on the host. */
import { reasonOf } from '../backends/output-file.ts';
import { LocalFolder } from '../backends/shared-folder.ts';
import type { BlockBackend } from '../devices/host.ts';
import type { PciCardMaker } from '../devices/pci-slot.ts';
import { isNicModel, NIC_MODELS } from '../devices/pc-nics.ts';
import type { NicConfig } from '../devices/pc-nics.ts';
import { LONGEST_TAG, Virtio9p } from '../devices/virtio-9p.ts';
import { VirtioBalloon } from '../devices/virtio-balloon.ts';
import { VirtioBlk } from '../devices/virtio-blk.ts';
import { VirtioConsole } from '../devices/virtio-console.ts';
import { VirtioInput } from '../devices/virtio-input.ts';
import { virtioCard } from '../devices/virtio-pci.ts';
import { VirtioRng } from '../devices/virtio-rng.ts';
import type { NicOptions, PcOptions } from '../index.ts';

/** @param random gives 32 random bits */
export function cardsOf({ rngs = 0, virtioPorts, shares = [], inputs = [], balloon }: PcOptions, disks: readonly { disk: BlockBackend; serial: string }[], folders: readonly LocalFolder[], random: () => number): PciCardMaker[] {
  const blocks = disks.map(({ disk, serial }, i) => virtioCard(`virtio-blk-pci-${i}`, ({ clock }) => new VirtioBlk(`virtio-blk-${i}`, clock, disk, serial)));
  // Port 0 is for a console.
  const consoles = virtioPorts?.filter((port) => port.console) ?? [], others = virtioPorts?.filter((port) => !port.console) ?? [];
  const serial = virtioPorts === undefined ? [] : [virtioCard('virtio-serial-pci', () => new VirtioConsole('virtio-serial', [...(consoles.length === 0 ? [null] : consoles), ...others]))];
  const memory = balloon === undefined ? [] : [virtioCard('virtio-balloon-pci', ({ clock }) => new VirtioBalloon(clock, balloon))];
  const input = inputs.map((kind, i) => virtioCard(`virtio-${kind}-pci-${i}`, () => new VirtioInput(`virtio-${kind}-${i}`, kind)));
  const sharing = folders.map((folder, i) => virtioCard(`virtio-9p-pci-${i}`, () => new Virtio9p(`virtio-9p-${i}`, shares[i]!.tag, folder)));
  return [...blocks, ...serial, ...sharing, ...memory, ...input, ...Array.from({ length: rngs }, (_, i) => virtioCard(`virtio-rng-pci-${i}`, () => new VirtioRng(`virtio-rng-${i}`, random)))];
}

/** @throws Error with a one-line message, with those that were open closed again */
export function openShares({ shares = [] }: PcOptions): LocalFolder[] {
  const open: LocalFolder[] = [];
  for (const { path, tag, ...options } of shares) {
    try {
      if (!/^[!-~]+$/.test(tag) || tag.length > LONGEST_TAG) throw new Error(`mount tag '${tag}' is not 1 to ${LONGEST_TAG} ASCII characters`);
      open.push(new LocalFolder(path, options));
    } catch (error) {
      for (const folder of open) folder.close();
      throw new Error(`shared folder '${path}': ${reasonOf(error)}`);
    }
  }
  return open;
}

/** @throws Error with a one-line message */
export function nicOf({ model = 'e1000', mac, network, ...others }: NicOptions): NicConfig {
  if (!isNicModel(model)) throw new Error(`unsupported NIC model '${model}' (${NIC_MODELS.join(', ')})`);
  if (mac !== undefined && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new Error(`'${mac}' is no MAC address like 52:54:00:12:34:56`);
  return { model, ...(mac === undefined ? {} : { mac: Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16)) }), backend: network, ...others };
}
