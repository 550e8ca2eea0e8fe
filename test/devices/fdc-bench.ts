/** A floppy controller with its DMA channel, for tests: the programs of a driver, and a clock that is stepped. */
import { expect } from 'vitest';
import { MemoryDisk } from '../../src/backends/block/memory.ts';
import { FloppyController } from '../../src/devices/fdc.ts';
import type { FloppyDriveOptions } from '../../src/devices/fdc.ts';
import { PHASE_TRANSFER } from '../../src/devices/fdc-state.ts';
import { I8237 } from '../../src/devices/i8237.ts';
import { SteppedClock } from './stepped-clock.ts';

export const MS = 1_000_000;
export const DOR = 2, TDR = 3, MSR = 4, DSR = 4, FIFO = 5;

/** A medium whose sector n is filled with the byte n + 1. */
export const medium = (sectors: number, readOnly = false): MemoryDisk => {
  const disk = new MemoryDisk(new Uint8Array(sectors * 512), { readOnly });
  for (let i = 0; i < sectors; i++) disk.data.fill(i + 1, i * 512, i * 512 + 512);
  return disk;
};

/** A controller with its DMA channel and the programs of a driver. */
export class Bench {
  readonly clock = new SteppedClock();
  readonly memory = new Uint8Array(65536);
  readonly dma = new I8237('dma1', 8, {
    readBytes: (address, into) => into.set(this.memory.subarray(address, address + into.length)),
    writeBytes: (address, from) => this.memory.set(from, address),
  }, () => 0);
  readonly fdc: FloppyController;
  edges = 0;
  level = false;

  constructor(drives: (FloppyDriveOptions | null)[]) {
    const irq = {
      set: (level: boolean) => {
        if (level && !this.level) this.edges++;
        this.level = level;
      },
    };
    this.fdc = new FloppyController({ clock: this.clock, irq, dma: this.dma.channels[2], drives });
  }

  get(offset: number): number {
    return this.fdc.ports.read(offset, 1);
  }

  put(offset: number, value: number): void {
    this.fdc.ports.write(offset, value, 1);
  }

  /** Reset, motors A and B on, 500 kbit/s, SPECIFY with 3 ms steps and DMA. */
  start(): void {
    this.put(DOR, 0x3c);
    this.clock.step(MS);
    for (let unit = 0; unit < 4; unit++) expect(this.command(0x08)).toEqual([0xc0 | unit, 0]);
    this.fdc.dirPort.write(0, 0, 1);
    this.command(0x03, 0xdf, 0x02);
    this.edges = 0;
  }

  /** Sends bytes, lets the command run, reads the result. */
  command(...bytes: number[]): number[] {
    for (const byte of bytes) {
      expect(this.get(MSR) & 0xc0).toBe(0x80);
      this.put(FIFO, byte);
    }
    this.clock.step(1000 * MS);
    return this.results();
  }

  /** Lets the disk turn until the controller wants the host's bytes. */
  untilTransfer(): void {
    for (let step = 0; this.fdc.state.fields.phase !== PHASE_TRANSFER; step++) {
      if (step > 20_000) throw new Error('no transfer');
      this.clock.step(MS / 10);
    }
  }

  /** ns until the interrupt, in steps of 10 us. */
  untilInterrupt(): number {
    const start = this.clock.now();
    while (!this.level) {
      this.clock.step(MS / 100);
      if (this.clock.now() - start > 3000 * MS) throw new Error('no interrupt');
    }
    return this.clock.now() - start;
  }

  /** Sends bytes; ns until the command's interrupt. */
  time(...bytes: number[]): number {
    for (const byte of bytes) this.put(FIFO, byte);
    return this.untilInterrupt();
  }

  results(): number[] {
    const result: number[] = [];
    while ((this.get(MSR) & 0xd0) === 0xd0) result.push(this.get(FIFO));
    return result;
  }

  /** Programs DMA channel 2: type 1 to memory, 2 from memory. */
  program(type: number, count: number, address = 0): void {
    const put = (register: number, value: number) => this.dma.io.write(register, value, 1);
    put(0xa, 6);
    put(0xc, 0);
    put(0xb, 0x40 | (type << 2) | 2);
    put(4, address & 0xff);
    put(4, address >> 8);
    put(5, (count - 1) & 0xff);
    put(5, (count - 1) >> 8);
    put(0xa, 2);
  }

  /** Command bytes of READ DATA, WRITE DATA and their like. */
  sectors(code: number, [c, h, r]: [number, number, number], options: { unit?: number; eot?: number; dtl?: number } = {}): number[] {
    const { unit = 0, eot = 18, dtl = 0xff } = options;
    return this.command(code, (h << 2) | unit, c, h, r, 2, eot, 0x1b, dtl);
  }

  seek(cylinder: number, unit = 0): void {
    this.command(0x0f, unit, cylinder);
    expect(this.command(0x08)).toEqual([0x20 | unit, cylinder]);
  }
}
