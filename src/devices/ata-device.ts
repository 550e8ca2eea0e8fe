/**
 * What drives on an IDE channel do alike, disks and CD-ROM drives: a copy of the task file, INTRQ, commands that keep them BUSY until a deadline
 * (and longer if the host's answer is late), resets. What commands do is the drive's own.
 * Source: ATA-6 (T13/1410D) §6.20, §7, §9.1–9.4.
 */
import { ATA_BSY, ATA_DIAGNOSTIC_PASSED, ATA_DRDY, ATA_DSC, DEVICE_SELECT } from './ata-registers.ts';
import { readTaskFile, showSignature, writeTaskFile } from './ata-task-file.ts';
import type { TaskFile } from './ata-task-file.ts';
import { DeadlineWork } from './deadline.ts';
import type { Answer } from './deadline.ts';
import type { Clock, DeviceState, StateFields } from './device.ts';
import type { BusMaster } from './ide-dma.ts';
import type { DriveIdentity, IdeDrive } from './ide-drive.ts';

const US = 1000;
/** A reset. Many drivers write registers soon after it, which a busy drive ignores. */
export const RESET_NS = 2 * US;
/** Nothing is under way; `fields.phase`. Other phases are the drive's own. */
export const IDLE = 0;
export const READY = ATA_DRDY | ATA_DSC;
/** What a drive is set to at power on: multiword mode 2. */
export const DEFAULT_DMA_MODE = 0x22;

/** The part of a drive's state that this is about. */
export interface AtaFields extends TaskFile {
  interrupt: number;
  phase: number;
  deadline: number;
}

/** How kinds of drive differ in it. */
export interface AtaKind {
  /** Phases after a software reset and in a diagnostic, and how long that takes. */
  readonly reset: number;
  readonly diagnostic: number;
  readonly diagnosticNs: number;
  /** In the cylinder registers after a reset. */
  readonly signature: number;
  readonly statusAfterReset: number;
}

export interface AtaDeviceOptions {
  name: string;
  clock: Clock;
  /** Device 1 of its channel: it leaves the interrupt of a diagnostic to device 0. */
  slave?: boolean;
  /** Moves data by DMA; without one commands that ask for it are aborted. */
  dma?: BusMaster | null;
  identity?: DriveIdentity;
  /** The drive's INTRQ may have changed. */
  onInterrupt: () => void;
}

export abstract class AtaDevice<S extends DeviceState<StateFields> & { readonly fields: AtaFields }> implements IdeDrive {
  readonly name: string;
  readonly state: S;
  abstract readonly answersForSlave: boolean;
  protected readonly identity: DriveIdentity;
  protected readonly slave: boolean;
  protected readonly dma: BusMaster | null;
  /** What the host read, until the deadline. */
  protected fetched: Uint8Array | null = null;
  readonly #kind: AtaKind;
  readonly #clock: Clock;
  readonly #work: DeadlineWork;
  readonly #onInterrupt: () => void;

  constructor(options: AtaDeviceOptions, state: S, kind: AtaKind) {
    this.name = options.name;
    this.state = state;
    this.identity = options.identity ?? {};
    this.slave = options.slave ?? false;
    this.dma = options.dma ?? null;
    this.#kind = kind;
    this.#clock = options.clock;
    this.#onInterrupt = options.onInterrupt;
    this.#work = new DeadlineWork(options.clock, this.name, (failure) => this.#due(failure));
  }

  get fields(): S['fields'] {
    return this.state.fields;
  }

  reset(): void {
    this.#abandon();
    this.state.reset();
    this.#onInterrupt();
  }

  restored(): void {
    this.#abandon();
    const { phase, deadline } = this.fields;
    if (this.busy && phase !== IDLE) this.#work.start(deadline, this.hostPart());
  }

  get interrupt(): boolean {
    return this.fields.interrupt !== 0;
  }

  get busy(): boolean {
    return (this.fields.status & ATA_BSY) !== 0;
  }

  get status(): number {
    return this.fields.status;
  }

  get selectsSlave(): boolean {
    return (this.fields.device & DEVICE_SELECT) !== 0;
  }

  acknowledge(): void {
    this.setInterrupt(0);
  }

  readRegister(offset: number, high: boolean): number {
    return readTaskFile(this.fields, offset, high);
  }

  writeRegister(offset: number, value: number): void {
    writeTaskFile(this.fields, offset, value);
  }

  diagnose(): void {
    this.setInterrupt(0);
    this.fields.device = 0;
    this.begin(this.#kind.diagnostic, this.#kind.diagnosticNs);
  }

  /** SRST: the drive is busy while it is set and for some time after. */
  softReset(asserted: boolean): void {
    const { fields: f } = this.state;
    this.#abandon();
    this.setInterrupt(0);
    f.device = 0;
    f.status = ATA_BSY;
    f.phase = IDLE;
    if (!asserted) this.begin(this.#kind.reset, RESET_NS);
  }

  abstract readData(): number;
  abstract writeData(value: number): void;
  abstract execute(code: number): void;
  abstract moveByDma(): void;

  /** What the host has to do in this phase, if anything. */
  protected abstract hostPart(): ((answer: Answer) => void) | null;
  /** A phase of the drive's own is over. */
  protected abstract due(failure: Error | undefined): void;

  protected setInterrupt(level: number): void {
    this.fields.interrupt = level;
    this.#onInterrupt();
  }

  protected idle(): void {
    this.fields.phase = IDLE;
    this.fields.status = READY;
  }

  /** BUSY in a phase, which ends after `delay` ns. */
  protected begin(phase: number, delay: number): void {
    const { fields: f } = this.state;
    this.#abandon();
    f.phase = phase;
    f.status = ATA_BSY;
    f.deadline = this.#clock.now() + delay;
    this.#work.start(f.deadline, this.hostPart());
  }

  /** Forgets the deadline and the host's answer. */
  #abandon(): void {
    this.#work.cancel();
    this.fetched = null;
  }

  #due(failure: Error | undefined): void {
    const { phase } = this.fields;
    if (phase !== this.#kind.reset && phase !== this.#kind.diagnostic) return this.due(failure);
    this.#signature();
    if (phase === this.#kind.diagnostic && !this.slave) this.setInterrupt(1);
  }

  /** What the registers say after a reset, and nothing of a command. */
  #signature(): void {
    const { fields: f } = this.state;
    showSignature(f, this.#kind.signature);
    f.phase = IDLE;
    f.status = this.#kind.statusAfterReset;
    f.error = ATA_DIAGNOSTIC_PASSED;
    this.#onInterrupt();
  }
}
