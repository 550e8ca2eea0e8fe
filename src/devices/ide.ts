/**
 * One IDE channel: the task file (8 ports) and the control block (1 port) in front of up to two drives.
 * Register bits: ata-registers.ts; DMA: ide-dma.ts. Source: ATA-2 (X3T10/948D) §6–7; ATA-4 (T13/1153D) §9.16 for an absent device 1.
 *
 * Writes go to both drives, reads come from the selected one. A single master answers for an absent slave: the status
 * reads as 0, the other registers as its own (a disk) or 0 (a CD-ROM), and commands are ignored. With no drive at all the data lines float high,
 * but for DD7, which the host pulls down: 7Fh.
 */

import { AtaDisk } from './ata-disk.ts';
import type { Geometry } from './ata-geometry.ts';
import { AtapiCdrom } from './atapi-cdrom.ts';
import { EXECUTE_DEVICE_DIAGNOSTIC } from './ata-commands.ts';
import { ATA_BSY, CONTROL_HOB, CONTROL_NIEN, CONTROL_SRST, DEVICE_SELECT, REG_COMMAND, REG_DATA, REG_DEVICE, REG_STATUS } from './ata-registers.ts';
import { DeviceState } from './device.ts';
import type { Clock, Device, IrqLine } from './device.ts';
import type { BlockBackend } from './host.ts';
import type { BusMaster } from './ide-dma.ts';
import type { DriveIdentity, IdeDrive } from './ide-drive.ts';
import type { AccessSize, IoRegion } from '../memory/io-region.ts';

export { guessGeometry } from './ata-geometry.ts';
export type { Geometry } from './ata-geometry.ts';

const FLOATING = 0x7f;

/** A CD-ROM drive, and what is in it. */
export interface CdromOptions {
  readonly medium: BlockBackend | null;
}

/** A hard disk is what it stores on. */
export type IdeDriveOptions = BlockBackend | CdromOptions;

export interface IdeChannelOptions {
  /** Unique on the board, e.g. `ide0`; its drives are `ide0-master` and `ide0-slave`. */
  name: string;
  clock: Clock;
  /** IRQ 14 or 15. */
  irq: IrqLine;
  /** Master and slave. */
  drives: readonly (IdeDriveOptions | null)[];
  /** Moves data for the drives; none: there is programmed I/O only. */
  dma?: BusMaster;
  /** Default translations; guessed where not given. */
  geometries?: readonly (Geometry | null | undefined)[];
  /** Serial numbers, and what else the drives are to say. */
  identities?: readonly (DriveIdentity | null | undefined)[];
}

export class IdeChannel implements Device {
  readonly name: string;
  readonly state = new DeviceState(1, {
    /** Device control, as written. */
    control: 0,
    /** The selected drive while no drive is there that could know. */
    device: 0,
  });
  /** Master and slave. They are devices with a state of their own: a save state holds `devices`. */
  readonly drives: readonly [IdeDrive | null, IdeDrive | null];
  /** 1F0–1F7, 170–177. */
  readonly commandBlock: IoRegion;
  /** 3F6, 376. */
  readonly controlBlock: IoRegion;
  readonly #irq: IrqLine;
  readonly #dma: BusMaster | null;

  constructor(options: IdeChannelOptions) {
    this.name = options.name;
    this.#irq = options.irq;
    this.#dma = options.dma ?? null;
    // Only the drive of the running command has anything to move.
    if (this.#dma !== null) this.#dma.started = () => this.drives.forEach((drive) => drive?.moveByDma());
    const drive = (index: 0 | 1): IdeDrive | null => {
      const given = options.drives[index] ?? null;
      if (given === null) return null;
      const common = {
        name: `${options.name}-${index === 0 ? 'master' : 'slave'}`, clock: options.clock, slave: index === 1, dma: this.#dma,
        identity: options.identities?.[index] ?? {}, onInterrupt: () => this.#updateIrq(),
      };
      return 'medium' in given ? new AtapiCdrom({ ...common, medium: given.medium }) : new AtaDisk({ ...common, backend: given, geometry: options.geometries?.[index] ?? undefined });
    };
    this.drives = [drive(0), drive(1)];
    this.commandBlock = {
      name: options.name,
      size: 8,
      minAccess: 1,
      maxAccess: 4,
      read: (offset, size) => this.#read(offset, size),
      write: (offset, value, size) => this.#write(offset, value, size),
    };
    this.controlBlock = {
      name: `${options.name}-control`,
      size: 1,
      minAccess: 1,
      maxAccess: 1,
      read: () => this.#status(),
      write: (_offset, value) => this.#writeControl(value),
    };
  }

  /** The channel and its drives, for the board's list. */
  get devices(): readonly Device[] {
    return [this, ...this.drives.filter((drive) => drive !== null)];
  }

  reset(): void {
    this.state.reset();
    for (const drive of this.drives) drive?.reset();
    this.#updateIrq();
  }

  restored(): void {
    this.#updateIrq();
  }

  #slave(): boolean {
    const any = this.drives[0] ?? this.drives[1];
    return any === null ? (this.state.fields.device & DEVICE_SELECT) !== 0 : any.selectsSlave;
  }

  #selected(): IdeDrive | null {
    return this.drives[this.#slave() ? 1 : 0];
  }

  #updateIrq(): void {
    const enabled = (this.state.fields.control & CONTROL_NIEN) === 0;
    const level = enabled && (this.#selected()?.interrupt ?? false);
    this.#dma?.interrupt.set(level);
    this.#irq.set(level);
  }

  #status(): number {
    const selected = this.#selected();
    if (selected !== null) return selected.status;
    return this.drives[0] === null ? FLOATING : 0;
  }

  #read(offset: number, size: AccessSize): number {
    if (offset === REG_DATA) return this.#readData(size);
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#readRegister(offset + i) << (8 * i);
    return value;
  }

  #readData(size: AccessSize): number {
    const selected = this.#selected();
    if (selected === null) return this.drives[0] === null ? 0xff7f_ff7f | 0 : 0;
    const low = selected.readData();
    return size === 4 ? low | (selected.readData() << 16) : low;
  }

  #readRegister(offset: number): number {
    if (offset === REG_STATUS) {
      const status = this.#status();
      this.#selected()?.acknowledge();
      return status;
    }
    const selected = this.#selected(), answering = selected ?? this.drives[0];
    if (answering === null) return FLOATING;
    return selected === null && !answering.answersForSlave ? 0 : answering.readRegister(offset, (this.state.fields.control & CONTROL_HOB) !== 0);
  }

  #write(offset: number, value: number, size: AccessSize): void {
    if (offset === REG_DATA) {
      const selected = this.#selected();
      selected?.writeData(value & 0xffff);
      if (size === 4) selected?.writeData(value >>> 16);
      return;
    }
    for (let i = 0; i < size; i++) this.#writeRegister(offset + i, (value >> (8 * i)) & 0xff);
  }

  #writeRegister(offset: number, value: number): void {
    this.state.fields.control &= ~CONTROL_HOB;
    if (offset === REG_COMMAND) {
      this.#command(value);
      return;
    }
    for (const drive of this.drives) drive?.writeRegister(offset, value);
    if (offset === REG_DEVICE) {
      this.state.fields.device = value;
      this.#updateIrq();
    }
  }

  #command(code: number): void {
    if (code !== EXECUTE_DEVICE_DIAGNOSTIC) {
      this.#selected()?.execute(code);
      return;
    }
    if (((this.#selected() ?? this.drives[0])?.status ?? ATA_BSY) & ATA_BSY) return;
    for (const drive of this.drives) drive?.diagnose();
  }

  #writeControl(value: number): void {
    const { fields } = this.state;
    const before = fields.control;
    fields.control = value;
    if (((before ^ value) & CONTROL_SRST) !== 0) {
      for (const drive of this.drives) drive?.softReset((value & CONTROL_SRST) !== 0);
      fields.device = 0;
    }
    this.#updateIrq();
  }
}
