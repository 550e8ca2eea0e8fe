import { beforeEach, describe, expect, it } from 'vitest';
import { Piix4Pm } from '../../src/devices/piix4-pm.ts';
import { readIo, writeIo } from '../../src/memory/address-space.ts';
import type { IoRegion } from '../../src/memory/io-region.ts';
import { SteppedClock } from './stepped-clock.ts';

const SECOND = 1_000_000_000;
/** Half a period of the timer: 2^23 ticks at 3.579545 MHz. */
const HALF = Math.ceil((2 ** 23 / 3_579_545) * SECOND);
let clock: SteppedClock;
let pm: Piix4Pm;
let io: IoRegion;
let sci: boolean;
let offs: number;
let base: number | null;

const get = (offset: number, size: 1 | 2 | 4 = 2): number => readIo(io, offset, size);
const put = (offset: number, value: number, size: 1 | 2 | 4 = 2): void => writeIo(io, offset, value, size);

beforeEach(() => {
  clock = new SteppedClock();
  offs = 0;
  sci = false;
  base = null;
  pm = new Piix4Pm({
    clock, sci: { set: (level) => (sci = level) }, powerOff: () => offs++,
    moved: (region) => {
      io = region;
      return (to) => (base = to);
    },
  });
  pm.reset();
});

describe('power management', () => {
  it('its ports are where PMBA says, while PMREGMISC lets them', () => {
    pm.config.write(0x40, 0x601, 4);
    expect(base).toBeNull();
    pm.config.write(0x80, 1, 1);
    expect(base).toBe(0x600);
    pm.config.write(0x40, 0x1041, 4);
    expect([base, pm.config.read(0x40, 4)]).toEqual([0x1040, 0x1041]);
    pm.reset();
    expect(base).toBeNull();
  });

  it('says that no system management mode is to be set up: SeaBIOS would wait for it', () => {
    expect(pm.config.read(0x58, 4) & 1 << 25).not.toBe(0);
  });

  it('the timer counts 24 bits at 3.579545 MHz', () => {
    clock.step(SECOND);
    expect(get(8, 4)).toBe(3_579_545);
    expect([8, 9, 10, 11].map((offset) => get(offset, 1))).toEqual([3_579_545 & 255, (3_579_545 >> 8) & 255, 3_579_545 >> 16, 0]);
    clock.step(4000 * SECOND);
    expect(get(8, 4)).toBe((4001 * 3_579_545) % 2 ** 24);
  });

  it('the real-time clock has a status of its own', () => {
    put(4, 1);
    pm.clockInterrupt();
    expect([get(0), sci]).toEqual([0x400, false]);
    put(2, 0x400);
    expect(sci).toBe(true);
    put(0, 0x400);
    expect([get(0), sci]).toEqual([0, false]);
  });

  it('a change of bit 23 is noted, and an SCI if that is wanted', () => {
    clock.step(HALF - 1000);
    expect(get(0)).toBe(0);
    clock.step(1000);
    expect(get(0)).toBe(1);
    expect(sci).toBe(false);
    put(0, 1);
    expect(get(0)).toBe(0);
    put(2, 1);
    writeIo(pm.apm, 0, 0xf1, 1);
    clock.step(HALF - 1000);
    expect(sci).toBe(false);
    clock.step(1001);
    expect(sci).toBe(true);
    put(0, 1);
    expect(sci).toBe(false);
  });

  it('the SMI command switches ACPI, and the power button interrupts', () => {
    expect(get(4)).toBe(0);
    put(2, 0x100);
    pm.pressButton();
    expect(sci).toBe(false);
    writeIo(pm.apm, 0, 0xf1, 1);
    expect([get(4), sci]).toEqual([1, true]);
    put(0, 0x100);
    expect(sci).toBe(false);
    writeIo(pm.apm, 0, 0xf0, 1);
    expect(get(4)).toBe(0);
    writeIo(pm.apm, 1, 0x55, 1);
    expect(readIo(pm.apm, 1, 1)).toBe(0x55);
  });

  it('soft off', () => {
    put(4, 0x1c01);
    put(4, 0x3c01);
    expect(offs).toBe(0);
    put(4, 0x2001);
    expect(offs).toBe(1);
    expect(get(4)).toBe(1);
  });

  it('events of the general purpose block are storage', () => {
    put(12, 0xffff_0000 | 0, 4);
    expect([get(12), get(14)]).toEqual([0, 0xffff]);
  });
});
