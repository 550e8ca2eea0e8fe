/** The guest's clocks against a simulated host whose time passes as the test says, and which stalls now and then. */
import { describe, expect, it } from 'vitest';
import type { Cpu } from '../../src/cpu/cpu.ts';
import { HALTED, INTR } from '../../src/cpu/state.ts';
import { HPET_BASE } from '../../src/devices/hpet.ts';
import { Pc } from '../../src/devices/pc.ts';
import type { Processor, ProcessorSocket } from '../../src/devices/pc.ts';
import { GuestTime } from '../../src/machine/guest-time.ts';
import { MachineCore } from '../../src/machine/machine.ts';
import type { Board } from '../../src/machine/machine.ts';
import { SECOND, SimulatedHost } from './simulated-host.ts';

const PIT = 1_193_182, PM = 3_579_545;
const START = Date.UTC(2026, 10, 25, 23, 30);

/** In place of a processor: a guest that counts the ticks of its timers and halts in between, or works for a while. */
class Counter implements Processor {
  readonly R = new Int32Array(128);
  retired = 0;
  ticks = 0;
  seconds = 0;
  #stopped = false;
  readonly #socket: ProcessorSocket;
  readonly #host: SimulatedHost;
  /** Share of the slices in which the guest works. */
  readonly #busy: number;

  constructor(socket: ProcessorSocket, host: SimulatedHost, busy: number) {
    this.#socket = socket;
    this.#host = host;
    this.#busy = busy;
  }

  setIntr(level: boolean): void {
    this.R[INTR] = level ? 1 : 0;
  }

  register(): number {
    return 0;
  }
  setRegister(): void {}
  raiseNmi(): void {}
  requestInit(): void {}
  setA20(): void {}
  requestReset(): void {}
  reset(): void {}

  rest(): void {}

  endRun(): void {
    this.#stopped = true;
  }

  run(budget: number): number {
    this.#stopped = false;
    this.#host.time += 2000;
    this.#host.stall(0.0001);
    while (this.R[INTR] !== 0) this.#serve(this.#socket.acknowledge());
    this.R[HALTED] = this.#host.random() < this.#busy ? 0 : 1;
    if (this.R[HALTED] !== 0) return 100;
    // A nanosecond an instruction.
    for (let left = budget; left > 0 && !this.#stopped; left -= 5000) this.#host.time += Math.min(left, 5000);
    this.retired += budget;
    return budget;
  }

  #serve(vector: number): void {
    const { io } = this.#socket;
    if (vector === 0x20) this.ticks++;
    else {
      io.write(0x70, 0x0c, 1);
      if (io.read(0x71, 1) & 0x10) this.seconds++;
      io.write(0xa0, 0x20, 1);
    }
    io.write(0x20, 0x20, 1);
  }
}

interface Clocks {
  readonly host: number;
  readonly tsc: number;
  readonly ticks: number;
  readonly seconds: number;
  readonly pm: number;
  /** The HPET's counter. */
  readonly hpet: number;
  readonly date: number;
  readonly stalls: number;
  readonly sleeps: number;
}

/**
 * Runs for so many seconds of the host's with a tick of the PIT each `divisor`, or with its place taken by the HPET at 250 Hz.
 * All clocks in seconds, the date in milliseconds.
 * @param busy share of the slices in which the guest works  @param away seconds for which the host is away once
 */
async function run(seconds: number, divisor: number | 'hpet', busy: number, away = 0): Promise<Clocks> {
  const host = new SimulatedHost(), time = new GuestTime(() => host.now());
  const pc = new Pc<Counter>({ memory: 1 << 20, bios: new Uint8Array(65536), videoMemory: 0, time: () => time.now(), rtcBase: START }, (socket) => new Counter(socket, host, busy));
  const machine = new MachineCore(pc as unknown as Board & { cpu: Counter & Cpu }, host, time);
  host.calm = (seconds - 20) * SECOND;
  if (away > 0) Object.assign(host, { leaves: 10 * SECOND, away: away * SECOND });
  pc.reset();
  const out = (port: number, ...bytes: number[]): void => bytes.forEach((byte) => pc.io.write(port, byte, 1));
  const cmos = (index: number): number => (out(0x70, index), Number(pc.io.read(0x71, 1).toString(16)));
  // The interrupt controllers at 20h and 28h; the timer, the cascade, the RTC; its update interrupt, BCD, 24 hours.
  out(0x20, 0x11); out(0x21, 0x20, 4, 1, 0xfa);
  out(0xa0, 0x11); out(0xa1, 0x28, 2, 1, 0xfe);
  const hpet = (register: number): number => pc.space.read(HPET_BASE + register, 4) >>> 0;
  const setHpet = (register: number, value: number): void => pc.space.write(HPET_BASE + register, value, 4);
  if (divisor === 'hpet') {
    // Timers 0 and 1: periodic, with an interrupt, the count too; 250 Hz and 1 Hz.
    for (const [timer, period] of [[0x100, 400_000], [0x120, 100_000_000]] as const) {
      setHpet(timer, 0x4c);
      setHpet(timer + 8, period);
      setHpet(timer, 0x4c);
      setHpet(timer + 12, 0);
    }
  } else {
    out(0x43, 0x34); out(0x40, divisor & 255, divisor >> 8);
  }
  setHpet(0x10, divisor === 'hpet' ? 3 : 1);
  out(0x70, 0x0a); out(0x71, 0x26);
  out(0x70, 0x0b); out(0x71, 0x12);
  pc.pm.config.write(0x40, 0x601, 4);
  pc.pm.config.write(0x80, 1, 1);
  let lastPm = pc.io.read(0x608, 4), pm = 0;
  machine.onTurn = () => {
    const now = pc.io.read(0x608, 4);
    pm += (now - lastPm) & 0xffffff;
    lastPm = now;
    if (host.time >= seconds * SECOND) machine.stop();
  };
  await machine.run();
  const [second, minute, hour, day, month, year] = [0, 2, 4, 7, 8, 9].map(cmos);
  return {
    host: host.time / SECOND, tsc: pc.clock.now() / SECOND, ticks: divisor === 'hpet' ? pc.cpu.ticks / 250 : pc.cpu.ticks * (divisor || 65536) / PIT, seconds: pc.cpu.seconds, pm: pm / PM, hpet: (hpet(0xf4) * 2 ** 32 + hpet(0xf0)) / 1e8, stalls: host.stalls, sleeps: host.sleeps,
    date: Date.UTC(2000 + year!, month! - 1, day, hour, minute, second),
  };
}

/** All clocks show the host's time: a tick is one of 55 ms, a second may just not be over. */
function agree(clocks: Clocks): void {
  const { host, tsc, ticks, seconds, pm, hpet, date } = clocks;
  expect(Math.abs(host - tsc), JSON.stringify(clocks)).toBeLessThan(0.01);
  for (const other of [ticks, pm, hpet]) expect(Math.abs(other - tsc), JSON.stringify(clocks)).toBeLessThan(0.06);
  expect(Math.abs(seconds - tsc), JSON.stringify(clocks)).toBeLessThanOrEqual(1);
  expect(Math.abs((date - START) / 1000 - tsc), JSON.stringify(clocks)).toBeLessThanOrEqual(1);
}

describe("the guest's clocks", () => {
  it('are right after a day of ticks of a guest that sleeps, on a host that stalls', async () => {
    const clocks = await run(86_400, 0, 0.05);
    expect(clocks.stalls).toBeGreaterThan(1000);
    agree(clocks);
  }, 120_000);

  it('are right with 250 ticks a second and a guest that works most of the time', async () => {
    const clocks = await run(600, PIT / 250 | 0, 0.95);
    expect(clocks.stalls).toBeGreaterThan(30);
    agree(clocks);
  }, 60_000);

  it('are right with 250 ticks a second of a guest that does nothing else, for which the host wakes up less often', async () => {
    const clocks = await run(600, PIT / 250 | 0, 0);
    expect(clocks.sleeps).toBeGreaterThan(600 * 20);
    expect(clocks.sleeps).toBeLessThan(600 * 45);
    agree(clocks);
  }, 60_000);

  it('are right with the ticks of the HPET', async () => {
    const clocks = await run(600, 'hpet', 0.5);
    expect(clocks.stalls).toBeGreaterThan(30);
    agree(clocks);
  }, 60_000);

  it('lose nothing while the host is away for minutes', async () => {
    agree(await run(1200, PIT / 250 | 0, 0.95, 240));
  }, 60_000);

  it('agree after an hour without the host, of which those who count ticks have seen five minutes', async () => {
    const { host, tsc, pm, hpet, date, ticks, seconds } = await run(5000, PIT / 100 | 0, 0.95, 3600);
    for (const other of [host, hpet]) expect(Math.abs(other - tsc)).toBeLessThan(0.06);
    expect(Math.abs((date - START) / 1000 - tsc)).toBeLessThanOrEqual(1);
    for (const counted of [ticks, seconds]) expect(Math.abs(tsc - 3300 - counted)).toBeLessThan(2);
    // Its 24 bits come round every 4.7 s: software that does not look meanwhile cannot know how often.
    expect(pm).toBeLessThan(tsc);
  }, 60_000);
});
