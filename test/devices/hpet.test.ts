import { beforeEach, describe, expect, it } from 'vitest';
import { Hpet } from '../../src/devices/hpet.ts';
import { readIo, writeIo } from '../../src/memory/address-space.ts';
import { SteppedClock } from './stepped-clock.ts';

const US = 1000, MS = 1_000_000, SECOND = 1_000_000_000;
const CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0;
const mode = (timer: number): number => 0x100 + 0x20 * timer, comparator = (timer: number): number => mode(timer) + 8;
const LEVEL = 2, INTERRUPT = 4, PERIODIC = 8, SET_COUNT = 0x40, ONLY_32 = 0x100, ROUTE_2 = 2 << 9;
/** Rising edges and levels of the outputs. */
let clock: SteppedClock, hpet: Hpet, edges: Record<'timer' | 'rtc' | 'routed', number>, levels: typeof edges;

const get = (offset: number): number => readIo(hpet.io, offset, 4) >>> 0;
const put = (offset: number, value: number): void => writeIo(hpet.io, offset, value | 0, 4);

beforeEach(() => {
  clock = new SteppedClock();
  edges = { timer: 0, rtc: 0, routed: 0 };
  levels = { timer: 0, rtc: 0, routed: 0 };
  const line = (name: keyof typeof edges): { set: (level: boolean) => void } => ({ set: (level) => {
    if (level && levels[name] === 0) edges[name]++;
    levels[name] = level ? 1 : 0;
  } });
  hpet = new Hpet({ clock, timerIrq: line('timer'), rtcIrq: line('rtc'), routed: line('routed') });
  hpet.reset();
});

describe('HPET', () => {
  it('says what it is', () => {
    expect([get(0), get(4), get(mode(2)), get(mode(2) + 4), get(0x140 + 0x20)]).toEqual([0x8086a201, 10_000_000, 0x30, 4, 0]);
  });

  it('counts 10 ns a tick while it is on, in 64 bits', () => {
    clock.step(SECOND);
    expect(get(COUNTER)).toBe(0);
    put(COUNTER, 0xffffff00);
    put(COUNTER + 4, 7);
    put(CONFIG, 1);
    clock.step(0x100 * 10 + 9);
    expect([get(COUNTER), get(COUNTER + 4)]).toEqual([0, 8]);
    put(CONFIG, 0);
    clock.step(SECOND);
    expect([get(COUNTER), get(COUNTER + 4)]).toEqual([0, 8]);
    put(CONFIG, 1);
    clock.step(86_400 * SECOND);
    expect(get(COUNTER + 4) * 2 ** 32 + get(COUNTER)).toBe(8 * 2 ** 32 + 86_400 * 100_000_000);
  });

  it('a comparator interrupts once, by the route that it has', () => {
    put(mode(1), INTERRUPT | ROUTE_2);
    put(CONFIG, 1);
    put(comparator(1), 1000);
    put(comparator(1) + 4, 0);
    clock.step(10 * US - 1);
    expect(edges.routed).toBe(0);
    clock.step(1);
    expect(edges.routed).toBe(1);
    clock.step(100 * SECOND);
    expect(edges).toEqual({ timer: 0, rtc: 0, routed: 1 });
  });

  it('with 32 bits it interrupts each time the counter comes round', () => {
    put(mode(0), INTERRUPT | ROUTE_2 | ONLY_32);
    put(CONFIG, 1);
    clock.step(10 * US);
    put(comparator(0), 1000);
    expect(edges.routed).toBe(1);
    put(comparator(0), 999);
    clock.step(2 ** 32 * 10 - 11);
    expect(edges.routed).toBe(1);
    clock.step(1);
    expect(edges.routed).toBe(2);
    clock.step(2 ** 32 * 10);
    expect(edges.routed).toBe(3);
  });

  it('a route that there is not is not taken', () => {
    put(mode(0), ROUTE_2);
    put(mode(0), 5 << 9);
    expect(get(mode(0)) >> 9 & 31).toBe(2);
    put(mode(0), 0);
    expect(get(mode(0)) >> 9 & 31).toBe(0);
  });

  it('legacy replacement: interrupts 0 and 8 are those of timers 0 and 1, and no longer of the 8254 and the clock chip', () => {
    hpet.pit.set(true);
    hpet.rtc.set(true);
    expect([levels.timer, levels.rtc]).toEqual([1, 1]);
    for (const timer of [0, 1]) {
      put(mode(timer), INTERRUPT | ONLY_32);
      put(comparator(timer), 1000);
    }
    put(CONFIG, 3);
    expect([levels.timer, levels.rtc]).toEqual([0, 0]);
    hpet.pit.set(false);
    hpet.pit.set(true);
    expect(edges.timer).toBe(1);
    clock.step(10 * US);
    expect([edges.timer, edges.rtc]).toEqual([2, 2]);
    hpet.rtc.set(false);
    put(CONFIG, 1);
    expect([levels.timer, levels.rtc]).toEqual([1, 0]);
  });

  it('periodic as Linux sets it: the accumulator, then the period; it never drifts', () => {
    put(mode(0), INTERRUPT | PERIODIC | SET_COUNT | ONLY_32);
    put(CONFIG, 3);
    clock.step(12_345);
    put(comparator(0), get(COUNTER) + 400_000);
    put(comparator(0), 400_000);
    clock.step(4 * MS - 10);
    expect(edges.timer).toBe(0);
    clock.step(10);
    expect(edges.timer).toBe(1);
    clock.step(SECOND);
    expect(edges.timer).toBe(251);
    expect(get(comparator(0))).toBe(1234 + 252 * 400_000);
    expect(get(mode(0)) & SET_COUNT).toBe(0);
    // A stall of the guest: the interrupts become one, the comparator goes on from where it should be.
    clock.skip(10 * MS);
    clock.step(0);
    expect([edges.timer, get(comparator(0))]).toEqual([252, 1234 + 254 * 400_000]);
  });

  it('a periodic timer of 64 bits carries into the high half', () => {
    put(COUNTER, 0xfffff000);
    put(mode(2), INTERRUPT | PERIODIC | SET_COUNT | ROUTE_2);
    put(comparator(2), 0xfffffc00);
    // Each half that is written takes the bit back.
    put(mode(2), INTERRUPT | PERIODIC | SET_COUNT | ROUTE_2);
    put(comparator(2) + 4, 0);
    put(comparator(2), 0x800);
    put(CONFIG, 1);
    clock.step(0xc00 * 10);
    expect([edges.routed, get(comparator(2)), get(comparator(2) + 4)]).toEqual([1, 0x400, 1]);
  });

  it('a level stays until its status is cleared, and shows without an interrupt', () => {
    put(mode(0), LEVEL | ROUTE_2 | ONLY_32);
    put(comparator(0), 500);
    put(CONFIG, 1);
    clock.step(5 * US);
    expect([get(STATUS), levels.routed]).toEqual([1, 0]);
    put(mode(0), LEVEL | INTERRUPT | ROUTE_2 | ONLY_32);
    expect(levels.routed).toBe(1);
    put(STATUS, 6);
    expect(levels.routed).toBe(1);
    put(STATUS, 1);
    expect([get(STATUS), levels.routed]).toEqual([0, 0]);
  });

  it('a period shorter than any processor could serve does not hold up time', () => {
    put(mode(0), INTERRUPT | PERIODIC | SET_COUNT | ONLY_32);
    put(comparator(0), 1);
    put(CONFIG, 3);
    clock.step(MS);
    expect(edges.timer).toBeLessThan(500);
    expect(get(comparator(0))).toBe(100_001);
  });

  it('goes on after save and restore', () => {
    put(mode(0), INTERRUPT | PERIODIC | SET_COUNT | ONLY_32);
    put(comparator(0), 100_000);
    put(CONFIG, 3);
    clock.step(1500 * US);
    const saved = hpet.state.save();
    hpet.reset();
    expect(clock.pending()).toEqual([]);
    hpet.state.restore(saved);
    hpet.restored();
    edges.timer = 0;
    clock.step(500 * US);
    expect([edges.timer, get(comparator(0))]).toEqual([1, 300_000]);
  });
});
