/**
 * One ATA hard disk: its copy of the task file, the PIO protocols, and the virtual time that commands take.
 * Addresses of registers: ata-registers.ts; what commands do: ata-commands.ts. Source: ATA-2 (X3T10/948D) §9, ATA-6 (T13/1410D) §9.
 *
 * A command is BUSY until its deadline, and longer if the host's answer is late; then it shows data (DRQ), or it ends. A write shows DRQ at once.
 * A DMA command asks for its data to be moved in the same way, and the bus master (ide-dma.ts) moves it when it has been started.
 */

import { sectorOf, showSector } from './ata-address.ts';
import { ATA_COMMANDS } from './ata-commands.ts';
import type { AtaCommand, AtaDrive } from './ata-commands.ts';
import { guessGeometry, MAX_CYLINDERS } from './ata-geometry.ts';
import type { Geometry } from './ata-geometry.ts';
import { identify } from './ata-identify.ts';
import { ATA_ABRT, ATA_BSY, ATA_DIAGNOSTIC_PASSED, ATA_DRDY, ATA_DRQ, ATA_DSC, ATA_ERR, ATA_IDNF, ATA_UNC, DEVICE_SELECT, MAX_MULTIPLE } from './ata-registers.ts';
import { readTaskFile, showSignature, writeTaskFile } from './ata-task-file.ts';
import { DeadlineWork } from './deadline.ts';
import type { Answer } from './deadline.ts';
import { DeviceState } from './device.ts';
import type { Clock } from './device.ts';
import { SECTOR_SIZE } from './host.ts';
import type { BlockBackend } from './host.ts';
import type { BusMaster } from './ide-dma.ts';
import type { DriveIdentity, IdeDrive } from './ide-drive.ts';

/** What the drive is doing; `fields.phase`. */
const IDLE = 0;
/** A command without data, until its deadline. */
const COMMAND = 1;
/** Sectors (or the identification) on their way from the medium to the buffer. */
const FETCH = 2;
/** DRQ: the host reads the buffer. */
const DATA_IN = 3;
/** DRQ: the host fills the buffer. */
const DATA_OUT = 4;
/** The buffer on its way to the medium. */
const STORE = 5;
/** After a software reset. */
const RESET = 6;
const DIAGNOSTIC = 7;
/** DMARQ: the bus master is to take the buffer, or to fill it. */
const DMA_IN = 8;
const DMA_OUT = 9;

const US = 1000;
/** Of a command until it ends, or until its first block of data is there. */
const COMMAND_NS = 100 * US;
/** From one block of a command to the next: the following sectors are in the drive's cache. */
const NEXT_BLOCK_NS = 20 * US;
/** Storing a block into the write cache. */
const STORE_NS = 50 * US;
/** Software reset. Linux 0.11 polls for its end 10,000 times. */
const RESET_NS = 20 * US;
const DIAGNOSTIC_NS = 2000 * US;
/** Sectors that a DMA command moves at a time. */
const DMA_SECTORS = 128;
/** What a drive is set to at power on: multiword mode 2. */
const DEFAULT_DMA_MODE = 0x22;

const READY = ATA_DRDY | ATA_DSC;

export interface AtaDiskOptions {
  name: string;
  clock: Clock;
  backend: BlockBackend;
  /** Default translation; guessed from the image if not given. */
  geometry?: Geometry | undefined;
  /** Device 1 of its channel: it leaves the interrupt of a diagnostic to device 0. */
  slave?: boolean;
  /** Moves the data of DMA commands; without one they are aborted. */
  dma?: BusMaster | null;
  identity?: DriveIdentity;
  /** The drive's INTRQ may have changed. */
  onInterrupt: () => void;
}

export class AtaDisk implements IdeDrive, AtaDrive {
  readonly name: string;
  readonly answersForSlave = true;
  readonly geometry: Geometry;
  readonly capacity: number;
  readonly state;
  readonly #backend: BlockBackend;
  readonly #clock: Clock;
  readonly #work: DeadlineWork;
  readonly #onInterrupt: () => void;
  readonly #identity: DriveIdentity;
  readonly #slave: boolean;
  readonly #dma: BusMaster | null;
  /** What the host read, until the deadline. */
  #fetched: Uint8Array | null = null;

  constructor(options: AtaDiskOptions) {
    this.name = options.name;
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#onInterrupt = options.onInterrupt;
    this.#identity = options.identity ?? {};
    this.#slave = options.slave ?? false;
    this.#dma = options.dma ?? null;
    this.capacity = options.backend.sectors;
    this.geometry = options.geometry ?? guessGeometry(options.backend);
    this.state = new DeviceState(3, {
      features: 0, count: 1, sector: 1, cylinderLow: 0, cylinderHigh: 0, device: 0,
      countBefore: 0, sectorBefore: 0, cylinderLowBefore: 0, cylinderHighBefore: 0,
      status: READY, error: ATA_DIAGNOSTIC_PASSED, command: 0, interrupt: 0,
      heads: this.geometry.heads, sectors: this.geometry.sectors, multiple: 0, standby: 0, writeCache: 1, dmaMode: DEFAULT_DMA_MODE,
      phase: IDLE, deadline: 0,
      lba: 0, remaining: 0, block: 0, // next sector, sectors still to do, sectors in the buffer
      position: 0, limit: 0, // bytes of the buffer that the host has moved, and is to move
      buffer: new Uint8Array(Math.max(MAX_MULTIPLE, DMA_SECTORS) * SECTOR_SIZE),
    });
    this.#work = new DeadlineWork(options.clock, this.name, (error) => this.#due(error));
  }

  get fields() {
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
    if (phase === IDLE || phase === DATA_IN || phase === DATA_OUT || phase === DMA_IN || phase === DMA_OUT) return;
    this.#work.start(deadline, this.#hostPart());
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

  acknowledge(): void {
    this.#interrupt(0);
  }

  get #command(): AtaCommand {
    return ATA_COMMANDS[this.fields.command];
  }

  readRegister(offset: number, high: boolean): number {
    return readTaskFile(this.fields, offset, high);
  }

  writeRegister(offset: number, value: number): void {
    writeTaskFile(this.fields, offset, value);
  }

  /** The next 16 bits of the buffer; 0 when the drive shows no data. */
  readData(): number {
    const f = this.fields;
    if (f.phase !== DATA_IN) return 0;
    const value = f.buffer[f.position] | (f.buffer[f.position + 1] << 8);
    f.position += 2;
    if (f.position >= f.limit) {
      if (f.remaining > 0) this.#nextFetch(NEXT_BLOCK_NS);
      else this.#idle();
    }
    return value;
  }

  writeData(value: number): void {
    const f = this.fields;
    if (f.phase !== DATA_OUT) return;
    f.buffer[f.position] = value & 0xff;
    f.buffer[f.position + 1] = value >> 8;
    f.position += 2;
    if (f.position >= f.limit) this.#begin(STORE, STORE_NS);
  }

  /** The command register; ignored while busy. A command under way in its data phase is given up. */
  execute(code: number): void {
    const f = this.fields;
    if (this.busy) return;
    this.#interrupt(0);
    f.command = code;
    f.error = 0;
    const command = ATA_COMMANDS[code];
    if (command.kind === 'read' || command.kind === 'write' || command.kind === 'verify') this.#transfer(command.kind);
    else if (command.kind === 'identify') {
      f.remaining = 1;
      this.#begin(FETCH, COMMAND_NS);
    } else this.#begin(COMMAND, COMMAND_NS);
  }

  diagnose(): void {
    this.#interrupt(0);
    this.fields.device = 0;
    this.#begin(DIAGNOSTIC, DIAGNOSTIC_NS);
  }

  /** SRST: the drive is busy while it is set and for some time after. */
  softReset(asserted: boolean): void {
    this.#abandon();
    this.#interrupt(0);
    const f = this.fields;
    f.multiple = 0;
    f.device = 0;
    f.status = ATA_BSY;
    f.phase = IDLE;
    if (!asserted) this.#begin(RESET, RESET_NS);
  }

  locate(): number {
    return sectorOf(this.fields, this.#command.extended);
  }

  show(sector: number): void {
    showSector(this.fields, sector, this.#command.extended);
  }

  #interrupt(level: number): void {
    this.fields.interrupt = level;
    this.#onInterrupt();
  }

  /** Forgets the deadline and the host's answer. */
  #abandon(): void {
    this.#work.cancel();
    this.#fetched = null;
  }

  #idle(): void {
    this.fields.phase = IDLE;
    this.fields.status = READY;
  }

  /** Ends a command; `error` is the error register, 0 for success. */
  #end(error: number): void {
    const f = this.fields;
    this.#idle();
    f.error = error;
    if (error !== 0) f.status |= ATA_ERR;
    this.#interrupt(1);
  }

  #begin(phase: number, delay: number): void {
    const f = this.fields;
    this.#abandon();
    f.phase = phase;
    f.status = ATA_BSY;
    f.deadline = this.#clock.now() + delay;
    this.#work.start(f.deadline, this.#hostPart());
  }

  /** How a command moves its data; null if it has none. */
  get #by(): 'sector' | 'multiple' | 'dma' | null {
    const command = this.#command;
    return 'by' in command ? command.by : null;
  }

  #transfer(kind: 'read' | 'write' | 'verify'): void {
    const f = this.fields, by = this.#by;
    f.standby = 0;
    if ((by === 'multiple' && f.multiple === 0) || (by === 'dma' && this.#dma === null) || (kind === 'write' && this.#backend.readOnly)) {
      this.#abort(ATA_ABRT);
      return;
    }
    const lba = this.locate();
    if (lba < 0 || lba >= this.capacity) {
      this.#abort(ATA_IDNF);
      return;
    }
    f.lba = lba;
    const { extended } = this.#command;
    f.remaining = (extended ? (f.countBefore << 8) | f.count : f.count) || (extended ? 0x10000 : 256);
    if (kind === 'read') this.#nextFetch(COMMAND_NS);
    else if (kind === 'verify') this.#begin(COMMAND, COMMAND_NS);
    else {
      // At once: there are hosts (xv6) that do not wait for DRQ before the first block.
      this.#size();
      this.#offer(by === 'dma' ? DMA_OUT : DATA_OUT);
    }
  }

  /** Ends a command that could not start: still at a deadline, since no drive answers at once. */
  #abort(error: number): void {
    this.fields.error = error;
    this.#begin(COMMAND, COMMAND_NS);
  }

  /** Sectors of the next block; 0 past the end of the disk. */
  #size(): void {
    const f = this.fields;
    const by = this.#by;
    const most = by === 'dma' ? DMA_SECTORS : by === 'multiple' ? f.multiple : 1;
    f.block = Math.min(most, f.remaining, this.capacity - f.lba);
  }

  #nextFetch(delay: number): void {
    this.#size();
    this.#begin(FETCH, delay);
  }

  /** What the host has to do in this phase, if anything. */
  #hostPart(): ((answer: Answer) => void) | null {
    const f = this.fields;
    const { kind } = ATA_COMMANDS[f.command];
    if (f.phase === FETCH && kind === 'read' && f.block > 0) {
      const data = new Uint8Array(f.block * SECTOR_SIZE);
      this.#fetched = data;
      return (answer) => this.#backend.read(f.lba, data, answer);
    }
    if (f.phase === STORE && f.block > 0) {
      const data = f.buffer.slice(0, f.block * SECTOR_SIZE);
      if (f.writeCache !== 0) return (answer) => this.#backend.write(f.lba, data, answer);
      return (answer) => this.#backend.write(f.lba, data, (error) => (error === undefined ? this.#backend.flush(answer) : answer(error)));
    }
    return f.phase === COMMAND && kind === 'flush' ? (answer) => this.#backend.flush(answer) : null;
  }

  #due(failure: Error | undefined): void {
    switch (this.fields.phase) {
      case COMMAND: return this.#finishCommand(failure);
      case FETCH: return this.#finishFetch(failure);
      case STORE: return this.#finishStore(failure);
      case RESET: return this.#signature();
      case DIAGNOSTIC:
        this.#signature();
        if (!this.#slave) this.#interrupt(1);
    }
  }

  #finishCommand(failure: Error | undefined): void {
    const f = this.fields;
    const command = ATA_COMMANDS[f.command];
    if (f.error !== 0) this.#end(f.error);
    else if (command.kind === 'non-data') this.#end(command.finish(this));
    else if (command.kind === 'verify') {
      const present = Math.min(f.remaining, this.capacity - f.lba);
      this.#advance(present);
      this.#end(f.remaining === 0 ? 0 : this.#notFound());
    } else this.#end(failure === undefined ? 0 : ATA_ABRT);
  }

  #finishFetch(failure: Error | undefined): void {
    const f = this.fields;
    if (ATA_COMMANDS[f.command].kind === 'identify') {
      f.block = 1;
      f.remaining = 0;
      this.#identify();
    } else if (f.block === 0) {
      this.#end(this.#notFound());
      return;
    } else if (failure !== undefined) {
      this.show(f.lba);
      this.#end(ATA_UNC);
      return;
    } else {
      if (this.#fetched !== null) f.buffer.set(this.#fetched);
      this.#fetched = null;
      this.#advance(f.block);
    }
    if (this.#by === 'dma') {
      this.#offer(DMA_IN);
      return;
    }
    this.#offer(DATA_IN);
    this.#interrupt(1);
  }

  #finishStore(failure: Error | undefined): void {
    const f = this.fields;
    if (f.block === 0) {
      this.#end(this.#notFound());
      return;
    }
    if (failure !== undefined) {
      this.show(f.lba);
      this.#end(ATA_UNC);
      return;
    }
    this.#advance(f.block);
    if (f.remaining === 0) {
      this.#end(0);
      return;
    }
    this.#size();
    if (this.#by === 'dma') {
      this.#offer(DMA_OUT);
      return;
    }
    this.#offer(DATA_OUT);
    this.#interrupt(1);
  }

  /** Shows the buffer to the host. A block past the end of the disk is taken, and then refused. */
  #offer(phase: number): void {
    const f = this.fields;
    f.phase = phase;
    f.position = 0;
    f.limit = Math.max(1, f.block) * SECTOR_SIZE;
    f.status = READY | ATA_DRQ;
    this.moveByDma();
  }

  /** The bus master is there for a drive whose buffer waits for it; the drive goes on when all of the buffer has been moved. */
  moveByDma(): void {
    const f = this.fields;
    if (this.#dma === null || (f.phase !== DMA_IN && f.phase !== DMA_OUT)) return;
    const reading = f.phase === DMA_IN;
    f.position += this.#dma.move(f.buffer.subarray(f.position, f.limit), reading);
    if (f.position < f.limit) return;
    if (!reading) this.#begin(STORE, STORE_NS);
    else if (f.remaining > 0) this.#nextFetch(NEXT_BLOCK_NS);
    else this.#end(0);
  }

  /** After `sectors` more sectors the registers name the last one of them, and the count what is left. */
  #advance(sectors: number): void {
    const f = this.fields;
    f.lba += sectors;
    f.remaining -= sectors;
    f.count = f.remaining & 0xff;
    if (this.#command.extended) f.countBefore = f.remaining >> 8;
    if (sectors > 0) this.show(f.lba - 1);
  }

  #notFound(): number {
    this.show(this.fields.lba);
    return ATA_IDNF;
  }

  #signature(): void {
    const f = this.fields;
    showSignature(f, 0);
    this.#idle();
    f.error = ATA_DIAGNOSTIC_PASSED;
    this.#onInterrupt();
  }

  #identify(): void {
    const f = this.fields;
    const cylinders = Math.min(MAX_CYLINDERS, Math.floor(this.capacity / (f.heads * f.sectors)));
    identify(f.buffer, {
      sectors: this.capacity,
      geometry: this.geometry,
      current: { cylinders, heads: f.heads, sectors: f.sectors },
      multiple: f.multiple,
      writeCache: f.writeCache !== 0,
      dmaMode: f.dmaMode,
      slave: this.#slave,
      serial: this.#identity.serial ?? '',
      firmware: this.#identity.firmware ?? '0.1',
      model: this.#identity.model ?? 'TCG86 HARDDISK',
    });
  }

  get selectsSlave(): boolean {
    return (this.fields.device & DEVICE_SELECT) !== 0;
  }
}
