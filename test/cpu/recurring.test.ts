/** What a guest that sleeps does again and again is compiled while it sleeps. */
import { describe, expect, it } from 'vitest';
import { EAX, ESI } from '../../src/cpu/state.ts';
import { protectedGuest } from './guest/guest.ts';
import type { Guest } from './guest/guest.ts';

const MS = 1e6;
/** A tick: calls by name and by address, and a part that runs once in 64 ticks. */
const SOURCE = `
mov esi,times_four
.tick: inc eax
call plus_three
call esi
test al,63
jnz .often
call plus_three
.often: jmp .tick
times 4096 nop
plus_three: lea ebx,[ebx+3]
ret
times_four: shl edx,2
xor edx,eax
ret`;
const SLICE = 120;

/** Runs and sleeps in turn, ten ticks each four milliseconds; returns the share of the instructions of the last second that compiled code ran. */
function wait(guest: Guest, seconds: number, { waiting = true, from = 0 } = {}): number {
  const { cpu } = guest;
  let retired = 0, compiled = 0;
  for (let ms = 0; ms < seconds * 1000; ms += 4) {
    if (ms === (seconds - 1) * 1000) [retired, compiled] = [cpu.retired, cpu.exec.regionRetired];
    cpu.run(SLICE);
    cpu.rest((from + ms) * MS, waiting);
  }
  return (cpu.exec.regionRetired - compiled) / (cpu.retired - retired);
}

describe('what recurs', () => {
  it('is compiled within seconds, though it is far from hot', () => {
    const guest = protectedGuest(SOURCE, { jitThreshold: 1_000_000 });
    expect(wait(guest, 1)).toBe(0);
    expect(wait(guest, 4, { from: 1000 })).toBeGreaterThan(0.95);
    expect(guest.cpu.exec.regions.size).toBeLessThan(5);
    const interpreted = protectedGuest(SOURCE, { jit: false });
    wait(interpreted, 5);
    expect(guest.R.slice(EAX, ESI)).toEqual(interpreted.R.slice(EAX, ESI));
  });

  it('is not compiled in a guest that has something to do', () => {
    const guest = protectedGuest(SOURCE, { jitThreshold: 1_000_000 });
    expect(wait(guest, 5, { waiting: false })).toBe(0);
    expect(guest.cpu.exec.regions.size).toBe(0);
  });

  it('is watched anew after the guest had something to do', () => {
    const guest = protectedGuest(SOURCE, { jitThreshold: 1_000_000 });
    for (let from = 0; from < 9000; from += 900) {
      wait(guest, 0.8, { from });
      wait(guest, 0.1, { from: from + 800, waiting: false });
    }
    expect(guest.cpu.exec.regions.size).toBe(0);
  });

  it('goes by the threshold', () => {
    const guest = protectedGuest(SOURCE, { jitThreshold: 1_000_000_000 });
    expect(wait(guest, 5)).toBe(0);
  });

  it('one region at a time', () => {
    const guest = protectedGuest(SOURCE, { jitThreshold: 1_000_000 });
    const { cpu } = guest, { counters } = cpu.exec.regions;
    for (let ms = 0; ms < 5000; ms += 4) {
      cpu.run(SLICE);
      const before = counters.compiled;
      cpu.rest(ms * MS, true);
      expect(counters.compiled - before).toBeLessThan(2);
    }
    expect(counters.compiled).toBeGreaterThan(0);
  });
});
