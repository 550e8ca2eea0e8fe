/**
 * The firmware configuration device of QEMU's PC ("fw_cfg"): numbered items of bytes that firmware and boot ROMs read.
 *
 *     0510  selector (16 bits): an item, from its first byte on      0511  data: the item's next byte
 *     0514  DMA: the high, then (0518) the low half of the address of a request, big-endian; the low half starts it
 *
 * A DMA request is 16 bytes, big-endian: control (error 1, read 2, skip 4, select 8, write 16; item << 16 with select), length, address
 * (64 bits). Control is 0 when it is done. Read comes before write, write before skip. Items are read-only here; behind its end one is zeros, which go to RAM only. Item 19h is the directory of the items that have a name.
 * Source: QEMU, docs/specs/fw_cfg.rst.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import type { IoRegion } from '../memory/io-region.ts';
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';

// Items that QEMU's firmware interface numbers.
export const FW_SIGNATURE = 0x00, FW_ID = 0x01, FW_RAM_SIZE = 0x03, FW_NOGRAPHIC = 0x04, FW_CPUS = 0x05, FW_KERNEL_ADDR = 0x07, FW_KERNEL_SIZE = 0x08,
  FW_INITRD_ADDR = 0x0a, FW_INITRD_SIZE = 0x0b, FW_BOOT_MENU = 0x0e, FW_MAX_CPUS = 0x0f, FW_KERNEL_ENTRY = 0x10, FW_KERNEL_DATA = 0x11, FW_INITRD_DATA = 0x12,
  FW_CMDLINE_ADDR = 0x13, FW_CMDLINE_SIZE = 0x14, FW_CMDLINE_DATA = 0x15, FW_SETUP_ADDR = 0x16, FW_SETUP_SIZE = 0x17, FW_SETUP_DATA = 0x18;
const FW_DIRECTORY = 0x19, FW_FIRST_FILE = 0x20;
/** FW_ID: the ports, and DMA. */
const FEATURES = 1 | 2;
const DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16;
/** What the DMA register reads as: the interface is there. */
const DMA_SIGNATURE = 'QEMU CFG';
const NAME_SIZE = 56, ENTRY_SIZE = 64;
const NOTHING = new Uint8Array(0);

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A number as an item: little-endian. */
export function fwNumber(value: number, bytes: 2 | 4 | 8): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);
}

export interface FwCfgOptions {
  space: AddressSpace;
  items: ReadonlyMap<number, Uint8Array>;
  /** Items with names, such as option ROMs (`genroms/…`), which firmware loads. */
  files: ReadonlyMap<string, Uint8Array>;
}

export class FwCfg implements Device {
  readonly name = 'fw_cfg';
  readonly state = new DeviceState(1, { item: 0, offset: 0, dmaHigh: 0 });
  /** Ports 510h and 511h. */
  readonly io: IoRegion;
  /** Ports 514h to 51Bh. */
  readonly dma: IoRegion;
  readonly #space: AddressSpace;
  readonly #items: Map<number, Uint8Array>;

  constructor({ space, items, files }: FwCfgOptions) {
    this.#space = space;
    this.#items = new Map<number, Uint8Array>([[FW_SIGNATURE, ascii('QEMU')], [FW_ID, fwNumber(FEATURES, 4)], ...items]);
    this.#addFiles(files);
    const { fields } = this.state;
    this.io = {
      name: this.name, size: 2, minAccess: 1, maxAccess: 2,
      read: (offset) => (offset === 1 ? this.#next() : 0),
      write: (offset, value, size) => {
        if (offset !== 0 || size !== 2) return;
        fields.item = value;
        fields.offset = 0;
      },
    };
    this.dma = {
      name: `${this.name}-dma`, size: 8, minAccess: 4, maxAccess: 4,
      read: (offset) => [...DMA_SIGNATURE].slice(offset, offset + 4).reduce((word, char, i) => word | char.charCodeAt(0) << (8 * i), 0),
      write: (offset, value) => {
        if (offset === 0) fields.dmaHigh = swap(value);
        else this.#transfer(fields.dmaHigh * 2 ** 32 + (swap(value) >>> 0));
      },
    };
  }

  reset(): void {
    this.state.reset();
  }

  get #data(): Uint8Array {
    return this.#items.get(this.state.fields.item) ?? NOTHING;
  }

  /** Past its end an item reads as zeros. */
  #next(): number {
    const { fields } = this.state, data = this.#data;
    return fields.offset < data.length ? data[fields.offset++]! : 0;
  }

  #transfer(request: number): void {
    const { fields } = this.state;
    fields.dmaHigh = 0;
    const words = new DataView(new ArrayBuffer(16));
    this.#space.readBytes(request, new Uint8Array(words.buffer));
    const control = words.getUint32(0), length = words.getUint32(4), address = words.getUint32(8) * 2 ** 32 + words.getUint32(12);
    if ((control & DMA_SELECT) !== 0) {
      fields.item = control >>> 16;
      fields.offset = 0;
    }
    let failed = false;
    if ((control & DMA_READ) !== 0) {
      const data = this.#data.subarray(fields.offset, fields.offset + length), rest = length - data.length;
      this.#space.writeBytes(address, data);
      failed = rest > 0 && !this.#space.fillBytes(address + data.length, 0, rest);
    } else if ((control & DMA_WRITE) !== 0) failed = length > 0;
    if ((control & (DMA_READ | DMA_WRITE | DMA_SKIP)) !== 0) fields.offset = Math.min(fields.offset + length, this.#data.length);
    this.#space.writeBytes(request, Uint8Array.of(0, 0, 0, failed ? DMA_ERROR : 0));
  }

  #addFiles(files: ReadonlyMap<string, Uint8Array>): void {
    const directory = new DataView(new ArrayBuffer(4 + ENTRY_SIZE * files.size)), bytes = new Uint8Array(directory.buffer);
    directory.setUint32(0, files.size);
    [...files].forEach(([name, data], index) => {
      const at = 4 + ENTRY_SIZE * index, item = FW_FIRST_FILE + index;
      directory.setUint32(at, data.length);
      directory.setUint16(at + 4, item);
      bytes.set(ascii(name).subarray(0, NAME_SIZE - 1), at + 8);
      this.#items.set(item, data);
    });
    this.#items.set(FW_DIRECTORY, bytes);
  }
}

const swap = (word: number): number => (word >>> 24 | word >>> 8 & 0xff00 | word << 8 & 0xff0000 | word << 24) | 0;
