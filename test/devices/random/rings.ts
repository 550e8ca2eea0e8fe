/**
 * What drivers leave in memory for devices that fetch it themselves: virtio rings, the rings of e1000 and rtl8139, PRD tables of the IDE bus master,
 * messages for a shared folder, requests of the firmware configuration's DMA, the ISA DMA of a floppy; and in registers for the VMware port. Here their contents are random, well-formed
 * half of the time, and the device is then told of them by the registers that lead to them.
 */
import { E1000 } from '../../../src/devices/e1000.ts';
import { Rtl8139 } from '../../../src/devices/rtl8139.ts';
import type { PciFunction } from '../../../src/devices/pci.ts';
import { Piix3Ide } from '../../../src/devices/piix3.ts';
import { VirtioPci } from '../../../src/devices/virtio-pci.ts';
import type { AccessSize } from '../../../src/memory/io-region.ts';
import type { Random } from '../../vectors/random.ts';
import { RAM_SIZE } from './board.ts';
import type { FullBoard } from './board.ts';
import { ninePMessage } from './ninep.ts';

/** Where descriptors, rings and buffers may lie. */
export const STRUCTURES = 0x1_0000, STRUCTURES_SIZE = 0x1_0000;

/** Values that registers and descriptors are made of: addresses in the area, small numbers, bits, all ones, anything. */
export function value(random: Random): number {
  switch (random.below(8)) {
    case 0: case 1: return place(random);
    case 2: return random.below(16);
    case 3: return 1 << random.below(32);
    case 4: return random.pick([0, -1, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000 | 0, RAM_SIZE - 16, RAM_SIZE, 0xffff_fff0 | 0]);
    case 5: return random.below(256);
    case 6: return STRUCTURES + random.below(STRUCTURES_SIZE) >>> 12;
    default: return random.next();
  }
}

/** Of the messages for the shared folder: where nothing else writes. */
const NINEP = STRUCTURES + STRUCTURES_SIZE;

const place = (random: Random): number => STRUCTURES + (random.below(STRUCTURES_SIZE >> 4) << 4);
const length = (random: Random): number => random.pick([0, 1, 12, 16, 20, 511, 512, 1514, 4096, 0x1_0000, 1 << 20, -1, random.next()]);

/** Sets a device's structures up and tells the device. @param bars where its base address registers lead, by index */
export type Setup = (board: FullBoard, random: Random, bars: readonly number[]) => void;

/** What suits a PCI function; null: it fetches nothing. */
export function setupOf(fn: PciFunction): Setup | null {
  if (fn instanceof VirtioPci) return fn.name === '9p' ? ninep : virtio(fn.queues.length);
  if (fn instanceof E1000) return e1000;
  if (fn instanceof Rtl8139) return rtl8139;
  return fn instanceof Piix3Ide ? ide : null;
}

function words(board: FullBoard, at: number, ...values: readonly number[]): void {
  values.forEach((word, i) => board.pc.space.write(at + 4 * i, word | 0, 4));
}

// virtio (VIRTIO 1.1, sections 2.6 and 4.1.4.3), by the interface of version 1.0.

const NEXT = 1, WRITE = 2, INDIRECT = 4;

const virtio = (queues: number): Setup => (board, random, bars) => {
  const { space } = board.pc, base = bars[4]!;
  const set = (offset: number, word: number, size: AccessSize): void => space.write(base + offset, word, size);
  set(20, 0, 1);
  set(20, 3, 1);
  set(8, 0, 4);
  set(12, random.pick([0, 1 << 28, 1 << 29, 3 << 28, -1]), 4);
  set(8, 1, 4);
  set(12, 1, 4);
  set(20, 11, 1);
  const made = Array.from({ length: Math.min(queues, 4) }, () => random.below(queues)).map((index) => {
    const size = 1 << random.below(6), [descriptors, available, used] = [place(random), place(random), place(random)];
    set(22, index, 2);
    set(24, size, 2);
    [descriptors, available, used].forEach((address, i) => {
      set(32 + 8 * i, address, 4);
      set(36 + 8 * i, 0, 4);
    });
    set(28, 1, 2);
    for (let i = 0; i < size; i++) descriptor(board, random, descriptors + 16 * i, size, i);
    for (let i = 0; i < size; i++) space.write(available + 4 + 2 * i, random.below(size + (random.below(16) === 0 ? 1 : 0)), 2);
    space.write(available, random.below(2) | (random.below(8) === 0 ? random.below(0x1_0000) : random.below(size + 1)) << 16, 4);
    return index;
  });
  set(20, 15, 1);
  for (const index of made) set(0x3000 + 4 * index, index, 2);
  board.advance(random.pick([0, 1_000_000]));
};

/** Messages one after the other, in a ring that stays: what they open is used by the next ones. */
const ninep: Setup = (board, random, bars) => {
  if (random.below(64) === 0) return virtio(1)(board, random, bars);
  const { space } = board.pc, base = bars[4]!, size = 16;
  const set = (offset: number, word: number, width: AccessSize): void => space.write(base + offset, word, width);
  const [descriptors, available, used] = [NINEP, NINEP + 0x400, NINEP + 0x800];
  set(22, 0, 2);
  if (space.read(base + 20, 1) !== 15 || space.read(base + 32, 4) !== descriptors || space.read(base + 24, 2) !== size) {
    for (const [offset, word, width] of [[20, 0, 1], [20, 3, 1], [8, 0, 4], [12, 0, 4], [8, 1, 4], [12, 1, 4], [20, 11, 1], [22, 0, 2], [24, size, 2]] as const) set(offset, word, width);
    [descriptors, available, used].forEach((address, i) => set(32 + 8 * i, address, 4));
    set(28, 1, 2);
    space.write(available, 0, 4);
    set(20, 15, 1);
  }
  for (let i = 0; i < size; i += 2) {
    const message = ninePMessage(random), at = NINEP + 0x1000 + 0x400 * i;
    space.writeBytes(at, message);
    words(board, descriptors + 16 * i, at, 0, message.length, NEXT | i + 1 << 16);
    words(board, descriptors + 16 * (i + 1), at + 0x400, 0, random.pick([random.below(32), 1024, 1024, 1024, 1024, 4096]), WRITE);
    space.write(available + 4 + i, i, 2);
    space.write(available + 4 + i + size, i, 2);
  }
  space.write(available + 2, space.read(available + 2, 2) + size / 2, 2);
  set(0x3000, 0, 2);
};

/** Half of them as a driver makes them: a header, data, a byte for the status. */
function descriptor(board: FullBoard, random: Random, at: number, size: number, index: number): void {
  const header = place(random), next = index + 1 < size ? NEXT : 0;
  if (random.below(2) === 0) return words(board, at, value(random), random.below(16) === 0 ? value(random) : 0, length(random), random.below(8) | random.below(size) << 16);
  switch (index % 3) {
    case 0: {
      words(board, header, random.pick([0, 1, 4, 8, 11, 13, value(random)]), 0, random.below(5100), random.below(16) === 0 ? value(random) : 0);
      if (random.below(8) > 0) return words(board, at, header, 0, random.pick([8, 12, 16, 16, 16]), next | index + 1 << 16);
      return words(board, at, place(random), 0, 16 * random.below(64), INDIRECT);
    }
    case 1: return words(board, at, header, 0, 512 * random.below(16), next | (random.below(2) === 0 ? WRITE : 0) | index + 1 << 16);
    default: return words(board, at, header, 0, 1, WRITE);
  }
}

// Network cards.

/** Intel 317453, sections 3.2 and 3.3. */
const e1000: Setup = (board, random, bars) => {
  const count = 8 << random.below(3), sends = place(random), receives = place(random);
  const set = (offset: number, word: number): void => board.pc.space.write(bars[0]! + offset, word, 4);
  for (let i = 0; i < count; i++) {
    const size = random.pick([60, 1514, 4096, random.below(0x1_0000)]), commands = random.below(2) === 0 ? random.below(256) : random.pick([0x0b, 0x2b, 0x29, 0x2f, 0x20, 0x24]);
    words(board, sends + 16 * i, value(random), random.below(16) === 0 ? value(random) : 0, size | random.below(2) << 20 | commands << 24, random.below(16) === 0 ? value(random) : random.next());
    words(board, receives + 16 * i, value(random), random.below(16) === 0 ? value(random) : 0, value(random), value(random));
  }
  set(0x100, random.next() & ~0xc0 | 0x801a);
  [receives, 0, 16 * count, random.below(count + 1), random.below(count + 1)].forEach((word, i) => set([0x2800, 0x2804, 0x2808, 0x2810, 0x2818][i]!, word));
  set(0x400, 2);
  [sends, 0, 16 * count, random.below(count + 1), random.below(count + 1)].forEach((word, i) => set([0x3800, 0x3804, 0x3808, 0x3810, 0x3818][i]!, word));
};

/** RTL8139C datasheet, chapter 5. */
const rtl8139: Setup = (board, random, bars) => {
  const { io } = board.pc, base = bars[0]!;
  io.write(base + 0x37, 0x0c, 1);
  io.write(base + 0x30, value(random), 4);
  io.write(base + 0x44, random.next() | 0x0f, 4);
  io.write(base + 0x40, random.pick([0, 0x60000]), 4);
  for (let i = 0; i < 4; i++) {
    io.write(base + 0x20 + 4 * i, value(random), 4);
    io.write(base + 0x10 + 4 * i, random.pick([60, 1514, 0x1fff, random.below(0x2000)]), 4);
  }
  io.write(base + 0x38, random.below(0x1_0000), 2);
};

// Disks.

/** READ and WRITE DMA, the same with 48 bits, PACKET. */
const COMMANDS = [0xc8, 0xca, 0x25, 0x35, 0xa0] as const;

/** Bus Master IDE 1.0: a table of regions; then a drive is told to move data. */
const ide: Setup = (board, random, bars) => {
  const { io } = board.pc, channel = random.below(2), master = bars[4]! + 8 * channel, drive = channel === 0 ? 0x1f0 : 0x170, table = place(random), command = random.pick(COMMANDS);
  const entries = 1 + random.below(8), toMemory = command === 0xc8 || command === 0x25 || random.below(4) === 0;
  for (let i = 0; i < entries; i++) words(board, table + 8 * i, value(random), random.pick([0, 512, 4096, random.below(0x1_0000)]) | (i === entries - 1 && random.below(8) > 0 ? 0x8000_0000 : 0));
  io.write(channel === 0 ? 0x3f6 : 0x376, random.pick([0, 2, 4]), 1);
  io.write(channel === 0 ? 0x3f6 : 0x376, 0, 1);
  board.advance(30_000_000);
  io.write(drive + 6, 0xe0 | random.below(4) % 2 * channel << 4, 1);
  io.write(master, 0, 1);
  io.write(master + 4, table, 4);
  // Features, count, three bytes of an address that is often on the disk.
  [1, random.pick([0, 1, 8, 255]), random.below(256), random.below(80), random.below(16) === 0 ? random.below(256) : 0].forEach((byte, i) => {
    io.write(drive + 1 + i, 0, 1);
    io.write(drive + 1 + i, byte, 1);
  });
  io.write(drive + 7, command, 1);
  if (command === 0xa0) {
    board.advance(1_000_000);
    for (let i = 0; i < 6; i++) io.write(drive, i === 0 ? random.pick([0x28, 0xa8, 0xbe, 0x43, 0x5a, 0x12, random.below(256)]) : random.pick([0, 1, 0x100, random.below(0x1_0000)]), 2);
  }
  io.write(master, 1 | Number(toMemory) << 3, 1);
  board.advance(random.pick([0, 10_000_000]));
};

/** A question to the VMware port, in registers. */
export const vmware: Setup = ({ pc }, random) => {
  const command = random.pick([0x0a, 0x13, 0x14, 0x27, 0x27, 0x28, 0x29, 0x29, 0x29, 0x2d, 0x44, value(random)]);
  const argument = random.pick([0x45414552, 0x45414552, 0x53424152, 0x53424152, 0x4c455252, 0xf5, 1, 4, 4, 6, value(random)]);
  pc.cpu.registers.set([0x564d5868, command, 0x5658, argument]);
  pc.io.read(0x5658, random.pick([1, 2, 4]));
};

/** Intel 8237A and 82077AA: DMA channel 2, and a command for the floppy controller. */
export const floppy: Setup = (board, random) => {
  const { io } = board.pc, at = value(random), count = random.pick([0, 511, 512, 0x1fff, 0xffff]);
  io.write(0x0a, 6, 1);
  io.write(0x0c, 0, 1);
  io.write(0x0b, random.pick([0x46, 0x4a, 0x56, 0x5a, random.below(256)]), 1);
  for (const byte of [at, at >> 8]) io.write(0x04, byte, 1);
  for (const byte of [count, count >> 8]) io.write(0x05, byte, 1);
  io.write(0x81, at >> 16, 1);
  io.write(0x0a, 2, 1);
  io.write(0x3f2, 0x1c, 1);
  board.advance(random.pick([0, 0, 0, 400_000_000]));
  for (const byte of [random.pick([0x66, 0xe6, 0x45, 0xc5, 0x4d, 0x42, 0x51]), random.below(8), random.below(82), random.below(3), random.below(20), random.pick([2, random.below(256)]), 18, 27, 255]) io.write(0x3f5, byte, 1);
  board.advance(random.pick([1000, 1000, 1000, 300_000_000]));
};

/** QEMU's docs/specs/fw_cfg.rst: control, length, address, big-endian. */
export const firmwareConfiguration: Setup = (board, random) => {
  const swapped = (word: number): number => (word >>> 24 | word >>> 8 & 0xff00 | word << 8 & 0xff_0000 | word << 24) | 0, request = place(random);
  words(board, request, ...[random.below(64) << 16 | random.below(32), length(random), random.below(16) === 0 ? value(random) : 0, value(random)].map(swapped));
  board.pc.io.write(0x514, random.below(16) === 0 ? value(random) : 0, 4);
  board.pc.io.write(0x518, swapped(random.below(16) === 0 ? value(random) : request), 4);
};
