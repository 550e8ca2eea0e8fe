/**
 * The I/O port space: 65536 ports, of which each belongs to at most one IoRegion.
 *
 * An access goes to the device as it is when the region takes its size, it is naturally aligned in the region and ends in it
 * (its first port decides: a register of 16 bits may be mapped at one port, and the next port be another's).
 * Otherwise it is cut, in ascending order, into the largest aligned pieces that fit (as the ISA bus does with wide accesses to
 * narrow devices), and each piece looks up its own port; a piece below the region's minAccess is widened to the register that
 * holds it: read whole and cut, or written with zeros in the bytes that the guest did not write. Ports without a device read as all ones and swallow writes.
 */
import type { AccessSize, IoRegion } from './io-region.ts';

const PORTS = 0x10000;

/** A range of ports that a region answers. */
export interface PortMapping {
  readonly base: number;
  readonly length: number;
  readonly region: IoRegion;
  /** Offset in the region of port `base`. */
  readonly offset: number;
}

/** Sees every access to a port, after it was done. `value` is as the bus returns it. */
export type PortTrace = (write: boolean, port: number, size: AccessSize, value: number, region: string) => void;

export class PortBus {
  /** Set to watch all accesses; null (the default) costs nothing. */
  trace: PortTrace | null = null;
  /** Called before each access: the board lets timers fire that are due, so that a register polled in a loop is as of now. */
  beforeAccess: () => void = () => {};
  /** For each port the number of its mapping in #mappings; 0 = none. */
  readonly #index = new Uint16Array(PORTS);
  readonly #mappings: (PortMapping | null)[] = [null];

  /**
   * Lets `region` answer at ports base … base + length - 1.
   * @param offset the region's offset that port `base` means
   * @param length number of ports; the rest of the region if left out
   * @throws Error if a port is taken already, or the range leaves the port space or the region
   */
  map(base: number, region: IoRegion, offset = 0, length: number = region.size - offset): PortMapping {
    if (base < 0 || length < 1 || base + length > PORTS) throw new Error(`${region.name}: ports ${hex(base)}+${length} are outside the port space`);
    if (offset < 0 || offset + length > region.size) throw new Error(`${region.name}: offsets ${offset}+${length} are outside the region`);
    for (let port = base; port < base + length; port++) {
      const owner = this.#mappings[this.#index[port]];
      if (owner) throw new Error(`${region.name}: port ${hex(port)} belongs to ${owner.region.name}`);
    }
    const mapping = { base, length, region, offset };
    const free = this.#mappings.indexOf(null, 1);
    const number = free < 0 ? this.#mappings.length : free;
    this.#mappings[number] = mapping;
    this.#index.fill(number, base, base + length);
    return mapping;
  }

  /** No region answers at any of these ports. */
  isFree(base: number, length: number): boolean {
    return this.#index.subarray(base, base + length).every((number) => number === 0);
  }

  /** @throws Error if the mapping is not on this bus (any more). */
  unmap(mapping: PortMapping): void {
    const number = this.#mappings.indexOf(mapping);
    if (number < 0) throw new Error(`${mapping.region.name}: not mapped at ${hex(mapping.base)}`);
    this.#index.fill(0, mapping.base, mapping.base + mapping.length);
    this.#mappings[number] = null;
  }

  /** All mappings in ascending order, for `info mtree`. */
  mappings(): PortMapping[] {
    return this.#mappings.filter((mapping) => mapping !== null).sort((a, b) => a.base - b.base);
  }

  /** @returns the value zero-extended (1, 2 bytes) or as int32 (4 bytes); `port` is taken modulo 65536 */
  read(port: number, size: AccessSize): number {
    port &= 0xffff;
    this.beforeAccess();
    const mapping = this.#mappings[this.#index[port]];
    let value: number;
    if (mapping && fits(mapping, port, size)) value = truncate(mapping.region.read(port - mapping.base + mapping.offset, size), size);
    else value = this.#readPieces(port, size);
    if (this.trace) this.trace(false, port, size, value, mapping?.region.name ?? '');
    return value;
  }

  /** Bits of `value` above `size` bytes are ignored; `port` is taken modulo 65536. */
  write(port: number, value: number, size: AccessSize): void {
    port &= 0xffff;
    this.beforeAccess();
    value = truncate(value, size);
    const mapping = this.#mappings[this.#index[port]];
    if (mapping && fits(mapping, port, size)) mapping.region.write(port - mapping.base + mapping.offset, value, size);
    else this.#writePieces(port, value, size);
    if (this.trace) this.trace(true, port, size, value, mapping?.region.name ?? '');
  }

  #readPieces(port: number, size: AccessSize): number {
    let value = 0;
    for (let done = 0; done < size; ) {
      const at = (port + done) & 0xffff;
      const mapping = this.#mappings[this.#index[at]];
      const piece = mapping ? pieceSize(mapping, at, size - done) : 1;
      value |= (mapping ? readPiece(mapping, at, piece) : 0xff) << (8 * done);
      done += piece;
    }
    return truncate(value, size);
  }

  #writePieces(port: number, value: number, size: AccessSize): void {
    for (let done = 0; done < size; ) {
      const at = (port + done) & 0xffff;
      const mapping = this.#mappings[this.#index[at]];
      const piece = mapping ? pieceSize(mapping, at, size - done) : 1;
      if (mapping) writePiece(mapping, at, truncate(value >> (8 * done), piece), piece);
      done += piece;
    }
  }
}

const hex = (port: number): string => port.toString(16).padStart(4, '0');

const truncate = (value: number, size: AccessSize): number => (size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value | 0);

function fits({ base, region, offset }: PortMapping, port: number, size: AccessSize): boolean {
  if (size === 1) return region.minAccess === 1;
  const at = port - base + offset;
  return size >= region.minAccess && size <= region.maxAccess && (at & (size - 1)) === 0 && at + size <= region.size;
}

/** The largest aligned piece of at most `left` bytes that the mapping takes at `port`; 1 if even that must be widened. */
function pieceSize(mapping: PortMapping, port: number, left: number): AccessSize {
  if (left >= 4 && fits(mapping, port, 4)) return 4;
  if (left >= 2 && fits(mapping, port, 2)) return 2;
  return 1;
}

function readPiece({ base, region, offset }: PortMapping, port: number, piece: AccessSize): number {
  const at = port - base + offset;
  if (piece >= region.minAccess) return truncate(region.read(at, piece), piece);
  const register = at & -region.minAccess;
  return truncate(region.read(register, region.minAccess) >> (8 * (at - register)), piece);
}

function writePiece({ base, region, offset }: PortMapping, port: number, value: number, piece: AccessSize): void {
  const at = port - base + offset;
  if (piece >= region.minAccess) return region.write(at, value, piece);
  const register = at & -region.minAccess;
  region.write(register, value << (8 * (at - register)), region.minAccess);
}
