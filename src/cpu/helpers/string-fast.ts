/**
 * Runs of string elements within single pages of plain memory, on the bytes themselves. Exact with respect to overlap:
 * elements are moved one after another in the string's direction, and where a block move would differ from that, it is not used.
 */
import type { CpuContext } from './context.ts';
import { CC_DST, CC_OP, CC_SRC, ES, SEG_BASE, SEG_RHI, SEG_RLO, SEG_WHI, SEG_WLO } from '../state.ts';
import { CC_OP_SUBB } from '../flags.ts';

/**
 * How many elements from an index register on, up to `limit`, lie within the segment, the address size and one page;
 * 0 if not even the first does.
 */
export function runLength(
  cpu: CpuContext, seg: number, index: number, mask: number, bytes: number, backward: boolean, write: boolean, limit: number,
): number {
  if (limit < 2) return 0;
  const R = cpu.R;
  const low = R[(write ? SEG_WLO : SEG_RLO) + seg]! >>> 0;
  const high = Math.min(R[(write ? SEG_WHI : SEG_RHI) + seg]! >>> 0, mask >>> 0);
  const offset = (index & mask) >>> 0, inPage = (R[SEG_BASE + seg]! + offset | 0) & 4095;
  if (offset < low || offset + bytes - 1 > high || inPage + bytes > 4096) return 0;
  const inSegment = backward ? Math.floor((offset - low) / bytes) + 1 : Math.floor((high + 1 - offset) / bytes);
  const withinPage = backward ? Math.floor(inPage / bytes) + 1 : Math.floor((4096 - inPage) / bytes);
  return Math.min(limit, inSegment, withinPage);
}

/** Linear address of the lowest byte of a run that starts with the element at seg:offset. */
const runStart = (cpu: CpuContext, seg: number, offset: number, count: number, bytes: number, backward: boolean): number =>
  cpu.R[SEG_BASE + seg]! + offset - (backward ? (count - 1) * bytes : 0) | 0;

/** MOVS. Returns the number of elements moved, 0 if the memory is not plain. */
export function copyRun(cpu: CpuContext, seg: number, source: number, destination: number, count: number, bytes: number, backward: boolean): number {
  const length = count * bytes;
  const from = cpu.plainRead(runStart(cpu, seg, source, count, bytes, backward), length);
  const to = cpu.plainWrite(runStart(cpu, ES, destination, count, bytes, backward), length);
  if (from < 0 || to < 0) return 0;
  // Distance that the destination runs ahead of the source in the direction of the string: such elements are read after they were written.
  const ahead = backward ? from - to : to - from;
  const memory = cpu.bytes;
  if (ahead <= 0 || ahead >= length) memory.copyWithin(to, from, from + length);
  else if (ahead < bytes) return 0;
  else if (backward) for (let i = length - 1; i >= 0; i--) memory[to + i] = memory[from + i]!;
  else for (let i = 0; i < length; i++) memory[to + i] = memory[from + i]!;
  return count;
}

/** STOS. */
export function fillRun(cpu: CpuContext, destination: number, count: number, bytes: number, backward: boolean, value: number): number {
  const length = count * bytes;
  const to = cpu.plainWrite(runStart(cpu, ES, destination, count, bytes, backward), length);
  if (to < 0) return 0;
  const memory = cpu.bytes;
  const uniform = bytes === 1 || (bytes === 2 ? (value & 0xff) === (value >> 8 & 0xff) : value === Math.imul(value & 0xff, 0x01010101));
  if (uniform) memory.fill(value & 0xff, to, to + length);
  else for (let i = 0; i < length; i++) memory[to + i] = value >>> (i & bytes - 1) * 8;
  return count;
}

function element(memory: Uint8Array, at: number, bytes: number): number {
  if (bytes === 1) return memory[at]!;
  const word = memory[at]! | memory[at + 1]! << 8;
  return bytes === 2 ? word : word | memory[at + 2]! << 16 | memory[at + 3]! << 24;
}

/**
 * CMPS, and SCAS with seg = -1 (`source` is then eAX). Stops behind the first element whose equality differs from `whileEqual`;
 * sets the flags of the last comparison. Returns the number of elements compared, 0 if the memory is not plain.
 */
export function compareRun(
  cpu: CpuContext, seg: number, source: number, destination: number, count: number, bytes: number, backward: boolean, whileEqual: boolean,
): number {
  const length = count * bytes;
  const from = seg < 0 ? 0 : cpu.plainRead(runStart(cpu, seg, source, count, bytes, backward), length);
  const other = cpu.plainRead(runStart(cpu, ES, destination, count, bytes, backward), length);
  if (from < 0 || other < 0) return 0;
  const memory = cpu.bytes, R = cpu.R;
  const last = length - bytes;
  let first = bytes === 4 ? source : source & (1 << bytes * 8) - 1, second = 0, done = 0;
  while (done < count) {
    const at = backward ? last - done * bytes : done * bytes;
    if (seg >= 0) first = element(memory, from + at, bytes);
    second = element(memory, other + at, bytes);
    done++;
    if ((first === second) !== whileEqual) break;
  }
  R[CC_OP] = CC_OP_SUBB + (bytes >> 1);
  R[CC_DST] = first - second;
  R[CC_SRC] = second;
  return done;
}
