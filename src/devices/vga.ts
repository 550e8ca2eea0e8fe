/**
 * VGA: four planes of 64 KB, text and graphics modes; and the Bochs VBE extensions over all of its memory (vga-dispi.ts).
 * Its option ROM and its place on a bus are the board's.
 * Source: IBM PS/2 Hardware Interface Technical Reference, Video Subsystems (1992), §2.
 *
 *   3B4, 3D4  CRTC index (by misc output bit 0)     3C6  DAC mask
 *   3B5, 3D5  CRTC data                             3C7  DAC read address, R: DAC state
 *   3BA, 3DA  R: input status 1, W: feature control 3C8  DAC write address
 *   3C0       attribute index and data, in turn     3C9  DAC data
 *   3C1       R: attribute data                     3CA  R: feature control
 *   3C2       R: input status 0, W: misc output     3CC  R: misc output
 *   3C3       adapter enable                        3CE  graphics index
 *   3C4       sequencer index                       3CF  graphics data
 *   3C5       sequencer data
 */

import type { Clock, Device } from './device.ts';
import type { Picture, TextScreen } from './host.ts';
import { chainIsPlain, gather, scatter } from './vga-chain.ts';
import { Dispi, extendedMode, linearWindow } from './vga-dispi.ts';
import { graphicsLine } from './vga-graphics.ts';
import { drawLinear } from './vga-linear.ts';
import { VgaMemory } from './vga-memory.ts';
import {
  AR_MODE, ATTRIBUTE_SCREEN_ON, CLOCKING_OFF, CR_MODE, CR_OVERFLOW, CR_RETRACE_END, CRT_SYNC, CRTC_COUNT, createVgaState, GR_MISC, GR_READ_MAP,
  MISC_GRAPHICS, OUTPUT_COLOR, RETRACE_PROTECT, SEQ_CLOCKING,
} from './vga-registers.ts';
import { blackPicture, drawRaster, rasterOf } from './vga-scan.ts';
import { readText, textLine } from './vga-text.ts';
import { TextWatch } from './vga-watch.ts';
import { beamStatus, framePeriod } from './vga-timing.ts';
import type { IoRegion } from '../memory/io-region.ts';

/** Offsets from 3B0. */
const ATTRIBUTE = 0x10;
const ATTRIBUTE_READ = 0x11;
const MISC_WRITE = 0x12;
const ENABLE = 0x13;
const SEQUENCER_INDEX = 0x14;
const SEQUENCER_DATA = 0x15;
const DAC_MASK = 0x16;
const DAC_READ_ADDRESS = 0x17;
const DAC_WRITE_ADDRESS = 0x18;
const DAC_DATA = 0x19;
const FEATURE_READ = 0x1a;
const MISC_READ = 0x1c;
const GRAPHICS_INDEX = 0x1e;
const GRAPHICS_DATA = 0x1f;
/** Registers that say how the processor sees the memory. */
const PLACING = [MISC_WRITE, ENABLE, SEQUENCER_DATA, GRAPHICS_DATA];
/** Offsets in the group of eight or so that is at 3B0 or at 3D0. */
const CRTC_INDEX = 0x4;
const CRTC_DATA = 0x5;
const STATUS1 = 0xa;

/** CRTC registers that IBM does not name: the latch of the plane of the read map; bit 7: the next write to 3C0 is data. */
const CR_LATCH = 0x22;
const CR_FLIP_FLOP = 0x24;

const NOT_DRIVEN = 0xff;
/** Input status 0, bit 4: the monitor's sense line says that one is there. */
const SENSE = 0x10;

/** Bits that exist, by register. */
const SEQUENCER_BITS = [0x03, 0x3d, 0x0f, 0x3f, 0x0e];
const GRAPHICS_BITS = [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff];
const ATTRIBUTE_BITS = [...new Array<number>(16).fill(0x3f), 0xef, 0xff, 0x3f, 0x0f, 0x0f];

/** Frames of one half of the cursor's blinking; that of characters takes twice as long. */
const CURSOR_BLINK_FRAMES = 8;

/** No bytes that the processor could write to without the adapter. */
const NOTHING = new Uint8Array(0);

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const word of new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)) sum = (Math.imul(sum, 31) + word) | 0;
  return sum;
}

/** What is shown while no mode is programmed. */
const NO_MODE = { width: 720, height: 400 };

export interface VgaOptions {
  clock: Clock;
  /** Video memory: 256 KB or more, a power of two. A reset leaves it as it is. */
  memory: Uint8Array;
  /** 64 KB in which the pixels of chain 4 are kept (vga-chain.ts). */
  chain?: Uint8Array;
  /** What the processor sees in the 64 KB at A0000. */
  window?: (place: VideoWindow) => void;
}

/** Video memory from this byte on; the bytes of `chain`; null: `memory` of the Vga. */
export type VideoWindow = number | 'chain' | null;

export class Vga implements Device {
  readonly name = 'vga';
  readonly state = createVgaState();
  /** 3B0–3DF. */
  readonly ports: IoRegion;
  /** A0000–BFFFF. */
  readonly memory: VgaMemory;
  /** Ports 1CE and 1CF. */
  readonly dispi: Dispi;
  /** What has changed on the text screen. */
  readonly watch: TextWatch;
  readonly #clock: Clock;
  readonly #memory: Uint8Array;
  readonly #chain: Uint8Array | null;
  readonly #window: (place: VideoWindow) => void;
  #shown: VideoWindow = null;
  /** Counts writes to registers. */
  #writes = 0;

  constructor({ clock, memory, chain, window = () => {} }: VgaOptions) {
    this.#chain = chain ?? null;
    this.#clock = clock;
    this.#memory = memory;
    this.#window = window;
    this.memory = new VgaMemory(this.state.fields, memory);
    this.dispi = new Dispi(this.state.fields, memory, () => this.#place());
    this.watch = new TextWatch(this.state.fields, this.memory);
    this.ports = {
      name: 'vga',
      size: 0x30,
      minAccess: 1,
      maxAccess: 1,
      read: (offset) => this.#read(offset),
      write: (offset, value) => {
        this.#writes = (this.#writes + 1) | 0;
        this.#write(offset, value);
        if (PLACING.includes(offset)) this.#place();
      },
    };
  }

  reset(): void {
    this.state.reset();
    this.#place();
  }

  restored(): void {
    // The memory that comes with a state is what it was, the pixels of chain 4 included.
    this.#shown = this.#wanted();
    this.#window(this.#shown);
  }

  /** What the registers let the processor see at A0000. */
  #wanted(): VideoWindow {
    const f = this.state.fields;
    return linearWindow(f) ?? (this.#chain !== null && chainIsPlain(f) ? 'chain' : null);
  }

  /** Lets the processor see what the registers say now. */
  #place(): void {
    const wanted = this.#wanted();
    if (wanted === this.#shown) return;
    this.#putBack();
    if (wanted === 'chain') gather(this.#memory, this.#chain!);
    this.#shown = wanted;
    this.#window(wanted);
  }

  /** The pixels of chain 4 are in the planes. */
  #putBack(): void {
    if (this.#shown === 'chain') scatter(this.#chain!, this.#memory);
  }

  /** The screen's characters; null in graphics modes and before a mode is set. */
  textScreen(): TextScreen | null {
    return this.#graphics() ? null : readText(this.state.fields, this.#memory);
  }

  /**
   * The screen as a monitor shows it, doubled lines and dots included; black while it is off.
   * @param blinking draw cursor and blinking characters as the clock says; else they are shown
   */
  picture(blinking = false): Picture {
    const f = this.state.fields;
    this.#putBack();
    const dark = (f.attributeIndex & ATTRIBUTE_SCREEN_ON) === 0 || (f.sequencer[SEQ_CLOCKING] & CLOCKING_OFF) !== 0;
    const extended = extendedMode(f);
    if (extended !== null) return dark ? blackPicture(extended.width, extended.height) : drawLinear(f, this.#memory, extended);
    const raster = rasterOf(f);
    if (raster === null) return blackPicture(NO_MODE.width, NO_MODE.height);
    if (dark || (f.crtc[CR_MODE] & CRT_SYNC) === 0) return blackPicture(raster.characters * raster.dots * raster.scale, raster.lines);
    const frame = Math.floor(this.#clock.now() / framePeriod(f));
    const on = (frames: number): boolean => !blinking || Math.floor(frame / frames) % 2 === 0;
    const phase = { cursor: on(CURSOR_BLINK_FRAMES), text: on(2 * CURSOR_BLINK_FRAMES) };
    return drawRaster(f, raster, this.#graphics() ? graphicsLine(f, this.#memory, !phase.text) : textLine(f, this.#memory, raster.dots, phase));
  }

  /** The picture is as it was while this text stays the same: much cheaper than a picture. */
  get changes(): string {
    const extended = extendedMode(this.state.fields);
    const unseen = extended !== null ? this.#memory.subarray(extended.start & ~3, extended.start + extended.height * extended.pitch)
      : this.#shown === 'chain' ? this.#chain! : NOTHING;
    return `${this.#writes + this.memory.writes} ${checksum(unseen)}`;
  }

  #graphics(): boolean {
    return (this.state.fields.graphics[GR_MISC] & MISC_GRAPHICS) !== 0;
  }

  /** Offset in the CRTC's group if that group is the selected one, else -1. */
  #group(offset: number): number {
    const color = (this.state.fields.misc & OUTPUT_COLOR) !== 0;
    const relative = offset - (color ? 0x20 : 0);
    return relative >= 0 && relative < 0x10 ? relative : -1;
  }

  #read(offset: number): number {
    const f = this.state.fields;
    switch (offset) {
      case ATTRIBUTE: return f.attributeIndex;
      case ATTRIBUTE_READ: return f.attribute[f.attributeIndex & 31];
      case MISC_WRITE: return SENSE;
      case ENABLE: return f.enable;
      case SEQUENCER_INDEX: return f.sequencerIndex;
      case SEQUENCER_DATA: return f.sequencer[f.sequencerIndex & 7];
      case DAC_MASK: return f.dacMask;
      case DAC_READ_ADDRESS: return f.dacState;
      case DAC_WRITE_ADDRESS: return f.dacWriteIndex;
      case DAC_DATA: return this.#readDac();
      case FEATURE_READ: return f.feature;
      case MISC_READ: return f.misc;
      case GRAPHICS_INDEX: return f.graphicsIndex;
      case GRAPHICS_DATA: return f.graphics[f.graphicsIndex & 15];
    }
    switch (this.#group(offset)) {
      case CRTC_INDEX: return f.crtcIndex;
      case CRTC_DATA: return this.#readCrtc();
      case STATUS1:
        f.attributeFlipFlop = 0;
        return beamStatus(f, this.#clock.now());
      default: return NOT_DRIVEN;
    }
  }

  #write(offset: number, value: number): void {
    const f = this.state.fields;
    switch (offset) {
      case ATTRIBUTE: this.#writeAttribute(value); return;
      case MISC_WRITE: f.misc = value; return;
      case ENABLE: f.enable = value & 1; return;
      case SEQUENCER_INDEX: f.sequencerIndex = value & 7; return;
      case SEQUENCER_DATA: f.sequencer[f.sequencerIndex] = value & (SEQUENCER_BITS[f.sequencerIndex] ?? 0); return;
      case DAC_MASK: f.dacMask = value; return;
      case DAC_READ_ADDRESS:
        f.dacReadIndex = value;
        f.dacComponent = 0;
        f.dacState = 3;
        return;
      case DAC_WRITE_ADDRESS:
        f.dacWriteIndex = value;
        f.dacComponent = 0;
        f.dacState = 0;
        return;
      case DAC_DATA: this.#writeDac(value); return;
      case GRAPHICS_INDEX: f.graphicsIndex = value & 15; return;
      case GRAPHICS_DATA: f.graphics[f.graphicsIndex] = value & (GRAPHICS_BITS[f.graphicsIndex] ?? 0); return;
    }
    switch (this.#group(offset)) {
      case CRTC_INDEX: f.crtcIndex = value & 0x3f; return;
      case CRTC_DATA: this.#writeCrtc(value); return;
      case STATUS1: f.feature = value & 3; return;
    }
  }

  #writeAttribute(value: number): void {
    const f = this.state.fields;
    f.attributeFlipFlop ^= 1;
    if (f.attributeFlipFlop !== 0) f.attributeIndex = value & 0x3f;
    else this.#writeAttributeData(value);
  }

  /** The palette is the screen's while it drives it: then its 16 registers cannot be written. */
  #writeAttributeData(value: number): void {
    const f = this.state.fields, index = f.attributeIndex & 31;
    if (index >= AR_MODE || (f.attributeIndex & ATTRIBUTE_SCREEN_ON) === 0) f.attribute[index] = value & (ATTRIBUTE_BITS[index] ?? 0);
  }

  #readCrtc(): number {
    const f = this.state.fields;
    if (f.crtcIndex === CR_LATCH) return f.latch[f.graphics[GR_READ_MAP] & 3];
    if (f.crtcIndex === CR_FLIP_FLOP) return (f.attributeFlipFlop << 7) | f.attributeIndex;
    return f.crtcIndex < CRTC_COUNT ? f.crtc[f.crtcIndex] : 0;
  }

  #writeCrtc(value: number): void {
    const { crtc, crtcIndex } = this.state.fields;
    if (crtcIndex >= CRTC_COUNT) return;
    if (crtcIndex <= CR_OVERFLOW && (crtc[CR_RETRACE_END] & RETRACE_PROTECT) !== 0) {
      // Only bit 8 of the line compare stays open.
      if (crtcIndex === CR_OVERFLOW) crtc[CR_OVERFLOW] = (crtc[CR_OVERFLOW] & ~0x10) | (value & 0x10);
      return;
    }
    crtc[crtcIndex] = value;
  }

  #readDac(): number {
    const f = this.state.fields;
    const value = f.dac[f.dacReadIndex * 3 + f.dacComponent];
    f.dacComponent = (f.dacComponent + 1) % 3;
    if (f.dacComponent === 0) {
      f.dacReadIndex = (f.dacReadIndex + 1) & 0xff;
      f.dacWriteIndex = f.dacReadIndex;
    }
    return value;
  }

  /** A colour changes when its third component is written. */
  #writeDac(value: number): void {
    const f = this.state.fields;
    f.dacLatch[f.dacComponent] = f.dacWide !== 0 ? value : value & 0x3f;
    f.dacComponent = (f.dacComponent + 1) % 3;
    if (f.dacComponent !== 0) return;
    f.dac.set(f.dacLatch, f.dacWriteIndex * 3);
    f.dacWriteIndex = (f.dacWriteIndex + 1) & 0xff;
  }
}
