/** A VGA without a machine: its registers and memory by port and address, and the dots of its picture. */
import { expect } from 'vitest';
import type { Picture } from '../../src/devices/host.ts';
import { Vga } from '../../src/devices/vga.ts';
import type { VideoWindow } from '../../src/devices/vga.ts';
import { SteppedClock } from './stepped-clock.ts';

export let clock: SteppedClock;
export let vga: Vga;
export let memory: Uint8Array;
/** Where the window at A0000 begins that the adapter asked for last; null: its planes. */
export let window: VideoWindow;
/** The pixels of chain 4. */
export let chain: Uint8Array;

/** A new adapter with 1 MB. */
export function fresh(): void {
  clock = new SteppedClock();
  memory = new Uint8Array(1 << 20);
  window = null;
  chain = new Uint8Array(0x10000);
  vga = new Vga({ clock, memory, chain, window: (place) => { window = place; } });
}

export const get = (port: number): number => vga.ports.read(port - 0x3b0, 1);
export const put = (port: number, value: number): void => vga.ports.write(port - 0x3b0, value, 1);
export const indexed = (port: number, index: number, value: number): void => {
  put(port, index);
  put(port + 1, value);
};
/** Input status 1 at either place: the next write to 3C0 is an index. */
export const restart = (): void => {
  get(0x3ba);
  get(0x3da);
};
export const attribute = (index: number, value: number): void => {
  restart();
  put(0x3c0, index);
  put(0x3c0, value);
};
export const color = (index: number, red: number, green: number, blue: number): void => {
  put(0x3c8, index);
  for (const value of [red, green, blue]) put(0x3c9, value);
};
export const poke = (address: number, ...bytes: number[]): void => bytes.forEach((byte, i) => {
  if (window === 'chain') chain[address + i - 0xa0000] = byte;
  else vga.memory.write(address + i - 0xa0000, byte, 1);
});
export const peek = (address: number, size: 1 | 2 | 4 = 1): number => {
  if (window !== 'chain') return vga.memory.read(address - 0xa0000, size) >>> 0;
  return [...chain.subarray(address - 0xa0000, address - 0xa0000 + size)].reduceRight((value, byte) => value * 256 + byte, 0);
};

interface TextOptions {
  columns?: number;
  height?: number;
  misc?: number;
  clocking?: number;
}

/** Programs a text mode as a VGA BIOS does: 400 lines, 70 Hz. */
export function textMode({ columns = 80, height = 16, misc = 0x67, clocking = 0 }: TextOptions = {}): void {
  put(0x3c2, misc);
  indexed(0x3c4, 1, clocking);
  indexed(0x3c4, 2, 0x03);
  indexed(0x3c4, 3, 0x00);
  indexed(0x3c4, 4, 0x02);
  const crtc = (misc & 1) !== 0 ? 0x3d4 : 0x3b4;
  const narrow = columns === 40;
  const values: [number, number][] = [
    [0x11, 0x0e], [0x00, narrow ? 0x2d : 0x5f], [0x01, columns - 1], [0x02, columns], [0x03, narrow ? 0x90 : 0x82],
    [0x05, narrow ? 0xa0 : 0x81], [0x06, 0xbf], [0x07, 0x1f], [0x09, 0x40 | (height - 1)],
    [0x0a, 0x0d], [0x0b, 0x0e], [0x0c, 0], [0x0d, 0], [0x0e, 0], [0x0f, 0], [0x10, 0x9c], [0x11, 0x8e], [0x12, 0x8f],
    [0x13, columns / 2], [0x14, 0x1f], [0x15, 0x96], [0x16, 0xb9], [0x17, 0xa3], [0x18, 0xff],
  ];
  for (const [index, value] of values) indexed(crtc, index, value);
  indexed(0x3ce, 5, 0x10);
  indexed(0x3ce, 6, (misc & 1) !== 0 ? 0x0e : 0x0a);
  indexed(0x3ce, 8, 0xff);
  for (let i = 0; i < 16; i++) attribute(i, i);
  attribute(0x10, 0x0c);
  attribute(0x12, 0x0f);
  attribute(0x13, clocking === 0 ? 8 : 0);
  for (let i = 0; i < 16; i++) color(i, i, 2 * i, 3 * i);
  restart();
  put(0x3c0, 0x20);
}

/** Loads a glyph into font map 0 (or another, by its offset), as BIOSes do: plane 2, sequential. */
export function glyph(code: number, rows: number[], map = 0): void {
  indexed(0x3c4, 2, 0x04);
  indexed(0x3c4, 4, 0x06);
  indexed(0x3ce, 5, 0x00);
  indexed(0x3ce, 6, 0x04);
  poke(0xa0000 + map + code * 32, ...rows);
  indexed(0x3c4, 2, 0x03);
  indexed(0x3c4, 4, 0x02);
  indexed(0x3ce, 5, 0x10);
  indexed(0x3ce, 6, 0x0e);
}

export const pixel = (picture: Picture, x: number, y: number): number => {
  const at = (y * picture.width + x) * 4;
  expect(picture.rgba[at + 3]).toBe(255);
  return (picture.rgba[at] << 16) | (picture.rgba[at + 1] << 8) | picture.rgba[at + 2];
};
const wide = (value: number): number => (value << 2) | (value >> 4);
export const rgb = (i: number): number => (wide(i) << 16) | (wide(2 * i) << 8) | wide(3 * i);
/** A row of dots as text: colour numbers in hexadecimal. */
export const dots = (picture: Picture, y: number, from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const value = pixel(picture, from + i, y);
    return Array.from({ length: 16 }, (_, c) => c).find((c) => rgb(c) === value)?.toString(16) ?? '?';
  }).join('');

/** A row of pixels as 0xRRGGBB. */
export const pixels = (picture: Picture, y: number, from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => pixel(picture, from + i, y));
export const dispi = (index: number, value: number): void => {
  vga.dispi.index.write(0, index, 2);
  vga.dispi.data.write(0, value, 2);
};
export const dispiRead = (index: number): number => {
  vga.dispi.index.write(0, index, 2);
  return vga.dispi.data.read(0, 2);
};
