import { beforeEach, describe, expect, it } from 'vitest';
import { CMOS_DRIVE_TYPE, FloppyDrive, floppyDriveType, floppyFormat, floppySectors } from '../../src/devices/fdc-media.ts';
import { Bench, DOR, DSR, FIFO, medium, MS, MSR, TDR } from './fdc-bench.ts';

let b: Bench;

beforeEach(() => {
  b = new Bench([{ medium: medium(2880) }, { medium: null }]);
  b.start();
});

describe('registers and reset', () => {
  it('is in reset until DOR says otherwise, then polls the four units', () => {
    b = new Bench([{ medium: null }]);
    expect(b.get(MSR)).toBe(0);
    b.put(FIFO, 0x10);
    b.put(DOR, 0x0c);
    expect(b.get(MSR)).toBe(0);
    expect(b.level).toBe(false);
    b.clock.step(MS);
    expect(b.get(MSR)).toBe(0x80);
    expect(b.level).toBe(true);
    b.put(FIFO, 0x08);
    expect(b.level).toBe(false);
    expect(b.get(MSR)).toBe(0xd0);
    expect(b.results()).toEqual([0xc0, 0]);
    for (const unit of [1, 2, 3]) expect(b.command(0x08)).toEqual([0xc0 | unit, 0]);
    expect(b.command(0x08)).toEqual([0x80]);
    expect(b.edges).toBe(1);
  });

  it('by DSR resets too, and clears itself', () => {
    b.put(DSR, 0x80);
    expect(b.get(MSR)).toBe(0);
    b.clock.step(MS);
    expect(b.command(0x08)).toEqual([0xc0, 0]);
  });

  it('does not report when polling is off and locked', () => {
    b.command(0x13, 0, 0x1f, 0x55);
    expect(b.command(0x94)).toEqual([0x10]);
    b.put(DOR, 0x08);
    b.put(DOR, 0x3c);
    b.clock.step(MS);
    expect(b.level).toBe(false);
    expect(b.command(0x08)).toEqual([0x80]);
    expect(b.command(0x0e).slice(4)).toEqual([0xdf, 0x02, 0, 0x80, 0x1f, 0x55]);
    expect(b.command(0x14)).toEqual([0]);
    b.put(DSR, 0x80);
    b.clock.step(MS);
    expect(b.command(0x0e).slice(8)).toEqual([0x20, 0]);
  });

  it('keeps interrupt and DMA request behind the DMA gate', () => {
    b.put(DOR, 0x34);
    b.command(0x07, 0);
    expect(b.level).toBe(false);
    b.put(DOR, 0x3c);
    expect(b.level).toBe(true);
  });

  it('reads back DOR and TDR, and nothing at SRA and SRB', () => {
    expect(b.get(DOR)).toBe(0x3c);
    b.put(TDR, 0xfe);
    expect(b.get(TDR)).toBe(0xfe);
    expect([b.get(0), b.get(1)]).toEqual([0xff, 0xff]);
  });

  it('answers VERSION with 90h, and 80h to what it does not know', () => {
    expect(b.command(0x10)).toEqual([0x90]);
    for (const code of [0x00, 0x01, 0x11, 0x18, 0x1f, 0x90]) expect(b.command(code)).toEqual([0x80]);
    expect(b.edges).toBe(0);
  });

  it('shows BUSY between the bytes of a command', () => {
    b.put(FIFO, 0x03);
    expect(b.get(MSR)).toBe(0x90);
    b.put(FIFO, 0xaf);
    b.put(FIFO, 0x10);
    expect(b.get(MSR)).toBe(0x80);
  });

  it('PERPENDICULAR MODE keeps its drive bits without OW, and over a software reset', () => {
    b.command(0x12, 0x87);
    expect(b.command(0x0e)[7]).toBe(0x07);
    b.command(0x12, 0x38);
    expect(b.command(0x0e)[7]).toBe(0x04);
    b.command(0x12, 0x03);
    b.put(DSR, 0x80);
    b.clock.step(MS);
    expect(b.command(0x0e)[7]).toBe(0x04);
  });
});

describe('head movement', () => {
  it('SEEK takes its steps, shows the unit busy, and reports ST0 and cylinder', () => {
    b.put(FIFO, 0x0f);
    b.put(FIFO, 0x04);
    b.put(FIFO, 10);
    expect(b.get(MSR)).toBe(0x81);
    b.clock.step(29 * MS);
    expect(b.level).toBe(false);
    b.clock.step(2 * MS);
    expect(b.level).toBe(true);
    expect(b.get(MSR)).toBe(0x81);
    expect(b.command(0x08)).toEqual([0x20, 10]);
    expect(b.level).toBe(false);
    expect(b.get(MSR)).toBe(0x80);
    expect(b.command(0x08)).toEqual([0x80]);
  });

  it('moves units at the same time, and reports each', () => {
    for (const unit of [1, 0]) for (const byte of [0x0f, unit, 5 + unit]) b.put(FIFO, byte);
    expect(b.get(MSR)).toBe(0x83);
    b.clock.step(100 * MS);
    expect(b.edges).toBe(1);
    expect(b.command(0x08)).toEqual([0x20, 5]);
    expect(b.edges).toBe(2);
    expect(b.command(0x08)).toEqual([0x21, 6]);
    expect(b.level).toBe(false);
  });

  it('RECALIBRATE finds track 0 within 79 steps, and fails without a drive', () => {
    b.seek(79);
    b.command(0x07, 0);
    expect(b.command(0x08)).toEqual([0x20, 0]);
    b.seek(82);
    b.command(0x07, 0);
    expect(b.command(0x08)).toEqual([0x70, 0]);
    b.command(0x07, 0);
    expect(b.command(0x08)).toEqual([0x20, 0]);
    b.command(0x07, 2);
    expect(b.command(0x08)).toEqual([0x72, 0]);
  });

  it('RELATIVE SEEK goes both ways', () => {
    b.seek(20);
    b.command(0xcf, 0, 5);
    expect(b.command(0x08)).toEqual([0x20, 25]);
    b.command(0x8f, 0, 10);
    expect(b.command(0x08)).toEqual([0x20, 15]);
    expect(b.command(0x0e)[0]).toBe(15);
  });

  it('SENSE DRIVE STATUS shows track 0, head and write protection', () => {
    expect(b.command(0x04, 4)).toEqual([0x3c]);
    b.seek(1);
    expect(b.command(0x04, 0)).toEqual([0x28]);
    b.fdc.insert(0, medium(2880, true));
    expect(b.command(0x04, 0)).toEqual([0x68]);
    expect(b.command(0x04, 3)).toEqual([0x2b]);
    expect(b.edges).toBe(1);
  });

  it('drops what a reset had to report once something else has ended', () => {
    b.put(DSR, 0x80);
    b.clock.step(MS);
    expect(b.command(0x08)).toEqual([0xc0, 0]);
    b.command(0x07, 0);
    expect(b.command(0x08)).toEqual([0x20, 0]);
  });
});

describe('disk change line', () => {
  const changed = (): boolean => (b.fdc.dirPort.read(0, 1) & 0x80) !== 0;

  it('is up after power on and a change, and goes down with a step when a medium is in', () => {
    expect(changed()).toBe(true);
    b.command(0x07, 0);
    b.command(0x08);
    expect(changed()).toBe(true);
    b.seek(1);
    expect(changed()).toBe(false);
    b.fdc.insert(0, medium(2880));
    expect(changed()).toBe(true);
    b.fdc.reset();
    b.start();
    expect(changed()).toBe(true);
    b.seek(0);
    b.seek(3);
    expect(changed()).toBe(false);
    b.fdc.insert(0, null);
    b.seek(4);
    expect(changed()).toBe(true);
  });

  it('belongs to the selected drive while its motor is on', () => {
    b.put(DOR, 0x0c);
    expect(changed()).toBe(false);
    b.put(DOR, 0x2d);
    expect(changed()).toBe(true);
    b.put(DOR, 0x4e);
    expect(changed()).toBe(false);
  });

  it('media that do not fit are refused', () => {
    expect(() => b.fdc.insert(0, medium(5761))).toThrow(/no floppy format/);
    expect(() => b.fdc.insert(2, null)).toThrow(/no floppy drive/);
  });
});

describe('reading with DMA', () => {
  it('moves sectors until terminal count', () => {
    b.program(1, 1024, 0x100);
    for (const byte of [0xe6, 0x04, 0, 1, 3, 2, 18, 0x1b, 0xff]) b.put(FIFO, byte);
    expect(b.get(MSR)).toBe(0x10);
    expect(b.level).toBe(false);
    b.clock.step(700 * MS);
    expect(b.get(MSR)).toBe(0xd0);
    expect(b.edges).toBe(1);
    expect(b.get(FIFO)).toBe(0x04);
    expect(b.level).toBe(false);
    expect(b.results()).toEqual([0, 0, 0, 1, 5, 2]);
    expect([0x0ff, 0x100, 0x2ff, 0x300, 0x4ff, 0x500].map((at) => b.memory[at])).toEqual([0, 21, 21, 22, 22, 0]);
    expect(b.get(MSR)).toBe(0x80);
  });

  it('goes on at the other side with MT', () => {
    b.program(1, 1024);
    expect(b.sectors(0xe6, [0, 0, 18])).toEqual([4, 0, 0, 0, 1, 2, 2]);
    expect([b.memory[0], b.memory[512]]).toEqual([18, 19]);
  });

  // MT, first ID, bytes; ID afterwards (table 5-6), ST0
  it.each([
    [0, [0, 0, 3], 512, [0, 0, 4], 0x00],
    [0, [0, 0, 18], 512, [1, 0, 1], 0x00],
    [0, [0, 1, 18], 512, [1, 1, 1], 0x04],
    [1, [0, 0, 18], 512, [0, 1, 1], 0x00],
    [1, [0, 1, 17], 512, [0, 1, 18], 0x04],
    [1, [0, 1, 18], 512, [1, 0, 1], 0x04],
  ])('ends with the next ID: MT %i, %o', (mt, first, bytes, after, st0) => {
    b.program(1, bytes);
    expect(b.sectors(0x46 | (mt << 7), first as [number, number, number])).toEqual([st0, 0, 0, ...after, 2]);
  });

  it('ends abnormally at the end of the cylinder without terminal count', () => {
    b.program(1, 4096);
    expect(b.sectors(0x66, [0, 0, 17])).toEqual([0x40, 0x80, 0, 1, 0, 1, 2]);
    expect(b.memory[1023]).toBe(18);
    b.program(1, 4096);
    expect(b.sectors(0xe6, [0, 1, 18])).toEqual([0x44, 0x80, 0, 1, 0, 1, 2]);
  });

  it('stops in mid-sector', () => {
    b.program(1, 600);
    expect(b.sectors(0xe6, [0, 0, 1])).toEqual([0, 0, 0, 0, 0, 3, 2]);
    expect([b.memory[599], b.memory[600]]).toEqual([2, 0]);
  });

  it('waits for the channel to be unmasked, and then loses data', () => {
    for (const byte of [0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff]) b.put(FIFO, byte);
    b.untilTransfer();
    expect(b.level).toBe(false);
    b.program(1, 512);
    b.clock.step(200 * MS);
    expect(b.results()).toEqual([0, 0, 0, 0, 0, 2, 2]);
    expect(b.sectors(0xe6, [0, 0, 1])).toEqual([0x40, 0x10, 0, 0, 0, 1, 2]);
  });

  it('finds only sectors that are there', () => {
    b.program(1, 512);
    expect(b.sectors(0xe6, [0, 0, 19])).toEqual([0x40, 0x04, 0, 0, 0, 19, 2]);
    expect(b.sectors(0xe6, [1, 0, 1])).toEqual([0x40, 0x04, 0x10, 1, 0, 1, 2]);
    expect(b.command(0xe6, 4, 0, 0, 1, 2, 18, 0x1b, 0xff)).toEqual([0x44, 0x04, 0, 0, 0, 1, 2]);
    expect(b.command(0xe6, 0, 0, 0, 1, 3, 18, 0x1b, 0xff)).toEqual([0x40, 0x04, 0, 0, 0, 1, 3]);
    b.seek(81);
    expect(b.sectors(0xe6, [81, 0, 1])).toEqual([0x40, 0x01, 0, 81, 0, 1, 2]);
  });

  it('needs the right data rate and MFM', () => {
    b.fdc.dirPort.write(0, 2, 1);
    b.program(1, 512);
    expect(b.sectors(0xe6, [0, 0, 1])).toEqual([0x40, 0x01, 0, 0, 0, 1, 2]);
    b.put(DSR, 0x00);
    expect(b.sectors(0xa6, [0, 0, 1])[1]).toBe(0x01);
    expect(b.sectors(0xe6, [0, 0, 1])[0]).toBe(0);
  });

  it('steps by itself with implied seek', () => {
    b.command(0x13, 0, 0x60, 0);
    b.program(1, 512);
    expect(b.sectors(0xe6, [2, 0, 1])).toEqual([0, 0, 0, 2, 0, 2, 2]);
    expect(b.memory[0]).toBe(73);
    expect(b.command(0x0e)[0]).toBe(2);
  });

  it('reads zeros where an image is shorter than its medium', () => {
    b.fdc.insert(0, medium(237));
    b.memory.fill(0xee);
    b.seek(6);
    b.program(1, 18 * 512 * 2);
    expect(b.sectors(0xe6, [6, 0, 18])[0]).toBe(0x44);
    b.program(1, 1024);
    expect(b.sectors(0xe6, [6, 1, 3])[0]).toBe(4);
    expect([b.memory[0], b.memory[512]]).toEqual([237, 0]);
  });

  it('hangs without a medium or motor until reset', () => {
    expect(b.sectors(0xe6, [0, 0, 1], { unit: 1 })).toEqual([]);
    expect(b.get(MSR)).toBe(0x10);
    b.put(DSR, 0x80);
    b.clock.step(MS);
    expect(b.command(0x08)).toEqual([0xc0, 0]);
    b.put(DOR, 0x0c);
    expect(b.sectors(0xe6, [0, 0, 1])).toEqual([]);
  });

  it('READ ID tells what is under the head', () => {
    b.seek(7);
    const id = b.command(0x4a, 4);
    expect(id.slice(0, 5)).toEqual([4, 0, 0, 7, 1]);
    expect(id[5]).toBeGreaterThanOrEqual(1);
    expect(id[5]).toBeLessThanOrEqual(18);
    b.fdc.dirPort.write(0, 1, 1);
    expect(b.command(0x4a, 0).slice(0, 3)).toEqual([0x40, 1, 0]);
  });

  it('READ DELETED DATA meets normal marks: one sector, or none with SK', () => {
    b.program(1, 1024);
    expect(b.sectors(0x4c, [0, 0, 1])).toEqual([0, 0, 0x40, 0, 0, 2, 2]);
    expect([b.memory[0], b.memory[512]]).toEqual([1, 0]);
    b.memory.fill(0);
    expect(b.sectors(0x6c, [0, 0, 1], { eot: 3 })).toEqual([0x40, 0x80, 0x40, 1, 0, 1, 2]);
    expect(b.memory[0]).toBe(0);
  });

  it('READ TRACK starts at the first sector and compares IDs', () => {
    b.program(1, 1024);
    expect(b.sectors(0x42, [0, 0, 5])[1]).toBe(0);
    expect([b.memory[0], b.memory[512]]).toEqual([1, 2]);
    b.program(1, 1024);
    expect(b.sectors(0x42, [9, 0, 5])[1]).toBe(4);
  });

  it('VERIFY reads without data: to EOT, or a count of sectors', () => {
    expect(b.sectors(0x56, [0, 0, 1])).toEqual([0, 0, 0, 1, 0, 1, 2]);
    expect(b.command(0x56, 0x80, 0, 0, 3, 2, 18, 0x1b, 2)).toEqual([0, 0, 0, 0, 0, 5, 2]);
    expect(b.command(0x56, 0x80, 0, 0, 18, 2, 18, 0x1b, 2)).toEqual([0x40, 0x80, 0, 1, 0, 1, 2]);
  });
});

describe('writing with DMA', () => {
  it('stores whole sectors, the rest of the last one as zeros', () => {
    const disk = medium(2880);
    b.fdc.insert(0, disk);
    b.memory.fill(0x99);
    b.program(2, 600);
    expect(b.sectors(0xc5, [0, 0, 2])).toEqual([0, 0, 0, 0, 0, 4, 2]);
    expect([511, 512, 1023, 1024, 1111, 1112, 1535, 1536].map((at) => disk.data[at])).toEqual([1, 0x99, 0x99, 0x99, 0x99, 0, 0, 4]);
    b.program(2, 512);
    expect(b.sectors(0xc9, [0, 0, 18])[0]).toBe(0);
    expect(disk.data[17 * 512]).toBe(0x99);
  });

  it('refuses a protected medium', () => {
    b.fdc.insert(0, medium(2880, true));
    b.program(2, 512);
    expect(b.sectors(0xc5, [0, 0, 1])).toEqual([0x40, 0x02, 0, 0, 0, 1, 2]);
    expect(b.command(0x4d, 0, 2, 18, 0x54, 0xf6).slice(0, 3)).toEqual([0x40, 0x02, 0]);
  });

  it('FORMAT TRACK fills the sectors of its list', () => {
    const disk = medium(2880);
    b.fdc.insert(0, disk);
    b.seek(3);
    for (let i = 0; i < 18; i++) b.memory.set([3, 1, i + 1, 2], i * 4);
    b.program(2, 72);
    const result = b.command(0x4d, 4, 2, 18, 0x54, 0xf6);
    expect(result.slice(0, 3)).toEqual([4, 0, 0]);
    const first = (3 * 2 + 1) * 18;
    expect([first - 1, first, first + 17, first + 18].map((n) => disk.data[n * 512 + 511])).toEqual([first & 0xff, 0xf6, 0xf6, (first + 19) & 0xff]);
    expect(b.command(0x0e)[6]).toBe(18);
  });

  it('shows errors of the host as data errors', () => {
    const disk = medium(2880);
    disk.write = (_sector, _data, done) => done(new Error('disk full'));
    b.fdc.insert(0, disk);
    b.program(2, 512);
    expect(b.sectors(0xc5, [0, 0, 1])).toEqual([0x40, 0x20, 0x20, 0, 0, 1, 2]);
  });
});

describe('without DMA', () => {
  beforeEach(() => {
    b.command(0x03, 0xdf, 0x03);
  });

  it('reads byte by byte, with an interrupt for each', () => {
    for (const byte of [0x46, 0, 0, 0, 17, 2, 18, 0x1b, 0xff]) b.put(FIFO, byte);
    expect(b.get(MSR)).toBe(0x30);
    for (let sector = 17; sector <= 18; sector++) {
      b.untilTransfer();
      for (let i = 0; i < 512; i++) {
        expect(b.level).toBe(true);
        if (b.get(MSR) !== 0xf0 || b.get(FIFO) !== sector) expect.unreachable(`byte ${i}`);
      }
    }
    expect(b.level).toBe(true);
    expect(b.edges).toBe(1025);
    expect(b.results()).toEqual([0x40, 0x80, 0, 1, 0, 1, 2]);
  });

  it('writes byte by byte', () => {
    const disk = medium(2880);
    b.fdc.insert(0, disk);
    for (const byte of [0x45, 0, 0, 0, 18, 2, 18, 0x1b, 0xff]) b.put(FIFO, byte);
    b.untilTransfer();
    for (let i = 0; i < 512; i++) {
      if (b.get(MSR) !== 0xb0) expect.unreachable(`byte ${i}`);
      b.put(FIFO, i & 0xff);
    }
    expect(b.get(MSR)).toBe(0x30);
    b.clock.step(10 * MS);
    expect(b.results().slice(0, 2)).toEqual([0x40, 0x80]);
    expect([...disk.data.subarray(17 * 512 + 250, 17 * 512 + 260)]).toEqual([250, 251, 252, 253, 254, 255, 0, 1, 2, 3]);
  });
});

describe('media', () => {
  it('have formats by exact size, else the first of 1.44 and 2.88 MB that holds them', () => {
    expect(floppyFormat(1440)).toMatchObject({ cylinders: 80, heads: 2, sectors: 9, rate: 2 });
    expect(floppyFormat(320)).toMatchObject({ cylinders: 40, heads: 1, sectors: 8 });
    expect(floppyFormat(2400)).toMatchObject({ sectors: 15, rate: 0 });
    expect(floppySectors(237)).toBe(2880);
    expect(floppySectors(2881)).toBe(5760);
    expect(floppySectors(3444)).toBe(3444);
    expect(floppySectors(9999)).toBe(9999);
    expect(floppyFormat(9999)).toBeNull();
    expect([720, 1440, 2400, 2880, 5760, 9999].map(floppyDriveType)).toEqual(['360K', '1.44M', '1.2M', '1.44M', '2.88M', '2.88M']);
    expect(CMOS_DRIVE_TYPE[floppyDriveType(237)]).toBe(4);
  });

  it('go only into drives that are made for them', () => {
    const fits = (type: '360K' | '1.2M' | '720K' | '1.44M' | '2.88M'): number[] => [720, 1440, 2400, 2880, 5760].filter((sectors) => {
      try {
        return new FloppyDrive({ type, medium: medium(sectors) }).medium !== null;
      } catch {
        return false;
      }
    });
    expect(fits('360K')).toEqual([720]);
    expect(fits('1.2M')).toEqual([720, 2400]);
    expect(fits('720K')).toEqual([1440]);
    expect(fits('1.44M')).toEqual([1440, 2880]);
    expect(fits('2.88M')).toEqual([1440, 2880, 5760]);
    expect(() => b.fdc.insert(0, medium(5760))).toThrow('a floppy of 2880 KB does not go into a drive for 1.44MB');
  });

  it('of 720 KB and of 2.88 MB are read at their own rates', () => {
    b = new Bench([{ type: '2.88M' }]);
    b.start();
    b.fdc.insert(0, medium(1440));
    b.program(1, 512);
    expect(b.sectors(0xe6, [0, 0, 9], { eot: 9 })[1]).toBe(1);
    b.fdc.dirPort.write(0, 2, 1);
    expect(b.sectors(0xe6, [0, 0, 9], { eot: 9 })[0]).toBe(0);
    b.fdc.insert(0, medium(5760));
    b.fdc.dirPort.write(0, 3, 1);
    b.program(1, 512);
    expect(b.sectors(0xe6, [0, 1, 36], { eot: 36 })[0]).toBe(4);
  });

  it('of 360 KB take double steps and 300 kbit/s in a 1.2 MB drive', () => {
    b = new Bench([{ type: '1.2M', medium: medium(720) }]);
    b.start();
    b.fdc.dirPort.write(0, 1, 1);
    b.seek(6);
    b.program(1, 512);
    expect(b.sectors(0xe6, [3, 0, 1], { eot: 9 })[0]).toBe(0);
    expect(b.memory[0]).toBe(55);
  });

  it('with one side have no other', () => {
    b = new Bench([{ medium: medium(320) }]);
    b.start();
    b.fdc.dirPort.write(0, 2, 1);
    expect(b.sectors(0xe6, [0, 1, 1], { eot: 8 }).slice(0, 2)).toEqual([0x44, 1]);
  });
});

describe('save and restore', () => {
  it('goes on in the middle of seeks and transfers', () => {
    const disk = medium(2880);
    const copy = (): void => {
      const saved = b.fdc.state.save();
      const dma = b.dma.state.save();
      const now = b.clock.now();
      b = new Bench([{ medium: disk }, null]);
      b.clock.skip(now);
      b.dma.state.restore(dma);
      b.fdc.state.restore(saved);
      b.fdc.restored();
    };
    b = new Bench([{ medium: disk }, null]);
    b.put(DOR, 0x1c);
    copy();
    b.start();
    for (const byte of [0x0f, 0, 4]) b.put(FIFO, byte);
    copy();
    b.clock.step(50 * MS);
    expect(b.level).toBe(true);
    copy();
    expect(b.level).toBe(true);
    expect(b.command(0x08)).toEqual([0x20, 4]);
    for (const byte of [0xe6, 0, 4, 0, 1, 2, 18, 0x1b, 0xff]) b.put(FIFO, byte);
    copy();
    b.clock.step(MS);
    copy();
    b.untilTransfer();
    copy();
    b.program(1, 512);
    b.clock.step(10 * MS);
    expect(b.results()).toEqual([0, 0, 0, 4, 0, 2, 2]);
    expect(b.memory[0]).toBe(145);
  });
});
