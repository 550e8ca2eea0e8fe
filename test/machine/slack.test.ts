import { describe, expect, it } from 'vitest';
import { Slack } from '../../src/machine/slack.ts';

const MS = 1e6, TICK = 3500;

/** A guest that runs `instructions` in 0.3 ms and then sleeps until its next timer; how much longer it could sleep at the end (ms). */
class Guest {
  readonly slack: Slack;
  now = 0;
  retired = 0;

  constructor(most = Infinity) {
    this.slack = new Slack(most);
  }

  run(sleeps: number, instructions: number, wait: number): number {
    let longer = 0;
    for (let i = 0; i < sleeps; i++) {
      this.now += 0.3 * MS;
      this.retired += instructions;
      longer = this.slack.begin(this.now, wait * MS, this.retired);
      this.now += wait * MS + longer;
      this.slack.end(this.now, wait * MS + longer);
    }
    return longer / MS;
  }

  /** Sleeps for 8 ms, but wakes up after less. */
  wakeAfter(milliseconds: number): void {
    this.slack.begin(this.now, 8 * MS, this.retired);
    this.slack.end(this.now += milliseconds * MS, 8 * MS);
  }
}

describe('slack', () => {
  it('is there once a guest has done little for a while', () => {
    expect(new Guest().run(20, TICK, 3.7)).toBe(0);
    expect(new Guest().run(200, TICK, 3.7)).toBeCloseTo(25.9);
  });

  it('goes by the length of the sleep, and is less than a frame of a film', () => {
    expect(new Guest().run(400, 1000, 1.5)).toBeCloseTo(10.5);
    expect(new Guest().run(200, TICK, 50)).toBe(28);
  });

  it('is not there for a guest that works', () => {
    expect(new Guest().run(400, 5 * TICK, 3.7)).toBe(0);
  });

  it('is not there for a guest that gets no further because its processor is slow', () => {
    // A million instructions a second, of which it takes a quarter, and a hundredth.
    expect(new Guest(0.001).run(400, 1000, 3.7)).toBe(0);
    expect(new Guest(0.001).run(400, 40, 3.7)).toBeCloseTo(25.9);
  });

  it('ends when something comes from outside', () => {
    const guest = new Guest();
    guest.run(200, TICK, 4);
    guest.wakeAfter(3);
    expect(guest.run(1, TICK, 4)).toBe(0);
  });

  it('does not take a host that is a little early for that', () => {
    const guest = new Guest();
    guest.run(200, TICK, 4);
    guest.wakeAfter(7);
    expect(guest.run(1, TICK, 4)).toBe(28);
  });
});
