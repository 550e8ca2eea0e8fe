/**
 * Segment and system descriptors: their fields, and how they are found in the GDT and LDT.
 *
 *   low dword   limit 15-0 | base 15-0 << 16            (gates: offset 15-0 | selector << 16)
 *   high dword  base 23-16 | type << 8 | S << 12 | DPL << 13 | P << 15 | limit 19-16 << 16 | AVL << 20 | D/B << 22 | G << 23
 *               | base 31-24 << 24                      (gates: parameter count | type ... P | offset 31-16 << 16)
 *
 * Intel SDM vol. 3, 3.4.5 and 5.8.3; 80286 descriptors have the upper word zero, so one reading serves both.
 */
import type { CpuContext } from './context.ts';
import { GDT_BASE, GDT_LIMIT, HF_CPL_MASK, HFLAGS, LDT_ATTR, LDT_BASE, LDT_LIMIT } from '../state.ts';

// High dword.
export const DESC_ACCESSED = 1 << 8;
/** Data: writable; code: readable. */
export const DESC_RW = 1 << 9;
/** Data: expand-down; code: conforming. */
export const DESC_EC = 1 << 10;
export const DESC_CODE = 1 << 11;
/** A code or data segment; else a system segment or a gate. */
export const DESC_S = 1 << 12;
export const DESC_P = 1 << 15;
export const DESC_B = 1 << 22;
export const DESC_G = 1 << 23;
/** What SEG_ATTR and its like keep of the high dword. */
export const DESC_ATTR_MASK = 0x00f0ff00;
/** TSS descriptors: the task runs or waits for one that it called. */
export const DESC_TSS_BUSY = 1 << 9;

// System descriptor types (SDM vol. 3, table 3-2). Bit 3 tells 32-bit from 16-bit ones.
export const TYPE_TSS16 = 1, TYPE_LDT = 2, TYPE_TSS16_BUSY = 3, TYPE_CALL_GATE16 = 4, TYPE_TASK_GATE = 5, TYPE_INTERRUPT_GATE16 = 6,
  TYPE_TRAP_GATE16 = 7, TYPE_TSS32 = 9, TYPE_TSS32_BUSY = 11, TYPE_CALL_GATE32 = 12, TYPE_INTERRUPT_GATE32 = 14, TYPE_TRAP_GATE32 = 15;

/** A descriptor in memory, with the selector that named it. */
export interface Descriptor {
  readonly selector: number;
  /** Linear address of its eight bytes. */
  readonly address: number;
  readonly low: number;
  readonly high: number;
}

export const descriptorType = (high: number): number => high >> 8 & 15;
export const descriptorDpl = (high: number): number => high >> 13 & 3;
export const isCode = (high: number): boolean => (high & (DESC_S | DESC_CODE)) === (DESC_S | DESC_CODE);
export const isConforming = (high: number): boolean => (high & DESC_EC) !== 0;
export const isWritableData = (high: number): boolean => (high & (DESC_S | DESC_CODE | DESC_RW)) === (DESC_S | DESC_RW);
export const isReadable = (high: number): boolean => (high & DESC_S) !== 0 && ((high & DESC_CODE) === 0 || (high & DESC_RW) !== 0);
export const isAvailableTss = (high: number): boolean => (high & DESC_S) === 0 && (descriptorType(high) & 7) === TYPE_TSS16;
export const isBusyTss = (high: number): boolean => (high & DESC_S) === 0 && (descriptorType(high) & 7) === TYPE_TSS16_BUSY;

export const descriptorBase = (low: number, high: number): number => low >>> 16 | (high & 0xff) << 16 | high & 0xff000000;
/** Limit in bytes (int32): the last offset. */
export function descriptorLimit(low: number, high: number): number {
  const limit = low & 0xffff | high & 0x000f0000;
  return (high & DESC_G) !== 0 ? limit << 12 | 0xfff : limit;
}
/** A gate's code or TSS selector, and its offset. */
export const gateSelector = (low: number): number => low >>> 16;
export const gateOffset = (low: number, high: number): number => low & 0xffff | high & 0xffff0000;

export const currentCpl = (cpu: CpuContext): number => cpu.R[HFLAGS]! & HF_CPL_MASK;
/** Index and table of a selector: what error codes carry. */
export const selectorError = (selector: number): number => selector & 0xfffc;
/** A null selector: index 0 of the GDT, with any RPL. */
export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;

/** Linear address of the descriptor, or -1 if its table does not hold it. The address is unsigned. */
export function descriptorAddress(cpu: CpuContext, selector: number): number {
  const R = cpu.R;
  const last = selector & 0xfff8 | 7;
  if ((selector & 4) === 0) return last > R[GDT_LIMIT]! >>> 0 ? -1 : (R[GDT_BASE]! + last - 7) >>> 0;
  if ((R[LDT_ATTR]! & DESC_P) === 0 || last > R[LDT_LIMIT]! >>> 0) return -1;
  return (R[LDT_BASE]! + last - 7) >>> 0;
}

/** Reads a descriptor; raises `vector` with the selector as error code (plus `ext`, the EXT bit) if its table does not hold it. */
export function fetchDescriptor(cpu: CpuContext, selector: number, vector: number, ext: number): Descriptor {
  const at = descriptorAddress(cpu, selector);
  if (at < 0) cpu.raise(vector, selectorError(selector) | ext);
  const address = at | 0;
  return { selector, address, low: cpu.sload32(address), high: cpu.sload32(address + 4 | 0) };
}

/**
 * Sets the accessed bit in memory if it is clear; returns the high dword with the bit set. The processor, too, leaves
 * the bit set if the instruction faults later.
 */
export function setAccessed(cpu: CpuContext, descriptor: Descriptor): number {
  const high = descriptor.high | DESC_ACCESSED;
  if (high !== descriptor.high) cpu.sstore8(descriptor.address + 5 | 0, high >> 8 & 0xff);
  return high;
}

/** Marks a TSS descriptor busy or available. */
export function setTssBusy(cpu: CpuContext, address: number, busy: boolean): void {
  const at = address + 5 | 0;
  const access = cpu.sload8(at);
  cpu.sstore8(at, busy ? access | DESC_TSS_BUSY >> 8 : access & ~(DESC_TSS_BUSY >> 8));
}
