/**
 * The processors that `-cpu` names: what CPUID says of each. Feature lists, signatures and texts are those of QEMU's models of the same
 * names, as far as this processor has the features (features.ts).
 */
import { FEATURE_NAMES, FeatureSet } from './features.ts';

export interface CpuModel {
  readonly name: string;
  readonly features: FeatureSet;
  /** EAX of CPUID leaf 1, and EDX after reset: family, model, stepping. */
  readonly signature: number;
  /** Highest standard and extended CPUID leaf; the second is 0 if there are none. */
  readonly highestLeaf: number;
  readonly highestExtended: number;
  /** CPUID leaves 80000002h-80000004h. */
  readonly brand: string;
}

interface ModelRow {
  readonly help: string;
  readonly signature: number;
  readonly leaf: number;
  readonly extended: number;
  readonly brand: string;
  readonly features: string;
}

const I486 = 'fpu vme pse';
const PENTIUM = `${I486} de tsc msr mce cx8 mmx apic`;
const PENTIUM_PRO = 'fpu de pse tsc msr mce cx8 pge cmov pat fxsr mmx sse sse2 pae sep apic nopl pmc';
const PENTIUM3 = `${PENTIUM} pae sep mtrr pge mca cmov pat pse36 fxsr sse nopl pmc`;

const signature = (family: number, model: number, stepping: number): number => family << 8 | model << 4 | stepping;

const MODELS: Readonly<Record<string, ModelRow>> = {
  486: { help: 'Intel 486 with CPUID', signature: signature(4, 8, 0), leaf: 1, extended: 0, brand: '', features: I486 },
  pentium: { help: 'Intel Pentium MMX', signature: signature(5, 4, 3), leaf: 1, extended: 0, brand: '', features: PENTIUM },
  pentium3: { help: 'Intel Pentium III', signature: signature(6, 8, 3), leaf: 3, extended: 0, brand: '', features: PENTIUM3 },
  qemu32: { help: "QEMU's 32-bit processor (the default)", signature: signature(6, 6, 3), leaf: 4, extended: 0x80000004 | 0, brand: 'QEMU Virtual CPU version 2.5+', features: `${PENTIUM_PRO} sse3` },
  max: { help: 'all features that there are', signature: signature(6, 6, 3), leaf: 7, extended: 0x80000008 | 0, brand: 'tcg86 CPU', features: FEATURE_NAMES.join(' ') },
};

/** From the oldest on. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

export const DEFAULT_MODEL = 'qemu32';

export const CPU_HELP = [
  'Available CPUs:', ...Object.entries(MODELS).map(([name, { help }]) => `x86 ${name.padEnd(12)} ${help}`),
  '', 'Recognized CPUID flags:', `  ${FEATURE_NAMES.join(' ')}`,
].join('\n');

/**
 * The processor of `-cpu MODEL[,+feature][,-feature][,feature=on|off]`.
 * @throws Error with one line for a model or feature that there is not
 */
export function parseCpuModel(text: string): CpuModel {
  const [name, ...changes] = text.split(',') as [string, ...string[]];
  const row = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (row === undefined) throw new Error(`unable to find CPU model '${name}' (${Object.keys(MODELS).join(', ')})`);
  const names = new Set(row.features.split(' '));
  for (const change of changes) {
    const [, sign, feature, value] = /^([+-]?)([\w.-]+?)(?:=(on|off))?$/.exec(change) ?? [];
    if (feature === undefined || (sign === '') === (value === undefined)) throw new Error(`CPU feature '${change}': expected +NAME, -NAME, NAME=on or NAME=off`);
    if (!FEATURE_NAMES.includes(feature)) throw new Error(`no CPU feature '${feature}' (${FEATURE_NAMES.join(', ')})`);
    if (sign === '+' || value === 'on') names.add(feature);
    else names.delete(feature);
  }
  return { name, features: new FeatureSet(names), signature: row.signature, highestLeaf: row.leaf, highestExtended: row.extended, brand: row.brand };
}
