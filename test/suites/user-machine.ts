/**
 * A processor in user mode, as Linux runs 32-bit programs on it: privilege level 3, flat segments, paging with nothing but given areas
 * for the user. Every exception goes through the IDT to a HLT of its own, so that its delivery is tested along with the code.
 *
 *     0x100000  GDT, as Linux has it, with a TSS at 40h      0x104000  kernel stack
 *     0x101000  IDT                                          0x105000  page directory, page tables
 *     0x102000  TSS
 *     0x103000  256 HLTs: the handlers
 */

import { parseCpuModel } from '../../src/cpu/models.ts';
import { Cpu } from '../../src/cpu/cpu.ts';
import type { CpuOptions } from '../../src/cpu/cpu.ts';
import { writeEflags } from '../../src/cpu/flags.ts';
import {
  CR0, CR0_AM, CR0_ET, CR0_NE, CR0_PE, CR0_PG, CR0_WP, CR2, CR3, CR4, CR4_OSFXSR, CR4_OSXMMEXCPT, CS, DS, EIP, ES, ESP, FS, GDT_BASE, GDT_LIMIT, GS, HALTED, HF_CPL_MASK, HFLAGS, IDT_BASE, IDT_LIMIT, LDT_ATTR,
  LDT_SEL, SEG_SEL, SS, TR_ATTR, TR_BASE, TR_LIMIT, TR_SEL,
} from '../../src/cpu/state.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { HostMemory } from '../../src/memory/host-memory.ts';
import { PortBus } from '../../src/memory/port-bus.ts';
import type { Area } from '../vectors/layout.ts';
import { EFLAGS_INDEX, EIP_INDEX, GDT_HIGH, USER_CODE, USER_DATA } from '../vectors/layout.ts';
import type { Stop } from '../vectors/recorder.ts';

const RAM_SIZE = 8 << 20;
const GDT = 0x10_0000, IDT = 0x10_1000, TSS = 0x10_2000, HANDLERS = 0x10_3000, KERNEL_STACK_TOP = 0x10_5000, DIRECTORY = 0x10_5000, TABLES = 0x10_6000;
const SYSTEM_END = 0x10_8000;
const KERNEL_CODE = 0x08, KERNEL_DATA = 0x18, TSS_SELECTOR = 0x40;
const GDT_ENTRIES = 16, TSS_BYTES = 0x68;
/** High dwords of descriptors: a busy 32-bit TSS; interrupt gates for the kernel, and those that INT n may use. */
const BUSY_TSS = 0x8B00, GATE = 0x8E00, USER_GATE = 0xEE00;
const PAGE = 0x1000, PRESENT_WRITABLE = 3, PRESENT_USER = 5, PRESENT_WRITABLE_USER = 7;
const HLT = 0xF4, PAGE_FAULT = 14;
/** Breakpoint and overflow. */
const USER_VECTORS: readonly number[] = [3, 4];
/** Exceptions that push an error code (SDM vol. 3, 6.13). */
const WITH_ERROR_CODE: readonly number[] = [8, 10, 11, 12, 13, 14, 17];
/** All EFLAGS bits that a program can set. */
const SETTABLE_FLAGS = 0x247FD5;

export class UserMachine {
  readonly cpu: Cpu;
  readonly space: AddressSpace;
  private readonly areas: readonly Area[];

  /** Areas lie below 4 MB, or in the 4 MB behind it. */
  constructor(areas: readonly Area[], options: Partial<CpuOptions> = {}) {
    this.areas = areas;
    const memory = new HostMemory(RAM_SIZE);
    this.space = new AddressSpace(memory);
    this.space.add({ kind: 'ram', ma: memory.allocate(RAM_SIZE), size: RAM_SIZE }, 0);
    this.cpu = new Cpu({ space: this.space, io: new PortBus(), acknowledge: () => 0, tsc: () => 0, model: parseCpuModel('max'), ...options });
    this.buildTables();
  }

  /** Starts anew, with EAX ECX EDX EBX ESP EBP ESI EDI EFLAGS EIP. */
  start(registers: Int32Array): void {
    const { cpu } = this;
    const { R } = cpu;
    cpu.reset();
    R[CR0] = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP | CR0_AM;
    R[CR3] = DIRECTORY;
    R[CR4] = CR4_OSFXSR | CR4_OSXMMEXCPT;
    R[GDT_BASE] = GDT;
    R[GDT_LIMIT] = 8 * GDT_ENTRIES - 1;
    R[IDT_BASE] = IDT;
    R[IDT_LIMIT] = 8 * 256 - 1;
    R[TR_SEL] = TSS_SELECTOR;
    R[TR_BASE] = TSS;
    R[TR_LIMIT] = TSS_BYTES - 1;
    R[TR_ATTR] = BUSY_TSS;
    R[LDT_SEL] = R[LDT_ATTR] = 0;
    for (const segment of [ES, DS, FS, GS]) cpu.setSegment(segment, USER_DATA, 0, -1, GDT_HIGH[USER_DATA >> 3]!);
    this.enter(registers);
    cpu.flushTlb();
  }

  /** Runs until the next exception; undefined if there is none in `budget` instructions. */
  run(budget: number): Stop | undefined {
    this.cpu.run(budget);
    return this.cpu.R[HALTED] === 1 ? this.stop() : undefined;
  }

  /** Goes on elsewhere after an exception, as by a return from Linux's signal handler: selectors get RPL 3, null ones are 0 (arch/x86/kernel/signal_32.c). */
  resume({ registers }: Stop, eip: number): void {
    const all = registers.slice();
    all[EIP_INDEX] = eip;
    const { R } = this.cpu;
    for (const segment of [ES, DS, FS, GS]) R[SEG_SEL + segment] = R[SEG_SEL + segment]! > 3 ? R[SEG_SEL + segment]! | 3 : 0;
    R[HALTED] = 0;
    this.enter(all);
  }

  /** An exception is being delivered, or was. */
  get isSupervisor(): boolean {
    return (this.cpu.R[HFLAGS]! & HF_CPL_MASK) === 0;
  }

  /** What an area holds now. */
  area({ base, size }: Area): Uint8Array {
    const bytes = new Uint8Array(size);
    this.space.readBytes(base, bytes);
    return bytes;
  }

  private enter(registers: Int32Array): void {
    const { cpu } = this;
    cpu.setSegment(CS, USER_CODE, 0, -1, GDT_HIGH[USER_CODE >> 3]!);
    cpu.setSegment(SS, USER_DATA, 0, -1, GDT_HIGH[USER_DATA >> 3]!);
    cpu.R.set(registers.subarray(0, EFLAGS_INDEX), 0);
    cpu.R[EIP] = registers[EIP_INDEX]!;
    writeEflags(cpu.R, registers[EFLAGS_INDEX]!, SETTABLE_FLAGS);
    cpu.setCpl(3);
    cpu.updateHflags();
  }

  private dword(address: number, value: number): void {
    this.space.write(address, value, 4);
  }

  private buildTables(): void {
    GDT_HIGH.forEach((high, i) => {
      if (high !== 0) this.dword(GDT + 8 * i, 0x0000FFFF);
      this.dword(GDT + 8 * i + 4, high);
    });
    this.dword(GDT + TSS_SELECTOR, TSS << 16 | TSS_BYTES - 1);
    this.dword(GDT + TSS_SELECTOR + 4, TSS & 0xFF000000 | BUSY_TSS | TSS >>> 16 & 0xFF);
    for (let vector = 0; vector < 256; vector++) {
      const handler = HANDLERS + vector;
      this.dword(IDT + 8 * vector, KERNEL_CODE << 16 | handler & 0xFFFF);
      this.dword(IDT + 8 * vector + 4, handler & 0xFFFF0000 | (USER_VECTORS.includes(vector) ? USER_GATE : GATE));
      this.space.write(handler, HLT, 1);
    }
    this.dword(TSS + 4, KERNEL_STACK_TOP);
    this.dword(TSS + 8, KERNEL_DATA);
    // The I/O permission map lies behind the limit: no port is allowed.
    this.dword(TSS + 0x64, TSS_BYTES << 16);
    this.dword(DIRECTORY, TABLES | PRESENT_WRITABLE_USER);
    this.dword(DIRECTORY + 4, TABLES + PAGE | PRESENT_WRITABLE_USER);
    this.mapPages(GDT, SYSTEM_END - GDT, PRESENT_WRITABLE);
    for (const { base, size, writable } of this.areas) this.mapPages(base, size, writable ? PRESENT_WRITABLE_USER : PRESENT_USER);
  }

  private mapPages(base: number, size: number, attributes: number): void {
    for (let address = base; address < base + size; address += PAGE) this.dword(TABLES + address / PAGE * 4, address | attributes);
  }

  /** Reads the exception's stack frame. */
  private stop(): Stop {
    const { R } = this.cpu;
    const exception = R[EIP]! - HANDLERS - 1;
    const hasError = WITH_ERROR_CODE.includes(exception);
    const frame = R[ESP]! + (hasError ? 4 : 0);
    const [eip, cs, eflags, esp, ss] = [0, 1, 2, 3, 4].map((i) => this.space.read(frame + 4 * i, 4)) as [number, number, number, number, number];
    const registers = Int32Array.from([...R.subarray(0, EFLAGS_INDEX), eflags, eip]);
    registers[ESP] = esp;
    const segments = R.slice(SEG_SEL, SEG_SEL + 6);
    segments[CS] = cs;
    segments[SS] = ss;
    return { exception, errorCode: hasError ? this.space.read(R[ESP]!, 4) : 0, cr2: exception === PAGE_FAULT ? R[CR2]! : 0, registers, segments };
  }
}
