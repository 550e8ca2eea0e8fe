/** The ATAPI CD-ROM through the channel's registers: protocol, commands, sense, tray and medium. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/backends/block/memory.ts';
import type { AtapiCdrom } from '../../src/devices/atapi-cdrom.ts';
import { rawSector } from '../../src/devices/cd-sector.ts';
import { IdeChannel } from '../../src/devices/ide.ts';
import { BusMaster, busMasterPorts } from '../../src/devices/ide-dma.ts';
import { AddressSpace, writeIo } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { SteppedClock } from './stepped-clock.ts';

const ERROR = 1, COUNT = 2, CYL_LOW = 4, CYL_HIGH = 5, DEVICE = 6, STATUS = 7;
const PACKET = 0xa0, MS = 1_000_000;
const SECTORS = 100;

/** Byte i of sector n is n + i, roughly. */
const disc = (sectors = SECTORS): MemoryDisk => new MemoryDisk(Uint8Array.from({ length: sectors * 2048 }, (_, i) => (i >> 11) + i));
const sector = (first: number, count = 1): Uint8Array => medium.data.subarray(first * 2048, (first + count) * 2048);

let clock: SteppedClock, space: AddressSpace, master: BusMaster, ide: IdeChannel, drive: AtapiCdrom, medium: MemoryDisk, irqs: number;

function build(options: ConstructorParameters<typeof IdeChannel>[0]['drives']): void {
  clock = new SteppedClock();
  const memory = new HostMemory(1 << 20);
  space = new AddressSpace(memory);
  space.add({ kind: 'ram', ma: memory.allocate(1 << 20), size: 1 << 20 }, 0);
  master = new BusMaster('ide1-dma', space, () => true);
  let level = false;
  irqs = 0;
  ide = new IdeChannel({ name: 'ide1', clock, drives: options, dma: master, irq: { set: (now) => {
    if (now && !level) irqs++;
    level = now;
  } } });
}

const get = (register: number): number => ide.commandBlock.read(register, 1);
const put = (register: number, value: number): void => ide.commandBlock.write(register, value & 0xff, 1);
const command = (code: number): number => {
  put(STATUS, code);
  clock.step(MS);
  return get(STATUS);
};
/** Sends a packet; without `limit` by DMA. @returns the status afterwards */
function packet(bytes: readonly number[], limit: number | null = 0xfffe): number {
  put(ERROR, limit === null ? 1 : 0);
  put(CYL_LOW, limit ?? 0);
  put(CYL_HIGH, (limit ?? 0) >> 8);
  expect(command(PACKET) & 0x89).toBe(0x08);
  expect(get(COUNT)).toBe(1);
  for (let i = 0; i < 12; i += 2) ide.commandBlock.write(0, (bytes[i] ?? 0) | (bytes[i + 1] ?? 0) << 8, 2);
  clock.step(MS);
  return get(STATUS);
}
/** All that the drive has for the host, and the sizes of its parts. */
function take(): { bytes: number[]; parts: number[] } {
  const bytes: number[] = [], parts: number[] = [];
  while ((get(STATUS) & 8) !== 0) {
    expect(get(COUNT)).toBe(2);
    const size = get(CYL_LOW) | get(CYL_HIGH) << 8;
    parts.push(size);
    for (let i = 0; i < size; i += 2) {
      const word = ide.commandBlock.read(0, 2);
      bytes.push(word & 0xff, ...(i + 1 < size ? [word >> 8] : []));
    }
    clock.step(MS);
  }
  expect(get(COUNT)).toBe(3);
  return { bytes, parts };
}
const ask = (...bytes: number[]): number[] => {
  packet(bytes);
  return take().bytes;
};
const sense = (): string => {
  const data = ask(0x03, 0, 0, 0, 18);
  return [data[2], data[12], data[13]].map((value) => value!.toString(16)).join('/');
};
/** Runs a command and says its sense. */
const fails = (...bytes: number[]): string => {
  expect(packet(bytes) & 0x89).toBe(0x01);
  const key = get(ERROR) >> 4, said = sense();
  expect(said.split('/')[0]).toBe(key.toString(16));
  return said;
};

beforeEach(() => {
  medium = disc();
  build([{ medium }, null]);
  drive = ide.drives[0] as AtapiCdrom;
  sense(); // power on
});

describe('reset and identification', () => {
  it('shows the signature, not ready; a disk command says what it is', () => {
    const signature = (): number[] => [STATUS, ERROR, COUNT, 3, CYL_LOW, CYL_HIGH].map(get);
    const FRESH = [0, 1, 1, 1, 0x14, 0xeb];
    ide.controlBlock.write(0, 4, 1);
    ide.controlBlock.write(0, 0, 1);
    clock.step(MS);
    expect(signature()).toEqual(FRESH);
    put(CYL_HIGH, 0);
    put(STATUS, 0x08); // DEVICE RESET
    clock.step(MS);
    expect(signature()).toEqual(FRESH);
    for (const code of [0xec, 0x20]) {
      put(CYL_HIGH, 0);
      expect(command(code)).toBe(0x51);
      expect([get(ERROR), get(CYL_LOW), get(CYL_HIGH)]).toEqual([4, 0x14, 0xeb]);
    }
    expect(command(0x90)).toBe(0);
    expect(get(CYL_HIGH)).toBe(0xeb);
  });

  it('DEVICE RESET ends a command under way, without an interrupt', () => {
    packet([0x28, 0, 0, 0, 0, 0, 0, 0, 9]);
    const before = irqs;
    put(STATUS, 0x08);
    clock.step(MS);
    expect([get(STATUS), get(CYL_HIGH), irqs]).toEqual([0, 0xeb, before]);
    expect(packet([0])).toBe(0x50);
  });

  it('is a packet device with DMA; one interrupt for IDENTIFY', () => {
    irqs = 0;
    expect(command(0xa1)).toBe(0x58);
    const words = Array.from({ length: 256 }, () => ide.commandBlock.read(0, 2));
    clock.step(MS);
    expect([get(STATUS), irqs]).toEqual([0x50, 1]);
    expect([words[0], words[49], words[63]! & 0xff, words[88]]).toEqual([0x85c0, 0x0b00, 7, 0x3f]);
    expect(words.slice(27, 33).map((word) => String.fromCharCode(word >> 8, word & 255)).join('')).toBe('TCG86 CD-ROM');
    put(ERROR, 3);
    put(COUNT, 0x42);
    expect(command(0xef)).toBe(0x50);
    expect(command(0x10)).toBe(0x51);
  });

  it('leaves zeros where a slave would be, and tells its own place', () => {
    put(DEVICE, 0xb0);
    expect([STATUS, CYL_LOW, CYL_HIGH].map(get)).toEqual([0, 0, 0]);
    build([null, { medium }]);
    put(DEVICE, 0xb0);
    expect(get(CYL_HIGH)).toBe(0xeb);
  });
});

describe('data', () => {
  it('comes in parts that the host can take', () => {
    packet([0x28, 0, 0, 0, 0, 3, 0, 0, 2], 1500);
    const { bytes, parts } = take();
    expect(bytes).toEqual([...sector(3, 2)]);
    expect(parts).toEqual([1500, 1500, 1096]);
    packet([0x28, 0, 0, 0, 0, 3, 0, 0, 1], 1001);
    expect(take().parts).toEqual([1000, 1000, 48]);
    packet([0x12, 0, 0, 0, 35], 0xfffe);
    expect(take().parts).toEqual([35]);
  });

  it('needs a limit by PIO; no more than asked for, none where none is asked for', () => {
    expect(packet([0x28, 0, 0, 0, 0, 0, 0, 0, 1], 0)).toBe(0x51);
    expect(get(ERROR)).toBe(4);
    expect(packet([0x28], 0)).toBe(0x50);
    expect(packet([0x12, 0, 0, 0, 0], 0xfffe)).toBe(0x50);
    expect(ask(0x12, 0, 0, 0, 255)).toHaveLength(36);
  });

  it('by READ(10), READ(12), READ CD, across many buffers', () => {
    expect(ask(0x28, 0, 0, 0, 0, 0, 0, 0, SECTORS)).toEqual([...medium.data]);
    expect(ask(0xa8, 0, 0, 0, 0, 98, 0, 0, 0, 2)).toEqual([...sector(98, 2)]);
    expect(ask(0xbe, 0, 0, 0, 0, 98, 0, 0, 1, 0x10)).toEqual([...sector(98)]);
    expect(ask(0xbe, 0, 0, 0, 0, 8, 0, 0, 60, 0xf8)).toEqual(Array.from({ length: 60 }, (_, i) => [...rawSector(8 + i, sector(8 + i))]).flat());
    expect(ask(0xbe, 0, 0, 0, 0, 8, 0, 0, 1, 0x20)).toEqual([0, 2, 8, 1]);
    expect(ask(0xb9, 0, 0, 0, 2, 7, 0, 2, 8, 0x10)).toEqual([...sector(7)]);
    expect(fails(0x28, 0, 0, 0, 0, SECTORS - 1, 0, 0, 2)).toBe('5/21/0');
    expect(fails(0xa8, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1)).toBe('5/21/0');
    expect(fails(0xbe, 4, 0, 0, 0, 8, 0, 0, 1, 0x10)).toBe('5/64/0');
    expect(fails(0xbe, 0, 0, 0, 0, 8, 0, 0, 1, 0x10, 1)).toBe('5/24/0');
  });

  it('goes by the bus master, in and out, with one interrupt', () => {
    const ports = busMasterPorts([master, master]);
    const start = (address: number, bytes: number, direction: number): void => {
      space.write(0x1000, address, 4);
      space.write(0x1004, bytes | 0x8000_0000, 4);
      writeIo(ports, 4, 0x1000, 4);
      writeIo(ports, 0, direction, 1);
      writeIo(ports, 0, direction | 1, 1);
    };
    packet([0x28, 0, 0, 0, 0, 5, 0, 0, 20], null);
    irqs = 0;
    start(0x20000, 20 * 2048, 8);
    clock.step(MS);
    const bytes = new Uint8Array(20 * 2048);
    space.readBytes(0x20000, bytes);
    expect(bytes).toEqual(sector(5, 20));
    expect([get(STATUS), irqs]).toEqual([0x50, 1]);
    space.writeBytes(0x30000, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0x20, 9, 0, 0, 0, 0));
    packet([0x55, 0x10, 0, 0, 0, 0, 0, 0, 16], null);
    start(0x30000, 16, 0);
    clock.step(MS);
    expect(get(STATUS)).toBe(0x50);
    expect(ask(0x5a, 0, 1, 0, 0, 0, 0, 0, 16).slice(8)).toEqual([1, 6, 0x20, 9, 0, 0, 0, 0]);
  });

  it('of an image that cannot be read is a medium error', () => {
    medium.read = (_sector, _data, done) => done(new Error('bad'));
    expect(fails(0x28, 0, 0, 0, 0, 0, 0, 0, 1)).toBe('3/11/0');
  });
});

describe('commands', () => {
  it('tell capacity and table of contents', () => {
    expect(ask(0x25)).toEqual([0, 0, 0, 99, 0, 0, 8, 0]);
    expect(ask(0x43, 0, 0, 0, 0, 0, 0, 0, 100)).toEqual([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 0, 100]);
    expect(ask(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100)).toEqual([0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 3, 25]);
    expect(ask(0x43, 0, 1, 0, 0, 0, 0, 0, 100)).toEqual([0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0]);
    expect(ask(0x43, 2, 2, 0, 0, 0, 0, 0, 100).slice(2)).toEqual([
      1, 1, 1, 0x14, 0, 0xa0, 0, 0, 0, 0, 1, 0, 0, 1, 0x14, 0, 0xa1, 0, 0, 0, 0, 1, 0, 0, 1, 0x14, 0, 0xa2, 0, 0, 0, 0, 0, 3, 25, 1, 0x14, 0, 1, 0, 0, 0, 0, 0, 2, 0,
    ]);
    expect(ask(0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40)).toEqual([0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0]); // format as in INF-8020
    expect(fails(0x43, 0, 0, 0, 0, 0, 2, 0, 100)).toBe('5/24/0');
    expect(fails(0x43, 0, 5, 0, 0, 0, 0, 0, 100)).toBe('5/24/0');
  });

  it('tell features, pages, disc, track, subchannel, mechanism', () => {
    const features = ask(0x46, 0, 0, 0, 0, 0, 0, 1, 0);
    expect(features.slice(0, 20)).toEqual([0, 0, 0, features.length - 4, 0, 0, 0, 8, 0, 0, 3, 8, 0, 0x10, 0, 0, 0, 8, 1, 0]);
    expect(ask(0x46, 2, 0, 0x1e, 0, 0, 0, 1, 0).slice(8)).toEqual([0, 0x1e, 1, 4, 0, 0, 0, 0]);
    expect(ask(0x46, 1, 0, 0x1f, 0, 0, 0, 1, 0).slice(8, 10)).toEqual([1, 0]);
    expect(ask(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100).slice(0, 16)).toEqual([0, 26, 1, 0, 0, 0, 0, 0, 0x2a, 18, 0x3b, 0, 0x70, 0, 0x29, 0]);
    expect(ask(0x1a, 0, 0x3f, 0, 100)).toHaveLength(4 + 8 + 16 + 20);
    expect(fails(0x5a, 0, 0xea, 0, 0, 0, 0, 0, 100)).toBe('5/39/0');
    expect(fails(0x5a, 0, 0x05, 0, 0, 0, 0, 0, 100)).toBe('5/24/0');
    expect(ask(0x51, 0, 0, 0, 0, 0, 0, 0, 40)).toHaveLength(34);
    expect(ask(0x52, 1, 0, 0, 0, 1, 0, 0, 40).slice(0, 7)).toEqual([0, 34, 1, 1, 0, 4, 1]);
    expect(ask(0x42, 0, 0x40, 1, 0, 0, 0, 0, 40)).toEqual([0, 0x15, 0, 12, 1, 0x14, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(ask(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8)).toEqual([0, 0, 0, 0, 0, 1, 0, 0]);
    expect(packet([0x2b, 0, 0, 0, 0, 99])).toBe(0x50);
    expect(fails(0x2b, 0, 0, 0, 0, 100)).toBe('5/21/0');
    expect(fails(0x45)).toBe('5/64/0');
  });

  it('change pages, and refuse what is no page', () => {
    const select = (...list: number[]): number => {
      packet([0x15, 0x10, 0, 0, list.length]);
      for (let i = 0; i < list.length; i += 2) ide.commandBlock.write(0, list[i]! | (list[i + 1] ?? 0) << 8, 2);
      clock.step(MS);
      return get(STATUS);
    };
    expect(select(0, 0, 0, 0, 1, 6, 0x20, 3, 0, 0, 0, 0)).toBe(0x50);
    expect(ask(0x1a, 0, 1, 0, 100).slice(4, 8)).toEqual([1, 6, 0x20, 3]);
    expect(select(0, 0, 0, 0, 0x2a, 2, 0, 0)).toBe(0x51);
    expect(sense()).toBe('5/26/0');
    expect(select(0, 0)).toBe(0x51);
    expect(sense()).toBe('5/1a/0');
  });

  it('that there are not fail, and the sense of a failure is told once', () => {
    expect(fails(0x0a)).toBe('5/20/0');
    expect(sense()).toBe('0/0/0');
  });
});

describe('tray and medium', () => {
  const events = (): number[] => ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8).slice(4, 6);

  it('a new drive has one unit attention; INQUIRY and REQUEST SENSE do not mind', () => {
    build([{ medium }]);
    expect(ask(0x12, 0, 0, 0, 36).slice(8, 13)).toEqual([...'TCG86'].map((char) => char.charCodeAt(0)));
    expect(fails(0)).toBe('6/29/0');
    expect(packet([0])).toBe(0x50);
  });

  it('a change is told by attention and event, once', () => {
    expect(events()).toEqual([0, 2]);
    medium = disc(7);
    drive.insert(medium);
    expect(events()).toEqual([2, 2]);
    expect(events()).toEqual([0, 2]);
    expect(fails(0x28, 0, 0, 0, 0, 0, 0, 0, 1)).toBe('6/28/0');
    expect(ask(0x25).slice(0, 4)).toEqual([0, 0, 0, 6]);
    drive.insert(null);
    expect(events()).toEqual([3, 1]);
    expect(fails(0)).toBe('2/3a/2');
    expect(fails(0x43, 0, 0, 0, 0, 0, 0, 0, 12)).toBe('2/3a/2');
  });

  it('an empty drive, and an image without a whole sector, is not ready; half a sector is not on the disc', () => {
    build([{ medium: null }]);
    expect(fails(0)).toBe('6/29/0');
    expect(fails(0)).toBe('2/3a/1');
    build([{ medium: new MemoryDisk(new Uint8Array(1536)) }, { medium: new MemoryDisk(new Uint8Array(2048 * 3 + 1024)) }]);
    sense();
    expect(fails(0x25)).toBe('2/3a/1');
    put(DEVICE, 0x10);
    sense();
    expect(ask(0x25).slice(0, 4)).toEqual([0, 0, 0, 2]);
  });

  it('the guest ejects and loads, unless it has locked the tray', () => {
    expect(packet([0x1b, 0, 0, 0, 2])).toBe(0x50);
    expect(fails(0)).toBe('2/3a/2');
    expect(events()).toEqual([3, 1]);
    expect(packet([0x1b, 0, 0, 0, 3])).toBe(0x50);
    expect(fails(0)).toBe('6/28/0');
    expect(packet([0x1e, 0, 0, 0, 1])).toBe(0x50);
    expect(drive.holdsMedium).toBe(true);
    expect(fails(0x1b, 0, 0, 0, 2)).toBe('5/53/2');
    drive.requestEject();
    events();
    expect(events()).toEqual([0, 2]);
    packet([0x1e, 0, 0, 0, 0]);
    expect(drive.holdsMedium).toBe(false);
  });

  it('a medium that goes in the middle of a read ends it', () => {
    packet([0x28, 0, 0, 0, 0, 0, 0, 0, 64]);
    drive.insert(null);
    expect(take().bytes).toHaveLength(32 * 2048);
    expect(get(STATUS) & 1).toBe(1);
    expect(sense()).toBe('2/3a/2');
  });
});

describe('state', () => {
  it('is saved and restored in the middle of a command', () => {
    packet([0x28, 0, 0, 0, 0, 10, 0, 0, 40], 2048);
    const saved = drive.state.save();
    const bytes = take().bytes;
    drive.reset();
    drive.state.restore(saved);
    drive.restored();
    expect(take().bytes).toEqual(bytes);
    expect(bytes).toEqual([...sector(10, 40)]);
  });
});

describe('raw sectors', () => {
  it('have address, EDC and parity of ECMA-130', () => {
    const raw = rawSector(4500, sector(1));
    expect([...raw.subarray(0, 16)]).toEqual([0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 2, 0, 1]);
    // The EDC's check: the remainder over data and EDC together is zero, by bits, least significant first.
    let crc = 0;
    for (const byte of raw.subarray(0, 2068)) {
      crc = (crc ^ byte) >>> 0;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? ((crc >>> 1) ^ 0xd8018001) >>> 0 : crc >>> 1;
    }
    expect(crc).toBe(0);
    // Parity: both sums of each code word are zero, with powers of α from a table.
    const exp = [1];
    while (exp.length < 255) exp.push(exp.at(-1)! < 128 ? exp.at(-1)! * 2 : (exp.at(-1)! * 2) ^ 0x11d);
    const times = (value: number, power: number): number => (value === 0 ? 0 : exp[(exp.indexOf(value) + power) % 255]!);
    const check = (word: number[]): number[] => [word.reduce((sum, byte) => sum ^ byte, 0), word.reduce((sum, byte, i) => sum ^ times(byte, word.length - 1 - i), 0)];
    for (let plane = 0; plane < 2; plane++) {
      const at = (index: number): number => raw[12 + 2 * index + plane]!;
      for (let column = 0; column < 43; column++) expect(check(Array.from({ length: 26 }, (_, i) => at(43 * i + column)))).toEqual([0, 0]);
      for (let diagonal = 0; diagonal < 26; diagonal++) {
        expect(check([...Array.from({ length: 43 }, (_, i) => at((44 * i + 43 * diagonal) % 1118)), at(1118 + diagonal), at(1144 + diagonal)])).toEqual([0, 0]);
      }
    }
  });
});
