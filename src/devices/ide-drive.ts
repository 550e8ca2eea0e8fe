/** A drive on an IDE channel, as the channel sees it: a hard disk (ata-disk.ts) or a CD-ROM (atapi-cdrom.ts). */
import type { Device } from './device.ts';

/** What a drive says of itself in its identification; cut to 20, 40 and 8 ASCII characters. */
export interface DriveIdentity {
  readonly serial?: string | undefined;
  readonly model?: string | undefined;
  readonly firmware?: string | undefined;
}

export interface IdeDrive extends Device {
  readonly status: number;
  /** INTRQ, before nIEN and drive selection. */
  readonly interrupt: boolean;
  /** Drive 1 of the pair is addressed. */
  readonly selectsSlave: boolean;
  /** As drive 0 it shows its registers also where drive 1 is selected and absent. */
  readonly answersForSlave: boolean;
  /** Reading the status register takes the interrupt back. */
  acknowledge(): void;
  /** A task file register other than data and status. @param high HOB is set */
  readRegister(offset: number, high: boolean): number;
  writeRegister(offset: number, value: number): void;
  /** 16 bits of the data port. */
  readData(): number;
  writeData(value: number): void;
  /** The command register. */
  execute(code: number): void;
  /** EXECUTE DEVICE DIAGNOSTIC, sent to both drives. */
  diagnose(): void;
  /** SRST is set, or no longer set. */
  softReset(asserted: boolean): void;
  /** The bus master has been started. */
  moveByDma(): void;
}
