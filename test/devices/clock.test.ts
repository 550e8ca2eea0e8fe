import { describe, expect, test } from 'vitest';
import { VirtualClock, nsOfTick, ticksAt } from '../../src/devices/clock.ts';
import { Line, SharedLine } from '../../src/devices/irq.ts';
import { SteppedClock } from './stepped-clock.ts';

describe('VirtualClock', () => {
  test('is whole and never goes back', () => {
    let time = 5.7;
    const clock = new VirtualClock(() => time);
    expect(clock.now()).toBe(5);
    time = 3;
    expect(clock.now()).toBe(5);
  });

  test('fires timers by deadline, equal ones in the order of arming', () => {
    const clock = new SteppedClock();
    const fired: string[] = [];
    const timers = [30, 10, 20, 10, 30, 5].map((deadline, i) => {
      const timer = clock.timer(`t${i}`, () => fired.push(`t${i}@${clock.now()}`));
      timer.arm(deadline);
      return timer;
    });
    timers[2].cancel();
    expect(clock.nextDeadline()).toBe(5);
    expect(clock.pending().map(({ name }) => name)).toEqual(['t5', 't1', 't3', 't0', 't4']);
    clock.step(30);
    expect(fired).toEqual(['t5@5', 't1@10', 't3@10', 't0@30', 't4@30']);
    expect(clock.nextDeadline()).toBe(Infinity);
    expect(timers[0].armed).toBe(false);
  });

  test('arming again moves a timer; a late timer fires as often as its deadlines passed', () => {
    const clock = new SteppedClock();
    let count = 0;
    const timer = clock.timer('t', () => {
      count++;
      if (count < 4) timer.arm(timer.deadline + 10);
    });
    timer.arm(100);
    timer.arm(10);
    clock.skip(35);
    clock.runTimers();
    expect(count).toBe(3);
    expect(timer.deadline).toBe(40);
  });

  test('keeps heap order under many random operations', () => {
    const clock = new SteppedClock();
    const fired: number[] = [];
    let seed = 1;
    const random = (n: number): number => (seed = (seed * 48271) % 0x7fffffff) % n;
    const timers = Array.from({ length: 50 }, (_, i) => clock.timer(`${i}`, () => fired.push(clock.now())));
    for (let i = 0; i < 500; i++) {
      const timer = timers[random(50)];
      if (random(3) === 0) timer.cancel();
      else timer.arm(random(1000));
    }
    const armed = timers.filter((timer) => timer.armed).map((timer) => timer.deadline);
    clock.step(1000);
    expect(fired).toEqual(armed.sort((a, b) => a - b));
  });

  test('tells when the next deadline came nearer', () => {
    const clock = new SteppedClock();
    let told = 0;
    clock.onEarlier = () => told++;
    const [a, b] = [clock.timer('a', () => {}), clock.timer('b', () => {})];
    a.arm(10);
    b.arm(20);
    b.arm(5);
    expect(told).toBe(2);
  });

  test('tick conversion is exact over days', () => {
    const hz = 1193182;
    expect(ticksAt(1e9, hz)).toBe(hz);
    expect(ticksAt(86400e9 * 50, hz)).toBe(hz * 86400 * 50);
    for (const tick of [1, 2, 3, 11931, 1193181, 1193183, hz * 1e6 + 7]) {
      const ns = nsOfTick(tick, hz);
      expect(ticksAt(ns, hz)).toBe(tick);
      expect(ticksAt(ns - 1, hz)).toBe(tick - 1);
    }
  });
});

describe('lines', () => {
  test('a plain line tells changes only', () => {
    const seen: boolean[] = [];
    const line = new Line((level) => seen.push(level));
    line.set(false);
    line.set(true);
    line.set(true);
    line.set(false);
    expect(seen).toEqual([true, false]);
  });

  test('a shared line is the OR of its inputs', () => {
    const seen: boolean[] = [];
    const shared = new SharedLine(new Line((level) => seen.push(level)));
    const [a, b] = [shared.input(), shared.input()];
    a.set(true);
    b.set(true);
    a.set(false);
    expect(seen).toEqual([true]);
    b.set(false);
    expect(seen).toEqual([true, false]);
  });
});
