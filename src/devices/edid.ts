/**
 * What the monitor says of itself: 128 bytes, for guests that ask which modes they may use.
 * Source: VESA Enhanced EDID Standard, release A revision 2 (EDID 1.4), section 3.
 */

const SIZE = 128;
/** Three letters of five bits, A = 1. */
const MANUFACTURER = [...'TCG'].reduce((word, letter) => (word << 5) | (letter.charCodeAt(0) - 64), 0);

/** A detailed timing: pixel clock in kHz, then active, blank, front porch and sync width across and down. */
interface Timing {
  readonly clock: number;
  readonly across: readonly [active: number, blank: number, porch: number, sync: number];
  readonly down: readonly [active: number, blank: number, porch: number, sync: number];
}
/** VESA DMT: 1024 × 768 at 60 Hz. */
const PREFERRED: Timing = { clock: 65_000, across: [1024, 320, 24, 136], down: [768, 38, 3, 6] };
const PREFERRED_SIZE = { width: 320, height: 240 };

/** Standard timings at 60 Hz: width, and the code of the aspect ratio (1 4:3, 2 5:4, 3 16:9). */
const STANDARD = [[640, 1], [800, 1], [1024, 1], [1152, 1], [1280, 2], [1600, 1]] as const;

function detailed({ clock, across, down }: Timing): number[] {
  const [ha, hb, hp, hs] = across, [va, vb, vp, vs] = down, { width, height } = PREFERRED_SIZE;
  return [
    (clock / 10) & 255, (clock / 10) >> 8, ha & 255, hb & 255, ((ha >> 8) << 4) | (hb >> 8), va & 255, vb & 255, ((va >> 8) << 4) | (vb >> 8),
    hp & 255, hs & 255, ((vp & 15) << 4) | (vs & 15), ((hp >> 8) << 6) | ((hs >> 8) << 4) | ((vp >> 4) << 2) | (vs >> 4),
    width & 255, height & 255, ((width >> 8) << 4) | (height >> 8), 0, 0, 0x18,
  ];
}

/** A descriptor that is no timing: 13 bytes of `tag`. */
const descriptor = (tag: number, bytes: readonly number[]): number[] => [0, 0, 0, tag, 0, ...bytes];
const text = (value: string): number[] => [...`${value}\n`.padEnd(13)].map((letter) => letter.charCodeAt(0));

function build(): Uint8Array {
  const edid = new Uint8Array(SIZE);
  edid.set([0, 255, 255, 255, 255, 255, 255, 0, MANUFACTURER >> 8, MANUFACTURER & 255, 0x86, 0, 0, 0, 0, 0, 1, 36, 1, 4]);
  // Analogue input; size in cm; gamma 2.2; RGB colour, the first detailed timing is the preferred one; sRGB's chromaticities.
  edid.set([0x08, PREFERRED_SIZE.width / 10, PREFERRED_SIZE.height / 10, 120, 0x0e, 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54], 20);
  // Established: 720x400, 640x480, 800x600 at 60; 1024x768 at 60.
  edid.set([0xa1, 0x08, 0x00], 35);
  edid.set(Array.from({ length: 8 }, (_, i) => STANDARD[i] ?? null).flatMap((one) => (one === null ? [1, 1] : [one[0] / 8 - 31, one[1] << 6])), 38);
  edid.set(detailed(PREFERRED), 54);
  // Range limits: 50-125 Hz, 30-160 kHz, up to 600 MHz.
  edid.set(descriptor(0xfd, [50, 125, 30, 160, 60, 0, 10, 32, 32, 32, 32, 32, 32]), 72);
  edid.set(descriptor(0xfc, text('tcg86 Monitor')), 90);
  edid.set(descriptor(0x10, new Array<number>(13).fill(0)), 108);
  edid[SIZE - 1] = -edid.reduce((sum, byte) => sum + byte, 0) & 255;
  return edid;
}

export const EDID: Uint8Array = build();
