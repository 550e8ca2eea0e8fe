/** Every device stands what a guest might do to it, and gives its state back: samples of `npm run fuzz:devices`. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Random } from '../../vectors/random.ts';
import { access, targetsOf } from './accesses.ts';
import { fullBoard } from './board.ts';

const board = fullBoard(), targets = targetsOf(board);

describe('random accesses', () => {
  it.each(targets.map(({ name }) => name))('%s stands them', (name) => {
    const target = targets.find((one) => one.name === name)!, random = new Random(7);
    for (let i = 0; i < 1000; i++) access(board, random, target, targets);
    board.check();
  });
});

describe('state', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('save, reset, restore gives that of every device back (%i)', (seed) => {
    const random = new Random(seed), { pc } = board;
    const all = (count: number, on = board): void => { for (let i = 0; i < count; i++) access(on, random, random.pick(targets), targets); };
    all(10_000);
    const saved = pc.devices.map(({ state }) => structuredClone(state.save()));
    // Time is not a device's to give back.
    all(2000, { ...board, advance: () => {} });
    pc.reset();
    pc.restore(saved);
    for (const [i, { name, state }] of pc.devices.entries()) {
      const now = state.save();
      // The slow comparison shows where they differ.
      if (!isDeepStrictEqual(now, saved[i])) expect(now, name).toEqual(saved[i]);
    }
  });
});
