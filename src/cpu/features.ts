/**
 * Processor features: the names that `-cpu` and the opcode rows use, and the CPUID bits that say they are there.
 * Only what the processor does is listed. Source: Intel SDM vol. 2, CPUID, tables 3-10, 3-11 and leaf 7; the names are QEMU's.
 */

/** The CPUID words that hold feature bits. */
export const LEAF_1_EDX = 0, LEAF_1_ECX = 1, LEAF_7_EBX = 2, LEAF_7_ECX = 3, LEAF_80000001_EDX = 4;
const WORDS = 5;
/** Told by family and model, not by a bit. */
const NO_WORD = -1;

const ROWS: readonly (readonly [name: string, word: number, bit: number])[] = [
  ['fpu', LEAF_1_EDX, 0], ['vme', LEAF_1_EDX, 1], ['de', LEAF_1_EDX, 2], ['pse', LEAF_1_EDX, 3], ['tsc', LEAF_1_EDX, 4], ['msr', LEAF_1_EDX, 5],
  ['pae', LEAF_1_EDX, 6], ['mce', LEAF_1_EDX, 7], ['cx8', LEAF_1_EDX, 8], ['apic', LEAF_1_EDX, 9], ['sep', LEAF_1_EDX, 11], ['mtrr', LEAF_1_EDX, 12],
  ['pge', LEAF_1_EDX, 13], ['mca', LEAF_1_EDX, 14], ['cmov', LEAF_1_EDX, 15], ['pat', LEAF_1_EDX, 16], ['pse36', LEAF_1_EDX, 17],
  ['clflush', LEAF_1_EDX, 19], ['mmx', LEAF_1_EDX, 23], ['fxsr', LEAF_1_EDX, 24], ['sse', LEAF_1_EDX, 25], ['sse2', LEAF_1_EDX, 26], ['sse3', LEAF_1_ECX, 0],
  ['popcnt', LEAF_1_ECX, 23], ['rdrand', LEAF_1_ECX, 30],
  ['smep', LEAF_7_EBX, 7], ['rdseed', LEAF_7_EBX, 18], ['smap', LEAF_7_EBX, 20], ['umip', LEAF_7_ECX, 2],
  ['nx', LEAF_80000001_EDX, 20], ['rdtscp', LEAF_80000001_EDX, 27],
  // The long NOPs 0F 18-1F and performance counters, from the Pentium Pro on; the bases of FS and GS as MSRs, of processors with 64 bits.
  ['nopl', NO_WORD, 0], ['pmc', NO_WORD, 1], ['basemsr', NO_WORD, 2],
];

export const FEATURE_NAMES: readonly string[] = ROWS.map(([name]) => name);

/** The number of a feature. @throws Error for a name that there is not */
export function featureNumber(name: string): number {
  const number = FEATURE_NAMES.indexOf(name);
  if (number < 0) throw new Error(`no processor feature '${name}'`);
  return number;
}

/** What a processor has. */
export class FeatureSet {
  /** By number: 1 = there. */
  readonly present = new Uint8Array(ROWS.length);
  /** CPUID words, by LEAF_*. */
  readonly words = new Int32Array(WORDS);
  /** EFLAGS has VIF and VIP. */
  readonly virtualInterrupts: boolean;

  /** @param names names that are no feature here are left out: other processors have more */
  constructor(names: Iterable<string>) {
    const wanted = new Set(names);
    ROWS.forEach(([name, word, bit], number) => {
      if (!wanted.has(name)) return;
      this.present[number] = 1;
      if (word !== NO_WORD) this.words[word] = this.words[word]! | 1 << bit;
    });
    this.virtualInterrupts = this.has('vme');
  }

  has(name: string): boolean {
    return this.present[featureNumber(name)] !== 0;
  }
}
