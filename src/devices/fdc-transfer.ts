/**
 * The commands that work on sectors: READ, WRITE, VERIFY, READ TRACK, READ ID, FORMAT TRACK.
 * Sector by sector: find the ID, move 512 bytes between medium and buffer, and between buffer and host (DMA or FIFO).
 * Source: Intel 82077AA data sheet (290166), §5.1; table 5-6 for the ID at the end of a transfer.
 *
 * An image holds no address marks: all sectors have 512 bytes, normal data marks and the IDs of their place. WRITE DELETED DATA
 * stores normal data. FORMAT TRACK fills the sectors of its list that exist in the medium's format.
 */

import { DeadlineWork } from './deadline.ts';
import type { Answer } from './deadline.ts';
import type { Clock } from './device.ts';
import { FDC_COMMANDS } from './fdc-commands.ts';
import type { FdcCommandName } from './fdc-commands.ts';
import type { FloppyDrive } from './fdc-media.ts';
import {
  COMMAND_MFM, COMMAND_MT, COMMAND_SK, CONFIG_EIS, DOR_MOTOR0, HEAD_BIT,
  ST0_ABNORMAL, ST1_DE, ST1_EN, ST1_MA, ST1_ND, ST1_NW, ST1_OR, ST2_CM, ST2_DD, ST2_WC,
} from './fdc-registers.ts';
import { PHASE_EXECUTE, PHASE_HUNG, PHASE_TRANSFER } from './fdc-state.ts';
import type { FloppySpindle } from './fdc-spindle.ts';
import type { FdcFields } from './fdc-state.ts';
import { SECTOR_SIZE } from './host.ts';
import type { DmaChannel } from './i8237.ts';

/** Of a command that is refused. */
const REFUSED_NS = 100_000;
/** How long a programmed DMA channel may keep the controller waiting before bytes are lost. */
const OVERRUN_NS = 10_000_000;

/** N of 512-byte sectors. */
const SIZE_CODE = 2;

/** What a transfer needs of the controller around it. */
export interface TransferHost {
  readonly fields: FdcFields;
  readonly drives: readonly (FloppyDrive | null)[];
  readonly clock: Clock;
  readonly dma: DmaChannel;
  readonly spindle: FloppySpindle;
  /** Steps to the cylinder of an implied seek. */
  impliedSeek(unit: number, cylinder: number): void;
  /** INT for a byte in non-DMA mode. */
  setInterrupt(level: boolean): void;
  /** Ends the command with ST0 (without unit and head) and the other result bytes as they are in the fields. */
  finish(st0: number): void;
}

export class FdcTransfer {
  readonly #host: TransferHost;
  readonly #work: DeadlineWork;
  #fetched: Uint8Array | null = null;

  constructor(host: TransferHost) {
    this.#host = host;
    this.#work = new DeadlineWork(host.clock, 'fdc', (error) => this.#due(error));
    host.dma.service = () => this.#serve();
  }

  /** The whole command is in `fields.command`. */
  start(): void {
    const f = this.#host.fields;
    const name = this.#name();
    f.st1 = f.st2 = f.terminal = f.storing = 0;
    f.head = (f.command[1] & HEAD_BIT) >> 2;
    const unit = f.command[1] & 3;
    if (name === 'format track') {
      f.c = f.pcn[unit];
      f.h = f.head;
      f.r = 0;
      f.n = f.command[2];
      f.remaining = f.lastCount = f.command[3];
    } else if (name === 'read id') {
      f.c = f.h = f.r = f.n = 0;
    } else {
      f.c = f.command[2];
      f.h = f.command[3];
      f.r = f.command[4];
      f.n = f.command[5];
      f.lastCount = f.command[6];
      f.remaining = f.command[8];
      if (name === 'read track') f.r = 1;
      if ((f.config & CONFIG_EIS) !== 0) this.#host.impliedSeek(unit, f.c);
    }
    this.#begin();
  }

  /** Gives up the transfer (reset). */
  cancel(): void {
    this.#work.cancel();
    this.#fetched = null;
    this.#host.dma.request(false);
  }

  restored(): void {
    const f = this.#host.fields, { st1, st2 } = f;
    if (f.phase === PHASE_EXECUTE) {
      this.#work.start(f.deadline, this.#hostPart());
      // Looking for the sector once more is nothing that the guest sees.
      Object.assign(f, { st1, st2 });
    } else if (f.phase === PHASE_TRANSFER && this.#usesDma()) {
      this.#work.start(f.deadline, null);
      this.#host.dma.request(true);
    }
  }

  /** A sector is on its way to the head, or under it. */
  get searching(): boolean {
    return this.#host.fields.phase === PHASE_EXECUTE;
  }

  /** May the host move bytes through the FIFO now? */
  get programmed(): boolean {
    return this.#host.fields.phase === PHASE_TRANSFER && !this.#usesDma();
  }

  /** Direction of the transfer as MSR shows it. */
  get toHost(): boolean {
    return !this.#takesData();
  }

  readByte(): number {
    const f = this.#host.fields;
    const value = f.buffer[f.position++];
    this.#byteMoved();
    return value;
  }

  writeByte(value: number): void {
    const f = this.#host.fields;
    f.buffer[f.position++] = value;
    this.#byteMoved();
  }

  #byteMoved(): void {
    const f = this.#host.fields;
    this.#host.setInterrupt(false);
    if (f.position < f.limit) this.#host.setInterrupt(true);
    else this.#moved();
  }

  #name(): FdcCommandName {
    return FDC_COMMANDS[this.#host.fields.command[0]].name;
  }

  #usesDma(): boolean {
    return (this.#host.fields.specify2 & 1) === 0;
  }

  #takesData(): boolean {
    const name = this.#name();
    return name === 'write data' || name === 'write deleted data' || name === 'format track';
  }

  #unit(): number {
    return this.#host.fields.command[1] & 3;
  }

  #drive(): FloppyDrive | null {
    return this.#host.drives[this.#unit()] ?? null;
  }

  /** A disk turns under the head. */
  #turns(): boolean {
    return (this.#host.fields.dor & (DOR_MOTOR0 << this.#unit())) !== 0 && (this.#drive()?.medium ?? null) !== null;
  }

  /** A medium was put in, or a motor switched on: what waited for the index pulse goes on. */
  resume(): void {
    if (this.#host.fields.phase === PHASE_HUNG && this.#turns()) this.#begin();
  }

  /** Puts the head onto the track and looks for the first sector. */
  #begin(): void {
    const f = this.#host.fields;
    if (!this.#turns()) {
      f.phase = PHASE_HUNG;
      return;
    }
    const { spindle } = this.#host, unit = this.#unit(), name = this.#name();
    f.from = spindle.loadHead(unit);
    // These two begin at the index pulse.
    if (name === 'format track' || name === 'read track') f.from = spindle.nextIndex(unit, f.from);
    if (name === 'format track') f.from += spindle.preambleNs;
    this.#next();
  }

  /** Looks for the next sector from `fields.from` on: until then the controller is busy. */
  #next(): void {
    const f = this.#host.fields;
    if (!this.#turns()) {
      f.phase = PHASE_HUNG;
      return;
    }
    this.#execute(this.#searchEnd());
  }

  /** When the search ends: with the sector's ID (to be written), its data (read), or without either. */
  #searchEnd(): number {
    const f = this.#host.fields;
    const { spindle } = this.#host, unit = this.#unit(), name = this.#name();
    if (this.#protected()) return this.#host.clock.now() + REFUSED_NS;
    const format = this.#locate() < 0 ? null : this.#drive()?.format ?? null;
    if (format === null) return spindle.searchEnd(unit, f.from);
    if (name === 'format track') return f.from;
    if (name === 'read id') f.r = spindle.firstSector(unit, format, f.from);
    const id = spindle.idOf(unit, format, f.r, f.from);
    f.dataEnd = id + spindle.dataNs;
    return name === 'read id' || this.#takesData() ? id : f.dataEnd;
  }

  #execute(deadline: number): void {
    const f = this.#host.fields;
    f.phase = PHASE_EXECUTE;
    f.deadline = deadline;
    this.#work.start(f.deadline, this.#hostPart());
  }

  #protected(): boolean {
    return this.#takesData() && this.#drive()?.medium?.readOnly === true;
  }

  /** The sector of the image that the ID names, or -1 with ST1 and ST2 saying why the controller would not find it. */
  #locate(): number {
    const f = this.#host.fields;
    const drive = this.#drive();
    const unit = this.#unit();
    const format = drive?.readable(f.cylinder[unit], f.head, f.dsr & 3) ?? null;
    if (drive === null || format === null || (f.command[0] & COMMAND_MFM) === 0) {
      f.st1 = ST1_MA;
      return -1;
    }
    const name = this.#name();
    const cylinder = drive.track(f.cylinder[unit]);
    // These two take what they find on the track, or make it.
    if (name === 'read id' || name === 'format track') return 0;
    const sector = (cylinder * format.heads + f.head) * format.sectors + f.r - 1;
    if (name === 'read track' && f.r <= format.sectors) return sector;
    if (f.c !== cylinder) f.st2 = ST2_WC;
    if (f.c === cylinder && f.h === f.head && f.r >= 1 && f.r <= format.sectors && f.n === SIZE_CODE) return sector;
    f.st1 = ST1_ND;
    return -1;
  }

  /** What the host has to do until the deadline: read the sector, or store it. */
  #hostPart(): ((answer: Answer) => void) | null {
    const f = this.#host.fields;
    const medium = this.#drive()?.medium ?? null;
    if (medium === null || (this.#takesData() && f.storing === 0) || this.#name() === 'read id' || this.#name() === 'verify') return null;
    const sector = f.storing === 0 || this.#name() !== 'format track' ? this.#locate() : this.#formatSector();
    if (sector < 0) return null;
    if (f.storing === 0) {
      const data = new Uint8Array(SECTOR_SIZE);
      this.#fetched = data;
      // A short image ends before its medium does; what follows is blank.
      return sector < medium.sectors ? (answer) => medium.read(sector, data, answer) : null;
    }
    const failed = new Error('past the end of the image');
    return (answer) => (sector < medium.sectors ? medium.write(sector, f.buffer.slice(), answer) : answer(failed));
  }

  /** The sector that the ID from FORMAT's list names; -1 if the medium's format has none such. */
  #formatSector(): number {
    const f = this.#host.fields;
    const drive = this.#drive();
    const format = drive?.format ?? null;
    if (drive === null || format === null) return -1;
    const cylinder = drive.track(f.cylinder[this.#unit()]);
    if (f.c !== cylinder || f.h !== f.head || f.r < 1 || f.r > format.sectors || f.n !== SIZE_CODE) return -1;
    return (cylinder * format.heads + f.head) * format.sectors + f.r - 1;
  }

  #due(failure: Error | undefined): void {
    const f = this.#host.fields;
    if (f.phase === PHASE_TRANSFER) {
      f.st1 = ST1_OR;
      this.#finish(ST0_ABNORMAL);
    } else if (failure !== undefined) {
      f.st1 = ST1_DE;
      f.st2 = ST2_DD;
      this.#finish(ST0_ABNORMAL);
    } else if (f.storing !== 0) {
      f.storing = 0;
      this.#sectorDone();
    } else this.#found();
  }

  /** The head is over the sector. */
  #found(): void {
    const f = this.#host.fields;
    if (this.#protected()) {
      f.st1 = ST1_NW;
      this.#finish(ST0_ABNORMAL);
      return;
    }
    if (this.#locate() < 0) {
      this.#finish(ST0_ABNORMAL);
      return;
    }
    const name = this.#name();
    if (name === 'format track' && this.#formatted()) {
      this.#finish(0);
      return;
    }
    if (name === 'read id') {
      this.#readId();
      return;
    }
    if (name === 'verify') {
      this.#sectorDone();
      return;
    }
    if (name === 'read deleted data') {
      f.st2 = ST2_CM;
      if ((f.command[0] & COMMAND_SK) !== 0) {
        this.#sectorDone();
        return;
      }
    }
    if (name === 'read track') this.#compareTrackId();
    if (this.#fetched !== null) f.buffer.set(this.#fetched);
    this.#fetched = null;
    this.#offer(name === 'format track' ? 4 : SECTOR_SIZE);
  }

  /** Lets the host move `bytes` of the buffer. */
  #offer(bytes: number): void {
    const f = this.#host.fields;
    f.phase = PHASE_TRANSFER;
    f.position = 0;
    f.limit = bytes;
    if (!this.#usesDma()) {
      this.#host.setInterrupt(true);
      return;
    }
    f.deadline = this.#host.clock.now() + OVERRUN_NS;
    this.#work.start(f.deadline, null);
    this.#host.dma.request(true);
  }

  /** DACK: the DMA controller is ready for the rest of the buffer. */
  #serve(): void {
    const f = this.#host.fields;
    if (f.phase !== PHASE_TRANSFER || !this.#usesDma()) return;
    const { dma } = this.#host;
    f.position += dma.transfer(f.buffer.subarray(f.position, f.limit));
    if (dma.terminalCount) f.terminal = 1;
    if (f.position < f.limit && f.terminal === 0) return;
    this.#work.cancel();
    dma.request(false);
    this.#moved();
  }

  /** The host's part of the sector is over. After terminal count the rest of a sector to be written is zeros. */
  #moved(): void {
    const f = this.#host.fields;
    if (!this.#takesData()) {
      this.#sectorDone();
      return;
    }
    if (this.#name() === 'format track') {
      [f.c, f.h, f.r, f.n] = f.buffer;
      f.buffer.fill(f.command[5]);
    } else f.buffer.fill(0, f.position);
    f.storing = 1;
    if (this.#name() === 'format track') f.dataEnd = f.from + this.#host.spindle.formatNs(f.command[2], f.command[4]);
    this.#execute(f.dataEnd);
  }

  #sectorDone(): void {
    const f = this.#host.fields;
    const name = this.#name();
    if (name === 'format track') {
      f.remaining = (f.remaining - 1) & 0xff;
      f.from = f.dataEnd;
      // After the last sector gap bytes fill the track up to the index pulse.
      if (this.#formatted()) this.#execute(this.#host.spindle.nextIndex(this.#unit(), f.from));
      else this.#next();
      return;
    }
    const last = this.#advance();
    const counted = name === 'verify' && (f.command[1] & 0x80) !== 0;
    if (counted) f.remaining = (f.remaining - 1) & 0xff;
    // A sector with the other kind of mark ends the command, unless it was skipped.
    const marked = name === 'read deleted data' && (f.command[0] & COMMAND_SK) === 0;
    if (f.terminal !== 0 || marked || (counted && f.remaining === 0) || (last && name === 'verify' && !counted)) {
      this.#finish(f.st1 === 0 ? 0 : ST0_ABNORMAL);
    } else if (last) {
      f.st1 |= ST1_EN;
      this.#finish(ST0_ABNORMAL);
    } else {
      // What was late is the host, not the disk: the next sector is not missed for it.
      f.from = f.dataEnd;
      this.#next();
    }
  }

  /** Steps the ID to the next sector (table 5-6). @returns true after the last sector of the command's cylinder */
  #advance(): boolean {
    const f = this.#host.fields;
    if (f.r !== f.command[6]) {
      f.r = (f.r + 1) & 0xff;
      return false;
    }
    f.r = 1;
    if ((f.command[0] & COMMAND_MT) === 0) {
      f.c = (f.c + 1) & 0xff;
      return true;
    }
    f.h ^= 1;
    if ((f.h & 1) === 0) {
      f.c = (f.c + 1) & 0xff;
      return true;
    }
    // Terminal count with the last byte of side 0 ends the command before the other side is selected.
    if (f.terminal === 0) f.head = 1;
    return false;
  }

  /** FORMAT TRACK has written all sectors. */
  #formatted(): boolean {
    return this.#host.fields.remaining === 0 || this.#host.fields.terminal !== 0;
  }

  /** READ TRACK compares each ID with the command's, and goes on. */
  #compareTrackId(): void {
    const f = this.#host.fields;
    const cylinder = this.#drive()?.track(f.cylinder[this.#unit()]);
    if (f.c !== cylinder || f.h !== f.head || f.n !== SIZE_CODE) f.st1 |= ST1_ND;
  }

  #readId(): void {
    const f = this.#host.fields;
    const drive = this.#drive();
    const format = drive?.format ?? null;
    if (drive === null || format === null) return;
    f.c = drive.track(f.cylinder[this.#unit()]);
    f.h = f.head;
    f.n = SIZE_CODE;
    this.#finish(0);
  }

  #finish(st0: number): void {
    this.cancel();
    this.#host.spindle.releaseHead(this.#unit());
    this.#host.finish(st0);
  }
}
