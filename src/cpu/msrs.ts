/**
 * Model-specific registers of the P6 family that are just words: what is written is read again, within the bits that there are.
 * Those that do something are in helpers/msr.ts. Source: Intel SDM vol. 4, 2.22 (P6 family); vol. 3, 11.11 (MTRRs), 11.12 (PAT), 15.3 (MCA).
 */
import type { FeatureSet } from './features.ts';
import { MSRS, MSR_COUNT } from './state.ts';

/** Bits that can be written (others must be 0), value after reset. */
interface Register {
  readonly index: number;
  readonly lowMask: number;
  readonly highMask: number;
  readonly resetLow: number;
  readonly resetHigh: number;
  /** Writes are taken and change nothing. */
  readonly fixed: boolean;
}

const MTRR_CAP = 0xfe, MTRR_BASE = 0x200, MTRR_DEF_TYPE = 0x2ff;
/** Eight variable ranges, fixed ranges, write combining. */
const MTRR_CAPABILITIES = 0x508, MTRR_VARIABLE = 8;
const MTRR_FIXED = [0x250, 0x258, 0x259, ...Array.from({ length: 8 }, (_, i) => 0x268 + i)];
/** Physical addresses have 36 bits. */
const PHYSICAL_HIGH = 15;
const PAT = 0x277, PAT_RESET = 0x00070406;
/** Bit n: memory type n is defined (UC, WC, WT, WP, WB, UC-). */
const MEMORY_TYPES = 0b11110011;
/** What RDTSCP gives. */
export const TSC_AUX = 0xc0000103 | 0;
const IA32_KERNEL_GS_BASE = 0xc0000102 | 0;
/** Fast strings; on processors after the P6 also thermal control, SpeedStep, MONITOR, limited CPUID, xTPR messages. The high word: no NX. */
export const MISC_ENABLE = 0x1a0, LIMIT_CPUID = 1 << 22, XD_DISABLE = 1 << 2;
const MISC_ENABLE_LATER = 0x850009 | LIMIT_CPUID;
const MCG_CAP = 0x179, MCG_STATUS = 0x17a, MC0_CTL = 0x400, MCA_BANKS = 5;

const isTypes = (word: number): boolean => [0, 8, 16, 24].every((shift) => (MEMORY_TYPES >> (word >> shift & 7) & 1) !== 0);

/** Of a bank of machine checks: all or nothing is enabled (P6), the status can only be cleared (SDM vol. 3, 15.3.2). */
function isBankValue(register: number, low: number, high: number): boolean {
  if (register === 0) return low === high && (low === 0 || low === -1);
  return register !== 1 || (low | high) === 0;
}

export class Msrs {
  readonly #registers = new Map<number, Register>();
  /** Low and high words: a part of the processor's state. */
  readonly #values: Int32Array;

  /** @param R the processor's state */
  constructor(features: FeatureSet, R: Int32Array) {
    if (features.has('mtrr')) this.#addMtrrs();
    if (features.has('pat')) this.#add(PAT, 0x07070707, 0x07070707, { low: PAT_RESET, high: PAT_RESET });
    if (features.has('mca')) {
      this.#add(MCG_CAP, 0, 0, { low: MCA_BANKS });
      this.#add(MCG_STATUS, 7, 0);
      for (let i = 0; i < 4 * MCA_BANKS; i++) this.#add(MC0_CTL + i, -1, -1);
    } else if (features.has('mce')) {
      // The two machine check registers of the Pentium.
      this.#add(0, -1, -1);
      this.#add(1, -1, -1);
    }
    if (features.has('pmc')) this.#addP6(features.has('basemsr'));
    if (features.has('rdtscp')) this.#add(TSC_AUX, -1, 0);
    // Only SWAPGS uses it, which needs 64-bit mode.
    if (features.has('basemsr')) this.#add(IA32_KERNEL_GS_BASE, -1, 0);
    if (this.#registers.size > MSR_COUNT) throw new Error(`the state has room for ${MSR_COUNT} model-specific registers, not ${this.#registers.size}`);
    this.#values = R.subarray(MSRS, MSRS + 2 * MSR_COUNT);
    this.reset();
  }

  has(msr: number): boolean {
    return this.#registers.has(msr);
  }

  /** Of a register that there is. */
  low(msr: number): number {
    return this.#values[2 * this.#registers.get(msr)!.index]!;
  }

  high(msr: number): number {
    return this.#values[2 * this.#registers.get(msr)!.index + 1]!;
  }

  /** False if there is no such register, or a bit is set that it does not have. */
  set(msr: number, low: number, high: number): boolean {
    const register = this.#registers.get(msr);
    if (register === undefined || (low & ~register.lowMask) !== 0 || (high & ~register.highMask) !== 0) return false;
    if (msr === PAT && !(isTypes(low) && isTypes(high))) return false;
    if (msr >= MC0_CTL && msr < MC0_CTL + 4 * MCA_BANKS && !isBankValue(msr & 3, low, high)) return false;
    if (!register.fixed) this.#values.set([low, high], 2 * register.index);
    return true;
  }

  reset(): void {
    for (const { index, resetLow, resetHigh } of this.#registers.values()) this.#values.set([resetLow, resetHigh], 2 * index);
  }

  #addMtrrs(): void {
    this.#add(MTRR_CAP, 0, 0, { low: MTRR_CAPABILITIES });
    for (let i = 0; i < MTRR_VARIABLE; i++) {
      this.#add(MTRR_BASE + 2 * i, 0xfffff0ff, PHYSICAL_HIGH);
      this.#add(MTRR_BASE + 2 * i + 1, 0xfffff800, PHYSICAL_HIGH);
    }
    for (const msr of MTRR_FIXED) this.#add(msr, -1, -1);
    this.#add(MTRR_DEF_TYPE, 0xcff, 0);
  }

  /** Performance counters that count nothing, platform, power-on configuration, microcode, MISC_ENABLE (fast strings), debug control. */
  #addP6(later: boolean): void {
    for (const msr of [0xc1, 0xc2]) this.#add(msr, -1, 0xff);
    for (const msr of [0x186, 0x187]) this.#add(msr, -1, 0);
    this.#add(0x17, 0, 0);
    this.#add(0x2a, -1, 0);
    this.#add(0x79, -1, -1, { fixed: true });
    this.#add(0x8b, -1, -1);
    this.#add(MISC_ENABLE, later ? MISC_ENABLE_LATER : 1, later ? XD_DISABLE : 0, { low: 1 });
    this.#add(0x1d9, 3, 0);
    for (const msr of [0x1db, 0x1dc, 0x1dd, 0x1de]) this.#add(msr, 0, 0);
  }

  #add(msr: number, lowMask: number, highMask: number, { low = 0, high = 0, fixed = false }: { low?: number; high?: number; fixed?: boolean } = {}): void {
    this.#registers.set(msr, { index: this.#registers.size, lowMask, highMask, resetLow: low, resetHigh: high, fixed });
  }
}
