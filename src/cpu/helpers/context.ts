/**
 * What helpers see of the processor. Class Cpu (src/cpu/cpu.ts) implements it; tests use a small fake.
 *
 * A helper leaves its instruction by throwing GUEST_FAULT: raise(), a page fault, or a store that asks to replay the
 * instruction alone (self-modifying code). The run loop then puts EIP and cc_op back to the instruction's start, so a
 * helper changes registers, flags and descriptors only after everything that can throw. Where an instruction has
 * taken effect and still faults (a task switch whose new task cannot run), `commitState` tells the run loop that
 * R[EIP] and the flags stand as they are.
 */
import type { AccessSize } from '../../memory/io-region.ts';
import type { CpuModel } from '../models.ts';
import type { Msrs } from '../msrs.ts';
import { CUR_OP } from '../state.ts';

/** The I/O ports. */
export interface PortAccess {
  read(port: number, size: AccessSize): number;
  write(port: number, value: number, size: AccessSize): void;
}

/** `write` is false for bits that there are not. */
export interface ApicBase {
  readonly read: () => number;
  readonly write: (low: number, high: number) => boolean;
}

export interface CpuContext {
  /** The state: src/cpu/state.ts. */
  readonly R: Int32Array;
  /** Guest memory by machine address, for plainRead/plainWrite. */
  readonly bytes: Uint8Array;
  readonly io: PortAccess;

  // Data access by linear address at the current privilege. Sub-words are zero-extended, 32 bits are an int32.
  load8(va: number): number;
  load16(va: number): number;
  load32(va: number): number;
  /** Nothing is written unless all bytes can be. */
  store8(va: number, value: number): void;
  store16(va: number, value: number): void;
  store32(va: number, value: number): void;
  // As supervisor, whatever the CPL.
  sload8(va: number): number;
  sload16(va: number): number;
  sload32(va: number): number;
  sstore8(va: number, value: number): void;
  sstore16(va: number, value: number): void;
  sstore32(va: number, value: number): void;
  /** Throws what an access to [va, va + length) would throw. */
  probe(va: number, length: number, write: boolean): void;
  sprobe(va: number, length: number, write: boolean): void;
  /** The machine address of [va, va + length) where that is plain memory within one page, else negative. Never faults. */
  plainRead(va: number, length: number): number;
  plainWrite(va: number, length: number): number;

  /** The linear address of an access; #SS(0) or #GP(0) if the segment does not hold it. */
  segCheck(seg: number, offset: number, size: number, write: boolean): number;
  checkAlignment(linear: number, size: number): void;
  raise(vector: number, errorCode?: number): never;
  /** Only HFLAGS bits 0-1; updateHflags() must follow. */
  setCpl(cpl: number): void;
  updateHflags(): void;
  setSegment(seg: number, selector: number, base: number, limit: number, attr: number): void;
  /** CR0.PG, CR0.WP, CR3 or CR4 have changed. `keepGlobal`: global pages stay (CR3 alone). */
  flushTlb(keepGlobal?: boolean): void;
  /** 32 bits at a physical address. */
  readPhysical(pa: number): number;
  flushPage(va: number): void;
  /** DR0-DR3 or DR7 have changed. */
  watchpointsChanged(): void;
  readonly model: CpuModel;
  readonly msrs: Msrs;
  /** IA32_APIC_BASE of the local APIC, if there is one. */
  readonly apicBase: ApicBase | null;
  /** A random int32, of RDRAND's quality. */
  random(): number;
  /** The time-stamp counter goes on from here. */
  setTsc(low: number, high: number): void;
  /** Reads the time-stamp counter into tscLow and tscHigh. */
  sampleTsc(): void;
  readonly tscLow: number;
  readonly tscHigh: number;
  /** `-d int`, before anything of an interrupt or exception is done; `software`: INT n and its like. */
  logInterrupt(vector: number, errorCode: number, software: boolean): void;
  /** FERR#: an unmasked x87 exception waits. */
  fpuError(): void;
  /** The run loop looks at pending events at the next block boundary. */
  kick(): void;
}

/** From here on a fault belongs to the state as it stands: nothing is put back to the start of the instruction. */
export function commitState(cpu: CpuContext): void {
  cpu.R[CUR_OP] = -1;
}
