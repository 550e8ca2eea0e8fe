/**
 * The host bridge of the 440FX chipset (82441FX, PMC), function 00:00.0: which of RAM and ROM answers between C0000h and FFFFFh
 * (PAM registers 59h-5Fh), and the RAM behind the video memory (SMRAM register 72h). The memory controller's timing and size
 * registers are storage only.
 * Source: Intel 82441FX datasheet (290549), section 3.2.
 */
import type { Device } from './device.ts';
import { DeviceState } from './device.ts';
import { PCI_COMMAND, PCI_STATUS, PciConfig, pciHeader } from './pci.ts';
import type { PciFunction } from './pci.ts';

const PAM0 = 0x59;
const PAM6 = 0x5f;
const SMRAM = 0x72;
const SMRAM_OPEN = 0x40;
const SMRAM_LOCK = 0x10;
/** Legacy video space A0000h: the only base that the register has. */
const SMRAM_BASE = 0x02;

const READ_ENABLE = 1;
const WRITE_ENABLE = 2;

/** The areas that the PAM registers switch, in the order of their half-bytes from PAM0's upper one on. */
export const PAM_SEGMENTS: readonly { readonly base: number; readonly size: number }[] = [
  { base: 0xf0000, size: 0x10000 },
  ...Array.from({ length: 12 }, (_, i) => ({ base: 0xc0000 + i * 0x4000, size: 0x4000 })),
];

export interface I440fxOutputs {
  /** Segment (index in PAM_SEGMENTS): do reads and writes reach RAM? Those that do not go to the ROM and the PCI bus. */
  pam(segment: number, readRam: boolean, writeRam: boolean): void;
  /** RAM, not video memory, answers at A0000h-BFFFFh. */
  smram(open: boolean): void;
}

/** Power-on values beside the header: [offset, bytes...]. */
const DEFAULTS: readonly (readonly number[])[] = [
  [PCI_COMMAND, 0x06, 0x00],
  [PCI_STATUS, 0x80, 0x02],
  [0x53, 0x80],
  [0x57, 0x01, 0x10],
  [0x60, 1, 1, 1, 1, 1, 1, 1, 1],
  [0x71, 0x10, SMRAM_BASE],
];

function initial(): Uint8Array {
  const bytes = pciHeader({
    vendor: 0x8086,
    device: 0x1237,
    revision: 2,
    classCode: 0x060000,
    // As QEMU's board has it: firmware written for that board knows this one by it.
    subsystemVendor: 0x1af4,
    subsystem: 0x1100,
  });
  for (const [offset, ...values] of DEFAULTS) bytes.set(values, offset);
  return bytes;
}

export class I440fx implements Device, PciFunction {
  readonly name = 'i440fx';
  readonly state = new DeviceState(1, { config: initial() });
  readonly config: PciConfig;
  readonly #outputs: I440fxOutputs;

  constructor(outputs: I440fxOutputs) {
    this.#outputs = outputs;
    this.config = new PciConfig(this.state.fields.config, (offset, size) => this.#written(offset, size))
      .writable(PCI_COMMAND, 2, 0x0140)
      .clearable(PCI_STATUS, 2, 0xf900)
      .writable(0x0d, 1, 0xf8)
      .writable(0x50, 4, -1)
      .writable(0x54, 4, -1)
      .writable(0x58, 1, 0xff)
      .writable(PAM0, 1, 0x30)
      .writable(0x5a, 4, 0x33333333)
      .writable(0x5e, 2, 0x3333)
      .writable(0x60, 4, -1)
      .writable(0x64, 4, -1)
      .writable(0x68, 1, 0xff)
      .writable(0x70, 2, 0xf8f8)
      .writable(SMRAM, 1, 0x78)
      .writable(0x90, 1, 0xff)
      .clearable(0x91, 1, 0x13)
      .writable(0x93, 1, 0xff);
    this.restored();
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  restored(): void {
    this.#lockSmram();
    for (let segment = 0; segment < PAM_SEGMENTS.length; segment++) this.#drivePam(segment);
    this.#outputs.smram((this.config.bytes[SMRAM] & SMRAM_OPEN) !== 0);
  }

  #written(offset: number, size: number): void {
    for (let at = offset; at < offset + size; at++) {
      if (at >= PAM0 && at <= PAM6) {
        const segment = 2 * (at - PAM0);
        if (segment > 0) this.#drivePam(segment - 1);
        this.#drivePam(segment);
      } else if (at === SMRAM) {
        this.#writtenSmram();
      }
    }
  }

  #drivePam(segment: number): void {
    const register = this.config.bytes[PAM0 + ((segment + 1) >> 1)];
    const bits = segment % 2 === 0 ? register >> 4 : register;
    this.#outputs.pam(segment, (bits & READ_ENABLE) !== 0, (bits & WRITE_ENABLE) !== 0);
  }

  #writtenSmram(): void {
    this.#lockSmram();
    this.#outputs.smram((this.config.bytes[SMRAM] & SMRAM_OPEN) !== 0);
  }

  /** The lock closes the memory and lasts until the next reset. */
  #lockSmram(): void {
    const { bytes } = this.config;
    const locked = (bytes[SMRAM] & SMRAM_LOCK) !== 0;
    if (locked) bytes[SMRAM] &= ~SMRAM_OPEN;
    this.config.writable(SMRAM, 1, locked ? 0x28 : 0x78);
  }
}
