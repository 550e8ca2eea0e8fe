/** Lockstep: agrees on correct regions, whatever they do; tells of wrong ones. */
import { describe, expect, it } from 'vitest';
import { protectedGuest } from './guest/guest.ts';
import type { Guest, GuestOptions } from './guest/guest.ts';
import { PROGRAMS } from './guest/programs.ts';

const LOCKSTEP: GuestOptions = { lockstep: true, jitThreshold: 0 };

/** What a guest has checked; it must be nearly all that retired in regions. */
function checked(guest: Guest): number {
  const { exec } = guest.cpu;
  expect(exec.lockstep!.counters.unchecked).toBe(0);
  expect(exec.lockstep!.counters.instructions).toBe(exec.regionRetired);
  return exec.regionRetired;
}

describe('lockstep', () => {
  for (const { name, source, registers } of PROGRAMS) {
    it(`checks all of ${name}`, () => {
      const guest = protectedGuest(source, LOCKSTEP);
      expect(guest.run(10_000_000)).toBe('hlt');
      for (const [slot, value] of registers) expect(guest.R[slot]! >>> 0).toBe(value);
      expect(checked(guest)).toBeGreaterThan(100);
    });
  }

  it('checks programs in small slices, with paging, as a user', () => {
    for (const slice of [1, 7, 100]) {
      const guest = protectedGuest(PROGRAMS[2]!.source, { ...LOCKSTEP, paging: true, cpl: 3 });
      for (let left = 20_000; left > 0 && guest.run(slice) === 'running'; left -= slice);
      expect(checked(guest)).toBeGreaterThan(slice === 1 ? 0 : 5000);
    }
  });
});
