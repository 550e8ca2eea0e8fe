/**
 * The library: a PC that boots images and can be driven by a program.
 *
 *     import { Machine } from 'tcg86';
 *     const machine = Machine.open({ memory: '16M', fda: 'boot.img', hda: 'disk.img', snapshot: true, boot: 'a' });
 *     await machine.expect(/# $/m);
 *     await machine.type('ls\n');
 *     console.log(machine.screen());
 *     machine.close();
 */
import { openImage } from './backends/block.ts';
import type { OpenImage } from './backends/block.ts';
import { ownImage, readFirmware, readOptionRom } from './backends/firmware.ts';
import { encodePng } from './backends/png.ts';
import { Cpu } from './cpu/cpu.ts';
import type { Log } from './cpu/log.ts';
import { floppySectors } from './devices/fdc-media.ts';
import type { CharBackend } from './devices/host.ts';
import { Pc } from './devices/pc.ts';
import { isKeyName } from './devices/ps2-keys.ts';
import { createHost } from './machine/host.ts';
import { MachineCore } from './machine/machine.ts';
import type { MachineOptions, RunResult } from './machine/machine.ts';
import { parseSize } from './machine/size.ts';
import { collectStats } from './machine/stats.ts';
import type { Stats } from './machine/stats.ts';
import { parseChord, parseTyping } from './machine/typing.ts';

export interface DriveOptions {
  /** A raw disk image. */
  file: string;
  /** ide: 0-3 are hda-hdd; floppy: 0 and 1 are A and B. */
  interface: 'ide' | 'floppy';
  index: number;
  readOnly?: boolean;
  /** Keep writes in memory; the image never changes. */
  snapshot?: boolean;
}

export interface PcOptions extends MachineOptions {
  /** Guest memory: a number of MiB, or text like `16M`; default 128M. */
  memory?: number | string;
  fda?: string;
  fdb?: string;
  hda?: string;
  hdb?: string;
  hdc?: string;
  hdd?: string;
  drives?: readonly DriveOptions[];
  /** Boot order, letters as in QEMU's -boot: a floppy, c disk. */
  boot?: string;
  /** Keep all writes in memory. */
  snapshot?: boolean;
  /** Another firmware file. */
  bios?: string;
  /** Another VGA option ROM. */
  vgaBios?: string;
  /** The guest's clock at power on, its UTC fields being what the guest reads; default: now. */
  rtcBase?: Date;
  /** COM1 to COM4. Without it COM1 is there, and what it sends is in the transcript only. */
  serials?: readonly (CharBackend | null)[];
  /** What the guest writes to port E9h. */
  debugConsole?: CharBackend | null;
  /** isa-debug-exit: run() ends with code (value << 1) | 1. */
  debugExit?: { iobase: number; iosize: number } | null;
  /** Bytes of translated code that are kept. */
  tbBytes?: number;
  disabledPasses?: readonly string[];
  log?: Log | null;
}

const DEFAULT_MEMORY = '128M';
const DISK_LETTERS = ['hda', 'hdb', 'hdc', 'hdd'] as const;
const FLOPPY_LETTERS = ['fda', 'fdb'] as const;

function drivesOf(options: PcOptions): DriveOptions[] {
  const short = (kind: 'ide' | 'floppy', names: readonly (typeof DISK_LETTERS[number] | typeof FLOPPY_LETTERS[number])[]): DriveOptions[] =>
    names.flatMap((name, index) => (options[name] === undefined ? [] : [{ file: options[name], interface: kind, index }]));
  return [...short('floppy', FLOPPY_LETTERS), ...short('ide', DISK_LETTERS), ...options.drives ?? []];
}

/** A line without a cable: what the guest sends is only seen by the machine's transcript. */
const unplugged = (): CharBackend => ({ receive: null, write: () => {} });

/** An i440FX PC with its images and host. */
export class Machine extends MachineCore<Pc<Cpu>> {
  readonly #images: OpenImage[];

  private constructor(pc: Pc<Cpu>, images: OpenImage[], options: PcOptions, host: ReturnType<typeof createHost>) {
    super(pc, host, options);
    this.#images = images;
  }

  /**
   * Builds a machine and opens its images.
   * @throws Error with a one-line message: a missing or empty image, a bad size, a drive given twice.
   */
  static open(options: PcOptions = {}): Machine {
    const host = createHost();
    const images: OpenImage[] = [];
    try {
      const open = (kind: 'ide' | 'floppy', count: number): (OpenImage | null)[] => Array.from({ length: count }, (_, index) => {
        const [drive, second] = drivesOf(options).filter((one) => one.interface === kind && one.index === index);
        if (second !== undefined) throw new Error(`drive ${index} (${kind}) is given twice`);
        if (drive === undefined) return null;
        const image = openImage(drive.file, {
          readOnly: drive.readOnly === true, snapshot: options.snapshot === true || drive.snapshot === true, ...(kind === 'floppy' ? { present: floppySectors } : {}),
        });
        images.push(image);
        return image;
      });
      const floppies = open('floppy', 2), disks = open('ide', 4);
      const memory = typeof options.memory === 'number' ? options.memory * 2 ** 20 : parseSize(options.memory ?? DEFAULT_MEMORY);
      // Our firmware holds the VGA BIOS and unpacks it itself; others look for an option ROM.
      const bios = readFirmware(options.bios ?? ownImage('bios.bin'));
      const vgaBios = readOptionRom(options.vgaBios ?? ownImage('vgabios.bin'));
      let machine: Machine | null = null;
      const start = host.now();
      const pc = new Pc<Cpu>({
        memory, bios, vgaBios, time: () => host.now() - start, rtcBase: (options.rtcBase ?? new Date()).getTime(), bootOrder: options.boot ?? '',
        // A PC has drive A even when it is empty; drive B only if something is in it.
        floppies: [{ medium: floppies[0]?.backend ?? null }, floppies[1] === null ? null : { medium: floppies[1]!.backend }],
        disks: disks.map((image) => image?.backend ?? null),
        serials: (options.serials ?? [unplugged()]).map((line) => line && tapped(line, (byte) => machine?.transcript.serialByte(byte))),
        debugConsole: options.debugConsole ?? null,
        debugExit: options.debugExit ? { ...options.debugExit, exit: (code) => machine?.exit(code) } : null,
      }, (socket) => new Cpu({ ...socket, tbBytes: options.tbBytes ?? undefined, disabledPasses: options.disabledPasses ?? [], log: options.log ?? null }));
      machine = new Machine(pc, images, options, host);
      pc.reset();
      return machine;
    } catch (error) {
      for (const image of images) image.close();
      throw error;
    }
  }

  /** Runs until the transcript matches. @throws StepError if the machine ends or the timeout passes first. */
  async expect(pattern: RegExp): Promise<void> {
    await this.run([{ kind: 'expect', pattern }]);
  }

  /** Types text (`\n` Enter, `{f1}`, `{ctrl-d}`) and runs until the guest has taken it. */
  async type(text: string): Promise<void> {
    await this.run([{ kind: 'type', chords: parseTyping(text, isKeyName) }]);
  }

  /** Presses a key or combination by QEMU's names: `f1`, `ctrl-alt-delete`. */
  async key(name: string): Promise<void> {
    await this.run([{ kind: 'type', chords: [parseChord(name, isKeyName)] }]);
  }

  /** Runs for `seconds` of virtual time. */
  async wait(seconds: number): Promise<void> {
    await this.run([{ kind: 'wait', seconds }]);
  }

  /** The screen as a PNG file's bytes. */
  screenshot(): Uint8Array {
    return encodePng(this.board.picture());
  }

  stats(): Stats {
    return collectStats(this.board.cpu, this.retired);
  }

  /** Gives back the images. The machine cannot run after it. */
  close(): void {
    for (const image of this.#images) image.close();
  }
}

/** The same line, with what the guest sends also given to `tap`. */
function tapped(line: CharBackend, tap: (byte: number) => void): CharBackend {
  return {
    get receive() {
      return line.receive;
    },
    set receive(callback) {
      line.receive = callback;
    },
    write: (byte) => {
      tap(byte);
      line.write(byte);
    },
  };
}

export { ImageError } from './backends/block.ts';
export { Log, parseLogFilter } from './cpu/log.ts';
export { StepError } from './machine/automation.ts';
export type { Step } from './machine/automation.ts';
export type { CharBackend, Picture, TextScreen } from './devices/host.ts';
export type { RunResult, Stats };
