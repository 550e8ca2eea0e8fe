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
import { AtaDevice, DEFAULT_DMA_MODE, IDLE, READY } from './ata-device.ts';
import type { AtaDeviceOptions, AtaKind } from './ata-device.ts';
import { guessGeometry, MAX_CYLINDERS } from './ata-geometry.ts';
import type { Geometry } from './ata-geometry.ts';
import { identify } from './ata-identify.ts';
import { ATA_ABRT, ATA_DIAGNOSTIC_PASSED, ATA_DRQ, ATA_ERR, ATA_IDNF, ATA_UNC, MAX_MULTIPLE } from './ata-registers.ts';
import type { Answer } from './deadline.ts';
import { DeviceState } from './device.ts';
import { SECTOR_SIZE } from './host.ts';
import type { BlockBackend } from './host.ts';

// What the drive is doing, if it is not idle; `fields.phase`.
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
const DIAGNOSTIC_NS = 2000 * US;
/** Sectors that a DMA command moves at a time. */
const DMA_SECTORS = 128;

const KIND: AtaKind = { reset: RESET, diagnostic: DIAGNOSTIC, diagnosticNs: DIAGNOSTIC_NS, signature: 0, statusAfterReset: READY };

export interface AtaDiskOptions extends AtaDeviceOptions {
  backend: BlockBackend;
  /** Default translation; guessed from the image if not given. */
  geometry?: Geometry | undefined;
}

const diskState = ({ heads, sectors }: Geometry) => new DeviceState(3, {
  features: 0, count: 1, sector: 1, cylinderLow: 0, cylinderHigh: 0, device: 0,
  countBefore: 0, sectorBefore: 0, cylinderLowBefore: 0, cylinderHighBefore: 0,
  status: READY, error: ATA_DIAGNOSTIC_PASSED, command: 0, interrupt: 0,
  heads, sectors, multiple: 0, standby: 0, writeCache: 1, dmaMode: DEFAULT_DMA_MODE,
  phase: IDLE, deadline: 0,
  lba: 0, remaining: 0, block: 0, // next sector, sectors still to do, sectors in the buffer
  position: 0, limit: 0, // bytes of the buffer that the host has moved, and is to move
  buffer: new Uint8Array(Math.max(MAX_MULTIPLE, DMA_SECTORS) * SECTOR_SIZE),
});

export class AtaDisk extends AtaDevice<ReturnType<typeof diskState>> implements AtaDrive {
  readonly answersForSlave = true;
  readonly geometry: Geometry;
  readonly capacity: number;
  readonly #backend: BlockBackend;

  constructor(options: AtaDiskOptions) {
    const geometry = options.geometry ?? guessGeometry(options.backend);
    super(options, diskState(geometry), KIND);
    this.#backend = options.backend;
    this.capacity = options.backend.sectors;
    this.geometry = geometry;
  }

  get #command(): AtaCommand {
    return ATA_COMMANDS[this.fields.command];
  }

  /** The next 16 bits of the buffer; 0 when the drive shows no data. */
  readData(): number {
    const { fields: f } = this.state;
    if (f.phase !== DATA_IN) return 0;
    const value = f.buffer[f.position] | (f.buffer[f.position + 1] << 8);
    f.position += 2;
    if (f.position >= f.limit) {
      if (f.remaining > 0) this.#nextFetch(NEXT_BLOCK_NS);
      else this.idle();
    }
    return value;
  }

  writeData(value: number): void {
    const { fields: f } = this.state;
    if (f.phase !== DATA_OUT) return;
    f.buffer[f.position] = value & 0xff;
    f.buffer[f.position + 1] = value >> 8;
    f.position += 2;
    if (f.position >= f.limit) this.begin(STORE, STORE_NS);
  }

  /** The command register; ignored while busy. A command under way in its data phase is given up. */
  execute(code: number): void {
    const f = this.fields;
    if (this.busy) return;
    this.setInterrupt(0);
    f.command = code;
    f.error = 0;
    const command = ATA_COMMANDS[code];
    if (command.kind === 'read' || command.kind === 'write' || command.kind === 'verify') this.#transfer(command.kind);
    else if (command.kind === 'identify') {
      f.remaining = 1;
      this.begin(FETCH, COMMAND_NS);
    } else this.begin(COMMAND, COMMAND_NS);
  }

  override softReset(asserted: boolean): void {
    this.fields.multiple = 0;
    super.softReset(asserted);
  }

  locate(): number {
    return sectorOf(this.fields, this.#command.extended);
  }

  show(sector: number): void {
    showSector(this.fields, sector, this.#command.extended);
  }

  /** Ends a command; `error` is the error register, 0 for success. */
  #end(error: number): void {
    const f = this.fields;
    this.idle();
    f.error = error;
    if (error !== 0) f.status |= ATA_ERR;
    this.setInterrupt(1);
  }

  /** How a command moves its data; null if it has none. */
  get #by(): 'sector' | 'multiple' | 'dma' | null {
    const command = this.#command;
    return 'by' in command ? command.by : null;
  }

  #transfer(kind: 'read' | 'write' | 'verify'): void {
    const f = this.fields, by = this.#by;
    f.standby = 0;
    if ((by === 'multiple' && f.multiple === 0) || (by === 'dma' && this.dma === null) || (kind === 'write' && this.#backend.readOnly)) {
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
    else if (kind === 'verify') this.begin(COMMAND, COMMAND_NS);
    else {
      // At once: there are hosts (xv6) that do not wait for DRQ before the first block.
      this.#size();
      this.#offer(by === 'dma' ? DMA_OUT : DATA_OUT);
    }
  }

  /** Ends a command that could not start: still at a deadline, since no drive answers at once. */
  #abort(error: number): void {
    this.fields.error = error;
    this.begin(COMMAND, COMMAND_NS);
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
    this.begin(FETCH, delay);
  }

  protected hostPart(): ((answer: Answer) => void) | null {
    const f = this.fields;
    const { kind } = ATA_COMMANDS[f.command];
    if (f.phase === FETCH && kind === 'read' && f.block > 0) {
      const data = new Uint8Array(f.block * SECTOR_SIZE);
      this.fetched = data;
      return (answer) => this.#backend.read(f.lba, data, answer);
    }
    if (f.phase === STORE && f.block > 0) {
      const data = f.buffer.slice(0, f.block * SECTOR_SIZE);
      if (f.writeCache !== 0) return (answer) => this.#backend.write(f.lba, data, answer);
      return (answer) => this.#backend.write(f.lba, data, (error) => (error === undefined ? this.#backend.flush(answer) : answer(error)));
    }
    return f.phase === COMMAND && kind === 'flush' ? (answer) => this.#backend.flush(answer) : null;
  }

  protected due(failure: Error | undefined): void {
    switch (this.fields.phase) {
      case COMMAND: return this.#finishCommand(failure);
      case FETCH: return this.#finishFetch(failure);
      case STORE: return this.#finishStore(failure);
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
      if (this.fetched !== null) f.buffer.set(this.fetched);
      this.fetched = null;
      this.#advance(f.block);
    }
    if (this.#by === 'dma') {
      this.#offer(DMA_IN);
      return;
    }
    this.#offer(DATA_IN);
    this.setInterrupt(1);
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
    this.setInterrupt(1);
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
    if (this.dma === null || (f.phase !== DMA_IN && f.phase !== DMA_OUT)) return;
    const reading = f.phase === DMA_IN;
    f.position += this.dma.move(f.buffer.subarray(f.position, f.limit), reading);
    if (f.position < f.limit) return;
    if (!reading) this.begin(STORE, STORE_NS);
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
      slave: this.slave,
      serial: this.identity.serial ?? '',
      firmware: this.identity.firmware ?? '0.1',
      model: this.identity.model ?? 'TCG86 HARDDISK',
    });
  }
}
