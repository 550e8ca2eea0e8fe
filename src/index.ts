/**
 * The library: a PC that boots images and can be driven by a program.
 *
 *     import { Machine } from 'tcg86';
 *     const machine = Machine.open({ memory: '16M', fda: 'boot.img', hda: 'disk.img', snapshot: true, boot: 'a' });
 *     await machine.expect(/# $/m);
 *     await machine.type('ls\n');
 *     await machine.expect(/# $/m);
 *     console.log(machine.screen());
 *     machine.close();
 *
 * The machine runs only while one of its calls is awaited; in between, its time stands still. Machines share nothing, so a
 * process can run several at once.
 */
import type { CacheMode, DetectZeroes } from './backends/block/drive.ts';
import { identityOf } from './backends/block/host-file.ts';
import type { OpenImage } from './backends/block/open.ts';
import { ownImage, readFirmware, readOptionRom } from './backends/firmware.ts';
import { encodePng } from './backends/png.ts';
import type { LocalFolder } from './backends/shared-folder.ts';
import type { SecurityModel } from './backends/shared-folder.ts';
import { randomBytes } from 'node:crypto';
import { Cpu } from './cpu/cpu.ts';
import type { ExecutorOptions } from './cpu/exec.ts';
import type { Log } from './cpu/log.ts';
import { DEFAULT_MODEL, parseCpuModel } from './cpu/models.ts';
import type { FloppyDriveType } from './devices/fdc-media.ts';
import type { AudioBackend, BlockBackend, CharBackend, NetBackend } from './devices/host.ts';
import { Pc } from './devices/pc.ts';
import type { ConsolePort } from './devices/virtio-console.ts';
import type { VirtioBalloon } from './devices/virtio-balloon.ts';
import { PVPANIC_EVENTS, PVPANIC_PORT } from './devices/pvpanic.ts';
import type { BalloonOptions, BalloonStatistics } from './devices/virtio-balloon.ts';
import type { InputKind } from './devices/virtio-input.ts';
import { isKeyName } from './devices/ps2-keys.ts';
import { threadTime } from './backends/thread-time.ts';
import { bootOf, uuidOf } from './library/boot.ts';
import { cardsOf, nicOf, openShares } from './library/cards.ts';
import { FLOPPY_LETTERS, DISK_LETTERS, driveAt, floppyDrive, openDrive, openDrives, reporting } from './library/drives.ts';
import { tapped, unplugged } from './library/lines.ts';
import { GuestTime } from './machine/guest-time.ts';
import { createHost } from './machine/host.ts';
import { InstructionTime } from './machine/icount.ts';
import type { IcountOptions } from './machine/icount.ts';
import { MachineCore } from './machine/machine.ts';
import type { SmbiosOptions } from './machine/boot/smbios-fields.ts';
import { countedRandom } from './machine/random.ts';
import type { Host, MachineOptions, RunResult } from './machine/machine.ts';
import { parseMouse, parsePlace } from './machine/pointer.ts';
import type { MediumOptions, RemovableDrive } from './machine/media.ts';
import { parseSize } from './machine/size.ts';
import { SlowTime } from './machine/slow-time.ts';
import { profileReport } from './machine/profile-report.ts';
import { collectStats } from './machine/stats.ts';
import { SymbolTable, parseSymbols } from './machine/symbols.ts';
import type { Stats } from './machine/stats.ts';
import { KeyboardLayout, parseChord, parseTyping } from './machine/typing.ts';

export interface DriveOptions {
  /** A disk image; empty: nothing is in the CD-ROM drive. */
  file: string;
  /** raw, qcow2, qed, vdi, vmdk, vpc; not given: guessed from the file. */
  format?: string;
  /** ide: 0-3 are hda-hdd; floppy: 0 and 1 are A and B; virtio: a PCI card each, in the order of their index. */
  interface: 'ide' | 'floppy' | 'virtio';
  index: number;
  /** ide: a hard disk (default) or a CD-ROM drive. */
  media?: 'disk' | 'cdrom';
  readOnly?: boolean;
  /** Keep writes in memory; the image never changes. */
  snapshot?: boolean;
  /** When writes reach stable storage: at the guest's flush (writeback, the default; none), at once, or whenever. */
  cache?: CacheMode;
  /** Sectors of zeros are not stored; unmap: and give back their room. */
  detectZeroes?: DetectZeroes;
  /** The guest may give room back to the host. */
  discard?: boolean;
  /** ide, virtio: its serial number, at most 20 ASCII characters; default for ide: TCG00001 to TCG00004 by place, for virtio: none. */
  serial?: string;
  /** ide: what it calls itself (40 characters), and its firmware (8). */
  model?: string;
  firmware?: string;
  /** Its place in the order of booting: the least boots first, before `boot` says more. */
  bootIndex?: number;
}

/** A network card. */
export interface NicOptions {
  /** `e1000` (default), `ne2k_pci`, `virtio-net-pci` and others: `tcg86 -nic model=help` lists them. */
  model?: string;
  /** Its address; default 52:54:00:12:34:56 and upwards. */
  mac?: string;
  /** Where its cable leads: openUserNetwork(), or a network of one's own; null: nowhere. The caller closes it. */
  network: NetBackend | null;
  /** ne2k_isa: its first port and its interrupt. */
  iobase?: number;
  irq?: number;
  /** Its place in the order of booting, for a firmware that boots from it. */
  bootIndex?: number;
}

/** A folder of the host that the guest mounts by 9P (virtio, 9P2000.L). */
export interface ShareOptions {
  path: string;
  /** The guest's name for it, at most 32 ASCII characters: `mount -t 9p -o trans=virtio TAG /mnt`. */
  tag: string;
  /** The guest can change nothing. */
  readOnly?: boolean;
  /** What the guest makes belongs to whom it says, if the host lets us (`none`, the default); `passthrough`: else it is an error. */
  security?: SecurityModel;
}

/** What `Machine.open` builds. Everything may be left out: then it is a PC of 128 MB without drives. */
export interface PcOptions extends Omit<MachineOptions, 'changeMedium'> {
  /** Guest memory: a number of MiB, or text like `16M`; default 128M. */
  memory?: number | string;
  /** Images of the floppies in drives A and B. */
  fda?: string;
  fdb?: string;
  /** Images of the hard disks. */
  hda?: string;
  hdb?: string;
  hdc?: string;
  hdd?: string;
  /** What is in the CD-ROM drive, which is the third IDE drive. It is there, and empty, unless hdc or `drives` have something else in its place; null: it is not there. */
  cdrom?: string | null;
  drives?: readonly DriveOptions[];
  /** What drives A and B are: `1.44M`, `2.88M`, `1.2M`, `720K`, `360K`. Default, and `auto`: what suits the medium, 2.88M if there is none. `none`: there is no such drive. */
  floppyDrives?: readonly (FloppyDriveType | 'auto' | 'none' | null)[];
  /** Boot order, letters as in QEMU's -boot: a floppy, c disk, d CD-ROM; default `cad`. */
  boot?: string;
  /** The order of the first start only. */
  bootOnce?: string;
  /** The firmware offers a menu of what it can boot from, and waits `bootMenuWait` milliseconds (2500 if left out) for the key. */
  bootMenu?: boolean;
  bootMenuWait?: number;
  /** Nothing boots but what has a bootIndex, if anything has. */
  bootStrict?: boolean;
  /** Milliseconds after which a firmware that found nothing to boot starts again; default: never. */
  rebootTimeout?: number;
  /** `pc` (default), or `isapc`: no PCI, no ACPI; its default processor is a 486. */
  machine?: 'pc' | 'isapc';
  /** The processor, as in QEMU's -cpu: `486`, `pentium`, `pentium3`, `qemu32` (default), `max`, with `,+feature` and `,-feature`. */
  cpu?: string;
  /** Keep all writes in memory. */
  snapshot?: boolean;
  /** The keyboard layout that the guest uses, by QEMU's names (`de`, `fr`, `en-gb`): what type() presses for a character. Default: en-us. */
  keyboardLayout?: string;
  /** Another firmware file. */
  bios?: string;
  /** What SMBIOS tells the guest of firmware (0), system (1), chassis (3) and more: fields by their names in QEMU's -smbios. */
  smbios?: SmbiosOptions;
  /** A kernel that is started without a disk: Linux (bzImage, zImage), or multiboot. */
  kernel?: string;
  /** Its initrd; for multiboot modules `FILE ARGUMENTS,FILE ARGUMENTS`. */
  initrd?: string;
  /** Its command line. */
  append?: string;
  /** The VGA adapter; 'none': the machine has no display. */
  vga?: 'std' | 'none';
  /** Another VGA option ROM. */
  vgaBios?: string;
  /** MiB of video memory: a power of two from 1 to 256; default 16. */
  vgaMemory?: number;
  /** The guest's clock at power on, its UTC fields being what the guest reads; default: now. */
  rtcBase?: Date;
  /** What the guest's clock goes on with: the host's time (default) or virtual time. They differ with `icount` only. */
  rtcClock?: 'host' | 'vm';
  /**
   * Virtual time is made of instructions: two runs with the same options and calls are the same to the byte, if nothing else
   * comes from the host (rtcBase given, rtcClock 'vm', no keys but by calls).
   */
  icount?: IcountOptions;
  /** COM1 to COM4. Without it COM1 is there, and what it sends is in the transcript only. */
  serials?: readonly (CharBackend | null)[];
  /** false: the board has no high precision event timer. */
  hpet?: boolean;
  /** false: the board has no VMware port, and no mouse behind it. */
  vmport?: boolean;
  /** What the PC speaker plays to, e.g. a WavFile; the caller closes it, after the machine. */
  speaker?: AudioBackend | null;
  /** LPT1 and LPT2: what is printed. Without it LPT1 is there, and what it prints is nobody's. */
  parallels?: readonly (CharBackend | null)[];
  /** Network cards; default: none. */
  nics?: readonly NicOptions[];
  /** What the guest writes to port E9h. */
  debugConsole?: CharBackend | null;
  /** Its port (E9h if not given), and what that reads as (E9h). */
  debugPort?: { iobase: number; readback: number };
  /** A virtio-serial card with these ports; consoles come first. */
  virtioPorts?: readonly ConsolePort[];
  /** Folders of the host that the guest can mount. It never gets out of them, symbolic links included. */
  shares?: readonly ShareOptions[];
  /** A virtio balloon: balloon() asks the guest for memory. */
  balloon?: BalloonOptions;
  /** virtio keyboards, mice and tablets: once the guest has drivers for them they take the place of the PS/2 ones. */
  inputs?: readonly InputKind[];
  /** Virtio entropy devices; default: none. */
  rngs?: number;
  /** QEMU's pc-testdev, for kvm-unit-tests. */
  testDevice?: boolean;
  /** QEMU's pvpanic, by which the guest says that it panicked: its port (505h) and the events that it knows (bit 0 panicked, 1 crash-loaded). */
  pvpanic?: { ioport?: number; events?: number } | null;
  /** isa-debug-exit: run() ends with code (value << 1) | 1. */
  debugExit?: { iobase: number; iosize: number } | null;
  /** Hot code is compiled to JavaScript (default); else all of it is interpreted. */
  jit?: boolean;
  /** Guest instructions spent in a block after which it is compiled; 0: at once. */
  jitThreshold?: number;
  /** All compiled code is checked against the interpreter; a difference is a LockstepError of the call that runs the machine. Slow. */
  lockstep?: boolean;
  /** Translate single instructions. */
  oneInsnPerTb?: boolean;
  /** Bytes of translated code that are kept. */
  tbBytes?: number;
  /**
   * Slows the processor to so many million instructions a second (0.01 to 10000, fractions too: 0.3 is an 8088, 8 a 386DX-33), for software that cannot bear
   * a fast one. The guest's clocks go on with the host's. Not with `icount`.
   */
  speed?: number;
  /** Names of optimization passes to leave out. */
  disabledPasses?: readonly string[];
  /** Notes where instructions retire, for profile(). */
  profile?: boolean;
  log?: Log | null;
  /** Where time comes from and how the machine sleeps; default: this process. */
  host?: Host;
  /** Told in one line of an image that could not be read or written; the guest sees an I/O error. Once for each image. */
  warn?: (message: string) => void;
  /** Told in one line what the user should know: that a format was guessed, that the guest panicked. */
  notify?: (message: string) => void;
}

const DEFAULT_MEMORY = '128M';
/** The processor of an ISA PC. */
const ISA_MODEL = '486';
function videoMemoryOf({ vga = 'std', vgaMemory = 16 }: PcOptions): number {
  if (vga === 'none') return 0;
  if (vgaMemory < 1 || vgaMemory > 256 || !Number.isInteger(Math.log2(vgaMemory))) throw new Error(`video memory of ${vgaMemory} MiB: must be a power of two from 1 to 256`);
  return vgaMemory * 2 ** 20;
}

function executorOptions({ jit, jitThreshold, lockstep, oneInsnPerTb, tbBytes, disabledPasses, log, profile }: PcOptions): ExecutorOptions {
  const given = Object.entries({ jit, jitThreshold, lockstep, oneInsnPerTb, tbBytes, disabledPasses, log, profile }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** An i440FX PC with its images and host. */
export class Machine extends MachineCore<Pc<Cpu>> {
  readonly #options: PcOptions;
  /** Of the IDE drives. */
  readonly #disks: (OpenImage | null)[];
  readonly #virtio: readonly (OpenImage | null)[];
  /** What is in drives A and B. */
  readonly #floppies: (OpenImage | null)[];
  /** What the guest's keyboard layout is said to be. */
  readonly keyboardLayout: KeyboardLayout;
  readonly #folders: readonly LocalFolder[];
  #closed = false;

  private constructor(pc: Pc<Cpu>, drives: ReturnType<typeof openDrives>, folders: readonly LocalFolder[], options: PcOptions, host: Host, time: GuestTime | SlowTime | InstructionTime, layout: KeyboardLayout) {
    super(pc, host, time, { ...options, changeMedium: (drive, file, medium) => this.change(drive, file, medium) });
    this.#options = options;
    this.#disks = drives.disks;
    this.#virtio = drives.virtio;
    this.#floppies = drives.floppies;
    this.#folders = folders;
    this.keyboardLayout = layout;
  }

  /**
   * Builds a machine and opens its images; it starts to run with the first call that is awaited.
   * @throws Error with a one-line message: a missing or empty image, a bad size, a drive given twice, a shift that there is not.
   */
  static open(options: PcOptions = {}): Machine {
    const memory = typeof options.memory === 'number' ? options.memory * 2 ** 20 : parseSize(options.memory ?? DEFAULT_MEMORY);
    const bios = readFirmware(options.bios ?? ownImage('bios.bin'));
    const vgaBios = readOptionRom(options.vgaBios ?? ownImage('vgabios.bin'));
    const isa = options.machine === 'isapc', model = parseCpuModel(options.cpu ?? (isa ? ISA_MODEL : DEFAULT_MODEL)), boot = bootOf(options, memory, model);
    const layout = new KeyboardLayout(options.keyboardLayout ?? 'en-us');
    const host = options.host ?? createHost();
    let cpu: Cpu | null = null;
    const counted = options.icount === undefined ? null : new InstructionTime(options.icount, () => cpu?.retired ?? 0, () => host.now());
    if (counted !== null && options.speed !== undefined) throw new Error('speed and icount exclude each other');
    const time = counted ?? (options.speed === undefined ? new GuestTime(() => host.now()) : new SlowTime(options.speed, () => cpu?.retired ?? 0, () => host.now()));
    const drives = openDrives(options);
    const { floppies, disks, all } = drives;
    const backendOf = (image: OpenImage | null): BlockBackend | null => image && reporting(image, options);
    let machine: Machine | null = null, folders: readonly LocalFolder[] = [];
    try {
      folders = openShares(options);
      const random = counted === null ? () => randomBytes(4).readInt32LE() : countedRandom();
      const pc = new Pc<Cpu>({
        memory, isa, bios, vgaBios, videoMemory: videoMemoryOf(options), time: () => time.now(), rtcBase: (options.rtcBase ?? new Date()).getTime(), bootOrder: options.boot ?? '', bootOnce: options.bootOnce ?? '', ...boot, apic: model.features.has('apic'), hpet: options.hpet !== false, vmport: options.vmport !== false, ...uuidOf(options), testDevice: options.testDevice === true, cards: cardsOf(options, drives.virtio.flatMap((image, index) => (image === null ? [] : [{ disk: reporting(image, options), serial: driveAt(options, 'virtio', index)?.serial ?? '' }])), folders, random), powerOff: () => machine?.powerOff(),
        ...(counted === null || options.rtcClock === 'vm' ? {} : { rtcTime: () => counted.host.now() }),
        floppies: floppies.map((image, unit) => floppyDrive(backendOf(image), options.floppyDrives?.[unit] ?? null, unit)),
        disks: disks.map((image, index) => (driveAt(options, 'ide', index)?.media === 'cdrom' ? { medium: backendOf(image) } : backendOf(image))),
        identities: disks.map((_, index) => driveAt(options, 'ide', index)),
        serials: (options.serials ?? [unplugged()]).map((line) => line && tapped(line, (byte) => machine?.transcript.serialByte(byte))),
        speaker: options.speaker ?? null,
        parallels: options.parallels ?? [unplugged()],
        nics: (options.nics ?? []).map(nicOf),
        debugConsole: options.debugConsole ?? null, ...(options.debugPort === undefined ? {} : { debugPort: options.debugPort }),
        pvpanic: options.pvpanic ? { ioport: PVPANIC_PORT, events: PVPANIC_EVENTS, ...options.pvpanic, happened: (event) => {
          options.notify?.(event === 'panicked' ? 'the guest panicked' : 'the guest panicked, and its crash kernel takes over');
          if (event === 'panicked') machine?.panicked();
        } } : null,
        debugExit: options.debugExit ? { ...options.debugExit, exit: (code) => machine?.exit(code) } : null,
      }, (socket) => cpu = new Cpu({ ...socket, ...executorOptions(options), model, random, clocks: { now: () => host.now() / 1e6, threadTime } }));
      pc.clock.waitsForHost = counted !== null;
      machine = new Machine(pc, drives, folders, options, host, time, layout);
      pc.reset();
      return machine;
    } catch (error) {
      for (const open of [...all, ...folders]) open.close();
      throw error;
    }
  }

  /**
   * Runs until the transcript matches: text that came on the screen or the serial line since the call before this one began.
   * A screen row ends at the cursor or at its last written column, so `/# $/m` means that the cursor stands after a prompt.
   * @throws StepError if the machine ends, or options.timeout passes, first
   */
  async expect(pattern: RegExp): Promise<void> {
    await this.run([{ kind: 'expect', pattern }]);
  }

  /**
   * Types text on the guest's keyboard layout (`\n` Enter, `{f1}`, `{ctrl-d}`, `\\{` a brace) and runs until the guest has taken it.
   * @throws Error for what the keyboard has no key for; StepError if the guest does not read its keyboard
   */
  async type(text: string): Promise<void> {
    await this.run([{ kind: 'type', chords: parseTyping(text, isKeyName, this.keyboardLayout), text }]);
  }

  /** Presses a key or combination by QEMU's names: `f1`, `ctrl-alt-delete`. @throws Error, StepError as type() */
  async key(name: string): Promise<void> {
    await this.run([{ kind: 'key', chords: [parseChord(name, isKeyName)], text: name }]);
  }

  /**
   * Moves the mouse by counts (to the right, downwards), turns its wheel by clicks (away from the user), and runs until the guest has been told.
   * @param buttons those held from now on: names joined by `+` (left, middle, right, side, extra), none if left out
   * @throws Error for an unknown button or a fraction; StepError if the guest does not read its mouse
   */
  async mouse(right: number, down: number, buttons = '', wheel = 0): Promise<void> {
    const text = `${right},${down},${buttons},${wheel}`;
    await this.run([{ kind: 'mouse', ...parseMouse(text), text }]);
  }

  /**
   * Points at a place on the screen, from 0 (left, top) to 1, and runs until the guest has been told. Buttons and wheel as mouse().
   * @throws StepError if the guest drives neither a tablet (options.inputs) nor the pointer of the VMware port
   */
  async point(x: number, y: number, buttons = '', wheel = 0): Promise<void> {
    const text = `${x},${y},${buttons},${wheel}`;
    await this.run([{ kind: 'point', ...parsePlace(text), text }]);
  }

  /**
   * Asks the guest to keep `size` of its memory (MiB, or text like `96M`) and give back the rest, or to take it again; it does so as it runs.
   * @throws Error without a balloon (options.balloon), or for a size that is not within the machine's memory
   */
  balloon(size: number | string): void {
    const bytes = typeof size === 'number' ? size * 2 ** 20 : parseSize(size), { memory } = this.board;
    if (!(bytes > 0 && bytes <= memory.ramSize)) throw new Error(`balloon ${size}: the guest has ${memory.ramSize / 2 ** 20}M of memory`);
    this.#balloon().wanted = memory.ramSize - bytes;
  }

  /** Bytes of memory that the guest has kept, and what it says of them. @throws Error without a balloon */
  memory(): { readonly actual: number; readonly statistics: BalloonStatistics } {
    const { given, statistics } = this.#balloon();
    return { actual: this.board.memory.ramSize - given, statistics };
  }

  #balloon(): VirtioBalloon {
    const { balloon } = this.board;
    if (balloon === null) throw new Error('the machine has no balloon');
    return balloon;
  }

  /**
   * Changes what is in a floppy or CD-ROM drive, as QEMU's monitor does by `change` and `eject`: null takes it out. The guest sees the drive's
   * change line, or hears of it by unit attention and event. The image before is closed; this one is a snapshot if open() was given that option.
   * @throws Error with one line for what cannot be: no such drive, a drive that the guest holds shut (it is asked to open it), or an image that
   * cannot be opened or does not fit; then nothing changes
   */
  change(drive: RemovableDrive, file: string | null, medium: MediumOptions = {}): void {
    if (this.#closed) throw new Error('the machine is closed');
    const { images, index, kind, insert } = this.#removable(drive), before = images[index]!;
    const others = this.#images.filter((one) => one !== null && one !== before) as OpenImage[];
    // A medium that is put in again is read again.
    if (before !== null && file !== null && before.identity === identityOf(file)) {
      insert(null);
      images[index] = null;
      this.#closeImage(before);
    }
    const image = file === null ? null : openDrive({ file, interface: kind, index, ...medium, ...(kind === 'ide' ? { media: 'cdrom' } : {}) }, this.#options, others);
    try {
      insert(image && reporting(image, this.#options));
    } catch (error) {
      image?.close();
      throw error;
    }
    if (images[index] !== null) this.#closeImage(before!);
    images[index] = image;
  }

  /** A drive whose medium can be changed now. @throws Error */
  #removable(drive: RemovableDrive): { kind: 'floppy' | 'ide'; index: number; images: (OpenImage | null)[]; insert: (medium: BlockBackend | null) => void } {
    const floppy = FLOPPY_LETTERS.findIndex((name) => name === drive), index = DISK_LETTERS.findIndex((name) => name === drive);
    if (floppy >= 0) return { kind: 'floppy', index: floppy, images: this.#floppies, insert: (medium) => this.board.fdc.insert(floppy, medium) };
    const cdrom = this.board.cdrom(index);
    if (cdrom === null) throw new Error(`'${drive}' is no CD-ROM drive`);
    if (cdrom.holdsMedium) {
      cdrom.requestEject();
      throw new Error(`drive '${drive}' is locked by the guest, which has been asked to open it: try again`);
    }
    return { kind: 'ide', index, images: this.#disks, insert: (medium) => cdrom.insert(medium) };
  }

  get #images(): readonly (OpenImage | null)[] {
    return [...this.#disks, ...this.#virtio, ...this.#floppies];
  }

  /** Runs for `seconds` of virtual time. */
  async wait(seconds: number): Promise<void> {
    await this.run([{ kind: 'wait', seconds }]);
  }

  /** The screen as a PNG file's bytes. */
  screenshot(): Uint8Array {
    return encodePng(this.board.picture());
  }

  /** All counters, as `--stats` writes them. */
  stats(): Stats {
    return collectStats(this.board.cpu, this.retired);
  }

  /**
   * Hottest regions and blocks as text, as `--profile` writes it.
   * @param symbols names for guest addresses
   * @throws Error if the machine was opened without `profile`
   */
  profile(symbols?: SymbolTable): string {
    return profileReport(this.board.cpu.exec, this.retired, symbols);
  }

  override async run(...[steps]: Parameters<MachineCore['run']>): Promise<RunResult> {
    if (this.#closed) throw new Error('the machine is closed');
    return super.run(steps);
  }

  /** What the guest wrote goes into the file at last. */
  #closeImage(image: OpenImage): void {
    try {
      image.close();
    } catch (error) {
      this.#options.warn?.((error as Error).message);
    }
  }

  /** Stops the machine and gives back its images. It cannot run after it; closing twice is allowed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    for (const image of this.#images) if (image !== null) this.#closeImage(image);
    for (const folder of this.#folders) folder.close();
    this.board.speaker?.catchUp();
  }
}

export { ImageError } from './backends/block/error.ts';
export { Log, parseLogFilter } from './cpu/log.ts';
export { openChar } from './backends/char.ts';
export type { CharHost, CharOptions, OpenCharBackend } from './backends/char.ts';
export { LockstepError } from './cpu/lockstep-report.ts';
export { StepError } from './machine/automation.ts';
export type { Step } from './machine/automation.ts';
export type { MediumOptions, RemovableDrive } from './machine/media.ts';
export { DatagramNetwork } from './backends/net/datagrams.ts';
export { Hub } from './backends/net/hub.ts';
export { SocketNetwork } from './backends/net/socket.ts';
export { openUserNetwork } from './backends/net/user.ts';
export type { OpenNetwork, PortForward, UserOptions } from './backends/net/user.ts';
export { WavFile } from './backends/wav.ts';
export type { AudioBackend, CharBackend, NetBackend, NetPort, Picture, TextScreen } from './devices/host.ts';
export { SymbolTable, parseSymbols };
export type { Host, RunResult, Stats };
