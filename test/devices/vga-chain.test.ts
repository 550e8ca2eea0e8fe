import { beforeEach, describe, expect, it } from 'vitest';
import { CHAIN_SIZE, gather, scatter } from '../../src/devices/vga-chain.ts';
import { chain, dispi, fresh, indexed, memory, peek, poke, put, vga, window } from './vga-panel.ts';

/** The registers of mode 13h that say how the processor sees the memory. */
function mode13(): void {
  put(0x3c2, 0x63);
  indexed(0x3c4, 2, 0x0f);
  indexed(0x3c4, 4, 0x0e);
  for (let i = 0; i < 9; i++) indexed(0x3ce, i, [0, 0, 0, 0, 0, 0x40, 5, 0x0f, 0xff][i]!);
}

beforeEach(() => {
  fresh();
  mode13();
});

describe('the pixels of chain 4', () => {
  it('are in a row for the processor while nothing stands between', () => {
    expect(window).toBe('chain');
    for (const [port, index, value, plain] of [[0x3c4, 2, 7, 15], [0x3c4, 4, 6, 14], [0x3ce, 1, 1, 0], [0x3ce, 3, 1, 0], [0x3ce, 5, 0x41, 0x40], [0x3ce, 5, 0x48, 0x40], [0x3ce, 6, 1, 5], [0x3ce, 8, 1, 255]] as const) {
      indexed(port, index, value);
      expect(window).toBeNull();
      indexed(port, index, plain);
      expect(window).toBe('chain');
    }
    put(0x3c2, 0x61);
    expect(window).toBeNull();
  });

  it('are where they were when the adapter answers again, and back', () => {
    for (let i = 0; i < CHAIN_SIZE; i += 997) poke(0xa0000 + i, i & 255);
    indexed(0x3c4, 2, 0x07);
    for (let i = 0; i < CHAIN_SIZE; i += 997) expect(peek(0xa0000 + i)).toBe(i & 255);
    indexed(0x3c4, 2, 0x0f);
    for (let i = 0; i < CHAIN_SIZE; i += 997) expect(chain[i]).toBe(i & 255);
    poke(0xa0005, 77);
    indexed(0x3c4, 4, 0x06);
    indexed(0x3ce, 4, 1);
    expect(peek(0xa0004)).toBe(77);
  });

  it('are in the picture, in the extensions, and stay over a reset', () => {
    poke(0xa0000, 5);
    vga.picture();
    expect(memory[0]).toBe(5);
    poke(0xa0000, 6);
    [320, 200, 8].forEach((value, i) => dispi(1 + i, value));
    dispi(4, 0xc1);
    expect([window, memory[0]]).toEqual([0, 6]);
    dispi(4, 0);
    expect(window).toBe('chain');
    poke(0xa0000, 7);
    vga.reset();
    expect([window, memory[0]]).toEqual([null, 7]);
  });

  it('are looked at to tell whether the picture has changed', () => {
    const before = vga.changes;
    expect(vga.changes).toBe(before);
    poke(0xa0000 + 12345, 1);
    const after = vga.changes;
    expect(after).not.toBe(before);
    [320, 200, 8].forEach((value, i) => dispi(1 + i, value));
    dispi(4, 0xc1);
    const extended = vga.changes;
    memory[63999] = 9;
    expect(vga.changes).not.toBe(extended);
  });

  it('each have a place of their own', () => {
    const from = Uint8Array.from({ length: CHAIN_SIZE }, (_, i) => (i * 31 + (i >> 8)) & 255), planes = new Uint8Array(4 * CHAIN_SIZE), to = new Uint8Array(CHAIN_SIZE);
    scatter(from, planes);
    gather(planes, to);
    expect(to).toEqual(from);
  });
});
