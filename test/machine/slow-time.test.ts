/** `speed=MIPS`: the guest finds an evenly slow processor and clocks that keep the host's time, on a simulated host. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assemble } from '../../bios/assembler/assemble.ts';
import { Machine } from '../../src/index.ts';
import type { PcOptions } from '../../src/index.ts';
import { SlowTime, speedProblem } from '../../src/machine/slow-time.ts';
import { scratchFolder } from '../boot/images.ts';
import { SECOND, SimulatedHost } from './simulated-host.ts';

const MS = 1e6, PIT = 1_193_182;

/** Takes the BIOS's data segment and lets interrupts come. */
const START = `
    bits 16
    org 0x7c00
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
`;
const WORK = `${START}
next: inc dword [0x500]
    imul ebx, eax, 69069
    jmp next
`;
/** Leaves at 500h how often it went round within the last tick of the BIOS, three instructions each. */
const LOOPS_A_TICK = `${START}
edge: mov eax, [0x46c]
wait: cmp eax, [0x46c]
    je wait
next: mov eax, [0x46c]
    xor ecx, ecx
loop: inc ecx
    cmp eax, [0x46c]
    je loop
    mov [0x500], ecx
    jmp next
`;
/** Counts ticks of 1 kHz at 500h; in between it halts, or works. */
const ticking = (between: string): string => `${START}
    cli
    mov word [8 * 4], tick
    mov [8 * 4 + 2], cs
    mov al, 0x34
    out 0x43, al
    mov al, 1193 & 255
    out 0x40, al
    mov al, 1193 >> 8
    out 0x40, al
    mov dword [0x500], 0
    sti
next: ${between}
    jmp next
tick: push ax
    inc dword [0x500]
    mov al, 0x20
    out 0x20, al
    pop ax
    iret
`;
/** Leaves at 500h what the time-stamp counter says of itself and 200 other instructions. */
const MEASURE = `${START}
    cli
next: rdtsc
    mov ebx, eax
    times 198 inc edx
    rdtsc
    sub eax, ebx
    mov [0x500], eax
    jmp next
`;

describe('a slow processor', () => {
  let folder: string, machine: Machine, host: SimulatedHost;
  beforeEach(() => { folder = scratchFolder(); });
  afterEach(() => {
    machine.close();
    rmSync(folder, { recursive: true });
  });

  /** Boots a program, until it has left something at 500h. The host takes no time for instructions. */
  async function boot(program: string, options: PcOptions, on = new SimulatedHost()): Promise<void> {
    const floppy = new Uint8Array(1440 * 1024), file = join(folder, 'program.img');
    floppy.set(assemble(program, { file: 'program.asm' }).bytes);
    floppy.set([0x55, 0xaa], 510);
    writeFileSync(file, floppy);
    host = on;
    host.calm = 0;
    machine = Machine.open({ memory: 2, fda: file, boot: 'a', snapshot: true, host, ...options });
    machine.board.space.write(0x500, 0, 4);
    for (let tries = 0; dword(0x500) === 0; tries++) {
      if (tries > 100) throw new Error('the program has not come to its end');
      await machine.wait(0.2);
    }
  }

  const dword = (address: number): number => machine.board.space.read(address, 4) >>> 0;

  /** Instructions, virtual seconds and the host's that pass, the guest's dword at 500h before and after. */
  async function run(seconds: number): Promise<{ retired: number; time: number; host: number; count: number }> {
    const now = (): number[] => [machine.retired, machine.board.clock.now() / SECOND, host.time / SECOND, dword(0x500)];
    const before = now();
    await machine.wait(seconds);
    const [retired, time, passed, count] = now().map((value, index) => value - before[index]!);
    return { retired: retired!, time: time!, host: passed!, count: count! };
  }

  it.each([
    { speed: 0.3 }, { speed: 8, jit: false }, { speed: 2, jitThreshold: 0 }, { speed: 1, lockstep: true, jitThreshold: 0 },
  ])('retires its instructions and no more: %j', async (options) => {
    await boot(WORK, options);
    const before = host.sleeps, passed = await run(1);
    expect(passed.retired / passed.time / 1e6 / options.speed).toBeCloseTo(1, 3);
    expect(Math.abs(passed.host - passed.time)).toBeLessThan(0.015);
    // The host sleeps instead of spinning.
    expect(host.sleeps - before).toBeGreaterThan(100);
    expect(host.sleeps - before).toBeLessThan(300);
  }, 60_000);

  it('goes round in proportion to its speed within a tick of the timer', async () => {
    for (const speed of [0.5, 4]) {
      await boot(LOOPS_A_TICK, { speed });
      expect(dword(0x500) / (speed * 1e6 * 65536 / PIT / 3) , `speed ${speed}`).toBeCloseTo(1, 1);
      machine.close();
    }
  }, 60_000);

  it('is as slow within a thousandth of a millisecond as it is in a second', async () => {
    for (const speed of [0.5, 4]) {
      await boot(MEASURE, { speed });
      expect(dword(0x500) * speed / 1000, `speed ${speed}`).toBeCloseTo(200, -1);
      machine.close();
    }
  }, 60_000);

  it.each([['halts', 'hlt'], ['works', 'inc ebx']])('loses no tick where it %s, on a host that stalls', async (_, between) => {
    await boot(ticking(between), { speed: 1 });
    host.calm = Infinity;
    const { time, count } = await run(40);
    expect(host.stalls).toBeGreaterThan(3);
    expect(Math.abs(count - time * PIT / 1193)).toBeLessThan(2);
    host.calm = 0;
    await machine.wait(30);
    const late = host.time - machine.board.clock.now();
    await machine.wait(1);
    // It has made up for all stalls.
    expect(Math.abs(host.time - machine.board.clock.now() - late)).toBeLessThan(10 * MS);
  }, 60_000);

  it('saves nothing up while it halts', async () => {
    await boot(ticking('hlt'), { speed: 1 });
    const { retired, time } = await run(2);
    // A tick is some ten instructions; they take their time, and no other passes for them.
    expect(retired / time).toBeLessThan(20_000);
    expect(retired / time).toBeGreaterThan(8000);
  }, 60_000);

  it('is not let loose after a stall', async () => {
    await boot(WORK, { speed: 4 });
    Object.assign(host, { leaves: host.time, away: 2 * SECOND });
    let last = 0, time = 0, worst = 0, behind = 2 * SECOND;
    machine.onTurn = () => {
      const passed = host.time - last, now = machine.board.clock.now(), progress = now - time;
      // The stall itself, and pieces in which a single sleep matters, are not looked at.
      if (last > 0 && passed < 100 * MS) return;
      if (last > 0 && passed < SECOND) {
        worst = Math.max(worst, progress / passed);
        behind -= progress - passed;
      }
      last = host.time;
      time = now;
    };
    await machine.wait(5);
    expect(worst).toBeGreaterThan(1.8);
    expect(worst).toBeLessThan(2.25);
    expect(Math.abs(behind)).toBeLessThan(60 * MS);
  }, 60_000);

  it('keeps its clocks right on a host whose sleeps are ten times as long as asked', async () => {
    class SleepyHost extends SimulatedHost {
      override sleep(milliseconds: number): Promise<void> {
        return super.sleep(10 * milliseconds);
      }
    }
    await boot(WORK, { speed: 2 }, new SleepyHost());
    const { retired, time, host: passed } = await run(3);
    expect(Math.abs(passed - time)).toBeLessThan(0.1);
    expect(retired / time / 1e6).toBeCloseTo(2, 3);
  }, 60_000);

  it('keeps its clocks right on a host that is too slow for it', async () => {
    // 20 million instructions a second.
    class SlowHost extends SimulatedHost {
      #retired = 0;

      override now(): number {
        const retired = machine?.retired ?? 0;
        this.time += (retired - this.#retired) * 50;
        this.#retired = retired;
        return super.now();
      }
    }
    await boot(ticking('inc ebx'), { speed: 100 }, new SlowHost());
    const { retired, time, host: passed, count } = await run(3);
    expect(Math.abs(passed - time)).toBeLessThan(0.04);
    expect(retired / time / 1e6).toBeGreaterThan(10);
    expect(retired / time / 1e6).toBeLessThan(20.1);
    expect(Math.abs(count - time * PIT / 1193)).toBeLessThan(2);
  }, 60_000);

  it('excludes icount', () => {
    expect(() => Machine.open({ speed: 1, icount: { shift: 0 } })).toThrow('speed and icount exclude each other');
    expect(() => Machine.open({ speed: -1 })).toThrow('speed=-1 is not between 0.01 and 10000 million instructions a second');
  });
});

describe('SlowTime', () => {
  it('says what speeds there are', () => {
    for (const speed of [0.01, 0.3, 8, 10_000]) expect(speedProblem(speed)).toBeNull();
    for (const speed of [0, -1, 0.001, 10_001, NaN, Infinity]) expect(speedProblem(speed)).toMatch(/^speed=\S+ is not between 0.01 and 10000 million instructions a second$/);
    expect(() => new SlowTime(0, () => 0, () => 0)).toThrow(RangeError);
  });

  /** A guest that always has something to do, at 1 MIPS. */
  class Guest {
    host = 0;
    retired = 0;
    readonly time = new SlowTime(1, () => this.retired, () => this.host);

    constructor() {
      this.time.start();
    }

    /** Lets so many ms pass, in steps of one. */
    run(milliseconds: number): void {
      for (let ms = 0; ms < milliseconds; ms++) {
        this.host += MS;
        const due = this.time.due(Infinity);
        if (due === 0) continue;
        this.time.beginSlice(Infinity, false);
        this.retired += due;
        this.time.endSlice();
      }
    }
  }

  it('ends a slice at the next timer', () => {
    const { time } = new Guest();
    expect(time.due(100_000)).toBe(100);
    expect(time.due(100_001)).toBe(101);
    expect(time.due(1)).toBe(1);
  });

  it('goes on faster than the host while a floppy turns, at the same number of instructions, and as before after it', () => {
    const guest = new Guest(), { time } = guest;
    guest.run(100);
    expect(Math.abs(time.now() - 100 * MS)).toBeLessThan(5 * MS);
    time.pace = 8;
    guest.run(100);
    expect(Math.abs(time.now() - 900 * MS)).toBeLessThan(20 * MS);
    time.pace = 1;
    guest.run(100);
    expect(Math.abs(time.now() - 1000 * MS)).toBeLessThan(20 * MS);
    expect(time.now()).toBe(guest.retired * 1000);
  });

  it('goes to the next timer while the guest halts, and as far as the host is', () => {
    const guest = new Guest(), { time } = guest;
    guest.host = 10 * MS;
    time.idle(4 * MS);
    expect(time.now()).toBe(4 * MS);
    time.idle(50 * MS);
    expect(time.now()).toBe(10 * MS);
    // Almost due is due.
    time.idle(10.9 * MS);
    expect(time.now()).toBe(10.9 * MS);
    // What it may do then is a few milliseconds' worth.
    expect(time.due(Infinity)).toBeLessThan(5000);
  });

  it('goes on at once by what is more than five minutes behind', () => {
    const guest = new Guest(), { time } = guest;
    guest.host = 3600 * SECOND;
    time.due(Infinity);
    expect(time.now()).toBe(3300 * SECOND);
  });
});
