import { beforeEach, describe, expect, test } from 'vitest';
import { I440fx, PAM_SEGMENTS } from '../../src/devices/i440fx.ts';
import { DeviceState } from '../../src/devices/device.ts';
import { PciBus, PciConfig, pciHeader } from '../../src/devices/pci.ts';
import type { PciFunction } from '../../src/devices/pci.ts';
import { Piix3, Piix3Ide } from '../../src/devices/piix3.ts';
import { PortBus } from '../../src/memory/port-bus.ts';
import type { AccessSize } from '../../src/memory/io-region.ts';

let ports: PortBus;
let bus: PciBus;
let host: I440fx;
let isa: Piix3;
let pam: string[];
let smram: boolean;
let irqs: boolean[];
let resets: number;

beforeEach(() => {
  pam = PAM_SEGMENTS.map(() => '--');
  irqs = Array.from({ length: 16 }, () => false);
  resets = 0;
  isa = new Piix3(
    irqs.map((_, irq) => ({ set: (level) => (irqs[irq] = level) })),
    { set: (level) => (resets += level ? 1 : 0) },
  );
  host = new I440fx({
    pam: (segment, read, write) => (pam[segment] = (read ? 'r' : '-') + (write ? 'w' : '-')),
    smram: (open) => (smram = open),
  });
  bus = new PciBus(isa.resetControl);
  bus.add(0, 0, host);
  bus.add(1, 0, isa);
  bus.add(1, 1, new Piix3Ide(() => {}));
  ports = new PortBus();
  ports.map(0xcf8, bus.addressPort);
  ports.map(0xcfc, bus.dataPort);
});

const select = (device: number, fn: number, register: number): void => ports.write(0xcf8, 0x80000000 | (device << 11) | (fn << 8) | (register & 0xfc), 4);
function read(device: number, fn: number, register: number, size: AccessSize = 4): number {
  select(device, fn, register);
  return ports.read(0xcfc + (register & 3), size) >>> 0;
}
function write(device: number, fn: number, register: number, value: number, size: AccessSize = 1): void {
  select(device, fn, register);
  ports.write(0xcfc + (register & 3), value, size);
}

describe('PCI configuration mechanism', () => {
  test('finds the functions of the chipset and nothing else', () => {
    expect([read(0, 0, 0), read(1, 0, 0), read(1, 1, 0)]).toEqual([0x12378086, 0x70008086, 0x70108086]);
    expect([read(0, 0, 8) >>> 8, read(1, 0, 8) >>> 8, read(1, 1, 8) >>> 8]).toEqual([0x060000, 0x060100, 0x010180]);
    expect([read(1, 0, 0x0e, 1), read(0, 0, 0x0e, 1)]).toEqual([0x80, 0]);
    expect([read(0, 1, 0), read(2, 0, 0), read(31, 7, 0x3c, 1)]).toEqual([0xffffffff, 0xffffffff, 0xff]);
  });

  test('bytes and words within a register; read-only bits', () => {
    expect([read(0, 0, 0x02, 2), read(0, 0, 0x01, 1)]).toEqual([0x1237, 0x80]);
    write(0, 0, 0x00, 0x12345678, 4);
    expect(read(0, 0, 0)).toBe(0x12378086);
    write(1, 1, 0x3c, 0x0e);
    expect(read(1, 1, 0x3c, 1)).toBe(0x0e);
    write(1, 1, 0x40, 0xa307, 2);
    write(1, 1, 0x42, 0x80, 1);
    expect(read(1, 1, 0x40)).toBe(0x0080a307);
    expect(read(1, 1, 0x20)).toBe(1);
  });

  test('the address register is a dword; disabled or on another bus there is nothing', () => {
    ports.write(0xcf8, 0x80000803, 4);
    expect(ports.read(0xcf8, 4) >>> 0).toBe(0x80000800);
    ports.write(0xcf8, 0x12, 2);
    expect(ports.read(0xcf8, 4) >>> 0).toBe(0x80000800);
    ports.write(0xcf8, 0x00000800, 4);
    expect(ports.read(0xcfc, 4)).toBe(-1);
    ports.write(0xcf8, 0x80010800 | 0, 4);
    expect(ports.read(0xcfc, 4)).toBe(-1);
  });

  test('CF9h reaches the reset control register through the address port', () => {
    ports.write(0xcf9, 0x02, 1);
    expect(resets).toBe(0);
    ports.write(0xcf9, 0x06, 1);
    expect([resets, ports.read(0xcf9, 1)]).toEqual([1, 0x06]);
    ports.write(0xcf8, 0x80000600 | 0, 4);
    expect(resets).toBe(1);
  });

  test('a place is taken once', () => {
    expect(() => bus.add(1, 1, new Piix3Ide(() => {}))).toThrow('PCI 00:1.1 is taken');
    expect(bus.functions().map(({ device, fn }) => `${device}.${fn}`)).toEqual(['0.0', '1.0', '1.1']);
  });
});

describe('base address registers', () => {
  test('sizing, placing, disabling', () => {
    const places: Record<string, number | null> = {};
    const state = new DeviceState(1, { config: pciHeader({ vendor: 1, device: 2, classCode: 0xff0000, interruptPin: 1 }) });
    const config = new PciConfig(state.fields.config)
      .writable(4, 2, 7)
      .bar(0, 'io', 32, (base) => (places['io'] = base))
      .bar(1, 'memory', 0x1000, (base) => (places['memory'] = base))
      .bar(0, 'rom', 0x10000, (base) => (places['rom'] = base));
    const device: PciFunction = { name: 'test', state, config, reset: () => state.reset() };
    bus.add(3, 0, device);
    for (const register of [0x10, 0x14, 0x18, 0x30]) write(3, 0, register, -1, 4);
    expect([read(3, 0, 0x10), read(3, 0, 0x14), read(3, 0, 0x18), read(3, 0, 0x30)]).toEqual([0xffffffe1, 0xfffff000, 0, 0xffff0001]);
    write(3, 0, 0x04, 7);
    expect(places).toEqual({});
    write(3, 0, 0x10, 0xc001, 4);
    write(3, 0, 0x14, 0xfebf1000, 4);
    write(3, 0, 0x30, 0xfeb00000, 4);
    expect(places).toEqual({ io: 0xc000, memory: 0xfebf1000 });
    write(3, 0, 0x30, 0xfeb00001, 4);
    expect(places['rom']).toBe(0xfeb00000);
    write(3, 0, 0x04, 1);
    expect(places).toEqual({ io: 0xc000, memory: null, rom: null });
    expect(read(3, 0, 0x3d, 1)).toBe(1);
  });
});

describe('I440fx', () => {
  test('PAM registers switch their segments', () => {
    expect(pam.every((state) => state === '--')).toBe(true);
    write(0, 0, 0x59, 0xff);
    expect([pam[0], read(0, 0, 0x59, 1)]).toEqual(['rw', 0x30]);
    write(0, 0, 0x5a, 0x21, 1);
    expect([PAM_SEGMENTS[1].base, pam[1], PAM_SEGMENTS[2].base, pam[2]]).toEqual([0xc0000, 'r-', 0xc4000, '-w']);
    write(0, 0, 0x5c, 0x33333333, 4);
    expect(PAM_SEGMENTS.filter((_, i) => pam[i] === 'rw').map(({ base }) => base.toString(16))).toEqual([
      'f0000', 'd0000', 'd4000', 'd8000', 'dc000', 'e0000', 'e4000', 'e8000', 'ec000',
    ]);
    host.reset();
    expect(pam.every((state) => state === '--')).toBe(true);
  });

  test('SMRAM opens until it is locked', () => {
    expect([read(0, 0, 0x72, 1), smram]).toEqual([0x02, false]);
    write(0, 0, 0x72, 0x4a);
    expect(smram).toBe(true);
    write(0, 0, 0x72, 0x5a);
    expect([smram, read(0, 0, 0x72, 1)]).toEqual([false, 0x1a]);
    write(0, 0, 0x72, 0x4a);
    expect([smram, read(0, 0, 0x72, 1)]).toEqual([false, 0x1a]);
    host.reset();
    write(0, 0, 0x72, 0x4a);
    expect(smram).toBe(true);
  });

  test('state survives save and restore', () => {
    write(0, 0, 0x59, 0x10);
    const saved = host.state.save();
    host.reset();
    host.state.restore(saved);
    host.restored();
    expect(pam[0]).toBe('r-');
  });
});

describe('Piix3', () => {
  const high = (): number[] => irqs.flatMap((level, irq) => (level ? [irq] : []));

  test('routes PCI interrupts', () => {
    expect(read(1, 0, 0x60)).toBe(0x80808080);
    isa.pirq[0].set(true);
    expect(high()).toEqual([]);
    write(1, 0, 0x60, 0x0b);
    expect(high()).toEqual([11]);
    write(1, 0, 0x63, 0x0b);
    isa.pirq[3].set(true);
    isa.pirq[0].set(false);
    expect(high()).toEqual([11]);
    write(1, 0, 0x63, 0x0a);
    expect(high()).toEqual([10]);
    write(1, 0, 0x63, 0x08);
    expect(high()).toEqual([]);
  });

  test('power-on values', () => {
    expect([read(1, 0, 0x4c, 1), read(1, 0, 0x4e, 2), read(1, 0, 0x69, 1), read(1, 0, 0x78, 2)]).toEqual([0x4d, 0x0003, 0x02, 0x0002]);
  });
});
