/**
 * The board of an i440FX/PIIX3 PC: the one place where addresses, IRQs and slots are wired.
 *
 *     0000-000F  i8237 (DMA 0-3)        0170-0177, 0376  IDE, secondary          04D0, 04D1  i8259 ELCR
 *     0020-0021  i8259 master           01F0-01F7, 03F6  IDE, primary            0CF8-0CFF   PCI configuration, CF9 reset
 *     0040-0043  i8254                  02E8-02EF        COM4
 *     0060, 0064 i8042                  02F8-02FF        COM2                    IRQ 0 i8254    8 mc146818
 *     0061       port 61h               03B0-03DF        VGA                         1 i8042   12 i8042 (mouse)
 *     0070-0071  mc146818               03E8-03EF        COM3                        3 COM2, 4  13 FPU error
 *     0080-008F  DMA pages              03F0-03F5, 03F7  floppy                      4 COM1, 3  14 IDE, primary
 *     0092       A20, reset             03F8-03FF        COM1                        6 floppy  15 IDE, secondary
 *     0378-037A  LPT1                   0278-027A        LPT2                        7 LPT1, 5 LPT2
 *     00A0-00A1  i8259 slave
 *     00B2-00B3  APM                      0600-063F        power management (placed by the firmware), IRQ 9
 *     00C0-00DF  i8237 (DMA 4-7)        PCI 00:00.0 i440FX  00:01.0 PIIX3  00:01.1 PIIX3 IDE  00:01.3 PIIX4 power  00:02.0 VGA
 *     00E9       debug console          DMA 2 floppy
 *     00F0       FPU error                01CE-01D0        VGA (Bochs VBE)
 *     0510-0511, 0514-051B  firmware configuration      0505  pvpanic     5658  VMware port
 *
 * PCI cards (network cards, then PcConfig.cards) have the slots from 3 on, the NE2000 ports 300-31F and IRQ 9. The bus master of the PIIX3 IDE has
 * 16 ports where its base address register says.
 * An ISA PC (PcConfig.isa) has neither PCI nor power management: no ports B2, CF8 and 600; the frame buffer is at E0000000.
 * FEE00000 local APIC, FEC00000 I/O APIC, FED00000 HPET. Other physical memory: pc-memory.ts. CMOS contents: pc-cmos.ts.
 */
import type { AddressSpace, Region } from '../memory/address-space.ts';
import { PortBus } from '../memory/port-bus.ts';
import { AtaDisk } from './ata-disk.ts';
import type { Geometry } from './ata-geometry.ts';
import { AtapiCdrom } from './atapi-cdrom.ts';
import { VirtualClock } from './clock.ts';
import { DEBUG_PORT, DebugPort } from './debug-port.ts';
import type { Clock, Device, IrqLine, SavedState } from './device.ts';
import { FloppyController } from './fdc.ts';
import type { FloppyDriveOptions } from './fdc.ts';
import { FpuError } from './fpu-error.ts';
import type { AudioBackend, CharBackend, Picture, TextScreen } from './host.ts';
import { FW_CPUS, FW_MAX_CPUS, FW_RAM_SIZE, FwCfg, fwNumber } from './fw-cfg.ts';
import { HPET_BASE, Hpet } from './hpet.ts';
import { I440fx } from './i440fx.ts';
import { I8042 } from './i8042.ts';
import { DmaPages, I8237 } from './i8237.ts';
import { I8254 } from './i8254.ts';
import { I8259Pair } from './i8259.ts';
import { IdeChannel } from './ide.ts';
import type { IdeDriveOptions } from './ide.ts';
import type { DriveIdentity } from './ide-drive.ts';
import { BusMaster, busMasterPorts } from './ide-dma.ts';
import { IO_APIC_BASE, IoApic } from './io-apic.ts';
import { Line, SharedLine, unconnected } from './irq.ts';
import { IsaDebugExit } from './isa-debug-exit.ts';
import { LocalApic } from './local-apic.ts';
import { Mc146818 } from './mc146818.ts';
import { Ns16550 } from './ns16550.ts';
import { BootOnce } from './pc-boot-once.ts';
import { fillCmos } from './pc-cmos.ts';
import { ParallelPort } from './parallel-port.ts';
import { PcMemory } from './pc-memory.ts';
import { isaNics, pciNics } from './pc-nics.ts';
import type { NicConfig } from './pc-nics.ts';
import { PcTestDevice, TEST_MEMORY_BASE } from './pc-testdev.ts';
import { PcSpeaker } from './pc-speaker.ts';
import { PciBus } from './pci.ts';
import type { PciCard, PciCardMaker } from './pci-slot.ts';
import { PciVga } from './pci-vga.ts';
import { Pvpanic } from './pvpanic.ts';
import type { PanicEvent } from './pvpanic.ts';
import { Piix3, Piix3Ide } from './piix3.ts';
import { Piix4Pm } from './piix4-pm.ts';
import { PortPlaces } from './port-places.ts';
import { Port61 } from './port61.ts';
import { Port92 } from './port92.ts';
import { Ps2Keyboard } from './ps2-keyboard.ts';
import { Ps2Mouse } from './ps2-mouse.ts';
import { InputRouter } from './input-router.ts';
import { VirtioBalloon } from './virtio-balloon.ts';
import { VirtioInput } from './virtio-input.ts';
import { Vga } from './vga.ts';
import { VmMouse } from './vm-mouse.ts';
import { VM_PORT, VmPort } from './vm-port.ts';
import type { GeneralRegisters } from './vm-port.ts';

/** What the board needs of its processor. */
export interface Processor extends GeneralRegisters {
  setIntr(level: boolean): void;
  /** An edge on the NMI pin. */
  raiseNmi(): void;
  /** Address bit 20 passes. */
  setA20(open: boolean): void;
  /** The reset pin was pulsed: stop running; who drives the machine then calls Pc.reset(). */
  requestReset(): void;
  /** INIT# was pulsed, by a local APIC: stop running; who drives the machine then calls init(). */
  requestInit(): void;
  reset(): void;
}

/** What a processor finds on the board. */
export interface ProcessorSocket {
  space: AddressSpace;
  io: PortBus;
  /** INTA: the vector of the interrupt to serve. */
  acknowledge: () => number;
  /** Time-stamp counter: 1 GHz. */
  tsc: () => number;
  /** FERR#: an unmasked x87 exception waits while CR0.NE is clear. */
  fpuError: () => void;
  /** IA32_APIC_BASE; null without a local APIC. `write` is false for bits that there are not. */
  apicBase: { read: () => number; write: (low: number, high: number) => boolean } | null;
}

export interface PcConfig {
  /** Bytes of RAM: whole MiB, 1 to 2047. */
  memory: number;
  /** Firmware, at most 256 KB. */
  bios: Uint8Array;
  /** Bytes of video memory (a power of two, 1 MiB or more; 16 MiB if left out), 0: the board has no VGA adapter. */
  videoMemory?: number;
  /** The VGA adapter's option ROM, at C0000 and behind its expansion ROM register. */
  vgaBios?: Uint8Array | null;
  /** Virtual nanoseconds since power on. */
  time: () => number;
  /** What the real-time clock counts by; virtual time if left out. */
  rtcTime?: () => number;
  /** Time of day at power on: milliseconds since 1970, shown as if UTC. */
  rtcBase: number;
  /** Letters of QEMU's -boot, e.g. `ac`. Disk, floppy, CD if empty. */
  bootOrder?: string;
  /** The order of the first start; a reset brings bootOrder. */
  bootOnce?: string;
  /** Drives A and B; null = no drive. */
  floppies?: readonly (FloppyDriveOptions | null)[];
  /** Primary master, primary slave, secondary master, secondary slave: hard disks and CD-ROM drives. */
  disks?: readonly (IdeDriveOptions | null)[];
  geometries?: readonly (Geometry | null)[];
  /** What they say of themselves; a serial number that is not given is TCG00001 to TCG00004 by place. */
  identities?: readonly (DriveIdentity | null)[];
  /** COM1 … COM4; null = no port. */
  serials?: readonly (CharBackend | null)[];
  /** What the PC speaker plays to. */
  speaker?: AudioBackend | null;
  /** LPT1 and LPT2; null = no port. */
  parallels?: readonly (CharBackend | null)[];
  /** Network cards: ISA ones at 300h and IRQ 9 if they do not say otherwise, PCI ones from slot 3 on. */
  nics?: readonly NicConfig[];
  /** What the guest writes to port E9h; no port without it. */
  debugConsole?: CharBackend | null;
  /** Its port (E9h), and what that reads as. */
  debugPort?: { iobase: number; readback: number };
  /** What -kernel adds to the firmware configuration: items by number. */
  firmwareItems?: ReadonlyMap<number, Uint8Array>;
  /** Files of the firmware configuration: option ROMs as `genroms/NAME`. */
  firmwareFiles?: ReadonlyMap<string, Uint8Array>;
  /** The processor has a local APIC, and the board an I/O APIC. */
  apic?: boolean;
  /** The board has a high precision event timer; it has if left out, unless it is `isa`. */
  hpet?: boolean;
  /** The board has the VMware port, and a mouse behind it; it has if left out. */
  vmport?: boolean;
  /** What that tells as the machine's UUID: 16 bytes in the order of its text, zeros if left out. */
  uuid?: Uint8Array;
  /** The guest switched the machine off. */
  powerOff?: () => void;
  /** A board without PCI and power management. */
  isa?: boolean;
  /** Cards for the PCI slots from 3 on, in this order. */
  cards?: readonly PciCardMaker[];
  /** QEMU's pc-testdev. */
  testDevice?: boolean;
  /** The guest can say that it panicked: at this port, of these events. */
  pvpanic?: { ioport: number; events: number; happened: (event: PanicEvent) => void } | null;
  debugExit?: { iobase: number; iosize: number; exit: (code: number) => void } | null;
}

const DEFAULT_BOOT_ORDER = 'cad';
/** [port, IRQ] of COM1 … COM4. */
const SERIAL_PORTS = [[0x3f8, 4], [0x2f8, 3], [0x3e8, 4], [0x2e8, 3]] as const;
/** [port, IRQ] of LPT1 and LPT2. */
const PARALLEL_PORTS = [[0x378, 7], [0x278, 5]] as const;
/** ns a byte: a guest that left its port at 9600 baud would spend minutes of its boot on messages that a host takes at once. */
const SERIAL_FRAME_TIME = 10_000;
const FLOPPY_DMA = 2;
const VGA_SLOT = 2;
/** PCI slots of network cards and PcConfig.cards: from the first on, in this order. */
export const FIRST_CARD_SLOT = 3;
const LAST_SLOT = 31;
const VIDEO_MEMORY = 16 << 20;
/** Where an ISA VGA has its frame buffer. */
const ISA_FRAME_BUFFER = 0xe000_0000;

/** The file from which SeaBIOS knows how much RAM there is: address, length (64 bits each), type 1. */
const e820 = (memory: number): Uint8Array => Uint8Array.from([...fwNumber(0, 8), ...fwNumber(memory, 8), ...fwNumber(1, 4)]);

export class Pc<P extends Processor = Processor> {
  readonly clock: VirtualClock;
  /** The clock of what follows the host although virtual time does not; null if that is nothing. */
  readonly hostClock: VirtualClock | null;
  readonly io = new PortBus();
  readonly memory: PcMemory;
  readonly cpu: P;
  readonly pci: PciBus;
  readonly keyboard: Ps2Keyboard;
  readonly mouse: Ps2Mouse;
  readonly rtc: Mc146818;
  readonly fdc: FloppyController;
  readonly ide: readonly [IdeChannel, IdeChannel];
  /** null: there is none. */
  readonly vga: Vga | null;
  readonly pm: Piix4Pm;
  /** null: nobody hears it. */
  readonly speaker: PcSpeaker | null;
  /** Where the guest gives memory back; null: it cannot. */
  readonly balloon: VirtioBalloon | null;
  readonly serials: readonly (Ns16550 | null)[];
  /** Every device, in the order of reset; a save state holds them by name. */
  readonly devices: readonly Device[];
  readonly #i8042: I8042;
  readonly #input: InputRouter;
  readonly #irqs: readonly SharedLine[];
  readonly #pirqs: readonly SharedLine[];
  /** Ports that PCI functions have where the guest says. */
  readonly #ports = new PortPlaces(this.io);

  /**
   * @param createProcessor puts a processor into the socket
   * @throws RangeError for a configuration that the board does not take
   */
  constructor(config: PcConfig, createProcessor: (socket: ProcessorSocket) => P) {
    const clock = (this.clock = new VirtualClock(config.time));
    this.hostClock = config.rtcTime === undefined ? null : new VirtualClock(config.rtcTime);
    const { videoMemory = VIDEO_MEMORY, isa = false } = config;
    this.memory = new PcMemory({ size: config.memory, bios: config.bios, vgaBios: videoMemory > 0 ? config.vgaBios ?? null : null, videoMemory, inRam: isa });
    const { space } = this.memory;
    this.vga = videoMemory > 0 ? this.#vga(clock) : null;

    // The processor and what leads to its pins.
    const pics = new I8259Pair({ set: (level) => (localApic === null ? this.cpu.setIntr(level) : localApic.lint0.set(level)) });
    const ioApic = config.apic === true ? new IoApic(({ destination, logical, mode, vector, level }) => {
      if (localApic?.isAddressed(destination, logical) === true) localApic.deliver(mode, vector, level);
    }) : null;
    // Messages of PCI cards: address bits 31-20 are the APICs', 19-12 the destination, 2 logical; data as in the I/O APIC's entries (SDM vol. 3, 10.11).
    const message = (address: number, data: number): void => {
      if (address >>> 20 !== 0xfee || localApic?.isAddressed(address >>> 12 & 0xff, (address & 4) !== 0) !== true) return;
      localApic.deliver(data >>> 8 & 7, data & 0xff, (data & 0x8000) !== 0);
    };
    // An ISA interrupt goes to both controllers; the timer's to input 2 of the I/O APIC, where the 8259s have their cascade.
    const input2 = new SharedLine(ioApic?.inputs[2] ?? unconnected);
    this.#irqs = pics.irq.map((line, irq) => {
      if (ioApic === null) return new SharedLine(line);
      const input = irq === 0 || irq === 2 ? input2.input() : ioApic.inputs[irq]!;
      return new SharedLine({
        set: (level) => {
          line.set(level);
          input.set(level);
        },
      });
    });
    const a20 = new SharedLine({ set: (level) => this.cpu.setA20(level) });
    const reset: IrqLine = { set: (level) => level && this.cpu.requestReset() };
    const fpuError = new FpuError(this.#irq(13));
    this.cpu = createProcessor({
      space,
      io: this.io,
      acknowledge: () => (localApic ?? pics).acknowledge(),
      tsc: () => clock.now(),
      fpuError: () => fpuError.raise(),
      apicBase: config.apic === true ? { read: () => localApic!.base, write: (low, high) => localApic!.setBase(low, high) } : null,
    });
    const localApic = config.apic === true ? new LocalApic({
      clock, space, id: 0, intr: new Line((level) => this.cpu.setIntr(level)), nmi: () => this.cpu.raiseNmi(), init: () => this.cpu.requestInit(), acknowledgePic: () => pics.acknowledge(),
      endOfInterrupt: (vector) => ioApic!.endOfInterrupt(vector),
    }) : null;
    if (ioApic !== null) space.add({ kind: 'mmio', io: ioApic.io }, IO_APIC_BASE, 1);

    // The chipset.
    const pages = new DmaPages();
    const dma1 = new I8237('i8237-1', 8, space, (channel) => pages.of(channel));
    const dma2 = new I8237('i8237-2', 16, space, (channel) => pages.of(channel + 4));
    const hpet = config.hpet === false || config.isa === true ? null : new Hpet({ clock, timerIrq: this.#irq(0), rtcIrq: this.#irq(8), routed: input2.input() });
    if (hpet !== null) space.add({ kind: 'mmio', io: hpet.io }, HPET_BASE, 1);
    const pit = new I8254(clock, hpet?.pit ?? this.#irq(0));
    const port61 = new Port61(clock, pit);
    this.speaker = config.speaker ? new PcSpeaker(clock, pit, port61, config.speaker) : null;
    const port92 = new Port92(a20.input(), reset);
    const rtcIrq = hpet?.rtc ?? this.#irq(8);
    this.rtc = new Mc146818(this.hostClock ?? clock, new Line((level) => {
      rtcIrq.set(level);
      if (level) this.pm.clockInterrupt();
    }), config.rtcBase);
    this.keyboard = new Ps2Keyboard(clock);
    this.mouse = new Ps2Mouse(clock);
    this.#i8042 = new I8042(clock, { keyboardIrq: this.#irq(1), auxIrq: this.#irq(12), a20: a20.input(), reset }, this.keyboard, this.mouse);
    const host = isa ? null : new I440fx({
      pam: (segment, readRam, writeRam) => this.memory.pam(segment, readRam, writeRam),
      smram: (open) => this.memory.smram(open),
    });
    const piix3 = new Piix3(this.#irqs.map((irq) => irq.input()), reset);
    this.#pirqs = piix3.pirq.map((line) => new SharedLine(line));
    const masters = [0, 1].map((channel) => new BusMaster(`ide${channel}-dma`, space, () => piix3Ide.isMaster)) as [BusMaster, BusMaster];
    const piix3Ide = new Piix3Ide(this.#ports.add(busMasterPorts(masters)));
    const pciVga = this.vga && !isa ? this.#pciVga(this.vga) : null;
    if (this.vga && isa) this.memory.placeFrameBuffer(ISA_FRAME_BUFFER);
    this.pci = new PciBus(piix3.resetControl);
    if (host !== null) this.pci.add(0, 0, host);
    this.pci.add(1, 0, piix3);
    this.pci.add(1, 1, piix3Ide);
    this.pm = new Piix4Pm({ clock, sci: this.#irq(9), moved: (region) => this.#ports.add(region), powerOff: config.powerOff ?? (() => {}) });
    this.pci.add(1, 3, this.pm);
    if (pciVga) this.pci.add(VGA_SLOT, 0, pciVga);
    const pciCards = [...pciNics(config.nics ?? []), ...config.cards ?? []];
    if (isa && pciCards.length > 0) throw new RangeError('an ISA PC takes no PCI cards');
    const cards = pciCards.map((make, index) => this.#plug(make, FIRST_CARD_SLOT + index, config.apic === true ? message : null));
    const isaCards = isaNics(config.nics ?? [], clock, (irq) => this.#irq(irq));

    // Disks and lines.
    this.fdc = new FloppyController({ clock, irq: this.#irq(6), dma: dma1.channels[FLOPPY_DMA], drives: config.floppies ?? [] });
    this.ide = [this.#channel(config, 0, masters[0]), this.#channel(config, 1, masters[1])];
    this.serials = SERIAL_PORTS.map(([, irq], i) => {
      const backend = config.serials?.[i] ?? null;
      return backend && new Ns16550(`com${i + 1}`, clock, this.#irq(irq), backend, { maxFrameTime: SERIAL_FRAME_TIME });
    });
    const parallels = PARALLEL_PORTS.map(([, irq], i) => {
      const backend = config.parallels?.[i] ?? null;
      return backend && new ParallelPort(`lpt${i + 1}`, this.#irq(irq), backend);
    });
    const debugPort = config.debugConsole ? new DebugPort(config.debugConsole, config.debugPort?.readback) : null;
    const debugExit = config.debugExit ? new IsaDebugExit(config.debugExit.iosize, config.debugExit.exit) : null;

    const pvpanic = config.pvpanic ? new Pvpanic(config.pvpanic.events, config.pvpanic.happened) : null;

    const fwCfg = new FwCfg({
      space, files: new Map([['etc/e820', e820(config.memory)], ...config.pvpanic ? [['etc/pvpanic-port', fwNumber(config.pvpanic.ioport, 2)] as const] : [], ...config.firmwareFiles ?? []]),
      items: new Map([[FW_RAM_SIZE, fwNumber(config.memory, 8)], [FW_CPUS, fwNumber(1, 2)], [FW_MAX_CPUS, fwNumber(1, 2)], ...config.firmwareItems ?? []]),
    });

    const vmMouse = config.vmport === false ? null : new VmMouse(() => this.mouse.wake());
    const vmPort = vmMouse && new VmPort({ registers: this.cpu, memory: config.memory, uuid: config.uuid ?? new Uint8Array(16), commands: vmMouse.commands });

    const testDevice = config.testDevice === true ? new PcTestDevice(this.#irqs.map((irq) => irq.input())) : null;

    const { io } = this;
    io.beforeAccess = () => clock.runTimers();
    io.map(0x00, dma1.io);
    io.map(0x20, pics.master.io);
    io.map(0x40, pit.io);
    io.map(0x60, this.#i8042.data);
    io.map(0x61, port61.io);
    io.map(0x64, this.#i8042.control);
    io.map(0x70, this.rtc.io);
    io.map(0x80, pages.io);
    io.map(0x92, port92.io);
    if (!isa) io.map(0xb2, this.pm.apm);
    io.map(0xa0, pics.slave.io);
    io.map(0xc0, dma2.io);
    io.map(0xf0, fpuError.io);
    io.map(0x170, this.ide[1].commandBlock);
    io.map(0x1f0, this.ide[0].commandBlock);
    io.map(0x376, this.ide[1].controlBlock);
    this.#mapVga();
    io.map(0x3f0, this.fdc.ports);
    io.map(0x3f6, this.ide[0].controlBlock);
    io.map(0x3f7, this.fdc.dirPort);
    io.map(0x4d0, pics.master.elcr);
    io.map(0x4d1, pics.slave.elcr);
    io.map(0x510, fwCfg.io);
    io.map(0x514, fwCfg.dma);
    if (!isa) {
      io.map(0xcf8, this.pci.addressPort);
      io.map(0xcfc, this.pci.dataPort);
    }
    this.serials.forEach((serial, i) => serial && io.map(SERIAL_PORTS[i][0], serial.io));
    parallels.forEach((parallel, i) => parallel && io.map(PARALLEL_PORTS[i]![0], parallel.io));
    for (const { port, card } of isaCards) io.map(port, card.io);
    if (debugPort) io.map(config.debugPort?.iobase ?? DEBUG_PORT, debugPort.io);
    if (debugExit && config.debugExit) io.map(config.debugExit.iobase, debugExit.io);
    if (pvpanic && config.pvpanic) io.map(config.pvpanic.ioport, pvpanic.io);

    if (vmPort) io.map(VM_PORT, vmPort.io, 0, 1);

    const setCmos = (index: number, value: number): void => this.rtc.setNvram(index, value);
    const bootOrder = config.bootOrder || DEFAULT_BOOT_ORDER, bootOnce = config.bootOnce ? new BootOnce(bootOrder, setCmos) : null;
    const optional: readonly (Device | null)[] = [bootOnce, pciVga, this.vga, ...this.serials, ...parallels, debugPort, debugExit, pvpanic, vmPort, vmMouse, testDevice, hpet, localApic, ioApic];
    if (testDevice !== null) {
      io.map(0xe0, testDevice.register);
      io.map(0xe4, testDevice.flush);
      io.map(0xe8, testDevice.registerBytes);
      io.map(0x2000, testDevice.irqs);
      space.add({ kind: 'mmio', io: testDevice.memory }, TEST_MEMORY_BASE, 1);
    }
    const inputs = cards.flatMap(({ devices }) => devices).filter((device) => device instanceof VirtioInput), isKeyboard = ({ kind }: VirtioInput): boolean => kind === 'keyboard';
    this.#input = new InputRouter(this.keyboard, this.mouse, inputs.filter(isKeyboard), [...inputs.filter((input) => !isKeyboard(input)), ...vmMouse ? [vmMouse] : []]);
    this.devices = [
      pages, dma1, dma2, pit, port61, port92, this.rtc, this.keyboard, this.mouse, this.#i8042, this.#input, fpuError,
      fwCfg, ...(host === null ? [] : [this.pci, host, piix3, piix3Ide, this.pm]), this.fdc, ...masters, ...this.ide[0].devices, ...this.ide[1].devices,
      ...cards.flatMap(({ devices }) => devices), ...isaCards.map(({ card }) => card),
      ...optional.filter((device) => device !== null),
      // Behind all that drive their inputs: a reset leaves no edge in them.
      pics.master, pics.slave,
    ];
    this.balloon = this.devices.find((device) => device instanceof VirtioBalloon) ?? null;
    fillCmos(setCmos, {
      memory: config.memory,
      floppies: this.fdc.drives.map((drive) => drive?.type ?? null),
      disks: this.ide.flatMap(({ drives }) => drives.map((drive) => (drive instanceof AtaDisk ? drive.geometry : null))),
      bootOrder: config.bootOnce || bootOrder,
    });
  }

  get space(): AddressSpace {
    return this.memory.space;
  }

  /** RESET#: every device and the processor; memory and CMOS keep their contents (an ISA PC's ROMs in RAM are copied again). */
  reset(): void {
    for (const device of this.devices) device.reset();
    this.memory.loadRoms();
    this.cpu.reset();
  }

  /**
   * Puts every device into a state that it had: what state.save() gave, in the order of `devices`. Twice, since a wire that several drive may go up and
   * down while they come back one by one; the second time none moves, and the interrupt controllers have seen no edge.
   */
  restore(saved: readonly SavedState[]): void {
    for (let pass = 0; pass < 2; pass++) {
      this.devices.forEach(({ state }, i) => state.restore(saved[i]!));
      for (const device of this.devices) device.restored?.();
    }
  }

  /** A new interrupt wire of a PCI device. @param pin 0-3 for INTA#-INTD# */
  pciInterrupt(slot: number, pin: number): IrqLine {
    return this.#pirqs[(slot - 1 + pin) & 3].input();
  }

  /** The CD-ROM drive at a position (0–3 as hda–hdd); null if there is none. */
  cdrom(index: number): AtapiCdrom | null {
    const drive = this.ide[index >> 1]!.drives[index & 1];
    return drive instanceof AtapiCdrom ? drive : null;
  }

  /** The screen as text; null in a graphics mode, and without a VGA. */
  textScreen(): TextScreen | null {
    return this.vga?.textScreen() ?? null;
  }

  /** Starts to note which characters on the screen change; `many` is called when `limit` have since changedRows(). */
  watchText(limit: number, many: () => void): void {
    this.vga?.watch.begin(limit, many);
  }

  /** For each row of the text screen: 1 if a character in it has changed since the last call; null in a graphics mode. */
  changedRows(): Uint8Array | null {
    return this.vga?.watch.look() ?? null;
  }

  /** @throws Error without a VGA */
  picture(): Picture {
    if (this.vga === null) throw new Error('the machine has no display adapter');
    return this.vga.picture();
  }

  /** Presses or releases a key by its QEMU name; false if the keyboard's queue is full. @throws Error for an unknown name */
  key(name: string, down: boolean): boolean {
    return this.#input.key(name, down);
  }

  /** Nothing that was typed waits in the keyboard or its controller. */
  get keyboardIdle(): boolean {
    return this.#input.keysTaken ?? this.#i8042.idle;
  }

  /** What the guest waits for may be a floppy drive's mechanics. */
  get turning(): boolean {
    return this.fdc.turning;
  }

  /** Moves the mouse by counts right and down, turns its wheel up, holds these buttons (MOUSE_LEFT ...); false if it cannot take more now. */
  moveMouse(right: number, down: number, buttons: number, wheel: number): boolean {
    return this.#input.move(right, down, buttons, wheel);
  }

  /** The guest has been told all that the mouse did. */
  get mouseIdle(): boolean {
    return this.#input.pointersTaken && (this.#input.hasMouse || (this.mouse.idle && this.#i8042.free));
  }

  /** Points at a place on the screen, from 0 (left, top) to 1; false if it cannot be taken now, null if there is nothing that takes places. */
  point(x: number, y: number, buttons: number, wheel: number): boolean | null {
    return this.#input.point(x, y, buttons, wheel);
  }

  #vga(clock: Clock): Vga {
    const { memory } = this;
    return new Vga({ clock, memory: memory.videoMemory, chain: memory.videoChain, window: (place) => memory.videoWindow(place) });
  }

  #pciVga(vga: Vga): PciVga {
    const { memory } = this, { vgaRomSize } = memory;
    const pciVga = new PciVga({
      vga, memory: { size: memory.videoMemory.length, moved: (base) => memory.placeFrameBuffer(base) },
      registersMoved: (base) => memory.place(registers, base),
      rom: vgaRomSize > 0 ? { size: vgaRomSize, moved: (base) => memory.placeVgaRom(base) } : null,
    });
    const registers: Region = { kind: 'mmio', io: pciVga.registers };
    return pciVga;
  }

  #mapVga(): void {
    if (this.vga === null) return;
    const { dispi, memory, ports } = this.vga;
    this.memory.placeVideo(memory);
    this.io.map(0x3b0, ports);
    // Registers of 16 bits at odd ports, and overlapping: each is mapped at its first port only.
    this.io.map(0x1ce, dispi.index, 0, 1);
    for (const port of [0x1cf, 0x1d0]) this.io.map(port, dispi.data, 0, 1);
  }

  /** Puts a card into a slot. @throws Error if there is no such slot */
  #plug(make: PciCardMaker, slot: number, message: ((address: number, data: number) => void) | null): PciCard {
    if (slot > LAST_SLOT) throw new Error('the PCI bus has no slot left');
    const card = make({
      clock: this.clock, space: this.space, intA: this.pciInterrupt(slot, 0), message,
      ports: (region) => this.#ports.add(region),
      memory: (io) => {
        const region: Region = { kind: 'mmio', io };
        return (base) => this.memory.place(region, base);
      },
    });
    this.pci.add(slot, 0, card.fn);
    return card;
  }

  /** A new driver of an IRQ. */
  #irq(number: number): IrqLine {
    return this.#irqs[number].input();
  }

  #channel({ disks = [], geometries = [], identities = [] }: PcConfig, channel: 0 | 1, dma: BusMaster): IdeChannel {
    const drives = [0, 1].map((i) => disks[2 * channel + i] ?? null);
    return new IdeChannel({
      name: `ide${channel}`,
      clock: this.clock,
      irq: this.#irq(14 + channel),
      dma,
      drives,
      geometries: [0, 1].map((i) => geometries[2 * channel + i] ?? null),
      identities: [0, 1].map((i) => ({ ...identities[2 * channel + i], serial: identities[2 * channel + i]?.serial ?? `TCG${String(2 * channel + i + 1).padStart(5, '0')}` })),
    });
  }
}
