/**
 * Guest physical memory: regions of RAM, ROM, MMIO and aliases with priorities, flattened to ranges and a page map
 * (PA page -> range), so that a look-up is one array access. PA is a plain number, not an int32.
 * A mapping may claim reads only or writes only: PAM shadowing reads ROM while writes go to the RAM below.
 */
import { PAGE_SIZE } from './host-memory.ts';
import type { HostMemory } from './host-memory.ts';
import type { AccessSize, IoRegion } from './io-region.ts';

export type Region =
  | { readonly kind: 'ram' | 'rom'; readonly ma: number; readonly size: number }
  | { readonly kind: 'mmio'; readonly io: IoRegion }
  /** A window into another region from `offset` on. */
  | { readonly kind: 'alias'; readonly of: Region; readonly offset: number; readonly size: number };

export interface MappingFlags {
  /** Which accesses it takes part in; both by default. */
  reads?: boolean;
  writes?: boolean;
}

/** A region placed in the space. */
export interface Mapping {
  /** Turns its share of reads or writes on or off. */
  set(flags: MappingFlags): void;
  /** Puts another region of the same size in its place: cheaper than a new mapping. */
  replace(region: Region): void;
  remove(): void;
}

/** What a stretch of PA does after flattening. MAs are those of `start`; -1 where reads or writes are not plain memory. */
export interface FlatRange {
  readonly start: number;
  readonly end: number;
  readonly readMa: number;
  readonly writeMa: number;
  readonly readIo: IoRegion | null;
  readonly writeIo: IoRegion | null;
  readonly readOffset: number;
  readonly writeOffset: number;
}

interface Placed {
  region: Region;
  base: number;
  end: number;
  priority: number;
  reads: boolean;
  writes: boolean;
}

const regionSize = (region: Region): number =>
  region.kind === 'mmio' ? Math.ceil(region.io.size / PAGE_SIZE) * PAGE_SIZE : region.size;

/** Follows aliases to memory or a device and the offset in it. */
function resolve(region: Region, offset: number): { region: Exclude<Region, { kind: 'alias' }>; offset: number } {
  while (region.kind === 'alias') {
    offset += region.offset;
    region = region.of;
  }
  return { region, offset };
}

const CHUNK_PAGES = 1024;
const CHUNK_BYTES = CHUNK_PAGES * PAGE_SIZE;

/** Called before RAM is written by anything but the processor's fast path: translated code may lie there. */
export type WriteHook = (ma: number, length: number) => void;

export class AddressSpace {
  readonly memory: HostMemory;
  /** Set by the cpu: told of every RAM write that comes through here. */
  onRamWrite: WriteHook = () => {};
  /** Set by the cpu: the map has changed, cached translations are void. */
  onChange: () => void = () => {};
  readonly #placed: Placed[] = [];
  #ranges: FlatRange[] = [];
  /** Who answers reads and writes, by range. */
  #owners: (readonly [reader: Placed | undefined, writer: Placed | undefined])[] = [];
  #chunks: (Uint16Array | undefined)[] = [];

  constructor(memory: HostMemory) {
    this.memory = memory;
    this.#flatten();
  }

  /**
   * Places a region at `base`; where regions overlap, the higher priority wins, then the later one.
   * @throws RangeError if base or size are not whole pages.
   */
  add(region: Region, base: number, priority = 0, flags: MappingFlags = {}): Mapping {
    const size = regionSize(region);
    if (base % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0) throw new RangeError('a region must cover whole pages');
    const placed: Placed = { region, base, end: base + size, priority, reads: flags.reads ?? true, writes: flags.writes ?? true };
    this.#placed.push(placed);
    this.#flatten();
    return {
      set: ({ reads = placed.reads, writes = placed.writes }) => {
        if (reads === placed.reads && writes === placed.writes) return;
        placed.reads = reads;
        placed.writes = writes;
        this.#flatten();
      },
      replace: (other) => {
        if (regionSize(other) !== size) throw new RangeError('a region can be replaced by one of its size only');
        placed.region = other;
        this.#owners.forEach(([reader, writer], i) => {
          const { start, end } = this.#ranges[i]!;
          if (reader === placed || writer === placed) this.#ranges[i] = flatRange(start, end, reader, writer);
        });
        this.onChange();
      },
      remove: () => {
        const at = this.#placed.indexOf(placed);
        if (at < 0) return;
        this.#placed.splice(at, 1);
        this.#flatten();
      },
    };
  }

  /** The ranges, in order, without gaps from 0 to the end of the highest region: for `info mtree`. */
  get ranges(): readonly FlatRange[] {
    return this.#ranges;
  }

  /** The range that holds `pa`; an unmapped one reads as all ones and ignores writes. */
  lookup(pa: number): FlatRange {
    const chunk = this.#chunks[Math.floor(pa / CHUNK_BYTES)];
    return this.#ranges[chunk === undefined ? 0 : chunk[Math.floor(pa / PAGE_SIZE) % CHUNK_PAGES]!]!;
  }

  read(pa: number, size: AccessSize): number {
    const range = this.lookup(pa);
    if (pa % PAGE_SIZE + size > PAGE_SIZE) {
      let value = 0;
      for (let i = 0; i < size; i++) value |= this.read(pa + i, 1) << (i * 8);
      return value;
    }
    if (range.readMa >= 0) {
      const ma = range.readMa + (pa - range.start);
      const view = this.memory.view;
      return size === 1 ? view.getUint8(ma) : size === 2 ? view.getUint16(ma, true) : view.getInt32(ma, true);
    }
    if (range.readIo === null) return size === 4 ? -1 : size === 2 ? 0xffff : 0xff;
    return readIo(range.readIo, range.readOffset + (pa - range.start), size);
  }

  write(pa: number, value: number, size: AccessSize): void {
    const range = this.lookup(pa);
    if (pa % PAGE_SIZE + size > PAGE_SIZE) {
      for (let i = 0; i < size; i++) this.write(pa + i, (value >>> (i * 8)) & 255, 1);
      return;
    }
    if (range.writeMa >= 0) {
      const ma = range.writeMa + (pa - range.start);
      this.onRamWrite(ma, size);
      const view = this.memory.view;
      if (size === 1) view.setUint8(ma, value);
      else if (size === 2) view.setUint16(ma, value, true);
      else view.setInt32(ma, value, true);
      return;
    }
    if (range.writeIo !== null) writeIo(range.writeIo, range.writeOffset + (pa - range.start), value, size);
  }

  /** Memory or a device answers to all of these addresses. */
  isMapped(pa: number, length: number): boolean {
    for (let at = pa; at < pa + length; ) {
      const { end } = this.lookup(at);
      if (end <= at) return false;
      at = end;
    }
    return true;
  }

  /** How many of `left` bytes from `pa` on are sure to lie in one range. */
  #piece(pa: number, left: number): number {
    const unit = this.#chunks[Math.floor(pa / CHUNK_BYTES)] === undefined ? CHUNK_BYTES : PAGE_SIZE;
    return Math.min(left, unit - pa % unit);
  }

  /** Copies guest memory from `pa` on into `into` (DMA, loaders). */
  readBytes(pa: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const count = this.#piece(pa + done, into.length - done);
      const range = this.lookup(pa + done);
      if (range.readMa >= 0) {
        const ma = range.readMa + (pa + done - range.start);
        into.set(this.memory.bytes.subarray(ma, ma + count), done);
      } else if (range.readIo === null) into.fill(0xff, done, done + count);
      else {
        for (let i = 0; i < count; i++) into[done + i] = this.read(pa + done + i, 1);
      }
      done += count;
    }
  }

  /** Copies `from` into guest memory from `pa` on. */
  writeBytes(pa: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      const count = this.#piece(pa + done, from.length - done);
      const range = this.lookup(pa + done);
      if (range.writeMa >= 0) {
        const ma = range.writeMa + (pa + done - range.start);
        this.onRamWrite(ma, count);
        this.memory.bytes.set(from.subarray(done, done + count), ma);
      } else if (range.writeIo !== null) {
        for (let i = 0; i < count; i++) this.write(pa + done + i, from[done + i]!, 1);
      }
      done += count;
    }
  }

  /** Fills what of the `length` bytes from `pa` on is RAM, and takes no time for the rest. @returns whether all of it is */
  fillBytes(pa: number, value: number, length: number): boolean {
    let filled = 0;
    for (const { start, end, writeMa } of this.#ranges) {
      const first = Math.max(pa, start), last = Math.min(pa + length, end);
      if (writeMa < 0 || first >= last) continue;
      for (let at = first; at < last; ) {
        const ma = writeMa + (at - start), count = Math.min(last - at, PAGE_SIZE - ma % PAGE_SIZE);
        this.onRamWrite(ma, count);
        this.memory.bytes.fill(value, ma, ma + count);
        at += count;
      }
      filled += last - first;
    }
    return filled === length;
  }

  /** Rebuilds ranges and page map: cut at every region's edge, then ask the regions in order of priority. */
  #flatten(): void {
    const order = this.#placed.map((placed, index) => ({ placed, index }))
      .sort((a, b) => b.placed.priority - a.placed.priority || b.index - a.index).map(({ placed }) => placed);
    const cuts = [...new Set(order.flatMap(({ base, end }) => [base, end]))].sort((a, b) => a - b);
    const ranges: FlatRange[] = [flatRange(0, 0, undefined, undefined)];
    const owners: (readonly [Placed | undefined, Placed | undefined])[] = [[undefined, undefined]];
    const chunks: (Uint16Array | undefined)[] = [];
    for (let i = 0; i + 1 < cuts.length; i++) {
      const start = cuts[i]!, end = cuts[i + 1]!;
      const covers = order.filter(({ base, end: last }) => base <= start && last >= end);
      const reader = covers.find(({ reads }) => reads), writer = covers.find(({ writes }) => writes);
      if (reader === undefined && writer === undefined) continue;
      ranges.push(flatRange(start, end, reader, writer));
      owners.push([reader, writer]);
      for (let pa = start; pa < end; ) {
        const number = Math.floor(pa / CHUNK_BYTES);
        const chunk = (chunks[number] ??= new Uint16Array(CHUNK_PAGES));
        const last = Math.min(end, (number + 1) * CHUNK_BYTES);
        chunk.fill(ranges.length - 1, Math.floor((pa % CHUNK_BYTES) / PAGE_SIZE), Math.floor((last - 1) % CHUNK_BYTES / PAGE_SIZE) + 1);
        pa = last;
      }
    }
    this.#ranges = ranges;
    this.#owners = owners;
    this.#chunks = chunks;
    this.onChange();
  }
}

/** What [start, end) does when these mappings answer there. */
function flatRange(start: number, end: number, reader: Placed | undefined, writer: Placed | undefined): FlatRange {
  const read = reader && resolve(reader.region, start - reader.base);
  const write = writer && resolve(writer.region, start - writer.base);
  return {
    start, end,
    readMa: read && read.region.kind !== 'mmio' ? read.region.ma + read.offset : -1,
    writeMa: write?.region.kind === 'ram' ? write.region.ma + write.offset : -1,
    readIo: read?.region.kind === 'mmio' ? read.region.io : null,
    writeIo: write?.region.kind === 'mmio' ? write.region.io : null,
    readOffset: read?.offset ?? 0, writeOffset: write?.offset ?? 0,
  };
}

/** One guest access to a device region, split or widened to what the device accepts. Offsets past its end read as ones. */
export function readIo(io: IoRegion, offset: number, size: AccessSize): number {
  if (offset + size > io.size && offset >= io.size) return size === 4 ? -1 : size === 2 ? 0xffff : 0xff;
  if (size > io.maxAccess) {
    let value = 0;
    for (let i = 0; i < size; i += io.maxAccess) value |= (readIo(io, offset + i, io.maxAccess) & maskOf(io.maxAccess)) << (i * 8);
    return value;
  }
  if (size < io.minAccess) {
    const base = offset - (offset % io.minAccess);
    return (io.read(base, io.minAccess) >>> ((offset - base) * 8)) & maskOf(size);
  }
  return io.read(offset, size) & maskOf(size);
}

export function writeIo(io: IoRegion, offset: number, value: number, size: AccessSize): void {
  if (offset >= io.size) return;
  if (size > io.maxAccess) {
    for (let i = 0; i < size; i += io.maxAccess) writeIo(io, offset + i, (value >>> (i * 8)) & maskOf(io.maxAccess), io.maxAccess);
    return;
  }
  // A device with wide registers only gets the whole register, the other bytes as zero: what a bus without byte enables gives it.
  if (size < io.minAccess) {
    const base = offset - (offset % io.minAccess);
    io.write(base, (value & maskOf(size)) << ((offset - base) * 8), io.minAccess);
    return;
  }
  io.write(offset, value & maskOf(size), size);
}

const maskOf = (size: AccessSize): number => (size === 4 ? -1 : size === 2 ? 0xffff : 0xff);
