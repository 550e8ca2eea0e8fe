/**
 * Head movement: SEEK, RELATIVE SEEK, RECALIBRATE. Each unit moves on its own, while the controller takes other commands.
 * Source: Intel 82077AA data sheet (290166), §5.2.2–5.2.3, table 5-9.
 */

import type { Clock, Timer } from './device.ts';
import { ST0_ABNORMAL, ST0_EQUIPMENT, ST0_SEEK_END } from './fdc-registers.ts';
import type { FloppyDrive } from './fdc-media.ts';
import type { FloppySpindle } from './fdc-spindle.ts';
import { NOTHING_PENDING, UNITS } from './fdc-state.ts';
import type { FdcFields } from './fdc-state.ts';

/** `fields.seeking` of a unit. */
const RESTING = 0;
const SEEKING = 1;
const RECALIBRATING = 2;

/** Step pulses that RECALIBRATE gives at most. */
const RECALIBRATE_STEPS = 79;
/** Of a movement without a step. */
const LEAST_NS = 100_000;
/** Nanoseconds per SRT unit, by rate code. */
const STEP_UNIT_NS = [1_000_000, 1_666_667, 2_000_000, 500_000];

export class FdcSeeks {
  readonly #fields: FdcFields;
  readonly #drives: readonly (FloppyDrive | null)[];
  readonly #clock: Clock;
  readonly #spindle: FloppySpindle;
  readonly #timers: readonly Timer[];
  readonly #ended: () => void;

  /** @param ended a movement is over: its unit has something to report */
  constructor(fields: FdcFields, drives: readonly (FloppyDrive | null)[], clock: Clock, spindle: FloppySpindle, ended: () => void) {
    this.#fields = fields;
    this.#drives = drives;
    this.#clock = clock;
    this.#spindle = spindle;
    this.#ended = ended;
    this.#timers = Array.from({ length: UNITS }, (_, unit) => clock.timer(`fdc-seek${unit}`, () => this.#end(unit)));
  }

  /** Nanoseconds of `steps` step pulses. */
  duration(steps: number): number {
    const srt = 16 - (this.#fields.specify1 >> 4);
    return steps * srt * STEP_UNIT_NS[this.#fields.dsr & 3];
  }

  /** To cylinder `target` (as the controller counts). */
  seek(unit: number, target: number): void {
    this.#start(unit, SEEKING, target, Math.abs(target - this.#fields.pcn[unit]));
  }

  /** Out to track 0, as the drive's sensor tells. */
  recalibrate(unit: number): void {
    const drive = this.#drives[unit] ?? null;
    this.#start(unit, RECALIBRATING, 0, drive === null ? RECALIBRATE_STEPS : Math.min(this.#fields.cylinder[unit], RECALIBRATE_STEPS));
  }

  /** The steps of an implied seek, at once; the head then rests only when they would be over. */
  implied(unit: number, target: number): void {
    const steps = target - this.#fields.pcn[unit];
    this.#step(unit, steps);
    this.#fields.pcn[unit] = target;
    if (steps !== 0) this.#spindle.moved(unit, this.duration(Math.abs(steps)));
  }

  cancel(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#fields.seeking.fill(RESTING);
    this.#fields.pending.fill(NOTHING_PENDING);
  }

  restored(): void {
    this.#timers.forEach((timer, unit) => {
      if (this.#fields.seeking[unit] !== RESTING) timer.arm(this.#fields.seekDeadline[unit]);
    });
  }

  /** MSR bits 3–0: units that move, or that have moved and were not asked yet. */
  get busy(): number {
    let bits = 0;
    for (let unit = 0; unit < UNITS; unit++) {
      if (this.#fields.seeking[unit] !== RESTING || this.#fields.pending[unit] !== NOTHING_PENDING) bits |= 1 << unit;
    }
    return bits;
  }

  /** A head moves. */
  get moving(): boolean {
    return this.#fields.seeking.some((kind) => kind !== RESTING);
  }

  #start(unit: number, kind: number, target: number, steps: number): void {
    const f = this.#fields;
    f.seeking[unit] = kind;
    f.target[unit] = target;
    f.pending[unit] = NOTHING_PENDING;
    f.seekDeadline[unit] = this.#clock.now() + Math.max(LEAST_NS, this.duration(steps));
    this.#timers[unit].arm(f.seekDeadline[unit]);
  }

  /** Step pulses; each one resets the disk change flip-flop if a medium is in place. */
  #step(unit: number, steps: number): void {
    const f = this.#fields;
    const drive = this.#drives[unit] ?? null;
    if (drive === null || steps === 0) return;
    this.#spindle.moved(unit);
    f.cylinder[unit] = Math.max(0, Math.min(drive.cylinders - 1, f.cylinder[unit] + steps));
    if (drive.medium !== null) f.changed[unit] = 0;
  }

  #end(unit: number): void {
    const f = this.#fields;
    let status = ST0_SEEK_END | unit;
    if (f.seeking[unit] === RECALIBRATING) {
      this.#step(unit, -Math.min(f.cylinder[unit], RECALIBRATE_STEPS));
      if ((this.#drives[unit] ?? null) === null || f.cylinder[unit] !== 0) status |= ST0_ABNORMAL | ST0_EQUIPMENT;
    } else this.#step(unit, f.target[unit] - f.pcn[unit]);
    f.pcn[unit] = f.target[unit];
    f.seeking[unit] = RESTING;
    f.pending[unit] = status;
    this.#ended();
  }
}
