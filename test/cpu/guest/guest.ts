/**
 * Guest programs for tests of the run loop: a bare processor with RAM, ports, and source text through our own assembler.
 *
 * Real mode (all segments 0):                 Protected mode (flat, 32-bit):
 *     0x000   vectors, to one HLT each            0x3000  GDT       0x4800  handlers, one HLT each
 *     0x600   those HLTs                          0x3800  IDT       0x6000  top of the kernel's stack
 *     0x1000  top of the stack; code              0x4000  TSS       0x7000  top of the user's stack
 *                                                 0x10000 code      0x100000 page directory, 0x101000 table of the first 4 MB
 * An exception that the program does not take itself ends at its vector's HLT: run() then names it.
 */
import { assemble } from '../../../bios/assembler/assemble.ts';
import { Cpu } from '../../../src/cpu/cpu.ts';
import type { CpuOptions } from '../../../src/cpu/cpu.ts';
import { readEflags } from '../../../src/cpu/flags.ts';
import {
  CR0, CR0_ET, CR0_PE, CR0_PG, CR0_WP, CR3, CS, DS, EDX, EIP, ES, ESP, FS, GDT_BASE, GDT_LIMIT, GS, HALTED, IDT_BASE, IDT_LIMIT, RESET_REQUEST, SEG_SEL, SS,
  TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL,
} from '../../../src/cpu/state.ts';
import { AddressSpace } from '../../../src/memory/address-space.ts';
import { HostMemory } from '../../../src/memory/host-memory.ts';
import { PortBus } from '../../../src/memory/port-bus.ts';

export const RAM_SIZE = 4 << 20;
/** Above RAM in the host's memory: what a test maps as ROM. */
const ROM_SIZE = 64 << 10;

export const REAL_CODE = 0x1000, REAL_STACK = 0x1000;
const REAL_HANDLERS = 0x600;
export const CODE = 0x1_0000, STACK = 0x6000, USER_STACK = 0x7000, GDT = 0x3000, IDT = 0x3800, TSS = 0x4000, DIRECTORY = 0x10_0000, TABLE = 0x10_1000;
const HANDLERS = 0x4800;
/** Selectors of the GDT; those of the user have RPL 3. */
export const KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_CODE = 0x1b, USER_DATA = 0x23, TSS_SELECTOR = 0x28, SMALL_DATA = 0x30, CODE16 = 0x38;
const DESCRIPTORS: readonly (readonly [low: number, high: number])[] = [
  [0, 0], [0xffff, 0xcf9b00], [0xffff, 0xcf9300], [0xffff, 0xcffb00], [0xffff, 0xcff300], [TSS << 16 | 0x20ff, 0x8b00],
  // Data, limit 1FFFFh; 16-bit code, base 0, limit FFFFh.
  [0xffff, 0x419300], [0xffff, 0x009b00],
];
/** Exceptions that push an error code (SDM vol. 3, 6.13). */
const WITH_ERROR_CODE: readonly number[] = [8, 10, 11, 12, 13, 14, 17];
export const PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40;

export interface GuestOptions extends Pick<CpuOptions, 'tbBytes' | 'disabledPasses' | 'log' | 'jit' | 'jitThreshold' | 'lockstep' | 'oneInsnPerTb' | 'profile' | 'rewrite'> {
  acknowledge?: () => number;
}

export class Guest {
  readonly space: AddressSpace;
  readonly io = new PortBus();
  readonly cpu: Cpu;
  readonly R: Int32Array;
  /** Labels and constants of all that was assembled. */
  readonly symbols = new Map<string, number>();
  /** Where exceptions end, and the linear address that the code is assembled for. */
  handlers = REAL_HANDLERS;
  bits: 16 | 32 = 16;

  constructor(options: GuestOptions = {}) {
    const memory = new HostMemory(RAM_SIZE + ROM_SIZE);
    this.space = new AddressSpace(memory);
    this.space.add({ kind: 'ram', ma: memory.allocate(RAM_SIZE), size: RAM_SIZE }, 0);
    this.cpu = new Cpu({ space: this.space, io: this.io, acknowledge: options.acknowledge ?? (() => 0x20), tsc: () => 0, tbBytes: 1 << 20, ...options });
    this.R = this.cpu.R;
    this.R[EDX] = 0;
  }

  /** Assembles, for the current mode, and puts the bytes at their linear address. */
  code(source: string, at: number): this {
    const { bytes, symbols } = assemble(`bits ${this.bits}\norg ${at}\n${source}\n`, { file: 'test' });
    for (const [name, value] of symbols) this.symbols.set(name, value);
    this.space.writeBytes(at, bytes);
    return this;
  }

  /** Runs up to `budget` instructions: `running`, `hlt`, `reset`, or `#vector` in hexadecimal where an exception ended it. */
  run(budget = 100_000): string {
    this.cpu.run(budget);
    const { R } = this;
    if (R[RESET_REQUEST] !== 0) return 'reset';
    if (R[HALTED] === 0) return 'running';
    const vector = R[EIP]! - 1 - this.handlers;
    return vector >= 0 && vector < 256 ? `#${vector.toString(16)}` : 'hlt';
  }

  /** Goes on at an EIP after run() ended in a HLT. */
  restart(eip: number): string {
    this.R[EIP] = eip;
    this.R[HALTED] = 0;
    return this.run();
  }

  /** After run() named an exception: what it pushed. */
  get frame(): { error: number; eip: number; cs: number; eflags: number; esp: number; ss: number } {
    const { R } = this;
    if (this.handlers === REAL_HANDLERS) {
      const [eip, cs, eflags] = [0, 2, 4].map((offset) => this.word(R[SEG_SEL + SS]! * 16 + R[ESP]! + offset)) as [number, number, number];
      return { error: 0, eip, cs, eflags, esp: 0, ss: 0 };
    }
    const hasError = WITH_ERROR_CODE.includes(R[EIP]! - 1 - this.handlers);
    const at = R[ESP]! + (hasError ? 4 : 0);
    const [eip, cs, eflags, esp, ss] = [0, 4, 8, 12, 16].map((offset) => this.dword(at + offset)) as [number, number, number, number, number];
    return { error: hasError ? this.dword(R[ESP]!) : 0, eip, cs, eflags, esp, ss };
  }

  label(name: string): number {
    const value = this.symbols.get(name);
    if (value === undefined) throw new Error(`no label ${name}`);
    return value;
  }

  get eflags(): number {
    return readEflags(this.R);
  }

  // Guest memory by physical address.
  byte(address: number): number { return this.space.read(address, 1); }
  word(address: number): number { return this.space.read(address, 2); }
  dword(address: number): number { return this.space.read(address, 4); }
  setByte(address: number, value: number): void { this.space.write(address, value, 1); }
  setWord(address: number, value: number): void { this.space.write(address, value, 2); }
  setDword(address: number, value: number): void { this.space.write(address, value, 4); }

  /** Calls `action` with each byte written to a port; reads give what `answer` gives. */
  port(port: number, action: (value: number) => void, answer: () => number = () => 0xff): void {
    this.io.map(port, { name: 'test', size: 1, minAccess: 1, maxAccess: 1, read: answer, write: (_offset, value) => action(value) });
  }

  /** Maps ROM with these bytes. */
  rom(address: number, bytes: Uint8Array): void {
    this.space.memory.bytes.set(bytes, RAM_SIZE);
    this.space.add({ kind: 'rom', ma: RAM_SIZE, size: ROM_SIZE }, address, 1);
  }

  /** Real mode: a vector leads to a label. */
  setVector(vector: number, offset: number): void {
    this.setDword(vector * 4, offset);
  }

  /** Protected mode: an interrupt gate (or trap gate, 8F00h) of DPL 0 leads to a label. */
  setGate(vector: number, offset: number, type = 0x8e00, selector = KERNEL_CODE): void {
    this.setDword(IDT + 8 * vector, selector << 16 | offset & 0xffff);
    this.setDword(IDT + 8 * vector + 4, offset & 0xffff0000 | type);
  }

  /** Identity-mapped paging: the entry of a page in the first 4 MB. Flush with flushTlb() or by the guest. */
  mapPage(va: number, entry: number): void {
    this.setDword(TABLE + (va >>> 12) * 4, entry);
  }
  pageEntry(va: number): number {
    return this.dword(TABLE + (va >>> 12) * 4);
  }
}

/** Real mode, code at 0000:1000. */
export function realGuest(source: string, options: GuestOptions = {}): Guest {
  const guest = new Guest(options);
  const { cpu, R } = guest;
  for (let vector = 0; vector < 256; vector++) {
    guest.setVector(vector, REAL_HANDLERS + vector);
    guest.setByte(REAL_HANDLERS + vector, 0xf4);
  }
  for (let seg = 0; seg < 6; seg++) cpu.setSegment(seg, 0, 0, 0xffff, seg === CS ? 0x9b00 : 0x9300);
  R[EIP] = REAL_CODE;
  R[ESP] = REAL_STACK;
  cpu.updateHflags();
  return guest.code(source, REAL_CODE);
}

export interface ProtectedOptions extends GuestOptions {
  /** Privilege level of the code; default 0. */
  cpl?: 0 | 3;
  /** The first 4 MB are mapped to themselves, for the user too, writable; CR0.WP is clear. Default: no paging. */
  paging?: boolean;
  writeProtect?: boolean;
}

/** Protected mode, flat 32-bit segments, code at 0x10000. */
export function protectedGuest(source: string, options: ProtectedOptions = {}): Guest {
  const guest = new Guest(options);
  const { cpu, R } = guest;
  guest.handlers = HANDLERS;
  guest.bits = 32;
  DESCRIPTORS.forEach(([low, high], i) => {
    guest.setDword(GDT + 8 * i, low);
    guest.setDword(GDT + 8 * i + 4, high);
  });
  for (let vector = 0; vector < 256; vector++) {
    guest.setGate(vector, HANDLERS + vector);
    guest.setByte(HANDLERS + vector, 0xf4);
  }
  guest.setDword(TSS + 4, STACK);
  guest.setDword(TSS + 8, KERNEL_DATA);
  guest.setWord(TSS + 0x66, 0x68);
  for (let page = 0; page < 1024; page++) guest.setDword(TABLE + 4 * page, page << 12 | PRESENT | WRITABLE | USER);
  guest.setDword(DIRECTORY, TABLE | PRESENT | WRITABLE | USER);
  R[CR0] = CR0_PE | CR0_ET | (options.paging === true ? CR0_PG : 0) | (options.writeProtect === true ? CR0_WP : 0);
  R[CR3] = DIRECTORY;
  R[GDT_BASE] = GDT;
  R[GDT_LIMIT] = 8 * DESCRIPTORS.length - 1;
  R[IDT_BASE] = IDT;
  R[IDT_LIMIT] = 8 * 256 - 1;
  R[TR_SEL] = TSS_SELECTOR;
  R[TR_BASE] = TSS;
  R[TR_LIMIT] = 0x20ff;
  R[TR_ATTR] = 0x8b00;
  const user = options.cpl === 3;
  const attributes = user ? 0x6000 : 0;
  cpu.setSegment(CS, user ? USER_CODE : KERNEL_CODE, 0, -1, 0xcf9b00 | attributes);
  for (const seg of [ES, SS, DS, FS, GS]) cpu.setSegment(seg, user ? USER_DATA : KERNEL_DATA, 0, -1, 0xcf9300 | attributes);
  R[EIP] = CODE;
  R[ESP] = user ? USER_STACK : STACK;
  cpu.setCpl(user ? 3 : 0);
  cpu.updateHflags();
  cpu.flushTlb();
  return guest.code(source, CODE);
}
