import { beforeEach, describe, expect, test } from 'vitest';
import type { PhysicalMemory } from '../../src/devices/i8237.ts';
import { DmaPages, I8237 } from '../../src/devices/i8237.ts';

const memory = new Uint8Array(0x100000);
const physical: PhysicalMemory = {
  readBytes: (address, into) => into.set(memory.subarray(address, address + into.length)),
  writeBytes: (address, from) => memory.set(from, address),
};
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

let pages: DmaPages;
let dma: I8237;
let dma2: I8237;

beforeEach(() => {
  memory.fill(0);
  pages = new DmaPages();
  dma = new I8237('dma1', 8, physical, (channel) => pages.of(channel));
  dma2 = new I8237('dma2', 16, physical, (channel) => pages.of(channel + 4));
});

/** Programs channel 2 as a PC's BIOS does for the floppy. */
function program(chip: I8237, channel: number, mode: number, address: number, count: number): void {
  const stride = chip === dma2 ? 2 : 1;
  const out = (register: number, value: number): void => chip.io.write(register * stride, value, 1);
  out(0xa, 4 | channel);
  out(0xc, 0);
  out(0xb, mode | channel);
  out(2 * channel, address & 0xff);
  out(2 * channel, address >> 8);
  out(2 * channel + 1, count & 0xff);
  out(2 * channel + 1, count >> 8);
  out(0xa, channel);
}

function readCounter(register: number): number {
  dma.io.write(0xc, 0, 1);
  return dma.io.read(register, 1) | (dma.io.read(register, 1) << 8);
}

describe('I8237', () => {
  test('write transfer to memory, terminal count, mask', () => {
    pages.io.write(1, 0x05, 1);
    program(dma, 2, 0x44, 0x1234, 3);
    const channel = dma.channels[2];
    expect(channel.transfer(bytes(1, 2))).toBe(2);
    expect(channel.terminalCount).toBe(false);
    expect([readCounter(4), readCounter(5)]).toEqual([0x1236, 1]);
    expect(channel.transfer(bytes(3, 4, 5))).toBe(2);
    expect(channel.terminalCount).toBe(true);
    expect(memory.subarray(0x51234, 0x51239)).toEqual(bytes(1, 2, 3, 4, 0));
    expect(readCounter(5)).toBe(0xffff);
    expect(channel.ready).toBe(false);
    expect(channel.transfer(bytes(9))).toBe(0);
    expect(dma.io.read(8, 1)).toBe(0x04);
    expect(dma.io.read(8, 1)).toBe(0);
    expect(dma.io.read(0xf, 1)).toBe(0xff);
  });

  test('read transfer from memory, wrapping within the page', () => {
    pages.io.write(1, 0x02, 1);
    memory.set([7, 8], 0x2fffe);
    memory.set([9, 10], 0x20000);
    program(dma, 2, 0x48, 0xfffe, 3);
    const data = new Uint8Array(4);
    dma.channels[2].transfer(data);
    expect(data).toEqual(bytes(7, 8, 9, 10));
  });

  test('verify only counts', () => {
    program(dma, 2, 0x40, 0x100, 1);
    expect(dma.channels[2].transfer(bytes(1, 2))).toBe(2);
    expect(memory[0x100]).toBe(0);
    expect(dma.channels[2].terminalCount).toBe(true);
  });

  test('autoinit reloads and stays unmasked; decrement walks down', () => {
    program(dma, 1, 0x44 | 0x30, 0x102, 2);
    const channel = dma.channels[1];
    channel.transfer(bytes(1, 2, 3));
    expect(memory.subarray(0x100, 0x103)).toEqual(bytes(3, 2, 1));
    expect(channel.ready).toBe(true);
    expect([readCounter(2), readCounter(3)]).toEqual([0x102, 2]);
  });

  test('DREQ waits for the guest to unmask', () => {
    let served = 0;
    const channel = dma.channels[2];
    channel.service = () => {
      served++;
      channel.transfer(bytes(5));
      channel.request(false);
    };
    channel.request(true);
    expect(served).toBe(0);
    expect(dma.io.read(8, 1)).toBe(0x40);
    program(dma, 2, 0x44, 0x10, 9);
    expect(served).toBe(1);
    channel.request(true);
    expect(served).toBe(2);
    expect(memory.subarray(0x10, 0x13)).toEqual(bytes(5, 5, 0));
    dma.io.write(8, 4, 1);
    channel.request(true);
    expect(served).toBe(2);
    dma.io.write(8, 0, 1);
    expect(served).toBe(3);
  });

  test('words: ports two apart, addresses and counts in words', () => {
    pages.io.write(0xb, 0x03, 1);
    program(dma2, 1, 0x44, 0x8000, 1);
    expect(dma2.channels[1].transfer(bytes(1, 2, 3, 4, 5, 6))).toBe(4);
    expect(memory.subarray(0x30000, 0x30005)).toEqual(bytes(1, 2, 3, 4, 0));
  });

  test('master clear, clear mask, all mask, cascade, software request', () => {
    dma.io.write(0xe, 0, 1);
    expect(dma.io.read(0xf, 1) & 15).toBe(0);
    dma.io.write(0xf, 0x5, 1);
    expect([0, 1, 2, 3].map((n) => dma.channels[n].ready)).toEqual([false, true, false, true]);
    dma.io.write(0xb, 0xc1, 1);
    expect(dma.channels[1].ready).toBe(false);
    dma.io.write(0xd, 0, 1);
    expect(dma.io.read(0xf, 1) & 15).toBe(15);
    program(dma, 0, 0x84, 0x40, 3);
    dma.io.write(9, 4, 1);
    expect(memory.subarray(0x40, 0x45)).toEqual(bytes(255, 255, 255, 255, 0));
    expect(dma.io.read(8, 1)).toBe(1);
  });

  test('state survives save and restore', () => {
    program(dma, 2, 0x44, 0x1234, 3);
    const saved = dma.state.save();
    dma.reset();
    expect(dma.channels[2].ready).toBe(false);
    dma.state.restore(saved);
    expect(dma.channels[2].ready).toBe(true);
    expect(readCounter(4)).toBe(0x1234);
  });
});
