/**
 * Random accesses to a board: ports, memory-mapped registers, PCI configuration, and guest memory where devices look for descriptors.
 * They come in no sensible order, but with the values that make devices do something.
 */
import type { AccessSize } from '../../../src/memory/io-region.ts';
import { Random } from '../../vectors/random.ts';
import { RAM_SIZE } from './board.ts';
import type { FullBoard } from './board.ts';

/** A range of registers. */
export interface Target {
  readonly name: string;
  readonly kind: 'port' | 'memory';
  readonly base: number;
  readonly size: number;
}

const FIRST_PORT = 0xc000, FIRST_ADDRESS = 0xf000_0000;
/** Where descriptors, rings and buffers may lie. */
const STRUCTURES = 0x1_0000, STRUCTURES_SIZE = 0x1_0000;
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
  for (let devfn = 0; devfn < 256; devfn++) {
    if (configRead(board, devfn, 0) === -1) continue;
    const name = `pci ${devfn >> 3}.${devfn & 7}`;
    for (let register = 0x10; register < 0x28; register += 4) {
      configWrite(board, devfn, register, -1);
      const mask = configRead(board, devfn, register);
      if (mask === 0) continue;
      const isPort = (mask & 1) !== 0, size = -(mask & (isPort ? ~3 : ~15)) >>> 0;
      if (isPort) {
        port = Math.ceil(port / size) * size;
        targets.push({ name: `${name} bar ${(register - 0x10) / 4}`, kind: 'port', base: port, size });
        configWrite(board, devfn, register, port);
        port += size;
      } else {
        address = Math.ceil(address / size) * size;
        targets.push({ name: `${name} bar ${(register - 0x10) / 4}`, kind: 'memory', base: address, size: Math.min(size, LARGEST_BAR) });
        configWrite(board, devfn, register, address);
        address += size;
      }
    }
    configWrite(board, devfn, 4, 7);
  }
  return targets;
}

/** Everything that a guest can touch. PCI functions are placed by this. */
export function targetsOf(board: FullBoard): Target[] {
  const placed = placeFunctions(board), byName = new Map<string, Target>();
  for (const { base, length, region } of board.pc.io.mappings()) {
    if (base >= FIRST_PORT) continue;
    byName.set(`${region.name} ${base.toString(16)}`, { name: `${region.name} ${base.toString(16)}`, kind: 'port', base, size: length });
  }
  return [
    ...byName.values(), ...placed,
    { name: 'local APIC', kind: 'memory', base: 0xfee0_0000, size: 0x400 }, { name: 'I/O APIC', kind: 'memory', base: 0xfec0_0000, size: 0x20 },
    { name: 'HPET', kind: 'memory', base: 0xfed0_0000, size: 0x170 },
    { name: 'VGA window', kind: 'memory', base: 0xa_0000, size: 0x2_0000 },
  ];
}

/** Values that registers and descriptors are made of: addresses in the area, small numbers, bits, all ones, anything. */
function value(random: Random): number {
  switch (random.below(8)) {
    case 0: case 1: return STRUCTURES + (random.below(STRUCTURES_SIZE >> 4) << 4);
    case 2: return random.below(16);
    case 3: return 1 << random.below(32);
    case 4: return random.pick([0, -1, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000 | 0, RAM_SIZE - 16, RAM_SIZE, 0xffff_fff0 | 0]);
    case 5: return random.below(256);
    case 6: return STRUCTURES + random.below(STRUCTURES_SIZE) >>> 12;
    default: return random.next();
  }
}

const SIZES: readonly AccessSize[] = [1, 1, 2, 4];

/** One access, to the target more often than elsewhere. Returns what a read gave, else 0. */
export function access(board: FullBoard, random: Random, target: Target, all: readonly Target[]): number {
  const { pc } = board, { io, space } = pc;
  const kind = random.below(32);
  if (kind === 0) board.advance(random.pick([100, 10_000, 1_000_000, 30_000_000]));
  else if (kind < 6) space.write(STRUCTURES + (random.below(STRUCTURES_SIZE >> 2) << 2), value(random), 4);
  else if (kind === 6) {
    const devfn = random.below(256), register = random.below(256);
    io.write(0xcf8, configAddress(devfn, register) | 0, 4);
    if (random.below(3) > 0) return io.read(0xcfc + (register & 3), 1);
    // Places stay, mostly: else there would soon be nothing left to write to.
    if (register >= 0x40 || random.below(64) === 0) io.write(0xcfc + (register & 3), value(random) & 0xff, 1);
  } else {
    const { kind: where, base, size } = kind < 10 ? random.pick(all) : target;
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
