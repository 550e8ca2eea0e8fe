import { describe, expect, it } from 'vitest';
import { CR0, CR0_PE, EFLAGS, VM } from '../../src/cpu/state.ts';
import { biosKeysWaiting } from '../../src/machine/bios-keyboard.ts';
import { Keyboard } from '../../src/machine/keyboard.ts';

/** A guest that takes keys when the test says so. */
function guest() {
  const state = { now: 0, idle: true, waiting: 0, retired: 0, sleeps: true, events: [] as string[] };
  const keyboard = new Keyboard({
    now: () => state.now,
    key: (name, down) => state.events.push(`${down ? '+' : '-'}${name}`),
    idle: () => state.idle,
    waiting: () => state.waiting,
    retired: () => state.retired,
    sleeps: () => state.sleeps,
    wake: () => {},
  });
  return { state, keyboard };
}

describe('Keyboard', () => {
  it('holds the keys of a chord together and gives each chord its time', () => {
    const { state, keyboard } = guest();
    keyboard.type([['shift', 'a'], ['b']]);
    const next = keyboard.run();
    expect(state.events).toEqual(['+shift', '+a', '-a', '-shift']);
    expect(keyboard.run()).toBe(next);
    expect(state.events).toHaveLength(4);
    state.now += next;
    keyboard.run();
    expect(state.events.slice(4)).toEqual(['+b', '-b']);
    expect(keyboard.done).toBe(false);
    state.now += next;
    expect(keyboard.done).toBe(true);
    expect(keyboard.run()).toBe(Infinity);
  });

  it('waits until the guest has read the key before', () => {
    const { state, keyboard } = guest();
    keyboard.type([['a'], ['b']]);
    keyboard.run();
    state.idle = false;
    state.now += 1e9;
    keyboard.run();
    expect(state.events).toHaveLength(2);
    expect(keyboard.stuck).toBe(1e9);
    state.idle = true;
    keyboard.run();
    expect(state.events).toHaveLength(4);
  });

  it('gives a slow guest instructions enough between two keys, unless it sleeps', () => {
    const { state, keyboard } = guest();
    state.sleeps = false;
    keyboard.type([['a'], ['b'], ['c']]);
    keyboard.run();
    state.now += 1e9;
    state.retired += 1000;
    keyboard.run();
    expect(state.events).toHaveLength(2);
    state.retired += 100_000;
    keyboard.run();
    expect(state.events).toHaveLength(4);
    state.now += 1e9;
    state.sleeps = true;
    keyboard.run();
    expect(state.events).toHaveLength(6);
  });

  it('keeps typed text, but not live keys, from a BIOS that has enough', () => {
    const { state, keyboard } = guest();
    state.waiting = 8;
    keyboard.type([['a']]);
    keyboard.run();
    expect(state.events).toEqual([]);
    keyboard.clear();
    keyboard.press([['ctrl', 'c']]);
    keyboard.run();
    expect(state.events).toHaveLength(4);
  });
});

describe('biosKeysWaiting', () => {
  const R = new Int32Array(1024);
  const buffer = (head: number, tail: number) => (address: number): number => (address === 0x41a ? head : address === 0x41c ? tail : 0);

  it('counts around the end of the buffer', () => {
    expect(biosKeysWaiting(R, buffer(0x1e, 0x1e))).toBe(0);
    expect(biosKeysWaiting(R, buffer(0x1e, 0x3c))).toBe(15);
    expect(biosKeysWaiting(R, buffer(0x3a, 0x22))).toBe(4);
  });

  it('sees no buffer where there is none', () => {
    expect(biosKeysWaiting(R, buffer(0, 0x30))).toBe(0);
    const protectedMode = R.slice();
    protectedMode[CR0] = CR0_PE;
    expect(biosKeysWaiting(protectedMode, buffer(0x1e, 0x3c))).toBe(0);
    protectedMode[EFLAGS] = VM;
    expect(biosKeysWaiting(protectedMode, buffer(0x1e, 0x3c))).toBe(15);
  });
});
