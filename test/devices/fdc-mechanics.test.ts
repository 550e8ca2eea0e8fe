/** What a floppy drive takes its time for (src/devices/fdc-spindle.ts), as a driver sees it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Bench, DOR, FIFO, medium, MS, MSR } from './fdc-bench.ts';

let b: Bench;

beforeEach(() => {
  b = new Bench([{ medium: medium(2880) }, { medium: null }]);
  b.start();
});

describe('mechanics', () => {
  const read = (c: number, h: number, r: number, eot = r): number[] => [0xe6, h << 2, c, h, r, 2, eot, 0x1b, 0xff];
  /** Reads sectors r to eot of cylinder 0; ns. The host's answer comes at once. */
  const take = (r: number, eot = r): number => {
    b.program(1, (eot - r + 1) * 512);
    const time = b.time(...read(0, 0, r, eot));
    b.results();
    return time;
  };
  /** ns, to a tenth of a millisecond. */
  const ms = (ns: number): number => Math.round(ns / 100_000) / 10;
  const BYTE = 16_000, SLOT = 682 * BYTE;

  it('a motor needs 400 ms from a stand, less if the disk still turns', () => {
    b.put(DOR, 0x2c);
    b.clock.step(2000 * MS);
    b.put(DOR, 0x3c);
    expect(take(1)).toBeGreaterThan(400 * MS);
    b.put(DOR, 0x2c);
    b.clock.step(150 * MS);
    b.put(DOR, 0x3c);
    const from = b.clock.now();
    take(1);
    expect(b.clock.now() - from).toBeLessThan(300 * MS);
  });

  it('a sector comes round every 200 ms, at 360 rpm every 167', () => {
    take(1);
    const first = b.clock.now();
    take(1);
    expect(ms(b.clock.now() - first)).toBe(200);
    b = new Bench([{ type: '1.2M', medium: medium(2400) }]);
    b.start();
    take(1);
    const second = b.clock.now();
    take(1);
    expect(ms(b.clock.now() - second)).toBe(166.7);
  });

  it('sectors follow each other under the head, and a whole track takes a turn', () => {
    take(1);
    const one = b.clock.now();
    take(2);
    expect(ms(b.clock.now() - one)).toBe(ms(SLOT));
    take(18);
    const last = b.clock.now();
    take(1, 18);
    expect(ms(b.clock.now() - last)).toBe(ms(200 * MS));
  });

  it('both sides of a cylinder are read in two turns', () => {
    take(18);
    const from = b.clock.now();
    b.program(1, 36 * 512);
    b.time(...read(0, 0, 1, 18));
    expect(b.results()).toEqual([4, 0, 0, 1, 0, 1, 2]);
    expect(ms(b.clock.now() - from)).toBe(400);
    expect([b.memory[0], b.memory[35 * 512]]).toEqual([1, 36]);
  });

  it('READ ID tells what comes next', () => {
    take(5);
    expect(b.time(0x4a, 0)).toBeLessThan(SLOT);
    expect(b.results()).toEqual([0, 0, 0, 0, 0, 6, 2]);
    b.clock.step(3 * SLOT);
    b.time(0x4a, 0);
    expect(b.results()[5]).toBe(10);
  });

  it('the head load time passes once, until the head unload time is over', () => {
    b.command(0x03, 0xd1, 60 << 1);
    take(1);
    const [loaded] = [b.clock.now()];
    take(2);
    expect(ms(b.clock.now() - loaded)).toBe(ms(SLOT));
    b.clock.step(20 * MS);
    const unloaded = b.clock.now();
    b.time(0x4a, 0);
    expect(b.clock.now() - unloaded).toBeGreaterThan(120 * MS);
  });

  it('the head settles after a seek', () => {
    take(1);
    b.time(0x0f, 0, 1);
    b.command(0x08);
    const [from] = [b.clock.now()];
    expect(b.clock.now() - from).toBe(0);
    b.time(0x0f, 0, 2);
    b.put(FIFO, 0x08);
    b.results();
    expect(b.time(0x4a, 0)).toBeGreaterThan(15 * MS);
  });

  it('step rates follow SRT and the data rate', () => {
    const seek = (cylinder: number): number => {
      const time = b.time(0x0f, 0, cylinder);
      b.put(FIFO, 0x08);
      b.results();
      return ms(time);
    };
    expect(seek(10)).toBe(30);
    b.command(0x03, 0xaf, 0x02);
    expect(seek(20)).toBe(60);
    b.fdc.dirPort.write(0, 2, 1);
    expect(seek(10)).toBe(120);
  });

  it('an implied seek takes its steps before the search', () => {
    b.command(0x13, 0, 0x40, 0);
    take(1);
    b.program(1, 512);
    expect(b.time(...read(40, 0, 1))).toBeGreaterThan(120 * MS + 15 * MS);
    expect(b.results()).toEqual([0, 0, 0, 40, 1, 1, 2]);
  });

  it('a sector that is not there costs up to two turns', () => {
    take(18);
    const time = take(19);
    expect(time).toBeGreaterThan(200 * MS);
    expect(time).toBeLessThan(400 * MS);
  });

  it('FORMAT TRACK takes the turn from one index pulse to the next', () => {
    const ids = Array.from({ length: 18 }, (_, index) => [0, 0, index + 1, 2]).flat();
    b.memory.set(ids);
    take(18);
    const index = Math.ceil(b.clock.now() / (200 * MS)) * 200 * MS;
    b.program(2, ids.length);
    b.time(0x4d, 0, 2, 18, 0x6c, 0xf6);
    expect(b.results().slice(0, 3)).toEqual([0, 0, 0]);
    expect(ms(b.clock.now() - index)).toBe(200);
  });

  it('without a disk the controller waits for one, and goes on when it is put in', () => {
    b.fdc.insert(0, null);
    b.program(1, 512);
    for (const byte of read(0, 0, 1)) b.put(FIFO, byte);
    b.clock.step(5000 * MS);
    expect([b.level, b.get(MSR)]).toEqual([false, 0x10]);
    b.fdc.insert(0, medium(2880));
    b.untilInterrupt();
    expect(b.results()).toEqual([0, 0, 0, 0, 1, 1, 2]);
  });
});
