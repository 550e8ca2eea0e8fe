/**
 * A bare processor with RAM for the recorded instruction tests: no firmware, no devices, all ports open.
 * Above what real mode reaches (0x200000) lies an interrupt table of our own, for tests whose exception is not the recorded one.
 */

import { Cpu } from '../../src/cpu/cpu.ts';
import { readEflags, writeEflags } from '../../src/cpu/flags.ts';
import {
  CR0, CR3, CS, DR, DS, EAX, EBP, EBX, ECX, EDI, EDX, EIP, ES, ESI, ESP, FS, GS, HALTED, IDT_BASE, IDT_LIMIT, SEG_BASE, SEG_SEL, SS,
} from '../../src/cpu/state.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { PortBus } from '../../src/memory/port-bus.ts';
import type { MooState, MooTest, RegisterName } from './moo.ts';
import type { MachineView } from './sst-check.ts';
import { TierCounts, touch } from './tiers.ts';
import type { SuiteOptions } from './tiers.ts';

/** The recorded machines have 24 address lines. */
const RAM_SIZE = 16 << 20;
/** More than the longest test: a string instruction with CX = 127, and a handler's HLT. */
const BUDGET = 1000;
const CODE_ATTRIBUTES = 0x9B00, DATA_ATTRIBUTES = 0x9300;
const REAL_MODE_LIMIT = 0xFFFF;
const OWN_IDT = 0x20_0000;
const HLT = 0xF4;
const VECTORS = 256;
/** FLAGS bits that a test may set: the top four are random in the 286 suite, where real mode does not have them. */
const FLAGS_286 = 0x0FD5, FLAGS_386 = 0x7FD5;

const SLOTS: Readonly<Partial<Record<RegisterName, number>>> = {
  ax: EAX, bx: EBX, cx: ECX, dx: EDX, sp: ESP, bp: EBP, si: ESI, di: EDI, ip: EIP,
  eax: EAX, ebx: EBX, ecx: ECX, edx: EDX, esp: ESP, ebp: EBP, esi: ESI, edi: EDI, eip: EIP, cr0: CR0, cr3: CR3, dr6: DR + 6, dr7: DR + 7,
};
const SEGMENTS: Readonly<Partial<Record<RegisterName, number>>> = { es: ES, cs: CS, ss: SS, ds: DS, fs: FS, gs: GS };

function createCpu(space: AddressSpace, options: SuiteOptions): Cpu {
  return new Cpu({ space, io: new PortBus(), acknowledge: () => 0, tsc: () => 0, ...options });
}

/** A segment whose first 256 bytes the test neither names nor uses as stack. */
function freeSegment({ initial, final }: MooTest): number {
  const { ss = 0, sp = 0, esp = sp } = initial.registers;
  const used = [...initial.ram, ...final.ram].map(([address]) => address).concat(ss * 16 + (esp & 0xFFFF));
  for (let segment = 0x1000; ; segment += 0x40) {
    if (!used.some((address) => Math.abs(address - segment * 16) < 0x200)) return segment;
  }
}

export class TestMachine implements MachineView {
  readonly counts: TierCounts;
  private readonly space: AddressSpace;
  private readonly cpu: Cpu;

  constructor(options: SuiteOptions = {}) {
    const memory = new HostMemory(RAM_SIZE);
    this.space = new AddressSpace(memory);
    this.space.add({ kind: 'ram', ma: memory.allocate(RAM_SIZE), size: RAM_SIZE }, 0);
    this.cpu = createCpu(this.space, options);
    this.counts = new TierCounts(options);
  }

  /** Sets up a test of a form and runs it to the HLT. False if it did not get there. */
  run(test: MooTest, form: string): boolean {
    this.setUp(test);
    if (this.counts.required) touch(this.cpu, [...test.initial.ram, ...test.final.ram].map(([address]) => address));
    this.counts.run(this.cpu, () => this.cpu.run(BUDGET), { form, code: test.bytes, code32: false });
    return this.cpu.R[HALTED] === 1;
  }

  /**
   * Runs a test with an interrupt table whose handlers are a HLT each: the vector of the exception that it ends in, -1 if it gets to its
   * own HLT, undefined if neither. After an exception, registers and memory are those at the fault, but for the three words pushed.
   */
  runToException(test: MooTest): number | undefined {
    const { cpu, space } = this;
    const handlers = freeSegment(test);
    for (let vector = 0; vector < VECTORS; vector++) {
      space.write(OWN_IDT + 4 * vector, handlers << 16 | vector, 4);
      space.write(handlers * 16 + vector, HLT, 1);
    }
    this.setUp(test);
    cpu.R[IDT_BASE] = OWN_IDT;
    cpu.R[IDT_LIMIT] = 4 * VECTORS - 1;
    cpu.run(BUDGET);
    for (let vector = 0; vector < VECTORS; vector++) space.write(handlers * 16 + vector, 0, 1);
    if (cpu.R[HALTED] !== 1) return undefined;
    if (cpu.R[SEG_SEL + CS] !== handlers) return -1;
    const vector = cpu.R[EIP] - 1;
    this.popFrame();
    return vector;
  }

  /** Puts the bytes that a test names back to 0. */
  clear(test: MooTest): void {
    for (const { ram } of [test.initial, test.final]) for (const [address] of ram) this.space.write(address, 0, 1);
  }

  register(name: RegisterName): number {
    const { R } = this.cpu;
    const segment = SEGMENTS[name], slot = SLOTS[name];
    if (segment !== undefined) return R[SEG_SEL + segment] & 0xFFFF;
    if (name === 'flags' || name === 'eflags') return readEflags(R) >>> 0;
    if (slot === undefined) throw new Error(`no register ${name}`);
    return name.length === 2 ? R[slot] & 0xFFFF : R[slot] >>> 0;
  }

  byte(address: number): number {
    return this.space.read(address, 1);
  }

  private setUp(test: MooTest): void {
    this.cpu.reset();
    for (const [address, value] of test.initial.ram) this.space.write(address, value, 1);
    this.setRegisters(test.initial);
  }

  /** Takes CS, IP and flags back from the stack, and clears what they lay in. */
  private popFrame(): void {
    const { cpu: { R }, space } = this;
    const words = [0, 2, 4].map((offset) => {
      const bytes = [0, 1].map((byte) => {
        const address = R[SEG_BASE + SS] + (R[ESP] + offset + byte & 0xFFFF);
        const value = space.read(address, 1);
        space.write(address, 0, 1);
        return value;
      });
      return bytes[0] | bytes[1] << 8;
    });
    [R[EIP], R[SEG_SEL + CS]] = words;
    R[ESP] = R[ESP] & ~0xFFFF | R[ESP] + 6 & 0xFFFF;
    writeEflags(R, words[2], FLAGS_386);
  }

  private setRegisters({ registers }: MooState): void {
    const { cpu } = this;
    for (const [key, value] of Object.entries(registers)) {
      const name = key as RegisterName;
      const segment = SEGMENTS[name], slot = SLOTS[name];
      if (segment !== undefined) {
        const selector = value & 0xFFFF;
        cpu.setSegment(segment, selector, selector << 4, REAL_MODE_LIMIT, segment === CS ? CODE_ATTRIBUTES : DATA_ATTRIBUTES);
      } else if (name === 'flags') {
        writeEflags(cpu.R, value, FLAGS_286);
      } else if (name === 'eflags') {
        writeEflags(cpu.R, value, FLAGS_386);
      } else if (slot !== undefined && name !== 'cr0' && name !== 'cr3') {
        cpu.R[slot] = value | 0;
      }
    }
    cpu.updateHflags();
  }
}
