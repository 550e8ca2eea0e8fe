/**
 * A processor in the world of layout.ts, and the cases that it runs. Where the guest is lost (a HLT that is not the code's own, a
 * triple fault) the machine puts the system and the mode back and goes on at another instruction; so all machines do the same.
 */
import { parseCpuModel } from '../../src/cpu/models.ts';
import { Cpu } from '../../src/cpu/cpu.ts';
import type { CpuOptions } from '../../src/cpu/cpu.ts';
import {
  CC_OP, CS, DF, ECX, EFLAGS, EIP, ESP, FPU, HALTED, HF_CS32, HFLAGS, IF, NMI_BLOCKED, RESET_REQUEST, SEG_BASE,
} from '../../src/cpu/state.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import type { AccessSize, IoRegion } from '../../src/memory/io-region.ts';
import { PortBus } from '../../src/memory/port-bus.ts';
import { Random } from '../vectors/random.ts';
import * as L from './layout.ts';
import { MODES, NATIVE_MODE, enterMode } from './modes.ts';
import type { Mode, Start } from './modes.ts';
import { makeImage } from './system.ts';
import type { ImageOptions } from './system.ts';

/** What happens before a slice: nothing, INTR is raised, an NMI. */
export const EVENT_NONE = 0, EVENT_INTR = 1, EVENT_NMI = 2;

/** Plain data: can be written into a test. */
export interface FuzzCase extends ImageOptions {
  readonly mode: string;
  readonly start: Start;
  /** Where in CODE the first instruction begins. */
  readonly offset: number;
  /** The instructions, in hexadecimal. */
  readonly code: readonly string[];
  /** Slices, over and over: instructions, EVENT_*. */
  readonly schedule: readonly (readonly [budget: number, event: number])[];
  /** Instructions to run. */
  readonly limit: number;
}

/** Told of each instruction. */
export interface Observer {
  before(machine: FuzzMachine): void;
  after(machine: FuzzMachine): void;
}

export interface MachineOptions extends Pick<CpuOptions, 'jit' | 'jitThreshold' | 'disabledPasses' | 'tbBytes' | 'log'> {
  /** Slices are done as so many slices of one instruction. */
  readonly stepped?: boolean;
}

const MAX_PREFIXES = 14;
const PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
const STRINGS: readonly number[] = [0x6c, 0x6d, 0x6e, 0x6f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf];
const NO_OBSERVER: Observer = { before: () => undefined, after: () => undefined };

/** Slots of the state that are compared: general registers and EIP; DF to RESET_REQUEST; x87, MXCSR, XMM. Lazy flag words may differ, the flags may not. */
export const COMPARED: readonly number[] = [...range(0, CC_OP), ...range(DF, RESET_REQUEST + 1), ...range(FPU, FPU + 96)];
function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

const DEFAULT_TB_BYTES = 8 << 20;
const PAGE = 0x1000;
/** Times that a case is put back on its feet. */
const MAX_RECOVERIES = 40;

export const modeOf = (fuzzCase: FuzzCase): Mode => {
  const mode = [...MODES, NATIVE_MODE].find(({ name }) => name === fuzzCase.mode);
  if (mode === undefined) throw new Error(`no mode "${fuzzCase.mode}"`);
  return mode;
};

/** Deterministic answers of a device, that depend on how often it was asked. */
const mix = (a: number, b: number): number => Math.imul(a ^ b << 16 ^ b >>> 16 ^ 0x9e3779b9, 0x85ebca6b) ^ b >>> 3;

export class FuzzMachine {
  readonly cpu: Cpu;
  readonly R: Int32Array;
  readonly bytes: Uint8Array;
  /** Accesses to devices, in order, three words each: what and where, value, instructions retired before. */
  readonly accesses: number[] = [];
  readonly space: AddressSpace;
  /** Instructions retired in this case. */
  retired = 0;
  /** The case has ended before its limit. */
  stopped = false;
  recoveries = 0;
  private readonly stepped: boolean;
  private mode!: Mode;
  private fuzzCase!: FuzzCase;
  private image!: Uint8Array;
  /** Offsets in CODE at which instructions begin, and where the last one ends. */
  private offsets: number[] = [];
  private ends = new Set<number>();
  private vector = 0;
  /** What the processor had retired when the case began. */
  private beginning = 0;
  private random!: Random;

  constructor({ stepped = false, ...options }: MachineOptions) {
    this.stepped = stepped;
    const memory = new HostMemory(L.RAM_SIZE);
    const io = new PortBus();
    this.space = new AddressSpace(memory);
    this.space.add({ kind: 'ram', ma: memory.allocate(L.RAM_SIZE), size: L.RAM_SIZE }, 0);
    this.space.add({ kind: 'mmio', io: this.device(1, L.DEVICE_SIZE) }, L.DEVICE, 1);
    io.map(0, this.device(2, L.PORTS));
    this.bytes = memory.bytes;
    const cpu: Cpu = new Cpu({ space: this.space, io, acknowledge: () => this.acknowledge(), tsc: () => this.now * 3 + 0xffff_ff00, model: parseCpuModel('max'), tbBytes: DEFAULT_TB_BYTES, ...options });
    this.cpu = cpu;
    this.R = cpu.R;
  }

  /** Starts a case. */
  load(fuzzCase: FuzzCase, image: Uint8Array = buildImage(fuzzCase)): void {
    this.fuzzCase = fuzzCase;
    this.mode = modeOf(fuzzCase);
    this.cpu.exec.cache.flush();
    this.image = image;
    this.bytes.set(image);
    this.offsets = offsetsOf(fuzzCase);
    this.ends = new Set(this.offsets.slice(1));
    this.accesses.length = this.retired = this.recoveries = this.vector = 0;
    this.beginning = this.cpu.retired;
    this.stopped = false;
    this.random = new Random(fuzzCase.memorySeed ^ 0x5bd1e995);
    this.cpu.reset();
    enterMode(this.cpu, this.mode, fuzzCase.start, fuzzCase.offset);
  }

  /** Runs a slice; it ends early at a HLT or a triple fault. The observer sees machines that are stepped. */
  run(budget: number, event: number, observer: Observer = NO_OBSERVER): void {
    const { cpu, R } = this;
    if (event === EVENT_INTR) cpu.setIntr(true);
    else if (event === EVENT_NMI) cpu.raiseNmi();
    if (this.stepped) this.step(budget, observer);
    else this.retired += cpu.run(budget);
    if (R[RESET_REQUEST] !== 0) this.recover();
    else if (R[HALTED] !== 0) this.wake();
  }

  private step(budget: number, observer: Observer): void {
    const { cpu, R } = this;
    for (let left = budget; left > 0; ) {
      observer.before(this);
      const done = cpu.run(Math.min(left, this.repetitions()));
      this.retired += done;
      left -= done;
      observer.after(this);
      if (done === 0 || R[HALTED] !== 0 || R[RESET_REQUEST] !== 0) return;
    }
  }

  /** 1, or how often a REP that is next will go round: one that overwrites itself goes on, as it does on a processor, unless it is interrupted. */
  private repetitions(): number {
    const { R, cpu } = this;
    let wide = (R[HFLAGS]! & HF_CS32) !== 0, repeated = false;
    for (let at = this.pc, end = at + MAX_PREFIXES; at < end; at++) {
      const pa = cpu.peek(at);
      const byte = pa < 0 ? 0 : this.bytes[pa] ?? 0;
      if (byte === 0xf2 || byte === 0xf3) repeated = true;
      else if (byte === 0x67) wide = !wide;
      else if (!PREFIXES.includes(byte)) return repeated && STRINGS.includes(byte) ? Math.max(1, (wide ? R[ECX]! : R[ECX]! & 0xffff) >>> 0) : 1;
    }
    return 1;
  }

  /** Linear address of the next instruction. */
  get pc(): number {
    return this.R[SEG_BASE + CS]! + this.R[EIP]! | 0;
  }

  /** HLT: an interrupt ends it, or an NMI if those are off. */
  private wake(): void {
    const { cpu, R } = this;
    if (!this.ends.has((this.pc >>> 0) - L.CODE)) this.recover();
    else if ((R[EFLAGS]! & IF) !== 0) cpu.setIntr(true);
    else if (R[NMI_BLOCKED] === 0) cpu.raiseNmi();
    else this.recover();
  }

  private recover(): void {
    const { cpu, R } = this;
    if (++this.recoveries > MAX_RECOVERIES) {
      this.stopped = true;
      return;
    }
    for (let page = 0; page < L.SYSTEM_END; page += PAGE) this.putBack(page);
    for (let page = L.PAGE_DIRECTORY; page < L.RAM_SIZE; page += PAGE) this.putBack(page);
    const registers = [...R.subarray(0, 8)];
    registers[ESP] = this.fuzzCase.start.registers[ESP]!;
    cpu.reset();
    enterMode(cpu, this.mode, { ...this.fuzzCase.start, registers }, this.random.pick(this.offsets.slice(0, -1)));
  }

  private putBack(page: number): void {
    const wanted = this.image.subarray(page, page + PAGE);
    if (Buffer.compare(wanted, this.bytes.subarray(page, page + PAGE)) !== 0) this.space.writeBytes(page, wanted);
  }

  /** Instructions of this case, exact while one runs. */
  private get now(): number {
    return this.cpu.retired - this.beginning;
  }

  private acknowledge(): number {
    this.cpu.setIntr(false);
    return 0x20 + (this.vector++ & 15);
  }

  private device(number: number, size: number): IoRegion {
    const { accesses } = this;
    const log = (write: number, offset: number, bytes: AccessSize, value: number): void => void accesses.push(number << 28 | write << 24 | bytes << 16 | offset, value, this.now);
    return {
      name: number === 1 ? 'memory device' : 'port device', size, minAccess: 1, maxAccess: 4,
      read: (offset, bytes) => {
        const value = mix(accesses.length, offset << 4 | bytes);
        log(0, offset, bytes, value);
        return value;
      },
      write: (offset, value, bytes) => log(1, offset, bytes, value),
    };
  }
}

/** Where each instruction begins, and the end of the last. */
export function offsetsOf({ code, offset }: FuzzCase): number[] {
  const offsets = [offset];
  for (const hex of code) offsets.push(offsets.at(-1)! + hex.length / 2);
  return offsets;
}

/** RAM at the start of a case. */
export function buildImage(fuzzCase: FuzzCase): Uint8Array {
  const mode = modeOf(fuzzCase);
  const bytes = makeImage(fuzzCase);
  const view = new DataView(bytes.buffer);
  const offsets = offsetsOf(fuzzCase);
  bytes.set(Buffer.from(fuzzCase.code.join(''), 'hex'), L.CODE + fuzzCase.offset);
  for (let i = 0; i + 1 < offsets.length; i++) {
    for (let at = offsets[i]!; at < offsets[i + 1]!; at++) view.setUint16(L.NEXT + 2 * at, offsets[i + 1]!, true);
  }
  view.setInt32(L.KNOWN_CS, mode.knownCs, true);
  view.setInt32(L.OTHER_CS, mode.otherCs, true);
  view.setInt32(L.CODE_EIP, mode.codeEip, true);
  return bytes;
}
