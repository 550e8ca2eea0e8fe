import { beforeEach, describe, expect, it } from 'vitest';
import { attribute, clock, color, dispi, dispiRead, fresh, get, indexed, memory, pixel, pixels, poke, put, restart, textMode, vga, window } from './vga-panel.ts';

beforeEach(() => {
  fresh();
  textMode();
});

/** Sets a mode as drivers do: off, geometry, on. */
function mode(width: number, height: number, bits: number, flags = 0x41): void {
  dispi(4, 0);
  dispi(1, width);
  dispi(2, height);
  dispi(3, bits);
  dispi(4, flags);
}

describe('registers', () => {
  it('say who they are, and take older identities', () => {
    expect(dispiRead(0)).toBe(0xb0c5);
    dispi(0, 0xb0c2);
    expect(dispiRead(0)).toBe(0xb0c2);
    dispi(0, 0x1234);
    expect(dispiRead(0)).toBe(0xb0c2);
    expect(dispiRead(10)).toBe(16);
    expect(dispiRead(11)).toBe(0);
    expect(vga.dispi.index.read(0, 2)).toBe(11);
  });

  it('tell the largest values on request', () => {
    dispi(4, 2);
    expect([1, 2, 3].map(dispiRead)).toEqual([16000, 12000, 32]);
    dispi(4, 0);
    expect([1, 2, 3].map(dispiRead)).toEqual([0, 0, 0]);
  });

  it('change what does not fit', () => {
    mode(643, 480, 8);
    expect([1, 2, 3, 6, 7].map(dispiRead)).toEqual([640, 480, 8, 640, 1638]);
    mode(640, 5000, 32);
    expect([2, 6, 7].map(dispiRead)).toEqual([409, 640, 409]);
    mode(320, 200, 7);
    expect(dispiRead(3)).toBe(8);
    dispi(6, 100);
    expect(dispiRead(6)).toBe(320);
    dispi(9, 60000);
    expect(dispiRead(9)).toBe(0);
    dispi(9, 100);
    expect(dispiRead(9)).toBe(100);
  });

  it('clear the memory that is shown, or keep it', () => {
    memory.fill(7);
    mode(320, 200, 8, 0xc1);
    expect(memory[0]).toBe(7);
    mode(320, 200, 8);
    expect([memory[0], memory[63999], memory[64000]]).toEqual([0, 0, 7]);
  });

  it('move the window at A0000 by bank', () => {
    expect(window).toBeNull();
    mode(640, 480, 8);
    expect(window).toBe(0);
    dispi(5, 3);
    expect(window).toBe(0x30000);
    dispi(5, 0x13);
    expect(dispiRead(5)).toBe(3);
    dispi(4, 0);
    // The VGA's own registers are left as in mode 13h.
    expect(window).toBe('chain');
    expect(dispiRead(5)).toBe(0);
    mode(640, 480, 8);
    vga.reset();
    expect(window).toBeNull();
  });

  it('make graphics of text, and leave a VGA that can be set to text again', () => {
    mode(640, 480, 16);
    expect(vga.textScreen()).toBeNull();
    dispi(4, 0);
    textMode();
    indexed(0x3ce, 5, 0x10);
    poke(0xb8000, 0x41);
    expect(vga.textScreen()?.cells[0]! & 255).toBe(0x41);
  });
});

describe('picture', () => {
  it.each([
    [15, [0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00, 0x10, 0x42], [0xff0000, 0x00ff00, 0x0000ff, 0x848484]],
    [16, [0x00, 0xf8, 0xe0, 0x07, 0x1f, 0x00, 0x10, 0x84], [0xff0000, 0x00ff00, 0x0000ff, 0x848284]],
    [24, [1, 2, 3, 4, 5, 6], [0x030201, 0x060504]],
    [32, [1, 2, 3, 99, 4, 5, 6, 0], [0x030201, 0x060504]],
  ])('%i bits a pixel', (bits, bytes, colors) => {
    mode(320, 200, bits);
    memory.set(bytes);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([320, 200]);
    expect(pixels(picture, 0, 0, colors.length)).toEqual(colors);
  });

  it('8 bits a pixel, with colours of 6 or of 8 bits', () => {
    mode(640, 400, 8);
    memory.set([0, 9]);
    color(9, 63, 32, 1);
    expect(pixel(vga.picture(), 1, 0)).toBe(0xff8204);
    mode(640, 400, 8, 0xe1);
    color(9, 255, 128, 1);
    put(0x3c7, 9);
    expect([get(0x3c9), get(0x3c9), get(0x3c9)]).toEqual([255, 128, 1]);
    expect(pixel(vga.picture(), 1, 0)).toBe(0xff8001);
    put(0x3c6, 0xf0);
    color(0, 1, 1, 1);
    expect(pixel(vga.picture(), 1, 0)).toBe(0x010101);
  });

  it('starts at an offset, in lines longer than the screen', () => {
    mode(320, 200, 8);
    dispi(6, 512);
    dispi(8, 5);
    dispi(9, 300);
    color(3, 63, 0, 0);
    memory[300 * 512 + 5] = memory[301 * 512 + 6] = 3;
    expect([pixel(vga.picture(), 0, 0), pixel(vga.picture(), 1, 1)]).toEqual([0xff0000, 0xff0000]);
    expect(dispiRead(7)).toBe(2048);
  });

  it('16 colours in planes, over banks', () => {
    mode(1024, 768, 4);
    expect(window).toBeNull();
    indexed(0x3c4, 4, 0x06);
    indexed(0x3ce, 6, 0x05);
    indexed(0x3ce, 5, 2);
    indexed(0x3ce, 8, 0x80);
    indexed(0x3c4, 2, 0x0f);
    dispi(5, 1);
    poke(0xa0000, 5);
    for (let i = 0; i < 16; i++) attribute(i, i);
    color(5, 0, 63, 0);
    restart();
    put(0x3c0, 0x20);
    const picture = vga.picture();
    expect([picture.width, picture.height]).toEqual([1024, 768]);
    expect(pixels(picture, 512, 0, 2)).toEqual([0x00ff00, pixel(picture, 0, 0)]);
  });

  it('is black while the screen is off', () => {
    mode(640, 480, 32);
    memory.fill(255);
    expect(pixel(vga.picture(), 0, 0)).toBe(0xffffff);
    indexed(0x3c4, 1, 0x21);
    expect(pixel(vga.picture(), 0, 0)).toBe(0);
  });
});

it('has a retrace at 60 Hz', () => {
  mode(1024, 768, 32);
  let edges = 0;
  for (let before = 0, end = clock.now() + 1e9; clock.now() < end; clock.skip(5000)) {
    const now = get(0x3da) & 8;
    if (now > before) edges++;
    before = now;
  }
  expect(edges).toBe(60);
});
