/**
 * What a PCI slot offers to the card in it, and what a card is to the board. Cards that options add are makers: the board calls them in order,
 * each with the next free slot.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import type { IoRegion } from '../memory/io-region.ts';
import type { Clock, Device, IrqLine } from './device.ts';
import type { PciFunction } from './pci.ts';

/** Told where a base address register decodes a region now; null: nowhere. For PciConfig.bar. */
export type Moved = (base: number | null) => void;

export interface PciSlot {
  readonly clock: Clock;
  /** For the card as bus master. */
  readonly space: AddressSpace;
  /** INTA#; high = asserted. */
  readonly intA: IrqLine;
  /** Ports behind a base address register. */
  ports(region: IoRegion): Moved;
  /** Memory behind a base address register; the region has whole pages of 4 KB. */
  memory(region: IoRegion): Moved;
  /** A message-signalled interrupt: a write of `data` to `address`; null: the board has no APIC that takes it. */
  readonly message: ((address: number, data: number) => void) | null;
}

export interface PciCard {
  readonly fn: PciFunction;
  /** The function and all that is behind it, in the order of reset. */
  readonly devices: readonly Device[];
}

export type PciCardMaker = (slot: PciSlot) => PciCard;
