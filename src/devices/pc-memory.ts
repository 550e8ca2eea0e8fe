/**
 * The physical memory of the PC: RAM, firmware, and what the host bridge switches between them.
 *
 *     00000000  RAM (all of it; what follows lies over it)
 *     000A0000  video: the VGA's planes or 64 KB of its memory as it is; or the RAM behind it (SMRAM)
 *     000C0000  VGA BIOS; open bus up to 000DFFFF        } by segment, for reads and writes apart,
 *     000E0000  the last 128 KB of the firmware          } RAM instead (PAM)
 *     FFFC0000  the firmware, ending at FFFFFFFF
 *     wherever the guest says: the frame buffer, the VGA's registers and its ROM (PCI)
 *
 * Without a host bridge (an ISA PC) there is RAM from C0000 on, into which a reset copies VGA BIOS and firmware, as chipsets of the time did by
 * themselves when told to shadow their ROMs.
 *
 * One host buffer holds RAM, firmware, VGA BIOS, a stretch of ones, the video memory and its pixels of chain 4, in this order.
 */
import { AddressSpace } from '../memory/address-space.ts';
import type { Mapping, Region } from '../memory/address-space.ts';
import { HostMemory } from '../memory/host-memory.ts';
import type { IoRegion } from '../memory/io-region.ts';
import { PAM_SEGMENTS } from './i440fx.ts';
import { CHAIN_SIZE } from './vga-chain.ts';
import type { VideoWindow } from './vga.ts';

const MIB = 1 << 20;
export const MIN_MEMORY = MIB;
/** RAM and video memory: leaves room for ROMs below the limit of the host buffer. */
export const MAX_MEMORY = 2047 * MIB;
const VIDEO = 0xa0000;
const VIDEO_SIZE = 0x20000;
const OPTION_ROM = 0xc0000;
const MAX_OPTION_ROM = 0x20000;
const MAX_BIOS = 256 << 10;
const BIOS_UNIT = 64 << 10;
const LOW_BIOS = 128 << 10;

/** Priorities: RAM lies at the bottom. */
const OVER_RAM = 1;
const OVER_VIDEO = 2;
const OVER_ROM = 3;

/** Pads an image with ones, in front or behind. */
function padded(image: Uint8Array, size: number, atEnd: boolean): Uint8Array {
  const bytes = new Uint8Array(size).fill(0xff);
  bytes.set(image, atEnd ? size - image.length : 0);
  return bytes;
}

export interface PcMemoryOptions {
  /** Bytes of RAM: whole MiB, MIN_MEMORY … MAX_MEMORY. */
  size: number;
  /** Firmware, up to 256 KB; it ends at the top of the address space. */
  bios: Uint8Array;
  /** Option ROM of the VGA adapter, up to 128 KB. */
  vgaBios: Uint8Array | null;
  /** Bytes of video memory, a power of two from 64 KB on; 0: there is no VGA adapter. */
  videoMemory: number;
  /** No host bridge switches between ROM and RAM: loadRoms() puts the ROMs into RAM. */
  inRam?: boolean;
}

export class PcMemory {
  /** Bytes of RAM. */
  readonly ramSize: number;
  readonly space: AddressSpace;
  /** Size of the VGA BIOS in the expansion ROM register: a power of two; 0 = none. */
  readonly vgaRomSize: number;
  readonly videoMemory: Uint8Array;
  /** 64 KB in which the VGA keeps pixels of chain 4. */
  readonly videoChain: Uint8Array;
  readonly #pam: Mapping[];
  /** What is copied into RAM, and to where; empty with a host bridge. */
  readonly #copies: (readonly [number, Uint8Array])[] = [];
  readonly #frameBuffer: Region;
  readonly #chain: Region;
  readonly #vgaRom: Region | null;
  /** What lies at A0000, over each other. */
  readonly #video: Mapping[] = [];
  #window: Mapping | null = null;
  #windowPlace: VideoWindow = null;
  #smram = false;
  readonly #places = new Map<Region, Mapping>();

  /** @throws RangeError for a size that the board does not take */
  constructor({ size, bios, vgaBios, videoMemory, inRam = false }: PcMemoryOptions) {
    if (size % MIB !== 0 || size < MIN_MEMORY || size > MAX_MEMORY) throw new RangeError('memory must be 1 to 2047 whole MiB');
    this.ramSize = size;
    if (size + videoMemory > MAX_MEMORY) throw new RangeError(`memory and video memory (${videoMemory / MIB} MiB) must be at most 2047 MiB together`);
    if (bios.length === 0 || bios.length > MAX_BIOS) throw new RangeError('a BIOS image has 1 byte to 256 KB');
    if (vgaBios && vgaBios.length > MAX_OPTION_ROM) throw new RangeError('a VGA BIOS image has at most 128 KB');
    const biosSize = Math.ceil(bios.length / BIOS_UNIT) * BIOS_UNIT;
    this.vgaRomSize = vgaBios ? Math.max(PAM_SEGMENTS[1].size, 2 ** Math.ceil(Math.log2(vgaBios.length))) : 0;

    const memory = new HostMemory(size + biosSize + this.vgaRomSize + BIOS_UNIT + videoMemory + CHAIN_SIZE);
    this.space = new AddressSpace(memory);
    const rom = (bytes: Uint8Array): Region => {
      const ma = memory.allocate(bytes.length);
      memory.bytes.set(bytes, ma);
      return { kind: 'rom', ma, size: bytes.length };
    };
    this.space.add({ kind: 'ram', ma: memory.allocate(size), size }, 0);
    const biosRom = rom(padded(bios, biosSize, true));
    this.#vgaRom = vgaBios ? rom(padded(vgaBios, this.vgaRomSize, false)) : null;
    const nothing = rom(padded(new Uint8Array(0), BIOS_UNIT, false));

    const frameBuffer = memory.allocate(videoMemory);
    this.#frameBuffer = { kind: 'ram', ma: frameBuffer, size: videoMemory };
    this.videoMemory = memory.bytes.subarray(frameBuffer, frameBuffer + videoMemory);
    const chain = memory.allocate(CHAIN_SIZE);
    this.#chain = { kind: 'ram', ma: chain, size: CHAIN_SIZE };
    this.videoChain = memory.bytes.subarray(chain, chain + CHAIN_SIZE);

    this.space.add(biosRom, 2 ** 32 - biosSize);
    for (let at = 0; at < VIDEO_SIZE; at += BIOS_UNIT) this.#video.push(this.space.add(nothing, VIDEO + at, OVER_RAM));
    const lowBios = Math.min(biosSize, LOW_BIOS);
    this.#pam = PAM_SEGMENTS.map(({ base, size: length }) => {
      const fromEnd = MIB - base;
      const over = (of: Region, offset: number): Mapping => this.space.add({ kind: 'alias', of, offset, size: length }, base, OVER_RAM);
      if (fromEnd <= lowBios) return over(biosRom, biosSize - fromEnd);
      if (this.#vgaRom && base - OPTION_ROM + length <= this.vgaRomSize) return over(this.#vgaRom, base - OPTION_ROM);
      return over(nothing, 0);
    });
    if (!inRam) return;
    PAM_SEGMENTS.forEach((_, segment) => this.pam(segment, true, true));
    if (vgaBios !== null) this.#copies.push([OPTION_ROM, vgaBios]);
    this.#copies.push([MIB - lowBios, padded(bios, biosSize, true).subarray(biosSize - lowBios)]);
  }

  /** Copies the ROMs into RAM, where no host bridge would show them. */
  loadRoms(): void {
    for (const [address, bytes] of this.#copies) this.space.writeBytes(address, bytes);
  }

  /** Lets RAM answer in a PAM segment. */
  pam(segment: number, readRam: boolean, writeRam: boolean): void {
    this.#pam[segment].set({ reads: !readRam, writes: !writeRam });
  }

  /** The VGA's planes, at A0000. */
  placeVideo(video: IoRegion): void {
    this.#video.push(this.space.add({ kind: 'mmio', io: video }, VIDEO, OVER_RAM));
  }

  /** Shows other bytes in the 64 KB at A0000; null: the VGA's planes again. */
  videoWindow(place: VideoWindow): void {
    if (place === this.#windowPlace) return;
    this.#windowPlace = place;
    const region: Region = place === 'chain' ? this.#chain : { kind: 'alias', of: this.#frameBuffer, offset: place ?? 0, size: CHAIN_SIZE };
    if (place !== null && this.#window !== null) {
      this.#window.replace(region);
      return;
    }
    this.#window?.remove();
    this.#window = place === null ? null : this.space.add(region, VIDEO, OVER_VIDEO, { reads: !this.#smram, writes: !this.#smram });
  }

  /** Lets RAM answer in place of the video memory. */
  smram(open: boolean): void {
    this.#smram = open;
    for (const mapping of [...this.#video, this.#window]) mapping?.set({ reads: !open, writes: !open });
  }

  /** Shows the VGA BIOS at the place that its expansion ROM register names. */
  placeVgaRom(base: number | null): void {
    if (this.#vgaRom !== null) this.place(this.#vgaRom, base);
  }

  /** Shows the whole video memory at `base`. */
  placeFrameBuffer(base: number | null): void {
    this.place(this.#frameBuffer, base);
  }

  /** Shows a region where a PCI base address register says, and nowhere else; null: nowhere. */
  place(region: Region, base: number | null): void {
    this.#places.get(region)?.remove();
    this.#places.delete(region);
    if (base !== null) this.#places.set(region, this.space.add(region, base, OVER_ROM));
  }
}
