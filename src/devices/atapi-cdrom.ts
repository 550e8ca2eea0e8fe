/**
 * An ATAPI CD-ROM drive: its task file, the PACKET protocol by PIO and DMA, its tray and what is in it.
 * What packets mean: atapi-commands.ts. Source: ATA-6 (T13/1410D) §8.23 (PACKET), §9.1–9.11 (protocols); INF-8020; MMC-3 (T10/1363D).
 *
 * The registers of a packet command: features bit 0 DMA; cylinder: how many bytes the host takes at a time, and at DRQ how many there
 * are; count, the interrupt reason: bit 0 a packet is wanted, or (with bit 1) the command is over; bit 1 data for the host.
 * In the error register bits 7–4 are the sense key. After a reset the cylinder says EB14h, and the drive is not ready before its first command.
 *
 * Like a disk it is BUSY until a deadline, and longer if the host's answer is late.
 */
import { SET_TRANSFER_MODE, setTransferMode } from './ata-commands.ts';
import { AtaDevice, DEFAULT_DMA_MODE, IDLE, READY, RESET_NS } from './ata-device.ts';
import type { AtaDeviceOptions, AtaKind } from './ata-device.ts';
import { ATA_ABRT, ATA_DIAGNOSTIC_PASSED, ATA_DRQ, ATA_ERR } from './ata-registers.ts';
import { showSignature } from './ata-task-file.ts';
import { CD_COMMANDS, Packet } from './atapi-commands.ts';
import type { CdCommand, CdDrive, Outcome } from './atapi-commands.ts';
import { identifyCdrom } from './atapi-identify.ts';
import { AUDIO_DEFAULT, RECOVERY_DEFAULT } from './atapi-replies.ts';
import { INVALID_OPCODE, MEDIUM_CHANGED, NO_MEDIUM, NO_SENSE, READ_ERROR, RESET_OCCURRED, TRAY_OPEN } from './atapi-sense.ts';
import type { Sense } from './atapi-sense.ts';
import { CD_SECTOR, cdMedium } from './cd-medium.ts';
import type { CdMedium } from './cd-medium.ts';
import { writeParts } from './cd-sector.ts';
import type { Answer } from './deadline.ts';
import { DeviceState } from './device.ts';
import type { BlockBackend } from './host.ts';

// What the drive is doing, if it is not idle; `fields.phase`.
/** Before DRQ for the packet. */
const PREPARE = 1;
/** DRQ: the host writes the packet. */
const TAKE_PACKET = 2;
/** A command, until its deadline. */
const COMMAND = 3;
/** Sectors on their way from the medium to the buffer. */
const FETCH = 4;
/** Before DRQ for the next bytes of the buffer. */
const NEXT = 5;
/** DRQ: the host reads the buffer, or fills it. */
const DATA_IN = 6;
const DATA_OUT = 7;
/** DMARQ: the bus master is to take the buffer, or to fill it. */
const DMA_IN = 8;
const DMA_OUT = 9;
const RESET = 10;
const DIAGNOSTIC = 11;

const US = 1000;
const COMMAND_NS = 100 * US;
/** From one block of data to the next. */
const NEXT_NS = 2 * US;
const PREPARE_NS = 2 * US;
const DIAGNOSTIC_NS = 1000 * US;

const SIGNATURE = 0xeb14;
/** Interrupt reason. */
const REASON_PACKET = 1, REASON_IN = 2, REASON_OUT = 0, REASON_OVER = 3;
const FEATURE_DMA = 1, FEATURE_OVERLAP = 2;
const PACKET_BYTES = 12;
const BUFFER = 65536;
const EVENT_EJECT = 1, EVENT_NEW = 2, EVENT_REMOVED = 3;

// Commands of the ATA set that a packet device knows.
const DEVICE_RESET = 0x08, READ_SECTORS = 0x20, PACKET_COMMAND = 0xa0, IDENTIFY_PACKET = 0xa1, IDENTIFY = 0xec, SET_FEATURES = 0xef;
/** Standby, idle, sleep, immediate or not: the motor is no concern of ours. */
const POWER = new Set([0xe0, 0xe1, 0xe2, 0xe3, 0xe6]);
const CHECK_POWER_MODE = 0xe5, ACTIVE = 0xff;

const KIND: AtaKind = { reset: RESET, diagnostic: DIAGNOSTIC, diagnosticNs: DIAGNOSTIC_NS, signature: SIGNATURE, statusAfterReset: 0 };

export interface AtapiCdromOptions extends AtaDeviceOptions {
  medium: BlockBackend | null;
}

const cdromState = () => new DeviceState(1, {
  features: 0, count: 1, sector: 1, cylinderLow: SIGNATURE & 0xff, cylinderHigh: SIGNATURE >> 8, device: 0,
  countBefore: 0, sectorBefore: 0, cylinderLowBefore: 0, cylinderHighBefore: 0,
  status: 0, error: ATA_DIAGNOSTIC_PASSED, command: 0, interrupt: 0, dmaMode: DEFAULT_DMA_MODE,
  phase: IDLE, deadline: 0,
  packet: new Uint8Array(PACKET_BYTES), dma: 0, byteLimit: 0,
  lba: 0, remaining: 0, parts: 0, unit: 0, // next sector, sectors still to read, what is wanted of each, bytes of that
  block: 0, // sectors on their way
  position: 0, limit: 0, filled: 0, // of the buffer: what the host has moved, is to move at this DRQ, is to move in all
  buffer: new Uint8Array(BUFFER),
  senseKey: 0, senseCode: 0, senseQualifier: 0,
  attention: RESET_OCCURRED[1], // code of the unit attention that waits; 0: none
  event: 0, locked: 0, trayOpen: 0,
  recovery: Uint8Array.from(RECOVERY_DEFAULT), audio: Uint8Array.from(AUDIO_DEFAULT),
});

export class AtapiCdrom extends AtaDevice<ReturnType<typeof cdromState>> implements CdDrive {
  readonly answersForSlave = false;
  /** What lies in the drive, with the tray open or not. */
  #disc: CdMedium | null;

  constructor(options: AtapiCdromOptions) {
    super(options, cdromState(), KIND);
    this.#disc = cdMedium(options.medium);
  }

  /** RESET#: the tray stays as it is. */
  override reset(): void {
    const { trayOpen } = this.fields;
    super.reset();
    this.fields.trayOpen = trayOpen;
  }

  get medium(): CdMedium | null {
    return this.fields.trayOpen !== 0 ? null : this.#disc;
  }

  /** The guest holds the tray shut. */
  get holdsMedium(): boolean {
    return this.fields.locked !== 0 && this.fields.trayOpen === 0;
  }

  /** Somebody pressed the button of a drive that is locked: the guest may open the tray. */
  requestEject(): void {
    this.fields.event = EVENT_EJECT;
  }

  /** Puts another medium in and shuts the tray; null: takes the medium out, and leaves the tray open. */
  insert(medium: BlockBackend | null): void {
    const f = this.fields;
    this.#disc = cdMedium(medium);
    f.trayOpen = Number(medium === null);
    f.locked = 0;
    this.#mediumMoved();
  }

  moveTray(open: boolean): void {
    const f = this.fields;
    if (f.trayOpen === Number(open)) return;
    f.trayOpen = Number(open);
    this.#mediumMoved();
  }

  /** What the guest is told of a medium that came or went. */
  #mediumMoved(): void {
    const f = this.fields;
    f.event = this.medium === null ? EVENT_REMOVED : EVENT_NEW;
    if (this.medium !== null) f.attention = MEDIUM_CHANGED[1];
  }

  takeSense(): Sense {
    const f = this.fields;
    if (f.senseKey === 0 && f.attention !== 0) return this.#takeAttention();
    const sense: Sense = [f.senseKey, f.senseCode, f.senseQualifier];
    this.#setSense(NO_SENSE);
    return sense;
  }

  #takeAttention(): Sense {
    const sense: Sense = [6, this.fields.attention, 0];
    this.fields.attention = 0;
    return sense;
  }

  takeEvent(): number {
    const { event } = this.fields;
    this.fields.event = 0;
    return event;
  }

  readData(): number {
    const { fields: f } = this.state;
    if (f.phase !== DATA_IN) return 0;
    const value = f.buffer[f.position]! | (f.position + 1 < f.limit ? f.buffer[f.position + 1]! << 8 : 0);
    f.position = Math.min(f.position + 2, f.limit);
    if (f.position < f.limit) return value;
    if (f.command === PACKET_COMMAND) this.begin(NEXT, NEXT_NS);
    else this.idle(); // IDENTIFY's end is no interrupt
    return value;
  }

  writeData(value: number): void {
    const { fields: f } = this.state;
    if (f.phase !== TAKE_PACKET && f.phase !== DATA_OUT) return;
    const target = f.phase === TAKE_PACKET ? f.packet : f.buffer;
    target[f.position] = value & 0xff;
    if (f.position + 1 < f.limit) target[f.position + 1] = value >> 8;
    f.position = Math.min(f.position + 2, f.limit);
    if (f.position === f.limit) this.begin(f.phase === TAKE_PACKET ? COMMAND : NEXT, f.phase === TAKE_PACKET ? COMMAND_NS : NEXT_NS);
  }

  /** The command register; ignored while busy, but for DEVICE RESET. */
  execute(code: number): void {
    const f = this.fields;
    if (code === DEVICE_RESET) {
      this.setInterrupt(0);
      this.begin(RESET, RESET_NS);
      return;
    }
    if (this.busy) return;
    this.setInterrupt(0);
    f.command = code;
    f.error = 0;
    if (code !== PACKET_COMMAND) {
      this.begin(COMMAND, COMMAND_NS);
      return;
    }
    f.dma = f.features & FEATURE_DMA;
    f.byteLimit = f.cylinderLow | (f.cylinderHigh << 8);
    if ((f.features & FEATURE_OVERLAP) !== 0 || (f.dma !== 0 && this.dma === null)) f.error = ATA_ABRT;
    this.begin(f.error === 0 ? PREPARE : COMMAND, f.error === 0 ? PREPARE_NS : COMMAND_NS);
  }

  moveByDma(): void {
    const f = this.fields;
    if (this.dma === null || (f.phase !== DMA_IN && f.phase !== DMA_OUT)) return;
    f.position += this.dma.move(f.buffer.subarray(f.position, f.filled), f.phase === DMA_IN);
    if (f.position === f.filled) this.#moved();
  }

  protected hostPart(): ((answer: Answer) => void) | null {
    const f = this.fields, medium = this.medium;
    if (f.phase !== FETCH || medium === null || f.lba + f.block > medium.sectors) return null;
    const data = new Uint8Array(f.block * CD_SECTOR);
    this.fetched = data;
    return (answer) => medium.read(f.lba, data, answer);
  }

  protected due(failure: Error | undefined): void {
    const f = this.fields;
    switch (f.phase) {
      case PREPARE:
        f.position = 0;
        f.limit = PACKET_BYTES;
        return this.#show(TAKE_PACKET, REASON_PACKET);
      case COMMAND: return f.command === PACKET_COMMAND && f.error === 0 ? this.#runPacket() : this.#runAta();
      case FETCH: return this.#finishFetch(failure);
      case NEXT: return f.position < f.filled ? this.#offer() : this.#moved();
    }
  }

  #runAta(): void {
    const f = this.fields;
    if (f.command === IDENTIFY_PACKET) {
      identifyCdrom(f.buffer, { ...this.identity, dmaMode: f.dmaMode, slave: this.slave });
      f.position = f.remaining = f.dma = 0;
      f.limit = f.filled = 512;
      this.#show(DATA_IN, REASON_IN);
      this.setInterrupt(1);
      return;
    }
    // A host that takes this for a disk learns what it is.
    if (f.command === IDENTIFY || f.command === READ_SECTORS) showSignature(f, SIGNATURE);
    const { device } = f;
    if (f.command === CHECK_POWER_MODE) f.count = ACTIVE;
    else if (f.command === SET_FEATURES && f.features === SET_TRANSFER_MODE) f.error = setTransferMode(f);
    else if (!POWER.has(f.command)) f.error = ATA_ABRT;
    f.device = device;
    this.#over(f.error);
  }

  get #command(): CdCommand | undefined {
    return CD_COMMANDS.get(this.fields.packet[0]!);
  }

  #runPacket(): void {
    const f = this.fields, command = this.#command;
    f.remaining = 0;
    if (f.attention !== 0 && command?.always !== true) return this.#fail(this.#takeAttention());
    if (command === undefined) return this.#fail(INVALID_OPCODE);
    if (command.needsMedium && this.medium === null) return this.#fail(f.trayOpen !== 0 ? TRAY_OPEN : NO_MEDIUM);
    const outcome = command.run(this, new Packet(f.packet));
    // Sense data is of the command before; REQUEST SENSE has taken it.
    this.#setSense(NO_SENSE);
    this.#conclude(outcome);
  }

  #conclude(outcome: Outcome): void {
    const f = this.fields;
    if (outcome.kind === 'done') return this.#over(0);
    if (outcome.kind === 'failed') return this.#fail(outcome.sense);
    // By PIO the host has to say how much it takes.
    if (f.dma === 0 && f.byteLimit === 0) return this.#over(ATA_ABRT);
    if (outcome.kind === 'read') {
      f.lba = outcome.lba;
      f.remaining = outcome.count;
      f.parts = outcome.parts;
      f.unit = outcome.unit;
      return this.#fetch();
    }
    f.filled = outcome.kind === 'receive' ? outcome.length : Math.min(outcome.bytes.length, outcome.allocation);
    f.position = 0;
    if (f.filled === 0) return this.#over(0);
    if (outcome.kind === 'reply') f.buffer.set(Array.prototype.slice.call(outcome.bytes, 0, f.filled));
    this.#offer();
  }

  #fetch(): void {
    const f = this.fields;
    f.block = Math.min(f.remaining, Math.floor(BUFFER / Math.max(f.unit, CD_SECTOR)));
    this.begin(FETCH, COMMAND_NS);
  }

  #finishFetch(failure: Error | undefined): void {
    const f = this.fields, data = this.fetched;
    this.fetched = null;
    // The medium may have been changed under the command.
    if (data === null) return this.#fail(this.medium === null ? f.trayOpen !== 0 ? TRAY_OPEN : NO_MEDIUM : this.#takeAttention());
    if (failure !== undefined) return this.#fail(READ_ERROR);
    for (let i = 0; i < f.block; i++) writeParts(f.parts, f.lba + i, data.subarray(i * CD_SECTOR, (i + 1) * CD_SECTOR), f.buffer.subarray(i * f.unit));
    f.lba += f.block;
    f.remaining -= f.block;
    f.position = 0;
    f.filled = f.block * f.unit;
    this.#offer();
  }

  /** Data that goes to the drive. */
  get #receives(): boolean {
    return this.#command?.store !== undefined;
  }

  /** Asks for the next bytes of the buffer to be moved. */
  #offer(): void {
    const f = this.fields, receives = this.#receives;
    if (f.dma !== 0) {
      this.#show(receives ? DMA_OUT : DMA_IN, receives ? REASON_OUT : REASON_IN);
      this.moveByDma();
      return;
    }
    const left = f.filled - f.position;
    // Only the last part may have an odd number of bytes.
    const bytes = left <= f.byteLimit ? left : f.byteLimit > 1 ? f.byteLimit & ~1 : 1;
    f.limit = f.position + bytes;
    f.cylinderLow = bytes & 0xff;
    f.cylinderHigh = bytes >> 8;
    this.#show(receives ? DATA_OUT : DATA_IN, receives ? REASON_OUT : REASON_IN);
    this.setInterrupt(1);
  }

  #show(phase: number, reason: number): void {
    const f = this.fields;
    f.phase = phase;
    f.count = reason;
    f.status = READY | ATA_DRQ;
  }

  /** All of the buffer has been moved. */
  #moved(): void {
    const f = this.fields, store = this.#command?.store;
    if (f.remaining > 0) return this.#fetch();
    this.#conclude(store === undefined ? { kind: 'done' } : store(this, new Packet(f.packet), f.buffer.slice(0, f.filled)));
  }

  #setSense([key, code, qualifier]: Sense): void {
    const f = this.fields;
    f.senseKey = key;
    f.senseCode = code;
    f.senseQualifier = qualifier;
  }

  /** Ends a packet command that failed. */
  #fail(sense: Sense): void {
    this.#setSense(sense);
    this.#over((sense[0] << 4) | ATA_ABRT);
  }

  /** Ends a command. @param error the error register, 0 for success */
  #over(error: number): void {
    const f = this.fields;
    this.idle();
    f.remaining = 0;
    if (error !== 0) f.status |= ATA_ERR;
    f.error = error;
    if (f.command === PACKET_COMMAND) f.count = REASON_OVER;
    this.setInterrupt(1);
  }
}
