/**
 * Floppy disk controller, Intel 82077AA in AT mode, with two drives.
 * Source: Intel 82077AA data sheet (290166). Bits: fdc-registers.ts; commands: fdc-commands.ts; head movement: fdc-seek.ts;
 * sectors: fdc-transfer.ts; what the drives' mechanics take: fdc-spindle.ts; media: fdc-media.ts.
 *
 *   3F0, 3F1  SRA, SRB: not driven in AT mode        3F4  MSR (read), DSR (write)
 *   3F2       DOR                                    3F5  FIFO
 *   3F3       TDR                                    3F7  DIR (read), CCR (write)
 *
 * Command phase: bytes of the command in; execution; result phase: bytes out, or an interrupt and SENSE INTERRUPT STATUS.
 */

import type { Clock, Device, IrqLine, Timer } from './device.ts';
import { FDC_COMMANDS } from './fdc-commands.ts';
import { FloppyDrive } from './fdc-media.ts';
import type { FloppyDriveOptions } from './fdc-media.ts';
import {
  CONFIG_EFIFO, CONFIG_POLL, DOR_DMAGATE, DOR_MOTOR0, DOR_NRESET, DSR_RESET,
  FDC_DOR, FDC_DSR, FDC_FIFO, FDC_MSR, FDC_TDR, HEAD_BIT,
  MSR_BUSY, MSR_DIO, MSR_NONDMA, MSR_RQM, ST0_INVALID, ST0_POLLING, ST3_ONES, ST3_TRACK0, ST3_WP,
} from './fdc-registers.ts';
import { FdcSeeks } from './fdc-seek.ts';
import { FloppySpindle } from './fdc-spindle.ts';
import {
  createFdcState, NOTHING_PENDING, PHASE_COMMAND, PHASE_EXECUTE, PHASE_HUNG, PHASE_RESET, PHASE_RESULT, PHASE_TRANSFER, UNITS,
} from './fdc-state.ts';
import { FdcTransfer } from './fdc-transfer.ts';
import type { BlockBackend } from './host.ts';
import type { DmaChannel } from './i8237.ts';
import type { IoRegion } from '../memory/io-region.ts';

export type { FloppyDriveOptions, FloppyDriveType } from './fdc-media.ts';

/** From the end of a reset until commands are taken, and polling reports the drives. */
const RESET_NS = 50_000;
/** What lines that nobody drives read as. */
const NOT_DRIVEN = 0xff;
const VERSION_82077 = 0x90;

export interface FloppyControllerOptions {
  clock: Clock;
  /** IRQ 6. */
  irq: IrqLine;
  /** DMA channel 2. */
  dma: DmaChannel;
  /** Drives A and B; null where there is none. */
  drives: readonly (FloppyDriveOptions | null)[];
}

export class FloppyController implements Device {
  readonly name = 'fdc';
  readonly state = createFdcState();
  readonly drives: readonly (FloppyDrive | null)[];
  /** 3F0–3F5. */
  readonly ports: IoRegion;
  /** 3F7; 3F6 is the disk's. */
  readonly dirPort: IoRegion;
  readonly #clock: Clock;
  readonly #irq: IrqLine;
  readonly #resetTimer: Timer;
  readonly #spindle: FloppySpindle;
  readonly #seeks: FdcSeeks;
  readonly #transfer: FdcTransfer;

  constructor(options: FloppyControllerOptions) {
    const { clock } = options;
    this.#clock = clock;
    this.#irq = options.irq;
    this.drives = options.drives.slice(0, UNITS).map((drive) => (drive === null ? null : new FloppyDrive(drive)));
    this.#resetTimer = clock.timer('fdc-reset', () => this.#resetOver());
    const { fields } = this.state;
    this.#spindle = new FloppySpindle(fields, this.drives, clock);
    this.#seeks = new FdcSeeks(fields, this.drives, clock, this.#spindle, () => this.#raise());
    this.#transfer = new FdcTransfer({
      fields,
      drives: this.drives,
      clock,
      dma: options.dma,
      spindle: this.#spindle,
      impliedSeek: (unit, cylinder) => this.#seeks.implied(unit, cylinder),
      setInterrupt: (level) => (level ? this.#raise() : this.#lower()),
      finish: (st0) => this.#finish(st0),
    });
    this.ports = {
      name: 'fdc',
      size: 6,
      minAccess: 1,
      maxAccess: 1,
      read: (offset) => this.#read(offset),
      write: (offset, value) => this.#write(offset, value),
    };
    this.dirPort = {
      name: 'fdc-dir',
      size: 1,
      minAccess: 1,
      maxAccess: 1,
      read: () => this.#digitalInput(),
      write: (_offset, value) => this.#setRate(value),
    };
  }

  /** Puts a medium into a drive, or takes it out (null): the drive's change line rises. @throws RangeError if there is no such drive, or the image is too large */
  insert(unit: number, medium: BlockBackend | null): void {
    const drive = this.drives[unit] ?? null;
    if (drive === null) throw new RangeError(`there is no floppy drive ${'ABCD'[unit]}`);
    drive.insert(medium);
    this.state.fields.changed[unit] = 1;
    this.#transfer.resume();
  }

  /** The controller waits for a drive's mechanics. */
  get turning(): boolean {
    return this.#transfer.searching || this.#seeks.moving;
  }

  reset(): void {
    const { fields } = this.state;
    // Heads stay where they are, and media are not changed by a reset line.
    const cylinder = fields.cylinder.slice();
    const changed = fields.changed.slice();
    this.#stop();
    this.state.reset();
    fields.cylinder.set(cylinder);
    fields.changed.set(changed);
    this.#updateIrq();
  }

  restored(): void {
    const f = this.state.fields;
    if (f.phase === PHASE_RESET && (f.dor & DOR_NRESET) !== 0) this.#resetTimer.arm(f.deadline);
    this.#seeks.restored();
    this.#transfer.restored();
    this.#updateIrq();
  }

  #read(offset: number): number {
    const f = this.state.fields;
    switch (offset) {
      case FDC_DOR: return f.dor;
      case FDC_TDR: return 0xfc | f.tdr;
      case FDC_MSR: return this.#mainStatus();
      case FDC_FIFO: return this.#readFifo();
      default: return NOT_DRIVEN;
    }
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case FDC_DOR: this.#writeDor(value); break;
      case FDC_TDR: this.state.fields.tdr = value & 3; break;
      case FDC_DSR:
        this.state.fields.dsr = value & 0x7f;
        if ((value & DSR_RESET) !== 0 && (this.state.fields.dor & DOR_NRESET) !== 0) {
          this.#enterReset();
          this.#leaveReset();
        }
        break;
      case FDC_FIFO: this.#writeFifo(value); break;
    }
  }

  #writeDor(value: number): void {
    const f = this.state.fields;
    const before = f.dor;
    this.#spindle.switch(value);
    f.dor = value;
    if ((before & ~value & DOR_NRESET) !== 0) this.#enterReset();
    if ((value & ~before & DOR_NRESET) !== 0) this.#leaveReset();
    this.#transfer.resume();
    this.#updateIrq();
  }

  #setRate(value: number): void {
    const f = this.state.fields;
    f.dsr = (f.dsr & ~3) | (value & 3);
  }

  /** Bit 7 is the selected drive's change line, which it drives while its motor is on; the rest is not driven. */
  #digitalInput(): number {
    const f = this.state.fields;
    const unit = f.dor & 3;
    const on = (f.dor & (DOR_MOTOR0 << unit)) !== 0 && (this.drives[unit] ?? null) !== null;
    return (on && f.changed[unit] !== 0 ? 0x80 : 0) | 0x7f;
  }

  #mainStatus(): number {
    const f = this.state.fields;
    if ((f.dor & DOR_NRESET) === 0) return 0;
    const busy = this.#seeks.busy;
    switch (f.phase) {
      case PHASE_COMMAND: return busy | MSR_RQM | (f.length > 0 ? MSR_BUSY : 0);
      case PHASE_RESULT: return busy | MSR_RQM | MSR_DIO | MSR_BUSY;
      case PHASE_TRANSFER:
        if (this.#transfer.programmed) return busy | MSR_RQM | MSR_NONDMA | MSR_BUSY | (this.#transfer.toHost ? MSR_DIO : 0);
        return busy | MSR_BUSY;
      case PHASE_EXECUTE:
      case PHASE_HUNG: return busy | MSR_BUSY | ((f.specify2 & 1) !== 0 ? MSR_NONDMA : 0);
      default: return 0;
    }
  }

  #updateIrq(): void {
    const f = this.state.fields;
    this.#irq.set(f.interrupt !== 0 && (f.dor & DOR_DMAGATE) !== 0);
  }

  #raise(): void {
    const f = this.state.fields;
    f.interrupt = 1;
    // What the reset had to report is superseded.
    f.polling = 0;
    this.#updateIrq();
  }

  #lower(): void {
    this.state.fields.interrupt = 0;
    this.#updateIrq();
  }

  #stop(): void {
    this.#resetTimer.cancel();
    this.#seeks.cancel();
    this.#transfer.cancel();
  }

  #enterReset(): void {
    const f = this.state.fields;
    this.#stop();
    this.#lower();
    f.phase = PHASE_RESET;
    f.length = f.resultLength = f.polling = 0;
    // Table 5-10: what LOCK protects.
    if (f.lock === 0) {
      f.config = CONFIG_EFIFO;
      f.pretrk = 0;
    }
    f.perpendicular &= 0x3c;
  }

  #leaveReset(): void {
    const f = this.state.fields;
    f.phase = PHASE_RESET;
    f.deadline = this.#clock.now() + RESET_NS;
    this.#resetTimer.arm(f.deadline);
  }

  #resetOver(): void {
    const f = this.state.fields;
    f.phase = PHASE_COMMAND;
    if ((f.config & CONFIG_POLL) !== 0) return;
    this.#raise();
    f.polling = UNITS;
  }

  #readFifo(): number {
    const f = this.state.fields;
    if (this.#transfer.programmed && this.#transfer.toHost) return this.#transfer.readByte();
    if (f.phase !== PHASE_RESULT) return NOT_DRIVEN;
    if (f.resultPosition === 0) this.#lower();
    const value = f.result[f.resultPosition++];
    if (f.resultPosition >= f.resultLength) f.phase = PHASE_COMMAND;
    return value;
  }

  #writeFifo(value: number): void {
    const f = this.state.fields;
    if (this.#transfer.programmed && !this.#transfer.toHost) {
      this.#transfer.writeByte(value);
      return;
    }
    if (f.phase !== PHASE_COMMAND || (f.dor & DOR_NRESET) === 0) return;
    f.command[f.length++] = value;
    if (f.length < FDC_COMMANDS[f.command[0]].length) return;
    f.length = 0;
    this.#execute();
  }

  #execute(): void {
    const f = this.state.fields;
    const { command } = f;
    const unit = command[1] & 3;
    switch (FDC_COMMANDS[command[0]].name) {
      case 'specify':
        f.specify1 = command[1];
        f.specify2 = command[2];
        break;
      case 'sense drive status':
        this.#result(this.#driveStatus(unit, command[1] & HEAD_BIT));
        break;
      case 'recalibrate':
        this.#seeks.recalibrate(unit);
        break;
      case 'seek':
        this.#seeks.seek(unit, command[2]);
        break;
      case 'relative seek':
        this.#seeks.seek(unit, Math.max(0, Math.min(255, f.pcn[unit] + ((command[0] & 0x40) !== 0 ? command[2] : -command[2]))));
        break;
      case 'sense interrupt status':
        this.#senseInterrupt();
        break;
      case 'dumpreg':
        this.#result(...f.pcn, f.specify1, f.specify2, f.lastCount, (f.lock << 7) | f.perpendicular, f.config, f.pretrk);
        break;
      case 'version':
        this.#result(VERSION_82077);
        break;
      case 'perpendicular mode':
        // OW (bit 7) opens the drive bits for writing.
        f.perpendicular = (command[1] & 0x80) !== 0 ? command[1] & 0x3f : (f.perpendicular & 0x3c) | (command[1] & 3);
        break;
      case 'configure':
        f.config = command[2] & 0x7f;
        f.pretrk = command[3];
        break;
      case 'lock':
        f.lock = command[0] >> 7;
        this.#result(f.lock << 4);
        break;
      case 'invalid':
        this.#result(ST0_INVALID);
        break;
      default:
        this.#transfer.start();
    }
  }

  #result(...bytes: number[]): void {
    const f = this.state.fields;
    f.result.set(bytes);
    f.resultLength = bytes.length;
    f.resultPosition = 0;
    f.phase = PHASE_RESULT;
  }

  /** A transfer is over. */
  #finish(st0: number): void {
    const f = this.state.fields;
    this.#result(st0 | (f.head << 2) | (f.command[1] & 3), f.st1, f.st2, f.c, f.h, f.r, f.n);
    this.#raise();
  }

  #driveStatus(unit: number, head: number): number {
    const drive = this.drives[unit] ?? null;
    const trackZero = drive !== null && this.state.fields.cylinder[unit] === 0;
    const isProtected = drive?.medium?.readOnly === true;
    return ST3_ONES | (isProtected ? ST3_WP : 0) | (trackZero ? ST3_TRACK0 : 0) | head | unit;
  }

  #senseInterrupt(): void {
    const f = this.state.fields;
    if (f.polling > 0) {
      const unit = UNITS - f.polling;
      const left = f.polling - 1;
      this.#lower();
      f.polling = left;
      this.#result(ST0_POLLING | unit, f.pcn[unit]);
      return;
    }
    const unit = f.pending.findIndex((status) => status !== NOTHING_PENDING);
    if (unit < 0) {
      this.#result(ST0_INVALID);
      return;
    }
    this.#lower();
    this.#result(f.pending[unit], f.pcn[unit]);
    f.pending[unit] = NOTHING_PENDING;
    // Another unit's report stays pending: a new edge for it.
    if (f.pending.some((status) => status !== NOTHING_PENDING)) this.#raise();
  }
}
