import { beforeEach, describe, expect, test } from 'vitest';
import { Mc146818 } from '../../src/devices/mc146818.ts';
import { SteppedClock } from './stepped-clock.ts';

const SECOND = 1e9;
let clock: SteppedClock;
let rtc: Mc146818;
let irq: boolean;
let irqs: number;
let nmiMasked: boolean;

function create(base: number): void {
  clock = new SteppedClock();
  irq = nmiMasked = false;
  irqs = 0;
  const line = {
    set(level: boolean) {
      if (level && !irq) irqs++;
      irq = level;
    },
  };
  rtc = new Mc146818(clock, line, base, { set: (level) => (nmiMasked = level) });
}

beforeEach(() => create(Date.UTC(1999, 11, 31, 23, 59, 58)));

function read(index: number): number {
  rtc.io.write(0, index, 1);
  return rtc.io.read(1, 1);
}
function write(index: number, value: number): void {
  rtc.io.write(0, index, 1);
  rtc.io.write(1, value, 1);
}
/** century year month day weekday hour minute second, as hex */
const time = (): string => [0x32, 9, 8, 7, 6, 4, 2, 0].map((index) => read(index).toString(16).padStart(2, '0')).join(' ');

describe('Mc146818', () => {
  test('counts seconds in BCD, carrying into the century', () => {
    expect(time()).toBe('19 99 12 31 06 23 59 58');
    clock.skip(2 * SECOND);
    expect(time()).toBe('20 00 01 01 07 00 00 00');
    clock.skip(59.5 * 86400 * SECOND);
    expect(time()).toBe('20 00 02 29 03 12 00 00');
  });

  test('binary and 12 hours', () => {
    write(0x0b, 0x04);
    write(4, 11);
    write(2, 59);
    write(0, 59);
    clock.skip(SECOND);
    expect([read(4), read(2), read(0)]).toEqual([0x8c, 0, 0]);
    clock.skip(3600 * SECOND);
    expect(read(4)).toBe(0x81);
    clock.skip(11 * 3600 * SECOND);
    expect(read(4)).toBe(12);
  });

  test('UIP warns of an update; the registers change at its end', () => {
    clock.skip(SECOND - 2_300_000);
    expect(read(0x0a)).toBe(0x26);
    clock.skip(100_000);
    expect(read(0x0a)).toBe(0xa6);
    expect(read(0)).toBe(0x58);
    clock.skip(2_200_000);
    expect([read(0x0a), read(0)]).toEqual([0x26, 0x59]);
  });

  test('SET stops updates, keeps the phase, and clears UIE', () => {
    write(0x0b, 0x92);
    expect(read(0x0b)).toBe(0x82);
    write(0, 0x10);
    clock.skip(2.5 * SECOND);
    expect([read(0), read(0x0a)]).toEqual([0x10, 0x26]);
    write(0x0b, 0x02);
    clock.skip(0.5 * SECOND);
    expect(read(0)).toBe(0x11);
  });

  test('a divider released from reset updates after half a second', () => {
    write(0x0a, 0x70);
    clock.skip(10 * SECOND);
    expect(read(0)).toBe(0x58);
    write(0x0a, 0x26);
    clock.skip(0.5 * SECOND);
    expect(read(0)).toBe(0x59);
  });

  test('update interrupt each second; reading C acknowledges', () => {
    write(0x0b, 0x12);
    clock.step(SECOND);
    expect([irq, irqs]).toEqual([true, 1]);
    clock.step(SECOND);
    expect(irqs).toBe(1);
    // The periodic flag is set too (its rate is programmed), and the alarm (all zero, and it is midnight); neither is enabled.
    expect([read(0x0c), irq, read(0x0c)]).toEqual([0xf0, false, 0]);
    clock.step(SECOND);
    expect(irqs).toBe(2);
  });

  test('periodic interrupt at 1024 Hz and 2 Hz', () => {
    write(0x0b, 0x42);
    let count = 0;
    for (let i = 0; i < 10240; i++) {
      clock.step(SECOND / 10240);
      if (irq) count++, read(0x0c);
    }
    expect(count).toBe(1024);
    write(0x0a, 0x2f);
    irqs = 0;
    for (let i = 0; i < 100; i++) clock.step(SECOND / 10), read(0x0c);
    expect(irqs).toBe(20);
    write(0x0a, 0x20);
    clock.step(SECOND);
    expect(irqs).toBe(20);
  });

  test('alarm at a time, and with wildcards', () => {
    write(5, 0x00);
    write(3, 0x00);
    write(1, 0x05);
    write(0x0b, 0x22);
    clock.step(6 * SECOND);
    expect(irqs).toBe(0);
    clock.step(SECOND);
    expect(irqs).toBe(1);
    expect(read(0x0c) & 0xa0).toBe(0xa0);
    for (const register of [1, 3, 5]) write(register, 0xff);
    for (let i = 0; i < 5; i++) clock.step(SECOND), read(0x0c);
    expect(irqs).toBe(6);
  });

  test('flags are set without interrupts; C and D are read-only', () => {
    clock.skip(SECOND);
    write(0x0c, 0xff);
    write(0x0d, 0x00);
    expect([read(0x0c) & 0x90, read(0x0d), irq]).toEqual([0x10, 0x80, false]);
  });

  test('index port: write-only, NMI mask', () => {
    rtc.io.write(0, 0x8d, 1);
    expect([rtc.io.read(0, 1), rtc.io.read(1, 1), nmiMasked]).toEqual([0xff, 0x80, true]);
    rtc.io.write(0, 0x0d, 1);
    expect(nmiMasked).toBe(false);
  });

  test('a reset keeps time and memory, and turns interrupts off', () => {
    rtc.setNvram(0x10, 0x40);
    write(0x0f, 0x0a);
    write(0x0b, 0x12);
    clock.step(1.5 * SECOND);
    rtc.reset();
    expect([irq, read(0x0b), read(0x10), read(0x0f)]).toEqual([false, 0x02, 0x40, 0x0a]);
    clock.step(0.5 * SECOND);
    expect(time()).toBe('20 00 01 01 07 00 00 00');
  });

  test('state survives save and restore', () => {
    write(0x0b, 0x12);
    clock.step(0.5 * SECOND);
    const saved = rtc.state.save();
    write(0x0b, 0x02);
    write(0, 0x30);
    rtc.state.restore(saved);
    rtc.restored();
    clock.step(0.5 * SECOND);
    expect([irq, read(0)]).toEqual([true, 0x59]);
  });

  test('a base within a second keeps its fraction', () => {
    create(Date.UTC(2024, 1, 28, 12, 0, 0, 750));
    clock.skip(250_000_000);
    expect(time()).toBe('20 24 02 28 04 12 00 01');
  });
});
