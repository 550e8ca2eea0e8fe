import { beforeEach, describe, expect, test } from 'vitest';
import type { BlockBackend } from '../../src/devices/host.ts';
import { NIC_MODELS } from '../../src/devices/pc-nics.ts';
import { Pc } from '../../src/devices/pc.ts';
import type { PcConfig, Processor, ProcessorSocket } from '../../src/devices/pc.ts';

const MIB = 1 << 20;

/** A socket's other side without a processor: it remembers what its pins saw. */
class Pins implements Processor {
  raiseNmi(): void {}
  requestInit(): void {}
  register(): number {
    return 0;
  }
  setRegister(): void {}
  readonly socket: ProcessorSocket;
  intr = false;
  a20 = false;
  requests = 0;
  resets = 0;

  constructor(socket: ProcessorSocket) {
    this.socket = socket;
  }

  setIntr(level: boolean): void {
    this.intr = level;
  }

  setA20(open: boolean): void {
    this.a20 = open;
  }

  requestReset(): void {
    this.requests++;
  }

  reset(): void {
    this.resets++;
  }
}

/** A disk whose sectors are full of their own number. */
function disk(sectors: number): BlockBackend {
  return {
    sectors,
    readOnly: false,
    read(sector, data, done) {
      for (let i = 0; i < data.length; i++) data[i] = (sector + (i >> 9)) & 0xff;
      done();
    },
    write: (_sector, _data, done) => done(),
    flush: (done) => done(),
  };
}

const bios = Uint8Array.from({ length: 64 << 10 }, (_, i) => i >> 8);
let ns: number;

function create(config: Partial<PcConfig> = {}): Pc<Pins> {
  ns = 0;
  return new Pc({ memory: 32 * MIB, bios, time: () => ns, rtcBase: Date.UTC(2024, 0, 1), ...config }, (socket) => new Pins(socket));
}

let pc: Pc<Pins>;
beforeEach(() => {
  pc = create();
});

const out = (port: number, ...bytes: number[]): void => bytes.forEach((byte) => pc.io.write(port, byte, 1));
const inp = (port: number): number => pc.io.read(port, 1);
const cmos = (index: number): number => (out(0x70, index), inp(0x71));
const pci = (devfn: number, register: number, value: number): void => {
  pc.io.write(0xcf8, (0x80000000 | (devfn << 8) | (register & 0xfc)) | 0, 4);
  pc.io.write(0xcfc + (register & 3), value, 1);
};
const advance = (to: number): void => {
  while (pc.clock.nextDeadline() <= to) {
    ns = Math.max(ns, pc.clock.nextDeadline());
    pc.clock.runTimers();
  }
  ns = to;
};
const initPics = (): void => {
  out(0x20, 0x11);
  out(0x21, 0x08, 0x04, 0x01, 0x00);
  out(0xa0, 0x11);
  out(0xa1, 0x70, 0x02, 0x01, 0x00);
};

describe('Pc memory', () => {
  test('firmware at the top and below 1 MB; smaller images end there, larger ones show their end', () => {
    expect([pc.space.read(0xfffffff0, 1), pc.space.read(0xffff0000, 2), pc.space.read(0xf1234, 1), pc.space.read(0xe1234, 1)]).toEqual([0xff, 0, 0x12, 0xff]);
    pc.space.write(0xffff1234, 0, 1);
    expect(pc.space.read(0xffff1234, 1)).toBe(0x12);
    pc = create({ bios: Uint8Array.of(1, 2, 3) });
    expect([pc.space.read(0xffffffff, 1), pc.space.read(0xffffd, 1), pc.space.read(0xffffc, 1)]).toEqual([3, 1, 0xff]);
    pc = create({ bios: Uint8Array.from({ length: 256 << 10 }, (_, i) => i >> 12) });
    expect([0xfffc0000, 0xfffe0000, 0xe0000, 0xf0000].map((at) => pc.space.read(at, 1))).toEqual([0, 32, 32, 48]);
  });

  test('PAM: read ROM and write RAM, then RAM only, then write-protected', () => {
    pci(0, 0x59, 0x20);
    pc.space.write(0xf1234, 0x55, 1);
    expect(pc.space.read(0xf1234, 1)).toBe(0x12);
    pci(0, 0x59, 0x30);
    expect(pc.space.read(0xf1234, 1)).toBe(0x55);
    pci(0, 0x59, 0x10);
    pc.space.write(0xf1234, 0x66, 1);
    expect(pc.space.read(0xf1234, 1)).toBe(0x55);
    pci(0, 0x5b, 0x30);
    pc.space.write(0xcc000, 0x77, 1);
    expect([pc.space.read(0xcc000, 1), pc.space.read(0xc8000, 1), pc.space.read(0xd0000, 4)]).toEqual([0x77, 0xff, -1]);
    pc.reset();
    expect([pc.space.read(0xf1234, 1), pc.space.read(0xcc000, 1)]).toEqual([0x12, 0xff]);
  });

  test('VGA BIOS at C0000, in the expansion ROM, and shadowed', () => {
    pc = create({ vgaBios: Uint8Array.from({ length: 40 << 10 }, (_, i) => (i === 0 ? 0x55 : i >> 10)) });
    expect([0xc0000, 0xc4000, 0xc9c00, 0xca000, 0xd0000].map((at) => pc.space.read(at, 1))).toEqual([0x55, 16, 39, 0xff, 0xff]);
    const vga = 2 << 3;
    for (const [i, byte] of [0x01, 0x00, 0xb0, 0xfe].entries()) pci(vga, 0x30 + i, byte);
    expect(pc.space.read(0xfeb00000, 1)).toBe(0xff);
    pci(vga, 0x04, 0x03);
    expect([pc.space.read(0xfeb00000, 1), pc.space.read(0xfeb09c00, 1)]).toEqual([0x55, 39]);
    pci(vga, 0x30, 0x00);
    expect(pc.space.read(0xfeb00000, 1)).toBe(0xff);
    pci(0, 0x5a, 0x33);
    pc.space.write(0xc0000, 0xaa, 1);
    expect(pc.space.read(0xc0000, 1)).toBe(0xaa);
  });

  test('video memory, or the RAM behind it', () => {
    expect(pc.space.read(0xb8000, 1)).toBe(0xff);
    pci(0, 0x72, 0x4a);
    pc.space.write(0xb8000, 0x41, 1);
    expect(pc.space.read(0xb8000, 1)).toBe(0x41);
    pci(0, 0x72, 0x0a);
    expect(pc.space.read(0xb8000, 1)).toBe(0xff);
  });

  test('RAM ends where it is said to end; sizes are checked', () => {
    pc.space.write(32 * MIB - 4, 0x12345678, 4);
    expect([pc.space.read(32 * MIB - 4, 4), pc.space.read(32 * MIB, 4)]).toEqual([0x12345678, -1]);
    expect(() => create({ memory: 100 })).toThrow(RangeError);
    expect(() => create({ bios: new Uint8Array(300 << 10) })).toThrow('256 KB');
    expect(() => create({ bootOrder: 'x' })).toThrow("no boot device 'x'");
  });
});

describe('Pc wiring', () => {
  test('the timer interrupts through the master', () => {
    initPics();
    out(0x43, 0x34);
    out(0x40, 0xa9, 0x04);
    advance(1_500_000);
    expect(pc.cpu.intr).toBe(true);
    expect(pc.cpu.socket.acknowledge()).toBe(8);
    expect(pc.cpu.intr).toBe(false);
  });

  test('keyboard on IRQ1, clock on IRQ8, serial on IRQ4', () => {
    const sent: number[] = [];
    pc = create({ serials: [{ write: (byte) => sent.push(byte), receive: null }] });
    initPics();
    out(0x21, 0xed);
    advance(1_000_000);
    expect(pc.cpu.socket.acknowledge()).toBe(9);
    expect(pc.keyboardIdle).toBe(false);
    expect(inp(0x60)).toBe(0xaa);
    expect(pc.keyboardIdle).toBe(true);
    expect(pc.key('a', true)).toBe(true);
    expect(pc.keyboardIdle).toBe(false);
    out(0x20, 0x20);
    out(0x3f9, 0x02);
    out(0x3fc, 0x08);
    expect(pc.cpu.socket.acknowledge()).toBe(12);
    out(0x20, 0x20);
    out(0x3f8, 0x41);
    expect([sent, inp(0x3e8)]).toEqual([[0x41], 0xff]);
    out(0x21, 0xfb);
    out(0xa1, 0xfe);
    out(0x70, 0x0b);
    out(0x71, 0x12);
    advance(1_100_000_000);
    expect(pc.cpu.socket.acknowledge()).toBe(0x70);
  });

  test('A20 by the keyboard controller or port 92h', () => {
    expect(pc.cpu.a20).toBe(true);
    out(0x64, 0xd1);
    out(0x60, 0xdd);
    expect(pc.cpu.a20).toBe(false);
    out(0x92, 0x02);
    expect(pc.cpu.a20).toBe(true);
    pc.reset();
    expect([pc.cpu.a20, inp(0x92)]).toEqual([true, 0]);
  });

  test('three ways to reset', () => {
    out(0x64, 0xfe);
    out(0x92, 0x01);
    out(0xcf9, 0x06);
    expect([pc.cpu.requests, pc.cpu.resets]).toEqual([3, 0]);
    pc.reset();
    expect(pc.cpu.resets).toBe(1);
  });

  test('x87 errors on IRQ13 until port F0h is written', () => {
    initPics();
    pc.cpu.socket.fpuError();
    expect(pc.cpu.socket.acknowledge()).toBe(0x75);
    out(0xf0, 0);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    expect(pc.cpu.intr).toBe(false);
  });

  test('PCI interrupts go by slot and pin to a PIRQ and by PIIX3 to an IRQ', () => {
    initPics();
    const line = pc.pciInterrupt(3, 0);
    pci(1 << 3, 0x62, 11);
    out(0x4d1, 0x08);
    line.set(true);
    expect(pc.cpu.socket.acknowledge()).toBe(0x73);
  });

  test('debug console and exit port', () => {
    const said: number[] = [];
    const codes: number[] = [];
    const console = { write: (byte: number) => void said.push(byte), receive: null };
    pc = create({ debugConsole: console, debugExit: { iobase: 0xf4, iosize: 4, exit: (code) => codes.push(code) } });
    out(0xe9, 0x68, 0x69);
    pc.io.write(0xf4, 3, 4);
    expect([said, codes, inp(0xe9)]).toEqual([[0x68, 0x69], [7], 0xe9]);
  });

  test('the floppy controller reaches memory by DMA channel 2 and asks with IRQ6', () => {
    pc = create({ floppies: [{ medium: disk(2880) }] });
    initPics();
    out(0x21, 0xbf);
    out(0x3f2, 0x1c);
    advance(100_000_000);
    expect(pc.cpu.socket.acknowledge()).toBe(14);
    out(0x20, 0x20);
    for (let i = 0; i < 4; i++) {
      out(0x3f5, 0x08);
      inp(0x3f5);
      inp(0x3f5);
    }
    // Two sectors from cylinder 0, head 0, sector 3 to 12340h.
    out(0x0a, 0x06);
    out(0x0c, 0x00);
    out(0x0b, 0x46);
    out(0x04, 0x40, 0x23);
    out(0x81, 0x01);
    out(0x05, 0xff, 0x03);
    out(0x0a, 0x02);
    out(0x3f7, 0x00);
    out(0x3f5, 0xe6, 0x00, 0x00, 0x00, 0x03, 0x02, 18, 0x1b, 0xff);
    advance(1_500_000_000);
    expect(pc.cpu.socket.acknowledge()).toBe(14);
    expect([0x1233f, 0x12340, 0x1253f, 0x12540, 0x1273f, 0x12740].map((at) => pc.space.read(at, 1))).toEqual([0, 2, 2, 3, 3, 0]);
    expect(inp(0x08)).toBe(0x04);
  });

  test('numbers its drives by place, and lets them say what they are told to', () => {
    pc = create({ disks: [disk(64), disk(64), { medium: null }, disk(64)], identities: [null, { serial: 'MINE', model: 'A', firmware: '7' }] });
    const texts = (index: number, command: number): string[] => {
      const at = [0x1f0, 0x170][index >> 1]!;
      pc.io.write(at + 6, 0xa0 | (index & 1) << 4, 1);
      pc.io.write(at + 7, command, 1);
      ns += 1e9;
      const words = Array.from({ length: 256 }, () => pc.io.read(at, 2));
      return [[10, 10], [27, 20], [23, 4]].map(([from, count]) => words.slice(from, from! + count!).map((word) => String.fromCharCode(word >> 8, word & 255)).join('').trim());
    };
    expect([texts(0, 0xec), texts(1, 0xec), texts(2, 0xa1), texts(3, 0xec)]).toEqual([
      ['TCG00001', 'TCG86 HARDDISK', '0.1'], ['MINE', 'A', '7'], ['TCG00003', 'TCG86 CD-ROM', '0.1'], ['TCG00004', 'TCG86 HARDDISK', '0.1']]);
  });

  test('both IDE channels, with IRQ14 and IRQ15', () => {
    pc = create({ disks: [disk(4096), null, disk(4096)] });
    initPics();
    out(0x21, 0xfb);
    for (const [base, vector, sector] of [[0x1f0, 0x76, 5], [0x170, 0x77, 9]] as const) {
      for (const [offset, value] of [[2, 1], [3, sector], [4, 0], [5, 0], [6, 0xe0], [7, 0x20]]) out(base + offset, value);
      advance(ns + 100_000_000);
      expect(pc.cpu.socket.acknowledge()).toBe(vector);
      out(0xa0, 0x20);
      out(0x20, 0x20);
      expect([inp(base + 7) & 0x89, pc.io.read(base, 4)]).toEqual([0x08, sector * 0x01010101]);
    }
    expect(inp(0x376)).toBe(inp(0x177));
  });

  test("an alarm of the real-time clock is noted by power management, also where the HPET has its interrupt", () => {
    pci(0x0b, 0x41, 0x06);
    pci(0x0b, 0x80, 1);
    for (const [index, value] of [[0x01, 0xff], [0x03, 0xff], [0x05, 0xff], [0x0b, 0x22]] as const) out(0x70, index, index), pc.io.write(0x71, value, 1);
    pc.space.write(0xfed00010, 3, 4);
    cmos(0x0c);
    pc.io.write(0x600, 0x400, 2);
    advance(ns + 2e9);
    expect([cmos(0x0c) & 0x20, pc.io.read(0x600, 2) & 0x400]).toEqual([0x20, 0x400]);
  });

  test('device names are unique, and every state can be saved and restored', () => {
    pc = create({ disks: [disk(2048), disk(2048), { medium: disk(2048) }, { medium: null }], bootOnce: 'd', floppies: [{}, {}], nics: NIC_MODELS.map((model) => ({ model, backend: null })), serials: Array.from({ length: 4 }, () => ({ write() {}, receive: null })) });
    const names = pc.devices.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const saved = pc.devices.map((device) => device.state.save());
    pc.reset();
    pc.restore(saved);
    // As text: deep equality walks the video memory byte by byte.
    const text = (states: typeof saved): string[] => states.map(({ fields }) => Object.entries(fields).join());
    expect(text(pc.devices.map((device) => device.state.save()))).toEqual(text(saved));
  });
});

describe('Pc CMOS', () => {
  test('memory sizes', () => {
    expect([cmos(0x15), cmos(0x16), cmos(0x17), cmos(0x18), cmos(0x31), cmos(0x34), cmos(0x35)]).toEqual([0x80, 0x02, 0x00, 0x7c, 0x7c, 0x00, 0x01]);
    pc = create({ memory: 512 * MIB });
    expect([cmos(0x30), cmos(0x31), cmos(0x34), cmos(0x35)]).toEqual([0xff, 0xff, 0x00, 0x1f]);
    pc = create({ memory: MIB });
    expect([cmos(0x17), cmos(0x18), cmos(0x34), cmos(0x35)]).toEqual([0, 0, 0, 0]);
  });

  test('floppies, disks, boot order', () => {
    expect([cmos(0x10), cmos(0x12), cmos(0x14), cmos(0x3d), cmos(0x38)]).toEqual([0, 0, 0x06, 0x12, 0x30]);
    pc = create({ floppies: [{ type: '1.44M' }, { type: '360K' }], disks: [disk(203 * 16 * 38), null, null, disk(5000 * 16 * 63)], geometries: [{ cylinders: 203, heads: 16, sectors: 38 }], bootOrder: 'a' });
    expect([cmos(0x10), cmos(0x12), cmos(0x14), cmos(0x3d), cmos(0x38)]).toEqual([0x41, 0xf0, 0x47, 0x01, 0x00]);
    expect([0x19, 0x1b, 0x1c, 0x1d, 0x20, 0x23, 0x24, 0x39].map(cmos)).toEqual([0x2f, 203, 0, 16, 0xc8, 38, 0, 0x40]);
    let sum = 0;
    for (let index = 0x10; index <= 0x2d; index++) sum += cmos(index);
    expect((cmos(0x2e) << 8) | cmos(0x2f)).toBe(sum);
  });

  test('hold the order of the first start, then the lasting one, then what the guest writes', () => {
    pc = create({ bootOrder: 'ca', bootOnce: 'd' });
    pc.reset(); // power on
    expect([cmos(0x3d), cmos(0x38)]).toEqual([0x03, 0]);
    pc.reset();
    expect([cmos(0x3d), cmos(0x38)]).toEqual([0x12, 0]);
    out(0x70, 0x3d);
    out(0x71, 0x04);
    pc.reset();
    expect(cmos(0x3d)).toBe(0x04);
    expect(() => create({ bootOrder: 'acdn' })).toThrow('too many boot devices');
  });

  test('survive a reset', () => {
    out(0x70, 0x0f);
    out(0x71, 0x05);
    pc.reset();
    expect([cmos(0x0f), cmos(0x09)]).toEqual([0x05, 0x24]);
  });
});

describe('VGA on the bus', () => {
  const VGA = 2 << 3;
  const long = (register: number, value: number): void => [0, 8, 16, 24].forEach((shift, i) => pci(VGA, register + i, (value >>> shift) & 0xff));
  const dispi = (index: number, value: number): void => {
    pc.io.write(0x1ce, index, 2);
    pc.io.write(0x1cf, value, 2);
  };

  test('shows its memory where BAR 0 says, and 64 KB of it at A0000 by bank', () => {
    long(0x10, 0xd0000000);
    pci(VGA, 0x04, 0x03);
    [640, 480, 32].forEach((value, i) => dispi(1 + i, value));
    dispi(4, 0x41);
    pc.space.write(0xd0012344, 0x11223344, 4);
    dispi(5, 1);
    out(0x3c0, 0x20);
    expect([pc.space.read(0xa2344, 4), pc.space.lookup(0xa2344).readMa >= 0]).toEqual([0x11223344, true]);
    expect([...pc.picture().rgba.subarray(0x12344, 0x12348)]).toEqual([0x22, 0x33, 0x44, 255]);
    long(0x10, 0xd4000000);
    expect([pc.space.read(0xd0012344, 4), pc.space.read(0xd4012344, 4)]).toEqual([-1, 0x11223344]);
    pc.io.write(0x1ce, 4, 2);
    expect(pc.io.read(0x1cf, 2)).toBe(0x41);
    expect(pc.io.read(0x1d0, 2)).toBe(0x41);
    dispi(4, 0);
    expect(pc.space.lookup(0xa2344).readIo?.name).toBe('vga-memory');
  });

  test('has its registers and what the monitor says behind BAR 2', () => {
    long(0x18, 0xd8000000);
    pci(VGA, 0x04, 0x03);
    const edid = Array.from({ length: 128 }, (_, i) => pc.space.read(0xd8000000 + i, 1));
    expect(edid.slice(0, 8)).toEqual([0, 255, 255, 255, 255, 255, 255, 0]);
    expect(edid.reduce((sum, byte) => sum + byte) & 255).toBe(0);
    expect(pc.space.read(0xd8000500, 2)).toBe(0xb0c5);
    pc.space.write(0xd8000502, 800, 2);
    pc.io.write(0x1ce, 1, 2);
    expect(pc.io.read(0x1cf, 2)).toBe(800);
    pc.space.write(0xd8000404, 0x0f02, 2);
    expect(inp(0x3c5)).toBe(0x0f);
    expect(pc.space.read(0xd8000600, 4)).toBe(8);
  });

  test('is not there when it is left out', () => {
    pc = create({ videoMemory: 0 });
    expect(inp(0x3cc)).toBe(0xff);
    expect(pc.space.read(0xb8000, 2)).toBe(0xffff);
    pc.io.write(0xcf8, 0x80000000 | VGA << 8, 4);
    expect(pc.io.read(0xcfc, 4)).toBe(-1);
    expect(pc.textScreen()).toBeNull();
    expect(() => pc.picture()).toThrow('no display adapter');
  });

  test('shares its room with the memory', () => {
    expect(() => create({ memory: 2040 * MIB })).toThrow(/2047 MiB together/);
  });
});
