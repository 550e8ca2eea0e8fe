/**
 * A board with every device that there is, for tests that do to it whatever a guest might: memory disks that refuse what is outside of
 * them, a network of its own, a clock that tests move.
 */
import type { BlockBackend, CharBackend, NetBackend, NetPort } from '../../../src/devices/host.ts';
import { NIC_MODELS } from '../../../src/devices/pc-nics.ts';
import { Pc } from '../../../src/devices/pc.ts';
import type { Processor, ProcessorSocket } from '../../../src/devices/pc.ts';
import { Virtio9p } from '../../../src/devices/virtio-9p.ts';
import { VirtioBalloon } from '../../../src/devices/virtio-balloon.ts';
import { INPUT_KINDS, VirtioInput } from '../../../src/devices/virtio-input.ts';
import { VirtioBlk } from '../../../src/devices/virtio-blk.ts';
import { VirtioConsole } from '../../../src/devices/virtio-console.ts';
import { virtioCard } from '../../../src/devices/virtio-pci.ts';
import { VirtioRng } from '../../../src/devices/virtio-rng.ts';
import { MemoryFolder } from './folder.ts';

export const RAM_SIZE = 4 << 20;
const VIDEO_SIZE = 1 << 20, BIOS_SIZE = 64 << 10;

/** A board's processor: its pins, and what a port finds in its registers. */
class Pins implements Processor {
  readonly registers = new Int32Array(8);
  register(number: number): number {
    return this.registers[number]!;
  }
  setRegister(number: number, value: number): void {
    this.registers[number] = value;
  }
  setIntr(): void {}
  raiseNmi(): void {}
  requestInit(): void {}
  setA20(): void {}
  requestReset(): void {}
  reset(): void {}
}

/** What a device does to its disk is checked: whole sectors inside of it. */
function disk(sectors: number): BlockBackend {
  const bytes = new Uint8Array(sectors * 512).map((_, i) => i >> 9 ^ i);
  const range = (sector: number, count: number): void => {
    if (!Number.isInteger(sector) || !Number.isInteger(count) || sector < 0 || count < 0 || sector + count > sectors) throw new Error(`sectors ${sector}+${count} of a disk with ${sectors}`);
  };
  return {
    sectors, readOnly: false,
    read(sector, data, done) {
      range(sector, data.length / 512);
      data.set(bytes.subarray(sector * 512, sector * 512 + data.length));
      done();
    },
    write(sector, data, done) {
      range(sector, data.length / 512);
      bytes.set(data, sector * 512);
      done();
    },
    flush: (done) => done(),
    writeZeroes(sector, count, done) {
      range(sector, count);
      bytes.fill(0, sector * 512, (sector + count) * 512);
      done();
    },
    discard(sector, count, done) {
      range(sector, count);
      done();
    },
  };
}

/** Sends everything back, after a look at its size. */
class Echo implements NetBackend {
  #port: NetPort | null = null;

  plug(port: NetPort): void {
    this.#port = port;
  }

  send(frame: Uint8Array): void {
    if (frame.length > 0x1_0000) throw new Error(`a frame of ${frame.length} bytes`);
    this.#port!.deliver(frame.slice());
  }
}

const echo = (): CharBackend => {
  const backend: CharBackend = { receive: null, write: (byte) => backend.receive?.(byte) };
  return backend;
};

export interface FullBoard {
  readonly pc: Pc<Pins>;
  /** Virtual time goes on by this much, and what is due happens. */
  readonly advance: (ns: number) => void;
  /** @throws Error if memory that no guest can write has changed, or the shared folder was asked for what it must not be */
  readonly check: () => void;
}

/** The same every time: nothing in it depends on the host. */
export function fullBoard(): FullBoard {
  let now = 0, seed = 1;
  const folder = new MemoryFolder();
  const bios = new Uint8Array(BIOS_SIZE).map((_, i) => i * 7 + 1), vgaBios = new Uint8Array(32 << 10).map((_, i) => i * 5 + 3);
  const pc = new Pc<Pins>({
    memory: RAM_SIZE, bios, vgaBios, videoMemory: VIDEO_SIZE, time: () => now, rtcBase: Date.UTC(2026, 0, 1), apic: true, testDevice: true,
    floppies: [{ medium: disk(2880) }, { type: '1.2M' }], disks: [disk(20_000), null, { medium: disk(4000) }, disk(3000)],
    serials: [echo(), echo(), null, null], debugExit: { iobase: 0xf4, iosize: 4, exit: () => {} }, pvpanic: { ioport: 0x505, events: 3, happened: () => {} },
    nics: NIC_MODELS.map((model) => ({ model, backend: new Echo() })),
    cards: [
      virtioCard('blk', ({ clock }) => new VirtioBlk('blk-device', clock, disk(5000))),
      virtioCard('rng', () => new VirtioRng('rng-device', () => seed = Math.imul(seed, 1103515245) + 12345)),
      virtioCard('console', () => new VirtioConsole('console-device', [{ backend: echo(), console: true }, { backend: echo(), console: false, name: 'port' }])),
      virtioCard('9p', () => new Virtio9p('9p-device', 'host', folder)),
      virtioCard('balloon', ({ clock }) => new VirtioBalloon(clock, { statisticsInterval: 1 })),
      ...INPUT_KINDS.map((kind) => virtioCard(kind, () => new VirtioInput(`${kind}-device`, kind))),
    ],
    parallels: [echo(), echo()], speaker: { rate: 8000, samples: () => {} },
    firmwareFiles: new Map([['genroms/test.bin', new Uint8Array(2048)]]),
  }, (_socket: ProcessorSocket) => new Pins());
  const { bytes } = pc.space.memory, roms = [bios, vgaBios].map((rom) => [findRom(bytes, rom), rom] as const);
  return {
    pc,
    advance(ns) {
      for (const end = now + ns; ; ) {
        const next = Math.min(end, Math.max(now, pc.clock.nextDeadline()));
        now = next;
        pc.clock.runTimers();
        if (next === end) return;
      }
    },
    check() {
      if (folder.wrong.length > 0) throw new Error(`the shared folder got ${folder.wrong.join(', ')}`);
      for (const [at, rom] of roms) {
        if (Buffer.compare(bytes.subarray(at, at + rom.length), rom) !== 0) throw new Error('a ROM has been written to');
      }
    },
  };
}

/** Where a ROM lies in the host's memory. */
function findRom(bytes: Uint8Array, rom: Uint8Array): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(rom);
  if (at < 0) throw new Error('the board does not hold the ROM');
  return at;
}
