/** CPUID: what the processor's model says of itself. Intel SDM vol. 2, CPUID. */
import type { CpuContext } from './context.ts';
import { LIMIT_CPUID, MISC_ENABLE, XD_DISABLE } from '../msrs.ts';
import { LEAF_1_ECX, LEAF_1_EDX, LEAF_7_EBX, LEAF_7_ECX, LEAF_80000001_EDX } from '../features.ts';
import { EAX, EBX, ECX, EDX } from '../state.ts';

const VENDOR = 'GenuineIntel';
/** EBX of leaf 1: CLFLUSH lines of 64 bytes, one logical processor. */
const CLFLUSH_SIZE = 8 << 8, LOGICAL_PROCESSORS = 1 << 16;
/** The feature bit of an APIC that is switched off is clear. */
const APIC = 1 << 9, APIC_ENABLED = 1 << 11;
/** Leaf 2: one round; no TLB, 32 KB L1 data and instruction caches, 2 MB L2. */
const CACHES = [1, 0, 0, 0x2c307d] as const;
const EXTENDED = 0x80000000 | 0;
/** EDX of leaf 80000001h. What IA32_MISC_ENABLE limits leaves to. */
const NX = 1 << 20, LIMITED_LEAF = 2;
/** Leaf 80000008h: physical and linear address bits. */
const PHYSICAL_BITS_PAE = 36, PHYSICAL_BITS = 32, LINEAR_BITS = 32;

/** Four characters of a text as a register holds them; zeros behind its end. */
const chars = (text: string, at: number): number => [0, 1, 2, 3].reduce((word, i) => word | (text.charCodeAt(at + i) || 0) << 8 * i, 0);

type Registers = readonly [eax: number, ebx: number, ecx: number, edx: number];
const NOTHING: Registers = [0, 0, 0, 0];

const highestLeaf = ({ model, msrs }: CpuContext): number =>
  (msrs.has(MISC_ENABLE) && (msrs.low(MISC_ENABLE) & LIMIT_CPUID) !== 0 ? Math.min(model.highestLeaf, LIMITED_LEAF) : model.highestLeaf);

export const isNxDisabled = ({ msrs }: CpuContext): boolean => msrs.has(MISC_ENABLE) && (msrs.high(MISC_ENABLE) & XD_DISABLE) !== 0;

function leafOf(cpu: CpuContext, leaf: number, subleaf: number): Registers {
  const { model, apicBase } = cpu;
  const { words } = model.features;
  const apicIsOn = apicBase !== null && (apicBase.read() & APIC_ENABLED) !== 0;
  switch (leaf) {
    case 0: return [highestLeaf(cpu), chars(VENDOR, 0), chars(VENDOR, 8), chars(VENDOR, 4)];
    case 1: return [model.signature, CLFLUSH_SIZE | LOGICAL_PROCESSORS, words[LEAF_1_ECX]!, apicIsOn ? words[LEAF_1_EDX]! : words[LEAF_1_EDX]! & ~APIC];
    case 2: return CACHES;
    case 7: return subleaf === 0 ? [0, words[LEAF_7_EBX]!, words[LEAF_7_ECX]!, 0] : NOTHING;
    case EXTENDED: return [model.highestExtended, 0, 0, 0];
    case EXTENDED + 1: return [0, 0, 0, words[LEAF_80000001_EDX]! & (isNxDisabled(cpu) ? ~NX : -1)];
    case EXTENDED + 2:
    case EXTENDED + 3:
    case EXTENDED + 4: {
      const at = 16 * (leaf - EXTENDED - 2);
      return [chars(model.brand, at), chars(model.brand, at + 4), chars(model.brand, at + 8), chars(model.brand, at + 12)];
    }
    case EXTENDED + 8: return [(model.features.has('pae') ? PHYSICAL_BITS_PAE : PHYSICAL_BITS) | LINEAR_BITS << 8, 0, 0, 0];
    default: return NOTHING;
  }
}

/** A leaf above the highest gives the data of the highest standard one, as Intel's processors do. */
export function cpuid(cpu: CpuContext): void {
  const { R, model } = cpu;
  const leaf = R[EAX]!, subleaf = R[ECX]!;
  const known = leaf < 0 ? leaf <= model.highestExtended && model.highestExtended !== 0 : leaf <= highestLeaf(cpu);
  const [eax, ebx, ecx, edx] = leafOf(cpu, known ? leaf : highestLeaf(cpu), subleaf);
  R[EAX] = eax;
  R[EBX] = ebx;
  R[ECX] = ecx;
  R[EDX] = edx;
}
