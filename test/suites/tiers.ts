/**
 * Which tier the suites run on, and what of their instructions retired in compiled code: with `jit-threshold=0` nearly all of them
 * must, or compiled code was not tested.
 */
import type { Cpu, CpuOptions } from '../../src/cpu/cpu.ts';
import { Decoder } from '../../src/cpu/decode/decoder.ts';
import { DECODE_OK } from '../../src/cpu/decode/insn.ts';
import { HALTED, SS } from '../../src/cpu/state.ts';

export type SuiteOptions = Pick<CpuOptions, 'jit' | 'jitThreshold' | 'log'>;

/** For parseArgs. */
export const TIER_ARGUMENTS = { jit: { type: 'string' }, 'jit-threshold': { type: 'string' } } as const;
export const TIER_USAGE = '[--jit=on|off] [--jit-threshold=N]';

/** Without arguments the op interpreter alone: code that runs once is not compiled. */
export function tierOptions({ jit, 'jit-threshold': threshold }: { jit?: string | undefined; 'jit-threshold'?: string | undefined }): SuiteOptions {
  if (jit !== undefined && jit !== 'on' && jit !== 'off') throw new Error(`--jit is on or off, not "${jit}"`);
  if (threshold !== undefined && !/^\d{1,9}$/.test(threshold)) throw new Error(`--jit-threshold is a number of instructions, not "${threshold}"`);
  if (jit === 'off' && threshold !== undefined) throw new Error('--jit-threshold has no meaning with --jit=off');
  return { jit: jit === 'on' || threshold !== undefined, ...(threshold !== undefined && { jitThreshold: Number(threshold) }) };
}

/** Of a form's instructions and of all of them, in percent: less was not tested. */
const LEAST_OF_FORM = 50, LEAST_OF_ALL = 95;

interface Counts {
  retired: number;
  compiled: number;
}

export class TierCounts {
  /** Everything must be compiled. */
  readonly required: boolean;
  private readonly decoder = new Decoder();
  /** Instructions under test that retired, and of those the ones in compiled code. */
  private readonly forms = new Map<string, Counts>();

  constructor({ jit = true, jitThreshold }: SuiteOptions) {
    this.required = jit && jitThreshold === 0;
  }

  /** Runs a test that ends at a HLT, which does not count. */
  run<T>(cpu: Cpu, work: () => T, { form, code, code32 }: { form: string; code: Uint8Array; code32: boolean }): T {
    const { retired } = cpu, compiled = cpu.exec.regionRetired;
    const result = work();
    // What did not end retired what lies behind.
    if (!this.required || cpu.R[HALTED] === 0) return result;
    const counts = this.forms.get(form) ?? { retired: 0, compiled: 0 };
    counts.retired += cpu.retired - retired - 1;
    counts.compiled += cpu.exec.regionRetired - compiled - (this.shadows(code, code32) ? 0 : 1);
    this.forms.set(form, counts);
    return result;
  }

  /** What was not tested: one line each. */
  get complaints(): string[] {
    const share = ({ retired, compiled }: Counts): number => (retired === 0 ? 100 : 100 * compiled / retired);
    const lines = [...this.forms].filter(([, counts]) => share(counts) < LEAST_OF_FORM).map(([form, counts]) => `${form}: ${counts.compiled} of ${counts.retired} instructions retired in compiled code`);
    return !this.required || share(this.sum) >= LEAST_OF_ALL ? lines : [...lines, `less than ${LEAST_OF_ALL} % of all instructions retired in compiled code`];
  }

  /** A line that says how much was compiled; none if that was not asked for. */
  get summary(): string | undefined {
    const { retired, compiled } = this.sum;
    return this.required ? `retired in compiled code: ${compiled} of ${retired} instructions (${(100 * compiled / Math.max(1, retired)).toFixed(1)} %)` : undefined;
  }

  private get sum(): Counts {
    const all = { retired: 0, compiled: 0 };
    for (const { retired, compiled } of this.forms.values()) {
      all.retired += retired;
      all.compiled += compiled;
    }
    return all;
  }

  /** The instruction is followed by one that runs in tier 1, because no interrupt may come in between: STI, POP SS, MOV SS. */
  private shadows(code: Uint8Array, code32: boolean): boolean {
    if (this.decoder.decode({ byte: (eip) => code[eip] ?? 0 }, 0, code32) !== DECODE_OK) return false;
    const { row: { mnemonic, operands }, reg } = this.decoder.insn;
    return mnemonic === 'STI' || (mnemonic === 'POP' && operands[0] === 'SS') || (mnemonic === 'MOV' && operands[0] === 'Sw' && reg === SS);
  }
}

/** Lets the fast tables hold a page for reading and writing, so that compiled code need not leave for its first access. */
export function touch(cpu: Cpu, addresses: Iterable<number>): void {
  const pages = new Set<number>();
  for (const address of addresses) {
    if (pages.has(address >>> 12)) continue;
    pages.add(address >>> 12);
    cpu.store8(address, cpu.load8(address));
  }
}

/** Prints what was compiled; false if it is not enough. */
export function printTier({ summary, complaints }: TierCounts): boolean {
  if (summary !== undefined) console.log(summary);
  for (const line of complaints) console.log(`not tested: ${line}`);
  return complaints.length === 0;
}
