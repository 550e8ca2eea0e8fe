/** The firmware configuration device through its ports. */
import { describe, expect, test } from 'vitest';
import { FW_ID, FW_KERNEL_SIZE, FW_SIGNATURE, FwCfg, fwNumber } from '../../src/devices/fw-cfg.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';

const memory = new HostMemory(0x10000);
const space = new AddressSpace(memory);
space.add({ kind: 'ram', ma: memory.allocate(0x10000), size: 0x10000 }, 0);
const device = new FwCfg({ space, items: new Map([[FW_KERNEL_SIZE, fwNumber(0x12345678, 4)]]), files: new Map([['genroms/a.bin', Uint8Array.of(1, 2, 3)]]) });

const item = (number: number, length: number): number[] => {
  device.io.write(0, number, 2);
  return Array.from({ length }, () => device.io.read(1, 1));
};
const swap = (word: number): number => new DataView(Uint32Array.of(word).buffer).getInt32(0);
function transfer(control: number, length: number, address: number): number {
  const request = new DataView(memory.bytes.buffer, 0x100, 16);
  [control, length, 0, address].forEach((word, i) => request.setUint32(4 * i, word));
  device.dma.write(0, 0, 4);
  device.dma.write(4, swap(0x100), 4);
  return request.getUint32(0);
}

describe('fw_cfg', () => {
  test('gives items byte by byte, and zeros behind their end', () => {
    expect(String.fromCharCode(...item(FW_SIGNATURE, 4))).toBe('QEMU');
    expect(item(FW_ID, 4)).toEqual([3, 0, 0, 0]);
    expect(item(FW_KERNEL_SIZE, 6)).toEqual([0x78, 0x56, 0x34, 0x12, 0, 0]);
    expect(item(0x7777, 2)).toEqual([0, 0]);
  });

  test('names its files', () => {
    const directory = item(0x19, 4 + 64);
    expect(directory.slice(0, 12)).toEqual([0, 0, 0, 1, 0, 0, 0, 3, 0, 0x20, 0, 0]);
    expect(String.fromCharCode(...directory.slice(12)).replace(/\0+$/, '')).toBe('genroms/a.bin');
    expect(item(0x20, 3)).toEqual([1, 2, 3]);
  });

  test('copies to memory', () => {
    expect(transfer(0x20 << 16 | 8 | 2, 4, 0x200)).toBe(0);
    expect([...memory.bytes.subarray(0x200, 0x204)]).toEqual([1, 2, 3, 0]);
    expect(transfer(FW_KERNEL_SIZE << 16 | 8 | 4, 1, 0)).toBe(0);
    expect(transfer(2, 2, 0x200)).toBe(0);
    expect([...memory.bytes.subarray(0x200, 0x202)]).toEqual([0x56, 0x34]);
    expect(transfer(16, 1, 0x200), 'items cannot be written').toBe(1);
    expect(transfer(FW_KERNEL_SIZE << 16 | 8 | 16 | 2, 4, 0x200), 'reading comes first').toBe(0);
    expect(memory.bytes[0x200]).toBe(0x78);
    expect([device.dma.read(0, 4), device.dma.read(4, 4)]).toEqual([0x554d4551, 0x47464320]);
  });

  test('writes gigabytes of zeros behind an item to RAM, and asks no device for each of them', () => {
    let writes = 0;
    const video = space.add({ kind: 'mmio', io: { name: 'video', size: 0x100_0000, minAccess: 1, maxAccess: 4, read: () => 0, write: () => { writes++; } } }, 0x1000_0000);
    memory.bytes.fill(0xee, 0x1000, 0x10000);
    expect(transfer(0x20 << 16 | 8 | 2, 0xffff_ffff, 0x1000), 'not all of it is RAM').toBe(1);
    expect([...memory.bytes.subarray(0x1000, 0x1004)]).toEqual([1, 2, 3, 0]);
    expect(memory.bytes.subarray(0x1003, 0x10000).every((byte) => byte === 0)).toBe(true);
    expect(writes).toBe(0);
    expect(transfer(4, 0xffff_ffff, 0)).toBe(0);
    expect(device.io.read(1, 1), 'the place is the end, however much is skipped').toBe(0);
    video.remove();
  });
});
