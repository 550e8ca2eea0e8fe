import { beforeEach, describe, expect, it } from 'vitest';
import type { NetBackend, NetPort } from '../../src/devices/host.ts';
import { multicastHash, frameCheck } from '../../src/devices/ethernet.ts';
import { Line } from '../../src/devices/irq.ts';
import { Ne2000 } from '../../src/devices/ne2000.ts';
import { SteppedClock } from './stepped-clock.ts';

const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
const START = 0x46, STOP = 0x60, MS = 1e6;

let clock: SteppedClock, irq: Line, card: Ne2000, port: NetPort, sent: number[][];

beforeEach(() => {
  clock = new SteppedClock();
  irq = new Line(() => {});
  sent = [];
  const backend: NetBackend = { plug: (end) => { port = end; }, send: (frame) => sent.push([...frame]) };
  card = new Ne2000({ name: 'ne', clock, irq, mac: MAC, backend });
});

const out = (offset: number, value: number): void => card.io.write(offset, value, 1);
const inb = (offset: number): number => card.io.read(offset, 1);

/** Sets the chip up as drivers do: words, ring in pages 46h-5Fh, all interrupts but "remote done". */
function setUp(rcr = 0x04): void {
  out(0, 0x21);
  out(0xe, 0x49);
  for (const [offset, value] of [[0xa, 0], [0xb, 0], [0xc, rcr], [0xd, 0x02], [1, START], [3, START], [2, STOP], [7, 0xff], [0xf, 0x3f]]) out(offset!, value!);
  out(0, 0x61);
  MAC.forEach((byte, i) => out(1 + i, byte));
  out(7, START + 1);
  out(0, 0x22);
  out(0xd, 0);
}

function remote(command: number, address: number, count: number): void {
  for (const [offset, value] of [[8, address & 0xff], [9, address >> 8], [0xa, count & 0xff], [0xb, count >> 8], [0, command]]) out(offset!, value!);
}

function readMemory(address: number, count: number): number[] {
  remote(0x0a, address, count);
  return Array.from({ length: count / 2 }, () => card.io.read(0x10, 2)).flatMap((word) => [word & 0xff, word >> 8]);
}

function receive(frame: readonly number[]): void {
  port.deliver(Uint8Array.from(frame));
  clock.step(MS);
}

const frameFor = (to: readonly number[], length = 64): number[] => [...to, ...Array.from({ length: length - to.length }, (_, i) => i & 0xff)];
const BROADCAST = [255, 255, 255, 255, 255, 255];

describe('ethernet', () => {
  it('has the check sequence and the hash of the standard', () => {
    expect(frameCheck(new TextEncoder().encode('123456789')) >>> 0).toBe(0xcbf43926);
    // The all-hosts group 01:00:5e:00:00:01: Linux's ether_crc gives bit 31 of a 64-bit table.
    expect(multicastHash(Uint8Array.of(1, 0, 0x5e, 0, 0, 1))).toBe(31);
  });
});

describe('NE2000', () => {
  it('resets by its port, and shows its address twice a byte', () => {
    inb(0x1f);
    expect(inb(7)).toBe(0x80);
    expect(inb(0)).toBe(0x21);
    out(0xe, 0x49);
    out(0, 0x22);
    const prom = readMemory(0, 32);
    expect(prom.slice(0, 12)).toEqual([...MAC].flatMap((byte) => [byte, byte]));
    expect(prom.slice(28)).toEqual([0x57, 0x57, 0x57, 0x57]);
    expect(inb(7) & 0x40).toBe(0x40);
    out(7, 0x40);
    expect(inb(7)).toBe(0);
    expect([inb(0xa), inb(0xb)]).toEqual([0x50, 0x70]);
  });

  it('reads and writes memory by bytes, words and double words', () => {
    out(0, 0x22);
    out(0xe, 0x48);
    remote(0x12, 0x4000, 4);
    for (const byte of [1, 2, 3, 4]) out(0x10, byte);
    expect(inb(7) & 0x40).toBe(0x40);
    out(0xe, 0x49);
    expect(readMemory(0x4000, 4)).toEqual([1, 2, 3, 4]);
    remote(0x12, 0x4002, 4);
    card.io.write(0x10, 0x0a0b0c0d, 4);
    remote(0x0a, 0x4000, 8);
    expect([card.io.read(0x10, 4), card.io.read(0x10, 4)]).toEqual([0x0c0d0201, 0x0a0b]);
    // Outside its memory there is nothing; behind the count neither.
    expect(readMemory(0x9000, 2)).toEqual([255, 255]);
    expect(card.io.read(0x10, 2)).toBe(0);
  });

  it('sends', () => {
    setUp();
    const frame = frameFor(BROADCAST);
    remote(0x12, 0x4000, 64);
    for (let i = 0; i < 64; i += 2) card.io.write(0x10, frame[i]! | (frame[i + 1]! << 8), 2);
    out(4, 0x40);
    out(5, 64);
    out(6, 0);
    out(0, 0x26);
    expect(inb(0) & 4).toBe(4);
    expect(irq.level).toBe(false);
    clock.step(MS);
    expect(sent).toEqual([frame]);
    expect([inb(0) & 4, inb(4), inb(7) & 2, irq.level]).toEqual([0, 1, 2, true]);
    out(7, 2);
    expect(irq.level).toBe(false);
  });

  it('receives into its ring, with header and check sequence, and round its end', () => {
    setUp();
    const frame = frameFor([...MAC], 300);
    receive(frame);
    expect([inb(7) & 1, irq.level, inb(0xc)]).toEqual([1, true, 1]);
    const stored = readMemory((START + 1) << 8, 308);
    expect(stored.slice(0, 4)).toEqual([1, START + 3, 304 & 255, 304 >> 8]);
    expect(stored.slice(4, 304)).toEqual(frame);
    const fcs = frameCheck(Uint8Array.from(frame));
    expect(stored.slice(304)).toEqual([0, 8, 16, 24].map((shift) => (fcs >>> shift) & 255));
    // The last page, and on at the first.
    out(0, 0x62);
    out(7, STOP - 1);
    out(0, 0x22);
    out(3, START + 5);
    out(7, 1);
    receive(frame);
    expect(readMemory((STOP - 1) << 8, 308).slice(4, 304)).toEqual(frame);
    out(0, 0x62);
    expect(inb(7)).toBe(START + 1);
  });

  it('pads what is short', () => {
    setUp();
    receive([...MAC, 1, 2]);
    expect(readMemory((START + 1) << 8, 70)[2]).toBe(64);
  });

  it('takes what it is told to take', () => {
    const group = [1, 0, 0x5e, 0, 0, 1], other = [0x52, 0x54, 0, 1, 1, 1];
    const taken = (rcr: number, to: readonly number[], before = (): void => {}): boolean => {
      setUp(rcr);
      before();
      receive(frameFor(to));
      return (inb(7) & 1) !== 0;
    };
    expect(taken(0, BROADCAST)).toBe(false);
    expect(taken(4, BROADCAST)).toBe(true);
    expect(taken(4, other)).toBe(false);
    expect(taken(0x10, other)).toBe(true);
    expect(taken(0x30, other)).toBe(false);
    expect(taken(8, group)).toBe(false);
    const filter = (): void => {
      out(0, 0x62);
      out(8 + (31 >> 3), 1 << (31 & 7));
      out(0, 0x22);
    };
    expect(taken(8, group, filter)).toBe(true);
    expect(taken(4, [...MAC], () => out(0xd, 2))).toBe(false);
  });

  it('lets frames wait while the ring is full', () => {
    setUp();
    for (let i = 0; i < 30; i++) {
      receive(frameFor([...MAC], 1514));
      out(7, 1);
    }
    clock.step(MS);
    out(0, 0x62);
    // 26 pages, 6 a frame: four, and the ring never looks empty.
    expect(inb(7)).toBe(START + 1 + 24);
    out(0, 0x22);
    out(3, START + 12);
    clock.step(MS);
    out(7, 1);
    clock.step(MS);
    out(0, 0x62);
    // Two more, and one page stays free.
    expect(inb(7)).toBe(START + 11);
  });

  it('tells a driver of what came while it acknowledged, and loses nothing', () => {
    setUp();
    for (let i = 0; i < 100; i++) port.deliver(Uint8Array.from(frameFor([...MAC], 1514)));
    let received = 0, overflowed = false;
    const current = (): number => {
      out(0, 0x62);
      const page = inb(7);
      out(0, 0x22);
      return page;
    };
    // As Linux does: up to ten frames, then the interrupt is acknowledged; timers fire before any access.
    for (let interrupts = 0; interrupts < 1000 && received < 100; interrupts++) {
      clock.step(MS);
      if (!irq.level) break;
      overflowed ||= (inb(7) & 0x10) !== 0;
      for (let frames = 0; frames < 10; frames++) {
        clock.step(0);
        const boundary = inb(3), at = boundary + 1 === STOP ? START : boundary + 1;
        if (current() === at) break;
        const [, next] = readMemory(at << 8, 4);
        received++;
        out(3, next === START ? STOP - 1 : next! - 1);
      }
      clock.step(0);
      out(7, 1);
    }
    expect([received, overflowed]).toEqual([100, false]);
  });

  it('says that its ring is full to a driver that does not read what it was told of', () => {
    setUp();
    for (let i = 0; i < 10; i++) {
      receive(frameFor([...MAC], 1514));
      out(7, 1);
      clock.step(MS);
    }
    expect([inb(7), irq.level]).toEqual([0x10, true]);
    out(3, START + 12);
    out(7, 0x10);
    clock.step(MS);
    expect(inb(7)).toBe(1);
  });

  it('is the same after a restore', () => {
    setUp();
    out(6, 0);
    out(5, 60);
    out(0, 0x26);
    const saved = card.state.save();
    card.reset();
    clock.step(MS);
    expect(sent).toEqual([]);
    card.state.restore(saved);
    card.restored();
    clock.step(MS);
    expect(sent).toHaveLength(1);
    expect(irq.level).toBe(true);
  });

  it('bears any writes', () => {
    let seed = 7;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8;
    for (let i = 0; i < 20_000; i++) {
      const size = ([1, 2, 4] as const)[random() % 3]!;
      if (i % 3 === 0) card.io.read(random() % 32, size);
      else card.io.write(random() % 32, random() & (size === 1 ? 255 : 65535), size);
      if (i % 50 === 0) receive(frameFor([...MAC], 60 + random() % 1450));
    }
  });
});
