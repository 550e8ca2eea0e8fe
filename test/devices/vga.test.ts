import { beforeEach, describe, expect, it } from 'vitest';
import { attribute, clock, color, dots, fresh, get, glyph, indexed, memory, peek, pixel, poke, put, rgb, textMode, vga } from './vga-panel.ts';

beforeEach(fresh);

describe('registers', () => {
  it('answer at 3Dx or 3Bx by misc output bit 0', () => {
    put(0x3c2, 0x67);
    expect(get(0x3cc)).toBe(0x67);
    indexed(0x3d4, 0x0f, 0x55);
    expect(get(0x3d5)).toBe(0x55);
    expect([get(0x3b4), get(0x3b5), get(0x3ba)]).toEqual([0xff, 0xff, 0xff]);
    put(0x3c2, 0x66);
    expect(get(0x3b5)).toBe(0x55);
    expect([get(0x3d4), get(0x3d5), get(0x3da)]).toEqual([0xff, 0xff, 0xff]);
    put(0x3ba, 3);
    expect(get(0x3ca)).toBe(3);
  });

  it('hold the bits that exist', () => {
    for (const [port, index, value] of [[0x3c4, 2, 0x0f], [0x3c4, 4, 0x0e], [0x3ce, 0, 0x0f], [0x3ce, 5, 0x7b], [0x3ce, 8, 0xff], [0x3ce, 9, 0]]) {
      indexed(port, index, 0xff);
      expect(get(port)).toBe(index);
      expect(get(port + 1)).toBe(value);
    }
    put(0x3c2, 1);
    indexed(0x3d4, 0x20, 0xff);
    expect(get(0x3d5)).toBe(0);
  });

  it('protect CRTC 0–7, but for line compare bit 8', () => {
    put(0x3c2, 1);
    indexed(0x3d4, 0x07, 0x1f);
    indexed(0x3d4, 0x11, 0x80);
    indexed(0x3d4, 0x00, 0x5f);
    indexed(0x3d4, 0x07, 0xe0);
    expect(get(0x3d5)).toBe(0x0f);
    indexed(0x3d4, 0x00, 0);
    expect(get(0x3d5)).toBe(0);
    indexed(0x3d4, 0x11, 0x00);
    indexed(0x3d4, 0x00, 0x5f);
    expect(get(0x3d5)).toBe(0x5f);
  });

  it('attribute: index and data in turn, input status 1 starts over', () => {
    put(0x3c2, 1);
    attribute(0x10, 0xff);
    expect(get(0x3c0)).toBe(0x10);
    expect(get(0x3c1)).toBe(0xef);
    put(0x3c0, 0x11);
    get(0x3da);
    put(0x3c0, 0x12);
    expect(get(0x3c0)).toBe(0x12);
    put(0x3c0, 0x0f);
    expect(get(0x3c1)).toBe(0x0f);
  });

  it('DAC: three components at a time, with auto-increment', () => {
    put(0x3c8, 255);
    for (const value of [1, 2, 0xff, 4, 5]) put(0x3c9, value);
    put(0x3c7, 255);
    expect(get(0x3c7)).toBe(3);
    expect(Array.from({ length: 6 }, () => get(0x3c9))).toEqual([1, 2, 63, 0, 0, 0]);
    put(0x3c8, 7);
    expect(get(0x3c7)).toBe(0);
    expect(get(0x3c8)).toBe(7);
    put(0x3c6, 0x0f);
    expect(get(0x3c6)).toBe(0x0f);
  });

  it('input status 0 and the enable bit', () => {
    expect(get(0x3c2)).toBe(0x10);
    expect(get(0x3c3)).toBe(1);
    textMode();
    poke(0xb8000, 0x41);
    put(0x3c3, 0);
    expect(peek(0xb8000)).toBe(0xff);
    put(0x3c3, 1);
    expect(peek(0xb8000)).toBe(0x41);
  });
});

describe('retrace', () => {
  it('follows the programmed timing: 449 lines of 900 dots at 28.322 MHz', () => {
    textMode();
    const line = (900 * 1e9) / 28_322_000;
    const at = (row: number, column: number): number => {
      clock.skip(Math.ceil(row * line + column * line) - clock.now());
      return get(0x3da);
    };
    expect(at(0, 0.1)).toBe(0);
    expect(at(0, 0.85)).toBe(1);
    expect(at(1, 0.1)).toBe(0);
    expect(at(399, 0.5)).toBe(0);
    expect(at(400, 0.5)).toBe(1);
    expect(at(411, 0.9)).toBe(1);
    expect(at(412, 0.1)).toBe(9);
    expect(at(413, 0.9)).toBe(9);
    expect(at(414, 0.1)).toBe(1);
    expect(at(448, 0.9)).toBe(1);
    expect(at(449, 0.1)).toBe(0);
    expect(at(449 * 100 + 412, 0.1)).toBe(9);
  });

  it('is there before a mode is set', () => {
    put(0x3c2, 1);
    const seen = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      seen.add(get(0x3da));
      clock.skip(10_007);
    }
    expect([...seen].sort()).toEqual([0, 1, 9]);
  });
});

describe('memory', () => {
  const planar = (): void => {
    put(0x3c2, 0x63);
    indexed(0x3c4, 2, 0x0f);
    indexed(0x3c4, 4, 0x06);
    for (let i = 0; i < 9; i++) indexed(0x3ce, i, [0, 0, 0, 0, 0, 0, 5, 0x0f, 0xff][i]);
  };
  const planes = (address: number): number[] =>
    [0, 1, 2, 3].map((plane) => {
      indexed(0x3ce, 4, plane);
      return peek(address);
    });

  it('appears in the selected window only, and only if enabled', () => {
    planar();
    poke(0xa0010, 0x12);
    poke(0xb8000, 0x34);
    expect(peek(0xa0010)).toBe(0x12);
    expect(peek(0xb0000)).toBe(0xff);
    for (const [select, base] of [[0, 0xa0000], [2, 0xb0000], [3, 0xb8000]]) {
      indexed(0x3ce, 6, 1 | (select << 2));
      expect(peek(base + 0x10)).toBe(0x12);
      expect(peek(0xb0010)).toBe(select === 3 ? 0xff : 0x12);
    }
    put(0x3c2, 0x61);
    expect(peek(0xb8010)).toBe(0xff);
  });

  it('odd/even: characters and attributes in planes 0 and 1', () => {
    textMode();
    vga.memory.write(0x18000, 0x07420741, 4);
    expect(peek(0xb8000, 4)).toBe(0x07420741);
    expect(peek(0xb8001, 2)).toBe(0x4207);
    expect([...memory.subarray(0, 12)]).toEqual([0x41, 7, 0, 0, 0, 0, 0, 0, 0x42, 7, 0, 0]);
  });

  it('map mask chooses planes, read map one of them', () => {
    planar();
    indexed(0x3c4, 2, 0x0a);
    poke(0xa0000, 0x99);
    expect(planes(0xa0000)).toEqual([0, 0x99, 0, 0x99]);
  });

  it('write mode 0: rotation, function, set/reset and bit mask', () => {
    planar();
    poke(0xa0000, 0xf0);
    indexed(0x3ce, 3, 4);
    poke(0xa0001, 0x12);
    expect(planes(0xa0001)).toEqual([0x21, 0x21, 0x21, 0x21]);
    for (const [code, result] of [[1, 0x30], [2, 0xf3], [3, 0xc3]]) {
      indexed(0x3ce, 3, code << 3);
      peek(0xa0000);
      poke(0xa0002, 0x33);
      expect(planes(0xa0002)[0]).toBe(result);
    }
    indexed(0x3ce, 3, 0);
    indexed(0x3ce, 0, 0x05);
    indexed(0x3ce, 1, 0x0c);
    indexed(0x3ce, 8, 0x0f);
    peek(0xa0000);
    poke(0xa0003, 0x5a);
    expect(planes(0xa0003)).toEqual([0xfa, 0xfa, 0xff, 0xf0]);
  });

  it('write mode 1 copies latches, 2 expands a colour, 3 masks set/reset', () => {
    planar();
    for (let plane = 0; plane < 4; plane++) {
      indexed(0x3c4, 2, 1 << plane);
      poke(0xa0000, 0x11 * (plane + 1));
    }
    indexed(0x3c4, 2, 0x0f);
    indexed(0x3ce, 5, 1);
    peek(0xa0000);
    poke(0xa0001, 0xff);
    indexed(0x3ce, 5, 2);
    indexed(0x3ce, 8, 0xf0);
    peek(0xa0000);
    poke(0xa0002, 0x05);
    indexed(0x3ce, 5, 3);
    indexed(0x3ce, 0, 0x02);
    peek(0xa0000);
    poke(0xa0003, 0x3c);
    indexed(0x3ce, 5, 0);
    expect(planes(0xa0001)).toEqual([0x11, 0x22, 0x33, 0x44]);
    expect(planes(0xa0002)).toEqual([0xf1, 0x02, 0xf3, 0x04]);
    expect(planes(0xa0003)).toEqual([0x01, 0x32, 0x03, 0x44]);
  });

  it('read mode 1 compares colours', () => {
    planar();
    indexed(0x3c4, 2, 0x05);
    poke(0xa0000, 0x3c);
    indexed(0x3ce, 5, 8);
    indexed(0x3ce, 2, 0x05);
    expect(peek(0xa0000)).toBe(0x3c);
    indexed(0x3ce, 2, 0x00);
    expect(peek(0xa0000)).toBe(0xc3);
    indexed(0x3ce, 7, 0x0a);
    expect(peek(0xa0000)).toBe(0xff);
  });

  it('chain 4: pixel n in plane n mod 4', () => {
    planar();
    indexed(0x3c4, 4, 0x0e);
    poke(0xa0000, 1, 2, 3, 4, 5);
    expect(peek(0xa0001, 4)).toBe(0x05040302);
    poke(0xaffff, 9);
    expect(peek(0xaffff)).toBe(9);
    indexed(0x3ce, 3, 0x08);
    expect([...memory.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect([peek(0xa0001, 4), peek(0xaffff)]).toEqual([0x05040302, 9]);
    indexed(0x3ce, 3, 0);
    indexed(0x3c4, 2, 0x02);
    poke(0xa0000, 7, 7);
    expect(peek(0xa0000, 2)).toBe(0x0701);
  });
});

describe('text', () => {
  it('is not there before a mode is set, nor in graphics modes', () => {
    expect(vga.textScreen()).toBeNull();
    expect(vga.picture()).toMatchObject({ width: 720, height: 400 });
    textMode();
    expect(vga.textScreen()).not.toBeNull();
    indexed(0x3ce, 6, 0x05);
    expect(vga.textScreen()).toBeNull();
  });

  it.each([[80, 16, 25], [80, 8, 50], [40, 16, 25]])('shows %i columns of rows %i lines high: %i rows', (columns, height, rows) => {
    textMode({ columns, height });
    for (let i = 0; i < columns * rows; i++) poke(0xb8000 + 2 * i, i & 0xff, (i >> 8) + 1);
    const screen = vga.textScreen();
    expect(screen).toMatchObject({ columns, rows, blink: true });
    expect(screen?.cells.every((cell, i) => cell === ((i & 0xff) | (((i >> 8) + 1) << 8)))).toBe(true);
    expect(screen?.colors[3]).toBe(rgb(3));
  });

  it('shows monochrome text at B0000', () => {
    textMode({ misc: 0x66 });
    poke(0xb0000, 0x41, 0x07);
    expect(vga.textScreen()?.cells[0]).toBe(0x0741);
  });

  it('scrolls by start address, splits at line compare, and finds the cursor', () => {
    textMode();
    poke(0xb8000, 0x53, 0x07);
    poke(0xb8000 + 160 * 2, 0x41, 0x07);
    indexed(0x3d4, 0x0d, 160);
    expect(vga.textScreen()?.cells[0]).toBe(0x0741);
    indexed(0x3d4, 0x0f, 160 + 80 + 5);
    expect(vga.textScreen()?.cursor).toEqual({ x: 5, y: 1, visible: true });
    indexed(0x3d4, 0x0a, 0x2d);
    expect(vga.textScreen()?.cursor.visible).toBe(false);
    indexed(0x3d4, 0x0a, 0x0d);
    indexed(0x3d4, 0x0f, 159);
    expect(vga.textScreen()?.cursor.visible).toBe(false);
    indexed(0x3d4, 0x11, 0x0e);
    indexed(0x3d4, 0x09, 0x0f);
    indexed(0x3d4, 0x18, (24 * 16 - 1) & 0xff);
    expect(vga.textScreen()?.cells[24 * 80]).toBe(0x0753);
  });

  it('takes colours through palette, colour select and DAC mask', () => {
    textMode();
    attribute(1, 0x25);
    color(0x25, 63, 0, 1);
    expect(vga.textScreen()?.colors[1]).toBe(0xff0004);
    attribute(0x14, 0x0d);
    color(0xe5, 0, 63, 0);
    expect(vga.textScreen()?.colors[1]).toBe(0x00ff00);
    attribute(0x10, 0x8c);
    color(0xd5, 0, 0, 63);
    expect(vga.textScreen()?.colors[1]).toBe(0x0000ff);
    put(0x3c6, 0x05);
    expect(vga.textScreen()?.colors[1]).toBe(rgb(5));
  });
});

describe('picture of text', () => {
  beforeEach(() => textMode());

  it('draws glyphs of plane 2, nine dots wide', () => {
    glyph(0x41, [0x81, 0x7e]);
    poke(0xb8000 + 2, 0x41, 0x2f);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([720, 400]);
    expect(dots(picture, 0, 8, 12)).toBe('0f222222f200');
    expect(dots(picture, 1, 9, 9)).toBe('2ffffff22');
    expect(dots(picture, 2, 9, 9)).toBe('222222222');
  });

  it('repeats the eighth dot of line graphics', () => {
    glyph(0xc4, [0xff]);
    glyph(0xe0, [0xff]);
    poke(0xb8000, 0xc4, 0x07, 0xe0, 0x07);
    expect(dots(vga.picture(), 0, 0, 18)).toBe('777777777777777770');
    attribute(0x10, 0x08);
    put(0x3c0, 0x20);
    expect(dots(vga.picture(), 0, 0, 9)).toBe('777777770');
  });

  it('draws eight dots when the clocking mode says so', () => {
    indexed(0x3c4, 1, 0x01);
    attribute(0x13, 0);
    put(0x3c0, 0x20);
    glyph(0xc4, [0xff]);
    poke(0xb8000, 0xc4, 0x07, 0xc4, 0x01);
    const picture = vga.picture();
    expect(picture.width).toBe(640);
    expect(dots(picture, 0, 0, 17)).toBe('77777777111111110');
  });

  it('chooses the font by attribute bit 3', () => {
    glyph(0x41, [0xf0]);
    glyph(0x41, [0x0f], 0x4000);
    poke(0xb8000, 0x41, 0x0f, 0x41, 0x07);
    indexed(0x3c4, 3, 0x04);
    expect(dots(vga.picture(), 0, 0, 18)).toBe('0000ffff0777700000');
    indexed(0x3c4, 3, 0x01);
    expect(dots(vga.picture(), 0, 0, 18)).toBe('ffff00000000077770');
    glyph(0x41, [0xaa], 0xe000);
    indexed(0x3c4, 3, 0x2c);
    expect(dots(vga.picture(), 0, 0, 9)).toBe('f0f0f0f00');
  });

  it('draws the cursor in the foreground colour, and blinks on request', () => {
    poke(0xb8000, 0x20, 0x07, 0x20, 0x07);
    expect([12, 13, 14, 15].map((y) => dots(vga.picture(), y, 0, 10))).toEqual(['0000000000', '7777777770', '7777777770', '0000000000']);
    const shown = (frames: number): boolean => {
      clock.skip(Math.ceil(frames * 449 * ((900 * 1e9) / 28_322_000)) - clock.now());
      return dots(vga.picture(true), 13, 0, 1) === '7';
    };
    expect([1, 9, 17, 25].map(shown)).toEqual([true, false, true, false]);
    expect(dots(vga.picture(), 13, 0, 1)).toBe('7');
  });

  it('blinks characters, or shows bright backgrounds', () => {
    glyph(0x41, [0xff]);
    poke(0xb8000, 0x41, 0x97);
    expect(dots(vga.picture(true), 0, 0, 9)).toBe('777777771');
    clock.skip(17 * 14_300_000);
    expect(dots(vga.picture(true), 0, 0, 9)).toBe('111111111');
    expect(dots(vga.picture(), 0, 0, 9)).toBe('777777771');
    attribute(0x10, 0x04);
    put(0x3c0, 0x20);
    expect(dots(vga.picture(true), 0, 0, 9)).toBe('777777779');
  });

  it('underlines in monochrome', () => {
    textMode({ misc: 0x66 });
    indexed(0x3b4, 0x14, 0x0d);
    attribute(0x10, 0x0e);
    put(0x3c0, 0x20);
    poke(0xb0000, 0x20, 0x00, 0x20, 0x01, 0x20, 0x07);
    indexed(0x3b4, 0x0a, 0x20);
    expect(dots(vga.picture(), 13, 0, 27)).toBe('000000000111111111000000000');
  });

  it('doubles scan lines, and moves by preset row scan and panning', () => {
    glyph(0x41, [0xc0, 0x30]);
    poke(0xb8000, 0x41, 0x07);
    indexed(0x3d4, 0x08, 1);
    attribute(0x13, 1);
    put(0x3c0, 0x20);
    expect(dots(vga.picture(), 0, 0, 9)).toBe('770000000');
    indexed(0x3d4, 0x08, 0);
    attribute(0x13, 8);
    put(0x3c0, 0x20);
    indexed(0x3d4, 0x09, 0xc7);
    const picture = vga.picture();
    expect([0, 1, 2, 3, 4].map((y) => dots(picture, y, 0, 4))).toEqual(['7700', '7700', '0077', '0077', '0000']);
    expect(vga.textScreen()?.rows).toBe(25);
  });

  it('is black while the screen is off', () => {
    poke(0xb8000, 0x41, 0x70);
    get(0x3da);
    put(0x3c0, 0x00);
    expect(pixel(vga.picture(), 0, 0)).toBe(0);
    put(0x3c0, 0x00);
    get(0x3da);
    put(0x3c0, 0x20);
    expect(pixel(vga.picture(), 0, 0)).toBe(rgb(7));
    indexed(0x3c4, 1, 0x20);
    expect(pixel(vga.picture(), 0, 0)).toBe(0);
  });
});

describe('picture of graphics', () => {
  const mode = (crtc: [number, number][], graphics5: number, graphics6: number, memoryMode: number, attribute10: number): void => {
    textMode({ clocking: 1 });
    indexed(0x3d4, 0x11, 0x0e);
    for (const [index, value] of crtc) indexed(0x3d4, index, value);
    indexed(0x3c4, 2, 0x0f);
    indexed(0x3c4, 4, memoryMode);
    indexed(0x3ce, 5, graphics5);
    indexed(0x3ce, 6, graphics6);
    indexed(0x3ce, 7, 0x0f);
    attribute(0x10, attribute10);
    attribute(0x13, 0);
    put(0x3c0, 0x20);
  };

  it('16 colours in planes, 640 × 480', () => {
    mode([[0x06, 0x0b], [0x07, 0x3e], [0x09, 0x40], [0x12, 0xdf], [0x13, 0x28], [0x15, 0xe7], [0x16, 0x04], [0x17, 0xe3]], 0, 5, 6, 1);
    for (let plane = 0; plane < 4; plane++) {
      indexed(0x3c4, 2, 1 << plane);
      poke(0xa0000 + 80, [0x80, 0xc0, 0xe0, 0xf0][plane]);
    }
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([640, 480]);
    expect(dots(picture, 1, 0, 6)).toBe('fec800');
    attribute(0x13, 2);
    put(0x3c0, 0x20);
    expect(dots(vga.picture(), 1, 0, 4)).toBe('c800');
    indexed(0x3d4, 0x0d, 80);
    expect(dots(vga.picture(), 0, 0, 4)).toBe('c800');
  });

  it('256 colours in a chain, 320 × 200', () => {
    mode([[0x09, 0x41], [0x13, 0x28], [0x14, 0x40], [0x17, 0xa3]], 0x40, 5, 0x0e, 0x41);
    poke(0xa0000, 1, 2, 3, 4, 5);
    poke(0xa0000 + 320, 6);
    poke(0xa0000 + 199 * 320 + 319, 7);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([640, 400]);
    expect(dots(picture, 0, 0, 12)).toBe('112233445500');
    expect([1, 2, 3, 4].map((y) => dots(picture, y, 0, 3))).toEqual(['112', '660', '660', '000']);
    expect(dots(picture, 399, 636, 4)).toBe('0077');
    attribute(0x13, 4);
    put(0x3c0, 0x20);
    expect(dots(vga.picture(), 0, 0, 4)).toBe('3344');
  });

  it('4 colours in the CGA layout, odd lines 8 KB on', () => {
    mode([[0x00, 0x2d], [0x01, 0x27], [0x02, 0x28], [0x03, 0x90], [0x05, 0x80], [0x09, 0xc1], [0x13, 0x14], [0x17, 0xa2]], 0x30, 0x0f, 0x02, 0x01);
    indexed(0x3c4, 1, 0x09);
    indexed(0x3c4, 2, 0x03);
    poke(0xb8000, 0b00011011, 0b11100100);
    poke(0xba000, 0b01010101);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([640, 400]);
    expect(dots(picture, 0, 0, 18)).toBe('001122333322110000');
    expect([1, 2, 3, 4].map((y) => dots(picture, y, 0, 9))).toEqual(['001122333', '111111110', '111111110', '000000000']);
  });
});

it('reset brings the registers back, and leaves the memory alone', () => {
  textMode();
  poke(0xb8000, 0x41);
  vga.reset();
  expect(memory[0]).toBe(0x41);
  expect(get(0x3cc)).toBe(0);
});

describe('watch of the text screen', () => {
  it('tells the rows in which characters changed since the last look', () => {
    textMode();
    vga.watch.begin(1000, () => {});
    vga.watch.look();
    expect([...vga.watch.look()!].every((row) => row === 0)).toBe(true);
    poke(0xb8000 + 160, 0x41, 7);
    poke(0xb8000 + 2 * 160 + 1, 0x70);
    poke(0xb8000 + 3 * 160, peek(0xb8000 + 3 * 160));
    expect([...vga.watch.look()!].flatMap((changed, row) => (changed === 1 ? [row] : []))).toEqual([1]);
    expect(vga.watch.look()![1]).toBe(0);
  });

  it('takes all rows for changed when the screen starts at another address', () => {
    textMode();
    vga.watch.begin(1000, () => {});
    vga.watch.look();
    put(0x3d4, 0x0d);
    put(0x3d5, 80);
    expect([...vga.watch.look()!].every((row) => row === 1)).toBe(true);
    expect([...vga.watch.look()!].every((row) => row === 0)).toBe(true);
  });

  it('calls when many characters have changed', () => {
    textMode();
    let calls = 0;
    vga.watch.begin(3, () => { calls++; });
    poke(0xb8000, 0x41, 7, 0x42, 7);
    expect(calls).toBe(0);
    poke(0xb8004, 0x43, 7, 0x44, 7);
    expect(calls).toBe(1);
    vga.watch.look();
    poke(0xb8000, 0x51, 7, 0x52, 7, 0x53, 7);
    expect(calls).toBe(2);
  });
});
