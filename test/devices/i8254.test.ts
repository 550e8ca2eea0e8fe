import { beforeEach, describe, expect, test } from 'vitest';
import { nsOfTick } from '../../src/devices/clock.ts';
import { I8254, PIT_HZ } from '../../src/devices/i8254.ts';
import { Port61 } from '../../src/devices/port61.ts';
import { SteppedClock } from './stepped-clock.ts';

let clock: SteppedClock;
let pit: I8254;
/** Ticks at which IRQ0 rose. */
let rises: number[];
let irq: boolean;

beforeEach(() => {
  clock = new SteppedClock();
  rises = [];
  irq = false;
  pit = new I8254(clock, {
    set(level) {
      if (level && !irq) rises.push(Math.round((clock.now() * PIT_HZ) / 1e9));
      irq = level;
    },
  });
  rises = [];
});

const out = (port: number, value: number): void => pit.io.write(port, value, 1);
const inp = (port: number): number => pit.io.read(port, 1);
/** Steps to an absolute tick. */
const toTick = (tick: number): void => clock.step(nsOfTick(tick, PIT_HZ) - clock.now());
const latch = (counter: number): number => {
  out(3, counter << 6);
  return inp(counter) | (inp(counter) << 8);
};
const load = (counter: number, mode: number, count: number, bcd = 0): void => {
  out(3, (counter << 6) | 0x30 | (mode << 1) | bcd);
  out(counter, count & 0xff);
  out(counter, count >> 8);
};
const outputs = (counter: number, from: number, to: number): string => {
  let seen = '';
  for (let tick = from; tick < to; tick++) {
    toTick(tick);
    seen += pit.output(counter) ? '1' : '0';
  }
  return seen;
};

describe('I8254 modes', () => {
  // The count is loaded one clock after it was written (tick 1), so mode 0 goes high N + 1 clocks after the write.
  test('mode 0: high at terminal count, then the count wraps', () => {
    load(0, 0, 4);
    expect(outputs(0, 0, 8)).toBe('00000111');
    expect(latch(0)).toBe(0xfffe);
    expect(rises).toEqual([5]);
  });

  test('mode 0: the first byte of a new count stops, a gate pauses', () => {
    load(2, 0, 4);
    toTick(10);
    expect(pit.output(2)).toBe(false);
    pit.setGate(2, true);
    expect(outputs(2, 10, 16)).toBe('000011');
    out(2, 9);
    expect(pit.output(2)).toBe(false);
    toTick(100);
    out(2, 0);
    pit.setGate(2, false);
    toTick(200);
    pit.setGate(2, true);
    expect(outputs(2, 200, 211)).toBe('00000000011');
  });

  test('mode 1: one-shot from the trigger, retriggerable', () => {
    load(2, 1, 3);
    expect(outputs(2, 0, 5)).toBe('11111');
    pit.setGate(2, true);
    expect(outputs(2, 4, 10)).toBe('100011');
    pit.setGate(2, false);
    pit.setGate(2, true);
    expect(outputs(2, 9, 12)).toBe('100');
    pit.setGate(2, false);
    pit.setGate(2, true);
    expect(outputs(2, 11, 17)).toBe('000011');
  });

  test('mode 2: low for one clock in N; IRQ0 rises each N clocks', () => {
    load(0, 2, 4);
    expect(outputs(0, 1, 13)).toBe('111011101110');
    toTick(41);
    expect(rises).toEqual([5, 9, 13, 17, 21, 25, 29, 33, 37, 41]);
    expect([latch(0), (toTick(42), latch(0)), (toTick(44), latch(0)), (toTick(45), latch(0))]).toEqual([4, 3, 1, 4]);
  });

  test('mode 2: a new count waits for the end of the cycle', () => {
    load(0, 2, 6);
    toTick(3);
    out(0, 3);
    out(0, 0);
    toTick(17);
    expect(rises).toEqual([7, 10, 13, 16]);
  });

  test('mode 3: even and odd counts', () => {
    load(0, 3, 4);
    expect(outputs(0, 1, 10)).toBe('110011001');
    load(1, 3, 5);
    // Written at tick 9, loaded at 10.
    expect(outputs(1, 10, 21)).toBe('11100111001');
    load(1, 3, 5);
    const counts = [];
    for (let tick = 21; tick < 27; tick++) {
      toTick(tick);
      counts.push(latch(1));
    }
    expect(counts).toEqual([4, 2, 0, 4, 2, 4]);
  });

  test('mode 3: a new count waits for the end of the half-cycle', () => {
    load(0, 3, 8);
    toTick(2);
    out(0, 4);
    out(0, 0);
    expect(outputs(0, 2, 12)).toBe('1110011001');
  });

  test('mode 4 strobes once, mode 5 on each trigger', () => {
    load(2, 4, 3);
    pit.setGate(2, true);
    expect(outputs(2, 0, 7)).toBe('1110111');
    pit.setGate(2, false);
    load(2, 5, 2);
    expect(outputs(2, 7, 10)).toBe('111');
    pit.setGate(2, true);
    expect(outputs(2, 9, 15)).toBe('111011');
  });

  test('the gate stops modes 2 and 3 with OUT high and restarts the cycle', () => {
    pit.setGate(2, true);
    load(2, 3, 4);
    toTick(3);
    expect(pit.output(2)).toBe(false);
    pit.setGate(2, false);
    expect(outputs(2, 3, 9)).toBe('111111');
    pit.setGate(2, true);
    expect(outputs(2, 9, 14)).toBe('11001');
  });

  test('BCD counts in decimal; zero means the whole range', () => {
    load(0, 2, 0x0100, 1);
    toTick(2);
    expect(latch(0)).toBe(0x0099);
    load(0, 0, 0, 1);
    toTick(13);
    expect(latch(0)).toBe(0x9990);
    load(0, 2, 0);
    toTick(15);
    expect(latch(0)).toBe(0xffff);
  });
});

describe('I8254 registers', () => {
  test('a latched count holds until it is read, a second latch is ignored', () => {
    load(0, 2, 1000);
    toTick(11);
    out(3, 0x00);
    toTick(50);
    out(3, 0x00);
    expect(inp(0) | (inp(0) << 8)).toBe(990);
    expect(inp(0) | (inp(0) << 8)).toBe(951);
  });

  test('low-only and high-only access', () => {
    out(3, 0x14);
    out(0, 200);
    toTick(11);
    expect([inp(0), inp(0)]).toEqual([190, 190]);
    out(3, 0x24);
    out(0, 3);
    toTick(12);
    expect(inp(0)).toBe(3);
    toTick(13);
    expect(inp(0)).toBe(2);
  });

  test('read-back latches status and count of several counters; status comes first', () => {
    load(0, 2, 1000);
    out(3, 0xe2);
    expect(inp(0)).toBe(0xf4);
    load(2, 0, 7);
    toTick(11);
    out(3, 0xc0 | 0x0a);
    expect([inp(0), inp(0) | (inp(0) << 8)]).toEqual([0xb4, 990]);
    expect([inp(2), inp(2) | (inp(2) << 8)]).toEqual([0x30, 7]);
  });

  test('the control port is write-only, modes 6 and 7 are 2 and 3', () => {
    expect(inp(3)).toBe(0xff);
    out(3, 0x3e);
    out(3, 0xe2);
    expect(inp(0) & 0x0e).toBe(6);
  });

  test('IRQ0 keeps to 100 Hz without drift, late timers included', () => {
    load(0, 2, 11931);
    clock.step(50e9);
    clock.skip(50e9);
    clock.runTimers();
    expect(rises.length).toBe(Math.floor((PIT_HZ * 100 - 1) / 11931));
  });

  test('state survives save and restore', () => {
    load(0, 3, 1000);
    toTick(301);
    const saved = pit.state.save();
    pit.reset();
    load(0, 0, 5);
    pit.state.restore(saved);
    pit.restored();
    expect(latch(0)).toBe(1000 - 600);
    rises = [];
    toTick(3002);
    expect(rises).toEqual([1001, 2001, 3001]);
  });
});

describe('Port61', () => {
  test('gates counter 2 and shows its output', () => {
    const port = new Port61(clock, pit);
    port.io.write(0, 0xff, 1);
    expect(port.speaker).toBe(true);
    load(2, 0, 100);
    expect(port.io.read(0, 1) & 0x2f).toBe(0x0f);
    toTick(101);
    expect(port.io.read(0, 1) & 0x20).toBe(0x20);
    port.reset();
    expect(port.io.read(0, 1) & 0x0f).toBe(0);
  });

  test('the refresh bit toggles each 15 microseconds', () => {
    const port = new Port61(clock, pit);
    const seen = [];
    for (let i = 0; i < 6; i++) {
      seen.push((port.io.read(0, 1) >> 4) & 1);
      clock.step(15100);
    }
    expect(seen).toEqual([0, 1, 0, 1, 0, 1]);
  });
});
