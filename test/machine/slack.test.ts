import { describe, expect, it } from 'vitest';
import { Slack } from '../../src/machine/slack.ts';

const MS = 1e6;

/** A machine that is awake for `awake` ms and asleep until its next timer; returns how much longer it could sleep at the end (ms). */
function after(sleeps: number, awake: number, wait: number, slack = new Slack(), start = 0): number {
  let now = start * MS, longer = 0;
  for (let i = 0; i < sleeps; i++) {
    now += awake * MS;
    longer = slack.begin(now, wait * MS);
    now += wait * MS + longer;
    slack.end(now, wait * MS + longer);
  }
  return longer / MS;
}

describe('slack', () => {
  it('is there once a guest has done little for a while', () => {
    expect(after(5, 0.2, 4)).toBe(0);
    expect(after(100, 0.2, 4)).toBe(4);
  });

  it('is as long as the sleep at most, and not longer than a tick', () => {
    expect(after(200, 0.05, 1.5)).toBe(1.5);
    expect(after(100, 0.2, 50)).toBe(4);
  });

  it('is not there for a guest that works', () => {
    expect(after(200, 2, 4)).toBe(0);
  });

  it('ends when something comes from outside', () => {
    const slack = new Slack();
    expect(after(100, 0.2, 4, slack)).toBe(4);
    slack.begin(2000 * MS, 8 * MS);
    slack.end(2003 * MS, 8 * MS);
    expect(after(1, 0.2, 4, slack, 2003)).toBe(0);
  });

  it('does not take a host that is a little early for that', () => {
    const slack = new Slack();
    expect(after(100, 0.2, 4, slack)).toBe(4);
    slack.begin(2000 * MS, 8 * MS);
    slack.end(2007 * MS, 8 * MS);
    expect(after(1, 0.2, 4, slack, 2007)).toBe(4);
  });
});
