/** A network card in a PCI slot with 1 MB of memory, and the other end of its cable, for tests. */
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import type { IoRegion } from '../../src/memory/io-region.ts';
import type { NetPort } from '../../src/devices/host.ts';
import type { NicSettings } from '../../src/devices/ne2000.ts';
import { PCI_COMMAND } from '../../src/devices/pci.ts';
import type { PciFunction } from '../../src/devices/pci.ts';
import type { PciSlot } from '../../src/devices/pci-slot.ts';
import { SteppedClock } from './stepped-clock.ts';

const RAM = 1 << 20, MS = 1e6;
export const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);

/** A frame for the card, or `to` somebody else; what follows the address counts up. */
export const frame = (length: number, to: readonly number[] = [...MAC]): Uint8Array => Uint8Array.from({ length }, (_, i) => to[i] ?? i & 255);

export class NicBench<T extends PciFunction> {
  readonly clock = new SteppedClock();
  readonly space: AddressSpace;
  readonly card: T;
  /** INTA#. */
  irq = false;
  ports!: IoRegion;
  memory!: IoRegion;
  port!: NetPort;
  /** Frames of the card. */
  readonly sent: Uint8Array[] = [];

  constructor(Card: new (settings: NicSettings, slot: PciSlot) => T) {
    const memory = new HostMemory(RAM);
    this.space = new AddressSpace(memory);
    this.space.add({ kind: 'ram', ma: memory.allocate(RAM), size: RAM }, 0);
    this.card = new Card({ name: 'nic', mac: MAC, backend: { plug: (end) => { this.port = end; }, send: (one) => this.sent.push(one.slice()) } }, {
      clock: this.clock, space: this.space, intA: { set: (level) => { this.irq = level; } }, message: null,
      ports: (region) => { this.ports = region; return () => {}; }, memory: (region) => { this.memory = region; return () => {}; },
    });
    this.card.config.write(PCI_COMMAND, 7, 2);
  }

  arrive(...frames: Uint8Array[]): void {
    for (const one of frames) this.port.deliver(one);
    this.clock.step(MS);
  }
}
