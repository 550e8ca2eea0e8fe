/**
 * What takes time in a floppy drive: the motor until it has its speed, the head until it rests on the track, and the disk until a sector
 * comes round. All of it is counted in virtual time; the rotation of a drive goes on from its index pulse at virtual time 0.
 *
 * A track in MFM, in bytes (ECMA-125; IBM System 34 format):
 *     gap 4a 80, sync 12, index mark 4, gap 1 50, and for each sector: sync 12, mark 4, ID 4, CRC 2, gap 2 22, sync 12, mark 4, data, CRC 2, gap 3
 * Times: Intel 82077AA data sheet (290166), §5.2.6 (SPECIFY); data sheets of 3.5" and 5.25" drives (start 0.4 s, settling 15 ms, 300 and 360 rpm).
 */
import type { Clock } from './device.ts';
import { RATE_1000, RATE_250, RATE_300, RATE_500 } from './fdc-media.ts';
import type { FloppyDrive, FloppyFormat } from './fdc-media.ts';
import { DOR_MOTOR0 } from './fdc-registers.ts';
import { UNITS } from './fdc-state.ts';
import type { FdcFields } from './fdc-state.ts';

const MS = 1_000_000;
const SPIN_UP_NS = 400 * MS;
/** A disk that is switched off stands still after this. */
const SPIN_DOWN_NS = 1500 * MS;
const SETTLE_NS = 15 * MS;
const TURN_NS = 200 * MS;
const TURN_360_RPM_NS = Math.round((60_000 * MS) / 360);

/** Nanoseconds of a byte, by rate code. */
const BYTE_NS = [16_000, 8e9 / 300_000, 32_000, 8_000];
/** HLT and HUT count in these (ns), by rate code. */
const HEAD_LOAD_UNIT_NS = [2 * MS, 3_333_333, 4 * MS, 1 * MS];
const HEAD_UNLOAD_UNIT_NS = [16 * MS, 26_666_667, 32 * MS, 8 * MS];

/** Before the first sector; of a sector up to the end of its ID, and without data and gap 3. */
const PREAMBLE = 146;
const ID_END = 22;
const OVERHEAD = 62;
const SECTOR_BYTES = 512;
/** Bytes of gap 3 that formatting programs use; less where the sectors would not fit. */
const GAP3: Readonly<Record<number, number>> = { [RATE_500]: 108, [RATE_300]: 80, [RATE_250]: 80, [RATE_1000]: 83 };
const GAP3_1200K = 84;

export class FloppySpindle {
  readonly #fields: FdcFields;
  readonly #drives: readonly (FloppyDrive | null)[];
  readonly #clock: Clock;

  constructor(fields: FdcFields, drives: readonly (FloppyDrive | null)[], clock: Clock) {
    this.#fields = fields;
    this.#drives = drives;
    this.#clock = clock;
  }

  /** The motor bits of DOR become those of `dor`. */
  switch(dor: number): void {
    const f = this.#fields, now = this.#clock.now();
    for (let unit = 0; unit < UNITS; unit++) {
      const bit = DOR_MOTOR0 << unit;
      if ((f.dor & ~dor & bit) !== 0) f.motorOff[unit] = now;
      // A disk that still turns has its speed back sooner.
      if ((dor & ~f.dor & bit) !== 0) f.motorReady[unit] = now + Math.round(SPIN_UP_NS * Math.min(1, (now - f.motorOff[unit]) / SPIN_DOWN_NS));
    }
  }

  /** The head has been moved: it swings for a while. @param after ns until its last step */
  moved(unit: number, after = 0): void {
    this.#fields.settled[unit] = this.#clock.now() + after + SETTLE_NS;
  }

  /** Loads the head for a command. @returns when it can read, at the earliest */
  loadHead(unit: number): number {
    const f = this.#fields, now = this.#clock.now(), rate = f.dsr & 3;
    const loaded = f.headUnit === unit && now < f.headUntil;
    const load = (f.specify2 >> 1 || 128) * HEAD_LOAD_UNIT_NS[rate];
    return Math.max(now + (loaded ? 0 : load), f.motorReady[unit], f.settled[unit]);
  }

  /** The command is over: the head stays loaded for the head unload time. */
  releaseHead(unit: number): void {
    const f = this.#fields;
    f.headUnit = unit;
    f.headUntil = this.#clock.now() + (f.specify1 & 15 || 16) * HEAD_UNLOAD_UNIT_NS[f.dsr & 3];
  }

  /** The first index pulse at or after `from`. */
  nextIndex(unit: number, from: number): number {
    const turn = this.#turn(unit);
    return Math.ceil(from / turn) * turn;
  }

  /** When the controller gives up a search that begins at `from`: at the second index pulse. */
  searchEnd(unit: number, from: number): number {
    return this.nextIndex(unit, this.nextIndex(unit, from) + 1);
  }

  /** When the ID of sector `r` has passed the head, if the head began to look at `from`. */
  idOf(unit: number, format: FloppyFormat, r: number, from: number): number {
    const { start, slot, byte } = this.#layout(unit, format);
    const turn = this.#turn(unit), place = (start + (r - 1) * slot) * byte;
    return Math.round(Math.ceil((from - place) / turn) * turn + place + ID_END * byte);
  }

  /** The sector whose ID is the first to come after `from`. */
  firstSector(unit: number, format: FloppyFormat, from: number): number {
    let first = 1, best = Infinity;
    for (let r = 1; r <= format.sectors; r++) {
      const at = this.idOf(unit, format, r, from);
      if (at < best) [first, best] = [r, at];
    }
    return first;
  }

  /** From the end of an ID to the end of its data. */
  get dataNs(): number {
    return Math.round((OVERHEAD - ID_END + SECTOR_BYTES) * BYTE_NS[this.#fields.dsr & 3]);
  }

  /** From one sector to the next while a track is formatted. @param n size code @param gap gap 3 */
  formatNs(n: number, gap: number): number {
    return Math.round((OVERHEAD + (128 << Math.min(n, 7)) + gap) * BYTE_NS[this.#fields.dsr & 3]);
  }

  /** From the index pulse to the first sector. */
  get preambleNs(): number {
    return Math.round(PREAMBLE * BYTE_NS[this.#fields.dsr & 3]);
  }

  #turn(unit: number): number {
    return this.#drives[unit]?.type === '1.2M' ? TURN_360_RPM_NS : TURN_NS;
  }

  #layout(unit: number, { sectors, rate }: FloppyFormat): { start: number; slot: number; byte: number } {
    const drive = this.#drives[unit];
    const code = drive?.rate ?? rate, byte = BYTE_NS[code];
    const gap = code === RATE_500 && drive?.type === '1.2M' ? GAP3_1200K : GAP3[code];
    const room = Math.floor((this.#turn(unit) / byte - PREAMBLE) / sectors);
    return { start: PREAMBLE, slot: Math.min(OVERHEAD + SECTOR_BYTES + gap, room), byte };
  }
}
