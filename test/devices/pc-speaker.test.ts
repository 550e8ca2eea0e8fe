import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { WavFile } from '../../src/backends/wav.ts';
import { I8254 } from '../../src/devices/i8254.ts';
import { PcSpeaker } from '../../src/devices/pc-speaker.ts';
import { Port61 } from '../../src/devices/port61.ts';
import { SteppedClock } from './stepped-clock.ts';

const MS = 1_000_000, RATE = 44_100, LOUD = 0x4000;
let clock: SteppedClock, pit: I8254, port: Port61, speaker: PcSpeaker, samples: number[];

beforeEach(() => {
  clock = new SteppedClock();
  pit = new I8254(clock, { set: () => {} });
  port = new Port61(clock, pit);
  samples = [];
  speaker = new PcSpeaker(clock, pit, port, { rate: RATE, samples: (piece) => samples.push(...piece) });
});

/** A tone of counter 2, as the BIOS makes it. */
function tone(hertz: number): void {
  const count = Math.round(1_193_182 / hertz);
  pit.io.write(3, 0xb6, 1);
  pit.io.write(2, count & 0xff, 1);
  pit.io.write(2, count >> 8, 1);
}
const on = (): void => port.io.write(0, 3, 1);
const off = (): void => port.io.write(0, 0, 1);
/** Times at which the sound goes up. */
const rises = (from = 0, to = samples.length): number => samples.slice(from, to).filter((value, i, all) => value > LOUD / 2 && (all[i - 1] ?? 0) <= LOUD / 2).length;

describe('PC speaker', () => {
  it('plays a tone as long as it is on', () => {
    clock.step(500 * MS);
    tone(1000);
    on();
    clock.step(250 * MS);
    off();
    clock.step(10_000 * MS);
    speaker.catchUp();
    expect(samples.length).toBe(RATE / 4);
    expect(rises()).toBeGreaterThanOrEqual(249);
    expect(rises()).toBeLessThanOrEqual(251);
    expect([Math.min(...samples), Math.max(...samples)]).toEqual([0, LOUD]);
  });

  it('pauses are silence, and another tone has another pitch from when it is set', () => {
    tone(440);
    on();
    clock.step(1000 * MS);
    off();
    clock.step(500 * MS);
    on();
    clock.step(500 * MS);
    tone(2000);
    clock.step(500 * MS);
    off();
    expect(samples.length).toBe(RATE * 2.5);
    expect(samples.slice(RATE + 1, RATE * 1.5 - 1).every((value) => value === 0)).toBe(true);
    expect(Math.abs(rises(0, RATE) - 440)).toBeLessThan(2);
    expect(Math.abs(rises(RATE * 2) - 1000)).toBeLessThan(3);
  });

  it('a tone above what can be heard is no whistle', () => {
    tone(100_000);
    on();
    clock.step(100 * MS);
    off();
    expect(samples.slice(10).every((value) => value > LOUD / 8 && value < LOUD * 7 / 8)).toBe(true);
  });

  it('software that moves the speaker itself', () => {
    pit.io.write(3, 0xb0, 1);
    pit.io.write(2, 1, 1);
    pit.io.write(2, 0, 1);
    for (let i = 0; i < 100; i++) {
      port.io.write(0, 3, 1);
      clock.step(MS);
      port.io.write(0, 1, 1);
      clock.step(MS);
    }
    expect(Math.abs(rises() - 100)).toBeLessThan(2);
  });

  it('a file has its sizes when it is closed', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'tcg86-wav-')), path = join(scratch, 'a.wav'), file = new WavFile(path, RATE, () => {});
    file.samples(Int16Array.of(1, -2, 300));
    file.close();
    const bytes = readFileSync(path);
    expect([bytes.toString('latin1', 0, 4), bytes.readUInt32LE(4), bytes.toString('latin1', 8, 16), bytes.readUInt32LE(24), bytes.readUInt16LE(34), bytes.readUInt32LE(40), bytes.length])
      .toEqual(['RIFF', 42, 'WAVEfmt ', RATE, 16, 6, 50]);
    expect([bytes.readInt16LE(44), bytes.readInt16LE(46), bytes.readInt16LE(48)]).toEqual([1, -2, 300]);
    rmSync(scratch, { recursive: true });
    expect(() => new WavFile(join(scratch, 'none', 'a.wav'), RATE, () => {})).toThrow('ENOENT');
  });
});
