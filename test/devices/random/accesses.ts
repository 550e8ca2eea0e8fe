/**
 * Random accesses to a board: ports, memory-mapped registers, PCI configuration, and guest memory where devices look for descriptors.
 * They come in no sensible order, but with the values that make devices do something.
 */
import type { AccessSize } from '../../../src/memory/io-region.ts';
import { Random } from '../../vectors/random.ts';
import { TEST_MEMORY_BASE } from '../../../src/devices/pc-testdev.ts';
import type { FullBoard } from './board.ts';
import { STRUCTURES, STRUCTURES_SIZE, firmwareConfiguration, floppy, setupOf, value, vmware } from './rings.ts';

/** A range of registers. */
export interface Target {
  readonly name: string;
  readonly kind: 'port' | 'memory';
  readonly base: number;
  readonly size: number;
  /** Puts into memory what the device fetches there, and tells it; null: it fetches nothing. */
  readonly setup: ((board: FullBoard, random: Random) => void) | null;
}

const FIRST_PORT = 0xc000, FIRST_ADDRESS = 0xf000_0000;
const LARGEST_BAR = 1 << 20;

const configAddress = (devfn: number, register: number): number => 0x8000_0000 | devfn << 8 | register & 0xfc;

function configRead({ pc }: FullBoard, devfn: number, register: number): number {
  pc.io.write(0xcf8, configAddress(devfn, register) | 0, 4);
  return pc.io.read(0xcfc, 4);
}
function configWrite({ pc }: FullBoard, devfn: number, register: number, value: number): void {
  pc.io.write(0xcf8, configAddress(devfn, register) | 0, 4);
  pc.io.write(0xcfc, value | 0, 4);
}

/** Gives every PCI function its places, as firmware does; says what is where. */
function placeFunctions(board: FullBoard): Target[] {
  const targets: Target[] = [];
  let port = FIRST_PORT, address = FIRST_ADDRESS;
  for (const { device, fn, function: pciFunction } of board.pc.pci.functions()) {
    const devfn = device << 3 | fn, name = `${pciFunction.name} (pci ${device.toString(16)}.${fn})`, bars: number[] = [], own: Omit<Target, 'setup'>[] = [];
    for (let register = 0x10; register < 0x28; register += 4) {
      configWrite(board, devfn, register, -1);
      const mask = configRead(board, devfn, register), bar = (register - 0x10) / 4;
      if (mask === 0) continue;
      const isPort = (mask & 1) !== 0, size = -(mask & (isPort ? ~3 : ~15)) >>> 0;
      const base = Math.ceil((isPort ? port : address) / size) * size;
      if (isPort) port = base + size;
      else address = base + size;
      bars[bar] = base;
      configWrite(board, devfn, register, base);
      own.push({ name: `${name} bar ${bar}`, kind: isPort ? 'port' : 'memory', base, size: Math.min(size, LARGEST_BAR) });
    }
    configWrite(board, devfn, 4, 7);
    const setup = setupOf(pciFunction);
    targets.push(...own.map((target) => ({
      ...target,
      setup: setup === null ? null : (on: FullBoard, random: Random): void => {
        // What was moved away comes back first.
        bars.forEach((base, bar) => configWrite(on, devfn, 0x10 + 4 * bar, base));
        configWrite(on, devfn, 4, 7);
        setup(on, random, bars);
      },
    })));
  }
  return targets;
}

/** Everything that a guest can touch. PCI functions are placed by this. */
export function targetsOf(board: FullBoard): Target[] {
  const placed = placeFunctions(board), byName = new Map<string, Target>();
  for (const { base, length, region } of board.pc.io.mappings()) {
    if (base >= FIRST_PORT) continue;
    const name = `${region.name} ${base.toString(16)}`, setup = { 'fdc 3f0': floppy, 'fw_cfg-dma 514': firmwareConfiguration, 'vmport 5658': vmware }[name];
    byName.set(name, { name, kind: 'port', base, size: length, setup: setup === undefined ? null : (on, random) => setup(on, random, []) });
  }
  const memory = (name: string, base: number, size: number): Target => ({ name, kind: 'memory', base, size, setup: null });
  return [
    ...byName.values(), ...placed, memory('local APIC', 0xfee0_0000, 0x400), memory('I/O APIC', 0xfec0_0000, 0x20), memory('HPET', 0xfed0_0000, 0x400),
    memory('VGA window', 0xa_0000, 0x2_0000), memory('pc-testdev memory', TEST_MEMORY_BASE, 0x1_0000),
  ];
}

/** Keys and mouse, now and then. */
function userDoes({ pc }: FullBoard, random: Random): void {
  const buttons = random.below(8), wheel = random.below(3) - 1;
  switch (random.below(6)) {
    case 0: pc.key(random.pick(['a', 'ret', 'f1', 'pause']), random.below(2) === 0); break;
    case 1: pc.moveMouse(random.below(600) - 300, random.below(600) - 300, buttons, wheel); break;
    case 2: pc.point(random.below(101) / 100, random.below(101) / 100, buttons, wheel); break;
  }
}

const SIZES: readonly AccessSize[] = [1, 1, 2, 4];

/** One access, to the target more often than elsewhere. Returns what a read gave, else 0. */
export function access(board: FullBoard, random: Random, target: Target, all: readonly Target[]): number {
  const { pc } = board, { io, space } = pc;
  const kind = random.below(32);
  if (kind === 0) {
    board.advance(random.pick([100, 10_000, 1_000_000, 30_000_000]));
    userDoes(board, random);
  }
  else if (kind < 6) space.write(STRUCTURES + (random.below(STRUCTURES_SIZE >> 2) << 2), value(random), 4);
  else if (kind === 6) {
    const devfn = random.below(256), register = random.below(256);
    io.write(0xcf8, configAddress(devfn, register) | 0, 4);
    if (random.below(3) > 0) return io.read(0xcfc + (register & 3), 1);
    // Places stay, mostly: else there would soon be nothing left to write to.
    if (register >= 0x40 || random.below(64) === 0) io.write(0xcfc + (register & 3), value(random) & 0xff, 1);
  } else if (kind === 7) (target.setup ?? random.pick(all).setup)?.(board, random);
  else {
    const { kind: where, base, size } = kind < 11 ? random.pick(all) : target;
    // Registers stand at the beginning of most regions.
    const offset = random.below(random.below(2) === 0 ? Math.min(size, 64) : size), width = random.pick(SIZES);
    if (where === 'port') {
      if (random.below(2) === 0) return io.read(base + offset, width);
      io.write(base + offset, value(random), width);
    } else if (random.below(2) === 0) return space.read(base + offset | 0, width);
    else space.write(base + offset | 0, value(random), width);
  }
  return 0;
}
