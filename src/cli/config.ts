/** What the command line asks for, before anything is opened. Filled by options.ts, read by main.ts. */
import type { SmbiosOptions } from '../machine/boot/smbios-fields.ts';
import type { CacheMode, DetectZeroes } from '../backends/block/drive.ts';
import type { BalloonOptions } from '../devices/virtio-balloon.ts';
import type { InputKind } from '../devices/virtio-input.ts';
import type { FloppyDriveType } from '../devices/fdc-media.ts';
import type { Actions } from '../machine/actions.ts';
import type { Step } from '../machine/automation.ts';
import type { AudioOption } from './audio.ts';
import type { ChardevOption, LineOption } from './chardevs.ts';
import type { CatalogueFile } from './catalogue.ts';
import type { DeviceModel } from './device-model.ts';
import type { DriveDevice } from './drive-devices.ts';
import type { DumpOption, NetdevOption, NicOption } from './network.ts';
import type { SharedFolderOption } from './sharing.ts';
import type { IcountOptions } from '../machine/icount.ts';

export interface DriveOption {
  file: string;
  interface: 'ide' | 'floppy' | 'virtio';
  /** Position on the interface: 0-3 (ide: hda-hdd), 0-1 (floppy), 0-23 (virtio). */
  index: number;
  /** A CD-ROM drive, which may have no file. */
  media?: 'cdrom';
  readOnly: boolean;
  snapshot: boolean;
  /** Not given: guessed from the file. */
  format?: string;
  cache?: CacheMode;
  detectZeroes?: DetectZeroes;
  discard?: boolean;
  /** Its name in messages. */
  id?: string;
  serial?: string;
  model?: string;
  firmware?: string;
  /** Its place in the order of booting. */
  bootIndex?: number;
  /** The option as written, for messages: `-fda`, `-drive`. */
  option: string;
  /** Of a named machine: what the file will be. Any other option for this place takes it. */
  image?: CatalogueFile;
}

export interface Config {
  name: string;
  /** Bytes of guest RAM. */
  memory: number;
  drives: DriveOption[];
  /** Drives of if=none: they wait for a -device that names them. */
  looseDrives: DriveOption[];
  /** Drives of -device: they are put in their places when all options are read. */
  driveDevices: DriveDevice[];
  /** What drives A and B are, where -device says it. */
  floppyDrives: [FloppyDriveType | 'auto' | 'none' | null, FloppyDriveType | 'auto' | 'none' | null];
  /** Letters of QEMU's -boot: a floppy, c disk, d CD, n network. */
  bootOrder: string;
  /** What else -boot says: another order for the first start, the menu and how long it waits, how long a failure is shown (ms), and that nothing but what has a bootindex boots. */
  boot: { once: string; menu: boolean; splashTime: number | null; rebootTimeout: number | null; strict: boolean };
  snapshot: boolean;
  /** -action, -no-reboot and -no-shutdown. */
  actions: Partial<Actions>;
  bios: string | null;
  /** The processor's model and changes to it, or null for the default. */
  cpu: string | null;
  kernel: string | null;
  initrd: string | null;
  append: string | null;
  vga: 'std' | 'none' | null;
  /** What -device VGA says of the adapter: that there is one, its ROM, its memory in MiB. */
  vgaDevice: { rom: string | null; memory: number | null } | null;
  accelerator: {
    jit: boolean;
    /** Guest instructions after which a block is compiled, or null for the default. */
    jitThreshold: number | null;
    lockstep: boolean;
    oneInsnPerTb: boolean;
    /** Code cache in MiB, or null for the default. */
    tbSize: number | null;
    disabledPasses: string[];
    /** Million instructions a second, or null for as many as there can be. */
    speed: number | null;
  };
  /** What the guest's keyboard layout is: which keys type a text. */
  keyboardLayout: string;
  rtc: {
    /** utc, localtime or a date. */
    base: string;
    clock: 'host' | 'rt' | 'vm';
  };
  /** null: virtual time follows the host. */
  icount: IcountOptions | null;
  display: 'term' | 'none' | null;
  noGraphic: boolean;
  /** COM1 to COM4, LPT1 and LPT2, port E9h. */
  serial: LineOption[];
  parallel: LineOption[];
  debugcon: LineOption | null;
  /** What -device isa-debugcon says of that port. */
  debugPort: { iobase: number; readback: number } | null;
  /** Where sound can go, and which of them has that of the PC speaker. */
  audiodevs: AudioOption[];
  speaker: string | null;
  /** Character devices of -chardev. */
  chardevs: ChardevOption[];
  /** -device virtio-serial-pci: there is a card for ports. */
  virtioSerial: boolean;
  /** Its ports, in order. */
  virtioPorts: { console: boolean; chardev: string; name?: string; option: string }[];
  /** Folders of -fsdev, and those that are cards' by -virtfs or -device virtio-9p-pci. */
  fsdevs: SharedFolderOption[];
  shares: { fsdev: string; tag: string; option: string }[];
  /** A virtio balloon; null: none. */
  balloon: BalloonOptions | null;
  /** virtio keyboards, mice and tablets. */
  inputs: InputKind[];
  /** Entropy devices. */
  rngs: number;
  netdevs: NetdevOption[];
  nics: NicOption[];
  dumps: DumpOption[];
  /** -nic none: no card, but those of -device. */
  noNic: boolean;
  /** false: -nodefaults, there is only what the options name. */
  defaults: boolean;
  testDevice: boolean;
  /** -smbios and -uuid. */
  smbios: SmbiosOptions;
  /** Places in the boot order that devices have by bootindex. */
  bootIndexes: number[];
  /** -M. */
  machine: 'pc' | 'isapc';
  /** Of -device: names that are taken, and where each goes. */
  deviceIds: string[];
  deviceBuses: { bus: DeviceModel['bus']; place: string | null; name: string; option: string }[];
  /** There is a high precision event timer; the VMware port. */
  hpet: boolean;
  vmport: boolean;
  debugExit: { iobase: number; iosize: number } | null;
  pvpanic: { ioport: number; events: number } | null;
  logItems: string[];
  logFile: string | null;
  logFilter: string | null;
  stats: string | null;
  profile: string | null;
  /** Files with names of guest addresses, and what is added to those. */
  symbols: { file: string; offset: number }[];
  /** Seconds for the whole run, or null. */
  timeout: number | null;
  steps: Step[];
}

export const defaultConfig = (): Config => ({
  name: 'tcg86', memory: 128 * 2 ** 20, drives: [], looseDrives: [], driveDevices: [], floppyDrives: [null, null], bootOrder: '', boot: { once: '', menu: false, splashTime: null, rebootTimeout: null, strict: false }, snapshot: false, actions: {}, bios: null, cpu: null, kernel: null, initrd: null, append: null, vga: null, vgaDevice: null,
  accelerator: { jit: true, jitThreshold: null, lockstep: false, oneInsnPerTb: false, tbSize: null, disabledPasses: [], speed: null },
  rtc: { base: 'utc', clock: 'host' }, icount: null, keyboardLayout: 'en-us', display: null, noGraphic: false, serial: [], parallel: [], audiodevs: [], speaker: null, debugcon: null, debugPort: null, netdevs: [], nics: [], dumps: [], noNic: false, defaults: true, chardevs: [], virtioSerial: false, virtioPorts: [], fsdevs: [], shares: [], balloon: null, inputs: [], rngs: 0, testDevice: false, hpet: true, vmport: true, smbios: {}, machine: 'pc', deviceIds: [], bootIndexes: [], deviceBuses: [], debugExit: null, pvpanic: null, logItems: [], logFile: null, logFilter: null,
  stats: null, profile: null, symbols: [], timeout: null, steps: [],
});
