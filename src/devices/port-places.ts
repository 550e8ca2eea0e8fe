/**
 * Port regions whose place the guest decides, by base address registers. A place that is taken, wholly or in part, is not decoded there:
 * fixed devices go first, then whoever was added first. Whatever moves, all are placed anew.
 */
import type { IoRegion } from '../memory/io-region.ts';
import type { PortBus, PortMapping } from '../memory/port-bus.ts';

interface Place {
  readonly region: IoRegion;
  base: number | null;
  mapping: PortMapping | null;
}

export class PortPlaces {
  readonly #bus: PortBus;
  readonly #places: Place[] = [];

  constructor(bus: PortBus) {
    this.#bus = bus;
  }

  /** A region that lies nowhere yet. @returns where it is to lie from now on (null: nowhere), for PciConfig.bar */
  add(region: IoRegion): (base: number | null) => void {
    const place: Place = { region, base: null, mapping: null };
    this.#places.push(place);
    return (base) => {
      place.base = base;
      this.#arrange();
    };
  }

  #arrange(): void {
    for (const place of this.#places) {
      if (place.mapping !== null) this.#bus.unmap(place.mapping);
      place.mapping = null;
    }
    for (const place of this.#places) {
      if (place.base !== null && this.#bus.isFree(place.base, place.region.size)) place.mapping = this.#bus.map(place.base, place.region);
    }
  }
}
