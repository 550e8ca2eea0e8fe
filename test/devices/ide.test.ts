import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/backends/block/memory.ts';
import type { AtaDisk } from '../../src/devices/ata-disk.ts';
import { guessGeometry } from '../../src/devices/ata-geometry.ts';
import type { BlockBackend } from '../../src/devices/host.ts';
import { IdeChannel } from '../../src/devices/ide.ts';
import { SteppedClock } from './stepped-clock.ts';

const DATA = 0, ERROR = 1, COUNT = 2, SECTOR = 3, CYL_LOW = 4, CYL_HIGH = 5, DEVICE = 6, STATUS = 7;
const US = 1000;

/** A disk whose sector n is filled with the byte n. */
const patterned = (sectors: number): MemoryDisk => {
  const disk = new MemoryDisk(new Uint8Array(sectors * 512));
  for (let i = 0; i < sectors; i++) disk.data.fill(i & 0xff, i * 512, i * 512 + 512);
  return disk;
};

let clock: SteppedClock;
let edges: number;
let level: boolean;

const channel = (master: BlockBackend | null, slave: BlockBackend | null = null): IdeChannel => {
  clock = new SteppedClock();
  edges = 0;
  level = false;
  const irq = {
    set(now: boolean) {
      if (now && !level) edges++;
      level = now;
    },
  };
  return new IdeChannel({ name: 'ide0', clock, irq, drives: [master, slave], identities: [{ serial: 'S-1' }] });
};

const drive = (ide: IdeChannel) => ({
  get: (register: number) => ide.commandBlock.read(register, 1),
  put: (register: number, value: number) => ide.commandBlock.write(register, value, 1),
  alternate: () => ide.controlBlock.read(0, 1),
  control: (value: number) => ide.controlBlock.write(0, value, 1),
  address(lba: number, count: number): void {
    this.put(COUNT, count);
    this.put(SECTOR, lba & 0xff);
    this.put(CYL_LOW, (lba >> 8) & 0xff);
    this.put(CYL_HIGH, (lba >> 16) & 0xff);
    this.put(DEVICE, 0xe0 | (lba >> 24));
  },
  /** Runs a command to its end or first data. */
  command(code: number): number {
    this.put(STATUS, code);
    clock.step(3000 * US);
    return this.get(STATUS);
  },
  words(count: number): number[] {
    return Array.from({ length: count }, () => ide.commandBlock.read(DATA, 2));
  },
  block(byte: number, sectors = 1): void {
    for (let i = 0; i < 256 * sectors; i++) ide.commandBlock.write(DATA, byte * 0x101, 2);
  },
});

let disk: MemoryDisk;
let ide: IdeChannel;
let d: ReturnType<typeof drive>;

beforeEach(() => {
  disk = patterned(16 * 63 * 4);
  ide = channel(disk);
  d = drive(ide);
});

describe('reset', () => {
  it('leaves drive 0 ready, with the diagnostic signature', () => {
    expect(d.get(STATUS)).toBe(0x50);
    expect([ERROR, COUNT, SECTOR, CYL_LOW, CYL_HIGH, DEVICE].map(d.get)).toEqual([1, 1, 1, 0, 0, 0xa0]);
  });

  it('by SRST: busy while set and a little longer, then 50h and error 1 without selecting a drive', () => {
    d.put(DEVICE, 0xb0);
    d.put(CYL_LOW, 0x77);
    d.control(0x04);
    expect(d.get(STATUS)).toBe(0x80);
    clock.step(1000 * US);
    expect(d.get(STATUS)).toBe(0x80);
    d.control(0x00);
    expect(d.get(STATUS)).toBe(0x80);
    clock.step(4 * US);
    expect(d.get(STATUS)).toBe(0x50);
    expect([ERROR, COUNT, SECTOR, CYL_LOW, CYL_HIGH, DEVICE].map(d.get)).toEqual([1, 1, 1, 0, 0, 0xa0]);
    expect(edges).toBe(0);
  });

  it('a busy drive shows its other registers as they were written', () => {
    [COUNT, SECTOR, CYL_LOW, CYL_HIGH].forEach((register) => d.put(register, 0));
    d.put(STATUS, 0xec);
    expect([STATUS, COUNT, SECTOR, CYL_LOW, CYL_HIGH, DEVICE].map(d.get)).toEqual([0x80, 0, 0, 0, 0, 0xa0]);
  });

  it('by SRST ends a command under way', () => {
    d.address(3, 2);
    d.put(STATUS, 0x20);
    d.control(0x04);
    d.control(0x00);
    clock.step(1000 * US);
    expect(d.get(STATUS)).toBe(0x50);
    expect(edges).toBe(0);
  });

  it('by the board restores the default translation', () => {
    d.put(COUNT, 17);
    d.put(DEVICE, 0xa3);
    expect(d.command(0x91)).toBe(0x50);
    expect((ide.drives[0] as AtaDisk).fields.sectors).toBe(17);
    ide.reset();
    expect((ide.drives[0] as AtaDisk).fields.sectors).toBe(63);
    expect(level).toBe(false);
  });
});

describe('drive selection', () => {
  it('lets a single master answer for the absent slave with status 0', () => {
    d.put(COUNT, 0x55);
    d.put(DEVICE, 0xb0);
    expect(d.get(STATUS)).toBe(0);
    expect(d.alternate()).toBe(0);
    expect(d.get(COUNT)).toBe(0x55);
    expect(d.get(DEVICE)).toBe(0xb0);
    d.put(STATUS, 0xec);
    clock.step(1000 * US);
    expect(d.get(STATUS)).toBe(0);
    expect(edges).toBe(0);
    d.put(DEVICE, 0xa0);
    expect(d.get(STATUS)).toBe(0x50);
  });

  it('floats without a drive', () => {
    d = drive(channel(null));
    for (let register = 1; register < 8; register++) expect(d.get(register)).toBe(0x7f);
    expect(d.alternate()).toBe(0x7f);
    d.put(STATUS, 0x90);
    d.put(DEVICE, 0xb0);
    d.control(4);
    d.control(0);
    expect(d.get(STATUS)).toBe(0x7f);
  });

  it('keeps two drives apart and shows the interrupt of the selected one', () => {
    ide = channel(disk, patterned(5000));
    d = drive(ide);
    d.address(1, 1);
    d.put(STATUS, 0x20);
    d.put(DEVICE, 0xf0);
    d.put(SECTOR, 9);
    expect(d.get(STATUS)).toBe(0x50);
    clock.step(1000 * US);
    expect(level).toBe(false);
    d.put(DEVICE, 0xe0);
    expect(level).toBe(true);
    expect(d.get(STATUS)).toBe(0x58);
    // The master was busy when the slave's registers were written, and kept its own.
    expect(d.get(SECTOR)).toBe(1);
    expect(d.words(256)[0]).toBe(0x0101);
  });

  it('runs the diagnostic on both drives, and drive 0 interrupts', () => {
    ide = channel(disk, patterned(5000));
    d = drive(ide);
    d.put(DEVICE, 0xb0);
    expect(d.command(0x90)).toBe(0x50);
    expect(edges).toBe(1);
    expect([ERROR, COUNT, SECTOR, CYL_LOW, CYL_HIGH, DEVICE].map(d.get)).toEqual([1, 1, 1, 0, 0, 0xa0]);
    d.put(DEVICE, 0xb0);
    expect(d.get(ERROR)).toBe(1);
    expect(level).toBe(false);
  });
});

describe('reading', () => {
  it('shows BSY, then data with one interrupt for each sector', () => {
    d.address(5, 3);
    d.put(STATUS, 0x20);
    expect(d.alternate()).toBe(0x80);
    expect(d.get(COUNT)).toBe(3);
    for (let n = 0; n < 3; n++) {
      clock.step(150 * US);
      expect(edges).toBe(n + 1);
      expect(d.alternate()).toBe(0x58);
      expect(level).toBe(true);
      expect(d.get(STATUS)).toBe(0x58);
      expect(level).toBe(false);
      expect(d.get(COUNT)).toBe(2 - n);
      expect(d.words(256).every((word) => word === (5 + n) * 0x101)).toBe(true);
      expect(d.alternate()).toBe(n < 2 ? 0x80 : 0x50);
    }
    clock.step(1000 * US);
    expect(edges).toBe(3);
    expect([COUNT, SECTOR, DEVICE].map(d.get)).toEqual([0, 7, 0xe0]);
    expect(ide.commandBlock.read(DATA, 2)).toBe(0);
  });

  it('takes 32-bit accesses of the data port, and word accesses of the others', () => {
    disk.data.set([1, 2, 3, 4, 5, 6], 0);
    d.address(0, 1);
    d.command(0x21);
    expect(ide.commandBlock.read(DATA, 4)).toBe(0x04030201);
    expect(ide.commandBlock.read(DATA, 2)).toBe(0x0605);
    ide.commandBlock.write(COUNT, 0x2211, 2);
    expect(ide.commandBlock.read(COUNT, 2)).toBe(0x2211);
  });

  it('finds sectors by CHS', () => {
    const put = (cylinder: number, head: number, sector: number): number => {
      d.put(COUNT, 1);
      d.put(SECTOR, sector);
      d.put(CYL_LOW, cylinder & 0xff);
      d.put(CYL_HIGH, cylinder >> 8);
      d.put(DEVICE, 0xa0 | head);
      return d.command(0x20);
    };
    expect(put(1, 2, 3)).toBe(0x58);
    expect(d.words(256)[0]).toBe((((1 * 16 + 2) * 63 + 2) & 0xff) * 0x101);
    for (const [c, h, s] of [[0, 0, 0], [0, 0, 64], [4, 0, 1]]) {
      expect(put(c, h, s)).toBe(0x51);
      expect(d.get(ERROR)).toBe(0x10);
    }
    // With another translation the same address is another sector.
    d.put(COUNT, 10);
    d.put(DEVICE, 0xa1);
    expect(d.command(0x91)).toBe(0x50);
    expect(put(1, 1, 3)).toBe(0x58);
    expect(d.words(256)[0]).toBe(32 * 0x101);
    expect(put(0, 2, 1)).toBe(0x51);
  });

  it('steps CHS registers over track and cylinder ends', () => {
    d.put(COUNT, 3);
    d.put(SECTOR, 63);
    d.put(CYL_LOW, 0);
    d.put(CYL_HIGH, 0);
    d.put(DEVICE, 0xaf);
    d.command(0x20);
    d.words(256);
    clock.step(100 * US);
    d.words(256);
    clock.step(100 * US);
    expect([COUNT, SECTOR, CYL_LOW, CYL_HIGH, DEVICE].map(d.get)).toEqual([0, 2, 1, 0, 0xa0]);
  });

  it('stops at the end of the disk', () => {
    d.address(disk.sectors - 1, 2);
    expect(d.command(0x20)).toBe(0x58);
    d.words(256);
    clock.step(100 * US);
    expect(d.get(STATUS)).toBe(0x51);
    expect(d.get(ERROR)).toBe(0x10);
    expect(d.get(COUNT)).toBe(1);
    expect(d.get(SECTOR)).toBe(disk.sectors & 0xff);
    expect(edges).toBe(2);
  });

  it('in blocks: one interrupt for each block', () => {
    d.put(COUNT, 4);
    expect(d.command(0xc6)).toBe(0x50);
    d.address(10, 6);
    expect(d.command(0xc4)).toBe(0x58);
    const first = d.words(1024);
    expect([first[0], first[1023]]).toEqual([0x0a0a, 0x0d0d]);
    expect(d.alternate()).toBe(0x80);
    clock.step(100 * US);
    expect(d.get(STATUS)).toBe(0x58);
    expect(d.words(512)[511]).toBe(0x0f0f);
    expect(d.get(STATUS)).toBe(0x50);
    expect(edges).toBe(3);
  });

  it('in blocks is aborted before SET MULTIPLE MODE and after a bad one', () => {
    d.address(0, 1);
    expect(d.command(0xc4)).toBe(0x51);
    expect(d.get(ERROR)).toBe(4);
    for (const [count, status] of [[8, 0x50], [3, 0x51], [32, 0x51]]) {
      d.put(COUNT, count);
      expect(d.command(0xc6)).toBe(status);
    }
    d.address(0, 1);
    expect(d.command(0xc5)).toBe(0x51);
  });

  it('takes a count of 0 as 256', () => {
    d.address(0, 0);
    d.command(0x20);
    expect(d.get(COUNT)).toBe(255);
    for (let n = 0; n < 256; n++) {
      expect(d.get(STATUS)).toBe(0x58);
      expect(d.words(256)[0]).toBe(n * 0x101);
      clock.step(100 * US);
    }
    expect(d.get(STATUS)).toBe(0x50);
    expect(edges).toBe(256);
  });
});

describe('writing', () => {
  it('asks for the first sector without an interrupt, then interrupts after each', () => {
    d.address(7, 2);
    d.put(STATUS, 0x30);
    // xv6 does not wait for DRQ.
    expect(d.get(STATUS)).toBe(0x58);
    expect(edges).toBe(0);
    d.block(0xaa);
    expect(d.alternate()).toBe(0x80);
    clock.step(100 * US);
    expect(edges).toBe(1);
    expect(d.get(STATUS)).toBe(0x58);
    expect(d.get(COUNT)).toBe(1);
    d.block(0xbb);
    clock.step(100 * US);
    expect(edges).toBe(2);
    expect(d.get(STATUS)).toBe(0x50);
    expect([6, 7, 8, 9].map((n) => disk.data[n * 512 + 511])).toEqual([6, 0xaa, 0xbb, 9]);
  });

  it('in blocks and with 32-bit accesses', () => {
    d.put(COUNT, 2);
    d.command(0xc6);
    d.address(100, 3);
    expect(d.command(0xc5)).toBe(0x58);
    for (let i = 0; i < 256; i++) ide.commandBlock.write(DATA, 0x8899aabb | 0, 4);
    clock.step(100 * US);
    expect(d.get(STATUS)).toBe(0x58);
    d.block(0x44);
    clock.step(100 * US);
    expect(d.get(STATUS)).toBe(0x50);
    expect(edges).toBe(3);
    expect([...disk.data.subarray(101 * 512, 101 * 512 + 4)]).toEqual([0xbb, 0xaa, 0x99, 0x88]);
    expect(disk.data[102 * 512]).toBe(0x44);
  });

  it('refuses what lies past the end, and a read-only disk', () => {
    d.address(disk.sectors, 1);
    expect(d.command(0x30)).toBe(0x51);
    expect(d.get(ERROR)).toBe(0x10);
    d.address(disk.sectors - 1, 2);
    d.command(0x30);
    d.block(1);
    clock.step(100 * US);
    expect(d.get(STATUS)).toBe(0x58);
    d.block(2);
    clock.step(100 * US);
    expect(d.get(STATUS)).toBe(0x51);
    expect(d.get(ERROR)).toBe(0x10);
    d = drive(channel(new MemoryDisk(new Uint8Array(1 << 20), { readOnly: true })));
    d.address(0, 1);
    expect(d.command(0x30)).toBe(0x51);
    expect(d.get(ERROR)).toBe(4);
  });
});

describe('interrupt enable', () => {
  it('nIEN holds the interrupt back; it is still pending afterwards', () => {
    d.control(0x02);
    d.put(STATUS, 0xe7);
    clock.step(1000 * US);
    expect(level).toBe(false);
    d.control(0x08);
    expect(level).toBe(true);
    expect(d.alternate()).toBe(0x50);
    expect(level).toBe(true);
    d.get(STATUS);
    expect(level).toBe(false);
  });

  it('a new command takes the interrupt back', () => {
    d.put(STATUS, 0x10);
    clock.step(1000 * US);
    expect(level).toBe(true);
    d.put(STATUS, 0x70);
    expect(level).toBe(false);
  });
});

describe('commands', () => {
  it('IDENTIFY DEVICE describes the disk', () => {
    expect(d.command(0xec)).toBe(0x58);
    const words = d.words(256);
    expect(edges).toBe(1);
    expect(d.get(STATUS)).toBe(0x50);
    expect([words[1], words[3], words[6]]).toEqual([4, 16, 63]);
    expect(words[60] | (words[61] << 16)).toBe(disk.sectors);
    expect([words[54], words[55], words[56], words[57]]).toEqual([4, 16, 63, disk.sectors]);
    const text = (at: number, count: number) =>
      words.slice(at, at + count).map((word) => String.fromCharCode(word >> 8, word & 0xff)).join('');
    expect(text(27, 20)).toBe('TCG86 HARDDISK'.padEnd(40));
    expect(text(10, 10).trim()).toBe('S-1');
    expect(words[47] & 0xff).toBe(16);
    expect(words[49] & 0x0200).toBe(0x0200);
    expect(words[83] & 0xc000).toBe(0x4000);
  });

  it('IDENTIFY follows translation and multiple mode', () => {
    d.put(COUNT, 21);
    d.put(DEVICE, 0xa7);
    d.command(0x91);
    d.put(COUNT, 8);
    d.command(0xc6);
    d.command(0xec);
    const words = d.words(256);
    expect([words[54], words[55], words[56], words[59]]).toEqual([24, 8, 21, 0x0108]);
  });

  const outcome = (code: number, setup: Partial<Record<number, number>> = {}): number[] => {
    for (const [register, value] of Object.entries(setup)) d.put(Number(register), value as number);
    const before = edges;
    const status = d.command(code);
    expect(edges).toBe(before + 1);
    return [status, d.get(ERROR)];
  };

  it.each([0x10, 0x1f, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe6, 0xe7])('%i succeeds', (code) => {
    expect(outcome(code)).toEqual([0x50, 0]);
  });

  it.each([0x00, 0x22, 0x50, 0x80, 0xa0, 0xa1, 0xc8, 0xca, 0xe4, 0xf5, 0xff])('%i is aborted', (code) => {
    expect(outcome(code)).toEqual([0x51, 0x04]);
  });

  it('SEEK and VERIFY check the address', () => {
    d.address(100, 4);
    expect(outcome(0x70)).toEqual([0x50, 0]);
    expect(outcome(0x40)).toEqual([0x50, 0]);
    expect([COUNT, SECTOR].map(d.get)).toEqual([0, 103]);
    d.address(disk.sectors, 1);
    expect(outcome(0x70)).toEqual([0x51, 0x10]);
    d.address(disk.sectors - 2, 4);
    expect(outcome(0x41)).toEqual([0x51, 0x10]);
    expect(d.get(COUNT)).toBe(2);
  });

  it('SET FEATURES knows its subcommands', () => {
    expect(outcome(0xef, { [ERROR]: 0x02 })).toEqual([0x50, 0]);
    expect(outcome(0xef, { [ERROR]: 0x03, [COUNT]: 0x0c })).toEqual([0x50, 0]);
    expect(outcome(0xef, { [ERROR]: 0x03, [COUNT]: 0x46 })).toEqual([0x51, 4]);
    expect(outcome(0xef, { [ERROR]: 0x99 })).toEqual([0x51, 4]);
  });

  it('CHECK POWER MODE follows standby; access ends it', () => {
    outcome(0xe5);
    expect(d.get(COUNT)).toBe(0xff);
    outcome(0xe0);
    outcome(0xe5);
    expect(d.get(COUNT)).toBe(0);
    d.address(0, 1);
    outcome(0x40);
    outcome(0xe5);
    expect(d.get(COUNT)).toBe(0xff);
  });

  it('READ NATIVE MAX ADDRESS gives the last sector', () => {
    expect(outcome(0xf8, { [DEVICE]: 0xe0 })).toEqual([0x50, 0]);
    expect(d.get(SECTOR) | (d.get(CYL_LOW) << 8)).toBe(disk.sectors - 1);
    expect(outcome(0xf8, { [DEVICE]: 0xa0 })).toEqual([0x51, 4]);
  });

  it('INITIALIZE DEVICE PARAMETERS refuses no sectors', () => {
    expect(outcome(0x91, { [COUNT]: 0 })).toEqual([0x51, 4]);
  });
});

describe('a host that answers late or fails', () => {
  let answer: ((error?: Error) => void)[];
  const late = (): BlockBackend => ({
    sectors: 1000,
    readOnly: false,
    read: (_sector, data, done) => {
      data.fill(0x5a);
      answer.push(done);
    },
    write: (_sector, _data, done) => void answer.push(done),
    flush: (done) => void answer.push(done),
  });

  beforeEach(() => {
    answer = [];
    // The first request is the partition table, which stays unanswered.
    ide = channel(late());
    answer = [];
    d = drive(ide);
  });

  it('keeps the drive busy until the answer, and never before the deadline', () => {
    d.address(1, 1);
    d.put(STATUS, 0x20);
    clock.step(5000 * US);
    expect(d.get(STATUS)).toBe(0x80);
    answer.pop()?.();
    expect(d.get(STATUS)).toBe(0x58);
    expect(d.words(256)[255]).toBe(0x5a5a);
    d.address(1, 1);
    d.put(STATUS, 0x20);
    answer.pop()?.();
    expect(d.get(STATUS)).toBe(0x80);
    clock.step(5000 * US);
    expect(d.get(STATUS)).toBe(0x58);
  });

  it('drops the answer to a request that a reset ended', () => {
    d.address(1, 1);
    d.put(STATUS, 0x20);
    d.control(4);
    d.control(0);
    clock.step(1000 * US);
    answer.pop()?.();
    expect(d.get(STATUS)).toBe(0x50);
  });

  it('turns its errors into UNC and aborts', () => {
    d.address(9, 1);
    d.put(STATUS, 0x20);
    answer.pop()?.(new Error('bad'));
    clock.step(1000 * US);
    expect([STATUS, ERROR, SECTOR].map(d.get)).toEqual([0x51, 0x40, 9]);
    d.put(STATUS, 0x30);
    clock.step(1000 * US);
    d.block(1);
    answer.pop()?.(new Error('bad'));
    clock.step(1000 * US);
    expect([STATUS, ERROR, SECTOR].map(d.get)).toEqual([0x51, 0x40, 9]);
    d.put(STATUS, 0xe7);
    answer.pop()?.(new Error('bad'));
    clock.step(1000 * US);
    expect([STATUS, ERROR].map(d.get)).toEqual([0x51, 4]);
  });
});

describe('save and restore', () => {
  it('goes on with a command in each of its phases', () => {
    const copy = (): void => {
      const saved = ide.devices.map((device) => device.state.save());
      const now = clock.now();
      ide = channel(disk);
      clock.skip(now);
      d = drive(ide);
      ide.devices.forEach((device, i) => device.state.restore(saved[i]));
      for (const device of ide.devices) device.restored?.();
    };
    d.address(20, 2);
    d.put(STATUS, 0x20);
    copy();
    clock.step(1000 * US);
    expect(level).toBe(true);
    expect(d.words(100)[99]).toBe(0x1414);
    copy();
    expect(level).toBe(true);
    d.words(156);
    clock.step(1000 * US);
    expect(d.words(256)[0]).toBe(0x1515);
    d.address(30, 1);
    d.command(0x30);
    d.block(0x77);
    copy();
    clock.step(1000 * US);
    expect(d.get(STATUS)).toBe(0x50);
    expect(disk.data[30 * 512]).toBe(0x77);
  });
});

describe('geometry', () => {
  const withTable = (sectors: number, entries: number[][]): MemoryDisk => {
    const image = new MemoryDisk(new Uint8Array(512), { minSectors: sectors });
    entries.forEach((entry, i) => image.data.set(entry, 0x1be + 16 * i));
    image.data.set([0x55, 0xaa], 510);
    return image;
  };
  const linux = [[0, 0, 3, 0, 0x81, 0x0f, 0x26, 0xcb, 2, 0, 0, 0, 0x7e, 0xe4, 1, 0]];

  it('comes from a partition whose end CHS and LBA agree', () => {
    expect(guessGeometry(withTable(249280, linux))).toEqual({ cylinders: 410, heads: 16, sectors: 38 });
  });

  it('skips entries that are empty or do not agree', () => {
    const odd = [...linux[0]];
    odd[12] = 0x7f;
    expect(guessGeometry(withTable(249280, [new Array<number>(16).fill(0), odd]))).toEqual({ cylinders: 247, heads: 16, sectors: 63 });
  });

  it('is 16 × 63 without a table, with a table for a BIOS translation, and capped for large disks', () => {
    expect(guessGeometry(patterned(16 * 63 * 4))).toEqual({ cylinders: 4, heads: 16, sectors: 63 });
    const translated = [0x80, 1, 1, 0, 6, 0xfe, 0xff, 0xff, 63, 0, 0, 0, 0, 0, 1, 0];
    expect(guessGeometry(withTable(70000, [translated]))).toEqual({ cylinders: 69, heads: 16, sectors: 63 });
    const large: BlockBackend = { sectors: 2 ** 27, readOnly: true, read: () => undefined, write: () => undefined, flush: () => undefined };
    expect(guessGeometry(large).cylinders).toBe(16383);
    expect(guessGeometry(patterned(2))).toEqual({ cylinders: 1, heads: 16, sectors: 63 });
  });
});
