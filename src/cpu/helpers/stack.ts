/**
 * Pushing and popping frames for far transfers, interrupts and their like: several words that are all written or none,
 * on the stack in use or on one that is about to be loaded. SP wraps at 64 KB if SS.B is clear.
 */
import type { CpuContext } from './context.ts';
import { DESC_B, DESC_ATTR_MASK, descriptorBase, descriptorLimit, DESC_EC } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { ESP, EXC_SS, SEG_ATTR, SEG_BASE, SEG_WHI, SEG_WLO, SS } from '../state.ts';

/** The bits of ESP that the stack segment uses. */
export const stackMask = (cpu: CpuContext): number => ((cpu.R[SEG_ATTR + SS]! & DESC_B) !== 0 ? -1 : 0xffff);

/** ESP with its low part (as `mask` says) replaced. */
export const mergeSp = (esp: number, sp: number, mask: number): number => esp & ~mask | sp & mask;

/** Reads the word or doubleword at SS:offset; #SS(0) outside the segment. */
export function readStack(cpu: CpuContext, offset: number, mask: number, size: number): number {
  const va = cpu.segCheck(SS, offset & mask, size, false);
  return size === 2 ? cpu.load16(va) : cpu.load32(va);
}

/**
 * A stack to push a frame on. Nothing of the processor's state changes: the caller writes `sp` to ESP once all is done.
 */
export class PushStack {
  /** Stack pointer, only the bits of `mask`. */
  sp: number;
  readonly mask: number;
  readonly #cpu: CpuContext;
  readonly #base: number;
  /** Offsets that may be written, unsigned (none: low above high). */
  readonly #low: number;
  readonly #high: number;
  /** Error code of #SS if the frame does not fit. */
  readonly #error: number;
  readonly #supervisor: boolean;

  constructor(cpu: CpuContext, base: number, low: number, high: number, mask: number, sp: number, error: number, supervisor: boolean) {
    this.#cpu = cpu;
    this.#base = base;
    this.#low = low;
    this.#high = high;
    this.mask = mask;
    this.sp = sp & mask;
    this.#error = error;
    this.#supervisor = supervisor;
  }

  /** The stack in use, at the current privilege. */
  static current(cpu: CpuContext, error: number): PushStack {
    const R = cpu.R;
    return new PushStack(cpu, R[SEG_BASE + SS]!, R[SEG_WLO + SS]! >>> 0, R[SEG_WHI + SS]! >>> 0, stackMask(cpu), R[ESP]!, error, false);
  }

  /** The stack of an inner level (0-2), by the descriptor of its segment. */
  static inner(cpu: CpuContext, descriptor: Descriptor, sp: number, error: number): PushStack {
    const high = descriptor.high & DESC_ATTR_MASK, limit = descriptorLimit(descriptor.low, descriptor.high);
    const big = (high & DESC_B) !== 0;
    const down = (high & DESC_EC) !== 0;
    const low = down ? (limit >>> 0) + 1 : 0;
    const top = down ? (big ? 0xffffffff : 0xffff) : limit >>> 0;
    return new PushStack(cpu, descriptorBase(descriptor.low, descriptor.high), low, top, big ? -1 : 0xffff, sp, error, true);
  }

  /**
   * Raises now what pushing `count` words of `size` bytes would raise, the first one's fault first (it shows in CR2). A frame that wraps
   * is checked word by word as it is pushed.
   */
  reserve(count: number, size: number): void {
    const cpu = this.#cpu, bytes = count * size;
    const start = (this.sp - bytes & this.mask) >>> 0;
    if (start + bytes > (this.mask >>> 0) + 1) return;
    if (start < this.#low || start + bytes - 1 > this.#high) cpu.raise(EXC_SS, this.#error);
    const va = this.#base + start | 0;
    if (!this.#supervisor) cpu.checkAlignment(va, size);
    if (cpu.plainWrite(va, bytes) >= 0) return;
    for (let offset = bytes - size; offset >= 0; offset -= size) {
      if (this.#supervisor) cpu.sprobe(va + offset | 0, size, true);
      else cpu.probe(va + offset | 0, size, true);
    }
  }

  /** Pushes a word (size 2) or doubleword (size 4). */
  push(value: number, size: number): void {
    const cpu = this.#cpu;
    const sp = this.sp - size & this.mask, first = sp >>> 0;
    if (first < this.#low || first + size - 1 > this.#high) cpu.raise(EXC_SS, this.#error);
    const va = this.#base + sp | 0;
    if (!this.#supervisor) cpu.checkAlignment(va, size);
    if (this.#supervisor) {
      if (size === 2) cpu.sstore16(va, value);
      else cpu.sstore32(va, value);
    } else if (size === 2) cpu.store16(va, value & 0xffff);
    else cpu.store32(va, value);
    this.sp = sp;
  }
}
