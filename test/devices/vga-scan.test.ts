/** What the CRT controller does to the picture: split screen, panning, start addresses, blanking, unusual timings. */
import { beforeEach, describe, expect, it } from 'vitest';
import { attribute, clock, dots, fresh, glyph, indexed, poke, put, rgb, pixel, restart, textMode, vga } from './vga-panel.ts';

beforeEach(() => {
  fresh();
  textMode();
  indexed(0x3d4, 0x0a, 0x20);
});

const crtc = (...values: [number, number][]): void => values.forEach(([index, value]) => indexed(0x3d4, index, value));
const screenOn = (): void => {
  restart();
  put(0x3c0, 0x20);
};

/** 320 × 200 or others in planes of bytes, unchained (mode X): `values` are CRTC registers on top of mode 13h's. */
function modeX(...values: [number, number][]): void {
  textMode({ clocking: 1, misc: 0x63 });
  crtc([0x11, 0x0e], [0x09, 0x41], [0x13, 0x28], [0x14, 0x00], [0x17, 0xe3], [0x0a, 0x20], ...values);
  indexed(0x3c4, 4, 0x06);
  indexed(0x3ce, 5, 0x40);
  indexed(0x3ce, 6, 0x05);
  attribute(0x10, 0x41);
  attribute(0x13, 0);
  screenOn();
}
const modeXPixel = (pitch: number, x: number, y: number, value: number): void => {
  indexed(0x3c4, 2, 1 << (x & 3));
  poke(0xa0000 + y * pitch + (x >> 2), value);
};

describe('split screen', () => {
  it('starts again at address 0 in any scan line', () => {
    glyph(0x41, [0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01]);
    for (let row = 0; row < 25; row++) poke(0xb8000 + 160 * (row + 5), 0x20, 0x07);
    poke(0xb8000, 0x41, 0x07);
    crtc([0x0d, 5 * 80 & 255], [0x0c, 5 * 80 >> 8]);
    crtc([0x18, 99], [0x07, 0x0f], [0x09, 0x0f]);
    const picture = vga.picture();
    expect([99, 100, 101, 107, 108, 116].map((y) => dots(picture, y, 0, 8)))
      .toEqual(['00000000', '70000000', '07000000', '00000007', '00000000', '00000000']);
  });

  it('keeps pixel panning, or ends it', () => {
    glyph(0x41, [0xf0]);
    poke(0xb8000, 0x41, 0x07, 0x20, 0x07);
    crtc([0x0d, 80], [0x18, 9], [0x07, 0x0f], [0x09, 0x0f]);
    attribute(0x13, 1);
    screenOn();
    expect(dots(vga.picture(), 10, 0, 5)).toBe('77000');
    attribute(0x10, 0x2c);
    screenOn();
    expect(dots(vga.picture(), 10, 0, 5)).toBe('77770');
  });
});

it('moves by characters with byte panning', () => {
  glyph(0x41, [0xff]);
  poke(0xb8000, 0x20, 0x07, 0x20, 0x07, 0x41, 0x07);
  crtc([0x08, 0x40]);
  expect(dots(vga.picture(), 0, 0, 9)).toBe('777777770');
});

it('begins within a row by preset row scan, and the next row is whole', () => {
  glyph(0x41, [1, 2, 4, 8]);
  poke(0xb8000, 0x41, 0x07);
  poke(0xb8000 + 160, 0x41, 0x07);
  crtc([0x08, 14]);
  const picture = vga.picture();
  expect([0, 2, 3, 5].map((y) => dots(picture, y, 0, 8))).toEqual(['00000000', '00000007', '00000070', '00007000']);
});

describe('blanking', () => {
  it('hides lines and columns', () => {
    for (let i = 0; i < 2000; i++) poke(0xb8000 + 2 * i, 0x20, 0x70);
    crtc([0x11, 0x0e], [0x07, 0x17], [0x15, 40], [0x16, 60], [0x02, 70], [0x03, 0x80 | 75 & 31], [0x05, (75 & 32) << 2]);
    const picture = vga.picture();
    expect([39, 40, 59, 60].map((y) => pixel(picture, 0, y))).toEqual([rgb(7), 0, 0, rgb(7)]);
    expect([69, 70, 74, 75].map((column) => pixel(picture, column * 9, 0))).toEqual([rgb(7), 0, 0, rgb(7)]);
  });

  it('no sync pulses, no picture', () => {
    poke(0xb8000, 0x20, 0x70);
    crtc([0x17, 0x23]);
    expect(pixel(vga.picture(), 0, 0)).toBe(0);
  });
});

describe('unchained 256 colours', () => {
  it('320 × 240', () => {
    modeX([0x06, 0x0d], [0x07, 0x3e], [0x10, 0xea], [0x12, 0xdf], [0x15, 0xe7], [0x16, 0x06]);
    modeXPixel(80, 319, 239, 5);
    modeXPixel(80, 1, 0, 6);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([640, 480]);
    expect([dots(picture, 479, 636, 4), dots(picture, 478, 638, 2), dots(picture, 0, 0, 5)]).toEqual(['0055', '55', '00660']);
  });

  it('360 × 480', () => {
    modeX([0x00, 0x6b], [0x01, 0x59], [0x02, 0x5a], [0x03, 0x8e], [0x04, 0x5e], [0x05, 0x8a], [0x06, 0x0d], [0x07, 0x3e], [0x09, 0x40], [0x10, 0xea],
      [0x12, 0xdf], [0x13, 0x2d], [0x15, 0xe7], [0x16, 0x06]);
    modeXPixel(90, 359, 479, 5);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([720, 480]);
    expect([dots(picture, 479, 716, 4), dots(picture, 478, 716, 4)]).toEqual(['0055', '0000']);
  });

  it('wraps at 64 KB', () => {
    modeX();
    modeXPixel(80, 0, 0, 5);
    crtc([0x0c, 0xff], [0x0d, 0xff]);
    expect(dots(vga.picture(), 0, 6, 6)).toBe('005500');
  });
});

it('256 colours made of planes shifted bit by bit', () => {
  modeX();
  indexed(0x3ce, 5, 0x00);
  indexed(0x3c4, 2, 0x01);
  poke(0xa0000, 0b01010000);
  indexed(0x3c4, 2, 0x02);
  poke(0xa0000, 0b00010000);
  expect(dots(vga.picture(), 0, 0, 8)).toBe('11330000');
});

it('doubles dots when the dot clock is halved: 40 columns', () => {
  textMode({ columns: 40, clocking: 8 });
  glyph(0x41, [0xa0]);
  poke(0xb8000, 0x41, 0x07);
  attribute(0x13, 8);
  screenOn();
  const picture = vga.picture();
  expect([picture.width, picture.height]).toEqual([720, 400]);
  expect(dots(picture, 0, 0, 8)).toBe('77007700');
});

it('blinks in graphics modes by bit 3 of the colour', () => {
  modeX();
  indexed(0x3ce, 5, 0x00);
  attribute(0x10, 0x09);
  indexed(0x3c4, 2, 0x01);
  poke(0xa0000, 0x80);
  screenOn();
  expect(dots(vga.picture(true), 0, 0, 2)).toBe('10');
  clock.skip(17 * 14_300_000);
  expect(dots(vga.picture(true), 0, 0, 2)).toBe('98');
});
