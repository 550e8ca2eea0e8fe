/**
 * The VGA's register files and their declared state.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference, Video Subsystems (1992), §2; the register names are IBM's.
 */

import { DeviceState } from './device.ts';

/** Sequencer indices. */
export const SEQ_CLOCKING = 1;
export const SEQ_MAP_MASK = 2;
export const SEQ_FONT_SELECT = 3;
export const SEQ_MEMORY_MODE = 4;

/** Clocking mode: 8 dots per character, not 9. */
export const CLOCKING_8_DOTS = 0x01;
/** Clocking mode: dot clock halved (40 columns, 320 pixels). */
export const CLOCKING_HALF = 0x08;
/** Clocking mode: screen off. */
export const CLOCKING_OFF = 0x20;
/** Memory mode: more than 64 KB. */
export const MEMORY_EXTENDED = 0x02;
/** Memory mode: no odd/even addressing. */
export const MEMORY_SEQUENTIAL = 0x04;
export const MEMORY_CHAIN4 = 0x08;

/** Graphics controller indices. */
export const GR_SET_RESET = 0;
export const GR_ENABLE_SET_RESET = 1;
export const GR_COLOR_COMPARE = 2;
export const GR_ROTATE = 3;
export const GR_READ_MAP = 4;
export const GR_MODE = 5;
export const GR_MISC = 6;
export const GR_COLOR_DONT_CARE = 7;
export const GR_BIT_MASK = 8;

/** Graphics mode: reads use odd/even addressing. */
export const MODE_ODD_EVEN = 0x10;
/** Graphics mode: two bits of each pixel in a byte (CGA). */
export const MODE_SHIFT_CGA = 0x20;
/** Graphics mode: 256 colours. */
export const MODE_SHIFT_256 = 0x40;
/** Miscellaneous: graphics, not text. */
export const MISC_GRAPHICS = 0x01;
/** Miscellaneous: address bit 0 gives way to a higher one. */
export const MISC_CHAIN_ODD_EVEN = 0x02;

/** CRT controller indices. */
export const CR_HORIZONTAL_TOTAL = 0x00;
export const CR_HORIZONTAL_END = 0x01;
export const CR_BLANK_LEFT = 0x02;
export const CR_BLANK_RIGHT = 0x03;
export const CR_HORIZONTAL_RETRACE_END = 0x05;
export const CR_VERTICAL_TOTAL = 0x06;
export const CR_OVERFLOW = 0x07;
export const CR_PRESET_ROW = 0x08;
export const CR_MAX_SCAN = 0x09;
export const CR_CURSOR_START = 0x0a;
export const CR_CURSOR_END = 0x0b;
export const CR_START_HIGH = 0x0c;
export const CR_START_LOW = 0x0d;
export const CR_CURSOR_HIGH = 0x0e;
export const CR_CURSOR_LOW = 0x0f;
export const CR_RETRACE_START = 0x10;
export const CR_RETRACE_END = 0x11;
export const CR_VERTICAL_END = 0x12;
export const CR_OFFSET = 0x13;
export const CR_UNDERLINE = 0x14;
export const CR_BLANK_START = 0x15;
export const CR_BLANK_END = 0x16;
export const CR_MODE = 0x17;
export const CR_LINE_COMPARE = 0x18;

/** Retrace end: registers 0–7 are protected. */
export const RETRACE_PROTECT = 0x80;
/** Underline location: the address counter advances with every fourth character. */
export const UNDERLINE_COUNT_4 = 0x20;
/** Underline location: doubleword addressing. */
export const UNDERLINE_DOUBLEWORD = 0x40;
/** CRT mode: row scan bit 0 (bit 1) goes on as it is in address bit 13 (14); cleared for CGA and Hercules layouts. */
export const CRT_ROW_BIT0 = 0x01;
export const CRT_ROW_BIT1 = 0x02;
/** CRT mode: vertical values count every second scan line. */
export const CRT_HALF_LINES = 0x04;
/** CRT mode: the address counter advances with every second character. */
export const CRT_COUNT_2 = 0x08;
/** CRT mode: word addressing wraps at 64 KB (address bit 15), else at 16 KB (bit 13). */
export const CRT_WRAP_64K = 0x20;
/** CRT mode: byte addressing. */
export const CRT_BYTE = 0x40;
/** CRT mode: sync pulses are made; a monitor without them is dark. */
export const CRT_SYNC = 0x80;

/** Attribute controller indices. */
export const AR_MODE = 0x10;
export const AR_OVERSCAN = 0x11;
export const AR_PLANES = 0x12;
export const AR_PANNING = 0x13;
export const AR_COLOR_SELECT = 0x14;

/** Attribute mode: graphics. */
export const ATTRIBUTE_GRAPHICS = 0x01;
export const ATTRIBUTE_MONO = 0x02;
/** Attribute mode: the ninth dot of C0h–DFh repeats the eighth. */
export const ATTRIBUTE_LINE_GRAPHICS = 0x04;
export const ATTRIBUTE_BLINK = 0x08;
/** Attribute mode: pixel panning ends at line compare. */
export const ATTRIBUTE_PAN_SPLIT = 0x20;
/** Attribute mode: 8-bit pixels. */
export const ATTRIBUTE_256 = 0x40;
/** Attribute mode: palette bits 5–4 come from colour select. */
export const ATTRIBUTE_COLOR_SELECT = 0x80;
/** Attribute address: the palette drives the screen. */
export const ATTRIBUTE_SCREEN_ON = 0x20;

/** Miscellaneous output: CRTC at 3Dx. */
export const OUTPUT_COLOR = 0x01;
/** Miscellaneous output: the processor sees video memory. */
export const OUTPUT_RAM = 0x02;

export const CRTC_COUNT = 0x19;
export const PLANE_SIZE = 65536;
/** What a VGA without extensions has: 4 planes; byte `offset` of plane p is at 4 × offset + p of the video memory. */
export const STANDARD_MEMORY = 4 * PLANE_SIZE;
/** Bochs VBE extensions: number of registers, and the identity that they begin with (vga-dispi.ts). */
export const DISPI_COUNT = 11;
export const DISPI_ID5 = 0xb0c5;

export const createVgaState = () =>
  new DeviceState(2, {
    misc: 0, feature: 0, enable: 1,
    sequencerIndex: 0, sequencer: new Uint8Array(8),
    graphicsIndex: 0, graphics: new Uint8Array(16),
    crtcIndex: 0, crtc: new Uint8Array(CRTC_COUNT),
    attributeIndex: 0, attributeFlipFlop: 0, attribute: new Uint8Array(32),
    dacMask: 0xff, dacReadIndex: 0, dacWriteIndex: 0,
    /** 3 after a write of the read address, 0 after one of the write address: what 3C7 reads. */
    dacState: 0,
    /** Component of the next access, 0 red – 2 blue, and the components written so far. */
    dacComponent: 0, dacLatch: new Uint8Array(3),
    /** 256 colours, 6 bits each for red, green, blue; 8 bits while `dacWide` is 1. */
    dac: new Uint8Array(768), dacWide: 0,
    /** The four bytes that the last read fetched, one for each plane. */
    latch: new Uint8Array(4),
    dispiIndex: 0, dispi: Uint16Array.of(DISPI_ID5, ...new Array<number>(DISPI_COUNT - 1).fill(0)),
  });

export type VgaFields = ReturnType<typeof createVgaState>['fields'];

/** A 10-bit vertical value: its low byte, and bits 8 and 9 from the overflow register. */
const tall = (crtc: Uint8Array, index: number, bit8: number, bit9: number): number =>
  crtc[index] | (((crtc[CR_OVERFLOW] >> bit8) & 1) << 8) | (((crtc[CR_OVERFLOW] >> bit9) & 1) << 9);

/** Scan lines for each count of the vertical values. */
const lineStep = (crtc: Uint8Array): number => ((crtc[CR_MODE] & CRT_HALF_LINES) !== 0 ? 2 : 1);

/** Scan lines of a frame. */
export const frameLines = (crtc: Uint8Array): number => (tall(crtc, CR_VERTICAL_TOTAL, 0, 5) + 2) * lineStep(crtc);
/** Displayed scan lines. */
export const shownLines = (crtc: Uint8Array): number => (tall(crtc, CR_VERTICAL_END, 1, 6) + 1) * lineStep(crtc);
/** Scan line at which the vertical retrace starts. */
export const retraceStart = (crtc: Uint8Array): number => tall(crtc, CR_RETRACE_START, 2, 7) * lineStep(crtc);
/** Scan line at which vertical blanking starts. */
export const blankStart = (crtc: Uint8Array): number =>
  (crtc[CR_BLANK_START] | (((crtc[CR_OVERFLOW] >> 3) & 1) << 8) | (((crtc[CR_MAX_SCAN] >> 5) & 1) << 9)) * lineStep(crtc);
/** Scan line after which the address counter restarts at 0. */
export const lineCompare = (crtc: Uint8Array): number =>
  crtc[CR_LINE_COMPARE] | (((crtc[CR_OVERFLOW] >> 4) & 1) << 8) | (((crtc[CR_MAX_SCAN] >> 6) & 1) << 9);
/** Scan lines of a character row (of a pixel row in graphics modes), without doubling. */
export const rowHeight = (crtc: Uint8Array): number => (crtc[CR_MAX_SCAN] & 31) + 1;
/** Every scan line is shown twice. */
export const doubleScan = (crtc: Uint8Array): boolean => (crtc[CR_MAX_SCAN] & 0x80) !== 0;
export const startAddress = (crtc: Uint8Array): number => (crtc[CR_START_HIGH] << 8) | crtc[CR_START_LOW];
export const cursorAddress = (crtc: Uint8Array): number => (crtc[CR_CURSOR_HIGH] << 8) | crtc[CR_CURSOR_LOW];
/** What the address counter grows by from row to row. */
export const rowPitch = (crtc: Uint8Array): number => crtc[CR_OFFSET] * 2;

/** The offset in a plane that the CRT controller puts out for a counter value and a scan line within the row. */
export function displayOffset(crtc: Uint8Array, counter: number, rowScan: number): number {
  const mode = crtc[CR_MODE];
  let address = counter & 0xffff;
  if ((crtc[CR_UNDERLINE] & UNDERLINE_DOUBLEWORD) !== 0) address = ((address << 2) | ((address >> 12) & 3)) & 0xffff;
  else if ((mode & CRT_BYTE) === 0) address = ((address << 1) | ((address >> ((mode & CRT_WRAP_64K) !== 0 ? 15 : 13)) & 1)) & 0xffff;
  if ((mode & CRT_ROW_BIT0) === 0) address = (address & ~0x2000) | ((rowScan & 1) << 13);
  if ((mode & CRT_ROW_BIT1) === 0) address = (address & ~0x4000) | ((rowScan & 2) << 13);
  return address;
}

/** Colour of a DAC entry as 0xRRGGBB. */
export function dacColor(fields: VgaFields, index: number): number {
  const at = (index & fields.dacMask) * 3;
  const wide = (value: number): number => (fields.dacWide !== 0 ? value : (value << 2) | (value >> 4));
  return (wide(fields.dac[at]) << 16) | (wide(fields.dac[at + 1]) << 8) | wide(fields.dac[at + 2]);
}

/** 0xRRGGBB as the four bytes R, G, B, 255 of a little-endian word. */
export const toPixel = (color: number): number => (0xff000000 | ((color & 0xff) << 16) | (color & 0xff00) | (color >> 16)) >>> 0;

/** DAC index that the attribute controller makes of a 4-bit colour. */
export function paletteIndex(fields: VgaFields, color: number): number {
  const { attribute } = fields;
  const select = attribute[AR_COLOR_SELECT];
  const value = attribute[color & 15] & 0x3f;
  const low = (attribute[AR_MODE] & ATTRIBUTE_COLOR_SELECT) !== 0 ? (value & 0x0f) | ((select & 3) << 4) : value;
  return low | ((select & 0x0c) << 4);
}

/** Pixels of the 16 colours that the attribute controller's palette makes. */
export const palettePixels = (fields: VgaFields): Uint32Array =>
  Uint32Array.from({ length: 16 }, (_, color) => toPixel(dacColor(fields, paletteIndex(fields, color & fields.attribute[AR_PLANES]))));

/** Pixels of the DAC's 256 colours. */
export const dacPixels = (fields: VgaFields): Uint32Array => Uint32Array.from({ length: 256 }, (_, index) => toPixel(dacColor(fields, index)));
