/** The network cards of the PC by their models: QEMU's names. */
import type { Clock, IrqLine } from './device.ts';
import type { NetBackend } from './host.ts';
import { E1000 } from './e1000.ts';
import { Ne2000 } from './ne2000.ts';
import type { NicSettings } from './ne2000.ts';
import { Ne2kPci } from './ne2k-pci.ts';
import { Rtl8139 } from './rtl8139.ts';
import { VirtioNet } from './virtio-net.ts';
import { virtioCard } from './virtio-pci.ts';
import type { PciCard, PciCardMaker, PciSlot } from './pci-slot.ts';

export const NIC_MODELS = ['ne2k_isa', 'ne2k_pci', 'rtl8139', 'e1000', 'virtio-net-pci'] as const;
export type NicModel = (typeof NIC_MODELS)[number];

export const isNicModel = (name: string): name is NicModel => (NIC_MODELS as readonly string[]).includes(name);

export interface NicConfig {
  model: NicModel;
  /** Six bytes; 52:54:00:12:34:56 and upwards if left out. */
  mac?: Uint8Array;
  /** null: no cable. */
  backend: NetBackend | null;
  /** ne2k_isa: its first port (300h) and interrupt (9). */
  iobase?: number;
  irq?: number;
}

const FIRST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const ISA_PORT = 0x300, ISA_IRQ = 9;

const PCI_MODELS: Readonly<Record<Exclude<NicModel, 'ne2k_isa'>, (settings: NicSettings, slot: PciSlot) => PciCard>> = {
  ne2k_pci: (settings, slot) => {
    const card = new Ne2kPci(settings, slot);
    return { fn: card, devices: [card, card.chip] };
  },
  rtl8139: (settings, slot) => {
    const card = new Rtl8139(settings, slot);
    return { fn: card, devices: [card] };
  },
  e1000: (settings, slot) => {
    const card = new E1000(settings, slot);
    return { fn: card, devices: [card] };
  },
  'virtio-net-pci': (settings, slot) => virtioCard(`${settings.name}-card`, (place) => new VirtioNet(settings, place))(slot),
};

const settingsOf = ({ model, mac, backend }: NicConfig, index: number): NicSettings => ({
  name: `${model}-${index}`, backend, mac: mac ?? Uint8Array.from(FIRST_MAC, (byte, i) => (i === FIRST_MAC.length - 1 ? byte + index : byte)),
});

/** Those for PCI slots. */
export function pciNics(nics: readonly NicConfig[]): PciCardMaker[] {
  return nics.flatMap((nic, index) => {
    const { model } = nic;
    return model === 'ne2k_isa' ? [] : [(slot: PciSlot) => PCI_MODELS[model](settingsOf(nic, index), slot)];
  });
}

/** Those for ISA slots, and the ports of each. @param newIrq a new driver of an interrupt */
export function isaNics(nics: readonly NicConfig[], clock: Clock, newIrq: (irq: number) => IrqLine): { port: number; card: Ne2000 }[] {
  return nics.flatMap((nic, index) => (
    nic.model === 'ne2k_isa' ? [{ port: nic.iobase ?? ISA_PORT, card: new Ne2000({ ...settingsOf(nic, index), clock, irq: newIrq(nic.irq ?? ISA_IRQ) }) }] : []));
}
